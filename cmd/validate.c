/* What would a copy of this device meet? Nothing on it is changed. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/units.h"
#include "base/utf8.h"
#include "cmd/commands.h"
#include "ingest/device/check.h"
#include "ingest/device/telemetry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DRAW_EVERY_NS  (100 * NS_PER_MS)
#define PLAIN_EVERY_NS (30 * NS_PER_S)
#define STEPS_SHOWN    20U

struct validate_values {
    struct option_list paths;
    int sku;
    bool has_tiers;
    int model;
    int file_shares;
    const char *plan;
    bool is_redacted;
    int bad_names;
    int manifest;
    const char *write_plan;
};

// clang-format off
#define AT(field) offsetof(struct validate_values, field)
static const struct option options[] = {
    {.name = "sku",        .kind = OPTION_CHOICE, .offset = AT(sku),        .value = "databox|disk|heavy",     .help = "what kind of device it is", .initial = "databox"},
    {.name = "tiers",      .kind = OPTION_FLAG,   .offset = AT(has_tiers),                                     .help = "the order has access-tier folders: Hot, Cool, Cold, Archive in block blob shares"},
    {.name = "model",      .kind = OPTION_CHOICE, .offset = AT(model),      .value = "classic|120|525",        .help = "which Data Box: of the first generation, or its terabytes", .initial = "classic"},
    {.name = "file-shares", .kind = OPTION_CHOICE, .offset = AT(file_shares), .value = "standard|large|premium", .help = "what the accounts' file shares may hold: large: 100 TiB each, premium: 100 TiB in all", .initial = "standard"},
    {.name = "plan",       .kind = OPTION_TEXT,   .offset = AT(plan),       .value = "FILE",                   .help = "judge the tree as this fix plan would have it copied"},
    {.name = "bad-names",  .kind = OPTION_CHOICE, .offset = AT(bad_names),  .value = "halt|rename|skip",       .help = "what becomes of names that the store does not take", .initial = "halt"},
    {.name = "manifest",   .kind = OPTION_CHOICE, .offset = AT(manifest),   .value = "require|build|ignore",   .help = "compare with the lists of files that prepare to ship leaves; build: differences do not halt", .initial = "require"},
    {.name = "redacted",   .kind = OPTION_FLAG,   .offset = AT(is_redacted),                                   .help = "show counts, codes, shapes of names and salted hashes, and no name"},
    {.name = "write-plan", .kind = OPTION_TEXT,   .offset = AT(write_plan), .value = "FILE",                   .help = "write the proposed fix plan; the file must not exist"},
};
static const struct operand operands[] = {
    {.name = "PATH", .offset = AT(paths), .is_list = true, .help = "the device's tree; several: the disks of one order, checked together"},
};
// clang-format on

struct view {
    struct output *output;
    bool is_on;
    bool is_terminal;
    bool is_shown;
    int64_t started_ns;
    int64_t last_ns;
};

static atomic_int signal_seen;

static void
on_signal(int signal)
{
    atomic_store(&signal_seen, signal);
}

/* ---- progress ---- */

static void
clear_progress(void *view_)
{
    struct view *view = view_;
    if (view->is_shown) {
        (void)fputs("\r\033[K", stderr);
        view->is_shown = false;
    }
}

static void
on_progress(void *view_, uint64_t items, uint64_t bytes)
{
    struct view *view = view_;
    char count[UNITS_TEXT_BYTES];
    char size[UNITS_TEXT_BYTES];
    int64_t now_ns = clock_mono_ns(&clock_system);
    if (!view->is_on ||
        now_ns - view->last_ns < (view->is_terminal ? DRAW_EVERY_NS : PLAIN_EVERY_NS)) {
        return;
    }
    view->last_ns = now_ns;
    view->is_shown = view->is_terminal;
    (void)fprintf(stderr,
                  view->is_terminal ? "\r\033[Kchecking: %s files, %s" : "checking: %s files, %s\n",
                  units_format_count(items, count), units_format_size(bytes, size));
}

/* ---- for people ---- */

