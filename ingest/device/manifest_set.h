/*
 * ingest/device/manifest_set.h - what a manifest says of a path, for comparing it with a tree of
 * any size in bounded memory.
 *
 * Paths are kept as 125-bit hashes under a random secret, in an open-addressed table that lies in
 * an unlinked temporary file and is mapped: a million entries are 64 MiB of page cache, not of
 * heap, and a table for 500 million files still works.
 *
 *   shape    32 bytes a slot; the table doubles when it is three quarters full, and needs half as
 *            much again while it does
 *   owner    the set
 *   thread   any number may look up at a time after the last add (marks are atomic)
 *   errors   ERR_STATE_FULL: no room for the table; ERR_CONFIG: the folder cannot be used
 */
#ifndef INGEST_DEVICE_MANIFEST_SET_H
#define INGEST_DEVICE_MANIFEST_SET_H

#include "ingest/device/manifest.h"

struct manifest_set;
struct manifest_fact {
    uint64_t size_bytes;
    uint64_t crc64;
    bool has_crc64;
};

/* folder: where the temporary file goes. */
MUST_USE enum err_code manifest_set_new(const char *folder, struct manifest_set **ret_set,
                                        struct err *err);
struct manifest_set *manifest_set_free(struct manifest_set *set);
/* *ret_is_new false: the path was there already, and keeps its first facts. */
MUST_USE enum err_code manifest_set_add(struct manifest_set *set,
                                        const struct manifest_entry *entry, bool *ret_is_new,
                                        struct err *err);
/* Look up and mark as seen. */
bool manifest_set_find(struct manifest_set *set, const char *path, size_t path_len,
                       struct manifest_fact *ret_fact);
bool manifest_set_was_seen(const struct manifest_set *set, const char *path, size_t path_len);
uint64_t manifest_set_count(const struct manifest_set *set);
uint64_t manifest_set_seen_count(const struct manifest_set *set);

#endif
