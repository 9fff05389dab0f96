#include "ingest/device/log_job.h"

#include "base/fd.h"
#include "ingest/copy/put_file.h"
#include "ingest/device/log_state.h"
#include "storage/local/places.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

/* Numbers beside UploadErrorCloudHttp are HTTP's, beside UploadErrorWin32 Windows'. */
#define NO_NUMBER 1U

static const struct log_failure {
    enum err_code code;
    enum finding_code category;
    uint32_t number;
} failures[] = {
    {ERR_MANIFEST, FINDING_UPLOAD_CRC, NO_NUMBER},
    {ERR_DIGEST, FINDING_UPLOAD_CRC, NO_NUMBER},
    {ERR_VERIFY_MISMATCH, FINDING_UPLOAD_CRC, NO_NUMBER},
    {ERR_VERIFY_MISSING, FINDING_UPLOAD_HTTP, 404},
    {ERR_NAME_ILLEGAL, FINDING_UPLOAD_HTTP, 400},
    {ERR_ITEM_TOO_LARGE, FINDING_UPLOAD_HTTP, 400},
    {ERR_ITEM_ALIGNMENT, FINDING_UPLOAD_HTTP, 400},
    {ERR_ITEM_REFUSED, FINDING_UPLOAD_HTTP, 409},
    {ERR_OTHER_WRITER, FINDING_UPLOAD_HTTP, 412},
    {ERR_ITEM_GONE, FINDING_UPLOAD_FILE_SYSTEM, 2},     /* ERROR_FILE_NOT_FOUND */
    {ERR_ITEM_ACCESS, FINDING_UPLOAD_FILE_SYSTEM, 5},   /* ERROR_ACCESS_DENIED */
    {ERR_ITEM_CHANGED, FINDING_UPLOAD_FILE_SYSTEM, 32}, /* ERROR_SHARING_VIOLATION */
    {ERR_ITEM_SPECIAL, FINDING_UPLOAD_FILE_SYSTEM, 50}, /* ERROR_NOT_SUPPORTED */
    {ERR_ITEM_IO, FINDING_UPLOAD_FILE_SYSTEM, 1117},    /* ERROR_IO_DEVICE */
};

enum err_code
log_job_new(const struct log_job_options *options, struct log_job **ret_job, struct err *err)
{
    struct log_job *job = mem_take(sizeof *job);
    job->options = options;
    job->place = (struct device_place){
        .rules = options->rules, .only_account = options->only_account, .root = -1};
    job->accounts = mem_take(options->account_count * sizeof *job->accounts);
    (void)pthread_mutex_init(&job->mutex, NULL);
    arena_init(&job->arena, 4096);
    log_file_init(&job->findings, options->copy->state);
    for (unsigned i = 0; i < options->account_count; i++) {
        job->accounts[i].name = options->accounts[i];
        log_file_init(&job->accounts[i].copy_log, options->copy->state);
        log_file_init(&job->accounts[i].verbose, options->copy->state);
    }
    enum err_code code = device_place_open(&job->place, options->copy->source, err);
    if (code != ERR_OK) {
        log_job_free(job);
        return code;
    }
    *ret_job = job;
    return ERR_OK;
}

struct log_job *
log_job_free(struct log_job *job)
{
    if (job == NULL) {
        return NULL;
    }
    for (unsigned i = 0; i < job->options->account_count; i++) {
        log_file_done(&job->accounts[i].copy_log);
        log_file_done(&job->accounts[i].verbose);
    }
    log_file_done(&job->findings);
    mem_give(job->accounts);
    arena_done(&job->arena);
    text_done(&job->path);
    device_place_close(&job->place);
    (void)pthread_mutex_destroy(&job->mutex);
    return mem_give(job);
}

void
log_job_finding(void *job_, const struct finding *finding)
{
    struct log_job *job = job_;
    const struct error_xml_entry entry = {.path = finding->path,
                                          .code = catalogue_row(finding->code)->wire};
    if (finding->path == NULL || finding->path[0] == '\0') {
        return; /* about the whole device; error.xml is a list of paths */
    }
    (void)pthread_mutex_lock(&job->mutex);
    error_xml_write(&job->findings.lines, &entry);
    log_file_flush(&job->findings);
    (void)pthread_mutex_unlock(&job->mutex);
}

struct log_account *
log_find_account(struct log_job *job, const char *name)
{
    for (unsigned i = 0; i < job->options->account_count; i++) {
        if (strcmp(job->accounts[i].name, name) == 0) {
            return &job->accounts[i];
        }
    }
    return &job->accounts[0];
}

