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

/* How far the frames of an item are in one file. */
struct local_join {
    int to; /* that file */
    uint32_t index;
    uint64_t done_bytes; /* of this frame */
};

struct local_backend;
struct local_op {
    struct list link;
    struct disk_op disk;
    struct local_backend *backend;
    struct blob_op *op;
    struct local_file *file; /* NULL: the op's own descriptor, in disk.fd */
    int fd;
    uint64_t at_bytes; /* WRITE: where in the staged file */
    uint32_t done_bytes;
    struct local_join join; /* COMMIT of an item of frames */
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
    struct list joining;    /* ops whose frames are being joined */
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

/* ---- local_write.c, for local_join.c ---- */
/* The staged file of the op's item, kept open until COMMIT or DISCARD; NULL: op->err says why. */
struct local_file *local_stage(struct local_op *local);
int local_open_staged(const struct local_op *local, char name[static LOCAL_STAGE_NAME_BYTES],
                      int flags);
/* Give the staged file its size and time, and hand it to the publisher. */
void local_publish(struct local_op *local, int fd, const char *stage_name);
void local_write_failed(struct local_op *local, int sys, const char *words);

/* ---- local_join.c ---- */
void local_join_begin(struct local_op *local);
unsigned local_join_poll(struct local_backend *b);

#endif
