/*
 * ingest/copy/errand.h - one thread's way to a store with all that takes, for small work beside the
 * lanes: ask, read back, put down a file.
 *
 * It goes through the same backends as the copy, but shares nothing with it. The hardest thing is
 * the wait: disk, transport, timers and whoever publishes for the backend all have to wake it.
 *
 *   shape    any number of ops in flight, up to what the disk was opened for
 *   owner    the end is borrowed; an errand's op is the caller's until errand_wait() has returned
 *   thread   one
 *   errors   what the store said, class RETRY only after all tries; ERR_INTERRUPTED once *signal is
 *            set
 */
#ifndef INGEST_COPY_ERRAND_H
#define INGEST_COPY_ERRAND_H

#include "base/mailbox.h"
#include "storage/backend.h"
#include "storage/disk.h"
#include "storage/http/transport.h"

#include <stdatomic.h>

struct errand {
    const struct clock *clock;
    const atomic_int *signal; /* not 0: give up; may be NULL */
    struct disk *disk;
    struct transport *http;
    struct backend *backend;
    struct mailbox wake;
    bool has_wake;
};

struct errand_op {
    struct blob_op op; /* verb and arguments; nonce NULL: of no job */
    bool is_out;
    bool is_done;
};

/* Not moved afterwards: backends point into it. */
MUST_USE enum err_code errand_open(struct errand *errand, struct end *end,
                                   const struct config *config, const struct clock *clock,
                                   const atomic_int *signal, struct err *err);
void errand_close(struct errand *errand);
MUST_USE enum err_code errand_submit(struct errand *errand, struct errand_op *op, struct err *err);
/* Until it is done, whatever became of it. */
void errand_wait(struct errand *errand, struct errand_op *op);
/* Both, and the op's own error. */
MUST_USE enum err_code errand_run(struct errand *errand, struct errand_op *op, struct err *err);

#endif
