/* The logs of a copy, read back by our own readers: whatever the names are, every item is told as
 * what became of it, and the sums are right. */
#include "base/arena.h"
#include "base/config.h"
#include "ingest/copy/plan.h"
#include "ingest/copy/verify.h"
#include "ingest/device/log_job.h"
#include "ingest/device/log_read.h"
#include "ingest/device/manifest.h"
#include "tests/support/folder.h"

#include <stdlib.h>

#define NAMES_MAX 800
#define JOB       "0123456789abcdef0123456789abcdef"
#define SHARE     "acct_BlockBlob/"

static struct folder folder;
static struct config config;
static struct err err;
static char *names[NAMES_MAX]; /* below the share, sorted */
static unsigned name_count;

static void
add_name(const void *bytes, size_t len)
{
    AUTO_TEXT name = TEXT_INIT;
    text_add_str(&name, "cont1/");
    text_add(&name, bytes, len);
    CHECK(name_count < NAMES_MAX);
    names[name_count++] = mem_text(text_str(&name));
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
make(void **state)
{
    static const char *const odd[] = {"a&b<c>\"d'e", "]]>",          "<!--",         "&#65;",
                                      " x ",         "\xed\xa0\x80", "\xef\xbf\xbe", "b\\s",
                                      "d./x",        "l/r/x",        "CON",          "\r\n"};
    uint64_t noise = 88172645463325252ULL;
    (void)state;
    folder_init(&folder);
    config_init(&config);
    CHECK_I64(mkdir(folder_join(&folder, "dev"), 0700), 0);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        add_name(odd[i], strlen(odd[i]));
    }
    for (int c = 1; c < 256; c++) {
        const char bytes[] = {'n', (char)c, 'm'};
        if (c != '/') {
            add_name(bytes, sizeof bytes);
        }
    }
    for (int i = 0; i < 300; i++) {
        char name[44];
        size_t len = 4 + noise % 40;
        for (size_t j = 0; j < len; j++) {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            name[j] = (char)(noise % 255 + 1);
            if (name[j] == '/') {
                name[j] = 'a';
            }
        }
        add_name(name, len);
    }
    qsort(names, name_count, sizeof names[0], compare_names);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    while (name_count > 0) {
        mem_give(names[--name_count]);
    }
    config_done(&config);
    folder_done(&folder);
    return 0;
}

/* What the judge makes of a name is what is to be in the logs. */
static const struct judge_rules rules = {.device = {.sku = SKU_DATABOX}};
static struct judge_rules with_limits;
static struct judge_scratch scratch;
static struct text judged;

static void
judge(const char *name, struct judgement *ret)
{
    text_clear(&judged); /* the judgement has pieces of it */
    text_addf(&judged, SHARE "%s", name);
    const struct judge_entry entry = {
        .path = text_str(&judged), .what = WHAT_FILE, .size_bytes = strlen(name)};
    judge_entry(&with_limits, &entry, &scratch, ret);
}

/* Every third has failed; the others are in the plan, in another order. */
static bool
has_failed(unsigned i)
{
    return i % 3 == 0;
}

static void
fill_plan(const char *path)
{
    struct plan plan = {0};
    AUTO_TEXT name = TEXT_INIT;
    CHECK_OK(plan_open(path, false, &plan, &err), &err);
    for (unsigned k = name_count; k > 0; k--) {
        unsigned i = k - 1;
        text_clear(&name);
        text_addf(&name, SHARE "%s", names[i]);
        const struct item item = {.name = text_str(&name),
                                  .size_bytes = strlen(names[i]),
                                  .crc64 = UINT64_MAX - i,
                                  .has_crc64 = true,
                                  .state = ITEM_COPIED,
                                  .type = BLOB_TYPE_BLOCK};
        if (!has_failed(i)) {
            CHECK_OK(plan_add_item(&plan, &item, &err), &err);
        }
    }
    CHECK_OK(plan_finish(&plan, &err), &err);
    plan_close(&plan);
}

