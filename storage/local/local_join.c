/*
 * Frames come out of order and nobody knows where in the file they belong before all have come, so
 * each is staged in a slot of its own. When all are there they are put one behind the other into a
 * second file, a little in each poll, so that the lane can do other things and an interrupt is
 * heard; that file is published, and the slots go with the item's DISCARD.
 */
#include "base/fd.h"
#include "storage/local/local_io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define POLL_BYTES ((uint64_t)8 << 20)
#define COPY_BYTES 65536U

void
local_join_begin(struct local_op *local)
{
    char name[LOCAL_STAGE_NAME_BYTES];
    local_join_name(local->op->nonce, local->op->stage_id, name);
    local->join = (struct local_join){.to = local_open_staged(local, name, O_TRUNC)};
    if (local->join.to < 0) {
        local_write_failed(local, errno, "could not stage");
        local_end_op(local);
        return;
    }
    list_push(&local->backend->joining, &local->link);
}

/* Where the kernel does not copy between these files. */
static ssize_t
copy_by_hand(int from, off_t at, int to, size_t len)
{
    char bytes[COPY_BYTES];
    ssize_t got = pread(from, bytes, MIN_OF(len, sizeof bytes), at);
    return got <= 0 ? got : write(to, bytes, (size_t)got);
}

static ssize_t
copy_some(int from, off_t at, int to, size_t len)
{
    off_t from_at = at;
    ssize_t moved = copy_file_range(from, &from_at, to, NULL, len, 0);
    bool is_refused =
        moved < 0 && (errno == EXDEV || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL);
    return is_refused ? copy_by_hand(from, at, to, len) : moved;
}

static void
end_join(struct local_op *local)
{
    list_remove(&local->link);
    if (local->op->err.code == ERR_OK) {
        char name[LOCAL_STAGE_NAME_BYTES];
        local_join_name(local->op->nonce, local->op->stage_id, name);
        local_publish(local, local->join.to, name);
    } else {
        local_end_op(local);
    }
    fd_close(&local->join.to);
}

/* One piece; false: it has ended, well or not. */
static bool
step(struct local_op *local, uint64_t *ret_moved)
{
    const struct blob_op *op = local->op;
    struct local_join *join = &local->join;
    if (op->is_cancelled) {
        (void)err_set(&local->op->err, ERR_INTERRUPTED, "stopped while the frames were joined");
        return false;
    }
    if (join->index == op->block_count) {
        return false;
    }
    const struct local_file *file = local_stage(local);
    if (file == NULL) {
        return false;
    }
    uint64_t left = op->block_lens[join->index] - join->done_bytes;
    off_t at = (off_t)(join->index * blob_slot_bytes(op->block_bytes) + join->done_bytes);
    ssize_t moved = copy_some(file->fd, at, join->to, MIN_OF(left, POLL_BYTES));
    if (moved < 0) {
        local_write_failed(local, errno, "could not join the frames of");
        return false;
    }
    if (moved == 0) {
        (void)err_set(&local->op->err, ERR_ITEM_REFUSED, "block %u of '%s' is not there",
                      join->index, op->name);
        return false;
    }
    *ret_moved += (uint64_t)moved;
    join->done_bytes += (uint64_t)moved;
    if (join->done_bytes == op->block_lens[join->index]) {
        join->done_bytes = 0;
        join->index++;
    }
    return true;
}

unsigned
local_join_poll(struct local_backend *b)
{
    unsigned ran = 0;
    struct list *next = NULL;
    for (struct list *at = b->joining.next; at != &b->joining; at = next) {
        struct local_op *local = CONTAINER_OF(at, struct local_op, link);
        uint64_t moved = 0;
        next = at->next;
        while (moved < POLL_BYTES) {
            if (!step(local, &moved)) {
                end_join(local);
                break;
            }
        }
        if (b->io.moved != NULL) {
            atomic_fetch_add_explicit(b->io.moved, moved, memory_order_relaxed);
        }
        ran++;
    }
    return ran;
}
