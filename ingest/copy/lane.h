/*
 * ingest/copy/lane.h - one thread that brings items from source to target, and the blocks it moves.
 *
 * A lane shares nothing: it has its own disk ring, transport, backends, buffers and blocks, and
 * meets other threads only through mailboxes. It takes batches of small items, which it finishes
 * alone, and orders for single blocks of large items. lane_turn() never blocks, so that a
 * simulation can step many lanes on one thread; lane_run() is the thread around it, with one wait.
 *
 *   shape    block_count blocks, of which at most `window` hold buffers at a time
 *   owner    the lane owns its io; batches and orders are its own until it posts them back
 *   thread   the lane's, but lane_post() and the figures, which are atomics with one writer
 *   errors   a block's error ends its item (class ITEM), or the lane starts nothing new and
 *            control, which sees the item come back undone with the error, stops the copy
 *            (other classes)
 */
#ifndef INGEST_COPY_LANE_H
#define INGEST_COPY_LANE_H

#include "base/fsm.h"
#include "base/ticket.h"
#include "ingest/copy/compare.h"
#include "ingest/copy/copy.h"
#include "ingest/copy/item.h"
#include "ingest/copy/window.h"
#include "storage/disk.h"
#include "storage/http/transport.h"

#define BLOCK_STATE_MAP(X)                                                                         \
    X(NONE)                                                                                        \
    X(ASKING) /* what has the target? */                                                           \
    X(WAIT_BUFFER)                                                                                 \
    X(READING)                                                                                     \
    X(HASHING)                                                                                     \
    X(ADOPTING) /* has the target these bytes, without knowing it? */                              \
    X(SENDING)                                                                                     \
    X(COMMITTING)                                                                                  \
    X(STORED)                                                                                      \
    X(FAILED)
#define BLOCK_EVENT_MAP(X)                                                                         \
    X(ASK) X(START) X(BUFFER) X(READ) X(HASHED) X(SAME) X(SENT) X(COMMIT) X(MORE) X(DONE) X(FAIL)
#define BLOCK_AS_STATE(id) BLOCK_##id,
#define BLOCK_AS_EVENT(id) BLOCK_EV_##id,
enum block_state { BLOCK_STATE_MAP(BLOCK_AS_STATE) BLOCK_STATE_COUNT };
enum block_event { BLOCK_EVENT_MAP(BLOCK_AS_EVENT) BLOCK_EVENT_COUNT };
extern const struct fsm block_fsm;

struct lane_figures {
    atomic_uint_least64_t bytes_sent;
    atomic_uint_least64_t requests;
    atomic_uint_least64_t throttled;
    atomic_uint_least64_t moved; /* what long ops of backends tell of themselves */
    atomic_int_least64_t read_ns, hash_ns, send_ns, store_ns, throttled_ns;
};

struct lane;
struct block {
    enum block_state state;
    bool holds_window;
    bool may_compare_crc; /* same size at the target, other time: equal CRCs mean the same */
    bool may_adopt;       /* same size at the target, which knows nothing else of it */
    struct list link;     /* free, waiting to submit, or in flight */
    struct lane *lane;
    struct backend *at; /* which has the op, if any has */
    struct batch *batch;
    struct item *item;
    struct order *order; /* NULL: a small item's only block */
    uint32_t block_index;
    uint64_t offset_bytes;
    uint32_t len_bytes;
    bool is_zero;
    uint32_t sent_bytes; /* what is sent: the block, or its frame */
    uint64_t sent_crc64;
    bool is_packed; /* what is sent is a frame */
    uint64_t crc64;
    uint64_t target_crc64;
    uint8_t xxh3[XXH3_BYTES];
    uint8_t md5[MD5_BYTES];
    enum blob_checked read_checked;
    struct block_digest *digest; /* ORDER_DIGEST: what has been read so far */
    struct block_sample *sample; /* ORDER_SAMPLE: likewise */
    enum blob_cond cond;
    char cond_etag[BLOB_ETAG_BYTES];
    int64_t began_ns;
    struct ticket ticket;
    struct blob_props props;
    struct blob_op op;
};