static void
tell_failures(struct log_job *job)
{
    AUTO_TEXT name = TEXT_INIT;
    for (unsigned i = 0; i < name_count; i++) {
        text_clear(&name);
        text_addf(&name, SHARE "%s", names[i]);
        const struct item item = {.name = text_str(&name),
                                  .target = text_str(&name),
                                  .size_bytes = strlen(names[i]),
                                  .state = ITEM_FAILED,
                                  .err_code = i % 2 == 0 ? ERR_MANIFEST : ERR_ITEM_GONE,
                                  .err_text = names[i]};
        if (has_failed(i)) {
            log_job_item(job, &item);
            const struct finding finding = {.code = FINDING_SIZE_LIMIT, .path = item.name};
            log_job_finding(job, &finding);
        }
    }
}

struct seen {
    unsigned failed, renamed, files, errors;
    unsigned next_failed, next_renamed, next_file, next_error;
    uint64_t total, errored, validation, copy;
    unsigned summaries;
};

static void
see_entry(void *user, const struct copy_log_entry *entry)
{
    struct seen *seen = user;
    struct judgement judgement;
    bool is_renamed = strcmp(entry->category, "BlobRenamed") == 0;
    unsigned *next = is_renamed ? &seen->next_renamed : &seen->next_failed;
    for (;; (*next)++) {
        CHECK(*next < name_count);
        judge(names[*next], &judgement);
        if (has_failed(*next) != is_renamed && (!is_renamed || judgement.is_item_renamed)) {
            break;
        }
    }
    CHECK_TEXT(entry->path, names[*next]);
    CHECK_TEXT(entry->category, is_renamed       ? "BlobRenamed"
                                : *next % 2 == 0 ? "UploadErrorDataValidationError"
                                                 : "UploadErrorWin32");
    (*next)++;
    seen->failed += !is_renamed;
    seen->renamed += is_renamed;
}

static void
see_file(void *user, const struct verbose_log_entry *file)
{
    struct seen *seen = user;
    struct judgement judgement;
    AUTO_TEXT path = TEXT_INIT;
    seen->next_file += has_failed(seen->next_file);
    judge(names[seen->next_file], &judgement);
    text_addf(&path, "%s/%s", judgement.container, judgement.name);
    CHECK_TEXT(file->path, text_str(&path));
    CHECK_U64(file->size_bytes, strlen(names[seen->next_file]));
    CHECK_U64(file->crc64, UINT64_MAX - seen->next_file);
    seen->next_file++;
    seen->files++;
}

static void
see_error(void *user, const struct error_xml_entry *error)
{
    struct seen *seen = user;
    AUTO_TEXT path = TEXT_INIT;
    seen->next_error += has_failed(seen->next_error) ? 0 : 3 - seen->next_error % 3;
    text_addf(&path, SHARE "%s", names[seen->next_error++]);
    CHECK_TEXT(error->path, text_str(&path));
    CHECK_TEXT(error->code, "ERROR_BLOB_OR_FILE_SIZE_LIMIT");
    seen->errors++;
}

static void
see_summary(void *user, const struct copy_log_summary *summary)
{
    struct seen *seen = user;
    seen->total += summary->total;
    seen->errored += summary->errored;
    seen->validation += summary->valid;
    for (unsigned i = 0; i < summary->validation_count; i++) {
        seen->validation += summary->validation[i].count;
    }
    for (unsigned i = 0; i < summary->copy_count; i++) {
        seen->copy += summary->copy[i].count;
    }
    seen->summaries++;
}