/* A name as a terminal may have it: nothing in it is obeyed. */
static void
put_name(struct text *out, const char *name)
{
    while (*name != '\0') {
        unsigned len = utf8_length(name);
        unsigned char c = (unsigned char)*name;
        bool is_c1 = len == 2 && c == 0xc2 && (unsigned char)name[1] < 0xa0;
        if (len == 0 || c < 0x20 || c == 0x7f || c == '\\' || is_c1) {
            text_addf(out, "\\x%02x", c);
            name++;
            continue;
        }
        text_add(out, name, len);
        name += len;
    }
}

static void
print_group(struct output *output, const struct finding_group *group, bool is_redacted)
{
    char count[UNITS_TEXT_BYTES];
    char size[UNITS_TEXT_BYTES];
    const struct catalogue_row *row = catalogue_row(group->code);
    output_text(output, "%s", "");
    output_text(output, "%s  %s  %s%s%s", group->halt != HALT_NONE ? "HALT   " : "warning",
                units_format_count(group->count, count), row->wire,
                group->halt != HALT_NONE ? "  " : "", halt_name(group->halt));
    output_text(output, "    %s%s%s", row->sentence, group->bytes > 0 ? "; " : "",
                group->bytes > 0 ? units_format_size(group->bytes, size) : "");
    output_text(output, "    %s", row->hint);
    for (unsigned i = 0; i < group->example_count; i++) {
        AUTO_TEXT shown = TEXT_INIT;
        if (is_redacted) {
            telemetry_shape(group->examples[i], &shown);
        } else {
            put_name(&shown, group->examples[i]);
        }
        output_text(output, "      %s", text_str(&shown));
    }
    if (group->count > group->example_count && group->example_count > 0) {
        output_text(output, "      and %s more",
                    units_format_count(group->count - group->example_count, count));
    }
}

static void
print_step(struct output *output, const struct fix_step *step, bool is_redacted)
{
    AUTO_TEXT words = TEXT_INIT;
    if (is_redacted) {
        text_addf(&words, "%s %s", fix_name(step->kind),
                  step->code == FINDING_NONE ? "" : catalogue_row(step->code)->wire);
        telemetry_shape(step->from == NULL ? "" : step->from, &words);
    } else {
        fix_step_words(step, &words);
    }
    output_text(output, "    %s", text_str(&words));
}

static void
print_result(struct output *output, const struct check_result *result, bool is_redacted)
{
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    char c[UNITS_TEXT_BYTES];
    const struct fix_plan *plan = &result->proposal;
    output_text(output, "%s file%s, %s; containers and shares: %s",
                units_format_count(result->items, a), result->items == 1 ? "" : "s",
                units_format_size(result->bytes, b), units_format_count(result->containers, c));
    for (unsigned i = 0; i < result->findings.group_count; i++) {
        print_group(output, &result->findings.groups[i], is_redacted);
    }
    if (plan->count > 0) {
        output_text(output, "%s", "");
        output_text(output, result->proposal_verdict == VERDICT_HALT
                                ? "A plan could mend some of it while copying; nothing on the "
                                  "device changes:"
                                : "A plan could mend it while copying; nothing on the device "
                                  "changes:");
    }
    for (unsigned i = 0; i < MIN_OF(plan->count, STEPS_SHOWN); i++) {
        print_step(output, &plan->steps[i], is_redacted);
    }
    if (plan->count > STEPS_SHOWN) {
        output_text(output, "    and %u steps more; --write-plan FILE writes them all",
                    plan->count - STEPS_SHOWN);
    }
    output_text(output, "%s", "");
    output_text(output, "verdict: %s", finding_verdict_name(result->verdict));
}

/* ---- for programs ---- */

static void
put_findings(struct output *output, const struct check_result *result, const uint8_t *salt)
{
    for (unsigned i = 0; i < result->findings.group_count; i++) {
        const struct finding_group *group = &result->findings.groups[i];
        output_begin(output, "finding");
        if (salt != NULL) {
            telemetry_json(group, check_fix(result, group), salt, &output->json);
        } else {
            finding_json(group, check_fix(result, group), &output->json);
        }
        output_end(output);
    }
}

