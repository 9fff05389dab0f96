/* How --memory is divided: what was named is kept or refused, the rest gives way. */
#include "base/ticket.h"
#include "ingest/copy/room.h"
#include "tests/support/check.h"

#define MIB (UINT64_C(1) << 20)

static struct err err;
static const struct end_caps local = {.is_local = true};
static const struct end_caps store = {.blocks_max = 50000};

static struct room
divide(const struct copy_options *options, const struct end_caps *source, unsigned cores)
{
    struct room room = {0};
    CHECK_OK(room_divide(options, source, source == &local ? &store : &local, cores, &room, &err),
             &err);
    /* A pool of that size has buffers of that size. */
    struct pool *pool = NULL;
    CHECK_OK(pool_new(room.pool_bytes, &pool, &err), &err);
    CHECK_U64(pool_largest(pool), room.block_largest);
    (void)pool_free(pool);
    CHECK(room.pool_bytes * room.lanes <= options->memory_bytes / 10 * 6);
    return room;
}

static void
blocks_fit_into_every_default(void **state)
{
    (void)state;
    for (uint64_t memory = 64; memory <= 4096; memory *= 2) {
        for (unsigned cores = 1; cores <= 64; cores *= 2) {
            const struct copy_options options = {.block_bytes = 8 * MIB,
                                                 .memory_bytes = memory * MIB};
            CHECK(divide(&options, &local, cores).block_largest >= 8 * MIB);
        }
    }
}

/* Four lanes on 256 MiB would have no buffer of 50 MiB. */
static void
lanes_nobody_asked_for_give_way(void **state)
{
    (void)state;
    const struct copy_options larger = {
        .block_bytes = 50 * MIB, .has_block_bytes = true, .memory_bytes = 256 * MIB};
    struct room room = divide(&larger, &local, 4);
    CHECK_U64(room.lanes, 2);
    CHECK_U64(room.block_bytes, 50 * MIB);
}

static void
blocks_nobody_asked_for_give_way(void **state)
{
    const struct copy_options options = {
        .block_bytes = 8 * MIB, .lanes = 16, .memory_bytes = 96 * MIB};
    struct room room = divide(&options, &local, 2);
    (void)state;
    CHECK_U64(room.lanes, 16);
    CHECK_U64(room.block_bytes, 2 * MIB);
}

static void
what_was_named_and_does_not_fit_is_refused(void **state)
{
    struct copy_options options = {
        .block_bytes = 64 * MIB, .has_block_bytes = true, .lanes = 16, .memory_bytes = 256 * MIB};
    struct room room = {0};
    (void)state;
    CHECK_ERR(room_divide(&options, &local, &store, 2, &room, &err), &err, ERR_USAGE);
    CHECK_HAS(err.text, "16 lanes with blocks of 64.00 MiB need --memory ");
    /* What the refusal names is enough. */
    options.memory_bytes = UINT64_C(1024) / 6 * 10 * MIB + 8 * MIB;
    CHECK_U64(divide(&options, &local, 2).lanes, 16);
}

static void
downloads_have_small_ranges(void **state)
{
    const struct copy_options options = {.block_bytes = 8 * MIB, .memory_bytes = 256 * MIB};
    struct room room = divide(&options, &store, 2);
    (void)state;
    CHECK_U64(room.lanes, 2);
    CHECK_U64(room.block_bytes, 4 * MIB);
    CHECK_U64(room.large_block_bytes, MIB);
    CHECK_U64(divide(&options, &local, 2).large_block_bytes, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_fit_into_every_default),
        cmocka_unit_test(lanes_nobody_asked_for_give_way),
        cmocka_unit_test(blocks_nobody_asked_for_give_way),
        cmocka_unit_test(what_was_named_and_does_not_fit_is_refused),
        cmocka_unit_test(downloads_have_small_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
