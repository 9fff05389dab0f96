#include "base/crc64.h"

#include "base/attr.h"
#include "base/crc64_fold.h"

#include <stdbool.h>
#include <string.h>

#define POLY UINT64_C(0x9a6c9329ac4bc9b5)

static uint64_t tables[8][256];
/* x^(8 * 2^i) modulo the polynomial, in reflected form. */
static uint64_t powers[64];

static struct crc64_impl impls[3];
static size_t impl_count;
static const struct crc64_impl *best;

/* Product of two polynomials modulo POLY; bit 63 is x^0. */
static uint64_t
multiply(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (unsigned i = 0; i < 64; i++) {
        if ((a >> (63 - i) & 1) != 0) {
            product ^= b;
        }
        b = (b & 1) != 0 ? b >> 1 ^ POLY : b >> 1;
    }
    return product;
}

/* x^(8 * len) modulo POLY: the effect of len zero bytes. */
static uint64_t
shift_of(uint64_t len)
{
    uint64_t product = UINT64_C(1) << 63;
    for (unsigned i = 0; len != 0; i++, len >>= 1) {
        if ((len & 1) != 0) {
            product = multiply(product, powers[i]);
        }
    }
    return product;
}

static uint64_t
crc64_table(uint64_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    while (len >= 8) {
        uint64_t word = 0;
        memcpy(&word, at, 8);
        word ^= crc;
        crc = 0;
        for (unsigned i = 0; i < 8; i++) {
            crc ^= tables[7 - i][word >> (8 * i) & 255];
        }
        at += 8;
        len -= 8;
    }
    for (; len > 0; len--, at++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 255];
    }
    return ~crc;
}

__attribute__((constructor)) static void
choose(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t crc = i;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ POLY : crc >> 1;
        }
        tables[0][i] = crc;
    }
    for (unsigned t = 1; t < 8; t++) {
        for (unsigned i = 0; i < 256; i++) {
            tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
        }
    }
    powers[0] = UINT64_C(1) << (63 - 8);
    for (unsigned i = 1; i < 64; i++) {
        powers[i] = multiply(powers[i - 1], powers[i - 1]);
    }
    impls[impl_count++] = (struct crc64_impl){"table", crc64_table};
    if (crc64_fold_init(crc64_table)) {
        impls[impl_count++] = (struct crc64_impl){"clmul", crc64_clmul};
        if (crc64_has_vpclmul()) {
            impls[impl_count++] = (struct crc64_impl){"vpclmul", crc64_vpclmul};
        }
    }
    best = &impls[impl_count - 1];
}

uint64_t
crc64(uint64_t crc, const void *bytes, size_t len)
{
    return best->fn(crc, bytes, len);
}

uint64_t
crc64_combine(uint64_t crc_a, uint64_t crc_b, uint64_t len_b)
{
    return multiply(shift_of(len_b), crc_a) ^ crc_b;
}

uint64_t
crc64_zeros(uint64_t len)
{
    return ~multiply(shift_of(len), ~CRC64_EMPTY);
}

const struct crc64_impl *
crc64_impls(size_t *ret_count)
{
    *ret_count = impl_count;
    return impls;
}

const char *
crc64_impl_name(void)
{
    return best->name;
}
