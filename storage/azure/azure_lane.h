/*
 * storage/azure/azure_lane.h - one thread's backend of an Azure end: what azure_backend.c and
 * azure_pageblob.c share.
 *
 * The hardest thing: there is no staged commit for page blobs. One is made under its final name,
 * filled by lanes that know nothing of each other, and told finished last. Until then its metadata
 * says sallyport_state=partial with the job's nonce, the op's stage and the session (one opening of
 * an end), and nobody of ours takes it for an item. Whoever writes a block first makes the blob, on
 * the op's condition; who comes second finds it made. The blob's sequence number is derived from
 * job and stage, and every Put Page is on the condition that it is this one: if another writer puts
 * something in its place the next page is refused. COMMIT makes sure that it is still ours,
 * and sets properties and metadata under If-Match.
 *
 *   shape    PUT: Put Blob, Put Page..., Set Blob Metadata, each on the ETag of the one before
 *            WRITE: (Get Blob Properties, Put Blob), Put Page...
 *            COMMIT: Get Blob Properties, (Set Blob Properties,) Set Blob Properties of the
 *            sequence number, Set Blob Metadata
 *   owner    the backend owns its ops, and what it knows of unfinished page blobs until COMMIT or
 *            DISCARD
 *   errors   ERR_OTHER_WRITER: what is there is neither ours nor what the condition allows
 *   source   Put Blob, Put Page, Get Page Ranges, Set Blob Properties, Set Blob Metadata,
 *            "Specifying conditional headers", version 2021-12-02
 */
#ifndef STORAGE_AZURE_AZURE_LANE_H
#define STORAGE_AZURE_AZURE_LANE_H

#include "base/fsm.h"
#include "storage/azure/azure.h"

#define AZURE_PAGES_MAX ((uint32_t)4 << 20) /* bytes of one Put Page */

// clang-format off
#define PAGEBLOB_STATE_MAP(X)                                                                      \
    X(NONE)                                                                                        \
    X(LOOKING)     /* what is there? */                                                            \
    X(CREATING)                                                                                    \
    X(NUMBERING)   /* giving it our sequence number again */                                       \
    X(WRITING)     /* a stretch of pages, or clearing one */                                       \
    X(DESCRIBING)  /* its properties */                                                            \
    X(RESETTING)   /* its sequence number */                                                       \
    X(SEALING)     /* its metadata: from here on it is there */                                    \
    X(REMOVING)                                                                                    \
    X(ENDED)
#define PAGEBLOB_EVENT_MAP(X)                                                                      \
    X(LOOK) X(CREATE) X(NUMBER) X(WRITE) X(DESCRIBE) X(RESET) X(SEAL) X(REMOVE) X(END)
// clang-format on
#define PAGEBLOB_AS_STATE(id) PAGEBLOB_##id,
#define PAGEBLOB_AS_EVENT(id) PAGEBLOB_EV_##id,
enum pageblob_state { PAGEBLOB_STATE_MAP(PAGEBLOB_AS_STATE) PAGEBLOB_STATE_COUNT };
enum pageblob_event { PAGEBLOB_EVENT_MAP(PAGEBLOB_AS_EVENT) PAGEBLOB_EVENT_COUNT };
extern const struct fsm pageblob_fsm;

/* How far an op on a page blob has come. */
struct pageblob {
    enum pageblob_state state;
    unsigned look_count;
    bool is_found; /* by the last look */
    struct blob_props found;
    char etag[BLOB_ETAG_BYTES]; /* the blob's, by the last answer */
    bool is_fresh;              /* made in this session: what was not written is zero */
    bool is_clearing;           /* begin to end are to become zero */
    uint32_t begin;             /* of buf, what is being sent */
    uint32_t end;
    uint64_t range_crc64;
    uint64_t crc64;    /* of what is behind us */
    bool is_unchecked; /* some answer was without a checksum */
};

/* What a request of an op is, where it is not the verb's own. */
enum azure_step {
    AZURE_STEP_VERB,
    AZURE_STEP_REMOVE, /* what was stored with a wrong checksum is taken away */
    AZURE_STEP_RANGES, /* is there anything in the range that is to be read? */
    AZURE_STEP_PAGEBLOB,
};

struct azure_backend;
struct azure_op {
    struct azure_backend *backend;
    struct blob_op *op;
    struct azure_request request;
    struct text list; /* the body of Put Block List */
    enum azure_step step;
    unsigned resent;
    bool was_refreshed;
    struct pageblob pages;
    struct list link; /* free, ready, or in flight */
};

struct azure_backend {
    struct backend backend;
    struct azure_end *end;
    struct lane_io io;
    struct signer *signer;
    struct list free_ops;
    struct list ready; /* to be completed by the next poll */
    struct list in_flight;
    struct list all_blocks;
    struct list pageblobs;   /* struct pageblob_known */
    uint64_t sparse_item_id; /* the page blob read last, and whether its last block was empty */
    bool is_sparse;
};

/* ---- azure_backend.c, for azure_pageblob.c ---- */
void azure_complete(struct azure_op *azure);
/* Seal and submit; false: op->err says why not. */
bool azure_start(struct azure_op *azure);
/* True if sending the same again at once can help. */
bool azure_may_resend(struct azure_op *azure, enum err_code code);
/* Does the store say that it has what we sent? False: it says that it has something else. */
bool azure_take_checksum(struct azure_op *azure, uint64_t sent_crc64);

/* ---- azure_pageblob.c, for azure_backend.c ---- */
bool pageblob_serves(const struct blob_op *op);
/* False: the op has ended already, and is to be completed by the next poll. */
bool pageblob_begin(struct azure_op *azure);
void pageblob_on_done(struct azure_op *azure);
void pageblob_free(struct azure_backend *b); /* what is known of unfinished ones */

/* ---- azure_pageblob_ask.c, for azure_pageblob.c ---- */
/* What is asked in each state, or NULL. */
struct pageblob_request {
    enum err_code (*ask)(struct azure_op *azure, struct err *err);
    enum blob_verb verb; /* as which its answer is judged */
    const char *words;
};
extern const struct pageblob_request pageblob_requests[PAGEBLOB_STATE_COUNT];
/* What is to be sent next, into begin and end; false: everything is where it should be. */
bool pageblob_next_stretch(struct azure_op *azure);
/* The stretches were summed as they were sent; together they must be what was read. */
void pageblob_finish_stretches(struct azure_op *azure);
bool pageblob_is_all_zero(const struct blob_op *op);

/* ---- azure_ranges.c, for azure_backend.c ---- */
/* A block of a page blob may have nothing in it, and then need not come over the network. */
bool ranges_may_be_empty(const struct blob_op *op);
/* Only where the block before was empty: otherwise every block would cost two requests. */
bool ranges_are_worth_asking(const struct azure_backend *b, const struct blob_op *op);
void ranges_remember(struct azure_backend *b, const struct blob_op *op);
enum err_code ranges_ask(struct azure_op *azure, struct err *err);
/* *ret_is_empty: nothing is in the range, and the op has its result. */
enum err_code ranges_take(struct azure_op *azure, bool *ret_is_empty);

#endif
