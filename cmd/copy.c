#include "ingest/copy/copy.h"

#include "base/arena.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/copy_device.h"
#include "cmd/progress_bar.h"
#include "cmd/state.h"
#include "storage/wrap/packer.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* In the order of the option; the first one leaves it to the settings. */
static char transports[][8] = {"", "wire", "curl"};

struct copy_values {
    const char *source;
    const char *target;
    struct option_list include;
    struct option_list exclude;
    uint64_t block_bytes;
    uint64_t lanes;
    uint64_t in_flight;
    uint64_t memory_bytes;
    uint64_t bandwidth;
    bool wants_md5;
    bool wants_sha256;
    const char *compress;
    int overwrite;
    int verify;
    int links;
    int tier;
    int transport;
    const char *receipt;
    bool restart;
    bool dry_run;
    bool has_no_progress;
    struct copy_device_values device;
};

// clang-format off
#define AT(field) offsetof(struct copy_values, field)
static const struct option options[] = {
    {.name = "include",     .kind = OPTION_LIST,   .offset = AT(include),      .value = "GLOB", .help = "take only what matches; may be repeated"},
    {.name = "exclude",     .kind = OPTION_LIST,   .offset = AT(exclude),      .value = "GLOB", .help = "leave out what matches; may be repeated"},
    {.name = "block-size",  .kind = OPTION_SIZE,   .offset = AT(block_bytes),  .value = "SIZE", .min = 65536, .max = UINT64_C(4000) << 20, .help = "size of blocks; larger where an item would need too many (default 8MiB; 4MiB with --compress, 1MiB from a remote store)"},
    {.name = "lanes",       .kind = OPTION_NUMBER, .offset = AT(lanes),        .value = "N",    .min = 1, .max = 16, .help = "threads that move bytes (default: one per core, at most 4)"},
    {.name = "in-flight",   .kind = OPTION_NUMBER, .offset = AT(in_flight),    .value = "N",    .min = 1, .max = 4096, .help = "requests of all lanes at a time (default 64)"},
    {.name = "memory",      .kind = OPTION_SIZE,   .offset = AT(memory_bytes), .value = "SIZE", .min = UINT64_C(64) << 20, .max = UINT64_C(1) << 40, .initial = "256MiB", .help = "memory of the whole process"},
    {.name = "bandwidth",   .kind = OPTION_RATE,   .offset = AT(bandwidth),    .value = "RATE", .help = "bytes per second at most, e.g. 200MiB/s"},
    {.name = "md5",         .kind = OPTION_FLAG,   .offset = AT(wants_md5),                     .help = "compute MD5 and store it with each item"},
    {.name = "sha256",      .kind = OPTION_FLAG,   .offset = AT(wants_sha256),                  .help = "compute SHA-256 for the receipt"},
    {.name = "compress",    .kind = OPTION_TEXT,   .offset = AT(compress),     .value = "zstd[:LEVEL]", .help = "store compressed what shrinks by it, at a level from 1 to 19 (default 3); a copy back undoes it"},
    {.name = "overwrite",   .kind = OPTION_CHOICE, .offset = AT(overwrite),    .value = "always|never|if-newer|if-different", .initial = "if-different", .help = "what may replace an item at the target"},
    {.name = "verify",      .kind = OPTION_CHOICE, .offset = AT(verify),       .value = "none|listing|read-back", .initial = "listing", .help = "how the target is checked afterwards"},
    {.name = "links",       .kind = OPTION_CHOICE, .offset = AT(links),        .value = "skip|follow|fail", .initial = "skip", .help = "what to do with symbolic links"},
    {.name = "tier",        .kind = OPTION_CHOICE, .offset = AT(tier),         .value = "default|Hot|Cool|Cold|Archive", .initial = "default", .help = "access tier of what is stored"},
    {.name = "transport",   .kind = OPTION_CHOICE, .offset = AT(transport),    .value = "auto|wire|curl", .initial = "auto", .help = "what carries HTTP: our own client, or libcurl, which knows proxies; auto: as configured, or wire where no proxy is named"},
    {.name = "sku",         .kind = OPTION_CHOICE, .offset = AT(device.sku),       .value = "none|databox|disk|heavy", .initial = "none", .help = "SOURCE is a device tree of this kind; TARGET is left out"},
    {.name = "account",     .kind = OPTION_LIST,   .offset = AT(device.accounts),  .value = "ACCT=END", .help = "where the data of this account of the device goes; may be repeated"},
    {.name = "plan",        .kind = OPTION_TEXT,   .offset = AT(device.plan),      .value = "FILE", .help = "apply this fix plan to the device while copying"},
    {.name = "bad-names",   .kind = OPTION_CHOICE, .offset = AT(device.bad_names), .value = "halt|rename|skip", .initial = "halt", .help = "what becomes of names of the device that the store does not take"},
    {.name = "manifest",    .kind = OPTION_CHOICE, .offset = AT(device.manifest),  .value = "require|build|ignore", .initial = "require", .help = "compare the device with the lists of files that prepare to ship leaves"},
    {.name = "tiers",       .kind = OPTION_FLAG,   .offset = AT(device.has_tiers),                .help = "the device's order has access-tier folders"},
    {.name = "model",       .kind = OPTION_CHOICE, .offset = AT(device.model),     .value = "classic|120|525", .initial = "classic", .help = "which Data Box: of the first generation, or its terabytes"},
    {.name = "file-shares", .kind = OPTION_CHOICE, .offset = AT(device.file_shares), .value = "standard|large|premium", .initial = "standard", .help = "what the accounts' file shares may hold: large: 100 TiB each, premium: 100 TiB in all"},
    {.name = "verbose-log", .kind = OPTION_FLAG,   .offset = AT(device.wants_verbose_log),        .help = "also leave a log of every item of the device that was stored"},
    {.name = "receipt",     .kind = OPTION_TEXT,   .offset = AT(receipt),      .value = "FILE", .help = "also write the signed receipt to this file"},
    {.name = "restart",     .kind = OPTION_FLAG,   .offset = AT(restart),                       .help = "forget what an earlier run has done"},
    {.name = "dry-run",     .kind = OPTION_FLAG,   .offset = AT(dry_run),                       .help = "tell what would be done, and check the target"},
    {.name = "no-progress", .kind = OPTION_FLAG,   .offset = AT(has_no_progress),               .help = "no progress bar"},
};
static const struct operand operands[] = {
    {.name = "SOURCE", .offset = AT(source), .help = "a folder, a file, or file:DIR/ACCOUNT/CONTAINER[/PREFIX]"},
    {.name = "TARGET", .is_optional = true, .offset = AT(target), .help = "the same forms"},
};
// clang-format on

