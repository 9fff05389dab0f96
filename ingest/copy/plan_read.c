/* Reading a plan: what earlier runs have recorded, and what this one did, for verifying. */
#include "base/text.h"
#include "ingest/copy/plan.h"

#include <string.h>
#include <unistd.h>

#define READER_CACHE_BYTES ((size_t)4 << 20)

static void
bind_name(struct sql_stmt *stmt, int index, const char *name)
{
    sql_bind_blob(stmt, index, name, strlen(name));
}

#define DONE_COLUMNS                                                                               \
    "id,size,mtime,state,verdict,crc64,block_bytes,xxh3,md5,sha256,etag,name,type,target,"         \
    "renamed,manifest"

enum err_code
plan_reader_open(const char *path, struct plan_reader *ret_reader, struct err *err)
{
    struct plan_reader reader = {0};
    enum err_code code = sql_open(&reader.sql, path, SQL_SYNC_NORMAL, READER_CACHE_BYTES, err);
    code = code == ERR_OK ? sql_prepare(&reader.sql, &reader.find_done,
                                        "SELECT " DONE_COLUMNS " FROM done WHERE name=?1", err)
                          : code;
    code =
        code == ERR_OK
            ? sql_prepare(&reader.sql, &reader.find_target,
                          "SELECT " DONE_COLUMNS " FROM done WHERE coalesce(target,name)=?1", err)
            : code;
    code = code == ERR_OK
               ? sql_prepare(&reader.sql, &reader.find_size,
                             "SELECT block_bytes FROM large WHERE name=?1 AND size=?2 AND mtime=?3"
                             " ORDER BY stage DESC LIMIT 1",
                             err)
               : code;
    code = code == ERR_OK
               ? sql_prepare(&reader.sql, &reader.find_large,
                             "SELECT stage,packed FROM large WHERE name=?1 AND size=?2 AND mtime=?3"
                             " AND block_bytes=?4 ORDER BY stage DESC",
                             err)
               : code;
    code =
        code == ERR_OK
            ? sql_prepare(&reader.sql, &reader.blocks,
                          "SELECT number,crc64,xxh3,checked,stored FROM block WHERE stage=?1", err)
            : code;
    if (code != ERR_OK) {
        plan_reader_close(&reader);
        return code;
    }
    *ret_reader = reader;
    /* Statements point at their connection, which has moved. */
    ret_reader->find_done.sql = &ret_reader->sql;
    ret_reader->find_target.sql = &ret_reader->sql;
    ret_reader->find_size.sql = &ret_reader->sql;
    ret_reader->find_large.sql = &ret_reader->sql;
    ret_reader->blocks.sql = &ret_reader->sql;
    return ERR_OK;
}

void
plan_reader_close(struct plan_reader *reader)
{
    sql_stmt_done(&reader->find_done);
    sql_stmt_done(&reader->find_target);
    sql_stmt_done(&reader->find_size);
    sql_stmt_done(&reader->find_large);
    sql_stmt_done(&reader->blocks);
    text_done(&reader->name);
    sql_close(&reader->sql);
}

static const uint8_t *
col_digest(struct sql_stmt *stmt, int col, size_t want_len)
{
    size_t len = 0;
    const void *bytes = sql_col_blob(stmt, col, &len);
    return len == want_len ? bytes : NULL;
}

