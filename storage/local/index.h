/*
 * storage/local/index.h - blobs.db of the local store: what is known of each blob besides its
 * bytes.
 *
 * A row is true only for the very file it was written for: inode, size and time are compared when
 * it is read, so that a file changed by another tool is listed as what it now is.
 *
 *   shape    keys are ACCOUNT/CONTAINER/NAME; `file` is the path below DIR that holds the bytes
 *   thread   one connection per struct; several processes may use one store
 *   durable  a committed row survives power loss (synchronous FULL)
 */
#ifndef STORAGE_LOCAL_INDEX_H
#define STORAGE_LOCAL_INDEX_H

#include "base/sql.h"
#include "base/text.h"
#include "storage/backend.h"

#include <sys/stat.h>

struct index {
    struct sql sql;
    struct sql_stmt put, find, remove;
};

struct index_row {
    struct text file; /* "" if the name itself is the path */
    struct blob_props props;
    struct text content_type, content_encoding, extra_metadata;
    uint64_t ino;
    uint64_t stored_bytes;
    int64_t stored_ns;
};

MUST_USE enum err_code index_open(struct index *index, const char *path, struct err *err);
void index_close(struct index *index);
MUST_USE enum err_code index_begin(struct index *index, struct err *err);
MUST_USE enum err_code index_commit(struct index *index, struct err *err);
MUST_USE enum err_code index_put(struct index *index, const char *key, const char *file,
                                 const struct blob_props *props, const struct stat *st,
                                 struct err *err);
MUST_USE enum err_code index_remove(struct index *index, const char *key, struct err *err);
MUST_USE enum err_code index_find(struct index *index, const char *key, struct index_row *row,
                                  bool *ret_found, struct err *err);
void index_row_done(struct index_row *row);
/* Is the row still about this file? */
bool index_row_fits(const struct index_row *row, const struct stat *st);

#endif
