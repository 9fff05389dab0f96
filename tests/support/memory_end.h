/*
 * tests/support/memory_end.h - an end in memory that behaves as a store does: answers come late and
 * out of order, commits are conditional, unfinished items are staged, and it can be killed.
 *
 * A store outlives the runs on it, as a real one does. What it must never be asked to do (bytes
 * that do not match their checksum, a block sent again that was recorded) is told to the hooks; so
 * is every item the moment it becomes visible.
 *
 *   shape    blobs in the order of their making; names are found by a linear search of hashes
 *   units    bytes; wall-clock nanoseconds
 *   owner    memory_end_new() borrows the store; the ends' backends are freed before the end
 *   thread   one, for all ends of a store
 */
#ifndef TESTS_SUPPORT_MEMORY_END_H
#define TESTS_SUPPORT_MEMORY_END_H

#include "storage/backend.h"
#include "storage/wrap/chance.h"

struct memory_blob {
    char *name;
    uint64_t hash;
    enum entry_kind kind; /* what a walk says of it */
    enum err_code error;  /* of the walk, or of a READ beyond good_bytes; ERR_OK: none */
    uint64_t good_bytes;
    bool exists;
    uint8_t *bytes; /* [props.size_bytes] */
    struct blob_props props;
    uint64_t stage_id; /* of the commit that made it; 0: none */
    bool is_recorded;  /* a plan has it; the test's */
};

struct memory_staged {
    struct list link;
    char *name;
    char nonce[BLOB_JOB_BYTES];
    uint64_t stage_id;
    uint32_t index;
    uint32_t len_bytes;
    uint8_t *bytes;
    bool is_synced;   /* survives a crash (ends that are local) */
    bool is_recorded; /* a plan has it; the test's */
};

struct memory_hooks {
    void *user;
    /* An op made this visible. */
    void (*visible)(void *user, const struct memory_blob *blob);
    /* A PUT or COMMIT on this name is about to take effect, or a WRITE: then of this block. */
    void (*sent)(void *user, const struct blob_op *op, const struct memory_staged *old);
    /* The engine did what it must not do. */
    void (*broken)(void *user, const char *words);
};

struct memory_store {
    struct memory_blob **blobs;
    unsigned count;
    unsigned room;
    struct list staged;
    uint64_t last_etag;
    struct chance chance;
    struct memory_hooks hooks; /* all optional */
};

struct memory_options {
    struct end_caps caps;
    const struct clock *clock;
    int64_t latency_max_ns;
    unsigned in_flight_max; /* of one backend; more is BUSY; 0: no limit */
    uint64_t halt_at; /* from the so many-th op on, everything is answered halt_code; 0: never */
    enum err_code halt_code;
    unsigned barrier_fails_at; /* the so many-th sync; 0: never */
    unsigned list_fails_at;    /* a walk ends with ERR_NETWORK before this entry; 0: never */
};

void memory_store_init(struct memory_store *store, uint64_t seed);
void memory_store_done(struct memory_store *store);
struct memory_blob *memory_store_find(const struct memory_store *store, const char *name);
/* Put it there, or in place of what is there; takes the bytes. Sets etag, size and CRC; with a
 * content encoding and another original size, the bytes are frames, and the CRC is the props'. */
struct memory_blob *memory_store_set(struct memory_store *store, const char *name, uint8_t *bytes,
                                     uint64_t len, const struct blob_props *props);
/* What it is uncompressed, for mem_give(); NULL: its frames are damaged. */
uint8_t *memory_store_original(const struct memory_blob *blob);
struct memory_staged *memory_store_find_staged(const struct memory_store *store, const char *name,
                                               const char *nonce, uint64_t stage_id,
                                               uint32_t index);

void memory_store_free_staged(struct memory_staged *staged);

struct end *memory_end_new(struct memory_store *store, const struct memory_options *options);
/*
 * The machine dies: what is on its way takes effect or does not, what a local end has not synced is
 * lost or torn or not, and everything that is still asked for ends without effect.
 */
void memory_end_crash(struct end *end);
uint64_t memory_end_op_count(struct end *end);

/* ---- memory_store.c, for memory_end.c ---- */
void memory_store_apply(struct memory_store *store, const struct end_caps *caps,
                        struct blob_op *op);
void memory_store_sync(struct memory_store *store);
void memory_store_lose(struct memory_store *store); /* of what is not synced */
void memory_store_drop_staged(struct memory_store *store, const char *name, const char *nonce,
                              uint64_t stage_id);

#endif
