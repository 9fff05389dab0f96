#include "ingest/copy/lane.h"

#include "storage/wrap/packer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* How long in-flight requests may take to end by themselves once a stop was asked for. */
#define STOP_GRACE_NS (500 * NS_PER_MS)

enum err_code
lane_init(struct lane *lane, unsigned index, const struct lane_options *options, struct err *err)
{
    *lane = (struct lane){.index = index, .options = *options};
    window_init(&lane->window, options->window, options->window_blocks,
                clock_mono_ns(options->clock));
    list_init(&lane->free_blocks);
    list_init(&lane->to_submit);
    list_init(&lane->in_flight);
    list_init(&lane->arrived);
    lane->asks_ahead = !options->source->caps.is_local && options->target->caps.is_local;
    list_init(&lane->batches);
    list_init(&lane->orders);
    enum err_code code = mailbox_init(&lane->mailbox, err);
    if (code != ERR_OK) {
        return code;
    }
    code = pool_new(options->pool_bytes, &lane->pool, err);
    if (code != ERR_OK) {
        return code;
    }
    lane->blocks = mem_take(options->block_count * sizeof *lane->blocks);
    for (unsigned i = 0; i < options->block_count; i++) {
        list_push(&lane->free_blocks, &lane->blocks[i].link);
    }
    return ERR_OK;
}

void
lane_open(struct lane *lane, struct disk *disk, struct transport *http, struct backend *source,
          struct backend *target)
{
    lane->disk = disk;
    lane->http = http;
    lane->source = source;
    lane->target = target;
}

void
lane_set_packer(struct lane *lane, struct packer *packer)
{
    lane->packer = packer;
}

void
lane_done(struct lane *lane)
{
    lane->source = backend_free(lane->source);
    lane->target = backend_free(lane->target);
    lane->http = transport_free(lane->http);
    lane->disk = lane->disk == NULL ? NULL : disk_free(lane->disk);
    lane->packer = packer_free(lane->packer);
    lane->blocks = mem_give(lane->blocks);
    lane->pool = lane->pool == NULL ? NULL : pool_free(lane->pool);
    if (lane->options.control != NULL) {
        mailbox_done(&lane->mailbox);
    }
}

void
lane_answered(struct lane *lane, const struct blob_op *op)
{
    if (op->throttled_count > 0) {
        atomic_fetch_add_explicit(&lane->figures.throttled, op->throttled_count,
                                  memory_order_relaxed);
        window_throttled(&lane->window, clock_mono_ns(lane->options.clock));
    } else {
        window_answered(&lane->window);
    }
}

static void
post_batch(struct lane *lane, struct batch *batch)
{
    ASSERT(batch->done_count == batch->count);
    list_remove(&batch->link);
    lane->out_batches--;
    batch->mail.kind = MAIL_BATCH;
    mailbox_post(lane->options.control, &batch->mail);
}

static void
post_order(struct lane *lane, struct order *order)
{
    order->mail.kind = MAIL_ORDER;
    mailbox_post(lane->options.control, &order->mail);
}

static void
item_ended(struct lane *lane, struct batch *batch)
{
    batch->done_count++;
    if (batch->done_count == batch->count) {
        post_batch(lane, batch);
    }
}

void
lane_block_ended(struct lane *lane, struct block *block)
{
    struct batch *batch = block->batch;
    struct order *order = block->order;
    list_remove(&block->link);
    block->state = BLOCK_NONE;
    list_push_front(&lane->free_blocks, &block->link);
    lane->used_blocks--;
    if (order != NULL) {
        post_order(lane, order);
    } else {
        item_ended(lane, batch);
    }
}

static bool
may_begin(const struct lane *lane)
{
    return !lane->is_stopping && !lane->is_halted;
}

/* What the backends keep open for a large item; nobody waits for the answer. */
static void
on_discarded(struct blob_op *op)
{
    struct block *block = CONTAINER_OF(op, struct block, op);
    lane_block_ended(block->lane, block);
}

static void
on_source_discarded(struct blob_op *op)
{
    struct block *block = CONTAINER_OF(op, struct block, op);
    struct err err = ERR_NONE;
    op->done = on_discarded;
    op->err = ERR_NONE;
    op->name = block->item->target;
    block->at = block->lane->target;
    if (block->lane->is_cancelled || backend_submit(block->at, op, &err) != ERR_OK) {
        lane_block_ended(block->lane, block);
    }
}

