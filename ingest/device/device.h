/*
 * ingest/device/device.h - the words for what lies on a shipped device: SKUs, kinds of shares.
 *
 * Paths of a device tree are relative to its root, with '/', as bytes: "acct_BlockBlob/c1/a.txt".
 * They are the customer's and hostile: any byte but NUL, any length.
 *
 *   shape    pure values, nothing to free
 *   source   Data Box documentation: shares, access-tier folders, Data Box Disk folders
 */
#ifndef INGEST_DEVICE_DEVICE_H
#define INGEST_DEVICE_DEVICE_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// clang-format off
#define DEVICE_SKU_MAP(X) X(DATABOX, "databox") X(HEAVY, "heavy") X(DISK, "disk")
/* Of SKU databox: the first generation, and the models of the second by their terabytes. */
#define DEVICE_MODEL_MAP(X) X(CLASSIC, "classic") X(120, "120") X(525, "525")
/*    id      words in messages  suffix of a box's share  top folder of a disk */
#define SHARE_KIND_MAP(X)                                                                          \
    X(NONE,  "none",            "",                      "")                                       \
    X(BLOCK, "block blobs",     "_BlockBlob",            "BlockBlob")                              \
    X(PAGE,  "page blobs",      "_PageBlob",             "PageBlob")                               \
    X(FILES, "file shares",     "_AzFile",               "AzureFile")                              \
    X(DISKS, "managed disks",   "_MDisk",                "ManagedDisk")
// clang-format on
#define DEVICE_AS_SKU(id, name) SKU_##id,
enum device_sku { DEVICE_SKU_MAP(DEVICE_AS_SKU) SKU_COUNT };
#define DEVICE_AS_MODEL(id, name) MODEL_##id,
enum device_model { DEVICE_MODEL_MAP(DEVICE_AS_MODEL) MODEL_COUNT };
#define DEVICE_AS_SHARE(id, words, suffix, folder) SHARE_##id,
enum share_kind { SHARE_KIND_MAP(DEVICE_AS_SHARE) SHARE_KIND_COUNT };

/* Some bytes of a longer text. Not NUL terminated. */
struct slice {
    const char *at;
    size_t len;
};

/* What stands at a path, as a walk sees it without following anything. */
enum entry_what {
    WHAT_FILE,
    WHAT_FOLDER,
    WHAT_SPECIAL,    /* link, pipe, socket, device */
    WHAT_UNREADABLE, /* the file system refuses to show it */
};

/* How much the accounts' file shares may hold. */
enum file_shares {
    FILE_SHARES_STANDARD,
    FILE_SHARES_LARGE,   /* large file shares are enabled on the accounts */
    FILE_SHARES_PREMIUM, /* FileStorage: the account as a whole has a limit besides */
};

/* What is known of an order before its device is looked at. */
struct device_options {
    enum device_sku sku;
    bool has_tiers; /* the order was placed with access-tier folders */
    enum file_shares file_shares;
};

extern const char *const device_sku_names[SKU_COUNT];
extern const char *const device_model_names[MODEL_COUNT];
bool device_sku_find(const char *name, enum device_sku *ret_sku);

#endif
