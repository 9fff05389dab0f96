/*
 * storage/backend.h - the one door between the pipeline and anything that holds bytes.
 *
 * Three things stand behind it. An *end* is a place as the user named it (a folder, the local
 * store, an Azure container): opened once, shared by all threads. A *backend* is one thread's way
 * to move bytes to or from an end; retry, throttle and fault are backends that wrap a backend. A
 * *lister* walks an end. A copy is a pair of ends; upload and download differ only in which one is
 * the source.
 *
 * Rules every backend keeps, checked by backend.c in every build:
 *   1. An accepted op completes exactly once, cancelled or not.
 *   2. It completes inside backend_poll(), disk_poll() or transport_poll(), never inside submit().
 *   3. ERR_BUSY means "not accepted, nothing happened"; it is flow control, not failure.
 *   4. A backend belongs to one thread. Another thread gets its own instance.
 *
 *   shape    names are relative to the end, '/' separated, NUL terminated, any other byte may occur
 *   units    bytes; times are wall-clock nanoseconds since 1970 UTC
 *   owner    an op and all it points to are borrowed from submit until done
 *   source   Azure verbs: Blob service REST, version 2021-12-02
 */
#ifndef STORAGE_BACKEND_H
#define STORAGE_BACKEND_H

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum blob_type {
    BLOB_TYPE_NONE,
    BLOB_TYPE_BLOCK,
    BLOB_TYPE_PAGE,
    BLOB_TYPE_APPEND,
    BLOB_TYPE_FILE, /* of a file share */
    BLOB_TYPE_COUNT
};
enum blob_tier {
    BLOB_TIER_NONE,
    BLOB_TIER_HOT,
    BLOB_TIER_COOL,
    BLOB_TIER_COLD,
    BLOB_TIER_ARCHIVE,
    BLOB_TIER_COUNT
};
extern const char *const
    blob_type_names[BLOB_TYPE_COUNT]; /* "", "BlockBlob", "PageBlob", "AppendBlob", "AzureFile" */
extern const char *const blob_tier_names[BLOB_TIER_COUNT]; /* "", "Hot", ... */

#define BLOB_ETAG_BYTES   64  /* Azure: "0x8D..." within quotes; kept as it came, quotes included */
#define BLOB_JOB_BYTES    33  /* 32 hex digits of the job's nonce */
#define BLOB_TYPE_BYTES   256 /* Content-Type, Content-Encoding: longer ones are cut off */
#define BLOB_METADATA_MAX 8192
#define BLOB_TIME_NONE    INT64_MIN
#define BLOB_PAGE_BYTES   512 /* a page blob has a multiple of this many bytes */

/*
 * What is known of an item besides its bytes. Metadata of other clients travels in extra_metadata:
 * "key\0value\0" pairs, extra_metadata_len bytes in all; our own keys (mtime, sallyport_*) never
 * stand there.
 */
struct blob_props {
    uint64_t size_bytes;     /* as stored */
    uint64_t original_bytes; /* before compression; equals size_bytes otherwise */
    int64_t mtime_ns;        /* the original's modification time; BLOB_TIME_NONE: unknown */
    int64_t modified_ns;     /* Last-Modified of the store (tree: the same as mtime_ns) */
    uint64_t crc64;          /* of the original bytes */
    bool has_crc64;
    bool has_md5;
    bool is_archived; /* tier Archive: cannot be read */
    bool is_partial;  /* under its final name, but unfinished: to be taken for not there */
    bool is_bare;     /* the store keeps nothing of it but its bytes: another tool put it there */
    enum blob_type type;
    enum blob_tier tier;
    uint8_t md5[MD5_BYTES];
    char etag[BLOB_ETAG_BYTES];   /* "" unknown */
    char job[BLOB_JOB_BYTES];     /* nonce of the job that stored it; "" unknown or not ours */
    uint64_t stage_id;            /* of what is partial: the op's that made it */
    uint64_t stage_session;       /* likewise: one opening of an end, by a random number */
    const char *content_type;     /* NULL: none */
    const char *content_encoding; /* NULL: none */
    const char *extra_metadata;
    uint32_t extra_metadata_len;
};

/* Compressed by us: zstd frames stand for the original bytes. Ends see to it that the two sizes are
 * equal for everything else, whatever its encoding is called. */
static inline bool
blob_is_packed(const struct blob_props *props)
{
    return props->original_bytes != props->size_bytes;
}