static void
discard(struct lane *lane, struct order *order)
{
    struct err err = ERR_NONE;
    struct block *block = block_take(lane, order->batch, &order->batch->items[0]);
    block->order = order;
    block->op.verb = BLOB_DISCARD;
    block->op.done = on_source_discarded;
    block->at = lane->source;
    if (backend_submit(block->at, &block->op, &err) != ERR_OK) {
        lane_block_ended(lane, block);
    } else {
        list_push(&lane->in_flight, &block->link);
    }
}

static void
begin_order(struct lane *lane, struct order *order)
{
    struct item *item = &order->batch->items[0];
    order->err = ERR_NONE;
    if (order->kind == ORDER_DISCARD) {
        discard(lane, order);
        return;
    }
    struct block *block = block_take(lane, order->batch, item);
    block->order = order;
    block->block_index = order->block_index;
    block->offset_bytes = (uint64_t)order->block_index * item->block_bytes;
    block->len_bytes =
        order->kind == ORDER_BLOCK
            ? (uint32_t)MIN_OF(item->block_bytes, item->size_bytes - block->offset_bytes)
            : 0;
    block_start(block);
}

static void
refuse_order(struct lane *lane, struct order *order)
{
    (void)err_set(&order->err, ERR_INTERRUPTED, "not begun");
    post_order(lane, order);
}

static bool
has_room_for(const struct lane *lane, const struct order *order)
{
    if (list_is_empty(&lane->free_blocks)) {
        return false;
    }
    if (order->kind == ORDER_COMMIT || order->kind == ORDER_DISCARD) {
        return true;
    }
    return lane->active < lane->window.requests &&
           (order->kind != ORDER_BLOCK || lane->active_blocks < lane->window.blocks);
}

static void
begin_orders(struct lane *lane)
{
    while (!list_is_empty(&lane->orders)) {
        struct order *order = CONTAINER_OF(lane->orders.next, struct order, link);
        bool is_refused = !may_begin(lane) && order->kind != ORDER_DISCARD;
        if (!is_refused && !has_room_for(lane, order)) {
            return;
        }
        list_remove(&order->link);
        if (is_refused) {
            refuse_order(lane, order);
        } else {
            begin_order(lane, order);
        }
    }
}

/* Items that come with their end decided (failed or skipped by the scan) only pass through. */
static void
begin_batches(struct lane *lane)
{
    while (!list_is_empty(&lane->batches)) {
        struct batch *batch = CONTAINER_OF(lane->batches.next, struct batch, link);
        if (batch->next_index == batch->count) {
            list_remove(&batch->link);
            if (batch->count == 0) {
                post_batch(lane, batch);
            }
            continue;
        }
        struct item *item = &batch->items[batch->next_index];
        if (item->state == ITEM_PENDING && may_begin(lane)) {
            if (lane->active >= lane->window.requests || list_is_empty(&lane->free_blocks)) {
                return;
            }
            batch->next_index++;
            block_start(block_take(lane, batch, item));
            continue;
        }
        if (item->state == ITEM_PENDING) {
            item->state = ITEM_UNDONE;
        }
        batch->next_index++;
        if (batch->next_index == batch->count) {
            list_remove(&batch->link);
        }
        item_ended(lane, batch);
    }
}

static void
drain_mailbox(struct lane *lane)
{
    struct mail *next = NULL;
    for (struct mail *mail = mailbox_take(&lane->mailbox); mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == MAIL_BATCH) {
            struct batch *batch = CONTAINER_OF(mail, struct batch, mail);
            lane->out_batches++;
            list_push(&lane->batches, &batch->link);
        } else if (mail->kind == MAIL_ORDER) {
            struct order *order = CONTAINER_OF(mail, struct order, mail);
            list_push(&lane->orders, &order->link);
        } else {
            lane->is_stopping = true;
            lane->cancel_ns = clock_mono_ns(lane->options.clock) + STOP_GRACE_NS;
        }
    }
}

