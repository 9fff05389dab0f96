/*
 * base/crc64.h - CRC-64/NVME: the checksum of Azure Blob, S3 (CRC64NVME) and the device manifest.
 *
 *   shape    poly 0xad93d23594c93659 (reflected 0x9a6c9329ac4bc9b5), init and xorout all ones
 *   thread   any; the fastest implementation is chosen once, before main()
 *   source   check value of "123456789": 0xae8b14860a799888; published samples in tests/unit
 */
#ifndef BASE_CRC64_H
#define BASE_CRC64_H

#include <stddef.h>
#include <stdint.h>

#define CRC64_EMPTY UINT64_C(0)

/* CRC of A||bytes, where crc is the (finished) CRC of A; start with CRC64_EMPTY. */
uint64_t crc64(uint64_t crc, const void *bytes, size_t len);
/* CRC of A||B from crc(A), crc(B) and |B|. O(log len). */
uint64_t crc64_combine(uint64_t crc_a, uint64_t crc_b, uint64_t len_b);
/* CRC of len zero bytes. O(log len). */
uint64_t crc64_zeros(uint64_t len);

/* The implementations, for tests and `bench hash`; NULL function where this CPU lacks it. */
typedef uint64_t(crc64_impl_fn)(uint64_t crc, const void *bytes, size_t len);
struct crc64_impl {
    const char *name; /* "table", "clmul", "vpclmul" */
    crc64_impl_fn *fn;
};
const struct crc64_impl *crc64_impls(size_t *ret_count);
const char *crc64_impl_name(void);

#endif
