#include "cmd/bench.h"

#include "base/units.h"

#include <signal.h>
#include <unistd.h>

#define LANES_MAX 4L

struct copy_control bench_control;

static void
on_signal(int number)
{
    copy_interrupt(&bench_control, number);
}

void
bench_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

unsigned
bench_lanes(uint64_t named)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return named != 0 ? (unsigned)named : (unsigned)MAX_OF(1L, MIN_OF(cores, LANES_MAX));
}

void
bench_put_figures(struct json *json, const struct figures *figures)
{
    json_key_u64(json, "items", figures->items);
    json_key_u64(json, "failed", figures->failed);
    json_key_u64(json, "bytes", figures->bytes);
    json_key_double(json, "seconds", figures->seconds);
    json_key_double(json, "bytes_per_second", figures_per_second(figures, figures->bytes));
    json_key_double(json, "items_per_second", figures_per_second(figures, figures->items));
    json_key_double(json, "cpu_seconds", figures->cpu_seconds);
    json_key_double(json, "cpu_seconds_per_gib", figures_cpu_per_gib(figures));
}

void
bench_show_run(struct output *output, const char *what, const struct figures *figures)
{
    char items[UNITS_TEXT_BYTES];
    char bytes[UNITS_TEXT_BYTES];
    output_text(output, "%-8s %9s items  %11s  %8.3f s  %7.3f GB/s  %8.0f items/s  %6.3f CPU s",
                what, units_format_count(figures->items, items),
                units_format_size(figures->bytes, bytes), figures->seconds,
                figures_per_second(figures, figures->bytes) / 1e9,
                figures_per_second(figures, figures->items), figures->cpu_seconds);
    output_begin(output, "result");
    json_key_str(&output->json, "what", what);
    bench_put_figures(&output->json, figures);
    output_end(output);
}

int
bench_finish(struct output *output, const char *benchmark, const struct figures *runs,
             unsigned count)
{
    const struct figures *median = figures_median(runs, count);
    char rss[UNITS_TEXT_BYTES];
    int code = median->failed > 0 ? EXIT_ITEMS_FAILED : EXIT_DONE;
    output_text(output,
                "median of %u: %.3f GB/s, %.0f items/s, %.3f CPU s/GiB, %.1f CPU us/item, "
                "peak RSS %s",
                count, figures_per_second(median, median->bytes) / 1e9,
                figures_per_second(median, median->items), figures_cpu_per_gib(median),
                median->items > 0 ? median->cpu_seconds * 1e6 / (double)median->items : 0,
                units_format_size(figures_peak_rss_bytes(), rss));
    output_begin(output, "summary");
    json_key_str(&output->json, "status", code == 0 ? "Completed" : "CompletedWithErrors");
    json_key_str(&output->json, "benchmark", benchmark);
    json_key_u64(&output->json, "runs", count);
    bench_put_figures(&output->json, median);
    json_key_u64(&output->json, "peak_rss_bytes", figures_peak_rss_bytes());
    output_end(output);
    output_exit(output, code, NULL);
    return code;
}

int
bench_fail(struct output *output, const struct err *err)
{
    int code = (int)err_exit_after(err->code, atomic_load(&bench_control.signal));
    output_error(output, err);
    output_exit(output, code, err->text);
    return code;
}
