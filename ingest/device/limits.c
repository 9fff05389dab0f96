#include "ingest/device/limits.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

/* "About 4.75 TiB" of the older pages: 50,000 blocks of 100 MiB. */
#define OLD_BLOCK (100 * MIB * 50000)

#define SECTOR     512
#define MILLION    ((uint64_t)1000000)
#define CONVERSION (20 * MIB), (8192 * GIB)

/* Versions of one SKU stand from old to new; the last one is the one in force. Data Box Disk's
 * newer pages name no size of a file share: what is too much goes to a second share there. */
// clang-format off
static const struct device_limits rows[] = {
/*   sku          version     none  block      page     files    disks    align   share      large share  VHD file    files          containers accounts */
    {SKU_DATABOX, "2021-01", {0,    OLD_BLOCK, 8 * TIB, 1 * TIB, 4 * TIB}, SECTOR, 5 * TIB,  100 * TIB,   CONVERSION,  500 * MILLION, 512,       10},
    {SKU_DATABOX, "2025-01", {0,    14 * TIB,  4 * TIB, 4 * TIB, 4 * TIB}, SECTOR, 5 * TIB,  100 * TIB,   CONVERSION,  500 * MILLION, 512,       10},
    {SKU_HEAVY,   "2021-06", {0,    OLD_BLOCK, 8 * TIB, 1 * TIB, 4 * TIB}, SECTOR, 5 * TIB,  100 * TIB,   CONVERSION, 1000 * MILLION, 512,       10},
    {SKU_DISK,    "2021-01", {0,    OLD_BLOCK, 8 * TIB, 1 * TIB, 4 * TIB}, SECTOR, 5 * TIB,  100 * TIB,   CONVERSION,         100000, 512,        1},
    {SKU_DISK,    "2026-04", {0,    7 * TIB,   7 * TIB, 4 * TIB, 4 * TIB}, SECTOR, 0,        0,           CONVERSION,         100000, 512,        1},
};
// clang-format on

const struct device_limits *
limits_of(enum device_sku sku)
{
    const struct device_limits *newest = NULL;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        newest = rows[i].sku == sku ? &rows[i] : newest;
    }
    ASSERT(newest != NULL);
    return newest;
}

const struct device_limits *
limits_find(enum device_sku sku, const char *version)
{
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].sku == sku && strcmp(rows[i].version, version) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}
