/* Which stretches of a buffer are worth sending. */
#include "storage/sparse.h"
#include "tests/support/check.h"

#include <stdint.h>

#define LEN ((size_t)1 << 20)

static uint8_t bytes[LEN];

/* Every stretch from the front, as the test expects them: begin and end by turns. */
static void
check_stretches(size_t len, const size_t *want, size_t count)
{
    size_t begin = 0;
    size_t end = 0;
    size_t found = 0;
    while (found + 2 <= count && sparse_next(bytes, len, end, &begin, &end)) {
        CHECK_U64(begin, want[found]);
        CHECK_U64(end, want[found + 1]);
        found += 2;
    }
    CHECK_U64(found, count);
    CHECK(!sparse_next(bytes, len, end, &begin, &end));
}

static void
zero_is_only_what_has_no_other_byte(void **state)
{
    (void)state;
    memset(bytes, 0, LEN);
    CHECK(sparse_is_zero(bytes, 0));
    CHECK(sparse_is_zero(bytes, LEN));
    for (size_t at = 0; at < LEN; at = at * 2 + 1) {
        bytes[at] = 1;
        CHECK(!sparse_is_zero(bytes, LEN));
        CHECK(sparse_is_zero(bytes, at));
        bytes[at] = 0;
    }
}

static void
zeros_at_both_ends_are_left_out(void **state)
{
    static const size_t want[] = {8192, 16384};
    (void)state;
    memset(bytes, 0, LEN);
    check_stretches(LEN, want, 0);
    bytes[8192] = 1;
    bytes[16383] = 1;
    check_stretches(LEN, want, 2);
}

/* A request costs more than a few zeros. */
static void
short_gaps_are_sent_and_long_ones_are_not(void **state)
{
    static const size_t one[] = {0, 4096 + 65536};
    static const size_t two[] = {0, 4096, 4096 + 65536, 8192 + 65536};
    (void)state;
    memset(bytes, 0, LEN);
    bytes[0] = 1;
    bytes[65536] = 1;
    check_stretches(LEN, one, 2);
    bytes[65536] = 0;
    bytes[65536 + 4096] = 1;
    check_stretches(LEN, two, 4);
}

static void
the_last_stretch_ends_with_the_buffer(void **state)
{
    static const size_t want[] = {4096, 4096 + 512};
    (void)state;
    memset(bytes, 0, LEN);
    bytes[4100] = 1;
    check_stretches(4096 + 512, want, 2);
    CHECK(!sparse_next(bytes, 4096, 0, &(size_t){0}, &(size_t){0}));
    CHECK(!sparse_next(bytes, LEN, LEN, &(size_t){0}, &(size_t){0}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_only_what_has_no_other_byte),
        cmocka_unit_test(zeros_at_both_ends_are_left_out),
        cmocka_unit_test(short_gaps_are_sent_and_long_ones_are_not),
        cmocka_unit_test(the_last_stretch_ends_with_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