/* Texts are borrowed from the row. */
static void
read_done(struct sql_stmt *stmt, struct item *item)
{
    item->size_bytes = (uint64_t)sql_col_i64(stmt, 1);
    item->mtime_ns = sql_col_i64(stmt, 2);
    item->state = sql_col_i64(stmt, 3) == ITEM_UNCHANGED ? ITEM_UNCHANGED : ITEM_RESUMED;
    int64_t verdict = sql_col_i64(stmt, 4);
    item->verdict =
        verdict > 0 && verdict < VERDICT_COUNT ? (uint8_t)verdict : VERDICT_UNVERIFIABLE;
    item->has_crc64 = !sql_col_is_null(stmt, 5);
    item->crc64 = (uint64_t)sql_col_i64(stmt, 5);
    item->block_bytes = (uint32_t)sql_col_i64(stmt, 6);
    const uint8_t *xxh3 = col_digest(stmt, 7, XXH3_BYTES);
    item->has_xxh3 = xxh3 != NULL;
    if (xxh3 != NULL) {
        memcpy(item->xxh3, xxh3, XXH3_BYTES);
    }
    item->md5 = col_digest(stmt, 8, MD5_BYTES);
    item->sha256 = col_digest(stmt, 9, SHA256_BYTES);
    item->etag = sql_col_text(stmt, 10);
    int64_t type = sql_col_i64(stmt, 12);
    item->type = type == BLOB_TYPE_PAGE || type == BLOB_TYPE_FILE ? (uint8_t)type : BLOB_TYPE_BLOCK;
    item->is_renamed = sql_col_i64(stmt, 14) != 0;
    item->matches_manifest = sql_col_i64(stmt, 15) != 0;
}

enum err_code
plan_find_done(struct plan_reader *reader, struct arena *arena, struct item *item, bool *ret_found,
               struct err *err)
{
    struct sql_stmt *stmt = &reader->find_done;
    bool has_row = false;
    *ret_found = false;
    bind_name(stmt, 1, item->name);
    enum err_code code = sql_step(stmt, &has_row, err);
    if (code == ERR_OK && has_row && (uint64_t)sql_col_i64(stmt, 1) == item->size_bytes &&
        sql_col_i64(stmt, 2) == item->mtime_ns) {
        read_done(stmt, item);
        item->is_recorded = true;
        item->md5 = item->md5 == NULL ? NULL : (void *)arena_bytes(arena, item->md5, MD5_BYTES);
        item->sha256 =
            item->sha256 == NULL ? NULL : (void *)arena_bytes(arena, item->sha256, SHA256_BYTES);
        item->etag = item->etag == NULL ? NULL : arena_text(arena, item->etag);
        *ret_found = true;
    }
    sql_reset(stmt);
    return code;
}

static void
col_text(struct sql_stmt *stmt, int col, struct text *out)
{
    size_t len = 0;
    const void *bytes = sql_col_blob(stmt, col, &len);
    text_clear(out);
    text_add(out, bytes, len);
}

enum err_code
plan_find_row(struct plan_reader *reader, const char *target, uint64_t *ret_row, struct item *item,
              struct err *err)
{
    struct sql_stmt *stmt = &reader->find_target;
    bool has_row = false;
    *ret_row = 0;
    bind_name(stmt, 1, target);
    enum err_code code = sql_step(stmt, &has_row, err);
    if (code == ERR_OK && has_row) {
        col_text(stmt, 11, &reader->name);
        *item = (struct item){.name = text_str(&reader->name), .target = target};
        read_done(stmt, item);
        item->md5 = NULL;
        item->sha256 = NULL;
        item->etag = NULL;
        *ret_row = (uint64_t)sql_col_i64(stmt, 0);
    }
    sql_reset(stmt);
    return code;
}

static enum err_code
read_blocks(struct plan_reader *reader, const struct item *item, struct large *large,
            struct err *err)
{
    struct sql_stmt *stmt = &reader->blocks;
    bool has_row = false;
    sql_bind_i64(stmt, 1, (int64_t)large->stage_id);
    enum err_code code = sql_step(stmt, &has_row, err);
    for (; code == ERR_OK && has_row; code = sql_step(stmt, &has_row, err)) {
        int64_t index = sql_col_i64(stmt, 0);
        const uint8_t *xxh3 = col_digest(stmt, 2, XXH3_BYTES);
        int64_t stored = sql_col_i64(stmt, 4);
        if (index < 0 || index >= item->block_count || xxh3 == NULL || stored < 1 ||
            (uint64_t)stored > blob_slot_bytes(item->block_bytes)) {
            sql_reset(stmt);
            return err_set(err, ERR_STATE_INVALID, "'%s': block %lld of stage %llu is damaged",
                           reader->sql.path, (long long)index, (unsigned long long)large->stage_id);
        }
        uint8_t bit = (uint8_t)(1U << (index & 7));
        large->stored_count += (large->is_stored[index >> 3] & bit) == 0;
        large->is_stored[index >> 3] |= bit;
        large->crcs[index] = (uint64_t)sql_col_i64(stmt, 1);
        if (large->lens != NULL) {
            large->lens[index] = (uint32_t)stored;
        }
        memcpy(large->xxh3s + index * XXH3_BYTES, xxh3, XXH3_BYTES);
        large->is_checked = large->is_checked && (sql_col_i64(stmt, 3) == BLOB_CHECKED_CRC64 ||
                                                  sql_col_i64(stmt, 3) == BLOB_CHECKED_MD5);
    }
    return code;
}