static void
read_log(const char *name, struct seen *seen)
{
    const struct log_reader_events events = {.user = seen,
                                             .entry = see_entry,
                                             .summary = see_summary,
                                             .file = see_file,
                                             .error = see_error};
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/logs/%s", folder.path, name);
    int fd = open(text_str(&path), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_OK(log_read(fd, name, &events, &err), &err);
    CHECK_I64(close(fd), 0);
}

static void
read_list(void)
{
    struct manifest_reader *reader = NULL;
    struct manifest_entry entry;
    bool more = true;
    unsigned next = 0;
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/logs/acct/" CUSTODY_CONTAINER "/" JOB "/ser/acct_BlockBlob.txt",
              folder.path);
    int fd = open(text_str(&path), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_OK(manifest_reader_new(fd, "list", &reader, &err), &err);
    while (true) {
        CHECK_OK(manifest_read(reader, &entry, &more, &err), &err);
        if (!more) {
            break;
        }
        next += has_failed(next);
        CHECK_TEXT(entry.path, names[next]);
        CHECK_U64(entry.crc64, UINT64_MAX - next);
        next++;
    }
    CHECK(next + 1 >= name_count);
    manifest_reader_free(reader);
    CHECK_I64(close(fd), 0);
}

static void
write_logs(const char *device, const char *plan_path)
{
    static const char *const accounts[] = {"idle", "acct"};
    AUTO_TEXT logs = TEXT_INIT;
    struct log_job *job = NULL;
    struct verify_result verified = {0};
    const struct copy_options copy = {
        .source = device, .state = folder.path, .config = &config, .clock = &clock_system};
    const struct log_job_options options = {.copy = &copy,
                                            .rules = &with_limits,
                                            .manifest = MANIFEST_BUILD,
                                            .accounts = accounts,
                                            .account_count = 2,
                                            .order = "ord",
                                            .serial = "SER",
                                            .wants_verbose = true};
    const struct copy_ended ended = {.job = JOB, .plan_path = plan_path, .verified = &verified};
    CHECK_OK(log_job_new(&options, &job, &err), &err);
    tell_failures(job);
    text_addf(&logs, "%s/logs", folder.path);
    CHECK_OK(log_job_write(job, text_str(&logs), &ended, &err), &err);
    log_job_free(job);
}

static void
every_name_is_in_the_logs_as_what_became_of_it(void **state)
{
    struct seen seen = {0};
    struct judgement judgement;
    unsigned stored = 0;
    unsigned renamed = 0;
    (void)state;
    with_limits = rules;
    with_limits.limits = limits_of(SKU_DATABOX);
    with_limits.bad_names = BAD_NAMES_RENAME;
    char *plan_path = mem_text(folder_join(&folder, "plan.db"));
    char *device = mem_text(folder_join(&folder, "dev"));
    fill_plan(plan_path);
    write_logs(device, plan_path);
    for (unsigned i = 0; i < name_count; i++) {
        judge(names[i], &judgement);
        stored += !has_failed(i);
        renamed += !has_failed(i) && judgement.is_item_renamed;
    }
    CHECK(renamed > 100);
    read_log("acct/" LOG_CONTAINER "/ord_SER_CopyLog_" JOB ".xml", &seen);
    CHECK_U64(seen.failed, name_count - stored);
    CHECK_U64(seen.renamed, renamed);
    CHECK_U64(seen.total, name_count);
    CHECK_U64(seen.errored, name_count - stored);
    CHECK_U64(seen.validation, name_count);
    CHECK_U64(seen.copy, name_count - stored);
    read_log("acct/" LOG_CONTAINER "/ord_SER_VerboseLog_" JOB ".xml", &seen);
    CHECK_U64(seen.files, stored);
    read_log("error.xml", &seen);
    CHECK_U64(seen.errors, name_count - stored);
    read_log("idle/" LOG_CONTAINER "/ord_SER_CopyLog_" JOB ".xml", &seen);
    CHECK_U64(seen.summaries, 2);
    CHECK_U64(seen.total, name_count);
    read_list();
    judge_scratch_done(&scratch);
    text_done(&judged);
    mem_give(plan_path);
    mem_give(device);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_name_is_in_the_logs_as_what_became_of_it, make,
                                        unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
