/*
 * ingest/device/name_set.h - was there a name before that differs from this one only in upper and
 * lower case?
 *
 * Names are folded and hashed under a random seed; only the hashes are kept. Folding knows ASCII
 * and the two-byte letters of UTF-8 (Latin, Greek, Cyrillic, Armenian); other bytes stand for
 * themselves, so that what it calls equal is equal on the device as well.
 *
 *   shape    8 bytes a hash, at most NAME_SET_MAX of them; beyond that nothing is found any more
 *   owner    name_set_done() frees
 *   thread   one
 *   source   Unicode simple case folding, blocks U+0080 to U+058F
 */
#ifndef INGEST_DEVICE_NAME_SET_H
#define INGEST_DEVICE_NAME_SET_H

#include "base/text.h"
#include "ingest/device/device.h"

#define NAME_SET_MAX ((size_t)4 << 20)

struct name_set {
    uint64_t seed;
    uint64_t *slots; /* 0: free */
    size_t room;     /* a power of two, or 0 */
    size_t count;
};

void name_set_init(struct name_set *set);
void name_set_done(struct name_set *set);
void name_set_clear(struct name_set *set);
/* True: an equal one is there. */
bool name_set_add(struct name_set *set, struct slice name);

/* Append the folded name; what is compared. */
void name_fold(struct slice name, struct text *out);

#endif
