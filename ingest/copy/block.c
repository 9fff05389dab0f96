/* The life of a block, step by step; what is legal when is the table at the top. */
#include "base/crc64.h"
#include "ingest/copy/lane.h"

#include <string.h>

#define BLOCK_AS_NAME(id) #id,
static const char *const state_names[] = {BLOCK_STATE_MAP(BLOCK_AS_NAME)};
static const char *const event_names[] = {BLOCK_EVENT_MAP(BLOCK_AS_NAME)};

// clang-format off
static const uint8_t next_state[BLOCK_STATE_COUNT][BLOCK_EVENT_COUNT] = {
    [BLOCK_NONE]        = {[BLOCK_EV_ASK]    = BLOCK_ASKING,      [BLOCK_EV_START] = BLOCK_WAIT_BUFFER, [BLOCK_EV_COMMIT] = BLOCK_COMMITTING},
    [BLOCK_ASKING]      = {[BLOCK_EV_START]  = BLOCK_WAIT_BUFFER, [BLOCK_EV_SAME]  = BLOCK_STORED,      [BLOCK_EV_DONE] = BLOCK_STORED,   [BLOCK_EV_FAIL] = BLOCK_FAILED},
    [BLOCK_WAIT_BUFFER] = {[BLOCK_EV_BUFFER] = BLOCK_READING,     [BLOCK_EV_FAIL]  = BLOCK_FAILED},
    [BLOCK_READING]     = {[BLOCK_EV_READ]   = BLOCK_HASHING,     [BLOCK_EV_FAIL]  = BLOCK_FAILED},
    [BLOCK_HASHING]     = {[BLOCK_EV_HASHED] = BLOCK_SENDING,     [BLOCK_EV_SAME]  = BLOCK_STORED,      [BLOCK_EV_MORE] = BLOCK_READING, [BLOCK_EV_ASK] = BLOCK_ADOPTING, [BLOCK_EV_FAIL] = BLOCK_FAILED},
    [BLOCK_ADOPTING]    = {[BLOCK_EV_SAME]   = BLOCK_STORED,      [BLOCK_EV_HASHED] = BLOCK_SENDING,    [BLOCK_EV_FAIL] = BLOCK_FAILED},
    [BLOCK_SENDING]     = {[BLOCK_EV_SENT]   = BLOCK_STORED,      [BLOCK_EV_COMMIT] = BLOCK_COMMITTING, [BLOCK_EV_FAIL] = BLOCK_FAILED},
    [BLOCK_COMMITTING]  = {[BLOCK_EV_DONE]   = BLOCK_STORED,      [BLOCK_EV_FAIL]  = BLOCK_FAILED},
};
// clang-format on

const struct fsm block_fsm = {
    .name = "block",
    .state_names = state_names,
    .event_names = event_names,
    .state_count = BLOCK_STATE_COUNT,
    .event_count = BLOCK_EVENT_COUNT,
    .next = &next_state[0][0],
    .initial = BLOCK_NONE,
    .final_states = UINT64_C(1) << BLOCK_STORED | UINT64_C(1) << BLOCK_FAILED,
};

void
block_step(struct block *block, enum block_event event)
{
    unsigned next = fsm_next(&block_fsm, block->state, event);
    ASSERT(next != BLOCK_NONE);
    block->state = next;
}

static void
block_interrupt(struct block *block)
{
    struct err err = ERR_NONE;
    (void)err_set(&err, ERR_INTERRUPTED, "stopped before '%s' was stored", block->item->name);
    block_fail(block, &err);
}

/* Hand op to its backend; if that has no room, the block waits for the next turn. */
void
block_resubmit(struct block *block)
{
    struct lane *lane = block->lane;
    if (lane->is_cancelled) {
        block_interrupt(block);
        return;
    }
    struct err err = ERR_NONE;
    bool is_read = block->op.verb == BLOB_READ;
    block->at = is_read ? lane->source : lane->target;
    block->op.name = is_read ? block->item->name : block->item->target;
    list_remove(&block->link);
    if (backend_submit(block->at, &block->op, &err) == ERR_OK) {
        list_push(&lane->in_flight, &block->link);
    } else {
        list_push(&lane->to_submit, &block->link);
    }
}

