/*
 * storage/local/index.h - blobs.db of the local store: what is known of each blob besides its
 * bytes. A plain folder as a target has one too, in its job's folder, for as long as the job lasts.
 *
 * A row is true only for the very file it was written for: its etag holds inode, size and time, and
 * a row is found by key and etag, so that a file changed by another tool is listed as what it now
 * is. A key may have two rows for a moment: the one of the file that is there, and the one of the
 * file that is about to take its place. A row without its file is harmless: nobody finds it, and it
 * goes when its key is stored again.
 *
 *   shape    keys are ACCOUNT/CONTAINER/NAME; `file` is "" or the path below DIR that holds the
 *            bytes
 *   thread   one connection per struct; several processes may use one store
 *   durable  a committed row survives SIGKILL, and power loss once its file system was synced, as
 *            the publisher does before it gives the file its name
 *   errors   ERR_STATE_INVALID: damaged, or of a newer version; older ones are converted
 */
#ifndef STORAGE_LOCAL_INDEX_H
#define STORAGE_LOCAL_INDEX_H

#include "base/sql.h"
#include "base/text.h"
#include "storage/backend.h"

#include <sys/stat.h>

struct index {
    struct sql sql;
    struct sql_stmt put, find, find_any, remove, keep;
};

struct index_row {
    struct text file; /* "" if the name itself is the path */
    struct blob_props props;
    struct text content_type, content_encoding, extra_metadata;
    uint64_t stored_bytes;
    int64_t stored_ns;
};

/* What identifies a file's content: "INODE-SIZE-TIME" in hex. */
void local_etag(const struct stat *st, char out[static BLOB_ETAG_BYTES]);

MUST_USE enum err_code index_open(struct index *index, const char *path, struct err *err);
void index_close(struct index *index);
MUST_USE enum err_code index_begin(struct index *index, struct err *err);
MUST_USE enum err_code index_commit(struct index *index, struct err *err);
/* The row of the file that st is of; other rows of the key stay. */
MUST_USE enum err_code index_put(struct index *index, const char *key, const char *file,
                                 const struct blob_props *props, const struct stat *st,
                                 struct err *err);
MUST_USE enum err_code index_remove(struct index *index, const char *key, const char *etag,
                                    struct err *err);
/* Remove all rows of the key but the one of this etag; "": all. */
MUST_USE enum err_code index_keep(struct index *index, const char *key, const char *etag,
                                  struct err *err);
/* etag NULL: any row of the key. */
MUST_USE enum err_code index_find(struct index *index, const char *key, const char *etag,
                                  struct index_row *row, bool *ret_found, struct err *err);
MUST_USE enum err_code index_has_rows(struct index *index, bool *ret_has, struct err *err);
void index_row_done(struct index_row *row);

#endif
