/* What --overwrite means where times are odd, and how an item ends that is not copied. */
#include "ingest/copy/compare.h"
#include "tests/support/check.h"

static const struct copy_options different = {.overwrite = OVERWRITE_IF_DIFFERENT};
static const struct copy_options newer = {.overwrite = OVERWRITE_IF_NEWER};

static enum target_says
says(const struct copy_options *options, int64_t item_ns, int64_t target_ns)
{
    const struct item item = {.name = "a", .size_bytes = 10, .mtime_ns = item_ns, .block_count = 1};
    const struct blob_props target = {
        .size_bytes = 10, .original_bytes = 10, .mtime_ns = target_ns, .modified_ns = 500};
    return item_compare(options, "nonce", &item, &target);
}

/* Times come from databases and from stores: none of them may be taken for close by wrapping. */
static void
times_far_apart_are_not_the_same(void **state)
{
    (void)state;
    CHECK_U64(says(&different, 5000, 5999), TARGET_SAME);
    CHECK_U64(says(&different, 5000, 6000), TARGET_COPY);
    CHECK_U64(says(&different, INT64_MAX, -INT64_MAX), TARGET_COPY);
    CHECK_U64(says(&different, -INT64_MAX, INT64_MAX), TARGET_COPY);
    CHECK_U64(says(&different, INT64_MAX, INT64_MAX), TARGET_SAME);
}

/* No time is no proof of anything: not of being the same, nor of being older. */
static void
a_time_that_is_not_known_is_equal_to_nothing(void **state)
{
    (void)state;
    CHECK_U64(says(&different, BLOB_TIME_NONE, BLOB_TIME_NONE), TARGET_COPY);
    CHECK_U64(says(&different, 5000, BLOB_TIME_NONE), TARGET_COPY);
    /* Where the item's own time was not kept, the store's time of storing decides. */
    CHECK_U64(says(&newer, 499, BLOB_TIME_NONE), TARGET_KEEP);
    CHECK_U64(says(&newer, 501, BLOB_TIME_NONE), TARGET_COPY);
}

/* Two stores that keep checksums need no bytes read to compare. */
static void
checksums_on_both_sides_decide(void **state)
{
    struct blob_props source = {.has_crc64 = true, .crc64 = 7};
    const struct item item = {
        .name = "a", .size_bytes = 10, .mtime_ns = 1, .block_count = 9, .source = &source};
    struct blob_props target = {
        .size_bytes = 10, .original_bytes = 10, .mtime_ns = 99999, .has_crc64 = true, .crc64 = 7};
    (void)state;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_SAME);
    target.crc64 = 8;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_COPY);
    /* Of several blocks and no checksum at the source: reading it all to compare costs a copy. */
    source.has_crc64 = false;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_COPY);
}

/* What a killed run left under the name is not the item, whatever it says of itself. */
static void
an_unfinished_one_is_stored_again(void **state)
{
    static const struct copy_options never = {.overwrite = OVERWRITE_NEVER};
    const struct item item = {.name = "a", .size_bytes = 10, .mtime_ns = 5000, .block_count = 1};
    struct blob_props target = {
        .size_bytes = 10, .original_bytes = 10, .mtime_ns = 5000, .is_partial = true};
    (void)state;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_COPY);
    CHECK_U64(item_compare(&never, "n", &item, &target), TARGET_COPY);
    CHECK_U64(item_compare(&newer, "n", &item, &target), TARGET_COPY);
}

/* Bytes alone do not make a disk: as a block blob nothing can be made from it. */
static void
a_page_blob_is_not_the_same_as_a_block_blob(void **state)
{
    struct item item = {.name = "a", .size_bytes = 512, .mtime_ns = 5000, .block_count = 1};
    struct blob_props target = {
        .size_bytes = 512, .original_bytes = 512, .mtime_ns = 5000, .type = BLOB_TYPE_BLOCK};
    (void)state;
    item.type = BLOB_TYPE_PAGE;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_COPY);
    target.type = BLOB_TYPE_PAGE;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_SAME);
}

