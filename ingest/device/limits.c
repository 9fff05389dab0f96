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

/* "100 TiB total per premium account; 100 GiB each reserved for copy log and audit log". */
#define PREMIUM (100 * TIB - 200 * GIB)

/* Versions of one model stand from old to new; the last one is the one in force. Data Box Disk's
 * newer pages name no size of a file share: what is too much goes to a second share there. */
// clang-format off
static const struct device_limits rows[] = {
/*   sku          model          version     none  block      page     files    disks    align   share    large share  premium  VHD file    files          containers accounts */
    {SKU_DATABOX, MODEL_CLASSIC, "2021-01", {0,    OLD_BLOCK, 8 * TIB, 1 * TIB, 4 * TIB}, SECTOR, 5 * TIB, 100 * TIB,  PREMIUM, CONVERSION,  500 * MILLION, 512,       10},
    {SKU_DATABOX, MODEL_CLASSIC, "2025-01", {0,    14 * TIB,  4 * TIB, 4 * TIB, 4 * TIB}, SECTOR, 5 * TIB, 100 * TIB,  PREMIUM, CONVERSION,  500 * MILLION, 512,       10},
    {SKU_DATABOX, MODEL_120,     "2025-01", {0,    14 * TIB,  4 * TIB, 4 * TIB, 4 * TIB}, SECTOR, 5 * TIB, 100 * TIB,  PREMIUM, CONVERSION,  500 * MILLION, 512,       10},
    {SKU_DATABOX, MODEL_525,     "2025-01", {0,    14 * TIB,  4 * TIB, 4 * TIB, 4 * TIB}, SECTOR, 5 * TIB, 100 * TIB,  PREMIUM, CONVERSION, 1000 * MILLION, 512,       10},
    {SKU_HEAVY,   MODEL_CLASSIC, "2021-06", {0,    OLD_BLOCK, 8 * TIB, 1 * TIB, 4 * TIB}, SECTOR, 5 * TIB, 100 * TIB,  PREMIUM, CONVERSION, 1000 * MILLION, 512,       10},
    {SKU_DISK,    MODEL_CLASSIC, "2021-01", {0,    OLD_BLOCK, 8 * TIB, 1 * TIB, 4 * TIB}, SECTOR, 5 * TIB, 100 * TIB,  PREMIUM, CONVERSION,         100000, 512,        1},
    {SKU_DISK,    MODEL_CLASSIC, "2026-04", {0,    7 * TIB,   7 * TIB, 4 * TIB, 4 * TIB}, SECTOR, 0,       0,          0,       CONVERSION,         100000, 512,        1},
};
// clang-format on

static const struct device_limits *
newest(enum device_sku sku, enum device_model model)
{
    const struct device_limits *row = NULL;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        row = rows[i].sku == sku && rows[i].model == model ? &rows[i] : row;
    }
    return row;
}

const struct device_limits *
limits_of(enum device_sku sku)
{
    const struct device_limits *row = newest(sku, MODEL_CLASSIC);
    ASSERT(row != NULL);
    return row;
}

enum err_code
limits_choose(enum device_sku sku, enum device_model model, const struct device_limits **ret_limits,
              struct err *err)
{
    const struct device_limits *row = newest(sku, model);
    if (row == NULL) {
        return err_set(err, ERR_USAGE, "--model %s is one of --sku databox, not of %s",
                       device_model_names[model], device_sku_names[sku]);
    }
    *ret_limits = row;
    return ERR_OK;
}

const struct device_limits *
limits_find(enum device_sku sku, const char *version)
{
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].sku == sku && rows[i].model == MODEL_CLASSIC &&
            strcmp(rows[i].version, version) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}
