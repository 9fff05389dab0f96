/*
 * storage/many.h - several ends as one: names are KEY/REST, and REST goes to the end of that key.
 *
 * A device has a share for each account, and a copy has one target; this is that target. Keys may
 * lie in each other ("acct" and "acct/c1"): the longest that fits is taken. Nothing is copied, an
 * op's name is moved behind the key and back again.
 *
 *   shape    1 to MANY_PARTS_MAX parts; what the parts can hold is the least that any can
 *   owner    the end owns its parts' ends
 *   thread   as every end: constant after it was made
 *   errors   ERR_NAME_ILLEGAL: a name with no part; otherwise the part's own
 */
#ifndef STORAGE_MANY_H
#define STORAGE_MANY_H

#include "storage/backend.h"

/* Ten accounts of 512 containers, and two containers for the logs of each of 64 accounts. */
#define MANY_PARTS_MAX 5248U

struct many_part {
    const char *key; /* copied */
    struct end *end; /* moves, also when making fails */
};

MUST_USE enum err_code many_end_new(const struct many_part *parts, unsigned count,
                                    struct end **ret_end, struct err *err);

#endif
