/*
 * ingest/copy/ends.h - the two ends of a copy, opened from what its options name.
 *
 *   owner    the caller closes both, also after an error
 *   thread   one; nothing is sent yet
 *   errors   ERR_USAGE: addresses that do not go together; what end_open() says
 */
#ifndef INGEST_COPY_ENDS_H
#define INGEST_COPY_ENDS_H

#include "ingest/copy/copy.h"

/* What ends that wait for a store watch and tell; constant for the copy. */
struct ends_watch {
    const atomic_int *signal;
    struct storm *storm;
};

MUST_USE enum err_code ends_open(const struct copy_options *options, const struct ends_watch *watch,
                                 struct end **ret_source, struct end **ret_target, struct err *err);

#endif
