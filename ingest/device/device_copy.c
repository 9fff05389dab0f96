#include "ingest/device/device_copy.h"

#include "base/digest.h"
#include "base/json.h"
#include "ingest/device/device_place.h"
#include "ingest/device/log_job.h"
#include "storage/local/address.h"

#include <string.h>

#define SERIAL_BYTES_MAX 64U

struct device_run {
    const struct device_copy_options *options;
    const struct check_result *check;
    struct account_parts targets;
    struct device_place place;
    struct text identity;
    struct text real;   /* the device's path, resolved */
    struct text serial; /* what stands for it in the names of logs */
    const char *log_accounts[DEVICE_ACCOUNTS_MAX];
    struct log_job_options log_options;
    struct log_job *logs; /* NULL: a dry run */
    struct text log_folder;
};

static const struct device_account *
find_account(const struct device_copy_options *options, const char *name)
{
    if (name[0] == '\0') { /* the shares of a disk name no account: there is one */
        return options->account_count == 1 ? &options->accounts[0] : NULL;
    }
    for (unsigned i = 0; i < options->account_count; i++) {
        if (strcmp(options->accounts[i].name, name) == 0) {
            return &options->accounts[i];
        }
    }
    return NULL;
}

static enum err_code
check_accounts(const struct device_run *run, struct err *err)
{
    const struct device_copy_options *options = run->options;
    for (unsigned i = 0; i < run->check->accounts; i++) {
        const char *name = run->check->account_names[i];
        if (find_account(options, name) == NULL && name[0] == '\0') {
            return err_set(err, ERR_USAGE,
                           "a disk belongs to one account; name it once with --account ACCT=END");
        }
        if (find_account(options, name) == NULL) {
            return err_set(err, ERR_USAGE,
                           "the device holds data of account '%s'; name its end with --account "
                           "%s=END",
                           name, name);
        }
    }
    return ERR_OK;
}

/* In a local store a file share is a folder of its account like a container, so one name is one
 * folder, and what has one path in both would be one file. */
static enum err_code
check_apart(const struct device_run *run, const struct check_container *stored,
            const struct device_account *account, struct err *err)
{
    const struct check_result *check = run->check;
    for (unsigned i = 0; i < check->stored_count && stored->is_files; i++) {
        const struct check_container *other = &check->stored[i];
        if (!other->is_files && strcmp(other->name, stored->name) == 0 &&
            find_account(run->options, other->account) == account) {
            return err_set(err, ERR_UNSUPPORTED,
                           "account '%s' has a container and a file share '%s', which a local "
                           "store cannot keep apart; map one of them to another name with a plan",
                           account->name, stored->name);
        }
    }
    return ERR_OK;
}

/* Where an account's logs go. They are made first, so that an account that cannot be written is
 * known before the first byte moves. */
static enum err_code
add_log_parts(struct device_run *run, struct err *err)
{
    static const char *const containers[] = {LOG_CONTAINER, CUSTODY_CONTAINER};
    const struct device_copy_options *options = run->options;
    unsigned count = options->manifest == MANIFEST_IGNORE ? 1 : 2;
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < options->account_count * count && code == ERR_OK; i++) {
        code = account_parts_add(&run->targets, &options->accounts[i / count],
                                 containers[i % count], err);
    }
    return code;
}

static enum err_code
list_targets(struct device_run *run, struct err *err)
{
    const struct check_result *check = run->check;
    for (unsigned i = 0; i < check->stored_count; i++) {
        const struct check_container *stored = &check->stored[i];
        const struct device_account *account = find_account(run->options, stored->account);
        ASSERT(account != NULL);
        if (account_is_local(account) && check_apart(run, stored, account, err) != ERR_OK) {
            return err->code;
        }
        if (stored->is_files && !account_is_local(account)) {
            return err_set(err, ERR_UNSUPPORTED,
                           "file share '%s' of account '%s': an Azure end cannot take file shares; "
                           "name a local store, file:DIR/ACCOUNT, for this account",
                           stored->name, account->name);
        }
        if (account_parts_add(&run->targets, account, stored->name, err) != ERR_OK) {
            return err->code;
        }
    }
    return add_log_parts(run, err);
}

