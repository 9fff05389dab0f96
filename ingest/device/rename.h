/*
 * ingest/device/rename.h - the names that illegal names get: deterministic, so that a copy that is
 * resumed or repeated gives the same, and reversible through the receipt and the logs.
 *
 *   shape    container, share: "databox-" and 32 hex digits; blob: "BlockBlob/DataBox-0x" (or
 *            "PageBlob/...", "AzureFile/...", "ManagedDisk/...") and 64 hex digits
 *   owner    out is the caller's text, cleared first
 *   thread   any
 *   source   Data Box copy log: ContainerRenamed, BlobRenamed; SHA-256 of the original's raw bytes
 *            (a blob's: of its path below the container)
 */
#ifndef INGEST_DEVICE_RENAME_H
#define INGEST_DEVICE_RENAME_H

#include "base/err.h"
#include "base/text.h"
#include "ingest/device/device.h"

MUST_USE enum err_code rename_container(struct slice original, struct text *out, struct err *err);
MUST_USE enum err_code rename_item(enum share_kind kind, struct slice original, struct text *out,
                                   struct err *err);
/* ASCII only. */
void rename_lower(struct slice original, struct text *out);

#endif
