/*
 * ingest/copy/recorder.h - the one writer of the plan: takes finished batches and stored blocks, in
 * groups.
 *
 * What is at a local target is synced before the plan says that it is there; because a sync costs
 * up to seconds, blocks wait for it together, while finished items (which are durable when they
 * come) are recorded every PLAN_COMMIT_NS.
 *
 *   owner    a batch or order is the recorder's until it is posted on: batches to scan, orders to
 *            control
 *   thread   one; recorder_turn() blocks in SQLite and in the sync
 *   errors   the first one stays in err; from then on nothing is recorded and everything passes
 *            through
 */
#ifndef INGEST_COPY_RECORDER_H
#define INGEST_COPY_RECORDER_H

#include "ingest/copy/item.h"
#include "ingest/copy/plan.h"

struct recorder_options {
    struct plan *plan;
    struct end *target;
    struct mailbox *control;
    struct mailbox *scan;
    const struct clock *clock;
    int64_t local_sync_ns;
};

struct recorder {
    struct recorder_options options;
    struct mailbox mailbox;
    struct list batches; /* written, not committed */
    struct list orders;  /* stored blocks, not written */
    unsigned order_count;
    unsigned row_count; /* in the open transaction */
    int64_t batches_ns; /* when the oldest of each came */
    int64_t orders_ns;
    bool is_stopping;
    bool is_stopped;
    atomic_bool has_failed;
    struct err err;      /* read by control after MAIL_STOPPED, or when has_failed */
    struct mail stop;    /* control's, to us */
    struct mail stopped; /* ours, to control */
};

MUST_USE enum err_code recorder_init(struct recorder *recorder,
                                     const struct recorder_options *options, struct err *err);
void recorder_done(struct recorder *recorder);
bool recorder_turn(struct recorder *recorder);
void *recorder_run(void *recorder);

#endif