static void
cancel_all(struct lane *lane)
{
    lane->is_cancelled = true;
    struct list *next = NULL;
    for (struct list *at = lane->in_flight.next; at != &lane->in_flight; at = next) {
        next = at->next;
        struct block *block = CONTAINER_OF(at, struct block, link);
        backend_cancel(block->at, &block->op);
    }
}

/* Blocks whose backend had no room when they wanted to begin. */
static void
resubmit(struct lane *lane)
{
    struct list again;
    list_init(&again);
    while (!list_is_empty(&lane->to_submit)) {
        list_push(&again, list_pop(&lane->to_submit));
    }
    while (!list_is_empty(&again)) {
        block_resubmit(CONTAINER_OF(list_pop(&again), struct block, link));
    }
}

/*
 * Blocks that came from a store in the turn before: the next ones have been asked for since, so
 * that the store works while these are hashed and written. Only those that `count` tells, because
 * what has arrived in this turn waits for the next.
 */
static void
hash_arrived(struct lane *lane, unsigned count)
{
    while (count-- > 0) {
        block_hash(CONTAINER_OF(list_pop(&lane->arrived), struct block, link));
    }
}

static unsigned
count_arrived(const struct lane *lane)
{
    unsigned count = 0;
    for (const struct list *at = lane->arrived.next; at != &lane->arrived; at = at->next) {
        count++;
    }
    return count;
}

unsigned
lane_turn(struct lane *lane)
{
    unsigned ran = count_arrived(lane);
    unsigned arrived = ran;
    drain_mailbox(lane);
    resubmit(lane);
    begin_orders(lane);
    begin_batches(lane);
    if (lane->disk != NULL) {
        ran += disk_poll(lane->disk);
    }
    ran += backend_poll(lane->source);
    ran += backend_poll(lane->target);
    if (lane->http != NULL) {
        ran += transport_poll(lane->http);
    }
    hash_arrived(lane, arrived);
    if (!lane->is_stopping) {
        return ran;
    }
    if (!lane->is_cancelled && clock_mono_ns(lane->options.clock) >= lane->cancel_ns) {
        cancel_all(lane);
    }
    if (lane->used_blocks == 0 && lane->out_batches == 0 && list_is_empty(&lane->orders) &&
        !lane->is_stopped) {
        lane->is_stopped = true;
        lane->stopped.kind = MAIL_STOPPED;
        mailbox_post(lane->options.control, &lane->stopped);
    }
    return ran;
}

int64_t
lane_next_timer_ns(struct lane *lane)
{
    int64_t at_ns =
        MIN_OF(backend_next_timer_ns(lane->source), backend_next_timer_ns(lane->target));
    if (lane->http != NULL) {
        at_ns = MIN_OF(at_ns, transport_next_timer_ns(lane->http));
    }
    if (lane->is_stopping && !lane->is_cancelled) {
        at_ns = MIN_OF(at_ns, lane->cancel_ns);
    }
    return at_ns;
}

static void
lane_wait(struct lane *lane)
{
    struct pollfd fds[3] = {{.fd = mailbox_fd(&lane->mailbox), .events = POLLIN}};
    nfds_t count = 1;
    if (lane->disk != NULL) {
        fds[count++] = (struct pollfd){.fd = disk_wake_fd(lane->disk), .events = POLLIN};
    }
    if (lane->http != NULL) {
        fds[count++] = (struct pollfd){.fd = transport_wake_fd(lane->http), .events = POLLIN};
    }
    int64_t at_ns = lane_next_timer_ns(lane);
    int64_t wait_ns =
        at_ns == INT64_MAX ? -1 : MAX_OF(at_ns - clock_mono_ns(lane->options.clock), 0);
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    if (mailbox_arm(&lane->mailbox)) {
        (void)ppoll(fds, count, wait_ns < 0 ? NULL : &wait, NULL);
    }
    mailbox_disarm(&lane->mailbox);
}

void *
lane_run(void *user)
{
    struct lane *lane = user;
    char name[16];
    (void)snprintf(name, sizeof name, "lane-%u", lane->index);
    (void)pthread_setname_np(pthread_self(), name);
    while (!lane->is_stopped) {
        if (lane_turn(lane) == 0 && !lane->is_stopped) {
            lane_wait(lane);
        }
    }
    return NULL;
}