enum blob_verb {
    BLOB_STAT,    /* -> props; ERR_ITEM_GONE if there is none */
    BLOB_READ,    /* offset, len -> buf, moved_bytes */
    BLOB_PUT,     /* store a whole item in one go: buf, len, props */
    BLOB_WRITE,   /* store one block of an unfinished item: block_index, offset, buf, len */
    BLOB_COMMIT,  /* publish an unfinished item: block_count, props */
    BLOB_BLOCKS,  /* which blocks of an unfinished item are there -> block_bits */
    BLOB_REMOVE,  /* delete; ERR_ITEM_GONE if there is none */
    BLOB_DISCARD, /* forget an unfinished item and close what is kept open for it */
    BLOB_ADOPT,   /* if a bare item has the size and CRC of props, keep props for it -> is_same */
    BLOB_VERB_COUNT
};

/* On what condition PUT and COMMIT may replace what is there. */
enum blob_cond { BLOB_COND_ANY, BLOB_COND_ABSENT, BLOB_COND_ETAG };

/* What the store said about the bytes on their way (integrity.in_transit or not). */
enum blob_checked { BLOB_CHECKED_NO, BLOB_CHECKED_CRC64, BLOB_CHECKED_MD5, BLOB_CHECKED_LOCAL };

struct blob_op;
struct backend;
typedef void(blob_done_fn)(struct blob_op *op);

#define BLOB_FRAMES_MAX 4

/* One request. Embed it in your own struct and reach that struct with CONTAINER_OF. */
struct blob_op {
    enum blob_verb verb;
    enum blob_type type; /* all but STAT, READ, REMOVE: what it becomes; NONE is a block blob */
    const char *name;
    uint64_t item_id;      /* the same for all ops on one item of this run; keys open handles */
    const char *nonce;     /* the job's, 32 hex digits: part of every block id and staged file */
    uint64_t stage_id;     /* names the staged (unfinished) item; the same again after a restart */
    uint64_t offset_bytes; /* READ: position; WRITE: position of the block in the stored item */
    uint64_t block_bytes;  /* WRITE, COMMIT, BLOCKS: size of every block but the last */
    uint32_t block_index;  /* WRITE */
    uint32_t block_count;  /* COMMIT, BLOCKS: how many blocks make the item */
    bool is_packed;        /* WRITE, COMMIT, BLOCKS: each block has a length of its own, at most
                              blob_slot_bytes(block_bytes); offset_bytes means nothing */
    const uint32_t *block_lens; /* COMMIT, BLOCKS: of every block if is_packed */
    uint32_t len_bytes;         /* READ: bytes wanted; PUT, WRITE: bytes in buf */
    bool is_whole;              /* READ: this reads the whole item; keep nothing open for it */
    bool is_zero;       /* WRITE: all bytes are zero, buf holds them only if the end needs_zeros */
    void *buf;          /* page aligned; READ: also room for len_bytes */
    uint64_t crc64;     /* PUT, WRITE: of buf */
    const uint8_t *md5; /* PUT, WRITE: of buf if asked for, else NULL */
    const struct blob_props
        *props; /* PUT, COMMIT, ADOPT: to store, of page blobs WRITE too. BLOCKS: the item's size.
                   READ: as listed; a difference in size, mtime or etag is ERR_ITEM_CHANGED, found
                   before or after the bytes */
    enum blob_cond cond; /* PUT, COMMIT; of page blobs WRITE too, which may be the first to come;
                            ADOPT is always about cond_etag */
    char cond_etag[BLOB_ETAG_BYTES];
    uint8_t *block_bits; /* BLOCKS: bit i set if block i is there with its full length */
    blob_done_fn *done;

    struct err err;       /* result: err.code == ERR_OK on success */
    uint32_t moved_bytes; /* result: READ may be short only with is_whole unset and at the end */
    bool is_same;         /* result of ADOPT: its bytes are those; false: nothing was done */
    enum blob_checked
        checked; /* result of PUT, WRITE; READ: whether the bytes were checked on their way */
    char etag[BLOB_ETAG_BYTES];   /* result of PUT, COMMIT, STAT */
    struct blob_props *ret_props; /* STAT: filled if not NULL; texts live until done returns */
    int64_t retry_after_ns;       /* result with ERR_THROTTLED and the like; 0: not said */
    uint32_t throttled_count;     /* result: answers that said "slow down", over all tries */
    int64_t throttled_ns;         /* result: time spent waiting in retry and throttle */
    int64_t sent_ns; /* result: CLOCK_MONOTONIC when the last byte was handed over; 0: unknown */

