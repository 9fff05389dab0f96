#include "base/crc64.h"
#include "tests/support/check.h"

/* The published check value ties ours to everybody else's CRC-64/NVME. */
static void
the_check_value_is_the_published_one(void **state)
{
    (void)state;
    CHECK_U64(crc64(CRC64_EMPTY, "123456789", 9), UINT64_C(0xae8b14860a799888));
}

static unsigned char bytes[8192];

static void
fill(void)
{
    uint32_t word = 12345;
    for (size_t i = 0; i < sizeof bytes; i++) {
        word = word * 1103515245U + 12345U;
        bytes[i] = (unsigned char)(word >> 16);
    }
}

/* Every length and alignment takes another path through head, fold and tail. */
static void
every_implementation_agrees_with_the_table(void **state)
{
    size_t count = 0;
    const struct crc64_impl *impls = crc64_impls(&count);
    (void)state;
    fill();
    CHECK(count >= 1);
    for (size_t i = 1; i < count; i++) {
        for (size_t len = 0; len < 2100; len++) {
            const unsigned char *at = bytes + len % 17;
            CHECK_U64(impls[i].fn(len, at, len), impls[0].fn(len, at, len));
        }
    }
}

static void
combining_equals_computing_over_both(void **state)
{
    (void)state;
    fill();
    for (size_t cut = 0; cut <= sizeof bytes; cut += 97) {
        uint64_t a = crc64(CRC64_EMPTY, bytes, cut);
        uint64_t b = crc64(CRC64_EMPTY, bytes + cut, sizeof bytes - cut);
        CHECK_U64(crc64_combine(a, b, sizeof bytes - cut), crc64(CRC64_EMPTY, bytes, sizeof bytes));
    }
}

static void
zeros_need_not_be_read(void **state)
{
    static const unsigned char zeros[5000];
    (void)state;
    for (size_t len = 0; len <= sizeof zeros; len += 613) {
        CHECK_U64(crc64_zeros(len), crc64(CRC64_EMPTY, zeros, len));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value_is_the_published_one),
        cmocka_unit_test(every_implementation_agrees_with_the_table),
        cmocka_unit_test(combining_equals_computing_over_both),
        cmocka_unit_test(zeros_need_not_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