static void
bind_large(struct sql_stmt *stmt, const struct item *item)
{
    bind_name(stmt, 1, item->name);
    sql_bind_i64(stmt, 2, (int64_t)item->size_bytes);
    sql_bind_i64(stmt, 3, item->mtime_ns);
}

enum err_code
plan_find_block_bytes(struct plan_reader *reader, const struct item *item,
                      uint32_t *ret_block_bytes, struct err *err)
{
    struct sql_stmt *stmt = &reader->find_size;
    bool has_row = false;
    bind_large(stmt, item);
    enum err_code code = sql_step(stmt, &has_row, err);
    int64_t bytes = code == ERR_OK && has_row ? sql_col_i64(stmt, 0) : 0;
    sql_reset(stmt);
    if (code == ERR_OK) {
        *ret_block_bytes = bytes > 0 && bytes <= UINT32_MAX ? (uint32_t)bytes : 0;
    }
    return code;
}

enum err_code
plan_find_large(struct plan_reader *reader, struct item *item, struct large *large, bool *ret_found,
                struct err *err)
{
    struct sql_stmt *stmt = &reader->find_large;
    bool has_row = false;
    bind_large(stmt, item);
    sql_bind_i64(stmt, 4, item->block_bytes);
    enum err_code code = sql_step(stmt, &has_row, err);
    /* Frames are of no use to an item that is not to be compressed any more. */
    bool is_packed = code == ERR_OK && has_row && sql_col_i64(stmt, 1) != 0;
    *ret_found = code == ERR_OK && has_row && (!is_packed || item->pack != PACK_NO);
    if (*ret_found) {
        large->stage_id = (uint64_t)sql_col_i64(stmt, 0);
        large->is_recorded = true;
        item->pack = is_packed ? PACK_YES : PACK_NO;
    }
    sql_reset(stmt);
    if (!*ret_found || code != ERR_OK) {
        return code;
    }
    code = read_blocks(reader, item, large, err);
    large->has_old_blocks = large->stored_count > 0;
    return code;
}

enum err_code
plan_last_row(struct plan_reader *reader, uint64_t *ret_row, struct err *err)
{
    struct sql_stmt stmt = {0};
    bool has_row = false;
    enum err_code code = sql_prepare(&reader->sql, &stmt, "SELECT max(id) FROM done", err);
    code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    if (code == ERR_OK) {
        *ret_row = has_row ? (uint64_t)sql_col_i64(&stmt, 0) : 0;
    }
    sql_stmt_done(&stmt);
    return code;
}

/* The row at hand; texts are borrowed until the next step. */
struct row_texts {
    struct text name;
    struct text target;
};

static void
row_texts_done(struct row_texts *texts)
{
    text_done(&texts->name);
    text_done(&texts->target);
}

static enum err_code
tell_row(struct sql_stmt *stmt, struct row_texts *texts, plan_item_fn *fn, void *user,
         struct err *err)
{
    struct item item = {0};
    col_text(stmt, 11, &texts->name);
    col_text(stmt, 13, &texts->target);
    read_done(stmt, &item);
    item.name = text_str(&texts->name);
    item.target = sql_col_is_null(stmt, 13) ? item.name : text_str(&texts->target);
    return fn(user, &item, (uint64_t)sql_col_i64(stmt, 0), err);
}

