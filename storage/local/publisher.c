/*
 * Publishing in groups. One round: write and commit the index rows, sync (so that bytes and rows
 * are on disk before any name leads to them, whenever we are killed or the power fails), rename,
 * sync again (so that the names survive), answer. Two syncs serve everything that came meanwhile,
 * however many items that are; a commit needs none of its own, because the index of a store lies on
 * the file system that is synced.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "storage/local/address.h"
#include "storage/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GATHER_NS  (50 * NS_PER_MS)
#define GATHER_MAX 1024U

struct publisher {
    struct local_end *end;
    struct mailbox mailbox;
    struct mail stop;
    pthread_t thread;
    pthread_mutex_t answering; /* held while mailboxes of others are used */
    struct list waiting;
    unsigned count;
    int64_t first_ns;
    bool is_stopping;
    bool has_index;
    bool had_rows; /* before we wrote the first: a killed round may have left some without a file */
    struct index index;
    struct text stale;    /* rows to remove with the next ones: KEEP or REMOVE, key, etag */
    struct places places; /* below the end's root */
    struct places store;  /* below DIR, for by-id files */
    int store_root;
    struct text key;
    struct text file; /* below DIR, of a by-id name */
};

enum stale { STALE_KEEP = 'k', STALE_REMOVE = 'r' };

static void
fail(struct publish *publish, int sys, const char *words)
{
    (void)err_set_sys(&publish->op->err, err_from_target_errno(sys), sys, "%s '%s'", words,
                      publish->op->name);
}

/* ---- where it goes ---- */

static bool
is_unrepresentable(int sys)
{
    return sys == ENOTDIR || sys == EISDIR || sys == ENAMETOOLONG || sys == EINVAL ||
           sys == ENOTEMPTY || sys == ELOOP;
}

/* The folder it goes to, and its name there; negative errno. */
static int
open_parent(struct publisher *p, struct publish *publish, const char **ret_base)
{
    const char *name = publish->op->name;
    text_clear(&p->key);
    text_clear(&p->file);
    local_key(p->end, name, &p->key);
    if (!publish->is_by_id) {
        return places_parent(&p->places, name, true, ret_base);
    }
    local_by_id(text_str(&p->key), &p->file);
    return places_parent(&p->store, text_str(&p->file), true, ret_base);
}

