#include "base/fd.h"
#include "storage/local/local_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES_MAX 3000U

static void
fail(struct local_op *local, int sys, const char *words)
{
    (void)err_set_sys(&local->op->err, err_from_source_errno(sys), sys, "%s '%s'", words,
                      local->op->name);
}

static void
end_read(struct local_op *local)
{
    if (local->file == NULL) {
        fd_close(&local->fd);
    }
    local_end_op(local);
}

/* Same size and time as listed, still a regular file: the item has not changed under us. */
static bool
is_as_listed(struct local_op *local)
{
    const struct blob_props *props = local->op->props;
    struct stat st;
    if (fstat(local->fd, &st) != 0) {
        fail(local, errno, "could not look at");
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        (void)err_set(&local->op->err, ERR_ITEM_SPECIAL, "'%s' is no regular file any more",
                      local->op->name);
        return false;
    }
    /* A store's file has the time of storing; whether it was changed its item's checksum tells. */
    bool has_same_time = props == NULL || local->backend->end->store_dir != NULL ||
                         clock_from_timespec(&st.st_mtim) == props->mtime_ns;
    if (props != NULL && (uint64_t)st.st_size != props->size_bytes) {
        (void)err_set(&local->op->err, ERR_ITEM_CHANGED,
                      "'%s' changed: it was listed with %llu bytes and has %llu now",
                      local->op->name, (unsigned long long)props->size_bytes,
                      (unsigned long long)st.st_size);
    } else if (!has_same_time) {
        char listed[CLOCK_TEXT_BYTES];
        char found[CLOCK_TEXT_BYTES];
        (void)err_set(&local->op->err, ERR_ITEM_CHANGED,
                      "'%s' changed: it was listed as modified at %s and was modified at %s",
                      local->op->name, clock_format_ns(props->mtime_ns, listed),
                      clock_format_ns(clock_from_timespec(&st.st_mtim), found));
    }
    return local->op->err.code == ERR_OK;
}

static void read_more(struct local_op *local);

static void
on_read(struct disk_op *disk)
{
    struct local_op *local = CONTAINER_OF(disk, struct local_op, disk);
    if (disk->result < 0) {
        fail(local, -disk->result, "could not read");
        end_read(local);
        return;
    }
    local->done_bytes += (uint32_t)disk->result;
    if (disk->result == 0) {
        (void)err_set(&local->op->err, ERR_ITEM_CHANGED, "'%s' ended after %llu bytes",
                      local->op->name,
                      (unsigned long long)(local->op->offset_bytes + local->done_bytes));
        end_read(local);
        return;
    }
    read_more(local);
}

static void
read_more(struct local_op *local)
{
    struct blob_op *op = local->op;
    if (local->done_bytes == op->len_bytes) {
        if (is_as_listed(local)) {
            op->moved_bytes = local->done_bytes;
        }
        end_read(local);
        return;
    }
    local->disk = (struct disk_op){
        .verb = DISK_READ,
        .fd = local->fd,
        .buf = (char *)op->buf + local->done_bytes,
        .len_bytes = op->len_bytes - local->done_bytes,
        .offset_bytes = op->offset_bytes + local->done_bytes,
        .done = on_read,
    };
    disk_submit(local->backend->io.disk, &local->disk);
}

/* No data anywhere in the range: nothing to read. */
static bool
is_hole(const struct local_op *local)
{
    const struct blob_op *op = local->op;
    if (op->len_bytes == 0) {
        return false;
    }
    off_t data = lseek(local->fd, (off_t)op->offset_bytes, SEEK_DATA);
    return data < 0 ? errno == ENXIO : (uint64_t)data >= op->offset_bytes + op->len_bytes;
}

static void
start(struct local_op *local)
{
    struct blob_op *op = local->op;
    if (!is_as_listed(local)) {
        end_read(local);
        return;
    }
    if (op->offset_bytes + op->len_bytes > op->props->size_bytes) {
        op->len_bytes = (uint32_t)(op->props->size_bytes - op->offset_bytes);
    }
    if (op->len_bytes >= 65536 && is_hole(local)) {
        op->is_zero = true;
        local->done_bytes = op->len_bytes;
    }
    read_more(local);
}

static void
on_opened(struct local_op *local, int fd)
{
    struct local_file *file = local->file;
    if (file == NULL) {
        local->fd = fd;
        if (fd < 0) {
            fail(local, -fd, "could not open");
            end_read(local);
            return;
        }
        start(local);
        return;
    }
    file->is_opening = false;
    file->fd = fd;
    if (fd >= 0) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    while (!list_is_empty(&file->waiting)) {
        struct local_op *waiting = CONTAINER_OF(list_pop(&file->waiting), struct local_op, link);
        waiting->fd = fd;
        if (fd < 0) {
            fail(waiting, -fd, "could not open");
            local_end_op(waiting);
        } else {
            start(waiting);
        }
    }
    if (fd < 0) {
        local_close_file(file);
    }
}

static void
on_open(struct disk_op *disk)
{
    struct local_op *local = CONTAINER_OF(disk, struct local_op, disk);
    on_opened(local, local_open_by_id(local->backend->end, local->op->name, disk->result,
                                      (int)disk->flags));
}

static void
open_file(struct local_op *local)
{
    struct local_backend *b = local->backend;
    bool follows = b->end->options.links == END_LINKS_FOLLOW && b->end->options.role == END_SOURCE;
    if (strlen(local->op->name) > PATH_BYTES_MAX || !local_may_be_file(b->end, local->op->name)) {
        on_opened(local, local_open(b->end, &b->places, local->op->name));
        return;
    }
    local->disk = (struct disk_op){
        .verb = DISK_OPEN,
        .fd = b->end->root,
        .path = local->op->name,
        .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (follows ? 0 : O_NOFOLLOW),
        .resolve = b->places.resolve,
        .done = on_open,
    };
    disk_submit(b->io.disk, &local->disk);
}

void
local_read(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    if (op->is_whole) {
        open_file(local);
        return;
    }
    struct local_file *file = local_find_file(b, op->item_id, false);
    if (file != NULL && !file->is_opening) {
        local->file = file;
        local->fd = file->fd;
        start(local);
        return;
    }
    bool is_first = file == NULL;
    if (is_first) {
        file = mem_take(sizeof *file);
        *file = (struct local_file){.item_id = op->item_id, .fd = -1, .is_opening = true};
        list_init(&file->waiting);
        list_push(&b->files, &file->link);
    }
    local->file = file;
    list_push(&file->waiting, &local->link);
    if (is_first) {
        open_file(local);
    }
}
