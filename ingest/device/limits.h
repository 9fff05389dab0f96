/*
 * ingest/device/limits.h - how much and how large, per SKU and version of the documentation.
 *
 * Data, not code: a new version is a new row.
 *
 *   units    bytes, counts
 *   errors   ERR_USAGE of limits_choose()
 *   source   Data Box limits, Data Box Heavy limits, Data Box Disk limits
 */
#ifndef INGEST_DEVICE_LIMITS_H
#define INGEST_DEVICE_LIMITS_H

#include "base/err.h"
#include "ingest/device/device.h"

#include <stdint.h>

struct device_limits {
    enum device_sku sku;
    enum device_model model;                   /* CLASSIC but for SKU databox */
    const char *version;                       /* of the documentation, "2025-01" */
    uint64_t item_bytes_max[SHARE_KIND_COUNT]; /* of managed disks: of the disk, without footer */
    uint64_t page_alignment;                   /* 512 */
    uint64_t share_bytes_max;                  /* of one file share; 0: not checked */
    uint64_t share_bytes_max_large;            /* with large file shares enabled, or premium */
    uint64_t account_bytes_max;                /* of all file shares of a premium account */
    uint64_t disk_bytes_min, disk_bytes_max;   /* of a VHD file that becomes a managed disk */
    uint64_t files_max;
    unsigned containers_max; /* containers and shares together */
    unsigned accounts_max;
};

/* The newest row of the SKU's first model. */
const struct device_limits *limits_of(enum device_sku sku);
/* The newest row of the model. ERR_USAGE: the SKU has no such model. */
MUST_USE enum err_code limits_choose(enum device_sku sku, enum device_model model,
                                     const struct device_limits **ret_limits, struct err *err);
/* The model CLASSIC. NULL: no such version. */
const struct device_limits *limits_find(enum device_sku sku, const char *version);

#endif
