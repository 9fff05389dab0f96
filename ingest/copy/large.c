/* A large item's way: ask, list, blocks over all lanes, commit, discard. Control's work. */
#include "base/crc64.h"
#include "ingest/copy/engine.h"

#include <string.h>

/* Everything is known but perhaps whether it pays to compress it. */
static enum large_state
ready_to_copy(const struct item *item)
{
    return item->pack == PACK_TRY ? LARGE_SAMPLE : LARGE_COPY;
}

void
large_begin(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    const struct item *item = &batch->items[0];
    bool is_always = engine->options.copy->overwrite == OVERWRITE_ALWAYS;
    if (large->stage_id == 0) {
        large->stage_id = engine->options.plan->next_stage_id++;
    }
    large->cond = is_always ? BLOB_COND_ANY : BLOB_COND_ABSENT;
    large->state = item->needs_stat        ? LARGE_ASK
                   : large->has_old_blocks ? LARGE_LIST
                                           : ready_to_copy(item);
    large->home = engine->large_count++ % engine->options.lane_count;
    engine->larges_out++;
    list_push(&engine->larges, &batch->link);
}

/*
 * Which lane gets the item's next block. Lanes that write to one file wait for each other in the
 * kernel, so at a local target every lane has items of its own, as long as there are enough; a
 * remote target is fed from one item at a time, which a disk reads best.
 */
static unsigned
choose_lane(const struct engine *engine, const struct large *large)
{
    if (large->has_home) {
        return engine_lane_has_room(engine, large->home) ? large->home : ENGINE_LANES_MAX;
    }
    if (!engine->options.target->caps.is_local || engine->larges_out < engine->options.lane_count) {
        return engine_idle_lane(engine);
    }
    return engine_lane_has_room(engine, large->home) ? large->home : ENGINE_LANES_MAX;
}

/* An item that is decompressed has a lane that decompresses nothing else meanwhile. */
static bool
take_home(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    for (unsigned i = 0; i < engine->options.lane_count && !large->has_home; i++) {
        unsigned lane_index = (large->home + i) % engine->options.lane_count;
        if (!engine->lane_unpacks[lane_index]) {
            engine->lane_unpacks[lane_index] = true;
            large->home = lane_index;
            large->has_home = true;
        }
    }
    return large->has_home;
}

static void
give_home(struct engine *engine, struct large *large)
{
    if (large->has_home) {
        engine->lane_unpacks[large->home] = false;
        large->has_home = false;
    }
}

static void
end_item(struct engine *engine, struct batch *batch, enum item_state state)
{
    struct large *large = batch->large;
    struct item *item = &batch->items[0];
    if (large->err.code != ERR_OK) {
        item_fail(batch, item, state, &large->err);
    } else {
        item->state = (uint8_t)state;
    }
    /* An unfinished item keeps its staged blocks for the next run; closing is left to the backends.
     */
    large->state = state == ITEM_UNDONE ? LARGE_DONE : LARGE_DISCARD;
    (void)engine;
}

static void
send_order(struct engine *engine, struct batch *batch, enum order_kind kind)
{
    const struct large *large = batch->large;
    bool is_at_home = kind == ORDER_DIGEST && large->has_home;
    unsigned lane_index = is_at_home ? choose_lane(engine, large) : engine_idle_lane(engine);
    if (lane_index == ENGINE_LANES_MAX || large->has_order) {
        return;
    }
    struct order *order = engine_take_order(engine, batch, kind, lane_index);
    order->cond = batch->large->cond;
    memcpy(order->etag, batch->large->cond_etag, sizeof order->etag);
    batch->large->has_order = true;
    mailbox_post(&engine->options.lanes[lane_index].mailbox, &order->mail);
}

static bool
is_block_stored(const struct large *large, uint32_t index)
{
    return (large->is_stored[index >> 3] >> (index & 7) & 1) != 0;
}

static void
deal_blocks(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    const struct item *item = &batch->items[0];
    if (item_unpacks(item) && !take_home(engine, batch)) {
        return;
    }
    while (large->next_index < item->block_count) {
        if (is_block_stored(large, large->next_index)) {
            large->next_index++;
            continue;
        }
        unsigned lane_index = choose_lane(engine, large);
        if (lane_index == ENGINE_LANES_MAX) {
            return;
        }
        struct order *order = engine_take_order(engine, batch, ORDER_BLOCK, lane_index);
        order->block_index = large->next_index++;
        order->has_want_crc64 =
            (large->has_crc[order->block_index >> 3] >> (order->block_index & 7) & 1) != 0;
        order->want_crc64 = large->crcs[order->block_index];
        order->cond = large->cond;
        memcpy(order->etag, large->cond_etag, sizeof order->etag);
        large->out_count++;
        mailbox_post(&engine->options.lanes[lane_index].mailbox, &order->mail);
    }
}

