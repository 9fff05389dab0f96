/* The list of files that prepare-to-ship should have left on a device. */
#include "base/arena.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "ingest/device/manifest_build.h"

#include <signal.h>

#define SHOWN_MAX 20U

struct manifest_values {
    const char *path;
    const char *output;
    int sku;
    bool has_tiers;
};

// clang-format off
#define AT(field) offsetof(struct manifest_values, field)
static const struct option options[] = {
    {.name = "output", .kind = OPTION_TEXT,   .offset = AT(output),    .value = "DIR", .help = "folder for the manifests; made if missing (default PATH/BOM)"},
    {.name = "sku",    .kind = OPTION_CHOICE, .offset = AT(sku),       .value = "databox|disk|heavy", .initial = "databox", .help = "kind of device, which tells what its shares are called"},
    {.name = "tiers",  .kind = OPTION_FLAG,   .offset = AT(has_tiers), .help = "the order has access-tier folders; they are listed like any other folder"},
};
static const enum device_sku skus[] = {SKU_DATABOX, SKU_DISK, SKU_HEAVY}; /* as the choices */
static const struct operand operands[] = {
    {.name = "PATH", .offset = AT(path), .help = "where the device tree is: the folder that holds its shares"},
};
// clang-format on

struct view {
    struct output *output;
    uint64_t shown;
};

static atomic_int signal_seen;

static void
on_signal(int signal)
{
    atomic_store(&signal_seen, signal);
}

static void
on_left_out(void *user, const char *path, const struct err *why)
{
    struct view *view = user;
    struct json *json = &view->output->json;
    bool is_skipped = why->code == ERR_OK;
    output_begin(view->output, "item");
    json_key_path(json, "path", path);
    json_key_str(json, "state", is_skipped ? "skipped" : "failed");
    if (!is_skipped) {
        json_key_str(json, "code", err_name(why->code));
    }
    json_key_str(json, "text", why->text);
    if (!is_skipped) {
        json_key_str(json, "hint", err_hint(why->code));
    }
    output_end(view->output);
    view->shown++;
    if (view->shown <= SHOWN_MAX && is_skipped) {
        output_note(view->output, "note: %s", why->text);
    } else if (view->shown <= SHOWN_MAX) {
        output_note(view->output, "%s: %s", err_name(why->code), why->text);
    } else if (view->shown == SHOWN_MAX + 1) {
        output_note(view->output, "further entries are counted; --json lists them all");
    }
}

static void
on_written(void *user, const struct manifest_written *written)
{
    struct view *view = user;
    struct json *json = &view->output->json;
    char items[UNITS_TEXT_BYTES];
    char bytes[UNITS_TEXT_BYTES];
    output_begin(view->output, "notice");
    json_key_str(json, "code", "manifest-written");
    json_key_path(json, "path", written->path);
    json_key_path(json, "share", written->share);
    json_key_u64(json, "items", written->items);
    json_key_u64(json, "bytes", written->bytes);
    output_end(view->output);
    output_text(view->output, "%s: %s files, %s", written->path,
                units_format_count(written->items, items),
                units_format_size(written->bytes, bytes));
}

static void
put_summary(struct output *output, const struct manifest_build_result *result, enum err_code code)
{
    struct json *json = &output->json;
    double seconds = (double)result->ns / (double)NS_PER_S;
    output_begin(output, "summary");
    json_key_str(json, "status",
                 code == ERR_INTERRUPTED                 ? "Cancelled"
                 : code != ERR_OK                        ? "Failed"
                 : result->failed + result->special != 0 ? "CompletedWithErrors"
                                                         : "Completed");
    json_key(json, "items");
    json_object_begin(json);
    json_key_u64(json, "total", result->items);
    json_key_u64(json, "failed", result->failed + result->special);
    json_key_u64(json, "skipped", result->outside);
    json_object_end(json);
    json_key(json, "bytes");
    json_object_begin(json);
    json_key_u64(json, "total", result->bytes);
    json_object_end(json);
    json_key_u64(json, "files_written", result->files_written);
    json_key_u64(json, "files_withheld", result->files_withheld);
    json_key_double(json, "seconds", seconds);
    output_end(output);
}

static void
print_summary(struct output *output, const struct manifest_build_result *result)
{
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    char c[UNITS_TEXT_BYTES];
    double seconds = (double)result->ns / (double)NS_PER_S;
    double rate = seconds > 0 ? (double)result->bytes / seconds : 0;
    output_text(output, "%s manifests written: %s files, %s in %.1f s (%s/s)",
                units_format_count(result->files_written, a), units_format_count(result->items, b),
                units_format_size(result->bytes, c), seconds,
                units_format_size((uint64_t)rate, (char[UNITS_TEXT_BYTES]){0}));
    output_text(output,
                "  withheld %s, failed %s, links and special files %s, outside of shares %s",
                units_format_count(result->files_withheld, a),
                units_format_count(result->failed, b), units_format_count(result->special, c),
                units_format_count(result->outside, (char[UNITS_TEXT_BYTES]){0}));
}

static int
run_manifest(const void *values_, const void *common_)
{
    const struct manifest_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct view view = {.output = output};
    struct manifest_build_result result = {0};
    struct err err = ERR_NONE;
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    const struct manifest_build_options build = {
        .root = values->path,
        .output = values->output,
        .device = {.sku = skus[values->sku], .has_tiers = values->has_tiers},
        .clock = &clock_system,
        .signal = &signal_seen,
        .tell = on_left_out,
        .tell_written = on_written,
        .user = &view,
    };
    enum err_code code = manifest_build(&build, &result, &err);
    int exit_code = result.failed + result.special > 0 ? EXIT_ITEMS_FAILED : EXIT_DONE;
    if (code != ERR_OK) {
        output_error(output, &err);
        exit_code = code == ERR_INTERRUPTED && atomic_load(&signal_seen) == SIGTERM
                        ? EXIT_SIGTERM
                        : (int)err_exit(code);
    } else {
        print_summary(output, &result);
    }
    put_summary(output, &result, code);
    output_exit(output, exit_code, code != ERR_OK ? err.text : NULL);
    return exit_code;
}

const struct command command_manifest = {
    .path = "manifest",
    .summary = "Write the lists of files that a device tree should have",
    .details = "Reads every file of every share and writes one manifest (BOM) for each share that "
               "holds data, as preparing the device to ship does: size, CRC-64/NVME and path of "
               "each file. A share of which something could not be read, or changed meanwhile, "
               "gets none; links and special files are told and left out (exit 3 for all of "
               "these).",
    .options = options,
    .option_count = COUNT_OF(options),
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct manifest_values),
    .run = run_manifest,
};