static void
put_proposal(struct json *json, const struct fix_plan *plan, bool is_redacted)
{
    json_key(json, "proposal");
    if (plan->count == 0) {
        json_put_null(json);
        return;
    }
    json_object_begin(json);
    json_key_str(json, "schema", FIX_PLAN_SCHEMA);
    json_key(json, "steps");
    json_array_begin(json);
    for (unsigned i = 0; i < plan->count; i++) {
        if (is_redacted) {
            telemetry_step_json(&plan->steps[i], json);
        } else {
            fix_step_json(&plan->steps[i], json);
        }
    }
    json_array_end(json);
    json_object_end(json);
}

static void
put_summary(struct view *view, const struct check_result *result, enum err_code code,
            bool is_redacted)
{
    static const char *const statuses[VERDICT_LEVELS] = {"Completed", "CompletedWithWarnings",
                                                         "Halted"};
    struct json *json = &view->output->json;
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    output_begin(view->output, "summary");
    json_key_str(json, "status",
                 code == ERR_OK            ? statuses[result->verdict]
                 : code == ERR_INTERRUPTED ? "Cancelled"
                                           : "Failed");
    json_key(json, "verdict");
    if (code == ERR_OK) {
        json_str(json, finding_verdict_name(result->verdict));
    } else {
        json_put_null(json);
    }
    json_key_u64(json, "items", result->items);
    json_key_u64(json, "bytes", result->bytes);
    json_key_u64(json, "findings", result->findings.group_count);
    json_key_u64(json, "files_ignored", result->files_ignored);
    json_key_u64(json, "folders_empty", result->folders_empty);
    json_key_u64(json, "containers", result->containers);
    json_key_u64(json, "accounts", result->accounts);
    put_proposal(json, &result->proposal, is_redacted);
    json_key(json, "proposal_verdict");
    if (result->proposal.count > 0) {
        json_str(json, finding_verdict_name(result->proposal_verdict));
    } else {
        json_put_null(json);
    }
    int64_t elapsed_ns = clock_mono_ns(&clock_system) - view->started_ns;
    json_key_double(json, "seconds", (double)elapsed_ns / 1e9);
    json_key_u64(json, "peak_rss_bytes", (uint64_t)usage.ru_maxrss * 1024);
    output_end(view->output);
}

/* ---- the plan as a file ---- */

static enum err_code
write_plan(const char *path, const struct fix_plan *plan, struct err *err)
{
    AUTO_TEXT text = TEXT_INIT;
    fix_plan_write(plan, &text);
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_set_sys(err, ERR_USAGE, errno, "--write-plan: cannot make '%s'", path);
    }
    for (size_t at = 0; at < text.len;) {
        ssize_t wrote = write(fd, text.bytes + at, text.len - at);
        if (wrote < 0 && errno != EINTR) {
            int sys = errno;
            (void)unlink(path);
            return err_set_sys(err, err_from_target_errno(sys), sys, "cannot write '%s'", path);
        }
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return ERR_OK;
}

/* ---- the command ---- */

