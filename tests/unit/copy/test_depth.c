#include "ingest/copy/depth.h"
#include "tests/support/check.h"

static struct err err;

static void
enough_room_changes_nothing(void **state)
{
    struct depth depth = {.lanes = 4, .in_flight = 64, .batches = 64};
    (void)state;
    CHECK_OK(depth_fit(&depth, 1024, 3, &err), &err);
    CHECK_U64(depth.lanes, 4);
    CHECK_U64(depth.in_flight, 64);
    CHECK_U64(depth.batches, 64);
}

/* Whatever was asked for: what remains fits, and there is always something that moves. */
static void
what_does_not_fit_becomes_less(void **state)
{
    static const unsigned lanes[] = {1, 2, 4, 16};
    static const unsigned requests[] = {1, 3, 64, 4096};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(lanes); i++) {
        for (unsigned j = 0; j < COUNT_OF(requests); j++) {
            for (uint64_t limit = 60; limit < 5000; limit += 17) {
                struct depth depth = {.lanes = lanes[i], .in_flight = requests[j], .batches = 64};
                CHECK_OK(depth_fit(&depth, limit, 3, &err), &err);
                CHECK(3 + depth_files(&depth) <= limit);
                CHECK(depth.lanes >= 1);
                CHECK(depth.in_flight >= 1);
                CHECK(depth.batches >= 12);
            }
        }
    }
}

static void
too_little_for_anything_is_said_with_the_number(void **state)
{
    struct depth depth = {.lanes = 4, .in_flight = 64, .batches = 64};
    (void)state;
    CHECK_ERR(depth_fit(&depth, 59, 3, &err), &err, ERR_CONFIG);
    CHECK_TEXT(err.text, "the limit of open files is 59, and a copy needs 60; raise it with "
                         "'ulimit -n 60' or more");
    CHECK_ERR(depth_fit(&depth, 60, 4, &err), &err, ERR_CONFIG);
    CHECK_ERR(depth_fit(&depth, 0, 0, &err), &err, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_room_changes_nothing),
        cmocka_unit_test(what_does_not_fit_becomes_less),
        cmocka_unit_test(too_little_for_anything_is_said_with_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
