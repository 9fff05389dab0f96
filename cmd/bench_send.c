/* `sallyport bench send`: how fast bodies from memory reach a sink on this machine. */
#include "bench/child.h"
#include "bench/send.h"
#include "cmd/bench.h"

struct send_values {
    uint64_t size_bytes;
    uint64_t count;
    uint64_t in_flight;
    uint64_t lanes;
    uint64_t sink_threads;
    uint64_t runs;
};

// clang-format off
#define AT(field) offsetof(struct send_values, field)
static const struct option table[] = {
    {.name = "size",         .kind = OPTION_SIZE,   .offset = AT(size_bytes),   .value = "SIZE", .max = UINT64_C(1) << 30, .initial = "8MiB", .help = "size of each body"},
    {.name = "count",        .kind = OPTION_NUMBER, .offset = AT(count),        .value = "N",    .min = 1, .max = UINT64_C(1000000000), .initial = "512", .help = "how many bodies"},
    {.name = "in-flight",    .kind = OPTION_NUMBER, .offset = AT(in_flight),    .value = "N",    .min = 1, .max = 4096, .initial = "16", .help = "requests of all lanes at a time"},
    {.name = "lanes",        .kind = OPTION_NUMBER, .offset = AT(lanes),        .value = "N",    .min = 1, .max = 16, .initial = "1", .help = "threads that send"},
    {.name = "sink-threads", .kind = OPTION_NUMBER, .offset = AT(sink_threads), .value = "N",    .min = 1, .max = SERVER_THREADS_MAX, .initial = "1", .help = "threads of the sink"},
    {.name = "runs",         .kind = OPTION_NUMBER, .offset = AT(runs),         .value = "N",    .min = 1, .max = BENCH_RUNS_MAX, .initial = "3", .help = "how often; the median is shown"},
};
// clang-format on

static int
run_send(const void *values_, const void *common_)
{
    const struct send_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct figures runs[BENCH_RUNS_MAX];
    struct err err = ERR_NONE;
    struct child child = {0};
    const struct server_options sink = {.threads = (unsigned)values->sink_threads,
                                        .mode = STORE_DISCARD};
    struct send_options options = {
        .body_bytes = values->size_bytes,
        .count = values->count,
        .in_flight = (unsigned)values->in_flight,
        .lanes = (unsigned)values->lanes,
        .config = &common->config,
        .signal = &bench_control.signal,
    };
    bench_catch_signals();
    enum err_code code = child_start(&sink, &child, &err);
    options.port = child.port;
    for (unsigned i = 0; i < values->runs && code == ERR_OK; i++) {
        options.run = i;
        code = send_bench(&options, &runs[i], &err);
        if (code == ERR_OK) {
            bench_show_run(output, "curl", &runs[i]);
        }
    }
    child_stop(&child);
    return code == ERR_OK ? bench_finish(output, "send", runs, (unsigned)values->runs)
                          : bench_fail(output, &err);
}

const struct command command_bench_send = {
    .path = "bench send",
    .summary = "Measure how fast bodies can be sent, without disks",
    .details = "The sink is a process of its own on this machine and shares its cores.",
    .options = table,
    .option_count = COUNT_OF(table),
    .values_bytes = sizeof(struct send_values),
    .run = run_send,
};
