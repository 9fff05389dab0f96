#include "ingest/copy/plan.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WRITER_CACHE_BYTES ((size_t)2 << 20)

static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    /* One row per stored item. */
    "CREATE TABLE done(id INTEGER PRIMARY KEY, name BLOB NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, state INTEGER NOT NULL, verdict INTEGER NOT NULL, crc64 INTEGER,"
    " block_bytes INTEGER NOT NULL, xxh3 BLOB, md5 BLOB, sha256 BLOB, etag TEXT,"
    " type INTEGER NOT NULL, target BLOB, renamed INTEGER NOT NULL, manifest INTEGER NOT NULL);"
    /* Large items begun, and their blocks that are stored but not yet published. */
    "CREATE TABLE large(stage INTEGER PRIMARY KEY, name BLOB NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, block_bytes INTEGER NOT NULL, packed INTEGER NOT NULL);"
    "CREATE TABLE block(stage INTEGER NOT NULL, number INTEGER NOT NULL, crc64 INTEGER NOT NULL,"
    " xxh3 BLOB NOT NULL, checked INTEGER NOT NULL, stored INTEGER NOT NULL);";

static const char indexes[] = "CREATE INDEX IF NOT EXISTS done_name ON done(name);"
                              "CREATE INDEX IF NOT EXISTS large_name ON large(name);"
                              "CREATE INDEX IF NOT EXISTS block_stage ON block(stage);";

static void
bind_name(struct sql_stmt *stmt, int index, const char *name)
{
    sql_bind_blob(stmt, index, name, strlen(name));
}

static enum err_code
get_meta(struct sql *sql, const char *key, struct text *out, struct err *err)
{
    struct sql_stmt stmt = {0};
    bool has_row = false;
    enum err_code code = sql_prepare(sql, &stmt, "SELECT value FROM meta WHERE key=?1", err);
    if (code == ERR_OK) {
        sql_bind_text(&stmt, 1, key);
        code = sql_step(&stmt, &has_row, err);
    }
    if (code == ERR_OK && has_row) {
        const char *value = sql_col_text(&stmt, 0);
        text_add_str(out, value == NULL ? "" : value);
    }
    sql_stmt_done(&stmt);
    return code;
}

static enum err_code
set_meta(struct sql *sql, const char *key, const char *value, struct err *err)
{
    struct sql_stmt stmt = {0};
    enum err_code code = sql_prepare(sql, &stmt, "INSERT OR REPLACE INTO meta VALUES(?1,?2)", err);
    if (code == ERR_OK) {
        sql_bind_text(&stmt, 1, key);
        sql_bind_text(&stmt, 2, value);
        code = sql_run(&stmt, err);
    }
    sql_stmt_done(&stmt);
    return code;
}

static enum err_code
remove_file(const char *path, const char *suffix, struct err *err)
{
    AUTO_TEXT name = TEXT_INIT;
    text_addf(&name, "%s%s", path, suffix);
    if (unlink(text_str(&name)) != 0 && errno != ENOENT) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not remove '%s'", text_str(&name));
    }
    return ERR_OK;
}

static enum err_code
remove_plan(const char *path, struct err *err)
{
    enum err_code code = remove_file(path, "-wal", err);
    code = code == ERR_OK ? remove_file(path, "-shm", err) : code;
    return code == ERR_OK ? remove_file(path, "", err) : code;
}

static enum err_code
begin_run(struct plan *plan, bool *ret_is_finished, struct err *err)
{
    AUTO_TEXT nonce = TEXT_INIT;
    AUTO_TEXT finished = TEXT_INIT;
    AUTO_TEXT run = TEXT_INIT;
    enum err_code code = get_meta(&plan->sql, "nonce", &nonce, err);
    code = code == ERR_OK ? get_meta(&plan->sql, "finished", &finished, err) : code;
    code = code == ERR_OK ? get_meta(&plan->sql, "run", &run, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    *ret_is_finished = finished.len > 0;
    plan->is_resumed = nonce.len > 0;
    plan->run = 1;
    if (nonce.len == 0) {
        uint8_t bytes[16];
        random_bytes(bytes, sizeof bytes);
        (void)hex_encode(bytes, sizeof bytes, plan->nonce);
        code = set_meta(&plan->sql, "nonce", plan->nonce, err);
        return code == ERR_OK ? set_meta(&plan->sql, "run", "1", err) : code;
    }
    uint8_t bytes[16];
    if (hex_decode(text_str(&nonce), bytes, sizeof bytes) != 0) {
        return err_set(err, ERR_STATE_INVALID, "'%s': the job's nonce is damaged", plan->sql.path);
    }
    memcpy(plan->nonce, text_str(&nonce), sizeof plan->nonce);
    for (const char *at = text_str(&run); *at >= '0' && *at <= '9' && plan->run < 1000000; at++) {
        plan->run = (at == text_str(&run) ? 0 : plan->run * 10) + (uint64_t)(*at - '0');
    }
    plan->run++;
    char number[24];
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)plan->run);
    return set_meta(&plan->sql, "run", number, err);
}

