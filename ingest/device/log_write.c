/* The logs of a copy that has ended: one pass over its plan, sorted by path. */
#include "base/fd.h"
#include "ingest/copy/plan.h"
#include "ingest/copy/verify.h"
#include "ingest/device/layout.h"
#include "ingest/device/log_state.h"
#include "ingest/device/manifest.h"
#include "ingest/device/manifest_build.h"
#include "ingest/device/rename.h"
#include "storage/local/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XML_TYPE  "application/xml"
#define TEXT_TYPE "text/plain"
#define NODES_MAX 64U /* of a Heavy: folders in its folder of lists */
#define DEPTH_MAX 16U /* of a folder of logs */

struct writing {
    struct log_job *job;
    const char *folder;
    const struct copy_ended *ended;
    struct log_account *account;
    /* The share at hand, and its list of files if one is made. */
    struct text share;
    struct text share_account;
    enum share_kind share_kind;
    struct log_file list;
    struct text container; /* the last one that was told as renamed, with its folder above */
};

static bool
builds_list(const struct log_job *job, const char *share)
{
    const struct log_job_options *options = job->options;
    return options->manifest == MANIFEST_BUILD ||
           (options->manifest == MANIFEST_REQUIRE &&
            fix_plan_has(options->rules->plan, FIX_BUILD, share, FINDING_NONE));
}

/* Publish it and remember it for its account. */
static enum err_code
publish(struct log_job *job, struct log_file *file, const char *folder, const char *name,
        struct err *err)
{
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/%s", folder, name);
    enum err_code code = log_file_publish(file, text_str(&path), err);
    if (code == ERR_OK) {
        struct log_written *written = arena_take(&job->arena, sizeof *written);
        size_t len = strlen(name);
        bool is_xml = len > 4 && strcmp(name + len - 4, ".xml") == 0;
        *written = (struct log_written){.next = job->written,
                                        .path = arena_text(&job->arena, text_str(&path)),
                                        .name = arena_text(&job->arena, name),
                                        .content_type = is_xml ? XML_TYPE : TEXT_TYPE};
        job->written = written;
    }
    return code;
}

/* ---- lists of files ---- */

/* ACCOUNT/azuredatabox-chainofcustodylogs/GUID/serial/FILE */
static void
name_list(const struct writing *w, const char *file, struct text *out)
{
    const char *serial = w->job->options->serial;
    AUTO_TEXT lower = TEXT_INIT;
    text_clear(out);
    text_addf(out, "%s/" CUSTODY_CONTAINER "/%s/", text_str(&w->share_account), w->ended->job);
    rename_lower((struct slice){serial, strlen(serial)}, &lower);
    text_addf(out, "%s/%s", text_str(&lower), file);
}

static enum err_code
interrupted(const struct writing *w, struct err *err)
{
    const atomic_int *signal = w->job->options->signal;
    return signal != NULL && atomic_load(signal) != 0
               ? err_set(err, ERR_INTERRUPTED, "interrupted while the logs were written")
               : ERR_OK;
}

/* The device's own list, byte for byte as it is. Not there, or no file: nothing. */
static enum err_code
keep_list(struct writing *w, const char *file, struct err *err)
{
    char bytes[65536];
    struct stat st = {0};
    struct log_file list;
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT name = TEXT_INIT;
    text_addf(&path, MANIFEST_FOLDER "/%s", file);
    AUTO_FD fd = places_open(w->job->place.root, text_str(&path),
                             O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return ERR_OK;
    }
    log_file_init(&list, w->job->options->copy->state);
    enum err_code code = ERR_OK;
    uint64_t left = (uint64_t)st.st_size;
    while (left > 0 && code == ERR_OK && list.err.code == ERR_OK) {
        ssize_t got = read(fd, bytes, MIN_OF(left, sizeof bytes));
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            code = err_set_sys(err, err_from_source_errno(errno), errno, "could not read '%s'",
                               text_str(&path));
        } else if (got > 0) {
            text_add(&list.lines, bytes, (size_t)got);
            log_file_flush(&list);
            left -= (uint64_t)got;
        }
        code = code == ERR_OK ? interrupted(w, err) : code;
    }
    name_list(w, file, &name);
    code = code == ERR_OK ? publish(w->job, &list, w->folder, text_str(&name), err) : code;
    log_file_done(&list);
    return code;
}