struct view {
    struct output *output;
    struct progress_bar bar;
    uint64_t shown_failures;
};

#define FAILURES_SHOWN 20U

static struct copy_control control;

static void
on_signal(int signal)
{
    copy_interrupt(&control, signal);
}

static const char *
bottleneck(const struct copy_figures *figures)
{
    const struct {
        const char *name;
        int64_t ns;
    } rows[] = {{"reading", figures->read_ns - figures->throttled_ns},
                {"hashing", figures->hash_ns},
                {"sending", figures->send_ns},
                {"the target", figures->store_ns},
                {"throttling", figures->throttled_ns}};
    unsigned best = 0;
    for (unsigned i = 1; i < COUNT_OF(rows); i++) {
        best = rows[i].ns > rows[best].ns ? i : best;
    }
    return rows[best].ns > 0 ? rows[best].name : NULL;
}

static uint64_t
items_done(const struct copy_figures *f)
{
    return f->items_copied + f->items_renamed + f->items_unchanged + f->items_skipped +
           f->items_failed;
}

static void
on_progress(void *user, const struct copy_figures *figures)
{
    struct view *view = user;
    struct progress_figures shown = {
        .items_done = items_done(figures),
        .items_total = figures->items_total,
        .bytes_done = figures->bytes_done,
        .bytes_total = figures->bytes_total,
        .failed = figures->items_failed,
        .is_total_known = figures->is_scan_done,
        .elapsed_ns = figures->elapsed_ns,
        .phase = "copying",
        .bottleneck = bottleneck(figures),
    };
    progress_bar_show(&view->bar, &shown);
    if (view->output->is_json && figures->elapsed_ns - view->bar.last_ns >= 0) {
        struct json *json = &view->output->json;
        output_begin(view->output, "progress");
        json_key_u64(json, "items_done", shown.items_done);
        json_key_u64(json, "items_total", shown.items_total);
        json_key_u64(json, "bytes_done", shown.bytes_done);
        json_key_u64(json, "bytes_total", shown.bytes_total);
        json_key_bool(json, "is_total_known", shown.is_total_known);
        json_key_str(json, "bottleneck", shown.bottleneck == NULL ? "" : shown.bottleneck);
        output_end(view->output);
    }
}