void
block_submit(struct block *block, enum blob_verb verb, blob_done_fn *done)
{
    struct blob_op *op = &block->op;
    op->verb = verb;
    op->done = done;
    op->err = ERR_NONE;
    op->moved_bytes = 0;
    op->checked = BLOB_CHECKED_NO;
    op->etag[0] = '\0';
    op->retry_after_ns = 0;
    op->throttled_count = 0;
    op->throttled_ns = 0;
    op->sent_ns = 0;
    op->is_cancelled = false;
    block->began_ns = clock_mono_ns(block->lane->options.clock);
    if (verb != BLOB_READ) {
        lane_add(&block->lane->figures.requests, 1);
    }
    block_resubmit(block);
}

/* Take the block off the in-flight list and account the time since it was submitted. */
struct block *
block_take_answer(struct blob_op *op)
{
    struct block *block = CONTAINER_OF(op, struct block, op);
    struct lane_figures *figures = &block->lane->figures;
    list_remove(&block->link);
    lane_answered(block->lane, op);
    int64_t now_ns = clock_mono_ns(block->lane->options.clock);
    int64_t took_ns = now_ns - block->began_ns - op->throttled_ns;
    int64_t store_ns =
        op->sent_ns > block->began_ns ? MIN_OF(now_ns - op->sent_ns, took_ns) : took_ns;
    if (op->verb == BLOB_READ) {
        lane_add_ns(&figures->read_ns, took_ns);
    } else {
        lane_add_ns(&figures->store_ns, store_ns);
        lane_add_ns(&figures->send_ns, took_ns - store_ns);
    }
    lane_add_ns(&figures->throttled_ns, op->throttled_ns);
    return block;
}

static bool
is_of_large(const struct block *block)
{
    return block->order != NULL && block->order->kind == ORDER_BLOCK;
}

/* One request of the lane's share: whatever is asked or moved counts, but not a commit, which at a
 * local target waits for others. */
static void
take_window(struct block *block)
{
    if (!block->holds_window) {
        block->holds_window = true;
        block->lane->active++;
        block->lane->active_blocks += is_of_large(block);
    }
}

static void
give_window(struct block *block)
{
    struct lane *lane = block->lane;
    if (block->holds_window) {
        block->holds_window = false;
        lane->active--;
        lane->active_blocks -= is_of_large(block);
    }
}

void
block_release(struct block *block)
{
    give_window(block);
    pool_give(block->lane->pool, &block->ticket);
}

void
block_end(struct block *block)
{
    block_digest_done(block);
    block_sample_done(block);
    block_release(block);
    lane_block_ended(block->lane, block);
}

void
block_fail(struct block *block, const struct err *err)
{
    struct item *item = block->item;
    block_step(block, BLOCK_EV_FAIL);
    if (err_class(err->code) != ERR_CLASS_ITEM && !block->lane->is_halted) {
        block->lane->is_halted = true;
        block->lane->halt = *err;
    }
    if (block->order != NULL) {
        block->order->err = *err;
    } else {
        item_fail(block->batch, item,
                  err_class(err->code) == ERR_CLASS_ITEM ? ITEM_FAILED : ITEM_UNDONE, err);
    }
    block_end(block);
}

bool
block_failed(struct block *block)
{
    if (block->op.err.code == ERR_OK) {
        return false;
    }
    block_fail(block, &block->op.err);
    return true;
}

/* ---- hashing ---- */