/* In BOM itself, and in its folder for each node of a Heavy. */
static enum err_code
keep_lists(struct writing *w, const char *file, struct err *err)
{
    enum err_code code = keep_list(w, file, err);
    AUTO_TEXT inner = TEXT_INIT;
    int fd = openat(w->job->place.root, MANIFEST_FOLDER,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;
    unsigned nodes = 0;
    while (code == ERR_OK && dir != NULL && nodes < NODES_MAX &&
           (entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): a DIR of our own
        bool is_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
        if (is_folder && entry->d_name[0] != '.') {
            nodes++;
            text_clear(&inner);
            text_addf(&inner, "%s/%s", entry->d_name, file);
            code = keep_list(w, text_str(&inner), err);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    } else {
        fd_close(&fd);
    }
    return code;
}

static enum err_code
end_share(struct writing *w, struct err *err)
{
    AUTO_TEXT file = TEXT_INIT;
    AUTO_TEXT name = TEXT_INIT;
    enum err_code code = ERR_OK;
    if (w->share.len == 0 || w->job->options->manifest == MANIFEST_IGNORE) {
        text_clear(&w->share);
        return ERR_OK;
    }
    manifest_file_name(text_str(&w->share), w->share_kind, &file);
    if (builds_list(w->job, text_str(&w->share))) {
        name_list(w, text_str(&file), &name);
        code = publish(w->job, &w->list, w->folder, text_str(&name), err);
        log_file_done(&w->list);
        log_file_init(&w->list, w->job->options->copy->state);
    } else {
        code = keep_lists(w, text_str(&file), err);
    }
    text_clear(&w->share);
    return code;
}

/* Rows come sorted, so a share's lie together. What lies in none is in no list. */
static enum err_code
take_share(struct writing *w, const struct judgement *judgement, struct err *err)
{
    const struct slice *share = &judgement->share_name;
    const char *only = w->job->options->only_account;
    struct place place;
    if (share->len == w->share.len && memcmp(share->at, text_str(&w->share), share->len) == 0) {
        return ERR_OK;
    }
    enum err_code code = end_share(w, err);
    if (code != ERR_OK || share->len == 0) {
        return code;
    }
    text_add(&w->share, share->at, share->len);
    layout_place(&w->job->options->rules->device, text_str(&w->share), WHAT_FOLDER, &place);
    w->share_kind = place.kind;
    text_clear(&w->share_account);
    if (only != NULL) {
        text_add_str(&w->share_account, only);
    } else {
        text_add(&w->share_account, place.account.at, place.account.len);
    }
    return ERR_OK;
}

static void
add_to_list(struct writing *w, const struct judgement *judgement, const struct item *item)
{
    if (w->share.len > 0 && builds_list(w->job, text_str(&w->share))) {
        manifest_write_line(&w->list.lines, judgement->manifest_path,
                            strlen(judgement->manifest_path), item->size_bytes,
                            item->has_crc64 ? item->crc64 : 0);
        log_file_flush(&w->list);
    }
}

/* ---- what became of an item ---- */

static void
tell(struct writing *w, const struct copy_log_entry *entry)
{
    copy_log_write_entry(&w->account->copy_log.lines, entry);
    log_file_flush(&w->account->copy_log);
}

static bool
has_finding(const struct judgement *judgement, enum finding_code code)
{
    for (unsigned i = 0; i < judgement->finding_count; i++) {
        if (judgement->findings[i] == code) {
            return true;
        }
    }
    return false;
}

static bool
is_of_container(enum finding_code code)
{
    return code == FINDING_CONTAINER_LENGTH || code == FINDING_CONTAINER_CHARACTERS ||
           code == FINDING_CONTAINER_DASH || code == FINDING_CONTAINER_UPPER_CASE;
}

/* Why a name was changed: what was found about it. */
static const char *
reason_of(const struct judgement *judgement, bool is_container)
{
    for (unsigned i = 0; i < judgement->finding_count; i++) {
        const struct catalogue_row *row = catalogue_row(judgement->findings[i]);
        if (row->fix == FIX_RENAME && is_of_container(judgement->findings[i]) == is_container) {
            return row->sentence;
        }
    }
    return "the plan says so";
}

static void
tell_renamed(struct writing *w, const struct judgement *judgement, const char *from, const char *to,
             enum finding_code category)
{
    bool is_container = category == FINDING_CONTAINER_RENAMED || category == FINDING_SHARE_RENAMED;
    AUTO_TEXT message = TEXT_INIT;
    text_addf(&message, "The original name has been renamed to: %s :from: %s :because %s", to, from,
              reason_of(judgement, is_container));
    tell(w, &(struct copy_log_entry){.path = from,
                                     .kind = log_kind(judgement),
                                     .category = catalogue_row(category)->wire,
                                     .error_code = 1,
                                     .message = text_str(&message),
                                     .is_container = is_container});
}

/* Once for a container, whose rows lie together. */
static void
tell_container(struct writing *w, const struct judgement *judgement)
{
    AUTO_TEXT key = TEXT_INIT;
    AUTO_TEXT from = TEXT_INIT;
    const struct slice *original = &judgement->container_original;
    text_addf(&key, "%s/%s/", text_str(&w->share), judgement->container);
    text_add(&key, original->at, original->len);
    if (!judgement->is_container_renamed || original->len == 0 ||
        strcmp(text_str(&key), text_str(&w->container)) == 0) {
        return;
    }
    text_clear(&w->container);
    text_add_str(&w->container, text_str(&key));
    text_add(&from, original->at, original->len);
    tell_renamed(w, judgement, text_str(&from), judgement->container,
                 judgement->share == SHARE_FILES ? FINDING_SHARE_RENAMED
                                                 : FINDING_CONTAINER_RENAMED);
}

static enum finding_code
moved_as(const struct judgement *judgement)
{
    if (has_finding(judgement, FINDING_NOT_IN_FILE_SHARE)) {
        return FINDING_MOVED_TO_SHARE;
    }
    if (has_finding(judgement, FINDING_PAGE_AS_BLOCK)) {
        return FINDING_PAGE_AS_BLOCK;
    }
    if (judgement->share == SHARE_DISKS && !judgement->is_disk) {
        return judgement->type == BLOB_TYPE_PAGE ? FINDING_DISK_AS_PAGE : FINDING_DISK_AS_BLOCK;
    }
    return FINDING_NONE;
}

static void
tell_item(struct writing *w, const struct judgement *judgement, const struct item *item)
{
    enum finding_code moved = moved_as(judgement);
    const char *path = log_path(w->job, judgement, item->name);
    if (judgement->is_item_renamed) {
        tell_renamed(w, judgement, path, judgement->name,
                     judgement->share == SHARE_FILES ? FINDING_FILE_RENAMED
                     : judgement->is_disk            ? FINDING_DISK_RENAMED
                                                     : FINDING_BLOB_RENAMED);
    }
    if (moved != FINDING_NONE) {
        tell(w, &(struct copy_log_entry){.path = path,
                                         .kind = log_kind(judgement),
                                         .category = catalogue_row(moved)->wire,
                                         .error_code = 1,
                                         .message = catalogue_row(moved)->sentence});
    }
}

static void
tell_verbose(struct writing *w, const struct judgement *judgement, const struct item *item)
{
    AUTO_TEXT path = TEXT_INIT;
    if (!w->job->options->wants_verbose) {
        return;
    }
    text_addf(&path, "%s/%s", judgement->container, judgement->name);
    verbose_log_write(&w->account->verbose.lines,
                      &(struct verbose_log_entry){.path = text_str(&path),
                                                  .kind = log_kind(judgement),
                                                  .size_bytes = item->size_bytes,
                                                  .crc64 = item->has_crc64 ? item->crc64 : 0});
    log_file_flush(&w->account->verbose);
}

/* One item that is stored. What verifying missed has been told as failed. */
static enum err_code
add_row(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct writing *w = user;
    struct judgement judgement;
    const struct verify_result *verified = w->ended->verified;
    enum err_code code = interrupted(w, err);
    if (code != ERR_OK || verify_is_wrong(verified, row)) {
        return code;
    }
    const struct entry entry = {
        .kind = ENTRY_ITEM,
        .name = item->name,
        .props = {.size_bytes = item->size_bytes, .mtime_ns = item->mtime_ns}};
    device_place_judge(&w->job->place, &entry, &judgement);
    code = take_share(w, &judgement, err);
    w->account = log_find_account(w->job, judgement.account);
    log_count(w->account, &judgement);
    tell_container(w, &judgement);
    tell_item(w, &judgement, item);
    tell_verbose(w, &judgement, item);
    add_to_list(w, &judgement, item);
    return code;
}

/* ---- the end of each log ---- */

static unsigned
list_counts(const uint64_t counts[FINDING_COUNT], struct copy_log_count out[FINDING_COUNT])
{
    unsigned count = 0;
    for (unsigned code = FINDING_NONE + 1; code < FINDING_COUNT; code++) {
        const struct catalogue_row *row = catalogue_row((enum finding_code)code);
        if (counts[code] > 0) {
            out[count] = (struct copy_log_count){
                .category = row->wire, .count = counts[code], .description = row->sentence};
            count++;
        }
    }
    return count;
}

static void
write_summary(struct log_job *job, struct log_account *account)
{
    struct copy_log_count validation[FINDING_COUNT];
    struct copy_log_count copy[FINDING_COUNT];
    struct copy_log_summary summary = {
        .drive_id = job->options->serial,
        .is_failed = account->errored > 0,
        .total = account->total,
        .errored = account->errored,
        .valid = account->valid,
        .validation = validation,
        .validation_count = list_counts(account->validation, validation),
        .copy = copy,
        .copy_count = list_counts(account->copy, copy),
    };
    copy_log_write_summary(&account->copy_log.lines, &summary);
}

static enum err_code
end_account(struct writing *w, struct log_account *account, struct err *err)
{
    const struct log_job_options *options = w->job->options;
    AUTO_TEXT name = TEXT_INIT;
    write_summary(w->job, account);
    text_addf(&name, "%s/" LOG_CONTAINER "/", account->name);
    copy_log_name(options->order, options->serial, w->ended->job, &name);
    enum err_code code = publish(w->job, &account->copy_log, w->folder, text_str(&name), err);
    if (code == ERR_OK && options->wants_verbose) {
        text_clear(&name);
        text_addf(&name, "%s/" LOG_CONTAINER "/", account->name);
        verbose_log_name(options->order, options->serial, w->ended->job, &name);
        code = publish(w->job, &account->verbose, w->folder, text_str(&name), err);
    }
    return code;
}

/* An entry of a folder and all that is in it; 0 or errno. */
static int
remove_all(int folder, const char *name, unsigned depth)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    int fd = errno == EISDIR && depth > 0
                 ? openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int sys = errno;
        fd_close(&fd);
        return sys;
    }
    int sys = 0;
    const struct dirent *entry = NULL;
    while (sys == 0 && (entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): our own
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            sys = remove_all(fd, entry->d_name, depth - 1);
        }
    }
    (void)closedir(dir);
    return sys != 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0 ? sys : errno;
}

