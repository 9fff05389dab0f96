/* `sallyport bench end-to-end` and `sallyport bench clean`: whole copies of made-up files. */
#include "base/fd.h"
#include "base/units.h"
#include "bench/dataset.h"
#include "bench/trip.h"
#include "cmd/bench.h"
#include "cmd/state.h"

struct trip_values {
    uint64_t files;
    uint64_t size_bytes;
    int direction;
    int peer;
    uint64_t lanes;
    uint64_t in_flight;
    uint64_t block_bytes;
    uint64_t memory_bytes;
    int verify;
    uint64_t server_threads;
    uint64_t runs;
};

// clang-format off
#define AT(field) offsetof(struct trip_values, field)
static const struct option table[] = {
    {.name = "files",          .kind = OPTION_NUMBER, .offset = AT(files),          .value = "N",    .min = 1, .max = DATASET_FILES_MAX, .initial = "20000", .help = "how many files"},
    {.name = "size",           .kind = OPTION_SIZE,   .offset = AT(size_bytes),     .value = "SIZE", .max = UINT64_C(1) << 44, .initial = "16KiB", .help = "size of each file"},
    {.name = "direction",      .kind = OPTION_CHOICE, .offset = AT(direction),      .value = "up|down", .initial = "up", .help = "to the peer, or from there"},
    {.name = "peer",           .kind = OPTION_CHOICE, .offset = AT(peer),           .value = "sink|store", .initial = "sink", .help = "our own HTTP server, or the local store"},
    {.name = "lanes",          .kind = OPTION_NUMBER, .offset = AT(lanes),          .value = "N",    .min = 1, .max = 16, .help = "as in copy"},
    {.name = "in-flight",      .kind = OPTION_NUMBER, .offset = AT(in_flight),      .value = "N",    .min = 1, .max = 4096, .help = "as in copy"},
    {.name = "block-size",     .kind = OPTION_SIZE,   .offset = AT(block_bytes),    .value = "SIZE", .min = 65536, .max = UINT64_C(4000) << 20, .help = "as in copy"},
    {.name = "memory",         .kind = OPTION_SIZE,   .offset = AT(memory_bytes),   .value = "SIZE", .min = UINT64_C(64) << 20, .max = UINT64_C(1) << 40, .initial = "256MiB", .help = "as in copy"},
    {.name = "verify",         .kind = OPTION_CHOICE, .offset = AT(verify),         .value = "none|listing|read-back", .initial = "listing", .help = "as in copy"},
    {.name = "server-threads", .kind = OPTION_NUMBER, .offset = AT(server_threads), .value = "N",    .min = 1, .max = SERVER_THREADS_MAX, .initial = "1", .help = "threads of our own server"},
    {.name = "runs",           .kind = OPTION_NUMBER, .offset = AT(runs),           .value = "N",    .min = 1, .max = BENCH_RUNS_MAX, .initial = "3", .help = "how often; the median is shown"},
};
// clang-format on

static enum err_code
open_folder(const struct common *common, struct text *folder, int *ret_lock, struct err *err)
{
    AUTO_TEXT state = TEXT_INIT;
    enum err_code code = state_folder(common->state, &state, err);
    return code == ERR_OK ? bench_folder_open(text_str(&state), folder, ret_lock, err) : code;
}

static int
run_end_to_end(const void *values_, const void *common_)
{
    const struct trip_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct figures runs[BENCH_RUNS_MAX];
    struct err err = ERR_NONE;
    struct trip trip = {0};
    AUTO_TEXT folder = TEXT_INIT;
    AUTO_FD lock = -1;
    bench_catch_signals();
    enum err_code code = open_folder(common, &folder, &lock, &err);
    const struct trip_options options = {
        .folder = text_str(&folder),
        .files = values->files,
        .file_bytes = values->size_bytes,
        .direction = (enum trip_direction)values->direction,
        .peer = (enum trip_peer)values->peer,
        .server_threads = (unsigned)values->server_threads,
        .lanes = (unsigned)values->lanes,
        .in_flight = (unsigned)values->in_flight,
        .block_bytes = values->block_bytes,
        .memory_bytes = values->memory_bytes,
        .verify = (enum copy_verify)values->verify,
        .config = &common->config,
        .control = &bench_control,
    };
    code = code == ERR_OK ? trip_open(&options, &trip, &err) : code;
    if (code != ERR_OK) {
        return bench_fail(output, &err);
    }
    for (unsigned i = 0; i < values->runs && code == ERR_OK; i++) {
        code = trip_run(&trip, &runs[i], &err);
        if (code == ERR_OK) {
            bench_show_run(output, values->direction == TRIP_UP ? "up" : "down", &runs[i]);
        }
    }
    trip_close(&trip);
    return code == ERR_OK ? bench_finish(output, "end-to-end", runs, (unsigned)values->runs)
                          : bench_fail(output, &err);
}

static int
run_clean(const void *values, const void *common_)
{
    const struct common *common = common_;
    struct output *output = common->output;
    struct dataset_cleaned cleaned = {0};
    struct err err = ERR_NONE;
    char files[UNITS_TEXT_BYTES];
    char bytes[UNITS_TEXT_BYTES];
    AUTO_TEXT folder = TEXT_INIT;
    AUTO_TEXT work = TEXT_INIT;
    AUTO_FD lock = -1;
    (void)values;
    bench_catch_signals();
    enum err_code code = open_folder(common, &folder, &lock, &err);
    code = code == ERR_OK ? dataset_clean(text_str(&folder), &bench_control.signal, &cleaned, &err)
                          : code;
    if (code != ERR_OK) {
        return bench_fail(output, &err);
    }
    text_addf(&work, "%s/run", text_str(&folder));
    bench_folder_remove(text_str(&work));
    int exit_code = cleaned.kept > 0 ? EXIT_WARNINGS : EXIT_DONE;
    output_text(output, "removed %llu datasets: %s files, %s", (unsigned long long)cleaned.sets,
                units_format_count(cleaned.files, files), units_format_size(cleaned.bytes, bytes));
    if (cleaned.kept > 0) {
        output_note(output, "kept %llu folders in '%s' that hold something else",
                    (unsigned long long)cleaned.kept, text_str(&folder));
    }
    output_begin(output, "summary");
    json_key_str(&output->json, "status", cleaned.kept > 0 ? "CompletedWithWarnings" : "Completed");
    json_key_str(&output->json, "benchmark", "clean");
    json_key_u64(&output->json, "datasets", cleaned.sets);
    json_key_u64(&output->json, "items", cleaned.files);
    json_key_u64(&output->json, "bytes", cleaned.bytes);
    json_key_u64(&output->json, "kept", cleaned.kept);
    output_end(output);
    output_exit(output, exit_code, NULL);
    return exit_code;
}

const struct command command_bench_end_to_end = {
    .path = "bench end-to-end",
    .summary = "Measure whole copies of files made for it",
    .details = "The files stay below the state folder for the next run, until 'bench clean'.",
    .options = table,
    .option_count = COUNT_OF(table),
    .values_bytes = sizeof(struct trip_values),
    .run = run_end_to_end,
};
const struct command command_bench_clean = {
    .path = "bench clean",
    .summary = "Remove the files that benchmarks made",
    .run = run_clean,
};
