#include "ingest/copy/recorder.h"

#include <pthread.h>

#define ROWS_MAX   1000
#define ORDERS_MAX 256

enum err_code
recorder_init(struct recorder *recorder, const struct recorder_options *options, struct err *err)
{
    *recorder = (struct recorder){.options = *options};
    list_init(&recorder->batches);
    list_init(&recorder->orders);
    return mailbox_init(&recorder->mailbox, err);
}

void
recorder_done(struct recorder *recorder)
{
    mailbox_done(&recorder->mailbox);
}

static void
fail(struct recorder *recorder, const struct err *err)
{
    if (!atomic_load(&recorder->has_failed)) {
        recorder->err = *err;
        atomic_store(&recorder->has_failed, true);
        mailbox_wake(recorder->options.control);
    }
}

static bool
is_recordable(const struct item *item)
{
    switch ((enum item_state)item->state) {
    case ITEM_COPIED:
    case ITEM_UNCHANGED:
    case ITEM_RESUMED: return !item->is_recorded;
    default: return false;
    }
}

/*
 * Are the blocks of this item worth nothing? One of them was read damaged, or the store does not
 * make an item of them: a later run has to begin with the first block.
 */
static bool
has_bad_blocks(const struct batch *batch)
{
    const struct item *item = &batch->items[0];
    return batch->large != NULL && batch->large->is_recorded && item->state == ITEM_FAILED &&
           (item->err_code == ERR_DIGEST || item->err_code == ERR_ITEM_CHANGED ||
            item->err_code == ERR_ITEM_REFUSED);
}

static enum err_code
write_batch(struct recorder *recorder, const struct batch *batch, struct err *err)
{
    enum err_code code = ERR_OK;
    if (has_bad_blocks(batch)) {
        ASSERT(batch->large != NULL);
        recorder->row_count++;
        return plan_forget_large(recorder->options.plan, batch->large->stage_id, err);
    }
    for (unsigned i = 0; i < batch->count && code == ERR_OK; i++) {
        if (is_recordable(&batch->items[i])) {
            code = plan_add_item(recorder->options.plan, &batch->items[i], err);
            recorder->row_count++;
        }
    }
    return code;
}

static enum err_code
write_order(struct recorder *recorder, const struct order *order, struct err *err)
{
    struct large *large = order->batch->large;
    enum err_code code = ERR_OK;
    if (!large->is_recorded) {
        large->is_recorded = true;
        code =
            plan_add_large(recorder->options.plan, &order->batch->items[0], large->stage_id, err);
    }
    recorder->row_count++;
    return code == ERR_OK ? plan_add_block(recorder->options.plan, large->stage_id, order, err)
                          : code;
}

static void
give_order(struct recorder *recorder, struct order *order)
{
    list_remove(&order->link);
    recorder->order_count--;
    order->mail.kind = MAIL_FACTS;
    mailbox_post(recorder->options.control, &order->mail);
}

/* Blocks that are stored for good: sync a local target first, then write them all. */
static void
write_orders(struct recorder *recorder)
{
    struct err err = ERR_NONE;
    if (list_is_empty(&recorder->orders)) {
        return;
    }
    enum err_code code =
        atomic_load(&recorder->has_failed) ? ERR_OK : end_barrier(recorder->options.target, &err);
    while (!list_is_empty(&recorder->orders)) {
        struct order *order = CONTAINER_OF(recorder->orders.next, struct order, link);
        if (code == ERR_OK && !atomic_load(&recorder->has_failed)) {
            code = write_order(recorder, order, &err);
        }
        give_order(recorder, order);
    }
    if (code != ERR_OK) {
        fail(recorder, &err);
    }
}

