/*
 * The ends of a file that may be a disk: the first half of the input is its head, the second its
 * tail, of a file as long as the footer says or as long as the input. Only a footer whose every sum
 * is right makes a fixed disk.
 */
#include "ingest/device/vhd.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static uint32_t
sum_without_checksum(const uint8_t *footer, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i / 4 == 16 ? 0 : footer[i];
    }
    return sum;
}

static uint64_t
number(const uint8_t *at, unsigned len)
{
    uint64_t value = 0;
    while (len-- > 0) {
        value = value << 8 | *at++;
    }
    return value;
}

static void
check(const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len, uint64_t size)
{
    struct vhd vhd = {.kind = VHD_KIND_COUNT};
    vhd_judge(head, head_len, tail, tail_len, size, &vhd);
    FUZZ_MUST(vhd.kind < VHD_KIND_COUNT);
    FUZZ_MUST((vhd.kind == VHD_BROKEN) == (vhd.why != NULL));
    FUZZ_MUST(vhd_kind_names[vhd.kind] != NULL);
    if (vhd.kind == VHD_FIXED) {
        uint64_t footer_len = size - vhd.disk_bytes;
        FUZZ_MUST(footer_len == 512 || footer_len == 511);
        FUZZ_MUST(tail_len >= footer_len);
        const uint8_t *footer = tail + tail_len - footer_len;
        FUZZ_MUST(memcmp(footer, "conectix", 8) == 0);
        FUZZ_MUST(number(footer + 60, 4) == 2);
        FUZZ_MUST(number(footer + 48, 8) == vhd.disk_bytes);
        FUZZ_MUST((uint32_t)number(footer + 64, 4) ==
                  ~sum_without_checksum(footer, (size_t)footer_len));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t half = MIN_OF(size / 2, (size_t)VHD_SECTOR);
    const uint8_t *tail = data + size - half;
    uint64_t told = half >= 56 ? number(tail + 48, 8) : 0;
    check(data, half, tail, half, size);
    check(data, half, tail, half, told + 512);
    check(data, half, tail, half, told + 511);
    return 0;
}