/* Logs of an earlier job of the same copy would be taken for this one's. */
static enum err_code
clear_folder(const char *folder, struct err *err)
{
    int sys = remove_all(AT_FDCWD, folder, DEPTH_MAX);
    return sys == 0
               ? ERR_OK
               : err_set_sys(err, ERR_CONFIG, sys, "cannot clear the folder of logs '%s'", folder);
}

enum err_code
log_job_write_findings(struct log_job *job, const char *folder, struct err *err)
{
    AUTO_TEXT path = TEXT_INIT;
    enum err_code code = clear_folder(folder, err);
    text_addf(&path, "%s/error.xml", folder);
    return code == ERR_OK && !log_file_is_empty(&job->findings)
               ? log_file_publish(&job->findings, text_str(&path), err)
               : code;
}

enum err_code
log_job_write(struct log_job *job, const char *folder, const struct copy_ended *ended,
              struct err *err)
{
    struct writing w = {.job = job, .folder = folder, .ended = ended};
    AUTO_TEXT scratch = TEXT_INIT;
    enum err_code code = log_job_write_findings(job, folder, err);
    text_addf(&scratch, "%s.sorted", ended->plan_path);
    log_file_init(&w.list, job->options->copy->state);
    code = code == ERR_OK
               ? plan_each_by_name(ended->plan_path, text_str(&scratch), add_row, &w, err)
               : code;
    code = code == ERR_OK ? end_share(&w, err) : code;
    for (unsigned i = 0; i < job->options->account_count && code == ERR_OK; i++) {
        code = end_account(&w, &job->accounts[i], err);
    }
    log_file_done(&w.list);
    text_done(&w.share);
    text_done(&w.share_account);
    text_done(&w.container);
    return code;
}
