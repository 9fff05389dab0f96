/*
 * Publishing in groups. One round: sync (so that the bytes are on disk before any name leads to
 * them), rename, write the index rows, sync again (so that the names survive), answer. Two syncs
 * serve everything that came meanwhile, however many items that are.
 */
#include "base/clock.h"
#include "base/fd.h"
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
    struct index index;
    struct places places; /* below the end's root */
    struct places store;  /* below DIR, for by-id files */
    int store_root;
    struct text key;
};

static void
fail(struct publish *publish, int sys, const char *words)
{
    (void)err_set_sys(&publish->op->err, err_from_target_errno(sys), sys, "%s '%s'", words,
                      publish->op->name);
}

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

/* A name that no file can have lives under by-id/, named after its key's hash. */
static int
publish_by_id(struct publisher *p, struct publish *publish, struct text *file)
{
    uint8_t digest[XXH3_BYTES];
    char hex[2 * XXH3_BYTES + 1];
    const char *base = NULL;
    digest_xxh3(text_str(&p->key), p->key.len, digest);
    text_addf(file, ".sallyport/by-id/%s", hex_encode(digest, sizeof digest, hex));
    int folder = places_parent(&p->store, text_str(file), true, &base);
    if (folder < 0) {
        return -folder;
    }
    return may_replace(publish, folder, base) ? rename_into(p, publish, folder, base) : 0;
}

static bool
is_unrepresentable(int sys)
{
    return sys == ENOTDIR || sys == EISDIR || sys == ENAMETOOLONG || sys == EINVAL ||
           sys == ENOTEMPTY;
}

static void
publish_one(struct publisher *p, struct publish *publish)
{
    struct blob_op *op = publish->op;
    AUTO_TEXT file = TEXT_INIT;
    const char *base = NULL;
    text_clear(&p->key);
    local_key(p->end, op->name, &p->key);
    if (fstatat(p->end->stage, publish->stage_name, &publish->st, AT_SYMLINK_NOFOLLOW) != 0) {
        fail(publish, errno, "the staged bytes are gone of");
        return;
    }
    int folder = places_parent(&p->places, op->name, true, &base);
    int sys = folder < 0 ? -folder : 0;
    if (sys == 0) {
        if (!may_replace(publish, folder, base)) {
            return;
        }
        sys = rename_into(p, publish, folder, base);
    }
    struct stat st;
    if (sys == EEXIST && p->has_index && folder >= 0 &&
        fstatat(folder, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
        sys = EISDIR;
    }
    if (p->has_index && is_unrepresentable(sys)) {
        sys = publish_by_id(p, publish, &file);
    }
    if (sys != 0) {
        fail(publish, sys, "could not publish");
    }
    struct err err = ERR_NONE;
    if (op->err.code == ERR_OK && p->has_index &&
        index_put(&p->index, text_str(&p->key), text_str(&file), op->props, &publish->st, &err) !=
            ERR_OK) {
        op->err = err;
    }
}

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

static void
run_round(struct publisher *p)
{
    struct err err = ERR_NONE;
    sync_all(p);
    if (p->has_index && index_begin(&p->index, &err) != ERR_OK) {
        fail_all(p, &err);
    }
    for (struct list *at = p->waiting.next; at != &p->waiting; at = at->next) {
        struct publish *publish = CONTAINER_OF(at, struct publish, link);
        if (publish->op->err.code == ERR_OK) {
            publish_one(p, publish);
        }
    }
    if (p->has_index && err.code == ERR_OK && index_commit(&p->index, &err) != ERR_OK) {
        fail_all(p, &err);
    }
    sync_all(p);
    (void)pthread_mutex_lock(&p->answering);
    answer_all(p);
    (void)pthread_mutex_unlock(&p->answering);
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
    if (code == ERR_OK && end->index_path != NULL) {
        p->store_root = open(end->store_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        places_init(&p->store, p->store_root, false);
        code = index_open(&p->index, end->index_path, err);
        p->has_index = code == ERR_OK;
    }
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
    if (p->has_index) {
        places_done(&p->store);
        index_close(&p->index);
    }
    fd_close(&p->store_root);
    mailbox_done(&p->mailbox);
    (void)pthread_mutex_destroy(&p->answering);
    text_done(&p->key);
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