/* A downloaded small item is compared with what its store says of it. */
static bool
is_damaged(const struct block *block)
{
    const struct blob_props *source = block->item->source;
    bool is_packed = item_unpacks(block->item);
    if (block->order != NULL || source == NULL ||
        (source->content_encoding != NULL && !is_packed)) {
        return false;
    }
    if (source->has_crc64 && source->crc64 != block->crc64) {
        return true;
    }
    uint8_t md5[MD5_BYTES];
    struct err err = ERR_NONE;
    return source->has_md5 && !source->has_crc64 && !is_packed &&
           digest_md5(block->op.buf, block->len_bytes, md5, &err) == ERR_OK &&
           memcmp(md5, source->md5, MD5_BYTES) != 0;
}

static enum err_code
hash_extra(struct block *block, struct err *err)
{
    const struct copy_options *copy = block->lane->options.copy;
    struct item *item = block->item;
    if (copy->wants_md5 &&
        digest_md5(block->ticket.buf, block->len_bytes, block->md5, err) != ERR_OK) {
        return err->code;
    }
    if (block->order != NULL) {
        return ERR_OK;
    }
    if (copy->wants_md5) {
        item->md5 = (const uint8_t *)arena_bytes(&block->batch->arena, block->md5, MD5_BYTES);
    }
    if (copy->wants_sha256) {
        uint8_t sha256[SHA256_BYTES];
        if (digest_sha256(block->ticket.buf, block->len_bytes, sha256, err) != ERR_OK) {
            return err->code;
        }
        item->sha256 = (const uint8_t *)arena_bytes(&block->batch->arena, sha256, SHA256_BYTES);
    }
    return ERR_OK;
}

/*
 * A block that an earlier run stored, and that the store has lost since, must be what it was: the
 * item has the same size and time, so one of the two was read damaged. Found before it is sent,
 * because the plan would otherwise speak of other bytes than those that lie at the target.
 */
static bool
differs_from_plan(const struct block *block, struct err *err)
{
    const struct order *order = block->order;
    if (order == NULL || order->kind != ORDER_BLOCK || !order->has_want_crc64 ||
        order->want_crc64 == block->crc64) {
        return false;
    }
    (void)err_set(err, ERR_DIGEST,
                  "block %u of '%s' is not what an earlier run stored: read %016llx, stored "
                  "%016llx",
                  order->block_index, block->item->name, (unsigned long long)block->crc64,
                  (unsigned long long)order->want_crc64);
    return true;
}

void
block_hash(struct block *block)
{
    struct err err = ERR_NONE;
    struct item *item = block->item;
    int64_t began_ns = clock_mono_ns(block->lane->options.clock);
    block->op.buf = block->ticket.buf;
    if (block->is_zero) {
        memset(block->ticket.buf, 0, block->len_bytes);
        block->crc64 = crc64_zeros(block->len_bytes);
    } else {
        block->crc64 = crc64(CRC64_EMPTY, block->ticket.buf, block->len_bytes);
    }
    digest_xxh3(block->ticket.buf, block->len_bytes, block->xxh3);
    if (hash_extra(block, &err) != ERR_OK) {
        block_fail(block, &err);
        return;
    }
    lane_add_ns(&block->lane->figures.hash_ns,
                clock_mono_ns(block->lane->options.clock) - began_ns);
    if (differs_from_plan(block, &err)) {
        block_fail(block, &err);
        return;
    }
    if (is_damaged(block)) {
        (void)err_set(&err, ERR_DIGEST,
                      "'%s' does not match the checksum its store keeps: read %016llx", item->name,
                      (unsigned long long)block->crc64);
        block_fail(block, &err);
        return;
    }
    if (block->order == NULL && !item_fits_manifest(item, block->crc64, &err)) {
        block_fail(block, &err);
        return;
    }
    if (block->order == NULL) {
        item->crc64 = block->crc64;
        item->has_crc64 = true;
        memcpy(item->xxh3, block->xxh3, XXH3_BYTES);
        item->has_xxh3 = true;
        const struct blob_props *source = item->source;
        bool is_compared = source != NULL && (item_unpacks(item) ? source->has_crc64
                                              : source->content_encoding == NULL
                                                  ? source->has_crc64 || source->has_md5
                                                  : false);
        bool was_checked = block->read_checked != BLOB_CHECKED_NO || is_compared;
        item->verdict = source != NULL && was_checked ? VERDICT_IN_TRANSIT : VERDICT_UNVERIFIABLE;
        if (block->may_compare_crc && block->target_crc64 == block->crc64) {
            item->state = ITEM_UNCHANGED;
            block_step(block, BLOCK_EV_SAME);
            block_end(block);
            return;
        }
        if (block->may_adopt) {
            block_adopt(block);
            return;
        }
    }
    block_step(block, BLOCK_EV_HASHED);
    block_pack(block);
    block_send(block);
}

