#include "ingest/copy/lane.h"
#include "tests/support/check.h"

static void
every_state_can_be_reached_and_left(void **state)
{
    AUTO_TEXT why = TEXT_INIT;
    (void)state;
    if (!fsm_check(&block_fsm, &why)) {
        print_error("%s\n", text_str(&why));
    }
    CHECK(fsm_check(&block_fsm, &why));
}

/* A block that was read is hashed before it is sent: there is no short cut in the table. */
static void
nothing_is_sent_unhashed(void **state)
{
    (void)state;
    for (unsigned event = 0; event < BLOCK_EVENT_COUNT; event++) {
        CHECK(fsm_next(&block_fsm, BLOCK_READING, event) != BLOCK_SENDING);
        CHECK(fsm_next(&block_fsm, BLOCK_WAIT_BUFFER, event) != BLOCK_SENDING);
    }
}

static struct item
item_of(uint64_t size, int64_t mtime)
{
    return (struct item){.name = "a", .size_bytes = size, .mtime_ns = mtime, .block_count = 1};
}

static void
overwrite_decides_by_what_the_target_has(void **state)
{
    static const struct {
        enum copy_overwrite overwrite;
        uint64_t size;
        int64_t mtime;
        bool has_crc64;
        enum target_says says;
    } rows[] = {
        {OVERWRITE_ALWAYS, 10, 5000, true, TARGET_COPY},
        {OVERWRITE_NEVER, 11, 9000, true, TARGET_KEEP},
        {OVERWRITE_IF_NEWER, 10, 9000, true, TARGET_KEEP},
        {OVERWRITE_IF_NEWER, 10, 1000, true, TARGET_COPY},
        {OVERWRITE_IF_DIFFERENT, 10, 5000, false, TARGET_SAME},
        {OVERWRITE_IF_DIFFERENT, 11, 5000, true, TARGET_COPY},
        {OVERWRITE_IF_DIFFERENT, 10, 90000, true, TARGET_COMPARE},
        {OVERWRITE_IF_DIFFERENT, 10, 90000, false, TARGET_COPY},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct copy_options options = {.overwrite = rows[i].overwrite};
        const struct item item = item_of(10, 5000);
        const struct blob_props target = {.size_bytes = rows[i].size,
                                          .original_bytes = rows[i].size,
                                          .mtime_ns = rows[i].mtime,
                                          .has_crc64 = rows[i].has_crc64};
        CHECK_U64(item_compare(&options, "n", &item, &target), rows[i].says);
    }
}

/* What this very job stored in a run that was killed is not stored again, even with "always". */
static void
our_own_earlier_work_is_recognised(void **state)
{
    const struct copy_options options = {.overwrite = OVERWRITE_ALWAYS};
    const struct item item = item_of(10, 5000);
    struct blob_props target = {.original_bytes = 10, .mtime_ns = 5000, .job = "n"};
    (void)state;
    CHECK_U64(item_compare(&options, "n", &item, &target), TARGET_SAME);
    target.job[0] = 'm';
    CHECK_U64(item_compare(&options, "n", &item, &target), TARGET_COPY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_can_be_reached_and_left),
        cmocka_unit_test(nothing_is_sent_unhashed),
        cmocka_unit_test(overwrite_decides_by_what_the_target_has),
        cmocka_unit_test(our_own_earlier_work_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