static void
on_item(void *user, const struct item *item)
{
    struct view *view = user;
    struct output *output = view->output;
    bool is_failed = item->state == ITEM_FAILED;
    output_begin(output, "item");
    json_key_path(&output->json, "path", item->name);
    json_key_str(&output->json, "state", is_failed ? "failed" : "skipped");
    json_key_str(&output->json, "code", err_name(item->err_code));
    json_key_str(&output->json, "text", item->err_text == NULL ? "" : item->err_text);
    json_key_str(&output->json, "hint", err_hint(item->err_code));
    output_end(output);
    if (!is_failed) {
        return;
    }
    view->shown_failures++;
    if (view->shown_failures <= FAILURES_SHOWN) {
        output_note(output, "failed: %s: %s", err_name(item->err_code),
                    item->err_text == NULL ? item->name : item->err_text);
    } else if (view->shown_failures == FAILURES_SHOWN + 1) {
        output_note(output, "further failed items are counted; --json lists them all");
    }
}

static void
on_notice(void *user, const struct err *err)
{
    struct view *view = user;
    output_notice(view->output, err);
}

static void
on_begun(void *user, const char *job)
{
    struct view *view = user;
    (void)memcpy(view->output->job, job, strlen(job) + 1);
}

static void
put_stages(struct json *json, const struct copy_figures *f)
{
    double all = (double)(f->read_ns + f->hash_ns + f->send_ns + f->store_ns + f->throttled_ns);
    all = all > 0 ? all : 1;
    json_key(json, "stages");
    json_object_begin(json);
    json_key_double(json, "read", (double)f->read_ns / all);
    json_key_double(json, "hash", (double)f->hash_ns / all);
    json_key_double(json, "send", (double)f->send_ns / all);
    json_key_double(json, "store", (double)f->store_ns / all);
    json_key_double(json, "throttled", (double)f->throttled_ns / all);
    json_object_end(json);
}

static void
put_summary(struct output *output, const struct copy_result *result)
{
    static const char *const item_names[] = {"total",   "copied",  "unchanged",
                                             "renamed", "skipped", "failed"};
    static const char *const folder_names[] = {"empty", "kept"};
    static const char *const byte_names[] = {"total", "copied", "resumed", "sent"};
    static const char *const check_names[] = {"in_transit", "manifest", "read_back",
                                              "unverifiable"};
    const struct copy_figures *f = &result->figures;
    /* What the target had already is left out too: all but `unchanged`, which says how many of the
     * skipped that were, add up to the total. */
    const unsigned long long items[] = {f->items_total,
                                        f->items_copied,
                                        f->items_unchanged,
                                        f->items_renamed,
                                        f->items_skipped + f->items_unchanged,
                                        f->items_failed};
    const unsigned long long folders[] = {f->folders_empty, f->folders_kept};
    const unsigned long long bytes[] = {f->bytes_total, f->bytes_copied, f->bytes_resumed,
                                        f->bytes_sent};
    const unsigned long long checks[] = {f->in_transit, f->manifest, f->read_back, f->unverifiable};
    struct json *json = &output->json;
    struct rusage usage = {0};
    double seconds = (double)f->elapsed_ns / 1e9;
    double per_s = seconds > 0 ? 1 / seconds : 0;
    (void)getrusage(RUSAGE_SELF, &usage);
    output_begin(output, "summary");
    json_key_str(json, "status", output_status((int)result->exit));
    output_group(output, "items", item_names, items, COUNT_OF(items));
    output_group(output, "folders", folder_names, folders, COUNT_OF(folders));
    output_group(output, "bytes", byte_names, bytes, COUNT_OF(bytes));
    output_group(output, "integrity", check_names, checks, COUNT_OF(checks));
    json_key_double(json, "seconds", seconds);
    json_key_double(json, "bytes_per_second", (double)f->bytes_sent * per_s);
    json_key_double(json, "items_per_second", (double)f->items_copied * per_s);
    json_key_double(json, "cpu_seconds", (double)clock_process_cpu_ns() / 1e9);
    json_key_u64(json, "peak_rss_bytes", (uint64_t)usage.ru_maxrss * 1024);
    put_stages(json, f);
    json_key_u64(json, "retries", f->retries);
    json_key_u64(json, "throttled", f->throttled_count);
    json_key_u64(json, "requests", f->requests + f->estimated_requests);
    if (f->estimated_ns > 0) {
        json_key_double(json, "estimated_seconds", (double)f->estimated_ns / 1e9);
    }
    if (result->receipt != NULL) {
        json_key_path(json, "receipt", result->receipt);
    }
    if (result->logs != NULL) {
        json_key_path(json, "logs", result->logs);
    }
    output_end(output);
}

