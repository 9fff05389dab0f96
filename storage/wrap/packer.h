/*
 * storage/wrap/packer.h - a block's bytes as one zstd frame.
 *
 * Blocks of an item are compressed on their own, so that lanes do it in parallel; the item is their
 * frames one after the other, which any zstd reads. What does not shrink becomes a frame that holds
 * the bytes as they are, and that is built in the same buffer: a frame never needs memory besides
 * the buffer it was given.
 *
 *   shape    a buffer of at least packer_room_bytes(len) with len bytes in front
 *   owner    the packer owns its context; buffers are the caller's
 *   thread   one at a time
 *   errors   ERR_USAGE: the level needs more memory than there is; compressing itself cannot fail
 *   source   RFC 8878; by RFC 9659 a Content-Encoding has windows of at most 8 MiB, ours have 2
 */
#ifndef STORAGE_WRAP_PACKER_H
#define STORAGE_WRAP_PACKER_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define PACKER_LEVEL_MIN     1
#define PACKER_LEVEL_MAX     19
#define PACKER_LEVEL_DEFAULT 3
#define PACKER_WINDOW_LOG    21U /* the largest that is written, and that is read back */
#define PACKER_BLOCK_MAX     ((uint64_t)512 << 20)

struct packer;

/* The window shrinks until the context takes at most most_bytes. */
MUST_USE enum err_code packer_new(int level, size_t most_bytes, struct packer **ret_packer,
                                  struct err *err);
struct packer *packer_free(struct packer *packer); /* takes NULL */
size_t packer_bytes(const struct packer *packer);  /* of memory it holds */

static inline size_t
packer_room_bytes(size_t len)
{
    return len * 2 < 4096 ? 4096 : len * 2;
}

/* Compress, if that saves a twentieth: the frame's length, or 0. */
size_t packer_try(struct packer *packer, const void *bytes, size_t len, void *ret_frame);
/*
 * The first len bytes of buf as a frame that lies somewhere in buf, whatever they are. Its length
 * is odd or even as asked for, at the cost of a few bytes: with that an item's frames are made to
 * never have together just as many bytes as the item.
 */
size_t packer_frame(struct packer *packer, void *buf, size_t len, bool is_odd, void **ret_frame);

#endif
