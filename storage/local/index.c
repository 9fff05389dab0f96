#include "storage/local/index.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define INDEX_VERSION     2
#define INDEX_CACHE_BYTES ((size_t)2 << 20)

#define CREATE_BLOB                                                                                \
    "CREATE TABLE blob(key BLOB NOT NULL, etag TEXT NOT NULL, file BLOB NOT NULL,"                 \
    " stored_bytes INTEGER NOT NULL, stored_ns INTEGER NOT NULL, original INTEGER NOT NULL,"       \
    " mtime INTEGER, crc64 INTEGER, md5 BLOB, type INTEGER NOT NULL, tier INTEGER NOT NULL,"       \
    " job TEXT, content_type TEXT, content_encoding TEXT, metadata BLOB,"                          \
    " PRIMARY KEY(key, etag)) WITHOUT ROWID;"
#define FIND_BLOB                                                                                  \
    "SELECT file,etag,stored_bytes,stored_ns,original,mtime,crc64,md5,type,tier,"                  \
    "job,content_type,content_encoding,metadata FROM blob WHERE key=?1"

static const char schema[] = CREATE_BLOB;

/* Version 1 had one row per key, and inode, size and time instead of the etag made of them. */
static const char convert_1[] =
    "ALTER TABLE blob RENAME TO blob1;" CREATE_BLOB
    "INSERT INTO blob SELECT key, printf('%x-%x-%x.%x', ino, stored_bytes,"
    "  (stored_ns - (stored_ns % 1000000000 + 1000000000) % 1000000000) / 1000000000,"
    "  (stored_ns % 1000000000 + 1000000000) % 1000000000),"
    " file, stored_bytes, stored_ns, original, mtime, crc64, md5, type, tier, job, content_type,"
    " content_encoding, metadata FROM blob1;"
    "DROP TABLE blob1; PRAGMA user_version=2;";

void
local_etag(const struct stat *st, char out[static BLOB_ETAG_BYTES])
{
    (void)snprintf(out, BLOB_ETAG_BYTES, "%llx-%llx-%llx.%lx", (unsigned long long)st->st_ino,
                   (unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
                   (unsigned long)st->st_mtim.tv_nsec);
}

static enum err_code
prepare_statements(struct index *index, struct err *err)
{
    const struct {
        struct sql_stmt *stmt;
        const char *text;
    } rows[] = {
        {&index->put, "INSERT OR REPLACE INTO blob VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,"
                      "?13,?14,?15)"},
        {&index->find, FIND_BLOB " AND etag=?2"},
        {&index->find_any, FIND_BLOB},
        {&index->remove, "DELETE FROM blob WHERE key=?1 AND etag=?2"},
        {&index->keep, "DELETE FROM blob WHERE key=?1 AND etag<>?2"},
    };
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < COUNT_OF(rows) && code == ERR_OK; i++) {
        code = sql_prepare(&index->sql, rows[i].stmt, rows[i].text, err);
    }
    return code;
}

enum err_code
index_open(struct index *index, const char *path, struct err *err)
{
    *index = (struct index){0};
    enum err_code code = sql_open(&index->sql, path, SQL_SYNC_NORMAL, INDEX_CACHE_BYTES, err);
    code = code == ERR_OK ? sql_convert(&index->sql, 1, convert_1, err) : code;
    code = code == ERR_OK ? sql_schema(&index->sql, INDEX_VERSION, schema, err) : code;
    code = code == ERR_OK ? prepare_statements(index, err) : code;
    if (code != ERR_OK) {
        index_close(index);
    }
    return code;
}

void
index_close(struct index *index)
{
    sql_stmt_done(&index->put);
    sql_stmt_done(&index->find);
    sql_stmt_done(&index->find_any);
    sql_stmt_done(&index->remove);
    sql_stmt_done(&index->keep);
    sql_close(&index->sql);
}

enum err_code
index_begin(struct index *index, struct err *err)
{
    return sql_exec(&index->sql, "BEGIN IMMEDIATE", err);
}

enum err_code
index_commit(struct index *index, struct err *err)
{
    return sql_exec(&index->sql, "COMMIT", err);
}

enum err_code
index_put(struct index *index, const char *key, const char *file, const struct blob_props *props,
          const struct stat *st, struct err *err)
{
    struct sql_stmt *stmt = &index->put;
    char etag[BLOB_ETAG_BYTES];
    local_etag(st, etag);
    sql_bind_blob(stmt, 1, key, strlen(key));
    sql_bind_text(stmt, 2, etag);
    sql_bind_blob(stmt, 3, file, strlen(file));
    sql_bind_i64(stmt, 4, st->st_size);
    sql_bind_i64(stmt, 5, clock_from_timespec(&st->st_mtim));
    sql_bind_i64(stmt, 6, (int64_t)props->original_bytes);
    if (props->mtime_ns != BLOB_TIME_NONE) {
        sql_bind_i64(stmt, 7, props->mtime_ns);
    }
    if (props->has_crc64) {
        sql_bind_i64(stmt, 8, (int64_t)props->crc64);
    }
    if (props->has_md5) {
        sql_bind_blob(stmt, 9, props->md5, MD5_BYTES);
    }
    sql_bind_i64(stmt, 10, props->type);
    sql_bind_i64(stmt, 11, props->tier);
    sql_bind_text(stmt, 12, props->job);
    sql_bind_text(stmt, 13, props->content_type);
    sql_bind_text(stmt, 14, props->content_encoding);
    if (props->extra_metadata_len > 0) {
        sql_bind_blob(stmt, 15, props->extra_metadata, props->extra_metadata_len);
    }
    return sql_run(stmt, err);
}

