/*
 * ingest/copy/engine.h - the control thread: deals work to lanes, follows large items, counts,
 * stops.
 *
 * One loop over one mailbox. It never touches a byte of an item and never waits for a disk or a
 * store, so an interrupt is answered at once. engine_turn() is the whole of it without the wait: a
 * simulation steps scan, lanes, recorder and engine on one thread.
 *
 *   shape    lanes[lane_count]; at most ORDER_COUNT blocks of large items are out at a time
 *   owner    the engine owns the batches and orders; lanes, scan and recorder are the caller's
 *   thread   control
 *   errors   engine->stop: why it ended before its time; ERR_OK otherwise
 */
#ifndef INGEST_COPY_ENGINE_H
#define INGEST_COPY_ENGINE_H

#include "ingest/copy/copy.h"
#include "ingest/copy/lane.h"
#include "ingest/copy/recorder.h"
#include "ingest/copy/scan.h"

#define ORDER_COUNT       1024
#define ENGINE_LANES_MAX  16
/* SIGINT is answered within 2 s: a lane that hangs in the kernel is left behind after this. */
#define ENGINE_ABANDON_NS (1600 * NS_PER_MS)

struct engine_options {
    const struct copy_options *copy;
    const struct copy_events *events;
    struct copy_control *control;
    const struct clock *clock;
    struct plan *plan;
    struct end *source;
    struct end *target;
    struct scan *scan;
    struct recorder *recorder;
    struct lane *lanes;
    unsigned lane_count;
    unsigned batch_count;
};

struct engine {
    struct engine_options options;
    struct mailbox *mailbox;
    struct batch *batches;
    struct order *orders;
    struct list free_orders;
    struct list small;    /* batches not dealt */
    struct list larges;   /* batches of one large item, in work */
    unsigned larges_out;  /* how many these are */
    unsigned large_count; /* how many there were */
    unsigned batches_out; /* taken from scan and not yet with the recorder */
    unsigned lane_batches[ENGINE_LANES_MAX];
    unsigned lane_orders[ENGINE_LANES_MAX];
    bool lane_unpacks[ENGINE_LANES_MAX]; /* a large item is decompressed there */
    unsigned running;                    /* lanes that have not stopped */
    bool is_scan_stopped;
    bool is_recorder_stopped;
    bool is_stopping;
    bool is_lanes_told;
    bool is_recorder_told;
    bool is_abandoned; /* lanes still run: nothing of theirs may be freed */
    int64_t stop_ns;
    struct err stop;
    int signal;
    struct copy_figures figures;
    uint64_t moved; /* for the watchdog */
    int64_t moved_ns;
    int64_t told_ns;
};

void engine_init(struct engine *engine, struct mailbox *mailbox,
                 const struct engine_options *options);
void engine_done(struct engine *engine);
/* Deal, follow, count; true while there is something left to come. */
bool engine_turn(struct engine *engine);
void engine_run(struct engine *engine); /* turns and waits until the end */
void engine_stop(struct engine *engine, const struct err *why);
/* Sum of what the lanes count. */
void engine_sum(struct engine *engine);

/* ---- large.c, for engine.c ---- */
void large_begin(struct engine *engine, struct batch *batch);
void large_deal(struct engine *engine, struct batch *batch);
void large_on_order(struct engine *engine, struct order *order);

/* ---- engine.c, for large.c ---- */
struct order *engine_take_order(struct engine *engine, struct batch *batch, enum order_kind kind,
                                unsigned lane_index);
/* The lane with the fewest orders, or ENGINE_LANES_MAX if all have enough or no order is free. */
unsigned engine_idle_lane(const struct engine *engine);
bool engine_lane_has_room(const struct engine *engine, unsigned lane_index);
void engine_finish(struct engine *engine, struct batch *batch);

#endif
