#include "ingest/copy/put_file.h"

#include "base/arena.h"
#include "base/crc64.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct putting {
    struct errand *errand;
    const struct put_file *file;
    int fd;
    uint64_t size_bytes;
    uint64_t crc64; /* of all so far */
    uint32_t count; /* pieces written */
    void *buf;
    struct blob_props props;
};

static enum err_code
unreadable(const struct putting *p, int sys, struct err *err)
{
    return sys == 0
               ? err_set(err, ERR_STATE_INVALID, "'%s' changed while it was stored", p->file->path)
               : err_set_sys(err, ERR_STATE_INVALID, sys, "could not read '%s'", p->file->path);
}

static enum err_code
read_piece(struct putting *p, uint32_t len, struct err *err)
{
    uint32_t got = 0;
    while (got < len) {
        ssize_t more = read(p->fd, (char *)p->buf + got, len - got);
        if (more == 0 || (more < 0 && errno != EINTR)) {
            return unreadable(p, more == 0 ? 0 : errno, err);
        }
        got += more > 0 ? (uint32_t)more : 0;
    }
    return ERR_OK;
}

static struct blob_op
new_op(struct putting *p, enum blob_verb verb)
{
    return (struct blob_op){.verb = verb,
                            .type = BLOB_TYPE_BLOCK,
                            .name = p->file->name,
                            .nonce = p->file->nonce,
                            .item_id = p->file->stage_id,
                            .stage_id = p->file->stage_id,
                            .block_bytes = PUT_FILE_PIECE,
                            .buf = p->buf,
                            .props = &p->props,
                            .cond = BLOB_COND_ANY};
}

static enum err_code
run_op(struct putting *p, const struct blob_op *op, struct err *err)
{
    struct errand_op errand = {.op = *op};
    p->props.crc64 = p->crc64;
    p->props.has_crc64 = true;
    return errand_run(p->errand, &errand, err);
}

static enum err_code
put_whole(struct putting *p, struct err *err)
{
    struct blob_op op = new_op(p, BLOB_PUT);
    enum err_code code = read_piece(p, (uint32_t)p->size_bytes, err);
    if (code != ERR_OK) {
        return code;
    }
    p->crc64 = crc64(CRC64_EMPTY, p->buf, p->size_bytes);
    op.len_bytes = (uint32_t)p->size_bytes;
    op.crc64 = p->crc64;
    return run_op(p, &op, err);
}

static enum err_code
write_piece(struct putting *p, struct err *err)
{
    struct blob_op op = new_op(p, BLOB_WRITE);
    op.block_index = p->count;
    op.offset_bytes = (uint64_t)p->count * PUT_FILE_PIECE;
    op.len_bytes = (uint32_t)MIN_OF(PUT_FILE_PIECE, p->size_bytes - op.offset_bytes);
    enum err_code code = read_piece(p, op.len_bytes, err);
    if (code != ERR_OK) {
        return code;
    }
    op.crc64 = crc64(CRC64_EMPTY, p->buf, op.len_bytes);
    p->crc64 = crc64_combine(p->crc64, op.crc64, op.len_bytes);
    p->count++;
    return run_op(p, &op, err);
}

static enum err_code
put_pieces(struct putting *p, struct err *err)
{
    struct err ignored = ERR_NONE;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && (uint64_t)p->count * PUT_FILE_PIECE < p->size_bytes) {
        code = write_piece(p, err);
    }
    struct blob_op op = new_op(p, code == ERR_OK ? BLOB_COMMIT : BLOB_DISCARD);
    op.buf = NULL;
    op.block_count = p->count;
    if (code != ERR_OK) {
        (void)run_op(p, &op, &ignored);
        return code;
    }
    return run_op(p, &op, err);
}

enum err_code
put_file(struct errand *errand, const struct put_file *file, struct err *err)
{
    struct putting p = {.errand = errand, .file = file, .crc64 = CRC64_EMPTY};
    struct stat st = {0};
    AUTO_FD fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    p.fd = fd;
    if (fd < 0 || fstat(fd, &st) != 0) {
        return unreadable(&p, errno, err);
    }
    p.size_bytes = (uint64_t)st.st_size;
    p.props = (struct blob_props){.type = BLOB_TYPE_BLOCK,
                                  .size_bytes = p.size_bytes,
                                  .original_bytes = p.size_bytes,
                                  .mtime_ns = clock_from_timespec(&st.st_mtim),
                                  .content_type = file->content_type};
    memcpy(p.props.job, file->nonce, BLOB_JOB_BYTES);
    p.buf = mem_take(PUT_FILE_PIECE);
    enum err_code code = p.size_bytes <= PUT_FILE_PIECE ? put_whole(&p, err) : put_pieces(&p, err);
    mem_give(p.buf);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "'%s'", file->name);
}
