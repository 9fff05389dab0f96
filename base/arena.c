#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES ((size_t)16)

struct arena_chunk {
    struct arena_chunk *next;
    size_t room;
    size_t used;
    _Alignas(16) unsigned char bytes[];
};

NO_RETURN static void
out_of_memory(size_t bytes)
{
    (void)fprintf(
        stderr,
        "sallyport: no memory for %zu more bytes; lower --memory or give the machine more\n",
        bytes);
    abort();
}

void *
mem_take(size_t bytes)
{
    void *taken = calloc(1, bytes == 0 ? 1 : bytes);
    if (taken == NULL) {
        out_of_memory(bytes);
    }
    return taken;
}

void *
mem_resize(void *old, size_t old_bytes, size_t bytes)
{
    unsigned char *taken = realloc(old, bytes == 0 ? 1 : bytes);
    if (taken == NULL) {
        out_of_memory(bytes);
    }
    if (bytes > old_bytes) {
        memset(taken + old_bytes, 0, bytes - old_bytes);
    }
    return taken;
}

char *
mem_text(const char *text)
{
    size_t len = strlen(text);
    char *copy = mem_take(len + 1);
    memcpy(copy, text, len + 1);
    return copy;
}

void *
mem_give(void *old)
{
    free(old);
    return NULL;
}

void
arena_init(struct arena *arena, size_t chunk_bytes)
{
    *arena = (struct arena){.chunk_bytes = chunk_bytes};
}

void *
arena_take(struct arena *arena, size_t bytes)
{
    ASSERT(bytes <= ARENA_BYTES_MAX);
    size_t need = (bytes + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->room - chunk->used < need) {
        size_t room = MAX_OF(need, arena->chunk_bytes);
        chunk = mem_take(sizeof *chunk + room);
        chunk->room = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *taken = chunk->bytes + chunk->used;
    chunk->used += need;
    arena->used_bytes += need;
    memset(taken, 0, bytes);
    return taken;
}

char *
arena_bytes(struct arena *arena, const void *bytes, size_t len)
{
    char *copy = arena_take(arena, len + 1);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

char *
arena_text(struct arena *arena, const char *text)
{
    return arena_bytes(arena, text, strlen(text));
}

/* The oldest chunk is kept: it has the ordinary size, later ones may be large. */
void
arena_reset(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL && chunk->next != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    if (chunk != NULL && chunk->room > arena->chunk_bytes) {
        free(chunk);
        chunk = NULL;
    }
    if (chunk != NULL) {
        chunk->used = 0;
    }
    arena->chunks = chunk;
    arena->used_bytes = 0;
}

void
arena_done(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
    arena->used_bytes = 0;
}
