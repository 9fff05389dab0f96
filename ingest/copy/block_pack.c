/*
 * Compression: what is sent of a block, and whether it pays for an item of several blocks. The
 * block's buffer has room for its bytes and for their frame; once one of the two is enough, the
 * rest goes back to the pool.
 */
#include "base/crc64.h"
#include "ingest/copy/lane.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/wrap.h"

#include <string.h>

#define SAMPLE_BYTES  ((uint64_t)128 << 10)
#define SAMPLE_PIECES 3U

struct block_sample {
    unsigned index;
    uint64_t bytes;
    uint64_t packed_bytes;
};

static bool
may_pack(const struct block *block)
{
    return block->item->pack != PACK_NO && block->len_bytes > 0 && block->digest == NULL;
}

bool
block_reads_whole(const struct block *block)
{
    const struct blob_props *source = block->item->source;
    return block->order == NULL &&
           (!item_unpacks(block->item) || source->size_bytes < source->original_bytes);
}

size_t
block_room_bytes(const struct block *block)
{
    size_t room = MAX_OF(block->len_bytes, 1);
    if (may_pack(block)) {
        room = packer_room_bytes(room);
    }
    if (block_reads_whole(block) && item_unpacks(block->item)) {
        room = MAX_OF(room, unzstd_room_bytes(block->item->source));
    }
    return room;
}

void
block_pack(struct block *block)
{
    struct lane *lane = block->lane;
    struct item *item = block->item;
    unsigned char *buf = block->ticket.buf;
    size_t len = block->len_bytes;
    size_t made = 0;
    void *frame = buf + len;
    int64_t began_ns = clock_mono_ns(lane->options.clock);
    block->sent_bytes = block->len_bytes;
    block->sent_crc64 = block->crc64;
    if (may_pack(block) && block->order == NULL) {
        made = packer_try(lane->packer, buf, len, frame);
        item->stored_bytes = made;
    } else if (may_pack(block)) {
        bool is_odd = block->block_index == 0 && item->size_bytes % 2 == 0;
        made = packer_frame(lane->packer, buf, len, is_odd, &frame);
    }
    if (made > 0) {
        memmove(buf, frame, made);
        block->is_packed = true;
        block->is_zero = false;
        block->sent_bytes = (uint32_t)made;
        block->sent_crc64 = crc64(CRC64_EMPTY, buf, made);
    }
    lane_add_ns(&lane->figures.hash_ns, clock_mono_ns(lane->options.clock) - began_ns);
    pool_trim(lane->pool, &block->ticket, MAX_OF(block->sent_bytes, 1));
}

/* ---- samples ---- */

/* The pieces lie at the item's front, in its middle and at its end. */
static void
set_piece(struct block *block)
{
    const struct item *item = block->item;
    uint64_t len = MIN_OF(SAMPLE_BYTES, MIN_OF(item->size_bytes, item->block_bytes));
    block->len_bytes = (uint32_t)len;
    block->offset_bytes = (item->size_bytes - len) / (SAMPLE_PIECES - 1) * block->sample->index;
}

void
block_sample_begin(struct block *block)
{
    block->sample = mem_take(sizeof *block->sample);
    set_piece(block);
}

bool
block_sample_add(struct block *block)
{
    struct block_sample *sample = block->sample;
    unsigned char *buf = block->ticket.buf;
    int64_t began_ns = clock_mono_ns(block->lane->options.clock);
    if (block->is_zero) {
        memset(buf, 0, block->len_bytes);
    }
    size_t made = packer_try(block->lane->packer, buf, block->len_bytes, buf + block->len_bytes);
    sample->bytes += block->len_bytes;
    sample->packed_bytes += made == 0 ? block->len_bytes : made;
    lane_add_ns(&block->lane->figures.hash_ns,
                clock_mono_ns(block->lane->options.clock) - began_ns);
    if (++sample->index < SAMPLE_PIECES) {
        set_piece(block);
        return true;
    }
    block->order->pays = sample->packed_bytes <= sample->bytes - sample->bytes / 20;
    return false;
}

void
block_sample_done(struct block *block)
{
    block->sample = mem_give(block->sample);
}
