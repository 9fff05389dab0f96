/*
 * storage/wrap/wrap.h - backends that wrap a backend: retry, throttle, unzstd, fault.
 *
 * Each owns the backend it wraps and frees it. Each uses the clock it is given, so that a
 * simulation can run days of back-off in no time.
 *
 *   thread   a wrapper belongs to the thread of what it wraps; struct throttle is shared by all
 */
#ifndef STORAGE_WRAP_WRAP_H
#define STORAGE_WRAP_WRAP_H

#include "storage/backend.h"
#include "storage/patience.h"

#include <stdatomic.h>

/*
 * retry: an op that ended with a RETRY-class error is submitted again after a jittered, doubling
 * wait (Retry-After goes before it), until none of this backend's ops has succeeded for give_up_ns
 * and this one has been tried for so long. Its last error is reported once, folded: first cause,
 * number of tries, span of time, last cause.
 */
struct retry_options {
    struct patience patience;
    struct storm *storm; /* where tries that failed are told; may be NULL */
    uint64_t seed;       /* of the jitter */
};
MUST_USE enum err_code retry_new(struct backend *inner, const struct retry_options *options,
                                 const struct clock *clock, struct backend **ret_backend,
                                 struct err *err);

/* Wrap *backend with the settings of the configuration. */
MUST_USE enum err_code retry_wrap(const struct config *config, const struct clock *clock,
                                  struct storm *storm, struct backend **backend, struct err *err);

/* throttle: a token bucket over PUT, WRITE and READ bytes, shared by all lanes; the rate can be
 * changed while running. */
struct throttle {
    atomic_uint_least64_t bytes_per_s; /* 0: no limit */
    _Atomic int64_t free_at_ns;        /* virtual time at which the next byte may go */
};
void throttle_init(struct throttle *throttle, uint64_t bytes_per_s);
void throttle_set(struct throttle *throttle, uint64_t bytes_per_s);
MUST_USE enum err_code throttle_new(struct backend *inner, struct throttle *throttle,
                                    const struct clock *clock, struct backend **ret_backend,
                                    struct err *err);

/*
 * unzstd: READs of items that were compressed by us (blob_is_packed(): size and original size
 * differ) give the original bytes; everything else passes through.
 *
 * is_whole: the op's buf has room for unzstd_room_bytes() and the stored bytes are read behind the
 * original's. Otherwise the ops of one item come in the order of their offsets: frames are decoded
 * from the front, what lies between two ops is decoded and dropped, and an op before the position
 * begins anew. One such item at a time; READs of another one are BUSY meanwhile.
 *
 * The frames are a stranger's: never more bytes than the original size says, no dictionaries, no
 * formats from before the standard, windows of at most PACKER_WINDOW_LOG, nothing behind the end.
 * ERR_DIGEST says what was wrong.
 */
#define UNZSTD_BYTES ((size_t)9 << 19) /* of memory, at most: input, window, tables */
MUST_USE enum err_code unzstd_new(struct backend *inner, struct backend **ret_backend,
                                  struct err *err);
/* Can these sizes belong together? */
MUST_USE enum err_code unzstd_check(const struct blob_props *props, const char *name,
                                    struct err *err);
static inline uint64_t
unzstd_room_bytes(const struct blob_props *props)
{
    return props->original_bytes + props->size_bytes;
}

/* fault: seeded errors, delays, short reads, torn writes, for tests. Rates are per mille of ops. */
struct fault_options {
    uint64_t seed;
    unsigned error_permille;       /* RETRY-class errors before the inner op */
    unsigned lost_answer_permille; /* the inner op happens, its answer is lost (ERR_NETWORK) */
    unsigned delay_permille;
    int64_t delay_max_ns;
    unsigned short_read_permille; /* READ ends early with ERR_NETWORK after some bytes */
    unsigned torn_write_permille; /* WRITE: only a part arrives, then ERR_NETWORK */
    unsigned item_error_permille; /* READ: ERR_ITEM_IO */
    unsigned corrupt_permille;    /* READ: one bit is flipped, no error reported */
};
MUST_USE enum err_code fault_new(struct backend *inner, const struct fault_options *options,
                                 const struct clock *clock, struct backend **ret_backend,
                                 struct err *err);

#endif