/* The item's own digests and size from its blocks', without reading anything again. */
static enum err_code
combine(struct batch *batch, struct err *err)
{
    struct large *large = batch->large;
    struct item *item = &batch->items[0];
    uint64_t crc = CRC64_EMPTY;
    for (uint32_t i = 0; i < item->block_count && item->pack == PACK_YES; i++) {
        item->stored_bytes += large->lens[i];
    }
    for (uint32_t i = 0; i < item->block_count; i++) {
        uint64_t offset = (uint64_t)i * item->block_bytes;
        crc = crc64_combine(crc, large->crcs[i],
                            MIN_OF(item->block_bytes, item->size_bytes - offset));
    }
    digest_xxh3(large->xxh3s, (size_t)item->block_count * XXH3_BYTES, item->xxh3);
    item->has_xxh3 = true;
    item->crc64 = crc;
    item->has_crc64 = true;
    item->verdict = large->is_checked ? VERDICT_IN_TRANSIT : VERDICT_UNVERIFIABLE;
    if (!item_fits_manifest(item, crc, err)) {
        return err->code;
    }
    const struct blob_props *source = item->source;
    bool is_of_original =
        source != NULL && (source->content_encoding == NULL || item_unpacks(item));
    if (is_of_original && source->has_crc64) {
        if (source->crc64 != crc) {
            return err_set(err, ERR_DIGEST,
                           "'%s' does not match the checksum its store keeps: read %016llx, kept "
                           "%016llx",
                           item->name, (unsigned long long)crc, (unsigned long long)source->crc64);
        }
        item->verdict = VERDICT_IN_TRANSIT;
    }
    return ERR_OK;
}

static void
copy_step(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    const struct item *item = &batch->items[0];
    if (large->err.code == ERR_OK && !engine->is_stopping) {
        deal_blocks(engine, batch);
    }
    if (large->out_count > 0) {
        return;
    }
    if (large->err.code != ERR_OK || engine->is_stopping) {
        bool is_items = err_class(large->err.code) == ERR_CLASS_ITEM;
        end_item(engine, batch, is_items ? ITEM_FAILED : ITEM_UNDONE);
    } else if (large->stored_count == item->block_count) {
        if (combine(batch, &large->err) != ERR_OK) {
            end_item(engine, batch, ITEM_FAILED);
        } else {
            const struct copy_options *copy = engine->options.copy;
            large->state = copy->wants_md5 || copy->wants_sha256 ? LARGE_DIGEST : LARGE_COMMIT;
        }
    }
}

/* Each lane may keep files open for the item; tell them one after the other. */
static void
discard_step(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    while (large->discard_index < engine->options.lane_count && !engine->is_stopping &&
           !list_is_empty(&engine->free_orders)) {
        unsigned lane_index = large->discard_index++;
        struct order *order = engine_take_order(engine, batch, ORDER_DISCARD, lane_index);
        large->out_count++;
        mailbox_post(&engine->options.lanes[lane_index].mailbox, &order->mail);
    }
    if (large->out_count == 0 &&
        (large->discard_index == engine->options.lane_count || engine->is_stopping)) {
        large->state = LARGE_DONE;
    }
}

void
large_deal(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    bool gives_up = engine->is_stopping && !large->has_order && large->out_count == 0;
    if (gives_up &&
        (large->state == LARGE_ASK || large->state == LARGE_LIST || large->state == LARGE_SAMPLE ||
         large->state == LARGE_DIGEST || large->state == LARGE_COMMIT)) {
        end_item(engine, batch, ITEM_UNDONE);
    }
    switch (large->state) {
    case LARGE_ASK: send_order(engine, batch, ORDER_STAT); break;
    case LARGE_LIST: send_order(engine, batch, ORDER_BLOCKS); break;
    case LARGE_SAMPLE: send_order(engine, batch, ORDER_SAMPLE); break;
    case LARGE_COPY: copy_step(engine, batch); break;
    case LARGE_DIGEST: send_order(engine, batch, ORDER_DIGEST); break;
    case LARGE_COMMIT: send_order(engine, batch, ORDER_COMMIT); break;
    case LARGE_DISCARD: discard_step(engine, batch); break;
    case LARGE_NONE:
    case LARGE_DONE: break;
    }
    if (large->state == LARGE_DONE) {
        list_remove(&batch->link);
        give_home(engine, large);
        engine->larges_out--;
        engine_finish(engine, batch);
    }
}

static void
on_found(struct engine *engine, struct batch *batch, const struct order *order)
{
    struct large *large = batch->large;
    struct item *item = &batch->items[0];
    large->cond = BLOB_COND_ABSENT;
    large->state = large->has_old_blocks ? LARGE_LIST : ready_to_copy(item);
    if (order->etag[0] == '\0') {
        return;
    }
    const char *nonce = engine->options.plan->nonce;
    enum target_says says = item_compare(engine->options.copy, nonce, item, &order->found);
    large->cond = BLOB_COND_ETAG;
    memcpy(large->cond_etag, order->etag, sizeof large->cond_etag);
    if (says != TARGET_SAME && says != TARGET_KEEP) {
        return;
    }
    item_settle(batch, item, says, &order->found, order->etag, nonce);
    large->state = LARGE_DONE; /* no lane has opened anything */
}

