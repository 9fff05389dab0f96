/*
 * storage/wrap/unzstd_frames.h - frames back to bytes: all at once, or piece by piece.
 *
 * Which frames are taken is decided before the library sees them: it also knows formats from before
 * the standard, whose decoders have limits of their own.
 *
 *   owner    the decoder owns its contexts
 *   thread   one at a time
 *   errors   ERR_DIGEST: not what zstd writes, more or fewer bytes than there should be
 *   source   RFC 8878
 */
#ifndef STORAGE_WRAP_UNZSTD_FRAMES_H
#define STORAGE_WRAP_UNZSTD_FRAMES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Piece by piece: what has come in so far, and what has gone out. */
struct frames_io {
    const void *in;
    size_t in_len;
    size_t in_at; /* moves on */
    void *out;
    size_t out_len;
    size_t out_at; /* moves on */
};

struct frames;
struct frames *frames_new(void);
struct frames *frames_free(struct frames *frames); /* takes NULL */
/* All of an item's frames at once; not between two frames_add(). */
MUST_USE enum err_code frames_decode(struct frames *frames, const void *stored, size_t stored_len,
                                     void *out, size_t out_len, struct err *err);
void frames_reset(struct frames *frames);
/* Until the input is used up or the output is full; the output has room for at least a byte. With
 * no input it gives what is left from before. */
MUST_USE enum err_code frames_add(struct frames *frames, struct frames_io *io, struct err *err);
bool frames_are_whole(const struct frames *frames); /* not within a frame */

#endif