enum err_code
plan_each(const char *path, plan_item_fn *fn, void *user, struct err *err)
{
    struct sql sql = {0};
    struct sql_stmt stmt = {0};
    bool has_row = false;
    struct row_texts texts = {0};
    enum err_code code = sql_open(&sql, path, SQL_SYNC_NORMAL, READER_CACHE_BYTES, err);
    code = code == ERR_OK
               ? sql_prepare(&sql, &stmt, "SELECT " DONE_COLUMNS " FROM done ORDER BY id", err)
               : code;
    code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    while (code == ERR_OK && has_row) {
        code = tell_row(&stmt, &texts, fn, user, err);
        code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    }
    row_texts_done(&texts);
    sql_stmt_done(&stmt);
    sql_close(&sql);
    return code;
}

/* ---- sorted ---- */

/* Rows by name, in a database of their own: a sort in memory would grow with the plan. */
struct sorting {
    struct sql sql;
    struct sql_stmt add;
    struct text key;
};

static enum err_code
add_sorted(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct sorting *sorting = user;
    text_clear(&sorting->key);
    text_add_str(&sorting->key, item->name);
    for (size_t i = 0; i < sorting->key.len; i++) {
        if (sorting->key.bytes[i] == '/') {
            sorting->key.bytes[i] = '\0'; /* less than any byte of a name */
        }
    }
    sql_bind_blob(&sorting->add, 1, sorting->key.bytes, sorting->key.len);
    sql_bind_i64(&sorting->add, 2, (int64_t)row);
    return sql_run(&sorting->add, err);
}

static enum err_code
sort(struct sorting *sorting, const char *path, const char *scratch, struct err *err)
{
    (void)unlink(scratch);
    enum err_code code = sql_open(&sorting->sql, scratch, SQL_SYNC_OFF, READER_CACHE_BYTES, err);
    code = code == ERR_OK
               ? sql_exec(&sorting->sql,
                          "CREATE TABLE sorted(key BLOB, id INTEGER, PRIMARY KEY(key, id))"
                          " WITHOUT ROWID; BEGIN;",
                          err)
               : code;
    code = code == ERR_OK
               ? sql_prepare(&sorting->sql, &sorting->add, "INSERT INTO sorted VALUES(?1,?2)", err)
               : code;
    return code == ERR_OK ? plan_each(path, add_sorted, sorting, err) : code;
}

static enum err_code
tell_sorted(struct sorting *sorting, const char *path, plan_item_fn *fn, void *user,
            struct err *err)
{
    struct sql sql = {0};
    struct sql_stmt next = {0};
    struct sql_stmt find = {0};
    struct row_texts texts = {0};
    bool has_row = false;
    bool is_there = false;
    enum err_code code = sql_open(&sql, path, SQL_SYNC_NORMAL, READER_CACHE_BYTES, err);
    code = code == ERR_OK
               ? sql_prepare(&sql, &find, "SELECT " DONE_COLUMNS " FROM done WHERE id=?1", err)
               : code;
    code = code == ERR_OK
               ? sql_prepare(&sorting->sql, &next, "SELECT id FROM sorted ORDER BY key,id", err)
               : code;
    code = code == ERR_OK ? sql_step(&next, &has_row, err) : code;
    while (code == ERR_OK && has_row) {
        sql_bind_i64(&find, 1, sql_col_i64(&next, 0));
        code = sql_step(&find, &is_there, err);
        code = code == ERR_OK && is_there ? tell_row(&find, &texts, fn, user, err) : code;
        sql_reset(&find);
        code = code == ERR_OK ? sql_step(&next, &has_row, err) : code;
    }
    row_texts_done(&texts);
    sql_stmt_done(&next);
    sql_stmt_done(&find);
    sql_close(&sql);
    return code;
}

enum err_code
plan_each_by_name(const char *path, const char *scratch, plan_item_fn *fn, void *user,
                  struct err *err)
{
    struct sorting sorting = {0};
    enum err_code code = sort(&sorting, path, scratch, err);
    code = code == ERR_OK ? tell_sorted(&sorting, path, fn, user, err) : code;
    sql_stmt_done(&sorting.add);
    sql_close(&sorting.sql);
    text_done(&sorting.key);
    (void)unlink(scratch);
    return code;
}