static void
count_bytes(struct engine *engine, struct large *large, uint64_t bytes)
{
    large->done_bytes += bytes;
    engine->figures.bytes_done += bytes;
}

/* Blocks that the store does not have are sent again, whatever the plan says. */
static void
on_listed(struct engine *engine, struct batch *batch)
{
    struct large *large = batch->large;
    const struct item *item = &batch->items[0];
    for (uint32_t i = 0; i < item->block_count; i++) {
        uint8_t bit = (uint8_t)(1U << (i & 7));
        uint64_t offset = (uint64_t)i * item->block_bytes;
        if ((large->is_stored[i >> 3] & bit) == 0) {
            continue;
        }
        large->has_crc[i >> 3] |= bit;
        if ((large->is_there[i >> 3] & bit) != 0) {
            uint64_t bytes = MIN_OF(item->block_bytes, item->size_bytes - offset);
            count_bytes(engine, large, bytes);
            large->resumed_bytes += bytes;
        } else {
            large->is_stored[i >> 3] &= (uint8_t)~bit;
            large->stored_count--;
        }
    }
    large->state = ready_to_copy(item);
}

static void
on_block(struct engine *engine, struct batch *batch, struct order *order)
{
    struct large *large = batch->large;
    uint32_t index = order->block_index;
    large->is_stored[index >> 3] |= (uint8_t)(1U << (index & 7));
    large->stored_count++;
    large->crcs[index] = order->crc64;
    memcpy(large->xxh3s + (size_t)index * XXH3_BYTES, order->xxh3, XXH3_BYTES);
    if (large->lens != NULL) {
        large->lens[index] = order->sent_bytes;
    }
    large->is_checked = large->is_checked && (order->checked == BLOB_CHECKED_CRC64 ||
                                              order->checked == BLOB_CHECKED_MD5);
    count_bytes(engine, large, order->len_bytes);
    order->mail.kind = MAIL_ORDER;
    mailbox_post(&engine->options.recorder->mailbox, &order->mail);
}

/* Read a second time: only if it is still the same do its digests belong to what was stored. */
static void
on_digest(struct engine *engine, struct batch *batch, const struct order *order)
{
    const struct copy_options *copy = engine->options.copy;
    struct item *item = &batch->items[0];
    if (order->crc64 != item->crc64) {
        (void)err_set(&batch->large->err, ERR_ITEM_CHANGED,
                      "'%s' changed: read a second time for its digest it was different",
                      item->name);
        end_item(engine, batch, ITEM_FAILED);
        return;
    }
    if (copy->wants_md5) {
        item->md5 = (const uint8_t *)arena_bytes(&batch->arena, order->md5, MD5_BYTES);
    }
    if (copy->wants_sha256) {
        item->sha256 = (const uint8_t *)arena_bytes(&batch->arena, order->sha256, SHA256_BYTES);
    }
    batch->large->state = LARGE_COMMIT;
}

static void
free_order(struct engine *engine, struct order *order)
{
    order->batch = NULL;
    list_push_front(&engine->free_orders, &order->link);
}

void
large_on_order(struct engine *engine, struct order *order)
{
    struct batch *batch = order->batch;
    struct large *large = batch->large;
    struct item *item = &batch->items[0];
    enum order_kind kind = order->kind;
    if (kind == ORDER_BLOCK || kind == ORDER_DISCARD) {
        large->out_count--;
    } else {
        large->has_order = false;
    }
    if (kind == ORDER_DISCARD) {
        free_order(engine, order);
        return;
    }
    if (order->err.code != ERR_OK) {
        enum err_class cls = err_class(order->err.code);
        if (large->err.code == ERR_OK || large->err.code == ERR_INTERRUPTED) {
            large->err = order->err;
        }
        if (cls != ERR_CLASS_ITEM && order->err.code != ERR_INTERRUPTED) {
            engine_stop(engine, &order->err);
        }
        free_order(engine, order);
        if (kind != ORDER_BLOCK) {
            end_item(engine, batch, cls == ERR_CLASS_ITEM ? ITEM_FAILED : ITEM_UNDONE);
        }
        return;
    }
    switch (kind) {
    case ORDER_STAT: on_found(engine, batch, order); break;
    case ORDER_BLOCKS: on_listed(engine, batch); break;
    case ORDER_SAMPLE:
        item->pack = order->pays ? PACK_YES : PACK_NO;
        large->state = LARGE_COPY;
        break;
    case ORDER_BLOCK: on_block(engine, batch, order); return; /* the recorder gives it back */
    case ORDER_DIGEST: on_digest(engine, batch, order); break;
    case ORDER_COMMIT:
        item->etag = order->etag[0] == '\0' ? NULL : arena_text(&batch->arena, order->etag);
        end_item(engine, batch, ITEM_COPIED);
        break;
    case ORDER_DISCARD: break;
    }
    free_order(engine, order);
}