/* What makes it the same copy besides source, ends and filters. */
static void
describe(struct device_run *run)
{
    const struct device_copy_options *options = run->options;
    AUTO_TEXT plan = TEXT_INIT;
    uint8_t sha256[SHA256_BYTES] = {0};
    struct err err = ERR_NONE;
    struct json json;
    json_init(&json, &run->identity);
    json_object_begin(&json);
    json_key_str(&json, "sku", device_sku_names[options->rules.device.sku]);
    json_key_bool(&json, "tiers", options->rules.device.has_tiers);
    json_key_u64(&json, "bad_names", options->rules.bad_names);
    json_key_u64(&json, "manifest", options->manifest);
    if (options->rules.plan != NULL) {
        fix_plan_write(options->rules.plan, &plan);
        ASSERT(digest_sha256(text_str(&plan), plan.len, sha256, &err) == ERR_OK);
        json_key_hex(&json, "plan", sha256, sizeof sha256);
    }
    json_object_end(&json);
}

/* ---- logs ---- */

/* Of the device in names: its folder's, as far as it can stand there. */
static void
name_serial(const char *path, struct text *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    for (size_t i = 0; i < SERIAL_BYTES_MAX && name[i] != '\0'; i++) {
        bool is_kept = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                       (name[i] >= '0' && name[i] <= '9');
        text_add(out, is_kept ? &name[i] : "-", 1);
    }
    if (out->len == 0) {
        text_add_str(out, "device");
    }
}

static enum err_code
open_logs(struct device_run *run, struct err *err)
{
    const struct device_copy_options *options = run->options;
    if (options->copy->dry_run) {
        return ERR_OK;
    }
    if (path_resolve(options->copy->source, &run->real, err) != ERR_OK) {
        return err->code;
    }
    name_serial(text_str(&run->real), &run->serial);
    for (unsigned i = 0; i < options->account_count; i++) {
        run->log_accounts[i] = options->accounts[i].name;
    }
    run->log_options = (struct log_job_options){
        .copy = options->copy,
        .rules = &options->rules,
        .manifest = options->manifest,
        .accounts = run->log_accounts,
        .account_count = options->account_count,
        .only_account = run->place.only_account,
        .order = "copy",
        .serial = text_str(&run->serial),
        .wants_verbose = options->wants_verbose_log,
        .signal = &options->control->signal,
    };
    return log_job_new(&run->log_options, &run->logs, err);
}

static enum err_code
on_ended(void *user, const struct copy_ended *ended, struct err *err)
{
    struct device_run *run = user;
    text_clear(&run->log_folder);
    text_addf(&run->log_folder, "%s/logs", ended->folder);
    enum err_code code = log_job_write(run->logs, text_str(&run->log_folder), ended, err);
    return code == ERR_OK ? log_job_store(run->logs, ended, err) : code;
}

/* Nothing was copied, so there is no job: what is known of the tree names a folder. */
static void
write_findings(struct device_run *run)
{
    struct err err = ERR_NONE;
    AUTO_TEXT key = TEXT_INIT;
    uint8_t digest[XXH3_BYTES];
    char hex[2 * XXH3_BYTES + 1];
    if (run->logs == NULL) {
        return;
    }
    text_addf(&key, "%s\n%s", text_str(&run->real), text_str(&run->identity));
    digest_xxh3(text_str(&key), key.len, digest);
    text_addf(&run->log_folder, "%s/jobs/check-%s/logs", run->options->copy->state,
              hex_encode(digest, 8, hex));
    if (log_job_write_findings(run->logs, text_str(&run->log_folder), &err) != ERR_OK) {
        text_clear(&run->log_folder); /* the halt is what matters */
        run->options->events->notice(run->options->events->user, &err);
    }
}

static void
forward_progress(void *user, const struct copy_figures *figures)
{
    const struct copy_events *events = ((struct device_run *)user)->options->events;
    if (events->progress != NULL) {
        events->progress(events->user, figures);
    }
}

static void
forward_item(void *user, const struct item *item)
{
    struct device_run *run = user;
    const struct copy_events *events = run->options->events;
    if (run->logs != NULL) {
        log_job_item(run->logs, item);
    }
    if (events->item != NULL) {
        events->item(events->user, item);
    }
}

static void
forward_notice(void *user, const struct err *err)
{
    const struct copy_events *events = ((struct device_run *)user)->options->events;
    if (events->notice != NULL) {
        events->notice(events->user, err);
    }
}

