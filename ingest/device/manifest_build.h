/*
 * ingest/device/manifest_build.h - the manifests of a device tree, made as prepare-to-ship makes
 * them: one file for each share that holds data, with size and CRC-64/NVME of each of its files.
 *
 * A manifest says that a share is as it is, so one that cannot say so is not published: if a file
 * or folder of the share could not be read, or changed meanwhile, the share has no new manifest (an
 * older one stays as it is), all its errors are told, and the other shares go on. Links and special
 * files are told and left out; the manifest is published without them.
 *
 *   shape    memory is bounded whatever the tree holds; lines are in one order, so that two runs
 *            over the same tree give the same bytes
 *   units    bytes, nanoseconds
 *   thread   one call blocks until all is done; callbacks come from within, on the same thread
 *   durable  a manifest is synced under another name (NAME.partial), then renamed, then the folder
 *            is synced; what is in the folder is whole
 *   errors   ERR_INTERRUPTED: the signal was not 0; whole manifests of shares before it stay
 *            ERR_STORE_FULL, ERR_STORE_READ_ONLY, ...: the manifests' folder cannot be written
 *            ERR_RUNNING: another run writes into the same folder
 *            ERR_NOTHING: there is no file in any share
 *   source   Data Box logs page, "Bill of materials"; names by manifest_file_name()
 */
#ifndef INGEST_DEVICE_MANIFEST_BUILD_H
#define INGEST_DEVICE_MANIFEST_BUILD_H

#include "base/clock.h"
#include "ingest/device/manifest.h"

#include <stdatomic.h>

#define MANIFEST_FOLDER "BOM" /* at the root of a device */

/* One manifest that was published. */
struct manifest_written {
    const char *path; /* with the folder, as the caller named it */
    const char *share;
    uint64_t items;
    uint64_t bytes;
};

struct manifest_build_options {
    const char *root;
    const char *output; /* folder, made if missing; NULL: MANIFEST_FOLDER in root */
    struct device_options device;
    unsigned threads; /* 0: as the machine has cores */
    const struct clock *clock;
    const atomic_int *signal; /* may be NULL */
    /* What is in no manifest, and why; path is relative to root. ERR_ITEM_SPECIAL: its share has
     * one all the same. ERR_OK: an entry at the root that is no share. */
    void (*tell)(void *user, const char *path, const struct err *why);
    void (*tell_written)(void *user, const struct manifest_written *written);
    void *user;
};

struct manifest_build_result {
    uint64_t items; /* in published manifests */
    uint64_t bytes;
    uint64_t failed;
    uint64_t special;       /* links, pipes, sockets, devices: in no manifest */
    uint64_t outside;       /* entries at the root that are neither a share nor known */
    uint64_t files_written; /* manifests */
    uint64_t files_withheld;
    int64_t ns;
};

/* ret_result is filled as far as it came, also if it fails. */
MUST_USE enum err_code manifest_build(const struct manifest_build_options *options,
                                      struct manifest_build_result *ret_result, struct err *err);

#endif