/* ---- reading ---- */

static void submit_read(struct block *block);

/* A store sends zeros as it sends anything; on a disk of ours they become a hole again. */
static bool
is_hole(const struct block *block, const struct blob_op *op)
{
    const struct lane_options *options = &block->lane->options;
    const uint8_t *bytes = op->buf;
    return op->is_zero || (!options->source->caps.is_local && options->target->caps.is_local &&
                           block->len_bytes > 0 && bytes[0] == 0 &&
                           memcmp(bytes, bytes + 1, block->len_bytes - 1) == 0);
}

static void
on_read(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    if (block_failed(block)) {
        return;
    }
    block->is_zero = is_hole(block, op);
    block->read_checked = op->checked;
    block_step(block, BLOCK_EV_READ);
    if (block->digest == NULL && block->sample == NULL && block->lane->asks_ahead) {
        give_window(block);
        list_push(&block->lane->arrived, &block->link);
    } else if (block->digest == NULL && block->sample == NULL) {
        block_hash(block);
    } else if (block->digest != NULL ? block_digest_add(block) : block_sample_add(block)) {
        block_step(block, BLOCK_EV_MORE);
        submit_read(block);
    } else {
        block_step(block, BLOCK_EV_SAME);
        block_end(block);
    }
}

static void
read(struct block *block)
{
    block_step(block, BLOCK_EV_BUFFER);
    submit_read(block);
}

static void
submit_read(struct block *block)
{
    struct blob_op *op = &block->op;
    const struct item *item = block->item;
    op->buf = block->ticket.buf;
    op->offset_bytes = block->offset_bytes;
    op->len_bytes = block->len_bytes;
    op->is_whole = block_reads_whole(block);
    op->is_zero = false;
    if (item->source != NULL) {
        block->props = *item->source;
    } else {
        block->props = (struct blob_props){.size_bytes = item->size_bytes,
                                           .original_bytes = item->size_bytes,
                                           .mtime_ns = item->mtime_ns};
    }
    op->props = &block->props;
    block_submit(block, BLOB_READ, on_read);
}

static void
on_granted(struct ticket *ticket)
{
    struct block *block = CONTAINER_OF(ticket, struct block, ticket);
    if (block->lane->is_stopping || block->lane->is_halted) {
        block_interrupt(block);
        return;
    }
    read(block);
}

static void
begin(struct block *block)
{
    struct lane *lane = block->lane;
    struct err err = ERR_NONE;
    block_step(block, BLOCK_EV_START);
    take_window(block);
    if (block->order != NULL && block->order->kind == ORDER_DIGEST &&
        block_digest_begin(block, &err) != ERR_OK) {
        block_fail(block, &err);
        return;
    }
    if (block->order != NULL && block->order->kind == ORDER_SAMPLE) {
        block_sample_begin(block);
    }
    enum err_code code =
        pool_take(lane->pool, &block->ticket, block_room_bytes(block), on_granted, &err);
    if (code == ERR_OK) {
        read(block);
    } else if (code != ERR_BUSY) {
        (void)err_wrap(&err, "'%s'", block->item->name);
        block_fail(block, &err);
    }
}

/* ---- asking the target first ---- */