/* A file that another tool put into the store is believed only after its bytes were compared. */
static void
the_time_of_a_bare_item_proves_nothing(void **state)
{
    const struct copy_options always = {.overwrite = OVERWRITE_ALWAYS};
    const struct copy_options never = {.overwrite = OVERWRITE_NEVER};
    struct item item = {.name = "a", .size_bytes = 10, .mtime_ns = 5000, .block_count = 1};
    struct blob_props target = {
        .size_bytes = 10, .original_bytes = 10, .mtime_ns = 5000, .is_bare = true};
    (void)state;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_ADOPT);
    CHECK_U64(item_compare(&always, "n", &item, &target), TARGET_COPY);
    CHECK_U64(item_compare(&never, "n", &item, &target), TARGET_KEEP);
    item.block_count = 2;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_COPY);
    target.original_bytes = 11;
    item.block_count = 1;
    CHECK_U64(item_compare(&different, "n", &item, &target), TARGET_COPY);
}

/* A copy that was killed counts as checked what an undisturbed one would. */
static void
what_an_earlier_run_checked_stays_checked(void **state)
{
    struct batch batch = {0};
    struct blob_props source = {.has_crc64 = true, .crc64 = 7};
    struct item item = {.name = "a", .source = &source};
    struct blob_props target = {.has_crc64 = true, .crc64 = 7, .job = "nonce"};
    (void)state;
    arena_init(&batch.arena, 4096);
    item_settle(&batch, &item, TARGET_SAME, &target, "", "nonce");
    CHECK_U64(item.verdict, VERDICT_IN_TRANSIT);
    source.crc64 = 8;
    item_settle(&batch, &item, TARGET_SAME, &target, "", "nonce");
    CHECK_U64(item.verdict, VERDICT_UNVERIFIABLE);
    source.crc64 = 7;
    target.has_crc64 = false;
    item_settle(&batch, &item, TARGET_SAME, &target, "", "nonce");
    CHECK_U64(item.verdict, VERDICT_UNVERIFIABLE);
    item.source = NULL;
    item_settle(&batch, &item, TARGET_SAME, &target, "", "nonce");
    CHECK_U64(item.verdict, VERDICT_UNVERIFIABLE);
    /* What was there before is nobody's work of now. */
    item_settle(&batch, &item, TARGET_SAME, &target, "", "another");
    CHECK_U64(item.verdict, VERDICT_NONE);
    arena_done(&batch.arena);
}

/* Everything ends in one of the states that are counted. */
static void
an_item_that_is_not_copied_says_why(void **state)
{
    struct batch batch = {0};
    struct item item = {.name = "a"};
    struct blob_props target = {.has_crc64 = true, .crc64 = 7, .job = "nonce"};
    (void)state;
    arena_init(&batch.arena, 4096);
    item_settle(&batch, &item, TARGET_SAME, &target, "\"e\"", "nonce");
    CHECK_U64(item.state, ITEM_RESUMED);
    CHECK_TEXT(item.etag, "\"e\"");
    CHECK_U64(item.crc64, 7);
    item_settle(&batch, &item, TARGET_SAME, &target, "", "another");
    CHECK_U64(item.state, ITEM_UNCHANGED);
    target.job[0] = '\0';
    item_settle(&batch, &item, TARGET_SAME, &target, "", "");
    CHECK_U64(item.state, ITEM_UNCHANGED);
    item_settle(&batch, &item, TARGET_KEEP, &target, "", "");
    CHECK_U64(item.state, ITEM_SKIPPED);
    CHECK_U64(item.err_code, ERR_KEPT);
    CHECK_HAS(item.err_text, "'a'");
    arena_done(&batch.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_far_apart_are_not_the_same),
        cmocka_unit_test(a_time_that_is_not_known_is_equal_to_nothing),
        cmocka_unit_test(checksums_on_both_sides_decide),
        cmocka_unit_test(an_unfinished_one_is_stored_again),
        cmocka_unit_test(a_page_blob_is_not_the_same_as_a_block_blob),
        cmocka_unit_test(the_time_of_a_bare_item_proves_nothing),
        cmocka_unit_test(what_an_earlier_run_checked_stays_checked),
        cmocka_unit_test(an_item_that_is_not_copied_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
