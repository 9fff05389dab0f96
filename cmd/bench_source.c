/* `sallyport bench source`: how fast a tree can be read. */
#include "bench/source.h"
#include "cmd/bench.h"

struct source_values {
    const char *path;
    uint64_t lanes;
    uint64_t in_flight;
    uint64_t block_bytes;
    uint64_t memory_bytes;
    uint64_t runs;
    int disk;
    bool is_cold;
};

// clang-format off
#define AT(field) offsetof(struct source_values, field)
static const struct option table[] = {
    {.name = "lanes",      .kind = OPTION_NUMBER, .offset = AT(lanes),        .value = "N",    .min = 1, .max = 16, .help = "threads that read (default: one per core, at most 4)"},
    {.name = "in-flight",  .kind = OPTION_NUMBER, .offset = AT(in_flight),    .value = "N",    .min = 1, .max = 4096, .initial = "64", .help = "reads of all lanes at a time"},
    {.name = "block-size", .kind = OPTION_SIZE,   .offset = AT(block_bytes),  .value = "SIZE", .min = 4096, .max = UINT64_C(1) << 30, .initial = "8MiB", .help = "larger files are read in blocks of this size"},
    {.name = "memory",     .kind = OPTION_SIZE,   .offset = AT(memory_bytes), .value = "SIZE", .min = UINT64_C(1) << 20, .max = UINT64_C(1) << 36, .initial = "128MiB", .help = "memory for buffers"},
    {.name = "io",         .kind = OPTION_CHOICE, .offset = AT(disk),         .value = "auto|uring|threads", .initial = "auto", .help = "how files are read"},
    {.name = "cold",       .kind = OPTION_FLAG,   .offset = AT(is_cold),                       .help = "drop each file from the page cache first (what was just written may stay)"},
    {.name = "runs",       .kind = OPTION_NUMBER, .offset = AT(runs),         .value = "N",    .min = 1, .max = BENCH_RUNS_MAX, .initial = "3", .help = "how often; the median is shown"},
};
static const struct operand operands[] = {
    {.name = "PATH", .offset = AT(path), .is_path = true, .help = "a folder or a file"},
};
// clang-format on

static int
read_all(const struct source_values *values, const struct common *common)
{
    struct output *output = common->output;
    struct figures runs[BENCH_RUNS_MAX];
    struct figures scan = {0};
    struct err err = ERR_NONE;
    struct source *source = NULL;
    const struct source_options options = {
        .path = values->path,
        .disk = (enum disk_kind)values->disk,
        .lanes = bench_lanes(values->lanes),
        .in_flight = (unsigned)values->in_flight,
        .block_bytes = values->block_bytes,
        .memory_bytes = values->memory_bytes,
        .is_cold = values->is_cold,
        .config = &common->config,
        .signal = &bench_control.signal,
    };
    enum err_code code = source_open(&options, &source, &scan, &err);
    if (code != ERR_OK) {
        return bench_fail(output, &err);
    }
    bench_show_run(output, "listing", &scan);
    for (unsigned i = 0; i < values->runs && code == ERR_OK; i++) {
        code = source_read(source, &runs[i], &err);
        if (code == ERR_OK) {
            bench_show_run(output, source_disk_name(source), &runs[i]);
        }
    }
    if (code == ERR_OK && source_failure(source)->code != ERR_OK) {
        output_note(output, "failed: %s: %s", err_name(source_failure(source)->code),
                    source_failure(source)->text);
    }
    (void)source_close(source);
    return code == ERR_OK ? bench_finish(output, "source", runs, (unsigned)values->runs)
                          : bench_fail(output, &err);
}

static int
run_source(const void *values, const void *common)
{
    bench_catch_signals();
    return read_all(values, common);
}

const struct command command_bench_source = {
    .path = "bench source",
    .summary = "Measure how fast a tree can be read",
    .options = table,
    .option_count = COUNT_OF(table),
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct source_values),
    .run = run_source,
};
