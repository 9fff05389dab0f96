/*
 * storage/disk.h - asynchronous file operations of one thread: io_uring, or a thread pool where
 * that is refused.
 *
 * Both kinds pass the same tests; SALLYPORT_IO=uring|threads forces one. The ring is created
 * without SQPOLL; its completion eventfd is the wake fd.
 *
 *   shape    depth ops in flight; more are queued inside
 *   owner    an op is borrowed from submit until done
 *   thread   one; the pool's helpers only execute the system call
 *   errors   a failed system call is result < 0 (-errno) of the op; submit itself cannot fail
 *   source   IORING_OP_{OPENAT2,READ,WRITE,FSYNC,CLOSE}; probed at run time (io_uring may be
 *            disabled by kernel.io_uring_disabled or seccomp)
 */
#ifndef STORAGE_DISK_H
#define STORAGE_DISK_H

#include "base/err.h"
#include "base/list.h"
#include "base/mailbox.h"

#include <stdbool.h>
#include <stdint.h>

enum disk_kind { DISK_AUTO, DISK_URING, DISK_THREADS };
enum disk_verb { DISK_OPEN, DISK_READ, DISK_WRITE, DISK_SYNC, DISK_CLOSE, DISK_VERB_COUNT };

struct disk_op;
typedef void(disk_done_fn)(struct disk_op *op);

struct disk_op {
    enum disk_verb verb;
    int fd;             /* OPEN: the folder it starts from */
    const char *path;   /* OPEN: borrowed */
    uint64_t flags;     /* OPEN: O_*, O_CLOEXEC is added */
    uint64_t resolve;   /* OPEN: RESOLVE_* of openat2 */
    uint32_t mode;      /* OPEN with O_CREAT */
    uint32_t len_bytes; /* READ, WRITE */
    void *buf;
    uint64_t offset_bytes;
    disk_done_fn *done;
    int result;       /* fd, bytes or -errno */
    struct list link; /* the disk's, from submit until done */
    struct mail mail;
};

struct disk;
MUST_USE enum err_code disk_new(enum disk_kind kind, unsigned depth, struct disk **ret_disk,
                                struct err *err);
struct disk *disk_free(struct disk *disk);           /* nothing may be in flight */
const char *disk_kind_name(const struct disk *disk); /* "io_uring", "threads" */
void disk_submit(struct disk *disk, struct disk_op *op);
/* Hand what was submitted to the kernel; before sleeping, and when a batch is complete. */
void disk_flush(struct disk *disk);
unsigned disk_poll(struct disk *disk);     /* flush, then run completions; how many ran */
int disk_wake_fd(const struct disk *disk); /* readable when disk_poll() has work */
unsigned disk_in_flight(const struct disk *disk);

/* Is io_uring usable here? ERR_UNSUPPORTED says why not. */
enum err_code disk_probe_uring(struct err *err);

#endif
