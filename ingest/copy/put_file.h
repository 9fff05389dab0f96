/*
 * ingest/copy/put_file.h - store one file of this machine at an end, beside the items of a copy: a
 * log of it.
 *
 *   shape    up to PUT_FILE_PIECE in one request, otherwise in blocks of that size, in order
 *   owner    all is borrowed for the call
 *   thread   the errand's; blocks
 *   durable  as whatever is stored at that end
 *   errors   what the store said; ERR_STATE_INVALID: the file cannot be read, or changed meanwhile
 */
#ifndef INGEST_COPY_PUT_FILE_H
#define INGEST_COPY_PUT_FILE_H

#include "ingest/copy/errand.h"

#define PUT_FILE_PIECE ((uint32_t)4 << 20)

struct put_file {
    const char *path;
    const char *name; /* at the end; what is there is replaced */
    const char *content_type;
    const char *nonce;
    uint64_t stage_id; /* nobody else's of this nonce */
};

MUST_USE enum err_code put_file(struct errand *errand, const struct put_file *file,
                                struct err *err);

#endif