static void
print_logs(struct output *output, const struct copy_result *result)
{
    if (result->logs != NULL) {
        output_text(output, "  logs %s", result->logs);
    }
}

static void
print_summary(struct output *output, const struct copy_result *result, bool dry_run)
{
    const struct copy_figures *f = &result->figures;
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    char c[UNITS_TEXT_BYTES];
    char d[UNITS_TEXT_BYTES];
    double seconds = (double)f->elapsed_ns / 1e9;
    if (dry_run) {
        output_text(output, "would copy: %s items, %s, at most %s requests, about %s",
                    units_format_count(f->items_total - f->items_failed - f->items_skipped, a),
                    units_format_size(f->bytes_total, b),
                    units_format_count(f->estimated_requests, c),
                    units_format_duration(MAX_OF(f->estimated_ns, NS_PER_S), d));
        return;
    }
    output_text(output, "%s: %s of %s items copied, %s", output_status((int)result->exit),
                units_format_count(f->items_copied, a), units_format_count(f->items_total, b),
                units_format_size(f->bytes_copied, c));
    output_text(output, "  unchanged %s, skipped %s, failed %s",
                units_format_count(f->items_unchanged, a), units_format_count(f->items_skipped, b),
                units_format_count(f->items_failed, c));
    if (f->items_renamed > 0) {
        output_text(output, "  copied under another name %s",
                    units_format_count(f->items_renamed, a));
    }
    output_text(
        output, "  sent %s in %.1f s (%s/s, %.0f items/s)", units_format_size(f->bytes_sent, a),
        seconds,
        units_format_size((uint64_t)((double)f->bytes_sent / (seconds > 0 ? seconds : 1)), b),
        (double)f->items_copied / (seconds > 0 ? seconds : 1));
    output_text(output, "  verified in transit %s, read back %s, unverifiable %s",
                units_format_count(f->in_transit, a), units_format_count(f->read_back, b),
                units_format_count(f->unverifiable, c));
    if (f->retries > 0) {
        output_text(output, "  sent again %s requests, %s of which the store had asked to wait",
                    units_format_count(f->retries, a), units_format_count(f->throttled_count, b));
    }
    if (result->receipt != NULL) {
        output_text(output, "  receipt %s", result->receipt);
    }
    print_logs(output, result);
}

static void
clear_bar(void *user)
{
    progress_bar_clear(user);
}

static int
finish(struct output *output, const struct copy_result *result, bool has_run, bool dry_run)
{
    if (result->stop.code != ERR_OK) {
        output_error(output, &result->stop);
    }
    if (has_run && result->stop.code != ERR_DEVICE) {
        print_summary(output, result, dry_run);
    } else if (has_run) {
        print_logs(output, result);
    }
    if (result->exit == EXIT_NOTHING) {
        output_note(output, "sallyport: nothing-to-do: %s", err_sentence(ERR_NOTHING));
    }
    put_summary(output, result);
    output_exit(output, (int)result->exit, result->stop.code != ERR_OK ? result->stop.text : NULL);
    return (int)result->exit;
}

