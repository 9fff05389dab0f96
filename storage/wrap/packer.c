#include "storage/wrap/packer.h"

#include "base/arena.h"

#include <zstd.h>

#include <string.h>

#define TRIAL_BYTES   ((size_t)4 << 20)
#define WINDOW_LOWEST 12U
#define CHUNK_BYTES   ((size_t)128 << 10) /* what a block of a frame has at most */
#define HEAD_BYTES    10U
#define CHUNK_HEAD    3U
#define PAD_BYTES     9U

struct packer {
    ZSTD_CCtx *context;
};

static void
put_le(unsigned char *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = (unsigned char)(value >> (8 * i));
    }
}

/* What the context takes is known once it was used. */
static ZSTD_CCtx *
try_context(int level, unsigned window_log, void *bytes, void *out)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ASSERT(context != NULL);
    size_t failed = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ASSERT(!ZSTD_isError(failed));
    failed = ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, (int)window_log);
    ASSERT(!ZSTD_isError(failed));
    failed = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ASSERT(!ZSTD_isError(failed));
    size_t len = ZSTD_compress2(context, out, CHUNK_BYTES, bytes, TRIAL_BYTES);
    ASSERT(!ZSTD_isError(len));
    return context;
}

enum err_code
packer_new(int level, size_t most_bytes, struct packer **ret_packer, struct err *err)
{
    void *bytes = mem_take(TRIAL_BYTES);
    void *out = mem_take(CHUNK_BYTES);
    ZSTD_CCtx *context = NULL;
    size_t least_bytes = 0;
    for (unsigned log = PACKER_WINDOW_LOG; context == NULL && log >= WINDOW_LOWEST; log--) {
        context = try_context(level, log, bytes, out);
        least_bytes = ZSTD_sizeof_CCtx(context);
        if (least_bytes > most_bytes) {
            (void)ZSTD_freeCCtx(context);
            context = NULL;
        }
    }
    mem_give(bytes);
    mem_give(out);
    if (context == NULL) {
        return err_set(
            err, ERR_USAGE,
            "zstd:%d needs %zu KiB in each lane, and --memory leaves %zu KiB for it; use "
            "a lower level or more memory",
            level, least_bytes / 1024, most_bytes / 1024);
    }
    struct packer *packer = mem_take(sizeof *packer);
    packer->context = context;
    *ret_packer = packer;
    return ERR_OK;
}

struct packer *
packer_free(struct packer *packer)
{
    if (packer != NULL) {
        (void)ZSTD_freeCCtx(packer->context);
    }
    return mem_give(packer);
}

size_t
packer_bytes(const struct packer *packer)
{
    return ZSTD_sizeof_CCtx(packer->context);
}

static size_t
compress(struct packer *packer, const void *bytes, size_t len, void *out, size_t most)
{
    size_t made = ZSTD_compress2(packer->context, out, most, bytes, len);
    return ZSTD_isError(made) ? 0 : made;
}

size_t
packer_try(struct packer *packer, const void *bytes, size_t len, void *ret_frame)
{
    return compress(packer, bytes, len, ret_frame, len - len / 20);
}

/*
 * Chunks move to their places from the last to the first, each to where nothing lies that is still
 * to be moved; then there is room for what comes before them.
 */
static size_t
store(unsigned char *buf, size_t len)
{
    size_t chunks = (len + CHUNK_BYTES - 1) / CHUNK_BYTES;
    for (size_t i = chunks; i-- > 0;) {
        size_t offset = i * CHUNK_BYTES;
        size_t chunk = MIN_OF(CHUNK_BYTES, len - offset);
        unsigned char *to = buf + HEAD_BYTES + CHUNK_HEAD * (i + 1) + offset;
        memmove(to, buf + offset, chunk);
        put_le(to - CHUNK_HEAD, (uint64_t)chunk << 3 | (i + 1 == chunks), CHUNK_HEAD);
    }
    put_le(buf, ZSTD_MAGICNUMBER, 4);
    buf[4] = 2U << 6;          /* the content's size follows in four bytes */
    buf[5] = (17U - 10U) << 3; /* a window of 128 KiB */
    put_le(buf + 6, len, 4);
    return HEAD_BYTES + CHUNK_HEAD * chunks + len;
}

size_t
packer_frame(struct packer *packer, void *buf, size_t len, bool is_odd, void **ret_frame)
{
    unsigned char *frame = (unsigned char *)buf + len;
    ASSERT(len > 0);
    ASSERT(len <= PACKER_BLOCK_MAX);
    size_t room = packer_room_bytes(len) - len - PAD_BYTES;
    size_t made = compress(packer, buf, len, frame, MIN_OF(room, len));
    if (made == 0) {
        frame = buf;
        made = store(frame, len);
    }
    if ((made & 1) != is_odd) {
        put_le(frame + made, ZSTD_MAGIC_SKIPPABLE_START, 4);
        put_le(frame + made + 4, 1, 4);
        frame[made + 8] = 0;
        made += PAD_BYTES;
    }
    *ret_frame = frame;
    return made;
}
