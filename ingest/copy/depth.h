/*
 * ingest/copy/depth.h - how much a copy has going on at a time, within the limit of open files.
 *
 * A process that runs out of descriptors fails in the middle, in whatever it opens next. So what
 * lanes, requests and batches can hold open at most is reckoned before the first byte, and there
 * are fewer of them where the limit is low.
 *
 *   units    descriptors
 *   errors   ERR_CONFIG: not even one request at a time fits; names the number that would do
 */
#ifndef INGEST_COPY_DEPTH_H
#define INGEST_COPY_DEPTH_H

#include "base/err.h"

#include <stdint.h>

struct depth {
    unsigned lanes;
    unsigned in_flight; /* requests of all lanes together */
    unsigned batches;
};

/* What a copy of this depth may have open at a time, besides what is open already. */
uint64_t depth_files(const struct depth *depth);
/* Make it smaller until it fits into what `limit` leaves beside the `used` ones. */
MUST_USE enum err_code depth_fit(struct depth *depth, uint64_t limit, uint64_t used,
                                 struct err *err);
/* The same with this process's limit and what it has open. */
MUST_USE enum err_code depth_fit_process(struct depth *depth, struct err *err);

#endif