static enum err_code
prepare_statements(struct plan *plan, struct err *err)
{
    const struct {
        struct sql_stmt *stmt;
        const char *text;
    } rows[] = {
        {&plan->add_done, "INSERT INTO done(name,size,mtime,state,verdict,crc64,block_bytes,xxh3,"
                          "md5,sha256,etag,type,target,renamed,manifest)"
                          " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)"},
        {&plan->forget_done, "DELETE FROM done WHERE name=?1"},
        {&plan->add_large, "INSERT OR IGNORE INTO large VALUES(?1,?2,?3,?4,?5,?6)"},
        {&plan->add_block, "INSERT INTO block VALUES(?1,?2,?3,?4,?5,?6)"},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        enum err_code code = sql_prepare(&plan->sql, rows[i].stmt, rows[i].text, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code
read_next_stage(struct plan *plan, struct err *err)
{
    struct sql_stmt stmt = {0};
    bool has_row = false;
    enum err_code code = sql_prepare(&plan->sql, &stmt, "SELECT max(stage) FROM large", err);
    code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    if (code == ERR_OK) {
        /* Stages of other runs that were begun and never recorded must not be met again. */
        uint64_t highest = has_row ? (uint64_t)sql_col_i64(&stmt, 0) : 0;
        plan->next_stage_id = MAX_OF(highest + 1, plan->run << 32);
    }
    sql_stmt_done(&stmt);
    return code;
}

static enum err_code
open_once(const char *path, struct plan *plan, bool *ret_is_finished, struct err *err)
{
    enum err_code code = sql_open(&plan->sql, path, SQL_SYNC_NORMAL, WRITER_CACHE_BYTES, err);
    code = code == ERR_OK ? sql_schema(&plan->sql, PLAN_VERSION, schema, err) : code;
    code = code == ERR_OK ? begin_run(plan, ret_is_finished, err) : code;
    if (code == ERR_OK && plan->is_resumed && !*ret_is_finished) {
        code = sql_exec(&plan->sql, indexes, err);
    }
    code = code == ERR_OK ? prepare_statements(plan, err) : code;
    return code == ERR_OK ? read_next_stage(plan, err) : code;
}

enum err_code
plan_open(const char *path, bool restart, struct plan *ret_plan, struct err *err)
{
    struct plan plan = {0};
    bool is_finished = false;
    enum err_code code = restart ? remove_plan(path, err) : ERR_OK;
    if (code != ERR_OK) {
        return code;
    }
    code = open_once(path, &plan, &is_finished, err);
    if (code == ERR_OK && is_finished) {
        plan_close(&plan);
        plan = (struct plan){0};
        code = remove_plan(path, err);
        code = code == ERR_OK ? open_once(path, &plan, &is_finished, err) : code;
    }
    if (code != ERR_OK) {
        plan_close(&plan);
        return code;
    }
    *ret_plan = plan;
    /* Statements point at their connection, which has moved. */
    ret_plan->add_done.sql = &ret_plan->sql;
    ret_plan->forget_done.sql = &ret_plan->sql;
    ret_plan->add_large.sql = &ret_plan->sql;
    ret_plan->add_block.sql = &ret_plan->sql;
    return ERR_OK;
}

void
plan_close(struct plan *plan)
{
    sql_stmt_done(&plan->add_done);
    sql_stmt_done(&plan->forget_done);
    sql_stmt_done(&plan->add_large);
    sql_stmt_done(&plan->add_block);
    sql_close(&plan->sql);
}

static enum err_code
need_transaction(struct plan *plan, struct err *err)
{
    if (plan->is_open_transaction) {
        return ERR_OK;
    }
    enum err_code code = sql_exec(&plan->sql, "BEGIN", err);
    plan->is_open_transaction = code == ERR_OK;
    return code;
}

enum err_code
plan_add_item(struct plan *plan, const struct item *item, struct err *err)
{
    enum err_code code = need_transaction(plan, err);
    if (code == ERR_OK && plan->is_resumed) {
        bind_name(&plan->forget_done, 1, item->name);
        code = sql_run(&plan->forget_done, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct sql_stmt *stmt = &plan->add_done;
    bind_name(stmt, 1, item->name);
    sql_bind_i64(stmt, 2, (int64_t)item->size_bytes);
    sql_bind_i64(stmt, 3, item->mtime_ns);
    sql_bind_i64(stmt, 4, item->state == ITEM_UNCHANGED ? ITEM_UNCHANGED : ITEM_COPIED);
    sql_bind_i64(stmt, 5, item->verdict);
    sql_bind_null(stmt, 6);
    if (item->has_crc64) {
        sql_bind_i64(stmt, 6, (int64_t)item->crc64);
    }
    sql_bind_i64(stmt, 7, item->block_bytes);
    sql_bind_null(stmt, 8);
    if (item->has_xxh3) {
        sql_bind_blob(stmt, 8, item->xxh3, XXH3_BYTES);
    }
    sql_bind_null(stmt, 9);
    if (item->md5 != NULL) {
        sql_bind_blob(stmt, 9, item->md5, MD5_BYTES);
    }
    sql_bind_null(stmt, 10);
    if (item->sha256 != NULL) {
        sql_bind_blob(stmt, 10, item->sha256, SHA256_BYTES);
    }
    sql_bind_text(stmt, 11, item->etag);
    sql_bind_i64(stmt, 12, item->type);
    sql_bind_null(stmt, 13);
    if (item->target != NULL && item->target != item->name) {
        bind_name(stmt, 13, item->target);
    }
    sql_bind_i64(stmt, 14, item->is_renamed);
    sql_bind_i64(stmt, 15, item->matches_manifest);
    return sql_run(stmt, err);
}

enum err_code
plan_add_large(struct plan *plan, const struct item *item, uint64_t stage_id, struct err *err)
{
    enum err_code code = need_transaction(plan, err);
    if (code != ERR_OK) {
        return code;
    }
    sql_bind_i64(&plan->add_large, 1, (int64_t)stage_id);
    bind_name(&plan->add_large, 2, item->name);
    sql_bind_i64(&plan->add_large, 3, (int64_t)item->size_bytes);
    sql_bind_i64(&plan->add_large, 4, item->mtime_ns);
    sql_bind_i64(&plan->add_large, 5, item->block_bytes);
    sql_bind_i64(&plan->add_large, 6, item->pack == PACK_YES);
    return sql_run(&plan->add_large, err);
}

enum err_code
plan_add_block(struct plan *plan, uint64_t stage_id, const struct order *order, struct err *err)
{
    enum err_code code = need_transaction(plan, err);
    if (code != ERR_OK) {
        return code;
    }
    sql_bind_i64(&plan->add_block, 1, (int64_t)stage_id);
    sql_bind_i64(&plan->add_block, 2, order->block_index);
    sql_bind_i64(&plan->add_block, 3, (int64_t)order->crc64);
    sql_bind_blob(&plan->add_block, 4, order->xxh3, XXH3_BYTES);
    sql_bind_i64(&plan->add_block, 5, order->checked);
    sql_bind_i64(&plan->add_block, 6, order->sent_bytes);
    return sql_run(&plan->add_block, err);
}

static enum err_code
forget_stage(struct plan *plan, const char *statement, uint64_t stage_id, struct err *err)
{
    struct sql_stmt stmt = {0};
    enum err_code code = sql_prepare(&plan->sql, &stmt, statement, err);
    if (code == ERR_OK) {
        sql_bind_i64(&stmt, 1, (int64_t)stage_id);
        code = sql_run(&stmt, err);
    }
    sql_stmt_done(&stmt);
    return code;
}

enum err_code
plan_forget_large(struct plan *plan, uint64_t stage_id, struct err *err)
{
    enum err_code code = need_transaction(plan, err);
    code = code == ERR_OK ? forget_stage(plan, "DELETE FROM block WHERE stage=?1", stage_id, err)
                          : code;
    return code == ERR_OK ? forget_stage(plan, "DELETE FROM large WHERE stage=?1", stage_id, err)
                          : code;
}

enum err_code
plan_commit(struct plan *plan, struct err *err)
{
    if (!plan->is_open_transaction) {
        return ERR_OK;
    }
    plan->is_open_transaction = false;
    return sql_exec(&plan->sql, "COMMIT", err);
}

enum err_code
plan_forget_rows(struct plan *plan, const uint8_t *bits, uint64_t rows, struct err *err)
{
    struct sql_stmt stmt = {0};
    enum err_code code = need_transaction(plan, err);
    code =
        code == ERR_OK ? sql_prepare(&plan->sql, &stmt, "DELETE FROM done WHERE id=?1", err) : code;
    for (uint64_t row = 1; row <= rows && code == ERR_OK; row++) {
        if ((bits[row >> 3] >> (row & 7) & 1) != 0) {
            sql_bind_i64(&stmt, 1, (int64_t)row);
            code = sql_run(&stmt, err);
        }
    }
    sql_stmt_done(&stmt);
    return code == ERR_OK ? plan_commit(plan, err) : code;
}

enum err_code
plan_finish(struct plan *plan, struct err *err)
{
    enum err_code code = plan_commit(plan, err);
    return code == ERR_OK ? set_meta(&plan->sql, "finished", "1", err) : code;
}

enum err_code
plan_index_names(struct plan *plan, const atomic_int *signal, struct err *err)
{
    sql_watch(&plan->sql, signal);
    enum err_code code = sql_exec(
        &plan->sql, "CREATE INDEX IF NOT EXISTS done_target ON done(coalesce(target,name))", err);
    sql_watch(&plan->sql, NULL);
    return code;
}
