#include "base/arena.h"
#include "tests/support/check.h"

static bool
is_zero(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Structs of any kind are put there, so every piece is aligned and starts as zeros. */
static void
every_piece_is_aligned_and_zeroed(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1000);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t size = 0; size < 200; size += 7) {
            unsigned char *piece = arena_take(&arena, size);
            CHECK_U64((uintptr_t)piece % 16, 0);
            CHECK(is_zero(piece, size));
            memset(piece, 0xff, size);
        }
        arena_reset(&arena);
        CHECK_U64(arena.used_bytes, 0);
    }
    arena_done(&arena);
}

/* A batch is emptied a million times: the ordinary chunk stays, one made for a giant does not. */
static void
reset_keeps_the_first_chunk_only(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 4096);
    void *first = arena_take(&arena, 16);
    (void)arena_take(&arena, 100000);
    (void)arena_take(&arena, 4000);
    arena_reset(&arena);
    CHECK(arena_take(&arena, 16) == first);
    arena_reset(&arena);
    arena_done(&arena);

    arena_init(&arena, 64);
    (void)arena_take(&arena, 100000);
    arena_reset(&arena);
    CHECK(arena.chunks == NULL);
    arena_done(&arena);
    CHECK_U64(arena.used_bytes, 0);
}

/* Pieces never overlap, across chunks either. */
static void
texts_stay_as_they_were_put(void **state)
{
    struct arena arena;
    char *texts[500];
    (void)state;
    arena_init(&arena, 256);
    for (unsigned i = 0; i < COUNT_OF(texts); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "item number %u", i);
        texts[i] = arena_text(&arena, text);
    }
    for (unsigned i = 0; i < COUNT_OF(texts); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "item number %u", i);
        CHECK_TEXT(texts[i], text);
    }
    CHECK_BYTES(arena_bytes(&arena, "a\0b", 3), "a\0b", 4);
    CHECK_TEXT(arena_bytes(&arena, NULL, 0), "");
    arena_done(&arena);
}

/* What grows keeps its bytes, and the new part is zeros. */
static void
resizing_zeroes_what_is_new(void **state)
{
    (void)state;
    unsigned char *bytes = mem_take(10);
    memset(bytes, 7, 10);
    bytes = mem_resize(bytes, 10, 1000);
    CHECK_U64(bytes[9], 7);
    CHECK(is_zero(bytes + 10, 990));
    CHECK(mem_give(bytes) == NULL);
    CHECK(mem_give(NULL) == NULL);
    CHECK(mem_give(mem_take(0)) == NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_aligned_and_zeroed),
        cmocka_unit_test(reset_keeps_the_first_chunk_only),
        cmocka_unit_test(texts_stay_as_they_were_put),
        cmocka_unit_test(resizing_zeroes_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
