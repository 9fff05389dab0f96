/*
 * ingest/copy/known.h - what a remote target holds already, listed once and asked by name.
 *
 * One listing of the prefix costs a request per 5,000 blobs, where asking for each costs one per
 * item; the names go to a scratch database so that memory stays bounded whatever the target holds.
 *
 *   thread   one
 *   durable  nothing: the file is made anew by each run and removed by known_close()
 */
#ifndef INGEST_COPY_KNOWN_H
#define INGEST_COPY_KNOWN_H

#include "base/sql.h"
#include "storage/backend.h"

struct known {
    struct sql sql;
    struct sql_stmt add, find;
};

MUST_USE enum err_code known_open(struct known *known, const char *path, struct end *target,
                                  struct err *err);
void known_close(struct known *known);
/* The texts of ret_props are not filled, but etag and job are. */
MUST_USE enum err_code known_find(struct known *known, const char *name,
                                  struct blob_props *ret_props, bool *ret_found, struct err *err);

#endif
