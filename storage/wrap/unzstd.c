/*
 * One item is decoded at a time, from the front: its ops wait in the order of their offsets, and
 * pieces of what is stored are read ahead of the decoder. No piece is with the inner backend while
 * no op waits, so that whoever waits for his ops has waited for everything.
 */
#include "base/arena.h"
#include "base/ticket.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/unzstd_frames.h"
#include "storage/wrap/wrap.h"

#include <string.h>

#define PIECES      4U
#define PIECE_BYTES ((size_t)512 << 10)

/* A block of a frame has at most 128 KiB and at least four bytes for them. */
#define RATIO_MAX 32768U

struct unzstd;
struct piece {
    struct blob_op op;
    struct unzstd *owner;
    struct ticket ticket;
    uint64_t offset; /* of the stored bytes */
    size_t used;     /* by the decoder */
    bool is_out;     /* the inner backend has it */
    bool is_full;
    bool is_stale; /* out for an item, or a position, that nobody wants any more */
};

struct unzstd {
    struct backend backend;
    struct pool *pool;
    struct frames *whole;          /* of items that are read in one go */
    struct frames *frames;         /* of the item that is read in parts */
    struct list waiting;           /* ops of that item */
    const struct blob_op *filling; /* the one that has some of its bytes */
    bool is_open;
    uint64_t item_id;
    char *name;
    struct blob_props props;
    uint64_t asked; /* stored bytes */
    uint64_t eaten;
    uint64_t made;   /* original bytes */
    bool is_checked; /* so were all pieces so far, on their way */
    enum blob_checked checked;
    struct err err; /* the item cannot be read any further */
    bool is_fresh;  /* an op came since the last poll */
    struct piece pieces[PIECES];
};

enum err_code
unzstd_check(const struct blob_props *props, const char *name, struct err *err)
{
    uint64_t size = props->original_bytes;
    uint64_t stored = props->size_bytes;
    if (stored / RATIO_MAX > size || size / RATIO_MAX > stored ||
        stored > size + size / 16 + 4096) {
        return err_set(err, ERR_DIGEST,
                       "'%s' cannot be what it says: %llu bytes, compressed to %llu", name,
                       (unsigned long long)size, (unsigned long long)stored);
    }
    return ERR_OK;
}

/* ---- items that are read in one go ---- */

/* From the op as its owner knows it to what the inner backend shall read, and back. */
static void
turn_to_stored(struct blob_op *op)
{
    op->buf = (char *)op->buf + op->props->original_bytes;
    op->len_bytes = (uint32_t)op->props->size_bytes;
}

static void
turn_to_original(struct blob_op *op)
{
    op->buf = (char *)op->buf - op->props->original_bytes;
    op->len_bytes = (uint32_t)op->props->original_bytes;
}

static void
on_whole(struct blob_op *op)
{
    struct blob_frame frame = blob_op_pop(op);
    struct unzstd *u = frame.wrapper;
    void *stored = op->buf;
    if (op->err.code == ERR_OK && op->is_zero) {
        memset(stored, 0, op->len_bytes);
        op->is_zero = false;
    }
    turn_to_original(op);
    if (op->err.code == ERR_OK) {
        enum err_code code = frames_decode(u->whole, stored, op->props->size_bytes, op->buf,
                                           op->len_bytes, &op->err);
        op->moved_bytes = code == ERR_OK ? op->len_bytes : 0;
        if (code != ERR_OK) {
            (void)err_wrap(&op->err, "'%s' cannot be decompressed", op->name);
        }
    }
    op->done(op);
}

static enum err_code
submit_whole(struct unzstd *u, struct blob_op *op, struct err *err)
{
    ASSERT(op->len_bytes == op->props->original_bytes);
    ASSERT(op->props->size_bytes <= UINT32_MAX);
    turn_to_stored(op);
    blob_op_push(op, &u->backend, on_whole);
    op->frames[op->frame_count - 1].wrapper = u;
    enum err_code code = backend_submit(u->backend.inner, op, err);
    if (code != ERR_OK) {
        (void)blob_op_pop(op);
        turn_to_original(op);
    }
    return code;
}

/* ---- items that are read in parts ---- */

static uint64_t
end_of(const struct blob_op *op)
{
    return op->offset_bytes + op->len_bytes;
}

