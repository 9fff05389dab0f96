#include "base/fd.h"
#include "storage/local/local_io.h"
#include "storage/sparse.h"

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

void
local_join_name(const char *nonce, uint64_t stage_id, char out[static LOCAL_STAGE_NAME_BYTES])
{
    (void)snprintf(out, LOCAL_STAGE_NAME_BYTES, "%.32s/%016llx.joined", nonce,
                   (unsigned long long)stage_id);
}

void
local_write_failed(struct local_op *local, int sys, const char *words)
{
    (void)err_set_sys(&local->op->err, err_from_target_errno(sys), sys, "%s '%s' at '%s'", words,
                      local->op->name, local->backend->end->path);
}

int
local_open_staged(const struct local_op *local, char name[static LOCAL_STAGE_NAME_BYTES], int flags)
{
    int stage = local->backend->end->stage;
    flags |= O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(stage, name, flags, 0666);
    if (fd < 0 && errno == ENOENT) {
        name[32] = '\0'; /* the job's own folder */
        if (mkdirat(stage, name, 0700) == 0 || errno == EEXIST) {
            name[32] = '/';
            fd = openat(stage, name, flags, 0666);
        }
    }
    return fd;
}

struct local_file *
local_stage(struct local_op *local)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    struct local_file *file = local_find_file(b, op->item_id, true);
    char name[LOCAL_STAGE_NAME_BYTES];
    if (file != NULL) {
        return file;
    }
    local_stage_name(op->nonce, op->stage_id, name);
    int fd = local_open_staged(local, name, 0);
    if (fd < 0) {
        local_write_failed(local, errno, "could not stage");
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
leave_hole(struct local_op *local, uint32_t len_bytes)
{
    uint64_t at = local->at_bytes + local->done_bytes;
    struct stat st;
    if (fstat(local->fd, &st) != 0) {
        return false;
    }
    bool is_left = (uint64_t)st.st_size <= at ||
                   fallocate(local->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at,
                             (off_t)len_bytes) == 0;
    local->done_bytes += is_left ? len_bytes : 0;
    return is_left;
}

/* How much is to be written now. Of a page blob, which is a disk, the zeros are left out. */
static uint32_t
next_stretch(struct local_op *local)
{
    const struct blob_op *op = local->op;
    size_t begin = op->len_bytes;
    size_t end = op->len_bytes;
    if (op->type != BLOB_TYPE_PAGE) {
        return op->len_bytes - local->done_bytes;
    }
    if (!sparse_next(op->buf, op->len_bytes, local->done_bytes, &begin, &end)) {
        begin = op->len_bytes;
    }
    if (begin > local->done_bytes && !leave_hole(local, (uint32_t)begin - local->done_bytes)) {
        return (uint32_t)begin - local->done_bytes;
    }
    return (uint32_t)(end - local->done_bytes);
}

static void write_more(struct local_op *local);

static void
on_written(struct disk_op *disk)
{
    struct local_op *local = CONTAINER_OF(disk, struct local_op, disk);
    if (disk->result <= 0) {
        local_write_failed(local, disk->result == 0 ? EIO : -disk->result, "could not write");
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
    uint32_t len_bytes = local->done_bytes == op->len_bytes ? 0 : next_stretch(local);
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
        .len_bytes = len_bytes,
        .offset_bytes = local->at_bytes + local->done_bytes,
        .done = on_written,
    };
    disk_submit(local->backend->io.disk, &local->disk);
}

void
local_write(struct local_op *local)
{
    struct local_file *file = local_stage(local);
    if (file == NULL) {
        local_end_op(local);
        return;
    }
    const struct blob_op *op = local->op;
    local->file = file;
    local->fd = file->fd;
    local->at_bytes =
        op->is_packed ? op->block_index * blob_slot_bytes(op->block_bytes) : op->offset_bytes;
    if (local->op->is_zero && local->op->len_bytes > 0) {
        (void)leave_hole(local, local->op->len_bytes);
    }
    write_more(local);
}

void
local_put(struct local_op *local)
{
    local->op->offset_bytes = 0;
    local_write(local);
}

void
local_publish(struct local_op *local, int fd, const char *stage_name)
{
    struct local_backend *b = local->backend;
    struct blob_op *op = local->op;
    const struct blob_props *props = op->props;
    int64_t mtime_ns = props->mtime_ns;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, clock_to_timespec(mtime_ns)};
    struct stat st;
    if (fstat(fd, &st) != 0 ||
        ((uint64_t)st.st_size != props->size_bytes &&
         ftruncate(fd, (off_t)props->size_bytes) != 0) ||
        (mtime_ns != BLOB_TIME_NONE && futimens(fd, times) != 0)) {
        local_write_failed(local, errno, "could not finish");
        local_end_op(local);
        return;
    }
    local->publish = (struct publish){.op = op, .answer = &b->answers, .wake = b->io.wake};
    (void)snprintf(local->publish.stage_name, LOCAL_STAGE_NAME_BYTES, "%s", stage_name);
    b->publishing++;
    publisher_post(b->end->publisher, &local->publish);
}

void
local_commit(struct local_op *local)
{
    struct blob_op *op = local->op;
    char name[LOCAL_STAGE_NAME_BYTES];
    struct local_file *file = local_stage(local);
    if (file == NULL) {
        local_end_op(local);
        return;
    }
    if (op->is_packed) {
        local_join_begin(local);
        return;
    }
    local_stage_name(op->nonce, op->stage_id, name);
    local_publish(local, file->fd, name);
    local_close_file(file);
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