/* What has the name already; EISDIR if it is nothing that a file may take the place of. */
static int
look_at_old(struct publish *publish, int folder, const char *base)
{
    struct stat st;
    publish->old_etag[0] = '\0';
    if (fstatat(folder, base, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (S_ISREG(st.st_mode)) {
        local_etag(&st, publish->old_etag);
        return 0;
    }
    return S_ISDIR(st.st_mode) || publish->op->cond == BLOB_COND_ABSENT ? EISDIR : 0;
}

static void
fail_for_name(struct publish *publish, int sys)
{
    const char *name = publish->op->name;
    struct err *err = &publish->op->err;
    if (sys == EISDIR) {
        (void)err_set(
            err, ERR_NAME_ILLEGAL,
            "'%s' cannot be stored: the target has a folder, or something else that is no "
            "file, of this name",
            name);
    } else if (sys == ENOTDIR || sys == ELOOP) {
        (void)err_set(err, ERR_NAME_ILLEGAL,
                      "'%s' cannot be stored: the target has something that is no folder where one "
                      "of its folders belongs",
                      name);
    } else {
        fail(publish, sys, "could not publish");
    }
}

/* ---- the row ---- */

static enum err_code
write_row(struct publisher *p, const struct publish *publish, const char *keep_etag,
          struct err *err)
{
    const struct blob_op *op = publish->op;
    const char *key = text_str(&p->key);
    bool may_have_others = p->had_rows || keep_etag[0] != '\0';
    enum err_code code = may_have_others ? index_keep(&p->index, key, keep_etag, err) : ERR_OK;
    return code == ERR_OK
               ? index_put(&p->index, key, text_str(&p->file), op->props, &publish->st, err)
               : code;
}

/* A file that is there already keeps its name and gets a row, if it has the bytes that the row is
 * about. */
static void
adopt(struct publisher *p, struct publish *publish)
{
    struct blob_op *op = publish->op;
    struct err err = ERR_NONE;
    char etag[BLOB_ETAG_BYTES] = "";
    publish->step = PUBLISH_ENDED;
    text_clear(&p->key);
    local_key(p->end, op->name, &p->key);
    if (local_find(p->end, &p->places, op->name, &publish->st, &p->file) == 0) {
        local_etag(&publish->st, etag);
    }
    op->is_same = p->has_index && etag[0] != '\0' && strcmp(etag, op->cond_etag) == 0 &&
                  (uint64_t)publish->st.st_size == op->props->size_bytes &&
                  local_has_crc64(p->end, &p->places, op->name, etag, op->props->crc64);
    if (op->is_same && write_row(p, publish, etag, &err) != ERR_OK) {
        op->err = err;
    }
}

/* Everything but the renaming: its folder is there and its row written. */
static void
place(struct publisher *p, struct publish *publish)
{
    bool is_store = p->end->store_dir != NULL;
    const char *base = NULL;
    if (publish->op->verb == BLOB_ADOPT) {
        adopt(p, publish);
        return;
    }
    if (fstatat(p->end->stage, publish->stage_name, &publish->st, AT_SYMLINK_NOFOLLOW) != 0) {
        fail(publish, errno, "the staged bytes are gone of");
        return;
    }
    publish->is_by_id = publish->is_by_id || !local_may_be_file(p->end, publish->op->name);
    int folder = open_parent(p, publish, &base);
    int sys = folder < 0 ? -folder : look_at_old(publish, folder, base);
    if (is_store && !publish->is_by_id && is_unrepresentable(sys)) {
        publish->is_by_id = true;
        folder = open_parent(p, publish, &base);
        sys = folder < 0 ? -folder : look_at_old(publish, folder, base);
    }
    if (sys != 0) {
        fail_for_name(publish, sys);
        return;
    }
    struct err err = ERR_NONE;
    if (p->has_index && write_row(p, publish, publish->old_etag, &err) != ERR_OK) {
        publish->op->err = err;
        return;
    }
    publish->step = PUBLISH_PLACED;
}

/* ---- the name ---- */

/* Is what is there now what the op allows to be replaced? */
static bool
may_replace(struct publish *publish, int folder, const char *base)
{
    const struct blob_op *op = publish->op;
    struct stat st;
    char etag[BLOB_ETAG_BYTES] = "";
    if (op->cond != BLOB_COND_ETAG) {
        return true;
    }
    if (fstatat(folder, base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        local_etag(&st, etag);
    }
    if (strcmp(etag, op->cond_etag) == 0) {
        return true;
    }
    (void)err_set(&publish->op->err, ERR_OTHER_WRITER, "another writer changed '%s' meanwhile",
                  op->name);
    return false;
}

static int
rename_into(const struct publisher *p, const struct publish *publish, int folder, const char *base)
{
    unsigned flags = publish->op->cond == BLOB_COND_ABSENT ? RENAME_NOREPLACE : 0;
    if (renameat2(p->end->stage, publish->stage_name, folder, base, flags) == 0) {
        return 0;
    }
    if (errno != EINVAL || flags == 0) {
        return errno;
    }
    /* File systems without RENAME_NOREPLACE: a link fails just so where something is. */
    if (linkat(p->end->stage, publish->stage_name, folder, base, 0) != 0) {
        return errno;
    }
    (void)unlinkat(p->end->stage, publish->stage_name, 0);
    return 0;
}

/* Once the new names are safe, rows of what they replaced are in nobody's way but the index's. */
static void
add_stale(struct publisher *p, enum stale kind, const struct publish *publish)
{
    char etag[BLOB_ETAG_BYTES];
    if (!p->has_index) {
        return;
    }
    local_etag(&publish->st, etag);
    text_add_char(&p->stale, (char)kind);
    text_add(&p->stale, text_str(&p->key), p->key.len + 1);
    text_add(&p->stale, etag, strlen(etag) + 1);
}

static void
name_it(struct publisher *p, struct publish *publish)
{
    const char *base = NULL;
    int folder = open_parent(p, publish, &base);
    int sys = folder < 0 ? -folder : 0;
    bool may = sys != 0 || may_replace(publish, folder, base);
    if (sys == 0 && may) {
        sys = rename_into(p, publish, folder, base);
    }
    if (sys == 0 && may) {
        publish->step = PUBLISH_ENDED;
        if (publish->old_etag[0] != '\0') {
            add_stale(p, STALE_KEEP, publish);
        }
        return;
    }
    if (sys == EEXIST && folder >= 0 && look_at_old(publish, folder, base) == EISDIR) {
        sys = EISDIR;
    }
    if (p->end->store_dir != NULL && !publish->is_by_id && is_unrepresentable(sys)) {
        publish->is_by_id = true; /* an item of the same round has made the name impossible */
        publish->step = PUBLISH_WAITS;
        return;
    }
    if (may) {
        fail_for_name(publish, sys);
    }
    add_stale(p, STALE_REMOVE, publish);
}

/* ---- rounds ---- */

static void
sync_all(struct publisher *p)
{
    struct err err = ERR_NONE;
    if (syncfs(p->end->stage) == 0) {
        return;
    }
    (void)err_set_sys(&err, err_from_target_errno(errno), errno, "could not sync '%s'",
                      p->end->path);
    for (struct list *at = p->waiting.next; at != &p->waiting; at = at->next) {
        CONTAINER_OF(at, struct publish, link)->op->err = err;
    }
}

static void
fail_all(struct publisher *p, const struct err *err)
{
    for (struct list *at = p->waiting.next; at != &p->waiting; at = at->next) {
        struct publish *publish = CONTAINER_OF(at, struct publish, link);
        if (publish->op->err.code == ERR_OK) {
            publish->op->err = *err;
        }
    }
}

static void
answer_all(struct publisher *p)
{
    struct mailbox *wake[16];
    unsigned wake_count = 0;
    while (!list_is_empty(&p->waiting)) {
        struct publish *publish = CONTAINER_OF(list_pop(&p->waiting), struct publish, link);
        struct mailbox *box = publish->wake;
        if (publish->op->err.code == ERR_OK) {
            local_etag(&publish->st, publish->op->etag);
        }
        mailbox_post(publish->answer, &publish->mail);
        bool is_known = box == NULL;
        for (unsigned i = 0; i < wake_count; i++) {
            is_known = is_known || wake[i] == box;
        }
        if (!is_known && wake_count < COUNT_OF(wake)) {
            wake[wake_count++] = box;
        } else if (!is_known) {
            mailbox_wake(box);
        }
    }
    for (unsigned i = 0; i < wake_count; i++) {
        mailbox_wake(wake[i]);
    }
    p->count = 0;
}

static enum err_code
drop_stale(struct publisher *p, struct err *err)
{
    enum err_code code = ERR_OK;
    const char *end = text_str(&p->stale) + p->stale.len;
    for (const char *at = text_str(&p->stale); at < end && code == ERR_OK;) {
        const char *key = at + 1;
        const char *etag = key + strlen(key) + 1;
        code = *at == STALE_KEEP ? index_keep(&p->index, key, etag, err)
                                 : index_remove(&p->index, key, etag, err);
        at = etag + strlen(etag) + 1;
    }
    text_clear(&p->stale);
    return code;
}

/* All that wait get their rows, in one transaction, together with what the last round left to do.
 */
static void
place_all(struct publisher *p)
{
    struct err err = ERR_NONE;
    enum err_code code = p->has_index ? index_begin(&p->index, &err) : ERR_OK;
    bool has_begun = code == ERR_OK;
    code = code == ERR_OK && p->has_index ? drop_stale(p, &err) : code;
    for (struct list *at = p->waiting.next; at != &p->waiting && code == ERR_OK; at = at->next) {
        struct publish *publish = CONTAINER_OF(at, struct publish, link);
        if (publish->op->err.code == ERR_OK && publish->step == PUBLISH_WAITS) {
            place(p, publish);
        }
    }
    if (p->has_index && has_begun) {
        struct err commit_err = ERR_NONE;
        if (index_commit(&p->index, &commit_err) != ERR_OK && code == ERR_OK) {
            err = commit_err;
            code = err.code;
        }
    }
    if (code != ERR_OK) {
        fail_all(p, &err);
    }
}

/* True: some have to be placed once more. */
static bool
name_all(struct publisher *p)
{
    bool has_more = false;
    for (struct list *at = p->waiting.next; at != &p->waiting; at = at->next) {
        struct publish *publish = CONTAINER_OF(at, struct publish, link);
        if (publish->op->err.code == ERR_OK && publish->step == PUBLISH_PLACED) {
            name_it(p, publish);
            has_more = has_more || publish->step == PUBLISH_WAITS;
        }
    }
    return has_more;
}

static void
run_round(struct publisher *p)
{
    bool has_more = true;
    while (has_more) {
        place_all(p);
        sync_all(p);
        has_more = name_all(p);
    }
    sync_all(p);
    (void)pthread_mutex_lock(&p->answering);
    answer_all(p);
    (void)pthread_mutex_unlock(&p->answering);
}

static enum err_code
drop_last(struct publisher *p, struct err *err)
{
    enum err_code code = p->stale.len > 0 ? index_begin(&p->index, err) : ERR_OK;
    if (code != ERR_OK || p->stale.len == 0) {
        return code;
    }
    code = drop_stale(p, err);
    return code == ERR_OK ? index_commit(&p->index, err) : code;
}

/* Nobody waits for this, and nothing is lost if it fails. */
static void
end_index(struct publisher *p)
{
    struct err err = ERR_NONE;
    if (drop_last(p, &err) != ERR_OK) {
        log_debug(LOG_STORE, "rows-left", LOG_ERR(&err));
    }
    index_close(&p->index);
}

static void
gather(struct publisher *p)
{
    struct mail *next = NULL;
    for (struct mail *mail = mailbox_take(&p->mailbox); mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == PUBLISH_STOP) {
            p->is_stopping = true;
            continue;
        }
        if (p->count == 0) {
            p->first_ns = clock_mono_ns(&clock_system);
        }
        list_push(&p->waiting, &CONTAINER_OF(mail, struct publish, mail)->link);
        p->count++;
    }
}

static void *
publisher_run(void *user)
{
    struct publisher *p = user;
    (void)pthread_setname_np(pthread_self(), "publisher");
    while (true) {
        gather(p);
        int64_t waited_ns = p->count == 0 ? 0 : clock_mono_ns(&clock_system) - p->first_ns;
        if (p->count > 0 && (p->is_stopping || p->count >= GATHER_MAX || waited_ns >= GATHER_NS)) {
            run_round(p);
        } else if (p->is_stopping) {
            return NULL;
        } else {
            mailbox_wait(&p->mailbox,
                         p->count == 0 ? -1 : (int)((GATHER_NS - waited_ns) / NS_PER_MS) + 1);
        }
    }
}

enum err_code
publisher_new(struct local_end *end, struct publisher **ret_publisher, struct err *err)
{
    struct publisher *p = mem_take(sizeof *p);
    p->end = end;
    p->store_root = -1;
    (void)pthread_mutex_init(&p->answering, NULL);
    list_init(&p->waiting);
    places_init(&p->places, end->root, false);
    enum err_code code = mailbox_init(&p->mailbox, err);
    if (end->store_dir != NULL) {
        p->store_root = open(end->store_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    places_init(&p->store, p->store_root, false);
    int failed = code == ERR_OK ? pthread_create(&p->thread, NULL, publisher_run, p) : 0;
    if (failed != 0) {
        code = err_set_sys(err, ERR_SYSTEM, failed, "could not start the publisher");
    }
    if (code != ERR_OK) {
        mailbox_done(&p->mailbox);
        fd_close(&p->store_root);
        mem_give(p);
        return code;
    }
    *ret_publisher = p;
    return ERR_OK;
}

enum err_code
publisher_use_index(struct publisher *p, const char *path, struct err *err)
{
    ASSERT(!p->has_index);
    enum err_code code = index_open(&p->index, path, err);
    p->has_index = code == ERR_OK;
    code = code == ERR_OK ? index_has_rows(&p->index, &p->had_rows, err) : code;
    return code;
}

struct publisher *
publisher_free(struct publisher *p)
{
    if (p == NULL) {
        return NULL;
    }
    p->stop.kind = PUBLISH_STOP;
    mailbox_post(&p->mailbox, &p->stop);
    (void)pthread_join(p->thread, NULL);
    places_done(&p->places);
    places_done(&p->store);
    if (p->has_index) {
        end_index(p);
    }
    fd_close(&p->store_root);
    mailbox_done(&p->mailbox);
    (void)pthread_mutex_destroy(&p->answering);
    text_done(&p->key);
    text_done(&p->file);
    text_done(&p->stale);
    return mem_give(p);
}

/* A lane may see its last answer before we have finished waking it. */
void
publisher_settle(struct publisher *p)
{
    if (p != NULL) {
        (void)pthread_mutex_lock(&p->answering);
        (void)pthread_mutex_unlock(&p->answering);
    }
}

void
publisher_post(struct publisher *p, struct publish *publish)
{
    publish->mail.kind = PUBLISH_ITEM;
    mailbox_post(&p->mailbox, &publish->mail);
}