    struct blob_frame {
        blob_done_fn *done;
        void *wrapper;
        int64_t number;
        int64_t at_ns;
    } frames[BLOB_FRAMES_MAX];
    unsigned frame_count; /* wrappers push and pop */
    struct list link;     /* for whoever holds the op at the moment */
    void *backend_data;   /* of the innermost backend */
    bool is_in_flight;    /* kept by backend.c */
    bool is_cancelled;    /* kept by wrappers that hold the op */
};

/* What a block of block_bytes can have at most when it is compressed and did not shrink. */
static inline uint64_t
blob_slot_bytes(uint64_t block_bytes)
{
    return (block_bytes + block_bytes / 1024 + 8191) / 4096 * 4096;
}

/* How long a block is at the store. */
static inline uint64_t
blob_block_len(const struct blob_op *op, uint32_t index)
{
    uint64_t offset = index * op->block_bytes;
    if (op->is_packed) {
        return op->block_lens[index];
    }
    return offset > op->props->size_bytes ? 0
                                          : MIN_OF(op->block_bytes, op->props->size_bytes - offset);
}

struct backend {
    const struct backend_ops *ops;
    struct backend *inner; /* of wrappers, NULL otherwise */
};

struct backend_ops {
    const char *name;
    enum err_code (*submit)(struct backend *b, struct blob_op *op, struct err *err);
    /* Ask that an accepted op end soon, with ERR_INTERRUPTED or as it would; NULL: wrappers pass
     * on. */
    void (*cancel)(struct backend *b, struct blob_op *op);
    unsigned (*poll)(struct backend *b); /* run completions; how many ran */
    int64_t (*next_timer_ns)(
        struct backend *b); /* CLOCK_MONOTONIC of the next timer; INT64_MAX: none */
    struct backend *(*free)(struct backend *b); /* frees inner too; returns NULL */
};

MUST_USE enum err_code backend_submit(struct backend *b, struct blob_op *op, struct err *err);
void backend_cancel(struct backend *b, struct blob_op *op);
unsigned backend_poll(struct backend *b);
int64_t backend_next_timer_ns(struct backend *b);
struct backend *backend_free(struct backend *b); /* takes NULL */
/* For backends: finish an op (its err is set). Pops nothing: calls op->done. */
void backend_complete(struct blob_op *op);
/* For wrappers: put own done in front, and take it off again. */
void blob_op_push(struct blob_op *op, struct backend *wrapper, blob_done_fn *done);
struct blob_frame blob_op_pop(struct blob_op *op);

/* What one thread offers its backends. The owner polls disk and http itself. */
struct disk;
struct transport;
struct mailbox;
struct lane_io {
    struct disk *disk;
    struct transport *http; /* NULL if no end of the copy is remote */
    const struct clock *clock;
    struct mailbox
        *wake; /* mailbox_wake() on it, from any thread, makes the owner poll its backends */
    atomic_uint_least64_t
        *moved; /* an op that takes minutes counts here that it goes on; or NULL */
    unsigned lane_index;
};

/* ---- ends --------------------------------------------------------------------------------------
 */

enum end_role { END_SOURCE, END_TARGET };
enum end_links { END_LINKS_SKIP, END_LINKS_FOLLOW, END_LINKS_FAIL };
enum disk_kind;
struct storm;

struct end_options {
    enum end_role role;
    bool is_account; /* the address names an account, and names are CONTAINER/BLOB */
    bool wants_blocks_checked_by_md5;
    enum end_links links;
    const struct config *config;
    const struct clock *clock;
    int64_t local_sync_ns;
    /* Not 0: requests that block end soon, with ERR_INTERRUPTED. NULL: they do not. */
    const atomic_int *signal;
    struct storm *storm; /* where failures of the moment are told; may be NULL */
};

/* What an end can hold and how it wants to be used; constant after end_open. */
struct end_caps {
    bool is_local;            /* reached by files, not by requests */
    bool needs_zeros;         /* holes have to be sent */
    bool keeps_props;         /* properties and CRC are kept with the item */
    bool checks_transit;      /* may answer with a checksum */
    bool block_order_free;    /* blocks may have any size (compression of several blocks) */
    uint64_t item_bytes_max;  /* 0: no limit */
    uint32_t blocks_max;      /* 0: no limit */
    uint64_t block_bytes_max; /* 0: no limit */
    uint64_t put_bytes_max;   /* larger items need blocks; 0: no limit */
    uint64_t page_bytes_max;  /* of a page blob; 0: there are none here */
};

