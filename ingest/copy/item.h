/*
 * ingest/copy/item.h - one file or blob on its way, and the batches in which items travel between
 * threads.
 *
 * A batch is the unit of hand-over: scan fills it, control deals it to a lane, the lane brings each
 * item to a final state, the plan writer records it, and the empty batch returns to scan. At every
 * moment one thread holds it; nothing in it is locked. An item of several blocks travels in a batch
 * of its own, because its blocks are spread over all lanes.
 *
 *   shape    up to BATCH_ITEMS_MAX items or BATCH_BYTES_MAX bytes of them; texts live in the
 *            batch's arena
 *   owner    whoever holds the batch; the number of batches bounds the memory of the whole copy
 *   units    bytes; wall-clock nanoseconds
 */
#ifndef INGEST_COPY_ITEM_H
#define INGEST_COPY_ITEM_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/mailbox.h"
#include "storage/backend.h"

#define BATCH_ITEMS_MAX   128
#define BATCH_BYTES_MAX   ((uint64_t)64 << 20)
#define BATCH_ARENA_BYTES 65536

// clang-format off
#define ITEM_STATE_MAP(X)                                                                          \
    X(NONE,      "none")                                                                           \
    X(PENDING,   "pending")   /* to be copied */                                                   \
    X(COPIED,    "copied")    /* stored by this job, in this run */                                \
    X(RESUMED,   "copied")    /* stored by this job, in an earlier run */                          \
    X(UNCHANGED, "unchanged") /* the target had it before this job */                              \
    X(SKIPPED,   "skipped")   /* left out by rule */                                               \
    X(FAILED,    "failed")                                                                         \
    X(UNDONE,    "undone")    /* the copy stopped before it was finished */
// clang-format on
#define ITEM_AS_STATE(id, name) ITEM_##id,
enum item_state { ITEM_STATE_MAP(ITEM_AS_STATE) ITEM_STATE_COUNT };

/* How far an item's bytes are known to be right at the target. */
enum item_verdict {
    VERDICT_NONE,
    VERDICT_UNVERIFIABLE, /* nobody but us has checked */
    VERDICT_IN_TRANSIT,   /* the store checked what arrived */
    VERDICT_READ_BACK,    /* read again and compared */
    VERDICT_COUNT
};
extern const char *const item_verdict_names[VERDICT_COUNT];

/* Is the item compressed on its way? */
enum item_pack {
    PACK_NO,
    PACK_TRY, /* not known yet: one block tells by itself, of several blocks a sample */
    PACK_YES
};

struct item {
    const char *name;
    const char *target; /* its name at the target; NULL: the same, only while it is recorded */
    uint64_t id;        /* of this run */
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t crc64;
    uint64_t manifest_crc64;
    uint32_t block_bytes;
    uint32_t block_count;  /* 0 for an empty item */
    uint8_t state;         /* enum item_state */
    uint8_t verdict;       /* enum item_verdict */
    uint8_t pack;          /* enum item_pack */
    uint8_t type;          /* enum blob_type: what it becomes at the target */
    uint8_t tier;          /* enum blob_tier; NONE: as asked for all */
    uint64_t stored_bytes; /* compressed; 0: it is not */
    bool is_renamed;
    bool has_manifest_crc64;
    bool matches_manifest;
    bool has_crc64;
    bool has_xxh3;
    bool needs_stat;  /* ask the target before copying */
    bool is_recorded; /* the plan has its row already */
    uint8_t xxh3[XXH3_BYTES];
    const uint8_t *md5; /* NULL unless asked for */
    const uint8_t *sha256;
    const char *etag;                /* at the target; NULL unknown */
    const struct blob_props *source; /* as listed; NULL: a file, of which size and mtime say all */
    enum err_code err_code;
    const char *err_text;
};

/* How far a large item has come; one step of control's at a time. */
enum large_state {
    LARGE_NONE,
    LARGE_ASK,    /* what has the target? */
    LARGE_LIST,   /* which blocks of an earlier run are there? */
    LARGE_SAMPLE, /* does it pay to compress it? */
    LARGE_COPY,   /* blocks are with the lanes */
    LARGE_DIGEST, /* a lane reads it again in order, for MD5 and SHA-256 */
    LARGE_COMMIT,
    LARGE_DISCARD, /* the lanes close what they keep open for it */
    LARGE_DONE
};