static enum err_code
check(const struct validate_values *values, struct view *view, struct check_result *result,
      struct err *err)
{
    struct fix_plan plan;
    enum device_sku sku = SKU_DATABOX;
    /* The option's choices are not in the order of the enum. */
    static const char *const skus[] = {"databox", "disk", "heavy"};
    ASSERT(device_sku_find(skus[values->sku], &sku));
    struct check_options check_options = {
        .paths = values->paths.values,
        .path_count = values->paths.count,
        .rules = {.device = {.sku = sku,
                             .has_tiers = values->has_tiers,
                             .file_shares = (enum file_shares)values->file_shares},
                  .bad_names = (enum bad_names)values->bad_names},
        .manifest = (enum manifest_policy)values->manifest,
        .signal = &signal_seen,
        .progress = on_progress,
        .user = view,
    };
    if (limits_choose(sku, (enum device_model)values->model, &check_options.rules.limits, err) !=
        ERR_OK) {
        return err->code;
    }
    if (values->paths.count > CHECK_TREES_MAX) {
        return err_set(err, ERR_USAGE, "%u paths are too many; at most %u disks make an order",
                       values->paths.count, CHECK_TREES_MAX);
    }
    if (values->is_redacted && values->write_plan != NULL) {
        return err_set(err, ERR_USAGE,
                       "--write-plan writes names; it cannot stand beside "
                       "--redacted");
    }
    if (values->write_plan != NULL && access(values->write_plan, F_OK) == 0) {
        return err_set(err, ERR_USAGE, "--write-plan: '%s' is there already", values->write_plan);
    }
    fix_plan_init(&plan);
    enum err_code code = ERR_OK;
    if (values->plan != NULL) {
        code = fix_plan_load(values->plan, &plan, err);
        check_options.rules.plan = &plan;
    }
    code = code == ERR_OK ? check_run(&check_options, result, err) : code;
    if (code == ERR_OK && values->write_plan != NULL) {
        code = write_plan(values->write_plan, &result->proposal, err);
    }
    fix_plan_done(&plan);
    return code;
}

static int
finish(struct view *view, const struct check_result *result)
{
    static const int exits[VERDICT_LEVELS] = {EXIT_DONE, EXIT_WARNINGS, EXIT_HALTED};
    AUTO_TEXT reason = TEXT_INIT;
    const struct finding_set *set = &result->findings;
    /* Halting groups stand first. */
    for (int cause = HALT_NONE + 1; cause < HALT_COUNT; cause++) {
        bool is_met = false;
        for (unsigned i = 0; i < set->group_count && !is_met; i++) {
            is_met = set->groups[i].halt == (enum halt_cause)cause;
        }
        if (is_met) {
            text_addf(&reason, "%s%s", reason.len == 0 ? "" : ", ",
                      halt_name((enum halt_cause)cause));
        }
    }
    output_exit(view->output, exits[result->verdict], reason.len == 0 ? NULL : text_str(&reason));
    return exits[result->verdict];
}

static int
run_validate(const void *values_, const void *common_)
{
    const struct validate_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct view view = {.output = output,
                        .is_on = !output->is_quiet && !output->is_json,
                        .is_terminal = isatty(STDERR_FILENO) == 1,
                        .started_ns = clock_mono_ns(&clock_system)};
    struct check_result result = {0};
    struct err err = ERR_NONE;
    uint8_t salt[TELEMETRY_SALT_BYTES];
    struct sigaction action = {.sa_handler = on_signal};
    view.last_ns = view.started_ns;
    random_bytes(salt, sizeof salt);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    output->before = clear_progress;
    output->before_user = &view;
    enum err_code code = check(values, &view, &result, &err);
    clear_progress(&view);
    output->before = NULL;
    int exit_code = code == ERR_INTERRUPTED && atomic_load(&signal_seen) == SIGTERM
                        ? EXIT_SIGTERM
                        : (int)err_exit(code);
    if (code != ERR_OK) {
        output_error(output, &err);
    } else {
        print_result(output, &result, values->is_redacted);
        put_findings(output, &result, values->is_redacted ? salt : NULL);
    }
    put_summary(&view, &result, code, values->is_redacted);
    if (code == ERR_OK) {
        exit_code = finish(&view, &result);
    } else {
        output_exit(output, exit_code, err.text);
    }
    check_result_done(&result);
    return exit_code;
}

const struct command command_validate = {
    .path = "validate",
    .summary = "Check a device's tree before it is copied, and change nothing",
    .details = "Every entry is judged as a copy would judge it: its place, name, size and kind, "
               "and whether the lists of files that prepare to ship has left agree. No content is "
               "read but headers and footers of virtual disks. Findings are grouped by cause, and "
               "where a machine could mend them while copying, a fix plan is proposed.\n"
               "Exit 0: clean. Exit 4: only warnings. Exit 13: something would halt the copy.",
    .options = options,
    .option_count = COUNT_OF(options),
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct validate_values),
    .run = run_validate,
};
