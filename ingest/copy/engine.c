#include "ingest/copy/engine.h"

#include "base/log.h"

#include <string.h>

#define PROGRESS_NS (100 * NS_PER_MS)

void
engine_init(struct engine *engine, struct mailbox *mailbox, const struct engine_options *options)
{
    ASSERT(options->lane_count <= ENGINE_LANES_MAX);
    *engine =
        (struct engine){.options = *options, .mailbox = mailbox, .running = options->lane_count};
    list_init(&engine->free_orders);
    list_init(&engine->small);
    list_init(&engine->larges);
    engine->orders = mem_take(ORDER_COUNT * sizeof *engine->orders);
    for (unsigned i = 0; i < ORDER_COUNT; i++) {
        list_push(&engine->free_orders, &engine->orders[i].link);
    }
    engine->batches = mem_take(options->batch_count * sizeof *engine->batches);
    for (unsigned i = 0; i < options->batch_count; i++) {
        arena_init(&engine->batches[i].arena, BATCH_ARENA_BYTES);
        engine->batches[i].mail.kind = MAIL_BATCH;
        mailbox_post(&options->scan->mailbox, &engine->batches[i].mail);
    }
    engine->figures.phase = PHASE_COPY;
    engine->figures.started_ns = clock_mono_ns(options->clock);
    engine->moved_ns = engine->figures.started_ns;
}

void
engine_done(struct engine *engine)
{
    for (unsigned i = 0; engine->batches != NULL && i < engine->options.batch_count; i++) {
        arena_done(&engine->batches[i].arena);
    }
    engine->batches = mem_give(engine->batches);
    engine->orders = mem_give(engine->orders);
}

void
engine_stop(struct engine *engine, const struct err *why)
{
    if (engine->is_stopping) {
        return;
    }
    engine->is_stopping = true;
    engine->stop = *why;
    engine->stop_ns = clock_mono_ns(engine->options.clock);
    log_info(LOG_COPY, "copy-stopping", LOG_ERR(why));
}

struct order *
engine_take_order(struct engine *engine, struct batch *batch, enum order_kind kind,
                  unsigned lane_index)
{
    struct order *order = CONTAINER_OF(list_pop(&engine->free_orders), struct order, link);
    *order = (struct order){.batch = batch, .kind = kind, .lane_index = lane_index};
    order->mail.kind = MAIL_ORDER;
    engine->lane_orders[lane_index]++;
    return order;
}

bool
engine_lane_has_room(const struct engine *engine, unsigned lane_index)
{
    return !list_is_empty(&engine->free_orders) &&
           engine->lane_orders[lane_index] < engine->options.lanes[lane_index].options.window + 2;
}

unsigned
engine_idle_lane(const struct engine *engine)
{
    unsigned best = ENGINE_LANES_MAX;
    for (unsigned i = 0; i < engine->options.lane_count; i++) {
        if (engine_lane_has_room(engine, i) &&
            (best == ENGINE_LANES_MAX || engine->lane_orders[i] < engine->lane_orders[best])) {
            best = i;
        }
    }
    return best;
}

static void
count_item(struct engine *engine, const struct batch *batch, const struct item *item)
{
    struct copy_figures *figures = &engine->figures;
    const struct copy_events *events = engine->options.events;
    bool is_reported = false;
    switch ((enum item_state)item->state) {
    case ITEM_COPIED:
    case ITEM_RESUMED:
        figures->items_copied += !item->is_renamed;
        figures->items_renamed += item->is_renamed;
        figures->bytes_copied += item->size_bytes;
        figures->bytes_resumed += item->state == ITEM_RESUMED ? item->size_bytes
                                  : batch->large != NULL      ? batch->large->resumed_bytes
                                                              : 0;
        figures->in_transit += item->verdict == VERDICT_IN_TRANSIT;
        figures->manifest += item->matches_manifest;
        figures->unverifiable += item->verdict != VERDICT_IN_TRANSIT && !item->matches_manifest;
        break;
    case ITEM_UNCHANGED: figures->items_unchanged++; break;
    case ITEM_SKIPPED:
        figures->items_skipped++;
        is_reported = true;
        break;
    case ITEM_FAILED:
        figures->items_failed++;
        figures->items_damaged += err_exit(item->err_code) == EXIT_MISMATCH;
        is_reported = true;
        break;
    case ITEM_UNDONE:
    case ITEM_NONE:
    case ITEM_PENDING:
    case ITEM_STATE_COUNT: break;
    }
    if (item->state != ITEM_UNDONE) {
        uint64_t counted = batch->large == NULL ? 0 : batch->large->done_bytes;
        figures->bytes_done += item->size_bytes - counted;
    }
    if (is_reported && events->item != NULL) {
        events->item(events->user, item);
    }
}

