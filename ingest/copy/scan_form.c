/* As what an item is to be stored, and in blocks of what size. Pure. */
#include "base/units.h"
#include "ingest/copy/scan.h"

#define BLOCK_STEP ((uint64_t)1 << 20)

/* A block takes 25 bytes of bookkeeping while its item is on its way, and many items are at a time.
 * Only where buffers of that size are to be had. */
#define BLOCKS_WANTED_MAX UINT64_C(32768)

static uint64_t
block_for(uint64_t size_bytes, uint64_t blocks)
{
    uint64_t block = (size_bytes + blocks - 1) / blocks;
    return (block + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP;
}

/* Before the target's own limits: as asked, but larger for items of very many blocks. */
static uint64_t
block_wanted(const struct copy_options *copy, size_t block_largest, uint64_t size_bytes)
{
    uint64_t block = copy->block_bytes;
    if (copy->has_block_bytes) {
        return block;
    }
    if (copy->large_block_bytes != 0 && size_bytes > block) {
        block = copy->large_block_bytes;
    }
    if ((size_bytes + block - 1) / block <= BLOCKS_WANTED_MAX) {
        return block;
    }
    return MAX_OF(block, MIN_OF(block_for(size_bytes, BLOCKS_WANTED_MAX), block_largest));
}

enum err_code
scan_block_bytes(const struct copy_options *copy, const struct end_caps *caps, size_t block_largest,
                 uint64_t size_bytes, uint32_t *ret_block_bytes, struct err *err)
{
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    ASSERT(copy->block_bytes > 0);
    ASSERT(block_largest > 0);
    uint64_t block = block_wanted(copy, block_largest, size_bytes);
    uint64_t blocks_max = caps->blocks_max == 0 ? UINT32_MAX : caps->blocks_max;
    if (caps->item_bytes_max != 0 && size_bytes > caps->item_bytes_max) {
        return err_set(err, ERR_ITEM_TOO_LARGE, "it has %s; the target takes items up to %s",
                       units_format_size(size_bytes, a),
                       units_format_size(caps->item_bytes_max, b));
    }
    if ((size_bytes + block - 1) / block > blocks_max) {
        uint64_t needed = block_for(size_bytes, blocks_max);
        if (copy->has_block_bytes) {
            return err_set(err, ERR_ITEM_TOO_LARGE,
                           "it needs more than the target's %llu blocks of %s; use --block-size %s",
                           (unsigned long long)blocks_max, units_format_size(block, a),
                           units_format_size(needed, b));
        }
        block = needed;
    }
    uint64_t piece = MIN_OF(block, MAX_OF(size_bytes, 1));
    if (piece > block_largest) {
        return err_set(
            err, ERR_ITEM_TOO_LARGE,
            "it needs buffers of %s, of which --memory %s has room for none; use --memory %s",
            units_format_size(piece, a), units_format_size(copy->memory_bytes, b),
            units_format_size(copy->memory_bytes * 2 * (piece / block_largest + 1),
                              (char[UNITS_TEXT_BYTES]){0}));
    }
    *ret_block_bytes = (uint32_t)block;
    return ERR_OK;
}

enum blob_type
scan_type(const struct end *source, const struct end *target, const struct blob_props *props)
{
    bool stays_page = source->caps.keeps_props && target->caps.page_bytes_max != 0 &&
                      props->type == BLOB_TYPE_PAGE;
    return stays_page ? BLOB_TYPE_PAGE : BLOB_TYPE_BLOCK;
}

enum err_code
scan_check_type(enum blob_type type, const struct end_caps *caps, uint64_t size_bytes,
                struct err *err)
{
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    if (type != BLOB_TYPE_PAGE) {
        return ERR_OK;
    }
    if (size_bytes % BLOB_PAGE_BYTES != 0) {
        return err_set(err, ERR_ITEM_ALIGNMENT,
                       "it has %llu bytes; a page blob has a multiple of %u",
                       (unsigned long long)size_bytes, BLOB_PAGE_BYTES);
    }
    if (size_bytes > caps->page_bytes_max) {
        return err_set(err, ERR_ITEM_TOO_LARGE, "it has %s; the target takes page blobs up to %s",
                       units_format_size(size_bytes, a),
                       units_format_size(caps->page_bytes_max, b));
    }
    return ERR_OK;
}
