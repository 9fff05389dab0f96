/*
 * ingest/device/sum_pool.h - CRC-64/NVME of many files at once, answered in the order they came in.
 *
 * Small files are dealt to threads in handfuls. A large one is cut in pieces that all threads take
 * part in: the CRC of a piece is moved by the bytes behind it and added (XOR), so pieces may be
 * ready in any order and nothing is kept of them. Holes are computed, not read.
 *
 *   shape    so many files and folders are open or waiting as SUM_BATCHES of SUM_FILES; the caller
 *            waits when there is no room, and is told the oldest
 *   owner    the pool keeps the folder of each file open until it is told
 *   thread   all calls from one; the callback comes from within them
 *   errors   of a file: in its answer. When the signal is not 0, what is left is answered with
 *            ERR_INTERRUPTED, quickly
 */
#ifndef INGEST_DEVICE_SUM_POOL_H
#define INGEST_DEVICE_SUM_POOL_H

#include "ingest/device/sorted_walk.h"

#define SUM_BATCHES     16U
#define SUM_FILES       128U
#define SUM_FOLDERS     16U /* of a batch */
#define SUM_THREADS_MAX 32U
#define SUM_PIECE_BYTES (UINT64_C(4) << 20) /* of a large file; smaller ones are not cut */
#define SUM_READ_BYTES  ((size_t)256 * 1024)

struct sum_file {
    const char *path; /* as the walk told it; until the callback returns */
    size_t path_len;
    uint64_t size_bytes;
    uint64_t crc64;
    enum err_code code; /* ERR_OK, or why there is no sum */
    int sys;
    const char *words; /* static */
};

typedef void(sum_told_fn)(void *user, const struct sum_file *file);

struct sum_options {
    unsigned threads;         /* 0: as the machine has cores */
    const atomic_int *signal; /* may be NULL */
    sum_told_fn *told;
    void *user;
};

struct sum_pool;
MUST_USE enum err_code sum_pool_new(const struct sum_options *options, struct sum_pool **ret_pool,
                                    struct err *err);
/* What has not been told is forgotten. */
struct sum_pool *sum_pool_free(struct sum_pool *pool);
/* Also entries that are no files may be added: they are told in their turn, as they are. */
void sum_pool_add(struct sum_pool *pool, const struct sorted_entry *entry);
/* Wait until all that was added has been told. */
void sum_pool_flush(struct sum_pool *pool);

#endif