/* A large item that is published needs no blocks any more; one that is not needs them now. */
static void
settle_orders(struct recorder *recorder, const struct batch *batch)
{
    bool is_published = is_recordable(&batch->items[0]);
    struct list *next = NULL;
    for (struct list *at = recorder->orders.next; at != &recorder->orders; at = next) {
        next = at->next;
        struct order *order = CONTAINER_OF(at, struct order, link);
        if (order->batch != batch) {
            continue;
        }
        if (!is_published) {
            write_orders(recorder);
            return;
        }
        give_order(recorder, order);
    }
}

static void
commit(struct recorder *recorder)
{
    struct err err = ERR_NONE;
    if (!atomic_load(&recorder->has_failed) &&
        plan_commit(recorder->options.plan, &err) != ERR_OK) {
        fail(recorder, &err);
    }
    recorder->row_count = 0;
    while (!list_is_empty(&recorder->batches)) {
        struct batch *batch = CONTAINER_OF(list_pop(&recorder->batches), struct batch, link);
        batch->mail.kind = MAIL_BATCH;
        mailbox_post(recorder->options.scan, &batch->mail);
    }
}

static void
take_batch(struct recorder *recorder, struct batch *batch, int64_t now_ns)
{
    struct err err = ERR_NONE;
    if (list_is_empty(&recorder->batches)) {
        recorder->batches_ns = now_ns;
    }
    if (batch->large != NULL) {
        settle_orders(recorder, batch);
    }
    if (!atomic_load(&recorder->has_failed) && write_batch(recorder, batch, &err) != ERR_OK) {
        fail(recorder, &err);
    }
    list_push(&recorder->batches, &batch->link);
}

static bool
drain_mailbox(struct recorder *recorder, int64_t now_ns)
{
    struct mail *next = NULL;
    struct mail *mail = mailbox_take(&recorder->mailbox);
    bool did = mail != NULL;
    for (; mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == MAIL_BATCH) {
            take_batch(recorder, CONTAINER_OF(mail, struct batch, mail), now_ns);
        } else if (mail->kind == MAIL_ORDER) {
            struct order *order = CONTAINER_OF(mail, struct order, mail);
            if (recorder->order_count == 0) {
                recorder->orders_ns = now_ns;
            }
            list_push(&recorder->orders, &order->link);
            recorder->order_count++;
        } else {
            recorder->is_stopping = true;
        }
    }
    return did;
}

static int64_t
order_wait_ns(const struct recorder *recorder)
{
    return recorder->options.target->caps.is_local ? recorder->options.local_sync_ns
                                                   : PLAN_COMMIT_NS;
}

bool
recorder_turn(struct recorder *recorder)
{
    int64_t now_ns = clock_mono_ns(recorder->options.clock);
    bool did = drain_mailbox(recorder, now_ns);
    bool is_stopping = recorder->is_stopping;
    bool has_orders = !list_is_empty(&recorder->orders);
    if (has_orders && (is_stopping || recorder->order_count >= ORDERS_MAX ||
                       now_ns - recorder->orders_ns >= order_wait_ns(recorder))) {
        write_orders(recorder);
        commit(recorder);
        did = true;
    }
    if (!list_is_empty(&recorder->batches) && (is_stopping || recorder->row_count >= ROWS_MAX ||
                                               now_ns - recorder->batches_ns >= PLAN_COMMIT_NS)) {
        commit(recorder);
        did = true;
    }
    if (is_stopping && !recorder->is_stopped) {
        recorder->is_stopped = true;
        recorder->stopped.kind = MAIL_STOPPED;
        mailbox_post(recorder->options.control, &recorder->stopped);
    }
    return did;
}

void *
recorder_run(void *user)
{
    struct recorder *recorder = user;
    (void)pthread_setname_np(pthread_self(), "recorder");
    while (!recorder->is_stopped) {
        if (!recorder_turn(recorder) && !recorder->is_stopped) {
            bool is_waiting =
                !list_is_empty(&recorder->batches) || !list_is_empty(&recorder->orders);
            mailbox_wait(&recorder->mailbox,
                         is_waiting ? (int)(PLAN_COMMIT_NS / NS_PER_MS / 4) : -1);
        }
    }
    return NULL;
}
