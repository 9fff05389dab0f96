#include "base/fd.h"
#include "storage/local/local_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPS_AT_ONCE 64U

struct ops_block {
    struct list link;
    struct local_op ops[OPS_AT_ONCE];
};

struct local_op *
local_take_op(struct local_backend *b, struct blob_op *op)
{
    if (list_is_empty(&b->free_ops)) {
        struct ops_block *block = mem_take(sizeof *block);
        list_push(&b->all_ops, &block->link);
        for (unsigned i = 0; i < OPS_AT_ONCE; i++) {
            list_push(&b->free_ops, &block->ops[i].link);
        }
    }
    struct local_op *local = CONTAINER_OF(list_pop(&b->free_ops), struct local_op, link);
    *local = (struct local_op){.backend = b, .op = op, .fd = -1};
    return local;
}

void
local_end_op(struct local_op *local)
{
    list_push(&local->backend->ready, &local->link);
}

struct local_file *
local_find_file(struct local_backend *b, uint64_t item_id, bool is_target)
{
    for (struct list *at = b->files.next; at != &b->files; at = at->next) {
        struct local_file *file = CONTAINER_OF(at, struct local_file, link);
        if (file->item_id == item_id && file->is_target == is_target) {
            return file;
        }
    }
    return NULL;
}

void
local_close_file(struct local_file *file)
{
    list_remove(&file->link);
    fd_close(&file->fd);
    mem_give(file);
}

static bool
find_row(struct local_backend *b, const char *name, const char *etag, struct index_row *row)
{
    struct err err = ERR_NONE;
    bool is_found = false;
    AUTO_TEXT key = TEXT_INIT;
    if (b->end->index_path == NULL) {
        return false;
    }
    if (!b->has_index) {
        if (access(b->end->index_path, R_OK) != 0 ||
            index_open(&b->index, b->end->index_path, &err) != ERR_OK) {
            return false;
        }
        b->has_index = true;
    }
    local_key(b->end, name, &key);
    return index_find(&b->index, text_str(&key), etag, row, &is_found, &err) == ERR_OK && is_found;
}

static void
fill_found(struct local_backend *b, const struct blob_op *op, const struct stat *st)
{
    struct blob_props *props = op->ret_props;
    struct index_row row = {0};
    int64_t mtime_ns = clock_from_timespec(&st->st_mtim);
    if (find_row(b, op->name, op->etag, &row)) {
        *props = row.props;
    } else {
        *props = (struct blob_props){.size_bytes = (uint64_t)st->st_size,
                                     .original_bytes = (uint64_t)st->st_size,
                                     .mtime_ns = mtime_ns,
                                     .modified_ns = mtime_ns,
                                     .type = BLOB_TYPE_BLOCK,
                                     .is_bare = b->end->store_dir != NULL};
    }
    memcpy(props->etag, op->etag, sizeof props->etag);
    props->content_type = NULL;
    props->content_encoding = NULL;
    props->extra_metadata = NULL;
    props->extra_metadata_len = 0;
    index_row_done(&row);
}

static void
local_stat(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    AUTO_TEXT by_id = TEXT_INIT;
    struct stat st = {0};
    int result = local_find(b->end, &b->places, op->name, &st, &by_id);
    if (result != 0) {
        bool is_gone = result == -ENOENT || result == -ENOTDIR || result == -EINVAL ||
                       result == -ENAMETOOLONG || result == -ELOOP;
        (void)err_set_sys(&op->err, is_gone ? ERR_ITEM_GONE : ERR_ITEM_IO, -result,
                          "could not look at '%s'", op->name);
    } else {
        local_etag(&st, op->etag);
        if (op->ret_props != NULL) {
            fill_found(b, op, &st);
        }
    }
    local_end_op(local);
}

static void
local_remove(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    AUTO_TEXT by_id = TEXT_INIT;
    AUTO_TEXT path = TEXT_INIT;
    struct stat st = {0};
    const char *base = NULL;
    int result = local_find(b->end, &b->places, op->name, &st, &by_id);
    int folder = AT_FDCWD;
    if (result == 0 && by_id.len > 0) {
        text_addf(&path, "%s/%s", b->end->store_dir, text_str(&by_id));
        base = text_str(&path);
    } else if (result == 0) {
        folder = places_parent(&b->places, op->name, false, &base);
    }
    if (result == 0 && unlinkat(folder, base, 0) != 0) {
        result = -errno;
    }
    if (result != 0) {
        (void)err_set_sys(&op->err,
                          result == -ENOENT ? ERR_ITEM_GONE : err_from_target_errno(-result),
                          -result, "could not remove '%s'", op->name);
    }
    local_end_op(local);
}

