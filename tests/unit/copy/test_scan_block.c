/* How large the blocks of an item are: as asked, larger where the target wants fewer, or refused.
 */
#include "ingest/copy/scan.h"
#include "tests/support/check.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct err err;

static const struct copy_options plain = {.block_bytes = 8 * MIB, .memory_bytes = 256 * MIB};
static const struct copy_options named = {
    .block_bytes = 8 * MIB, .has_block_bytes = true, .memory_bytes = 256 * MIB};

static uint32_t
block_of(const struct copy_options *copy, const struct end_caps *caps, uint64_t size)
{
    uint32_t block = 0;
    CHECK_OK(scan_block_bytes(copy, caps, 64 * MIB, size, &block, &err), &err);
    return block;
}

static void
blocks_are_as_large_as_asked(void **state)
{
    const struct end_caps caps = {.blocks_max = 50000};
    (void)state;
    CHECK_U64(block_of(&plain, &caps, 0), 8 * MIB);
    CHECK_U64(block_of(&plain, &caps, 1), 8 * MIB);
    CHECK_U64(block_of(&plain, &caps, UINT64_C(32768) * 8 * MIB), 8 * MIB);
}

/* What is known of each block takes memory, and many items are on their way at a time: a local
 * target, which has no limit of its own, gets larger blocks too, as far as buffers allow. */
static void
bookkeeping_of_blocks_is_bounded(void **state)
{
    const struct end_caps caps = {.is_local = true};
    const struct copy_options ranges = {
        .block_bytes = 4 * MIB, .large_block_bytes = MIB, .memory_bytes = 256 * MIB};
    (void)state;
    CHECK_U64(block_of(&plain, &caps, UINT64_C(32768) * 8 * MIB + 1), 9 * MIB);
    CHECK_U64(block_of(&plain, &caps, UINT64_C(14) << 40), 64 * MIB);
    CHECK_U64(block_of(&ranges, &caps, 4 * MIB), 4 * MIB);
    CHECK_U64(block_of(&ranges, &caps, 4 * MIB + 1), MIB);
    CHECK_U64(block_of(&ranges, &caps, 32 * GIB + 1), 2 * MIB);
}

/* 50,000 blocks of 8 MiB are 390 GiB: a larger item has larger blocks, and still fits. */
static void
an_item_of_too_many_blocks_has_larger_ones(void **state)
{
    const struct end_caps caps = {.blocks_max = 50000};
    (void)state;
    for (uint64_t size = UINT64_C(32768) * 8 * MIB + 1; size < 3000 * GIB; size += 97 * GIB) {
        uint64_t block = block_of(&plain, &caps, size);
        CHECK(block > 8 * MIB);
        CHECK((size + block - 1) / block <= 50000);
    }
}

/* A size that the user named is kept; the refusal names the one that would do. */
static void
a_named_size_is_never_changed(void **state)
{
    const struct end_caps caps = {.blocks_max = 1000};
    uint32_t block = 0;
    (void)state;
    CHECK_U64(block_of(&named, &caps, UINT64_C(1000) * 8 * MIB), 8 * MIB);
    CHECK_ERR(scan_block_bytes(&named, &caps, 64 * MIB, UINT64_C(1000) * 8 * MIB + 1, &block, &err),
              &err, ERR_ITEM_TOO_LARGE);
    CHECK_HAS(err.text, "--block-size");
    CHECK_U64(block, 0);
}

/* Refused before the first byte moves, naming what would make it possible. */
static void
what_no_buffer_can_hold_is_refused_first(void **state)
{
    const struct end_caps caps = {.blocks_max = 1000};
    uint32_t block = 0;
    (void)state;
    CHECK_ERR(scan_block_bytes(&plain, &caps, 64 * MIB, 100 * GIB, &block, &err), &err,
              ERR_ITEM_TOO_LARGE);
    CHECK_HAS(err.text, "--memory");
    /* An item smaller than a block needs only its own size. */
    const struct copy_options huge = {.block_bytes = GIB, .memory_bytes = 256 * MIB};
    CHECK_U64(block_of(&huge, &caps, 64 * MIB), GIB);
    CHECK_ERR(scan_block_bytes(&huge, &caps, 64 * MIB, 64 * MIB + 1, &block, &err), &err,
              ERR_ITEM_TOO_LARGE);
}

