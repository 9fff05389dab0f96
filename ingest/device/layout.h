/*
 * ingest/device/layout.h - where on a device a path lies: share, tier, container, item.
 *
 * The documented folders of each SKU as tables. Nothing is judged here but the place itself: names,
 * sizes and policies are judge.c's.
 *
 *   shape    slices and texts of a place point into the path it was made of, or to constants
 *   thread   any
 *   errors   none: any path has a place; what is wrong with it is in `finding`
 *   source   Data Box: shares, access-tier folders; Data Box Disk: folders (docs/DEVICES.md)
 */
#ifndef INGEST_DEVICE_LAYOUT_H
#define INGEST_DEVICE_LAYOUT_H

#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"
#include "storage/backend.h"

struct place {
    bool is_no_data;           /* BOM and what file systems keep for themselves */
    enum share_kind kind;      /* NONE: outside shares */
    struct slice share;        /* "acct_BlockBlob"; of length 0 outside shares */
    struct slice account;      /* "acct"; of length 0 on a disk */
    const char *below;         /* below the share; "" for the share itself and outside shares */
    enum blob_tier tier;       /* of the folder it lies in */
    struct slice container;    /* of length 0: none is told, see the flags */
    bool is_root;              /* a disk's item without a container: "$root" */
    bool is_default_share;     /* a disk's file without a share */
    bool is_disk_folder;       /* container is a tier folder of managed disks */
    const char *item;          /* below the container; "" for folders above it */
    enum finding_code finding; /* what is wrong with this place; NONE */
};

void layout_place(const struct device_options *options, const char *path, enum entry_what what,
                  struct place *ret_place);
/* "PremiumSSD" and "Premium SSD" are "premiumssd"; NULL: no tier folder of managed disks. */
const char *layout_disk_container(struct slice folder);

#endif
