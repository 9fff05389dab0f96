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

/* What is known of an order before its device is looked at. */
struct device_options {
    enum device_sku sku;
    bool has_tiers; /* the order was placed with access-tier folders */
};

extern const char *const device_sku_names[SKU_COUNT];
bool device_sku_find(const char *name, enum device_sku *ret_sku);

#endif