/* "zstd" or "zstd:LEVEL"; NULL: nothing is compressed. */
static enum err_code
parse_compress(const char *text, int *ret_level, struct err *err)
{
    static const char method[] = "zstd";
    uint64_t level = PACKER_LEVEL_DEFAULT;
    if (text == NULL) {
        return ERR_OK;
    }
    size_t len = strcspn(text, ":");
    if (len != sizeof method - 1 || strncmp(text, method, len) != 0) {
        return err_set(err, ERR_USAGE, "--compress '%s' is not possible; write zstd or zstd:LEVEL",
                       text);
    }
    if (text[len] == ':' && (units_parse_u64(text + len + 1, &level, err) != ERR_OK ||
                             level < PACKER_LEVEL_MIN || level > PACKER_LEVEL_MAX)) {
        return err_set(err, ERR_USAGE, "--compress '%s': the level must be %d to %d", text,
                       PACKER_LEVEL_MIN, PACKER_LEVEL_MAX);
    }
    *ret_level = (int)level;
    return ERR_OK;
}

static enum err_code
fail_without_target(struct copy_result *ret_result, struct err *err)
{
    enum err_code code = err_set(err, ERR_USAGE,
                                 "TARGET is missing; a device needs --sku and "
                                 "--account instead");
    *ret_result = (struct copy_result){.exit = err_exit(code), .stop = *err};
    return code;
}

static int
run_copy(const void *values_, const void *common_)
{
    const struct copy_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct err err = ERR_NONE;
    struct copy_result result = {0};
    AUTO_TEXT state = TEXT_INIT;
    struct config config = common->config; /* its texts are borrowed */
    struct view view = {.output = output};
    struct copy_events events = {.user = &view,
                                 .progress = on_progress,
                                 .item = on_item,
                                 .notice = on_notice,
                                 .begun = on_begun};
    struct sigaction action = {.sa_handler = on_signal};
    progress_bar_init(&view.bar, !output->is_quiet && !output->is_json && !values->has_no_progress,
                      !common->has_no_color);
    output->before = clear_bar;
    output->before_user = &view.bar;
    enum err_code code = state_folder(common->state, &state, &err);
    struct copy_options copy = {
        .source = values->source,
        .target = values->target,
        .filter = {.includes = values->include.values,
                   .include_count = values->include.count,
                   .excludes = values->exclude.values,
                   .exclude_count = values->exclude.count},
        .block_bytes = values->block_bytes != 0 ? values->block_bytes : UINT64_C(8) << 20,
        .has_block_bytes = values->block_bytes != 0,
        .lanes = (unsigned)values->lanes,
        .in_flight = (unsigned)values->in_flight,
        .memory_bytes = values->memory_bytes,
        .bandwidth = values->bandwidth,
        .wants_md5 = values->wants_md5,
        .wants_sha256 = values->wants_sha256,
        .overwrite = (enum copy_overwrite)values->overwrite,
        .verify = (enum copy_verify)values->verify,
        .links = (enum end_links)values->links,
        .tier = (enum blob_tier)values->tier,
        .receipt = values->receipt,
        .state = text_str(&state),
        .restart = values->restart,
        .dry_run = values->dry_run,
        .config = &config,
        .clock = &clock_system,
    };
    if (transports[values->transport][0] != '\0') {
        config.transport = transports[values->transport];
    }
    code = code == ERR_OK ? parse_compress(values->compress, &copy.compress_level, &err) : code;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (code == ERR_OK) {
        const struct copy_device_view shown = {
            .events = &events, .control = &control, .output = output};
        code = copy_device_is_wanted(&values->device)
                   ? copy_device_run(&values->device, &copy, &shown, &result, &err)
               : values->target == NULL ? fail_without_target(&result, &err)
                                        : copy_run(&copy, &events, &control, &result, &err);
    } else {
        result = (struct copy_result){.exit = err_exit(code), .stop = err};
    }
    progress_bar_clear(&view.bar);
    output->before = NULL;
    int exit_code = finish(output, &result, code == ERR_OK, values->dry_run);
    mem_give(result.receipt);
    mem_give(result.logs);
    return exit_code;
}

const struct command command_copy = {
    .path = "copy",
    .summary = "Copy a tree to a target, checked and resumable",
    .details =
        "Running the same copy again continues where the last one stopped, inside files too.",
    .options = options,
    .option_count = COUNT_OF(options),
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct copy_values),
    .run = run_copy,
};
