/*
 * base/sql.h - SQLite with our errors and no ceremony.
 *
 *   shape    statements are prepared once and kept by their owner; text and blobs are bound by copy
 *            unless the function says "static"
 *   owner    sql_close() finalizes nothing: statements are done first (sql_stmt_done)
 *   thread   a connection belongs to one thread
 *   durable  WAL; synchronous as opened: FULL commits survive power loss
 *   errors   SQLITE_FULL -> ERR_STATE_FULL; CORRUPT, NOTADB, newer schema -> ERR_STATE_INVALID;
 *            BUSY -> ERR_RUNNING; READONLY, CANTOPEN, others -> ERR_SYSTEM; the text names the file
 */
#ifndef BASE_SQL_H
#define BASE_SQL_H

#include "base/err.h"

#include <sqlite3.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct sql {
    sqlite3 *db;
    char *path;
};

struct sql_stmt {
    sqlite3_stmt *stmt;
    struct sql *sql;
};

enum sql_sync { SQL_SYNC_OFF, SQL_SYNC_NORMAL, SQL_SYNC_FULL };

/* Create or open. cache_bytes bounds the page cache. */
MUST_USE enum err_code sql_open(struct sql *sql, const char *path, enum sql_sync sync,
                                size_t cache_bytes, struct err *err);
MUST_USE enum err_code sql_open_read_only(struct sql *sql, const char *path, size_t cache_bytes,
                                          struct err *err);
/* From now on statements end with ERR_INTERRUPTED soon after *signal is not 0; NULL: no more. */
void sql_watch(struct sql *sql, const atomic_int *signal);
void sql_close(struct sql *sql);
/* A database with what SQLite keeps beside it; what is not there need not be removed. */
void sql_remove(const char *path);
MUST_USE enum err_code sql_exec(struct sql *sql, const char *statements, struct err *err);
/* user_version: set on an empty database, checked on others; a different one is ERR_STATE_INVALID.
 */
MUST_USE enum err_code sql_schema(struct sql *sql, int version, const char *statements,
                                  struct err *err);
/* A database of this older version is converted; any other is left as it is. */
MUST_USE enum err_code sql_convert(struct sql *sql, int from_version, const char *statements,
                                   struct err *err);

MUST_USE enum err_code sql_prepare(struct sql *sql, struct sql_stmt *stmt, const char *text,
                                   struct err *err);
void sql_stmt_done(struct sql_stmt *stmt);
void sql_bind_i64(struct sql_stmt *stmt, int index, int64_t value);
void sql_bind_null(struct sql_stmt *stmt, int index);
void sql_bind_text(struct sql_stmt *stmt, int index, const char *text); /* NULL binds NULL */
void sql_bind_blob(struct sql_stmt *stmt, int index, const void *bytes, size_t len);
/* Static: the bytes stay until the next sql_run or sql_reset. */
void sql_bind_blob_static(struct sql_stmt *stmt, int index, const void *bytes, size_t len);
/* One row: ERR_OK and *ret_row true; no more: false and the statement is reset. */
MUST_USE enum err_code sql_step(struct sql_stmt *stmt, bool *ret_row, struct err *err);
/* A statement without rows: step and reset. */
MUST_USE enum err_code sql_run(struct sql_stmt *stmt, struct err *err);
void sql_reset(struct sql_stmt *stmt);
int64_t sql_col_i64(struct sql_stmt *stmt, int col);
const char *sql_col_text(struct sql_stmt *stmt, int col); /* NULL for NULL */
const void *sql_col_blob(struct sql_stmt *stmt, int col, size_t *ret_len);
bool sql_col_is_null(struct sql_stmt *stmt, int col);

#endif