static void
local_discard(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    bool is_target = b->end->options.role == END_TARGET;
    struct local_file *file = local_find_file(b, op->item_id, is_target);
    if (file != NULL && list_is_empty(&file->waiting) && !file->is_opening) {
        local_close_file(file);
    }
    if (is_target) {
        char name[LOCAL_STAGE_NAME_BYTES];
        local_stage_name(op->nonce, op->stage_id, name);
        (void)unlinkat(b->end->stage, name, 0);
        local_join_name(op->nonce, op->stage_id, name);
        (void)unlinkat(b->end->stage, name, 0);
    }
    local_end_op(local);
}

static enum err_code
local_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    static void (*const start[BLOB_VERB_COUNT])(struct local_op *) = {
        [BLOB_STAT] = local_stat,     [BLOB_READ] = local_read,       [BLOB_PUT] = local_put,
        [BLOB_WRITE] = local_write,   [BLOB_COMMIT] = local_commit,   [BLOB_BLOCKS] = local_blocks,
        [BLOB_REMOVE] = local_remove, [BLOB_DISCARD] = local_discard, [BLOB_ADOPT] = local_adopt,
    };
    struct local_backend *b = CONTAINER_OF(backend, struct local_backend, backend);
    (void)err;
    start[op->verb](local_take_op(b, op));
    return ERR_OK;
}

static unsigned
local_poll(struct backend *backend)
{
    struct local_backend *b = CONTAINER_OF(backend, struct local_backend, backend);
    unsigned ran = 0;
    struct mail *next = NULL;
    for (struct mail *mail = mailbox_take(&b->answers); mail != NULL; mail = next) {
        next = mail->next;
        struct publish *publish = CONTAINER_OF(mail, struct publish, mail);
        b->publishing--;
        local_end_op(CONTAINER_OF(publish, struct local_op, publish));
    }
    ran += local_join_poll(b);
    while (!list_is_empty(&b->ready)) {
        struct local_op *local = CONTAINER_OF(list_pop(&b->ready), struct local_op, link);
        struct blob_op *op = local->op;
        list_push_front(&b->free_ops, &local->link);
        backend_complete(op);
        ran++;
    }
    return ran;
}

static struct backend *
local_free(struct backend *backend)
{
    struct local_backend *b = CONTAINER_OF(backend, struct local_backend, backend);
    ASSERT(b->publishing == 0);
    ASSERT(list_is_empty(&b->joining));
    publisher_settle(b->end->publisher);
    while (!list_is_empty(&b->files)) {
        local_close_file(CONTAINER_OF(b->files.next, struct local_file, link));
    }
    while (!list_is_empty(&b->all_ops)) {
        mem_give(CONTAINER_OF(list_pop(&b->all_ops), struct ops_block, link));
    }
    places_done(&b->places);
    if (b->has_index) {
        index_close(&b->index);
    }
    mailbox_done(&b->answers);
    return mem_give(b);
}

/* Disk operations end by themselves; only joining frames takes long. */
static void
local_cancel(struct backend *backend, struct blob_op *op)
{
    (void)backend;
    op->is_cancelled = true;
}

static int64_t
local_next_timer_ns(struct backend *backend)
{
    const struct local_backend *b = CONTAINER_OF(backend, struct local_backend, backend);
    return list_is_empty(&b->joining) ? INT64_MAX : 0;
}

static const struct backend_ops local_ops = {
    .name = "local",
    .submit = local_submit,
    .cancel = local_cancel,
    .poll = local_poll,
    .next_timer_ns = local_next_timer_ns,
    .free = local_free,
};

enum err_code
local_backend_new(struct local_end *end, const struct lane_io *io, struct backend **ret_backend,
                  struct err *err)
{
    enum err_code code = local_open_root(end, err);
    if (code != ERR_OK) {
        return code;
    }
    struct local_backend *b = mem_take(sizeof *b);
    code = mailbox_init(&b->answers, err);
    if (code != ERR_OK) {
        mem_give(b);
        return code;
    }
    b->backend.ops = &local_ops;
    b->end = end;
    b->io = *io;
    list_init(&b->ready);
    list_init(&b->joining);
    list_init(&b->free_ops);
    list_init(&b->all_ops);
    list_init(&b->files);
    bool follows = end->options.role == END_SOURCE && end->options.links == END_LINKS_FOLLOW;
    places_init(&b->places, end->root, follows);
    *ret_backend = &b->backend;
    return ERR_OK;
}
