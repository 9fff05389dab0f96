#include "base/crc64_fold.h"

#include <string.h>

static crc64_fold_fn *finish_table;

#if defined(__x86_64__)
#include <immintrin.h>

#define POLY UINT64_C(0x9a6c9329ac4bc9b5)

/* Multipliers for a distance of 16, 64 and 256 bytes: { for the low half, for the high half }. */
static uint64_t fold_16[2];
static uint64_t fold_64[2];
static uint64_t fold_256[2];
static uint64_t tail_48[2]; /* 48 and 32 bytes: lanes of one 64-byte register */
static uint64_t tail_32[2];

/* x^n modulo the polynomial, reflected. */
static uint64_t
power(unsigned n)
{
    uint64_t value = UINT64_C(1) << 63;
    for (unsigned i = 0; i < n; i++) {
        value = (value & 1) != 0 ? value >> 1 ^ POLY : value >> 1;
    }
    return value;
}

static void
set_fold(uint64_t fold[2], unsigned distance_bytes)
{
    fold[0] = power(8 * distance_bytes + 63);
    fold[1] = power(8 * distance_bytes - 1);
}

bool
crc64_fold_init(crc64_fold_fn *table)
{
    finish_table = table;
    set_fold(fold_16, 16);
    set_fold(fold_64, 64);
    set_fold(fold_256, 256);
    set_fold(tail_48, 48);
    set_fold(tail_32, 32);
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

bool
crc64_has_vpclmul(void)
{
    return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw");
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i
load(const void *at)
{
    __m128i value;
    memcpy(&value, at, sizeof value);
    return value;
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i
fold(__m128i lane, __m128i by, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* The last lane, as 16 bytes of message, and the rest, by table with a register of zero. */
static uint64_t
finish(__m128i lane, const unsigned char *rest, size_t len)
{
    unsigned char bytes[16];
    memcpy(bytes, &lane, sizeof bytes);
    return finish_table(finish_table(~UINT64_C(0), bytes, sizeof bytes), rest, len);
}

__attribute__((target("pclmul,sse4.1"))) uint64_t
crc64_clmul(uint64_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    if (len < 128) {
        return finish_table(crc, bytes, len);
    }
    __m128i by_64 = load(fold_64);
    __m128i by_16 = load(fold_16);
    __m128i lanes[4];
    for (unsigned i = 0; i < 4; i++) {
        lanes[i] = load(at + (size_t)16 * i);
    }
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128((long long)~crc));
    at += 64;
    len -= 64;
    for (; len >= 64; at += 64, len -= 64) {
        for (unsigned i = 0; i < 4; i++) {
            lanes[i] = fold(lanes[i], by_64, load(at + (size_t)16 * i));
        }
    }
    for (unsigned i = 1; i < 4; i++) {
        lanes[i] = fold(lanes[i - 1], by_16, lanes[i]);
    }
    for (; len >= 16; at += 16, len -= 16) {
        lanes[3] = fold(lanes[3], by_16, load(at));
    }
    return finish(lanes[3], at, len);
}

#define WIDE __attribute__((target("vpclmulqdq,avx512f,avx512bw,pclmul,sse4.1")))

WIDE static inline __m512i
load_wide(const void *at)
{
    return _mm512_loadu_si512(at);
}

WIDE static inline __m512i
fold_wide(__m512i lanes, __m512i by, __m512i next)
{
    __m512i low = _mm512_clmulepi64_epi128(lanes, by, 0x00);
    __m512i high = _mm512_clmulepi64_epi128(lanes, by, 0x11);
    return _mm512_ternarylogic_epi64(low, high, next, 0x96);
}

WIDE uint64_t
crc64_vpclmul(uint64_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    if (len < 512) {
        return crc64_clmul(crc, bytes, len);
    }
    __m512i by_256 = _mm512_broadcast_i32x4(load(fold_256));
    __m512i by_64 = _mm512_broadcast_i32x4(load(fold_64));
    __m512i wide[4];
    for (unsigned i = 0; i < 4; i++) {
        wide[i] = load_wide(at + (size_t)64 * i);
    }
    wide[0] = _mm512_xor_si512(wide[0], _mm512_zextsi128_si512(_mm_cvtsi64_si128((long long)~crc)));
    at += 256;
    len -= 256;
    for (; len >= 256; at += 256, len -= 256) {
        for (unsigned i = 0; i < 4; i++) {
            wide[i] = fold_wide(wide[i], by_256, load_wide(at + (size_t)64 * i));
        }
    }
    for (unsigned i = 1; i < 4; i++) {
        wide[i] = fold_wide(wide[i - 1], by_64, wide[i]);
    }
    for (; len >= 64; at += 64, len -= 64) {
        wide[3] = fold_wide(wide[3], by_64, load_wide(at));
    }
    __m128i lane = _mm512_extracti32x4_epi32(wide[3], 3);
    lane = fold(_mm512_extracti32x4_epi32(wide[3], 2), load(fold_16), lane);
    lane = fold(_mm512_extracti32x4_epi32(wide[3], 1), load(tail_32), lane);
    lane = fold(_mm512_castsi512_si128(wide[3]), load(tail_48), lane);
    for (; len >= 16; at += 16, len -= 16) {
        lane = fold(lane, load(fold_16), load(at));
    }
    return finish(lane, at, len);
}

#else

bool
crc64_fold_init(crc64_fold_fn *table)
{
    finish_table = table;
    return false;
}

bool
crc64_has_vpclmul(void)
{
    return false;
}

uint64_t
crc64_clmul(uint64_t crc, const void *bytes, size_t len)
{
    return finish_table(crc, bytes, len);
}

uint64_t
crc64_vpclmul(uint64_t crc, const void *bytes, size_t len)
{
    return finish_table(crc, bytes, len);
}

#endif
