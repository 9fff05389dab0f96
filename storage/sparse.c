#include "storage/sparse.h"

#include "base/attr.h"

#include <stdint.h>
#include <string.h>

/* Zero is what begins with zero and equals itself one byte further on. */
bool
sparse_is_zero(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}

/* Where the zeros that begin at `at` end, in whole units. */
static size_t
skip_zeros(const uint8_t *bytes, size_t len, size_t at)
{
    while (at < len && sparse_is_zero(bytes + at, MIN_OF(SPARSE_UNIT_BYTES, len - at))) {
        at += MIN_OF(SPARSE_UNIT_BYTES, len - at);
    }
    return at;
}

bool
sparse_next(const void *bytes, size_t len, size_t at, size_t *ret_begin, size_t *ret_end)
{
    size_t begin = skip_zeros(bytes, len, at);
    if (begin == len) {
        return false;
    }
    size_t end = begin;
    size_t next = begin;
    while (next < len && (end == begin || next - end < SPARSE_GAP_BYTES)) {
        end = next + MIN_OF(SPARSE_UNIT_BYTES, len - next);
        next = skip_zeros(bytes, len, end);
    }
    *ret_begin = begin;
    *ret_end = end;
    return true;
}
