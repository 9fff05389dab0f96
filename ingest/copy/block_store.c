/* The end of a block's life: put, or written and committed, or adopted. */
#include "ingest/copy/lane.h"
#include "ingest/copy/mime.h"

#include <string.h>

static void
fill_props(struct block *block)
{
    const struct item *item = block->item;
    struct blob_props *props = &block->props;
    if (item->source != NULL) {
        *props = *item->source;
        props->etag[0] = '\0';
        if (item_unpacks(item)) {
            props->content_encoding = NULL; /* it has been undone */
            props->has_md5 = false;
        }
    } else {
        *props = (struct blob_props){.content_type = mime_of(item->name)};
    }
    props->size_bytes = item->size_bytes;
    props->original_bytes = item->size_bytes;
    if (item->stored_bytes != 0) {
        props->size_bytes = item->stored_bytes;
        props->content_encoding = "zstd";
    }
    props->mtime_ns = item->mtime_ns;
    props->crc64 = item->crc64;
    props->has_crc64 = item->has_crc64;
    if (item->md5 != NULL) {
        props->has_md5 = true;
        memcpy(props->md5, item->md5, MD5_BYTES);
    }
    /* The store's MD5 is of what it stores, which others check when they read it. */
    props->has_md5 = props->has_md5 && item->stored_bytes == 0;
    props->type = (enum blob_type)item->type;
    /* Page blobs have no access tiers. */
    props->tier = item->type == BLOB_TYPE_PAGE   ? BLOB_TIER_NONE
                  : item->tier != BLOB_TIER_NONE ? (enum blob_tier)item->tier
                                                 : block->lane->options.copy->tier;
    props->is_archived = false;
    (void)memcpy(props->job, block->lane->options.nonce, BLOB_JOB_BYTES);
    block->op.props = props;
}

static void
block_stored(struct block *block, const char *etag)
{
    struct item *item = block->item;
    if (block->order != NULL) {
        memcpy(block->order->etag, etag, BLOB_ETAG_BYTES);
    } else {
        item->state = ITEM_COPIED;
        item->etag = etag[0] == '\0' ? NULL : arena_text(&block->batch->arena, etag);
    }
    block_end(block);
}

/*
 * Our condition failed. If what is there carries this job's nonce and the same bytes, an earlier
 * try of ours arrived although its answer was lost; anything else is another writer's.
 */
static void
on_asked_whose(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    const struct item *item = block->item;
    if (op->err.code == ERR_OK && strcmp(block->props.job, block->lane->options.nonce) == 0 &&
        block->props.has_crc64 && block->props.crc64 == item->crc64 &&
        block->props.original_bytes == item->size_bytes) {
        if (block->state == BLOCK_SENDING) {
            lane_add(&block->lane->figures.bytes_sent, block->len_bytes);
        }
        block_step(block, block->state == BLOCK_SENDING ? BLOCK_EV_SENT : BLOCK_EV_DONE);
        block_stored(block, op->etag);
        return;
    }
    struct err err = ERR_NONE;
    (void)err_set(&err, ERR_OTHER_WRITER, "another writer stored '%s' meanwhile", item->name);
    block_fail(block, err_class(op->err.code) == ERR_CLASS_ITEM || op->err.code == ERR_OK
                          ? &err
                          : &op->err);
}

static bool
store_failed(struct block *block)
{
    if (block->op.err.code == ERR_OTHER_WRITER) {
        block->op.ret_props = &block->props;
        block_submit(block, BLOB_STAT, on_asked_whose);
        return true;
    }
    return block_failed(block);
}

static void
on_committed(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    if (!store_failed(block)) {
        block_step(block, BLOCK_EV_DONE);
        block_stored(block, op->etag);
    }
}

static void
fill_condition(struct block *block)
{
    block->op.cond = block->cond;
    memcpy(block->op.cond_etag, block->cond_etag, sizeof block->cond_etag);
}

void
block_commit(struct block *block, uint32_t block_count)
{
    block_step(block, BLOCK_EV_COMMIT);
    fill_props(block);
    fill_condition(block);
    block->op.block_count = block_count;
    block->op.is_packed = block->order != NULL && block->item->pack == PACK_YES;
    block->op.block_lens = block->order != NULL ? block->batch->large->lens : NULL;
    block->op.block_bytes = block->item->block_bytes;
    block->op.buf = NULL;
    block->op.len_bytes = 0;
    block_submit(block, BLOB_COMMIT, on_committed);
}

/* Other bytes than ours: it is stored as if nothing had been asked. */
static void
on_adopted(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    if (block_failed(block)) {
        return;
    }
    if (!op->is_same) {
        block_step(block, BLOCK_EV_HASHED);
        block_pack(block);
        block_send(block);
        return;
    }
    block->item->state = ITEM_UNCHANGED;
    block->item->etag = arena_text(&block->batch->arena, op->etag);
    block_step(block, BLOCK_EV_SAME);
    block_end(block);
}

void
block_adopt(struct block *block)
{
    block_step(block, BLOCK_EV_ASK);
    fill_props(block);
    block->props.job[0] = '\0'; /* this job found it */
    fill_condition(block);
    block_submit(block, BLOB_ADOPT, on_adopted);
}

static void
on_put(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    if (store_failed(block)) {
        return;
    }
    lane_add(&block->lane->figures.bytes_sent, block->sent_bytes);
    if (op->checked == BLOB_CHECKED_CRC64 || op->checked == BLOB_CHECKED_MD5) {
        block->item->verdict = VERDICT_IN_TRANSIT;
    }
    block_step(block, BLOCK_EV_SENT);
    block_stored(block, op->etag);
}

static void
on_written(struct blob_op *op)
{
    struct block *block = block_take_answer(op);
    if (block_failed(block)) {
        return;
    }
    lane_add(&block->lane->figures.bytes_sent, block->sent_bytes);
    block_release(block);
    struct order *order = block->order;
    if (order == NULL) {
        block_commit(block, 1);
        return;
    }
    order->crc64 = block->crc64;
    memcpy(order->xxh3, block->xxh3, XXH3_BYTES);
    order->len_bytes = block->len_bytes;
    order->sent_bytes = block->sent_bytes;
    /* What a file system took nobody has checked; what a store sent it may have. */
    order->checked = block->lane->options.target->caps.is_local ? block->read_checked : op->checked;
    window_moved(&block->lane->window, block->sent_bytes,
                 clock_mono_ns(block->lane->options.clock));
    block_step(block, BLOCK_EV_SENT);
    block_end(block);
}

void
block_send(struct block *block)
{
    bool is_local = block->lane->options.target->caps.is_local;
    struct blob_op *op = &block->op;
    ASSERT(block->sent_bytes > 0 || block->len_bytes == 0); /* it went through block_pack() */
    op->crc64 = block->sent_crc64;
    op->md5 = block->lane->options.copy->wants_md5 && !block->is_packed ? block->md5 : NULL;
    op->len_bytes = block->sent_bytes;
    op->is_zero = block->is_zero;
    op->is_packed = block->order != NULL && block->is_packed;
    op->block_index = block->block_index;
    op->block_bytes = block->item->block_bytes;
    op->offset_bytes = block->offset_bytes;
    bool is_put = block->order == NULL && !is_local;
    if (is_put || op->type == BLOB_TYPE_PAGE) {
        fill_props(block);
        fill_condition(block);
    }
    if (is_put) {
        block_submit(block, BLOB_PUT, on_put);
        return;
    }
    block_submit(block, BLOB_WRITE, on_written);
}
