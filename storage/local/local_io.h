/*
 * storage/local/local_io.h - one thread's backend of a local end: what local_backend.c,
 * local_read.c and local_write.c share.
 *
 *   owner    the backend owns its files and ops; a file is kept open for a large item until DISCARD
 */
#ifndef STORAGE_LOCAL_LOCAL_IO_H
#define STORAGE_LOCAL_LOCAL_IO_H

#include "storage/local/local.h"

/* A file open for a large item, or being opened; ops wait for it. */
struct local_file {
    struct list link;
    uint64_t item_id;
    int fd;
    bool is_opening;
    bool is_target;
    struct list waiting; /* struct local_op */
};

struct local_backend;
struct local_op {
    struct list link;
    struct disk_op disk;
    struct local_backend *backend;
    struct blob_op *op;
    struct local_file *file; /* NULL: the op's own descriptor, in disk.fd */
    int fd;
    uint32_t done_bytes;
    struct publish publish;
};

struct local_backend {
    struct backend backend;
    struct local_end *end;
    struct lane_io io;
    struct places places;
    struct index index;
    bool has_index;
    struct mailbox answers; /* from the publisher */
    struct list ready;      /* ops that ended without waiting */
    struct list free_ops;
    struct list all_ops; /* blocks of them, to free */
    struct list files;
    unsigned publishing;
};

struct local_op *local_take_op(struct local_backend *b, struct blob_op *op);
/* The op ends in the next poll (or now, from within a poll); op->err is set. */
void local_end_op(struct local_op *local);
struct local_file *local_find_file(struct local_backend *b, uint64_t item_id, bool is_target);
void local_close_file(struct local_file *file);

void local_read(struct local_op *local);
void local_write(struct local_op *local);
void local_commit(struct local_op *local);
void local_blocks(struct local_op *local);
void local_put(struct local_op *local);
void local_adopt(struct local_op *local);

#endif
