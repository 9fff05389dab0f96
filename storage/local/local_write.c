#include "base/fd.h"
#include "storage/local/local_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
local_stage_name(const char *nonce, uint64_t stage_id, char out[static LOCAL_STAGE_NAME_BYTES])
{
    (void)snprintf(out, LOCAL_STAGE_NAME_BYTES, "%.32s/%016llx", nonce,
                   (unsigned long long)stage_id);
}

static void
fail(struct local_op *local, int sys, const char *words)
{
    (void)err_set_sys(&local->op->err, err_from_target_errno(sys), sys, "%s '%s' at '%s'", words,
                      local->op->name, local->backend->end->path);
}

/* The staged file of the op's item, kept open until COMMIT or DISCARD. */
static struct local_file *
stage(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    struct local_file *file = local_find_file(b, op->item_id, true);
    char name[LOCAL_STAGE_NAME_BYTES];
    if (file != NULL) {
        return file;
    }
    local_stage_name(op->nonce, op->stage_id, name);
    int fd = openat(b->end->stage, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0 && errno == ENOENT) {
        name[32] = '\0'; /* the job's own folder */
        if (mkdirat(b->end->stage, name, 0700) == 0 || errno == EEXIST) {
            name[32] = '/';
            fd = openat(b->end->stage, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        }
    }
    if (fd < 0) {
        fail(local, errno, "could not stage");
        return NULL;
    }
    file = mem_take(sizeof *file);
    *file = (struct local_file){.item_id = op->item_id, .fd = fd, .is_target = true};
    list_init(&file->waiting);
    list_push(&b->files, &file->link);
    return file;
}

/* Zeros are a hole, unless an earlier run has left bytes there. */
static bool
leave_hole(struct local_op *local)
{
    struct blob_op *op = local->op;
    struct stat st;
    if (fstat(local->fd, &st) != 0) {
        return false;
    }
    bool is_beyond = (uint64_t)st.st_size <= op->offset_bytes;
    return is_beyond || fallocate(local->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  (off_t)op->offset_bytes, (off_t)op->len_bytes) == 0;
}

static void write_more(struct local_op *local);

static void
on_written(struct disk_op *disk)
{
    struct local_op *local = CONTAINER_OF(disk, struct local_op, disk);
    if (disk->result <= 0) {
        fail(local, disk->result == 0 ? EIO : -disk->result, "could not write");
        local_end_op(local);
        return;
    }
    local->done_bytes += (uint32_t)disk->result;
    write_more(local);
}

static void
write_more(struct local_op *local)
{
    struct blob_op *op = local->op;
    if (local->done_bytes == op->len_bytes) {
        op->moved_bytes = op->len_bytes;
        if (op->verb == BLOB_PUT) {
            local_commit(local);
        } else {
            local_end_op(local);
        }
        return;
    }
    local->disk = (struct disk_op){
        .verb = DISK_WRITE,
        .fd = local->fd,
        .buf = (char *)op->buf + local->done_bytes,
        .len_bytes = op->len_bytes - local->done_bytes,
        .offset_bytes = op->offset_bytes + local->done_bytes,
        .done = on_written,
    };
    disk_submit(local->backend->io.disk, &local->disk);
}

void
local_write(struct local_op *local)
{
    struct local_file *file = stage(local);
    if (file == NULL) {
        local_end_op(local);
        return;
    }
    local->file = file;
    local->fd = file->fd;
    if (local->op->is_zero && local->op->len_bytes > 0 && leave_hole(local)) {
        local->done_bytes = local->op->len_bytes;
    }
    write_more(local);
}

void
local_put(struct local_op *local)
{
    local->op->offset_bytes = 0;
    local_write(local);
}

/* Give the staged file its size and time, close it, and hand it to the publisher. */
void
local_commit(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    struct local_file *file = stage(local);
    if (file == NULL) {
        local_end_op(local);
        return;
    }
    const struct blob_props *props = op->props;
    int64_t mtime_ns = props->mtime_ns;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, clock_to_timespec(mtime_ns)};
    struct stat st;
    int sys = 0;
    if (fstat(file->fd, &st) != 0 ||
        ((uint64_t)st.st_size != props->size_bytes &&
         ftruncate(file->fd, (off_t)props->size_bytes) != 0) ||
        (mtime_ns != BLOB_TIME_NONE && futimens(file->fd, times) != 0)) {
        sys = errno;
    }
    local_close_file(file);
    if (sys != 0) {
        fail(local, sys, "could not finish");
        local_end_op(local);
        return;
    }
    local->publish = (struct publish){.op = op, .answer = &b->answers, .wake = b->io.wake};
    local_stage_name(op->nonce, op->stage_id, local->publish.stage_name);
    b->publishing++;
    publisher_post(b->end->publisher, &local->publish);
}

/* The publisher reads the file, because it is the one that writes its row. */
void
local_adopt(struct local_op *local)
{
    struct local_backend *b = local->backend;
    local->publish = (struct publish){.op = local->op, .answer = &b->answers, .wake = b->io.wake};
    b->publishing++;
    publisher_post(b->end->publisher, &local->publish);
}

/* The file tells only how far it reaches; which blocks were written, the plan knows. */
void
local_blocks(struct local_op *local)
{
    struct blob_op *op = local->op;
    struct stat st = {0};
    char name[LOCAL_STAGE_NAME_BYTES];
    local_stage_name(op->nonce, op->stage_id, name);
    bool is_there = fstatat(local->backend->end->stage, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    for (uint32_t i = 0; i < op->block_count && is_there; i++) {
        op->block_bits[i >> 3] |= (uint8_t)(1U << (i & 7));
    }
    local_end_op(local);
}
