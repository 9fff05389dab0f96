/*
 * base/arena.h - memory that lives as long as one job or one batch and is freed in one call.
 *
 *   shape    chunks of at least the size given; one allocation up to ARENA_BYTES_MAX
 *   owner    the arena; nothing is freed alone; arena_reset() keeps the first chunk
 *   errors   when memory is gone the process stops with a clear message: a job's bookkeeping is
 *            bounded by the budget, so this is a bug or a machine without memory
 *   thread   one at a time
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"

#include <stddef.h>

#define ARENA_BYTES_MAX ((size_t)256 << 20)

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    size_t chunk_bytes;
    size_t used_bytes; /* of all chunks, for the budget */
};

void arena_init(struct arena *arena, size_t chunk_bytes);
void *arena_take(struct arena *arena, size_t bytes); /* zeroed, 16-byte aligned, never NULL */
char *arena_text(struct arena *arena, const char *text);
char *arena_bytes(struct arena *arena, const void *bytes, size_t len); /* copy, NUL appended */
void arena_reset(struct arena *arena);
void arena_done(struct arena *arena);

/* The same promise for things that live as long as the process or its owner. */
void *mem_take(size_t bytes);                                /* zeroed, never NULL */
void *mem_resize(void *old, size_t old_bytes, size_t bytes); /* the new part is zeroed */
char *mem_text(const char *text);
void *mem_give(void *old); /* returns NULL; takes NULL */

#endif
