/*
 * bench/hash.h - how fast this machine computes each checksum the engine knows.
 *
 *   shape    one core, one buffer again and again: a buffer that fits a cache measures the
 *            arithmetic, a larger one what memory allows
 */
#ifndef BENCH_HASH_H
#define BENCH_HASH_H

#include "base/err.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct hash_result {
    const char *name;
    bool is_usable; /* this CPU has it */
    bool is_used;   /* it is what the engine uses here */
    double bytes_per_second;
};

#define HASH_RESULTS_MAX 16U

/* Ends early when *signal is not 0. */
MUST_USE enum err_code hash_bench(size_t buffer_bytes, int64_t each_ns, const atomic_int *signal,
                                  struct hash_result *ret_results, unsigned *ret_count,
                                  struct err *err);

#endif