static bool
has_piece_out(const struct unzstd *u)
{
    bool is_out = false;
    for (unsigned i = 0; i < PIECES; i++) {
        is_out = is_out || u->pieces[i].is_out;
    }
    return is_out;
}

static void
forget_pieces(struct unzstd *u)
{
    for (unsigned i = 0; i < PIECES; i++) {
        u->pieces[i].is_full = false;
        u->pieces[i].is_stale = u->pieces[i].is_out;
    }
}

static void
close_item(struct unzstd *u)
{
    forget_pieces(u);
    u->is_open = false;
    u->name = mem_give(u->name);
}

/* Begin with the first byte. */
static void
open_item(struct unzstd *u, const struct blob_op *op)
{
    close_item(u);
    frames_reset(u->frames);
    u->is_open = true;
    u->item_id = op->item_id;
    u->name = mem_text(op->name);
    u->props = *op->props;
    u->props.content_type = NULL;
    u->props.content_encoding = NULL;
    u->props.extra_metadata = NULL;
    u->props.extra_metadata_len = 0;
    u->asked = 0;
    u->eaten = 0;
    u->made = 0;
    u->is_checked = true;
    u->checked = BLOB_CHECKED_NO;
}

static void
on_piece(struct blob_op *op)
{
    struct piece *piece = CONTAINER_OF(op, struct piece, op);
    struct unzstd *u = piece->owner;
    piece->is_out = false;
    if (piece->is_stale) {
        piece->is_stale = false;
        return;
    }
    if (op->err.code != ERR_OK) {
        u->err = op->err;
        return;
    }
    if (op->is_zero) {
        memset(op->buf, 0, op->len_bytes);
    }
    piece->is_full = true;
}

/* Read ahead as far as there are pieces; how many were begun. */
static unsigned
ask(struct unzstd *u, const struct blob_op *for_op)
{
    unsigned begun = 0;
    struct err err = ERR_NONE;
    for (unsigned i = 0; i < PIECES && u->asked < u->props.size_bytes; i++) {
        struct piece *piece = &u->pieces[i];
        if (piece->is_out || piece->is_full) {
            continue;
        }
        piece->offset = u->asked;
        piece->used = 0;
        piece->op = (struct blob_op){
            .verb = BLOB_READ,
            .name = u->name,
            .item_id = u->item_id,
            .nonce = for_op->nonce,
            .offset_bytes = piece->offset,
            .len_bytes = (uint32_t)MIN_OF(u->props.size_bytes - piece->offset, PIECE_BYTES),
            .is_whole = true, /* nothing of it stays open below */
            .buf = piece->ticket.buf,
            .props = &u->props,
            .done = on_piece,
        };
        if (backend_submit(u->backend.inner, &piece->op, &err) != ERR_OK) {
            break; /* some completion tells when it has room */
        }
        piece->is_out = true;
        u->asked += piece->op.len_bytes;
        begun++;
    }
    return begun;
}

static struct piece *
next_piece(struct unzstd *u)
{
    for (unsigned i = 0; i < PIECES; i++) {
        struct piece *piece = &u->pieces[i];
        if (piece->is_full && piece->offset + piece->used == u->eaten) {
            return piece;
        }
    }
    return NULL;
}

static void
eat(struct unzstd *u, struct piece *piece, size_t len)
{
    piece->used += len;
    u->eaten += len;
    if (piece->used == piece->op.len_bytes) {
        piece->is_full = false;
        u->is_checked = u->is_checked && piece->op.checked != BLOB_CHECKED_NO;
        u->checked = piece->op.checked;
    }
}

/* Where the next bytes go: into the op, or, before its offset, to where they will be written over;
 * behind the item's last byte nothing may come. */
static void
aim(const struct unzstd *u, const struct blob_op *op, unsigned char *spare, struct frames_io *io)
{
    bool is_before = u->made < op->offset_bytes;
    uint64_t left = (is_before ? op->offset_bytes : end_of(op)) - u->made;
    io->out = is_before ? op->buf : (char *)op->buf + (u->made - op->offset_bytes);
    io->out_len = MIN_OF(left, op->len_bytes);
    if (left == 0) {
        io->out = spare;
        io->out_len = 1;
    }
}