void
log_count(struct log_account *account, const struct judgement *judgement)
{
    account->total++;
    if (judgement->finding_count == 0) {
        account->valid++;
    } else {
        account->validation[judgement->findings[0]]++;
    }
}

const char *
log_path(struct log_job *job, const struct judgement *judgement, const char *name)
{
    struct text *out = &job->path;
    const struct slice *container = &judgement->container_original;
    bool has_name = judgement->name_original[0] != '\0';
    text_clear(out);
    if (has_name && container->len > 0) {
        text_add(out, container->at, container->len);
        text_addf(out, "/%s", judgement->name_original);
    } else if (has_name && judgement->container[0] != '\0') {
        text_addf(out, "%s/%s", judgement->container, judgement->name_original);
    } else {
        text_add_str(out, judgement->manifest_path[0] == '\0' ? name : judgement->manifest_path);
    }
    return text_str(out);
}

enum share_kind
log_kind(const struct judgement *judgement)
{
    return judgement->share == SHARE_FILES      ? SHARE_FILES
           : judgement->type == BLOB_TYPE_PAGE  ? SHARE_PAGE
           : judgement->type == BLOB_TYPE_BLOCK ? SHARE_BLOCK
                                                : SHARE_NONE;
}

/* What the entry is now; the item says only how it ended. */
static void
judge_item(struct log_job *job, const struct item *item, struct judgement *ret)
{
    struct stat st = {0};
    struct entry entry = {.kind = ENTRY_FAILED, .name = item->name};
    AUTO_FD fd = places_open(job->place.root, item->name, O_PATH | O_NOFOLLOW | O_CLOEXEC,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        entry.kind = S_ISREG(st.st_mode) ? ENTRY_ITEM : ENTRY_SKIPPED;
        entry.props.size_bytes = (uint64_t)st.st_size;
        entry.props.mtime_ns = clock_from_timespec(&st.st_mtim);
    } else if (fd < 0 && item->err_code == ERR_ITEM_GONE) {
        entry.kind = ENTRY_ITEM;
        entry.props.size_bytes = item->size_bytes;
    }
    device_place_judge(&job->place, &entry, ret);
}

static struct log_failure
failure_of(const struct item *item, const struct judgement *judgement)
{
    bool has_finding = judgement->finding_count > 0;
    for (unsigned i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].code == item->err_code) {
            return failures[i];
        }
    }
    enum finding_code own = item->state == ITEM_SKIPPED ? FINDING_LEFT_OUT : FINDING_UPLOAD_UNKNOWN;
    bool is_by_rule = item->err_code == ERR_FINDING || item->err_code == ERR_LEFT_OUT;
    return (struct log_failure){
        .category = has_finding && is_by_rule ? judgement->findings[0] : own, .number = NO_NUMBER};
}

void
log_job_item(struct log_job *job, const struct item *item)
{
    struct judgement judgement;
    judge_item(job, item, &judgement);
    struct log_account *account = log_find_account(job, judgement.account);
    const struct log_failure failure = failure_of(item, &judgement);
    const struct copy_log_entry entry = {
        .path = log_path(job, &judgement, item->name),
        .kind = log_kind(&judgement),
        .category = catalogue_row(failure.category)->wire,
        .error_code = failure.number,
        .message = item->err_text,
    };
    log_count(account, &judgement);
    if (item->state == ITEM_FAILED) {
        account->errored++;
        account->copy[failure.category]++;
    }
    copy_log_write_entry(&account->copy_log.lines, &entry);
    log_file_flush(&account->copy_log);
}

enum err_code
log_job_store(struct log_job *job, const struct copy_ended *ended, struct err *err)
{
    const struct copy_options *copy = job->options->copy;
    struct errand errand;
    uint64_t stage_id = ended->stage_id;
    enum err_code code =
        errand_open(&errand, ended->target, copy->config, copy->clock, job->options->signal, err);
    if (code != ERR_OK) {
        return code;
    }
    for (const struct log_written *written = job->written; written != NULL && code == ERR_OK;
         written = written->next) {
        const struct put_file file = {.path = written->path,
                                      .name = written->name,
                                      .content_type = written->content_type,
                                      .nonce = ended->job,
                                      .stage_id = stage_id};
        stage_id++;
        code = put_file(&errand, &file, err);
    }
    errand_close(&errand);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "could not store the log");
}
