/*
 * base/crc64_fold.h - CRC-64/NVME by carry-less multiplication; for base/crc64.c alone.
 *
 * Folding keeps 16-byte lanes whose distance d in the message is bridged by multiplying with
 * x^(8d+63) and x^(8d-1) modulo the polynomial (reflected; the 63 and -1 come from the reflection's
 * off-by-one). What remains of the last lane goes through the table, which costs 16 bytes' time.
 *
 *   thread   crc64_fold_init() before main(); the rest any
 *   source   Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ"
 */
#ifndef BASE_CRC64_FOLD_H
#define BASE_CRC64_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t(crc64_fold_fn)(uint64_t crc, const void *bytes, size_t len);

/* True if this CPU can multiply without carry. */
bool crc64_fold_init(crc64_fold_fn *table);
bool crc64_has_vpclmul(void);
uint64_t crc64_clmul(uint64_t crc, const void *bytes, size_t len);
uint64_t crc64_vpclmul(uint64_t crc, const void *bytes, size_t len);

#endif