/* What an item of several blocks needs besides; control's. */
struct large {
    enum large_state state;
    enum blob_cond cond;
    char cond_etag[BLOB_ETAG_BYTES];
    struct err err;         /* why it ends without being stored */
    unsigned discard_index; /* lanes told so far */
    uint64_t stage_id;      /* names it at the target and in the plan */
    uint64_t *crcs;         /* [block_count] */
    uint8_t *xxh3s;         /* [block_count][XXH3_BYTES] */
    uint32_t *lens;         /* [block_count], as stored, of an item that is compressed */
    uint8_t *is_stored;     /* bit per block */
    uint8_t *has_crc;       /* bit per block: the plan knows its CRC, stored or taken away since */
    uint32_t stored_count;
    uint32_t next_index;    /* the next block to deal */
    uint32_t out_count;     /* blocks with lanes */
    uint64_t done_bytes;    /* of it, counted in the figures already */
    uint64_t resumed_bytes; /* of it, stored by earlier runs */
    bool is_checked;        /* every answer so far carried a checksum */
    bool is_recorded;       /* the plan has its row; the recorder's */
    bool has_old_blocks;    /* blocks of an earlier run: ask the store which are there */
    uint8_t *is_there;      /* bit per block, as the store said */
    bool has_order;         /* one that is not a block's is out */
    unsigned home; /* the lane that has all its blocks while there is work for the others */
    bool has_home; /* and nobody else's: it has to be decompressed from the front */
};

struct batch {
    struct mail mail;
    struct list link;
    struct arena arena;
    unsigned count;
    unsigned done_count; /* the lane's */
    unsigned next_index; /* the lane's */
    uint64_t bytes;
    struct large *large; /* NULL: items of at most one block */
    bool is_last;        /* the scan has ended with this one */
    bool is_dealt;       /* it has been with control */
    unsigned lane_index; /* which lane has it */
    struct item items[BATCH_ITEMS_MAX];
};

/* One piece of work on a large item, from control to a lane and back. */
enum order_kind {
    ORDER_STAT,
    ORDER_BLOCKS,
    ORDER_SAMPLE,
    ORDER_BLOCK,
    ORDER_DIGEST,
    ORDER_COMMIT,
    ORDER_DISCARD
};
struct order {
    struct mail mail;
    struct list link;
    struct batch *batch;
    enum order_kind kind;
    unsigned lane_index;
    uint32_t block_index;
    enum blob_cond cond; /* COMMIT */
    bool has_want_crc64; /* BLOCK: an earlier run has recorded what it should have */
    uint64_t want_crc64;
    struct blob_props found; /* STAT: result (no texts) */
    uint64_t crc64;          /* result */
    uint8_t xxh3[XXH3_BYTES];
    uint8_t md5[MD5_BYTES];       /* DIGEST: results */
    uint8_t sha256[SHA256_BYTES]; /* likewise */
    uint32_t len_bytes;
    uint32_t sent_bytes; /* BLOCK: as stored */
    bool pays;           /* SAMPLE: result */
    enum blob_checked checked;
    char etag[BLOB_ETAG_BYTES]; /* COMMIT: condition in, result out */
    struct err err;
};

/* Kinds of mail between the threads of a copy. */
enum copy_mail {
    MAIL_BATCH,   /* scan -> control -> lane -> control -> plan -> scan */
    MAIL_ORDER,   /* control -> lane -> control */
    MAIL_FACTS,   /* control -> plan: a struct fact */
    MAIL_STOP,    /* control -> lane, plan: finish */
    MAIL_STOPPED, /* lane, plan, scan -> control */
};

/* Is the source's item compressed, so that its blocks have to be read in order, by one lane? */
static inline bool
item_unpacks(const struct item *item)
{
    return item->source != NULL && blob_is_packed(item->source);
}

static inline void
batch_clear(struct batch *batch)
{
    arena_reset(&batch->arena);
    batch->count = 0;
    batch->done_count = 0;
    batch->next_index = 0;
    batch->bytes = 0;
    batch->large = NULL;
    batch->is_last = false;
    batch->is_dealt = false;
}

/* An item that ends here because of err; the text is kept in the batch's arena. */
static inline void
item_fail(struct batch *batch, struct item *item, enum item_state state, const struct err *err)
{
    item->state = (uint8_t)state;
    item->err_code = err->code;
    item->err_text = arena_text(&batch->arena, err->text);
}

#endif
