#include "storage/disk.h"

#include "storage/local/disk_kinds.h"

#include <stdlib.h>
#include <string.h>

/* SALLYPORT_IO forces a kind wherever DISK_AUTO is asked for. */
static enum err_code
choose(enum disk_kind *kind, struct err *err)
{
    const char *forced = getenv("SALLYPORT_IO"); // NOLINT(concurrency-mt-unsafe): never set by us
    if (*kind != DISK_AUTO || forced == NULL || forced[0] == '\0') {
        return ERR_OK;
    }
    if (strcmp(forced, "uring") == 0) {
        *kind = DISK_URING;
    } else if (strcmp(forced, "threads") == 0) {
        *kind = DISK_THREADS;
    } else {
        return err_set(err, ERR_CONFIG, "SALLYPORT_IO is '%s'; it must be 'uring' or 'threads'",
                       forced);
    }
    return ERR_OK;
}

enum err_code
disk_new(enum disk_kind kind, unsigned depth, struct disk **ret_disk, struct err *err)
{
    enum err_code code = choose(&kind, err);
    if (code != ERR_OK) {
        return code;
    }
    if (kind == DISK_AUTO) {
        struct err why = ERR_NONE;
        if (disk_uring_new(depth, ret_disk, &why) == ERR_OK) {
            return ERR_OK;
        }
        kind = DISK_THREADS;
    }
    return kind == DISK_URING ? disk_uring_new(depth, ret_disk, err)
                              : disk_threads_new(depth, ret_disk, err);
}

enum err_code
disk_probe_uring(struct err *err)
{
    struct disk *disk = NULL;
    enum err_code code = disk_uring_new(4, &disk, err);
    if (code == ERR_OK) {
        disk_free(disk);
    }
    return code;
}

struct disk *
disk_free(struct disk *disk)
{
    return disk == NULL ? NULL : disk->ops->free(disk);
}

const char *
disk_kind_name(const struct disk *disk)
{
    return disk->ops->name;
}

void
disk_submit(struct disk *disk, struct disk_op *op)
{
    disk->in_flight++;
    disk->ops->submit(disk, op);
}

void
disk_flush(struct disk *disk)
{
    disk->ops->flush(disk);
}

unsigned
disk_poll(struct disk *disk)
{
    return disk->ops->poll(disk);
}

int
disk_wake_fd(const struct disk *disk)
{
    return disk->wake_fd;
}

unsigned
disk_in_flight(const struct disk *disk)
{
    return disk->in_flight;
}