static enum err_code
check_end(const struct unzstd *u, struct err *err)
{
    if (u->made > u->props.original_bytes) {
        return err_set(err, ERR_DIGEST, "its zstd frames hold more than its %llu bytes",
                       (unsigned long long)u->props.original_bytes);
    }
    if (u->made < u->props.original_bytes || !frames_are_whole(u->frames)) {
        return err_set(err, ERR_DIGEST, "its zstd frames end after %llu of %llu bytes",
                       (unsigned long long)u->made, (unsigned long long)u->props.original_bytes);
    }
    return ERR_OK;
}

/* Decode for op; *ret_is_done: it has all its bytes, and the item's last op the item's end too. */
static enum err_code
decode_for(struct unzstd *u, const struct blob_op *op, bool *ret_is_done, struct err *err)
{
    bool is_last = end_of(op) == u->props.original_bytes;
    while (u->made < end_of(op) || is_last) {
        unsigned char spare = 0;
        struct piece *piece = next_piece(u);
        bool is_over = u->eaten == u->props.size_bytes;
        struct frames_io io = {0};
        if (piece == NULL && !is_over) {
            return ERR_OK;
        }
        if (piece != NULL) {
            io.in = (const char *)piece->ticket.buf + piece->used;
            io.in_len = piece->op.len_bytes - piece->used;
        }
        aim(u, op, &spare, &io);
        enum err_code code = frames_add(u->frames, &io, err);
        if (code != ERR_OK) {
            return code;
        }
        u->made += io.out_at;
        if (piece != NULL) {
            eat(u, piece, io.in_at);
        }
        bool is_at_end = is_over && io.out_at == 0;
        if (is_at_end || u->made > u->props.original_bytes) {
            code = check_end(u, err);
            *ret_is_done = code == ERR_OK;
            return code;
        }
    }
    *ret_is_done = true;
    return ERR_OK;
}

static unsigned
fail_all(struct unzstd *u)
{
    struct list failed;
    unsigned ran = 0;
    list_init(&failed);
    while (!list_is_empty(&u->waiting)) {
        list_push(&failed, list_pop(&u->waiting));
    }
    struct err why = u->err;
    u->err = ERR_NONE;
    u->filling = NULL;
    close_item(u);
    while (!list_is_empty(&failed)) {
        struct blob_op *op = CONTAINER_OF(list_pop(&failed), struct blob_op, link);
        op->err = why;
        op->moved_bytes = 0;
        backend_complete(op);
        ran++;
    }
    return ran;
}

/* True if op may be given back: another one waits, or nothing is with the inner backend. */
static bool
may_complete(const struct unzstd *u)
{
    return u->waiting.next->next != &u->waiting || !has_piece_out(u);
}

/* True if the first op that waits has ended. */
static bool
serve(struct unzstd *u, unsigned *ran)
{
    struct blob_op *op = CONTAINER_OF(u->waiting.next, struct blob_op, link);
    bool is_done = false;
    if (op->moved_bytes == 0) {
        bool is_behind = op != u->filling && op->offset_bytes < u->made;
        if (!u->is_open || op->item_id != u->item_id || is_behind) {
            open_item(u, op);
        }
        u->filling = op;
        *ran += ask(u, op);
        if (decode_for(u, op, &is_done, &u->err) != ERR_OK) {
            (void)err_wrap(&u->err, "'%s' cannot be decompressed", u->name);
            return false;
        }
        op->moved_bytes = is_done ? op->len_bytes : 0;
        u->filling = is_done ? NULL : op;
        if (!is_done) {
            *ran += ask(u, op); /* pieces were used up: without one out nobody would wake us */
        }
        op->checked = is_done && u->is_checked ? u->checked : BLOB_CHECKED_NO;
    }
    if (op->moved_bytes == 0 || !may_complete(u)) {
        return false;
    }
    list_remove(&op->link);
    backend_complete(op);
    (*ran)++;
    return true;
}

static unsigned
unzstd_poll(struct backend *backend)
{
    struct unzstd *u = CONTAINER_OF(backend, struct unzstd, backend);
    unsigned ran = backend_poll(backend->inner);
    u->is_fresh = false;
    while (!list_is_empty(&u->waiting) && u->err.code == ERR_OK && serve(u, &ran)) {
    }
    if (u->err.code != ERR_OK && !has_piece_out(u)) {
        ran += fail_all(u);
    }
    return ran;
}

