/*
 * storage/sparse.h - where in a buffer there is something else than zeros.
 *
 * Only what is not zero is worth sending or writing, but every stretch costs a request or a call of
 * its own. So zeros within data are left out from SPARSE_GAP_BYTES on only, and those before and
 * after it, which cost nothing, by SPARSE_UNIT_BYTES.
 *
 *   units    bytes, from the beginning of the buffer
 *   source   SPARSE_UNIT_BYTES: the block of most file systems, also of those inside disk images.
 *            SPARSE_GAP_BYTES: sent at 1 Gbit/s they take half a millisecond, about what a request
 *            takes at the least; files of zeros and data by turns of 4 KiB would otherwise be sent
 *            in 512 requests for 4 MiB
 */
#ifndef STORAGE_SPARSE_H
#define STORAGE_SPARSE_H

#include <stdbool.h>
#include <stddef.h>

#define SPARSE_UNIT_BYTES ((size_t)4096)
#define SPARSE_GAP_BYTES  ((size_t)65536)

bool sparse_is_zero(const void *bytes, size_t len);
/* The first stretch of data at or after `at`; false: all the rest is zero. It begins at `at` or
 * whole units after it, and ends so too, or with the buffer. */
bool sparse_next(const void *bytes, size_t len, size_t at, size_t *ret_begin, size_t *ret_end);

#endif