static enum err_code
run_with(struct sql_stmt *stmt, const char *key, const char *etag, struct err *err)
{
    sql_bind_blob(stmt, 1, key, strlen(key));
    sql_bind_text(stmt, 2, etag);
    return sql_run(stmt, err);
}

enum err_code
index_remove(struct index *index, const char *key, const char *etag, struct err *err)
{
    return run_with(&index->remove, key, etag, err);
}

enum err_code
index_keep(struct index *index, const char *key, const char *etag, struct err *err)
{
    return run_with(&index->keep, key, etag, err);
}

static void
copy_text(struct sql_stmt *stmt, int col, struct text *out, const char **ret_text)
{
    const char *text = sql_col_text(stmt, col);
    text_clear(out);
    if (text != NULL) {
        text_add_str(out, text);
        *ret_text = text_str(out);
    }
}

/* Whole pairs of key and value, each with its NUL; what is not, another program wrote. */
static bool
are_pairs(const char *bytes, size_t len)
{
    unsigned nuls = 0;
    for (size_t i = 0; i < len; i++) {
        nuls += bytes[i] == '\0';
    }
    return len > 0 && len <= BLOB_METADATA_MAX && nuls % 2 == 0 && bytes[len - 1] == '\0';
}

static void
read_row(struct sql_stmt *stmt, struct index_row *row)
{
    struct blob_props *props = &row->props;
    size_t len = 0;
    const void *file = sql_col_blob(stmt, 0, &len);
    text_clear(&row->file);
    text_add(&row->file, file, len);
    const char *etag = sql_col_text(stmt, 1);
    row->stored_bytes = (uint64_t)sql_col_i64(stmt, 2);
    row->stored_ns = sql_col_i64(stmt, 3);
    *props = (struct blob_props){
        .size_bytes = row->stored_bytes,
        .original_bytes = (uint64_t)sql_col_i64(stmt, 4),
        .mtime_ns = sql_col_is_null(stmt, 5) ? BLOB_TIME_NONE : sql_col_i64(stmt, 5),
        .modified_ns = row->stored_ns,
        .has_crc64 = !sql_col_is_null(stmt, 6),
        .crc64 = (uint64_t)sql_col_i64(stmt, 6),
    };
    (void)snprintf(props->etag, sizeof props->etag, "%s", etag == NULL ? "" : etag);
    const void *md5 = sql_col_blob(stmt, 7, &len);
    props->has_md5 = len == MD5_BYTES;
    if (props->has_md5) {
        memcpy(props->md5, md5, MD5_BYTES);
    }
    int64_t type = sql_col_i64(stmt, 8);
    int64_t tier = sql_col_i64(stmt, 9);
    props->type = type > 0 && type < BLOB_TYPE_COUNT ? (enum blob_type)type : BLOB_TYPE_BLOCK;
    props->tier = tier > 0 && tier < BLOB_TIER_COUNT ? (enum blob_tier)tier : BLOB_TIER_NONE;
    const char *job = sql_col_text(stmt, 10);
    (void)snprintf(props->job, sizeof props->job, "%s", job == NULL ? "" : job);
    copy_text(stmt, 11, &row->content_type, &props->content_type);
    copy_text(stmt, 12, &row->content_encoding, &props->content_encoding);
    bool is_zstd = props->content_encoding != NULL && strcmp(props->content_encoding, "zstd") == 0;
    if (!is_zstd || props->original_bytes == 0) {
        props->original_bytes = props->size_bytes; /* only what we compressed has another one */
    }
    const void *metadata = sql_col_blob(stmt, 13, &len);
    text_clear(&row->extra_metadata);
    text_add(&row->extra_metadata, metadata, are_pairs(metadata, len) ? len : 0);
    props->extra_metadata = text_str(&row->extra_metadata);
    props->extra_metadata_len = (uint32_t)row->extra_metadata.len;
}

enum err_code
index_find(struct index *index, const char *key, const char *etag, struct index_row *row,
           bool *ret_found, struct err *err)
{
    struct sql_stmt *stmt = etag == NULL ? &index->find_any : &index->find;
    sql_bind_blob(stmt, 1, key, strlen(key));
    if (etag != NULL) {
        sql_bind_text(stmt, 2, etag);
    }
    *ret_found = false;
    enum err_code code = sql_step(stmt, ret_found, err);
    if (code == ERR_OK && *ret_found) {
        read_row(stmt, row);
    }
    sql_reset(stmt);
    return code;
}

enum err_code
index_has_rows(struct index *index, bool *ret_has, struct err *err)
{
    struct sql_stmt stmt = {0};
    enum err_code code = sql_prepare(&index->sql, &stmt, "SELECT 1 FROM blob LIMIT 1", err);
    code = code == ERR_OK ? sql_step(&stmt, ret_has, err) : code;
    sql_stmt_done(&stmt);
    return code;
}

void
index_row_done(struct index_row *row)
{
    text_done(&row->file);
    text_done(&row->content_type);
    text_done(&row->content_encoding);
    text_done(&row->extra_metadata);
}