void
engine_finish(struct engine *engine, struct batch *batch)
{
    struct err err = ERR_NONE;
    for (unsigned i = 0; i < batch->count; i++) {
        const struct item *item = &batch->items[i];
        count_item(engine, batch, item);
        if (item->state == ITEM_UNDONE && item->err_code != ERR_OK &&
            item->err_code != ERR_INTERRUPTED && !engine->is_stopping) {
            (void)err_set(&err, item->err_code, "%s", item->err_text);
            engine_stop(engine, &err);
        }
    }
    if (engine->figures.items_failed > (uint64_t)engine->options.copy->config->failures_max &&
        !engine->is_stopping) {
        (void)err_set(&err, ERR_TOO_MANY_FAILURES,
                      "%llu items failed; copy.failures-max allows %llu",
                      (unsigned long long)engine->figures.items_failed,
                      (unsigned long long)engine->options.copy->config->failures_max);
        engine_stop(engine, &err);
    }
    engine->batches_out--;
    batch->mail.kind = MAIL_BATCH;
    mailbox_post(&engine->options.recorder->mailbox, &batch->mail);
}

static void
on_batch(struct engine *engine, struct batch *batch)
{
    if (batch->is_dealt) {
        unsigned lane_index = batch->lane_index;
        engine->lane_batches[lane_index]--;
        engine_finish(engine, batch);
        return;
    }
    batch->is_dealt = true;
    engine->batches_out++;
    if (batch->is_last) {
        engine->figures.is_scan_done = true;
    }
    if (batch->large != NULL && batch->items[0].state == ITEM_PENDING) {
        large_begin(engine, batch);
    } else {
        list_push(&engine->small, &batch->link);
    }
}

static void
on_stopped(struct engine *engine, const struct mail *mail)
{
    if (mail == &engine->options.scan->stopped) {
        engine->is_scan_stopped = true;
        if (engine->options.scan->err.code != ERR_OK) {
            engine_stop(engine, &engine->options.scan->err);
        }
    } else if (mail == &engine->options.recorder->stopped) {
        engine->is_recorder_stopped = true;
    } else {
        engine->running--;
    }
}

static void
drain_mailbox(struct engine *engine)
{
    struct mail *next = NULL;
    for (struct mail *mail = mailbox_take(engine->mailbox); mail != NULL; mail = next) {
        next = mail->next;
        struct order *order = NULL;
        switch ((enum copy_mail)mail->kind) {
        case MAIL_BATCH: on_batch(engine, CONTAINER_OF(mail, struct batch, mail)); break;
        case MAIL_ORDER:
            order = CONTAINER_OF(mail, struct order, mail);
            engine->lane_orders[order->lane_index]--;
            large_on_order(engine, order);
            break;
        case MAIL_FACTS:
            order = CONTAINER_OF(mail, struct order, mail);
            list_push_front(&engine->free_orders, &order->link);
            break;
        case MAIL_STOPPED: on_stopped(engine, mail); break;
        case MAIL_STOP: break;
        }
    }
}

static void
deal_small(struct engine *engine)
{
    unsigned most = engine->options.target->caps.is_local ? 16 : 3;
    while (!list_is_empty(&engine->small)) {
        unsigned best = 0;
        for (unsigned i = 1; i < engine->options.lane_count; i++) {
            best = engine->lane_batches[i] < engine->lane_batches[best] ? i : best;
        }
        struct batch *batch = CONTAINER_OF(engine->small.next, struct batch, link);
        if (engine->is_stopping) {
            list_remove(&batch->link);
            for (unsigned i = 0; i < batch->count; i++) {
                struct item *item = &batch->items[i];
                item->state = item->state == ITEM_PENDING ? ITEM_UNDONE : item->state;
            }
            engine_finish(engine, batch);
            continue;
        }
        if (engine->lane_batches[best] >= most) {
            return;
        }
        list_remove(&batch->link);
        engine->lane_batches[best]++;
        batch->lane_index = best;
        batch->mail.kind = MAIL_BATCH;
        mailbox_post(&engine->options.lanes[best].mailbox, &batch->mail);
    }
}

static void
deal_larges(struct engine *engine)
{
    struct list *next = NULL;
    for (struct list *at = engine->larges.next; at != &engine->larges; at = next) {
        next = at->next;
        large_deal(engine, CONTAINER_OF(at, struct batch, link));
    }
}

