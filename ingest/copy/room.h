/*
 * ingest/copy/room.h - how --memory is divided: lanes, their buffers, and the sizes of blocks that
 * fit into them. Decided once, before the first byte moves, by copy and dry run alike.
 *
 *   shape    what the user named is kept or refused; everything else gives way: fewer lanes first,
 *            then smaller blocks
 *   units    bytes
 *   thread   pure
 *   errors   ERR_USAGE: --lanes, --block-size and --memory do not fit together
 */
#ifndef INGEST_COPY_ROOM_H
#define INGEST_COPY_ROOM_H

#include "ingest/copy/copy.h"

/* As many as cores, but no more. */
#define LANES_DEFAULT_MAX 4U

struct room {
    unsigned lanes;
    size_t pool_bytes;          /* of one lane's buffers */
    size_t packer_bytes;        /* what compressing may take of a lane's share; 0: nothing is */
    size_t block_largest;       /* the largest buffer of a lane */
    uint64_t block_bytes;       /* items up to this travel in one block */
    uint64_t large_block_bytes; /* of others; 0: block_bytes */
};

MUST_USE enum err_code room_divide(const struct copy_options *options,
                                   const struct end_caps *source, const struct end_caps *target,
                                   unsigned cores, struct room *ret_room, struct err *err);

#endif