static void
on_asked(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    struct item *item = block->item;
    struct blob_props *found = &block->props;
    if (op->err.code == ERR_ITEM_GONE) {
        op->err = ERR_NONE;
        found->type = BLOB_TYPE_NONE;
    } else if (block_failed(block)) {
        return;
    }
    if (block->order != NULL) {
        block->order->found = *found;
        memcpy(block->order->etag, op->etag, BLOB_ETAG_BYTES);
        block->order->cond = op->etag[0] == '\0' ? BLOB_COND_ABSENT : BLOB_COND_ETAG;
        block_step(block, BLOCK_EV_DONE);
        block_end(block);
        return;
    }
    enum target_says says = TARGET_COPY;
    block->cond = BLOB_COND_ABSENT;
    if (op->etag[0] != '\0') {
        says = item_compare(block->lane->options.copy, block->lane->options.nonce, item, found);
        block->cond = BLOB_COND_ETAG;
        memcpy(block->cond_etag, op->etag, BLOB_ETAG_BYTES);
    }
    if (says == TARGET_SAME || says == TARGET_KEEP) {
        item_settle(block->batch, item, says, found, op->etag, block->lane->options.nonce);
        block_step(block, BLOCK_EV_SAME);
        block_end(block);
        return;
    }
    block->may_compare_crc = says == TARGET_COMPARE;
    block->may_adopt = says == TARGET_ADOPT;
    block->target_crc64 = found->crc64;
    begin(block);
}

static void
on_listed_blocks(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    if (!block_failed(block)) {
        block_step(block, BLOCK_EV_DONE);
        block_end(block);
    }
}

void
block_start(struct block *block)
{
    struct blob_op *op = &block->op;
    const struct order *order = block->order;
    if (order != NULL && (order->kind == ORDER_COMMIT || order->kind == ORDER_BLOCK)) {
        block->cond = order->cond;
        memcpy(block->cond_etag, order->etag, BLOB_ETAG_BYTES);
    }
    if (order == NULL ? block->item->needs_stat : order->kind == ORDER_STAT) {
        block_step(block, BLOCK_EV_ASK);
        take_window(block);
        block->props = (struct blob_props){0};
        op->ret_props = &block->props;
        block_submit(block, BLOB_STAT, on_asked);
    } else if (order != NULL && order->kind == ORDER_BLOCKS) {
        block_step(block, BLOCK_EV_ASK);
        take_window(block);
        block->props =
            (struct blob_props){.size_bytes = block->item->size_bytes, .mtime_ns = BLOB_TIME_NONE};
        op->props = &block->props; /* tells how long the last block is */
        op->block_bits = block->batch->large->is_there;
        op->is_packed = block->item->pack == PACK_YES;
        op->block_lens = block->batch->large->lens;
        op->block_count = block->item->block_count;
        op->block_bytes = block->item->block_bytes;
        block_submit(block, BLOB_BLOCKS, on_listed_blocks);
    } else if (order != NULL && order->kind == ORDER_COMMIT) {
        block_commit(block, block->item->block_count);
    } else {
        begin(block);
    }
}

struct block *
block_take(struct lane *lane, struct batch *batch, struct item *item)
{
    struct list *link = list_pop(&lane->free_blocks);
    ASSERT(link != NULL);
    struct block *block = CONTAINER_OF(link, struct block, link);
    lane->used_blocks++;
    *block = (struct block){.lane = lane, .batch = batch, .item = item};
    block->len_bytes = (uint32_t)item->size_bytes;
    block->cond =
        lane->options.copy->overwrite == OVERWRITE_ALWAYS ? BLOB_COND_ANY : BLOB_COND_ABSENT;
    block->op.name = item->name;
    block->op.type = (enum blob_type)item->type;
    block->op.item_id = item->id;
    block->op.nonce = lane->options.nonce;
    block->op.stage_id = batch->large != NULL
                             ? batch->large->stage_id
                             : UINT64_C(1) << 63 | lane->options.run << 40 | item->id;
    return block;
}
