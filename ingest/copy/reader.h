/*
 * ingest/copy/reader.h - asks a store about items and reads them back, one after the other.
 *
 * For checks after the fact: verifying a copy, comparing a receipt with a store.
 *
 *   shape    READER_PIECES pieces of READER_PIECE_BYTES in flight; one item at a time
 *   owner    the end is borrowed
 *   thread   one; every call blocks until it is answered
 *   errors   what the store said about this item; class RETRY only after all tries;
 *            ERR_INTERRUPTED once *signal is set
 */
#ifndef INGEST_COPY_READER_H
#define INGEST_COPY_READER_H

#include "ingest/copy/errand.h"

#define READER_PIECES      4U
#define READER_PIECE_BYTES ((uint32_t)4 << 20)

struct reader_piece {
    struct errand_op errand;
    struct blob_props props;
    uint64_t index;
    void *buf;
};

struct reader {
    struct errand errand;
    uint64_t packed_count; /* items read so far */
    struct reader_piece pieces[READER_PIECES];
};

/* signal: not 0: give up; may be NULL. */
MUST_USE enum err_code reader_open(struct reader *reader, struct end *end,
                                   const struct config *config, const struct clock *clock,
                                   const atomic_int *signal, struct err *err);
void reader_close(struct reader *reader);
/* What the store has under this name; ERR_ITEM_GONE if nothing. */
MUST_USE enum err_code reader_stat(struct reader *reader, const char *name,
                                   struct blob_props *ret_props, struct err *err);
/* Read it and compute the CRC of its original bytes. props: sizes and mtime as listed,
 * BLOB_TIME_NONE if unknown. */
MUST_USE enum err_code reader_crc64(struct reader *reader, const char *name,
                                    const struct blob_props *props, uint64_t *ret_crc64,
                                    struct err *err);

#endif
