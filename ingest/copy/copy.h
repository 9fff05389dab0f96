/*
 * ingest/copy/copy.h - a whole copy: from two addresses to a summary.
 *
 * The engine's only door for programs. copy_run() blocks the calling thread, which becomes the
 * control thread; progress and item events are called on it.
 *
 *   owner    options are borrowed for the call
 *   thread   one; copy_interrupt() from any thread or a signal handler
 *   durable  everything the summary counts as copied is stored and recorded when copy_run() returns
 *   errors   the command is over: USAGE, CONFIG, RUNNING, NOTHING, ...; what happens to single
 *            items is in the summary; an error of an item's class that ends the copy is a halt,
 *            because no item is charged with it
 */
#ifndef INGEST_COPY_COPY_H
#define INGEST_COPY_COPY_H

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "ingest/copy/filter.h"
#include "ingest/copy/item.h"

#include <stdatomic.h>

enum copy_overwrite {
    OVERWRITE_ALWAYS,
    OVERWRITE_NEVER,
    OVERWRITE_IF_NEWER,
    OVERWRITE_IF_DIFFERENT
};
enum copy_verify { VERIFY_NONE, VERIFY_LISTING, VERIFY_READ_BACK };

/* Where an entry of the source goes, and whether it goes at all. */
enum place_verdict {
    PLACE_TAKE,
    PLACE_IGNORE, /* no data: not even counted */
    PLACE_SKIP,   /* left out by rule */
    PLACE_FAIL,
};
struct copy_place {
    enum place_verdict verdict;
    const char *target;  /* its name at the target; NULL: the entry's own */
    enum blob_type type; /* NONE: as scan_type() says */
    enum blob_tier tier; /* NONE: as asked for all */
    bool is_renamed;
    bool has_crc64; /* what a manifest says of its bytes */
    uint64_t crc64;
    struct err err; /* SKIP, FAIL: why */
};
/* Asked for each entry, on the scan's thread; texts live until the next call. */
typedef void(copy_place_fn)(void *user, const struct entry *entry, struct copy_place *ret_place);

/* A target of several ends: names are KEY/REST, and REST goes to the end at address. */
struct copy_part {
    const char *key;
    const char *address;
    bool is_account; /* REST is CONTAINER/BLOB */
};

/* A copy whose items have all come to an end, before its plan is finished: killed meanwhile, the
 * next run comes here again. */
struct verify_result;
struct copy_ended {
    const char *job;    /* nonce */
    const char *folder; /* of its state, locked */
    const char *plan_path;
    uint64_t stage_id; /* this one and those after it are free */
    struct end *target;
    const struct verify_result *verified;
};
typedef enum err_code(copy_ended_fn)(void *user, const struct copy_ended *ended, struct err *err);

struct copy_options {
    const char *source;
    const char *target;
    struct filter filter;
    uint64_t block_bytes;
    bool has_block_bytes;       /* named by the user: kept, and too small is an error */
    uint64_t large_block_bytes; /* of items of several blocks; 0: block_bytes too */
    unsigned lanes;             /* 0: as many as cores, at most 4 */
    unsigned in_flight;         /* requests of all lanes together; 0: default */
    uint64_t memory_bytes;
    uint64_t bandwidth; /* bytes per second; 0: no limit */
    bool wants_md5;
    bool wants_sha256;
    int compress_level; /* of zstd; 0: nothing is compressed */
    enum blob_tier tier;
    enum copy_overwrite overwrite;
    enum copy_verify verify;
    enum end_links links;
    copy_place_fn *place; /* NULL: every entry under its own name */
    void *place_user;
    copy_ended_fn *ended; /* what else is to be left; an error ends the copy. NULL: nothing */
    void *ended_user;
    const struct copy_part *parts; /* then target is only what they are called together */
    unsigned part_count;
    const char *device;   /* what the source is called in the receipt; NULL: no device */
    const char *identity; /* what else makes it the same copy; NULL: nothing */
    bool has_warnings;    /* found before the copy: it ends with warnings at best */
    const char *receipt;  /* file; NULL: only in the state folder */
    const char *state;    /* folder */
    bool restart;
    bool dry_run;
    const struct config *config;
    const struct clock *clock;
};

enum copy_phase { PHASE_PREPARE, PHASE_COPY, PHASE_VERIFY, PHASE_DONE };

struct copy_figures {
    enum copy_phase phase;
    bool is_scan_done;
    uint64_t items_total, items_copied, items_renamed, items_unchanged, items_skipped, items_failed;
    uint64_t items_damaged; /* of the failed ones: bytes did not match their checksum */
    uint64_t folders_empty; /* of the source: no items */
    uint64_t folders_kept;  /* of them, made at the target */
    uint64_t bytes_total;   /* of everything scanned */
    uint64_t bytes_copied;  /* of items stored by this job */
    uint64_t bytes_resumed; /* of them, stored by earlier runs */
    uint64_t bytes_sent;    /* over the wire or to disk in this run */
    uint64_t bytes_done;    /* for a bar: everything that needs no more work */
    uint64_t in_transit, manifest, read_back, unverifiable;
    uint64_t requests;
    uint64_t throttled_count; /* answers that said "slow down" */
    uint64_t retries;         /* requests that failed for a moment; known at the end */
    /* summed over blocks; send: until the last byte was handed over, store: until the answer */
    int64_t read_ns, hash_ns, send_ns, store_ns, throttled_ns;
    int64_t started_ns; /* CLOCK_MONOTONIC */
    int64_t elapsed_ns;
    uint64_t estimated_requests; /* dry run */
    int64_t estimated_ns;        /* dry run: how long it might take */
};

struct copy_events {
    void *user;
    /* About ten times a second. */
    void (*progress)(void *user, const struct copy_figures *figures);
    /* An item that failed or was skipped by rule. */
    void (*item)(void *user, const struct item *item);
    /* Something a person should know: err's text. */
    void (*notice)(void *user, const struct err *err);
    /* The job has its id, 32 hex digits; comes before all others of a copy that has one. */
    void (*begun)(void *user, const char *job);
};

struct copy_result {
    struct copy_figures figures;
    char job[BLOB_JOB_BYTES];
    char *receipt; /* path of the receipt, NULL if none; mem_give() */
    char *logs;    /* folder with the logs of a device's copy, NULL if none; mem_give() */
    enum exit_code exit;
    struct err stop; /* why it ended before its time, or did not begin; ERR_OK if it did neither */
};

struct copy_control {
    atomic_int signal; /* 0, SIGINT or SIGTERM */
    struct mailbox *_Atomic mailbox;
};

/* Ask a running copy to checkpoint and end. Async-signal-safe. */
void copy_interrupt(struct copy_control *control, int signal);

/* *ret_result is filled whatever is returned. */
MUST_USE enum err_code copy_run(const struct copy_options *options,
                                const struct copy_events *events, struct copy_control *control,
                                struct copy_result *ret_result, struct err *err);

#endif
