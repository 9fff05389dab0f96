/*
 * bench/send.h - bodies from memory to our own sink through the program's HTTP client: what the
 * network's share of a copy costs, without disks.
 *
 *   shape    `lanes` threads with a transport each; every body is a Put Blob with its CRC-64
 */
#ifndef BENCH_SEND_H
#define BENCH_SEND_H

#include "base/config.h"
#include "base/err.h"
#include "bench/figures.h"

#include <stdatomic.h>

struct send_options {
    unsigned port; /* of the sink, on loopback */
    unsigned run;  /* part of the blobs' names */
    uint64_t body_bytes;
    uint64_t count;
    unsigned in_flight; /* of all lanes together */
    unsigned lanes;
    const struct config *config;
    const atomic_int *signal; /* ends early when it is not 0 */
};

MUST_USE enum err_code send_bench(const struct send_options *options, struct figures *ret_figures,
                                  struct err *err);

#endif
