#include "ingest/copy/room.h"

#include "base/ticket.h"
#include "base/units.h"
#include "storage/wrap/wrap.h"

#define RANGE_BYTES       ((uint64_t)1 << 20)
#define RANGE_WHOLE_BYTES ((uint64_t)4 << 20)
#define PACK_BLOCK_BYTES  ((uint64_t)4 << 20)

/*
 * Six tenths of the budget are the lanes'; the rest is for batches, databases, stacks and
 * libraries. Of a lane's share compressing takes up to a quarter, decompressing what zstd needs for
 * a stream, and buffers the rest. A buffer is a power of two, and one that is compressed has room
 * for both.
 */
static void
divide(const struct copy_options *options, bool may_unpack, unsigned lanes, struct room *room)
{
    size_t share = (size_t)(options->memory_bytes / 10 * 6 / lanes);
    size_t packer = options->compress_level != 0 ? share / 4 : 0;
    size_t taken = packer + (may_unpack ? UNZSTD_BYTES : 0);
    size_t largest = share > taken ? share - taken : 0;
    room->lanes = lanes;
    room->packer_bytes = packer;
    room->pool_bytes = largest;
    while ((largest & (largest - 1)) != 0) {
        largest &= largest - 1;
    }
    room->block_largest = options->compress_level != 0 ? largest / 2 : largest;
}

/* One for each core, also where lanes wait for a local target's writes: since a store is asked
 * ahead, a lane more only takes the core from one that has bytes to hash (measured: 2.3 s with two,
 * 2.7 s with three lanes for 4 GB on two cores). */
static unsigned
lanes_wanted(const struct copy_options *options, unsigned cores)
{
    return options->lanes != 0 ? options->lanes : MIN_OF(MAX_OF(cores, 1), LANES_DEFAULT_MAX);
}

static enum err_code
refuse(const struct copy_options *options, unsigned lanes, uint64_t block, struct err *err)
{
    char block_text[UNITS_TEXT_BYTES];
    char memory_text[UNITS_TEXT_BYTES];
    char needed_text[UNITS_TEXT_BYTES];
    uint64_t piece = POOL_PIECE_MIN;
    while (piece < block) {
        piece *= 2;
    }
    return err_set(err, ERR_USAGE, "%u lane%s with blocks of %s need --memory %s; it is %s", lanes,
                   lanes == 1 ? "" : "s", units_format_size(block, block_text),
                   units_format_size(piece * lanes / 6 * 10 + ((uint64_t)1 << 20), needed_text),
                   units_format_size(options->memory_bytes, memory_text));
}

/*
 * What is read from a store is written while it is still in the cache of the core that received it:
 * 4 GB to tmpfs take a quarter less CPU in ranges of 1 MiB than of 4 MiB, and a third less than of
 * 8 MiB. An item that fits into one range with a checksum (4 MiB) is asked for once.
 */
enum err_code
room_divide(const struct copy_options *options, const struct end_caps *source,
            const struct end_caps *target, unsigned cores, struct room *ret_room, struct err *err)
{
    bool is_download = !source->is_local && target->is_local;
    unsigned lanes = lanes_wanted(options, cores);
    struct room room = {.block_bytes = options->block_bytes};
    if (!options->has_block_bytes && is_download) {
        room.block_bytes = MIN_OF(room.block_bytes, RANGE_WHOLE_BYTES);
        room.large_block_bytes = RANGE_BYTES;
    } else if (!options->has_block_bytes && options->compress_level != 0) {
        /* A window of 2 MiB gains nothing from larger blocks. */
        room.block_bytes = MIN_OF(room.block_bytes, PACK_BLOCK_BYTES);
    }
    divide(options, source->keeps_props, lanes, &room);
    while (options->lanes == 0 && lanes > 1 && room.block_largest < room.block_bytes) {
        divide(options, source->keeps_props, --lanes, &room);
    }
    if (room.block_largest < room.block_bytes) {
        if (options->has_block_bytes || room.block_largest < POOL_PIECE_MIN) {
            return refuse(options, lanes, room.block_bytes, err);
        }
        room.block_bytes = room.block_largest;
        room.large_block_bytes = MIN_OF(room.large_block_bytes, room.block_bytes);
    }
    *ret_room = room;
    return ERR_OK;
}
