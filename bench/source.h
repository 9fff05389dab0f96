/*
 * bench/source.h - reads a tree as a copy would, and drops what it read: what the disk's share of a
 * copy costs.
 *
 *   shape    `lanes` threads, each with its own disk and backend; files larger than a block are
 *            read in blocks; at most memory_bytes are in buffers
 *   errors   an item that cannot be read is counted and the rest is read on
 */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include "base/config.h"
#include "base/err.h"
#include "bench/figures.h"
#include "storage/disk.h"

#include <stdatomic.h>

struct source_options {
    const char *path;
    enum disk_kind disk;
    unsigned lanes;
    unsigned in_flight; /* of all lanes together */
    uint64_t block_bytes;
    uint64_t memory_bytes;
    bool is_cold; /* drop each file from the page cache first */
    const struct config *config;
    const atomic_int *signal;
};

struct source;

MUST_USE enum err_code source_open(const struct source_options *options, struct source **ret_source,
                                   struct figures *ret_scan, struct err *err);
MUST_USE enum err_code source_read(struct source *source, struct figures *ret_figures,
                                   struct err *err);
const char *source_disk_name(const struct source *source); /* "io_uring", "threads" */
/* The first item that failed; ERR_OK if none did. */
const struct err *source_failure(const struct source *source);
struct source *source_close(struct source *source); /* takes NULL */

#endif
