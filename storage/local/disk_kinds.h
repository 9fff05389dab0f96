/*
 * storage/local/disk_kinds.h - what the two kinds of struct disk implement; for disk.c alone.
 *
 *   owner    struct disk is embedded first in each kind's own struct
 */
#ifndef STORAGE_LOCAL_DISK_KINDS_H
#define STORAGE_LOCAL_DISK_KINDS_H

#include "storage/disk.h"

struct disk_ops {
    const char *name;
    void (*submit)(struct disk *disk, struct disk_op *op);
    void (*flush)(struct disk *disk);
    unsigned (*poll)(struct disk *disk);
    struct disk *(*free)(struct disk *disk);
};

struct disk {
    const struct disk_ops *ops;
    int wake_fd;
    unsigned in_flight; /* accepted and not completed */
};

MUST_USE enum err_code disk_uring_new(unsigned depth, struct disk **ret_disk, struct err *err);
MUST_USE enum err_code disk_threads_new(unsigned depth, struct disk **ret_disk, struct err *err);

#endif
