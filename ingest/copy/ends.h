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
/* Several ends as one (storage/many.h), each opened as end says; none may be source or lie in it.
 * source NULL: there is none. */
MUST_USE enum err_code ends_open_parts(const struct copy_part *parts, unsigned count,
                                       const struct end_options *end, const struct end *source,
                                       struct end **ret_end, struct err *err);

#endif
