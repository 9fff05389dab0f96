/*
 * ingest/copy/scan.h - walks the source, decides for each entry, and fills batches.
 *
 * Everything found ends in a batch, also what is skipped or fails, so that accounting happens in
 * one place. Whether an item needs copying is decided here if it can be without asking the target:
 * by the plan of an earlier run, or by a listing of the target (known.h); else the lane asks.
 *
 *   shape    memory is bounded by the batches it is given; names by the arena of their batch
 *   thread   one; scan_turn() blocks only in the lister
 *   errors   what ends the whole scan is in struct scan's err when it posts MAIL_STOPPED
 */
#ifndef INGEST_COPY_SCAN_H
#define INGEST_COPY_SCAN_H

#include "ingest/copy/copy.h"
#include "ingest/copy/known.h"
#include "ingest/copy/plan.h"

#define SCAN_HELD_MAX 8

struct scan_options {
    const struct copy_options *copy;
    struct end *source;
    struct end *target;
    const char *nonce;
    const char *plan_path;
    const char *known_path;
    struct mailbox *control;
    bool is_resumed;
    bool is_fresh;        /* the target was made by this run: nothing is there */
    size_t block_largest; /* the largest buffer a lane can give */
};

struct scan {
    struct scan_options options;
    struct mailbox mailbox; /* empty batches, and MAIL_STOP */
    struct list free_batches;
    struct list held; /* full batches, while it is open how the target is asked */
    unsigned held_count;
    struct batch *filling;
    struct lister *lister;
    struct plan_reader reader;
    bool has_reader;
    struct known known;
    bool has_known;
    bool is_deciding; /* batches are held */
    bool asks_each;   /* lanes ask the target for every item */
    bool is_stopping;
    bool is_stopped;
    uint64_t next_item_id;
    atomic_uint_least64_t items;
    atomic_uint_least64_t bytes;
    atomic_uint_least64_t folders_empty;
    atomic_uint_least64_t folders_kept; /* of them */
    atomic_uint_least64_t encoded; /* items that stay compressed, though not by us, in a folder */
    struct mail stop;              /* control's, to us */
    struct mail stopped;           /* ours, to control */
    struct err err;
};

MUST_USE enum err_code scan_init(struct scan *scan, const struct scan_options *options,
                                 struct err *err);
void scan_done(struct scan *scan);
/* Fill and post what can be; true if it did anything. */
bool scan_turn(struct scan *scan);
void *scan_run(void *scan);
/* The one place where an item's type is chosen: a page blob stays one where there are any, and
 * everything else becomes a block blob. */
enum blob_type scan_type(const struct end *source, const struct end *target,
                         const struct blob_props *props);
/* Can an item of this type have this size? ERR_ITEM_ALIGNMENT, ERR_ITEM_TOO_LARGE. */
MUST_USE enum err_code scan_check_type(enum blob_type type, const struct end_caps *caps,
                                       uint64_t size_bytes, struct err *err);
/* Blocks of an item of this size. ERR_ITEM_TOO_LARGE names what would do. */
MUST_USE enum err_code scan_block_bytes(const struct copy_options *copy,
                                        const struct end_caps *caps, size_t block_largest,
                                        uint64_t size_bytes, uint32_t *ret_block_bytes,
                                        struct err *err);

#endif
