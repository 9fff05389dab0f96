/* `sallyport bench hash`: how fast each checksum is here. */
#include "base/clock.h"
#include "bench/hash.h"
#include "cmd/bench.h"

struct hash_values {
    uint64_t size_bytes;
    int64_t each_ns;
};

// clang-format off
#define AT(field) offsetof(struct hash_values, field)
static const struct option table[] = {
    {.name = "size", .kind = OPTION_SIZE,     .offset = AT(size_bytes), .value = "SIZE",     .min = 64, .max = UINT64_C(1) << 30, .initial = "1MiB", .help = "size of the buffer; beyond the caches memory is measured too"},
    {.name = "time", .kind = OPTION_DURATION, .offset = AT(each_ns),    .value = "DURATION", .min = NS_PER_MS, .max = 60 * NS_PER_S, .initial = "300ms", .help = "how long each is measured"},
};
// clang-format on

static void
show(struct output *output, const struct hash_result *result)
{
    struct json *json = &output->json;
    if (result->is_usable) {
        output_text(output, "%-16s %8.2f GB/s%s", result->name, result->bytes_per_second / 1e9,
                    result->is_used ? "   used here" : "");
    } else {
        output_text(output, "%-16s        - this CPU lacks it", result->name);
    }
    output_begin(output, "result");
    json_key_str(json, "what", result->name);
    json_key_bool(json, "usable", result->is_usable);
    json_key_bool(json, "used", result->is_used);
    json_key_double(json, "bytes_per_second", result->bytes_per_second);
    output_end(output);
}

static int
run_hash(const void *values_, const void *common_)
{
    const struct hash_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct hash_result results[HASH_RESULTS_MAX];
    struct err err = ERR_NONE;
    unsigned count = 0;
    bench_catch_signals();
    if (hash_bench((size_t)values->size_bytes, values->each_ns, &bench_control.signal, results,
                   &count, &err) != ERR_OK) {
        return bench_fail(output, &err);
    }
    for (unsigned i = 0; i < count; i++) {
        show(output, &results[i]);
    }
    output_begin(output, "summary");
    json_key_str(&output->json, "status", "Completed");
    json_key_str(&output->json, "benchmark", "hash");
    for (unsigned i = 0; i < count; i++) {
        json_key_double(&output->json, results[i].name, results[i].bytes_per_second);
    }
    output_end(output);
    output_exit(output, EXIT_DONE, NULL);
    return EXIT_DONE;
}

const struct command command_bench_hash = {
    .path = "bench hash",
    .summary = "Measure every checksum on this machine",
    .options = table,
    .option_count = COUNT_OF(table),
    .values_bytes = sizeof(struct hash_values),
    .run = run_hash,
};