void
engine_sum(struct engine *engine)
{
    struct copy_figures *figures = &engine->figures;
    figures->bytes_sent = 0;
    figures->requests = 0;
    figures->throttled_count = 0;
    figures->read_ns = 0;
    figures->hash_ns = 0;
    figures->send_ns = 0;
    figures->store_ns = 0;
    figures->throttled_ns = 0;
    for (unsigned i = 0; i < engine->options.lane_count; i++) {
        struct lane_figures *lane = &engine->options.lanes[i].figures;
        figures->bytes_sent += atomic_load_explicit(&lane->bytes_sent, memory_order_relaxed);
        figures->requests += atomic_load_explicit(&lane->requests, memory_order_relaxed);
        figures->throttled_count += atomic_load_explicit(&lane->throttled, memory_order_relaxed);
        figures->read_ns += atomic_load_explicit(&lane->read_ns, memory_order_relaxed);
        figures->hash_ns += atomic_load_explicit(&lane->hash_ns, memory_order_relaxed);
        figures->send_ns += atomic_load_explicit(&lane->send_ns, memory_order_relaxed);
        figures->store_ns += atomic_load_explicit(&lane->store_ns, memory_order_relaxed);
        figures->throttled_ns += atomic_load_explicit(&lane->throttled_ns, memory_order_relaxed);
    }
    figures->items_total = atomic_load_explicit(&engine->options.scan->items, memory_order_relaxed);
    figures->bytes_total = atomic_load_explicit(&engine->options.scan->bytes, memory_order_relaxed);
    figures->folders_empty =
        atomic_load_explicit(&engine->options.scan->folders_empty, memory_order_relaxed);
    figures->folders_kept =
        atomic_load_explicit(&engine->options.scan->folders_kept, memory_order_relaxed);
    figures->elapsed_ns = clock_mono_ns(engine->options.clock) - figures->started_ns;
}

static uint64_t
moved_by_lanes(const struct engine *engine)
{
    uint64_t moved = 0;
    for (unsigned i = 0; i < engine->options.lane_count; i++) {
        moved +=
            atomic_load_explicit(&engine->options.lanes[i].figures.moved, memory_order_relaxed);
    }
    return moved;
}

static void
watch(struct engine *engine, int64_t now_ns)
{
    struct err err = ERR_NONE;
    const struct copy_events *events = engine->options.events;
    int signal =
        engine->options.control == NULL ? 0 : atomic_load(&engine->options.control->signal);
    if (signal != 0 && engine->signal == 0) {
        engine->signal = signal;
        (void)err_set(&err, ERR_INTERRUPTED, "interrupted by signal %d", signal);
        engine_stop(engine, &err);
    }
    if (atomic_load(&engine->options.recorder->has_failed)) {
        engine_stop(engine, &engine->options.recorder->err);
    }
    if (now_ns - engine->told_ns < PROGRESS_NS) {
        return;
    }
    engine->told_ns = now_ns;
    engine_sum(engine);
    const struct copy_figures *figures = &engine->figures;
    uint64_t moved = moved_by_lanes(engine) + figures->bytes_sent + figures->requests +
                     figures->items_total + figures->items_copied + figures->items_failed +
                     (uint64_t)figures->read_ns;
    if (moved != engine->moved) {
        engine->moved = moved;
        engine->moved_ns = now_ns;
    } else if (now_ns - engine->moved_ns > engine->options.copy->config->stall_timeout_ns) {
        (void)err_set(&err, ERR_STALLED, "nothing moved for %lld s",
                      (long long)((now_ns - engine->moved_ns) / NS_PER_S));
        engine_stop(engine, &err);
    }
    if (events->progress != NULL) {
        events->progress(events->user, figures);
    }
}

static void
tell(struct mailbox *box, struct mail *mail)
{
    mail->kind = MAIL_STOP;
    mailbox_post(box, mail);
}

/* Lanes and scan are told once there is nothing left for them, the recorder when all came back. */
static void
wind_up(struct engine *engine, int64_t now_ns)
{
    const struct engine_options *options = &engine->options;
    bool is_empty = engine->is_scan_stopped && engine->batches_out == 0 &&
                    list_is_empty(&engine->small) && list_is_empty(&engine->larges);
    if (!engine->is_lanes_told && (engine->is_stopping || is_empty)) {
        engine->is_lanes_told = true;
        tell(&options->scan->mailbox, &options->scan->stop);
        for (unsigned i = 0; i < options->lane_count; i++) {
            tell(&options->lanes[i].mailbox, &options->lanes[i].stop);
        }
    }
    bool is_over = engine->is_stopping && now_ns - engine->stop_ns > ENGINE_ABANDON_NS;
    bool is_quiet = is_empty && engine->running == 0;
    if (!engine->is_recorder_told && engine->is_lanes_told && (is_quiet || is_over)) {
        engine->is_recorder_told = true;
        engine->is_abandoned = !is_quiet;
        tell(&options->recorder->mailbox, &options->recorder->stop);
    }
}

bool
engine_turn(struct engine *engine)
{
    int64_t now_ns = clock_mono_ns(engine->options.clock);
    drain_mailbox(engine);
    watch(engine, now_ns);
    deal_larges(engine);
    deal_small(engine);
    wind_up(engine, now_ns);
    return !engine->is_recorder_stopped;
}

void
engine_run(struct engine *engine)
{
    while (engine_turn(engine)) {
        mailbox_wait(engine->mailbox, (int)(PROGRESS_NS / NS_PER_MS));
    }
    engine_sum(engine);
}