static void
forward_begun(void *user, const char *job)
{
    const struct copy_events *events = ((struct device_run *)user)->options->events;
    if (events->begun != NULL) {
        events->begun(events->user, job);
    }
}

static enum err_code
copy_it(struct device_run *run, struct copy_result *ret_copy, struct err *err)
{
    const struct device_copy_options *options = run->options;
    struct copy_options copy = *options->copy;
    const struct copy_events events = {.user = run,
                                       .progress = forward_progress,
                                       .item = forward_item,
                                       .notice = forward_notice,
                                       .begun = forward_begun};
    run->place.rules = &options->rules;
    run->place.manifest = options->manifest == MANIFEST_REQUIRE ? run->check->manifest : NULL;
    enum err_code code = device_place_open(&run->place, copy.source, err);
    if (code != ERR_OK) {
        return code;
    }
    copy.ended = run->logs == NULL ? NULL : on_ended;
    copy.ended_user = run;
    copy.place = device_place_ask;
    copy.place_user = &run->place;
    copy.parts = run->targets.parts;
    copy.part_count = run->targets.count;
    copy.device = run->serial.len == 0 ? NULL : text_str(&run->serial);
    copy.identity = text_str(&run->identity);
    copy.has_warnings = run->check->verdict == VERDICT_WARNINGS;
    code = copy_run(&copy, &events, options->control, ret_copy, err);
    device_place_close(&run->place);
    return code;
}

/* Two lines: the causes that halt, and how many entries have them. */
static void
tell_halt(const struct check_result *check, struct err *stop)
{
    AUTO_TEXT causes = TEXT_INIT;
    uint64_t count = 0;
    for (unsigned i = 0; i < check->findings.group_count; i++) {
        const struct finding_group *group = &check->findings.groups[i];
        if (group->halt == HALT_NONE) {
            continue;
        }
        count += group->count;
        if (strstr(text_str(&causes), halt_name(group->halt)) == NULL) {
            text_addf(&causes, "%s%s", causes.len == 0 ? "" : ", ", halt_name(group->halt));
        }
    }
    (void)err_set(stop, ERR_DEVICE,
                  "the device was checked and nothing was copied: %s (%llu findings)",
                  text_str(&causes), (unsigned long long)count);
}

static enum err_code
check_it(struct device_run *run, struct check_result *ret_check, struct err *err)
{
    const struct device_copy_options *options = run->options;
    const char *paths[] = {options->copy->source};
    const struct check_options check = {
        .paths = paths,
        .path_count = 1,
        .rules = options->rules,
        .manifest = options->manifest,
        .signal = &options->control->signal,
        .tell = run->logs == NULL ? NULL : log_job_finding,
        .tell_user = run->logs,
    };
    return check_run(&check, ret_check, err);
}

static enum err_code
check_and_copy(struct device_run *run, struct check_result *ret_check, struct copy_result *ret_copy,
               struct err *err)
{
    enum err_code code = open_logs(run, err);
    code = code == ERR_OK ? check_it(run, ret_check, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    describe(run);
    if (ret_check->verdict == VERDICT_HALT) {
        tell_halt(ret_check, &ret_copy->stop);
        ret_copy->exit = EXIT_HALTED;
        write_findings(run);
        return ERR_OK;
    }
    code = check_accounts(run, err);
    code = code == ERR_OK ? list_targets(run, err) : code;
    if (code == ERR_OK && ret_check->stored_count == 0) {
        ret_copy->exit = EXIT_NOTHING;
    } else if (code == ERR_OK) {
        code = copy_it(run, ret_copy, err);
    }
    return code;
}

enum err_code
device_copy(const struct device_copy_options *options, struct check_result *ret_check,
            struct copy_result *ret_copy, struct err *err)
{
    struct device_run run = {.options = options, .check = ret_check};
    *ret_copy = (struct copy_result){0};
    account_parts_init(&run.targets);
    run.place.only_account = options->rules.device.sku == SKU_DISK && options->account_count == 1
                                 ? options->accounts[0].name
                                 : NULL;
    enum err_code code = check_and_copy(&run, ret_check, ret_copy, err);
    if (run.log_folder.len > 0) {
        ret_copy->logs = mem_text(text_str(&run.log_folder));
    }
    log_job_free(run.logs);
    account_parts_done(&run.targets);
    text_done(&run.identity);
    text_done(&run.real);
    text_done(&run.serial);
    text_done(&run.log_folder);
    return code;
}
