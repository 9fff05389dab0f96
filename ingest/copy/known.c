#include "ingest/copy/known.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define KNOWN_CACHE_BYTES ((size_t)4 << 20)

static enum err_code
add(struct known *known, const struct entry *entry, struct err *err)
{
    const struct blob_props *props = &entry->props;
    sql_bind_blob(&known->add, 1, entry->name, strlen(entry->name));
    sql_bind_i64(&known->add, 2, (int64_t)props->size_bytes);
    sql_bind_i64(&known->add, 3, (int64_t)props->original_bytes);
    sql_bind_i64(&known->add, 4, props->mtime_ns);
    sql_bind_i64(&known->add, 5, props->modified_ns);
    sql_bind_null(&known->add, 6);
    if (props->has_crc64) {
        sql_bind_i64(&known->add, 6, (int64_t)props->crc64);
    }
    sql_bind_text(&known->add, 7, props->etag);
    sql_bind_text(&known->add, 8, props->job);
    sql_bind_i64(&known->add, 9, props->type);
    sql_bind_i64(&known->add, 10, props->is_partial);
    return sql_run(&known->add, err);
}

static enum err_code
list(struct known *known, struct end *target, struct err *err)
{
    struct lister *lister = NULL;
    enum err_code code = end_lister(target, NULL, NULL, &lister, err);
    bool more = true;
    while (code == ERR_OK && more) {
        struct entry entry = {0};
        code = lister_next(lister, &entry, &more, err);
        if (code == ERR_OK && more && entry.kind == ENTRY_ITEM) {
            code = add(known, &entry, err);
        }
    }
    lister_close(lister);
    return code;
}

enum err_code
known_open(struct known *known, const char *path, struct end *target, struct err *err)
{
    *known = (struct known){0};
    sql_remove(path);
    enum err_code code = sql_open(&known->sql, path, SQL_SYNC_OFF, KNOWN_CACHE_BYTES, err);
    code = code == ERR_OK ? sql_exec(&known->sql,
                                     "CREATE TABLE known(name BLOB PRIMARY KEY, size, original,"
                                     " mtime, modified, crc64, etag TEXT, job TEXT, type,"
                                     " partial) WITHOUT ROWID;"
                                     "BEGIN;",
                                     err)
                          : code;
    code = code == ERR_OK
               ? sql_prepare(&known->sql, &known->add,
                             "INSERT OR REPLACE INTO known VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,"
                             "?10)",
                             err)
               : code;
    code = code == ERR_OK ? list(known, target, err) : code;
    code = code == ERR_OK ? sql_exec(&known->sql, "COMMIT", err) : code;
    code = code == ERR_OK
               ? sql_prepare(&known->sql, &known->find,
                             "SELECT size,original,mtime,modified,crc64,etag,job,type,partial"
                             " FROM known"
                             " WHERE name=?1",
                             err)
               : code;
    if (code != ERR_OK) {
        known_close(known);
    }
    return code;
}

void
known_close(struct known *known)
{
    sql_stmt_done(&known->add);
    sql_stmt_done(&known->find);
    char *path = known->sql.path == NULL ? NULL : mem_text(known->sql.path);
    sql_close(&known->sql);
    if (path != NULL) {
        sql_remove(path);
    }
    mem_give(path);
}

enum err_code
known_find(struct known *known, const char *name, struct blob_props *ret_props, bool *ret_found,
           struct err *err)
{
    struct sql_stmt *stmt = &known->find;
    sql_bind_blob(stmt, 1, name, strlen(name));
    *ret_found = false;
    enum err_code code = sql_step(stmt, ret_found, err);
    if (code == ERR_OK && *ret_found) {
        *ret_props = (struct blob_props){
            .size_bytes = (uint64_t)sql_col_i64(stmt, 0),
            .original_bytes = (uint64_t)sql_col_i64(stmt, 1),
            .mtime_ns = sql_col_i64(stmt, 2),
            .modified_ns = sql_col_i64(stmt, 3),
            .crc64 = (uint64_t)sql_col_i64(stmt, 4),
            .has_crc64 = !sql_col_is_null(stmt, 4),
            .type = (enum blob_type)sql_col_i64(stmt, 7),
            .is_partial = sql_col_i64(stmt, 8) != 0,
        };
        (void)snprintf(ret_props->etag, sizeof ret_props->etag, "%s", sql_col_text(stmt, 5));
        (void)snprintf(ret_props->job, sizeof ret_props->job, "%s", sql_col_text(stmt, 6));
    }
    sql_reset(stmt);
    return code;
}
