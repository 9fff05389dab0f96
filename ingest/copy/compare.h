/*
 * ingest/copy/compare.h - may an item be left as it is, going by what the target has?
 *
 *   thread   any
 *   source   interface: --overwrite
 */
#ifndef INGEST_COPY_COMPARE_H
#define INGEST_COPY_COMPARE_H

#include "ingest/copy/copy.h"

enum target_says {
    TARGET_COPY,    /* store it */
    TARGET_SAME,    /* the target has it */
    TARGET_KEEP,    /* the target has something that is to stay */
    TARGET_COMPARE, /* read it: equal CRCs mean the same */
    TARGET_ADOPT,   /* the same, but the target has no CRC either: it has to read what it has */
};

enum target_says item_compare(const struct copy_options *options, const char *nonce,
                              const struct item *item, const struct blob_props *target);

/* For SAME and KEEP: the item ends as unchanged, as resumed (our job stored it), or as skipped. */
void item_settle(struct batch *batch, struct item *item, enum target_says says,
                 const struct blob_props *target, const char *etag, const char *nonce);

/* Does the checksum fit what a manifest says of the item? Noted in the item; false: *err says how
 * they differ. True where there is no manifest. */
bool item_fits_manifest(struct item *item, uint64_t crc64, struct err *err);

#endif