static void
the_targets_limit_goes_first(void **state)
{
    const struct end_caps caps = {.item_bytes_max = 5 * GIB};
    uint32_t block = 0;
    (void)state;
    CHECK_U64(block_of(&plain, &caps, 5 * GIB), 8 * MIB);
    CHECK_ERR(scan_block_bytes(&plain, &caps, 64 * MIB, 5 * GIB + 1, &block, &err), &err,
              ERR_ITEM_TOO_LARGE);
    CHECK_HAS(err.text, "up to 5.00 GiB");
}

/* A sparse file may say that it is as large as a file can be. */
static void
the_largest_file_of_all_is_answered(void **state)
{
    const struct end_caps caps = {.is_local = true};
    uint32_t block = 0;
    (void)state;
    enum err_code code = scan_block_bytes(&plain, &caps, 64 * MIB, INT64_MAX, &block, &err);
    CHECK(code == ERR_ITEM_TOO_LARGE ||
          ((uint64_t)INT64_MAX + block - 1) / block <= (uint64_t)UINT32_MAX);
}

/* A copy from store to store keeps disks; what has no types, or no page blobs, gets bytes. */
static void
a_page_blob_stays_one_where_there_are_any(void **state)
{
    struct end store = {.caps = {.keeps_props = true, .page_bytes_max = 512 * GIB}};
    struct end folder = {.caps = {.is_local = true}};
    const struct blob_props page = {.type = BLOB_TYPE_PAGE};
    const struct blob_props append = {.type = BLOB_TYPE_APPEND};
    (void)state;
    CHECK_U64(scan_type(&store, &store, &page), BLOB_TYPE_PAGE);
    CHECK_U64(scan_type(&store, &folder, &page), BLOB_TYPE_BLOCK);
    CHECK_U64(scan_type(&folder, &store, &page), BLOB_TYPE_BLOCK);
    CHECK_U64(scan_type(&store, &store, &append), BLOB_TYPE_BLOCK);
}

static void
a_page_blob_has_whole_pages(void **state)
{
    const struct end_caps caps = {.page_bytes_max = 512 * GIB};
    (void)state;
    CHECK_OK(scan_check_type(BLOB_TYPE_PAGE, &caps, 0, &err), &err);
    CHECK_OK(scan_check_type(BLOB_TYPE_PAGE, &caps, 512 * GIB, &err), &err);
    CHECK_OK(scan_check_type(BLOB_TYPE_BLOCK, &caps, 513, &err), &err);
    CHECK_ERR(scan_check_type(BLOB_TYPE_PAGE, &caps, 513, &err), &err, ERR_ITEM_ALIGNMENT);
    CHECK_HAS(err.text, "513 bytes");
    CHECK_ERR(scan_check_type(BLOB_TYPE_PAGE, &caps, 512 * GIB + 512, &err), &err,
              ERR_ITEM_TOO_LARGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_as_large_as_asked),
        cmocka_unit_test(bookkeeping_of_blocks_is_bounded),
        cmocka_unit_test(an_item_of_too_many_blocks_has_larger_ones),
        cmocka_unit_test(a_named_size_is_never_changed),
        cmocka_unit_test(a_page_blob_stays_one_where_there_are_any),
        cmocka_unit_test(a_page_blob_has_whole_pages),
        cmocka_unit_test(what_no_buffer_can_hold_is_refused_first),
        cmocka_unit_test(the_targets_limit_goes_first),
        cmocka_unit_test(the_largest_file_of_all_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