struct lister;
struct text;

struct end {
    const struct end_ops *ops;
    struct end_caps caps;
    struct storm *storm; /* as it was opened with */
    char *prefix;        /* what blobs' names have before ours, with its slash; NULL: nothing */
    char *folder;        /* where its items lie on this machine, resolved; NULL: elsewhere */
    char *display; /* canonical address without credentials; what messages and the copy's identity
                      show */
};

/* One step of a walk. Texts live until the next lister_next(). */
enum entry_kind {
    ENTRY_ITEM,    /* something to copy */
    ENTRY_SKIPPED, /* left out by rule (a link with --links skip); err says which */
    ENTRY_FAILED,  /* cannot be copied (special file, unreadable folder); err says why */
    ENTRY_FOLDER,  /* a folder without entries (tree only); counted, not copied */
};
struct entry {
    enum entry_kind kind;
    const char *name;
    struct blob_props props;
    struct err err;
};

typedef bool(end_wants_fn)(void *user, const char *folder); /* false: do not walk this folder */

struct end_ops {
    const char *name;
    enum err_code (*backend)(struct end *end, const struct lane_io *io,
                             struct backend **ret_backend, struct err *err);
    enum err_code (*lister)(struct end *end, end_wants_fn *wants, void *user,
                            struct lister **ret_lister, struct err *err);
    /* Before the first byte: reachable, writable, container made if missing (unless dry_run).
     * *ret_free_bytes: UINT64_MAX if unknown. *ret_is_fresh: this call made the container or
     * folder. Blocks. */
    enum err_code (*prepare)(struct end *end, bool dry_run, uint64_t *ret_free_bytes,
                             bool *ret_is_fresh, struct err *err);
    /* A job begins to store here: what the end has to remember of it until tidy may lie in
     * job_path. After prepare, before the first backend. */
    enum err_code (*begin)(struct end *end, const char *job_path, struct err *err);
    /* All blocks written so far survive power loss afterwards. Any thread; blocks. */
    enum err_code (*barrier)(struct end *end, struct err *err);
    /* Make an empty folder of this name, where the end has folders; NULL: it has none. Any thread;
     * blocks. */
    enum err_code (*make_folder)(struct end *end, const char *name, bool *ret_is_made,
                                 struct err *err);
    /* Can an item of this name be held here? ERR_NAME_ILLEGAL says why not. Any thread. */
    enum err_code (*check_name)(const struct end *end, const char *name, struct err *err);
    /* The copy came to its end: nothing unfinished is needed any more (staging folders go). */
    enum err_code (*tidy)(struct end *end, const char *nonce, struct err *err);
    struct end *(*close)(struct end *end);
};

struct lister_ops {
    enum err_code (*next)(struct lister *lister, struct entry *entry, bool *ret_more,
                          struct err *err);
    struct lister *(*close)(struct lister *lister);
};
struct lister {
    const struct lister_ops *ops;
};

/* Recognise the form of address and open it. Nothing is sent and nothing is made yet. */
MUST_USE enum err_code end_open(const char *address, const struct end_options *options,
                                struct end **ret_end, struct err *err);
/* ERR_USAGE if the target is the source, or lies inside it: the copy would find its own work. */
MUST_USE enum err_code end_check_apart(const struct end *source, const struct end *target,
                                       struct err *err);
MUST_USE enum err_code end_backend(struct end *end, const struct lane_io *io,
                                   struct backend **ret_backend, struct err *err);
MUST_USE enum err_code end_lister(struct end *end, end_wants_fn *wants, void *user,
                                  struct lister **ret_lister, struct err *err);
MUST_USE enum err_code end_prepare(struct end *end, bool dry_run, uint64_t *ret_free_bytes,
                                   bool *ret_is_fresh, struct err *err);
MUST_USE enum err_code end_begin(struct end *end, const char *job_path, struct err *err);
MUST_USE enum err_code end_barrier(struct end *end, struct err *err);
/* ERR_OK and not made where the end has no folders. */
MUST_USE enum err_code end_make_folder(struct end *end, const char *name, bool *ret_is_made,
                                       struct err *err);
MUST_USE enum err_code end_check_name(const struct end *end, const char *name, struct err *err);
MUST_USE enum err_code end_tidy(struct end *end, const char *nonce, struct err *err);
struct end *end_close(struct end *end);
MUST_USE enum err_code lister_next(struct lister *lister, struct entry *entry, bool *ret_more,
                                   struct err *err);
struct lister *lister_close(struct lister *lister);

#endif