static enum err_code
submit_part(struct unzstd *u, struct blob_op *op, struct err *err)
{
    const struct blob_op *first =
        list_is_empty(&u->waiting) ? NULL : CONTAINER_OF(u->waiting.next, struct blob_op, link);
    if (first != NULL && first->item_id != op->item_id) {
        return err_set(err, ERR_BUSY, "another item is being decompressed");
    }
    struct list *before = &u->waiting;
    while (before->prev != &u->waiting &&
           CONTAINER_OF(before->prev, struct blob_op, link)->offset_bytes > op->offset_bytes) {
        before = before->prev;
    }
    op->moved_bytes = 0;
    list_push(before, &op->link);
    u->is_fresh = true;
    return ERR_OK;
}

static enum err_code
unzstd_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct unzstd *u = CONTAINER_OF(backend, struct unzstd, backend);
    bool is_read = op->verb == BLOB_READ && op->len_bytes > 0;
    if (op->verb == BLOB_DISCARD && list_is_empty(&u->waiting) && op->item_id == u->item_id) {
        close_item(u);
    }
    if (!is_read || op->props == NULL || !blob_is_packed(op->props)) {
        return backend_submit(backend->inner, op, err);
    }
    return op->is_whole ? submit_whole(u, op, err) : submit_part(u, op, err);
}

/* Whoever cancels one op of an item wants none of it. */
static void
unzstd_cancel(struct backend *backend, struct blob_op *op)
{
    struct unzstd *u = CONTAINER_OF(backend, struct unzstd, backend);
    bool is_waiting = false;
    for (struct list *at = u->waiting.next; at != &u->waiting; at = at->next) {
        is_waiting = is_waiting || CONTAINER_OF(at, struct blob_op, link) == op;
    }
    if (!is_waiting) {
        backend_cancel(backend->inner, op);
        return;
    }
    if (u->err.code == ERR_OK) {
        (void)err_set(&u->err, ERR_INTERRUPTED, "stopped while '%s' was decompressed", op->name);
    }
    for (unsigned i = 0; i < PIECES; i++) {
        if (u->pieces[i].is_out) {
            backend_cancel(backend->inner, &u->pieces[i].op);
        }
    }
}

static int64_t
unzstd_next_timer_ns(struct backend *backend)
{
    struct unzstd *u = CONTAINER_OF(backend, struct unzstd, backend);
    bool can_fail = u->err.code != ERR_OK && !has_piece_out(u);
    return u->is_fresh || can_fail ? 0 : backend_next_timer_ns(backend->inner);
}

static struct backend *
unzstd_free(struct backend *backend)
{
    struct unzstd *u = CONTAINER_OF(backend, struct unzstd, backend);
    ASSERT(list_is_empty(&u->waiting));
    ASSERT(!has_piece_out(u));
    backend_free(backend->inner);
    close_item(u);
    for (unsigned i = 0; i < PIECES; i++) {
        pool_give(u->pool, &u->pieces[i].ticket);
    }
    pool_free(u->pool);
    frames_free(u->whole);
    frames_free(u->frames);
    return mem_give(u);
}

static const struct backend_ops unzstd_ops = {
    .name = "unzstd",
    .submit = unzstd_submit,
    .cancel = unzstd_cancel,
    .poll = unzstd_poll,
    .next_timer_ns = unzstd_next_timer_ns,
    .free = unzstd_free,
};

enum err_code
unzstd_new(struct backend *inner, struct backend **ret_backend, struct err *err)
{
    struct pool *pool = NULL;
    enum err_code code = pool_new(PIECES * PIECE_BYTES, &pool, err);
    if (code != ERR_OK) {
        return code;
    }
    struct unzstd *u = mem_take(sizeof *u);
    u->backend = (struct backend){.ops = &unzstd_ops, .inner = inner};
    u->pool = pool;
    u->whole = frames_new();
    u->frames = frames_new();
    list_init(&u->waiting);
    for (unsigned i = 0; i < PIECES; i++) {
        u->pieces[i].owner = u;
        code = pool_take(pool, &u->pieces[i].ticket, PIECE_BYTES, NULL, err);
        ASSERT(code == ERR_OK);
    }
    *ret_backend = &u->backend;
    return ERR_OK;
}
