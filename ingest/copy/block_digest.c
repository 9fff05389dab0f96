/*
 * MD5 and SHA-256 of an item of several blocks. Its blocks were read out of order over all lanes,
 * so one lane reads it a second time, from the front, before it is published. That it is still the
 * same is seen from the CRC.
 */
#include "base/crc64.h"
#include "ingest/copy/lane.h"

#include <string.h>

struct block_digest {
    struct digest md5;
    struct digest sha256;
    uint64_t crc64;
    bool wants_md5;
    bool wants_sha256;
};

/* The block stands for one piece after the other. */
static void
set_piece(struct block *block, uint32_t index)
{
    const struct item *item = block->item;
    uint64_t offset = (uint64_t)index * item->block_bytes;
    block->block_index = index;
    block->offset_bytes = offset;
    block->len_bytes = (uint32_t)MIN_OF(item->block_bytes, item->size_bytes - offset);
}

enum err_code
block_digest_begin(struct block *block, struct err *err)
{
    const struct copy_options *copy = block->lane->options.copy;
    struct block_digest *digest = mem_take(sizeof *digest);
    digest->crc64 = CRC64_EMPTY;
    block->digest = digest;
    set_piece(block, 0);
    enum err_code code = ERR_OK;
    if (copy->wants_md5) {
        code = digest_init(&digest->md5, DIGEST_MD5, err);
        digest->wants_md5 = code == ERR_OK;
    }
    if (code == ERR_OK && copy->wants_sha256) {
        code = digest_init(&digest->sha256, DIGEST_SHA256, err);
        digest->wants_sha256 = code == ERR_OK;
    }
    return code;
}

bool
block_digest_add(struct block *block)
{
    struct block_digest *digest = block->digest;
    struct order *order = block->order;
    if (block->is_zero) {
        memset(block->ticket.buf, 0, block->len_bytes);
    }
    digest->crc64 = crc64(digest->crc64, block->ticket.buf, block->len_bytes);
    if (digest->wants_md5) {
        digest_add(&digest->md5, block->ticket.buf, block->len_bytes);
    }
    if (digest->wants_sha256) {
        digest_add(&digest->sha256, block->ticket.buf, block->len_bytes);
    }
    if (block->block_index + 1 < block->item->block_count) {
        set_piece(block, block->block_index + 1);
        return true;
    }
    order->crc64 = digest->crc64;
    if (digest->wants_md5) {
        digest_end(&digest->md5, order->md5);
    }
    if (digest->wants_sha256) {
        digest_end(&digest->sha256, order->sha256);
    }
    return false;
}

void
block_digest_done(struct block *block)
{
    struct block_digest *digest = block->digest;
    if (digest == NULL) {
        return;
    }
    if (digest->wants_md5) {
        digest_done(&digest->md5);
    }
    if (digest->wants_sha256) {
        digest_done(&digest->sha256);
    }
    block->digest = mem_give(digest);
}
