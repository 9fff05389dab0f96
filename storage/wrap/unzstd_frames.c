#include "storage/wrap/unzstd_frames.h"

#include "base/arena.h"
#include "storage/wrap/packer.h"

#include <zstd.h>

#include <string.h>

#define MAGIC_BYTES 4U

struct frames {
    ZSTD_DCtx *context;
    unsigned char magic[MAGIC_BYTES]; /* of the next frame, as far as it has come */
    unsigned magic_len;
    bool is_within;
};

static uint32_t
get_le32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool
is_skippable(uint32_t magic)
{
    return (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

static enum err_code
refuse(size_t result, struct err *err)
{
    return err_set(err, ERR_DIGEST, "its zstd frames are damaged (%s)", ZSTD_getErrorName(result));
}

static enum err_code
check_magic(const unsigned char *at, struct err *err)
{
    uint32_t magic = get_le32(at);
    return magic == ZSTD_MAGICNUMBER || is_skippable(magic)
               ? ERR_OK
               : err_set(err, ERR_DIGEST, "something else than zstd frames is in it");
}

/* How long the frame at the front is. */
static enum err_code
measure(const unsigned char *at, size_t left, size_t *ret_len, struct err *err)
{
    if (left < MAGIC_BYTES) {
        return err_set(err, ERR_DIGEST, "its zstd frames are cut off");
    }
    if (check_magic(at, err) != ERR_OK) {
        return err->code;
    }
    size_t len = ZSTD_findFrameCompressedSize(at, left);
    if (ZSTD_isError(len)) {
        return refuse(len, err);
    }
    *ret_len = len;
    return ERR_OK;
}

enum err_code
frames_decode(struct frames *frames, const void *stored, size_t stored_len, void *out,
              size_t out_len, struct err *err)
{
    const unsigned char *at = stored;
    size_t left = stored_len;
    size_t made = 0;
    enum err_code code = ERR_OK;
    while (left > 0 && code == ERR_OK) {
        size_t len = 0;
        size_t result = 0;
        code = measure(at, left, &len, err);
        if (code == ERR_OK && !is_skippable(get_le32(at))) {
            result =
                ZSTD_decompressDCtx(frames->context, (char *)out + made, out_len - made, at, len);
            code = ZSTD_isError(result) ? refuse(result, err) : ERR_OK;
        }
        made += code == ERR_OK ? result : 0;
        at += len;
        left -= len;
    }
    if (code == ERR_OK && made != out_len) {
        code =
            err_set(err, ERR_DIGEST, "its zstd frames hold %zu bytes and not %zu", made, out_len);
    }
    return code;
}

struct frames *
frames_new(void)
{
    struct frames *frames = mem_take(sizeof *frames);
    frames->context = ZSTD_createDCtx();
    ASSERT(frames->context != NULL);
    size_t failed = ZSTD_DCtx_setParameter(frames->context, ZSTD_d_windowLogMax, PACKER_WINDOW_LOG);
    ASSERT(!ZSTD_isError(failed));
    return frames;
}

struct frames *
frames_free(struct frames *frames)
{
    if (frames != NULL) {
        (void)ZSTD_freeDCtx(frames->context);
    }
    return mem_give(frames);
}

void
frames_reset(struct frames *frames)
{
    size_t failed = ZSTD_DCtx_reset(frames->context, ZSTD_reset_session_only);
    ASSERT(!ZSTD_isError(failed));
    frames->magic_len = 0;
    frames->is_within = false;
}

bool
frames_are_whole(const struct frames *frames)
{
    return !frames->is_within && frames->magic_len == 0;
}

static enum err_code
decode(struct frames *frames, const void *in, size_t in_len, size_t *ret_used, struct frames_io *io,
       struct err *err)
{
    ZSTD_inBuffer from = {.src = in, .size = in_len};
    ZSTD_outBuffer to = {.dst = io->out, .size = io->out_len, .pos = io->out_at};
    size_t result = ZSTD_decompressStream(frames->context, &to, &from);
    if (ZSTD_isError(result)) {
        return refuse(result, err);
    }
    *ret_used = from.pos;
    io->out_at = to.pos;
    frames->is_within = result != 0;
    return ERR_OK;
}

/* The first bytes of a frame are collected, which may come in several pieces, and looked at. */
static enum err_code
begin_frame(struct frames *frames, struct frames_io *io, struct err *err)
{
    const unsigned char *in = io->in;
    size_t used = 0;
    frames->magic[frames->magic_len++] = in[io->in_at++];
    if (frames->magic_len < MAGIC_BYTES) {
        return ERR_OK;
    }
    frames->magic_len = 0;
    enum err_code code = check_magic(frames->magic, err);
    return code == ERR_OK ? decode(frames, frames->magic, MAGIC_BYTES, &used, io, err) : code;
}

enum err_code
frames_add(struct frames *frames, struct frames_io *io, struct err *err)
{
    bool moves = true;
    while (moves && io->out_at < io->out_len) {
        size_t in_at = io->in_at;
        size_t out_at = io->out_at;
        size_t used = 0;
        enum err_code code = ERR_OK;
        if (frames->is_within) {
            const char *in = io->in_len == 0 ? NULL : (const char *)io->in + in_at;
            code = decode(frames, in, io->in_len - in_at, &used, io, err);
            io->in_at += used;
        } else if (in_at < io->in_len) {
            code = begin_frame(frames, io, err);
        }
        if (code != ERR_OK) {
            return code;
        }
        moves = io->in_at > in_at || io->out_at > out_at;
    }
    bool is_stuck = io->in_at < io->in_len && io->out_at < io->out_len;
    return is_stuck ? err_set(err, ERR_DIGEST, "its zstd frames lead nowhere") : ERR_OK;
}