struct lane_options {
    const struct copy_options *copy;
    const struct clock *clock;
    const char *nonce;
    uint64_t run; /* which run of the plan: staged files of an earlier one are not met again */
    struct end *source;
    struct end *target;
    struct mailbox *control;
    unsigned window;        /* blocks with buffers at most */
    unsigned window_blocks; /* of large items, to begin with */
    unsigned block_count;
    size_t pool_bytes;
};

struct lane {
    unsigned index;
    struct lane_options options;
    struct mailbox mailbox;
    struct disk *disk;      /* NULL in simulations */
    struct transport *http; /* NULL if both ends are local */
    struct backend *source;
    struct backend *target;
    struct packer *packer; /* NULL: nothing is compressed */
    struct pool *pool;
    struct block *blocks;
    struct list free_blocks;
    struct list to_submit; /* the backend was busy, or the buffer has just come */
    struct list in_flight;
    struct list arrived; /* read from a store, and not hashed yet */
    struct list batches; /* with items not begun */
    struct list orders;  /* not begun */
    unsigned out_batches;
    unsigned used_blocks;
    unsigned active;        /* blocks that hold or wait for a buffer */
    unsigned active_blocks; /* of them, of large items */
    struct window window;
    bool asks_ahead; /* a store is asked for more before what it has sent is hashed and written */
    bool is_halted;  /* an error that is not an item's */
    bool is_stopping;
    bool is_cancelled;
    bool is_stopped;
    int64_t cancel_ns;
    struct err halt;
    struct mail stop;    /* control's, to us */
    struct mail stopped; /* ours, to control */
    struct lane_figures figures;
};

MUST_USE enum err_code lane_init(struct lane *lane, unsigned index,
                                 const struct lane_options *options, struct err *err);
/* All of them move to the lane and end with it; each may be NULL when opening it failed. */
void lane_open(struct lane *lane, struct disk *disk, struct transport *http, struct backend *source,
               struct backend *target);
void lane_set_packer(struct lane *lane, struct packer *packer); /* likewise */
void lane_done(struct lane *lane);
unsigned lane_turn(struct lane *lane);
int64_t lane_next_timer_ns(struct lane *lane);
void *lane_run(void *lane); /* struct lane *; a thread's body */

/* ---- block.c, for lane.c ---- */
struct block *block_take(struct lane *lane, struct batch *batch, struct item *item);
void block_start(struct block *block);
void block_hash(struct block *block); /* what has arrived; goes on with sending it */
/* ---- block_digest.c, for block.c ---- */
MUST_USE enum err_code block_digest_begin(struct block *block, struct err *err);
/* Take in what was read; true if there is more to read, and the block is set to read it. */
bool block_digest_add(struct block *block);
void block_digest_done(struct block *block); /* takes a block that has none */

/* ---- block_pack.c, for block.c ---- */
/* Is the item read by one op? Not if its frames are no shorter than itself, which is rare: then
 * they do not fit behind it. */
bool block_reads_whole(const struct block *block);
/* How large a buffer the block needs for all that is done in it. */
size_t block_room_bytes(const struct block *block);
/* What is sent of a block that was hashed: its frame, if that is wanted and pays. */
void block_pack(struct block *block);
void block_sample_begin(struct block *block);
bool block_sample_add(struct block *block); /* as block_digest_add() */
void block_sample_done(struct block *block);

/* ---- block.c, for lane.c ---- */
void block_resubmit(struct block *block);
void block_fail(struct block *block, const struct err *err);

/* ---- block.c and block_store.c, for each other ---- */
void block_step(struct block *block, enum block_event event);
void block_submit(struct block *block, enum blob_verb verb, blob_done_fn *done);
/* Take the block off the in-flight list and account the time since it was submitted. */
struct block *block_take_answer(struct blob_op *op);
bool block_failed(struct block *block); /* true: the op had failed, and the block has ended */
void block_release(struct block *block);
void block_end(struct block *block);
void block_send(struct block *block);
void block_commit(struct block *block, uint32_t block_count);
void block_adopt(struct block *block);

static inline void
lane_add(atomic_uint_least64_t *figure, uint64_t value)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + value,
                          memory_order_relaxed);
}

static inline void
lane_add_ns(atomic_int_least64_t *figure, int64_t value)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + value,
                          memory_order_relaxed);
}

/* ---- lane.c, for block.c ---- */
void lane_block_ended(struct lane *lane, struct block *block);
void lane_answered(struct lane *lane, const struct blob_op *op);

#endif
