#include "base/sql.h"

#include "base/arena.h"
#include "base/text.h"

#include <limits.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000
#define WATCH_STEPS     10000 /* of SQLite's machine: far less than a millisecond */

/* What an SQLite result means to us; the extended code is cut to its lowest byte. */
static enum err_code
code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_FULL: return ERR_STATE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR: return ERR_STATE_INVALID;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_RUNNING;
    case SQLITE_INTERRUPT: return ERR_INTERRUPTED;
    default: return ERR_SYSTEM;
    }
}

static enum err_code
failed(struct sql *sql, int result, struct err *err)
{
    const char *words = sql->db == NULL ? sqlite3_errstr(result) : sqlite3_errmsg(sql->db);
    return err_set(err, code_of(result), "database '%s': %s", sql->path, words);
}

static enum err_code
apply(struct sql *sql, enum sql_sync sync, size_t cache_bytes, struct err *err)
{
    static const char *const levels[] = {"OFF", "NORMAL", "FULL"};
    AUTO_TEXT pragmas = TEXT_INIT;
    text_addf(&pragmas,
              "PRAGMA synchronous=%s; PRAGMA cache_size=-%zu; PRAGMA temp_store=MEMORY;"
              "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;",
              levels[sync], cache_bytes / 1024);
    return sql_exec(sql, text_str(&pragmas), err);
}

static enum err_code
open_with(struct sql *sql, const char *path, int flags, struct err *err)
{
    *sql = (struct sql){.path = mem_text(path)};
    int result = sqlite3_open_v2(path, &sql->db,
                                 flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (result != SQLITE_OK) {
        enum err_code code = failed(sql, result, err);
        sql_close(sql);
        return code;
    }
    (void)sqlite3_busy_timeout(sql->db, BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return ERR_OK;
}

enum err_code
sql_open(struct sql *sql, const char *path, enum sql_sync sync, size_t cache_bytes, struct err *err)
{
    enum err_code code = open_with(sql, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (code != ERR_OK) {
        return code;
    }
    code = apply(sql, sync, cache_bytes, err);
    code = code == ERR_OK ? sql_exec(sql, "PRAGMA journal_mode=WAL;", err) : code;
    if (code != ERR_OK) {
        sql_close(sql);
    }
    return code;
}

enum err_code
sql_open_read_only(struct sql *sql, const char *path, size_t cache_bytes, struct err *err)
{
    enum err_code code = open_with(sql, path, SQLITE_OPEN_READONLY, err);
    if (code != ERR_OK) {
        return code;
    }
    code = apply(sql, SQL_SYNC_NORMAL, cache_bytes, err);
    if (code != ERR_OK) {
        sql_close(sql);
    }
    return code;
}

static int
is_signalled(void *user)
{
    const atomic_int *signal = user;
    return atomic_load(signal) != 0;
}

void
sql_watch(struct sql *sql, const atomic_int *signal)
{
    union {
        const atomic_int *in;
        void *out;
    } user = {.in = signal};
    sqlite3_progress_handler(sql->db, WATCH_STEPS, signal == NULL ? NULL : is_signalled, user.out);
}

void
sql_close(struct sql *sql)
{
    if (sql->db != NULL) {
        (void)sqlite3_close_v2(sql->db);
    }
    mem_give(sql->path);
    *sql = (struct sql){0};
}

void
sql_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (unsigned i = 0; i < COUNT_OF(suffixes); i++) {
        AUTO_TEXT name = TEXT_INIT;
        text_addf(&name, "%s%s", path, suffixes[i]);
        (void)unlink(text_str(&name));
    }
}

enum err_code
sql_exec(struct sql *sql, const char *statements, struct err *err)
{
    int result = sqlite3_exec(sql->db, statements, NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(sql, result, err);
}

static enum err_code
read_number(struct sql *sql, const char *query, int64_t *ret_number, struct err *err)
{
    struct sql_stmt stmt = {0};
    bool has_row = false;
    enum err_code code = sql_prepare(sql, &stmt, query, err);
    code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    if (code == ERR_OK) {
        *ret_number = has_row ? sql_col_i64(&stmt, 0) : 0;
    }
    sql_stmt_done(&stmt);
    return code;
}

static enum err_code
end_transaction(struct sql *sql, enum err_code code, struct err *err)
{
    if (code == ERR_OK) {
        return sql_exec(sql, "COMMIT", err);
    }
    /* Nothing is lost if this fails too: the transaction ends with the connection. */
    (void)sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

enum err_code
sql_convert(struct sql *sql, int from_version, const char *statements, struct err *err)
{
    int64_t found = 0;
    enum err_code code = read_number(sql, "PRAGMA user_version", &found, err);
    if (code != ERR_OK || found != from_version) {
        return code;
    }
    code = sql_exec(sql, "BEGIN IMMEDIATE", err);
    if (code != ERR_OK) {
        return code;
    }
    /* Another process may have been faster. */
    code = read_number(sql, "PRAGMA user_version", &found, err);
    if (code == ERR_OK && found == from_version) {
        code = sql_exec(sql, statements, err);
    }
    return end_transaction(sql, code, err);
}

enum err_code
sql_schema(struct sql *sql, int version, const char *statements, struct err *err)
{
    int64_t found = 0;
    int64_t tables = 0;
    enum err_code code = sql_exec(sql, "BEGIN IMMEDIATE", err);
    if (code != ERR_OK) {
        return code;
    }
    code = read_number(sql, "PRAGMA user_version", &found, err);
    code = code == ERR_OK ? read_number(sql, "SELECT count(*) FROM sqlite_schema", &tables, err)
                          : code;
    if (code == ERR_OK && found == 0 && tables == 0) {
        AUTO_TEXT set = TEXT_INIT;
        text_addf(&set, "PRAGMA user_version=%d", version);
        code = sql_exec(sql, statements, err);
        code = code == ERR_OK ? sql_exec(sql, text_str(&set), err) : code;
    } else if (code == ERR_OK && found != version) {
        code = err_set(err, ERR_STATE_INVALID,
                       "database '%s' has version %lld; this program reads version %d", sql->path,
                       (long long)found, version);
    }
    return end_transaction(sql, code, err);
}

enum err_code
sql_prepare(struct sql *sql, struct sql_stmt *stmt, const char *text, struct err *err)
{
    *stmt = (struct sql_stmt){.sql = sql};
    int result =
        sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt->stmt, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(sql, result, err);
}

void
sql_stmt_done(struct sql_stmt *stmt)
{
    (void)sqlite3_finalize(stmt->stmt);
    *stmt = (struct sql_stmt){0};
}

/* Binding fails only for want of memory or a wrong index, and the latter is our bug. */
static void
check_bound(int result)
{
    ASSERT(result == SQLITE_OK);
}

void
sql_bind_i64(struct sql_stmt *stmt, int index, int64_t value)
{
    check_bound(sqlite3_bind_int64(stmt->stmt, index, value));
}

void
sql_bind_null(struct sql_stmt *stmt, int index)
{
    check_bound(sqlite3_bind_null(stmt->stmt, index));
}

void
sql_bind_text(struct sql_stmt *stmt, int index, const char *text)
{
    check_bound(sqlite3_bind_text(stmt->stmt, index, text, -1, SQLITE_TRANSIENT));
}

void
sql_bind_blob(struct sql_stmt *stmt, int index, const void *bytes, size_t len)
{
    /* A NULL pointer would bind NULL, which an empty name is not. */
    check_bound(
        sqlite3_bind_blob64(stmt->stmt, index, len == 0 ? "" : bytes, len, SQLITE_TRANSIENT));
}

void
sql_bind_blob_static(struct sql_stmt *stmt, int index, const void *bytes, size_t len)
{
    check_bound(sqlite3_bind_blob64(stmt->stmt, index, len == 0 ? "" : bytes, len, SQLITE_STATIC));
}

enum err_code
sql_step(struct sql_stmt *stmt, bool *ret_row, struct err *err)
{
    int result = sqlite3_step(stmt->stmt);
    if (result == SQLITE_ROW) {
        *ret_row = true;
        return ERR_OK;
    }
    if (result == SQLITE_DONE) {
        *ret_row = false;
        (void)sqlite3_reset(stmt->stmt);
        return ERR_OK;
    }
    enum err_code code = failed(stmt->sql, result, err);
    (void)sqlite3_reset(stmt->stmt);
    return code;
}

enum err_code
sql_run(struct sql_stmt *stmt, struct err *err)
{
    bool has_row = false;
    enum err_code code = sql_step(stmt, &has_row, err);
    sql_reset(stmt);
    return code;
}

void
sql_reset(struct sql_stmt *stmt)
{
    (void)sqlite3_reset(stmt->stmt);
    (void)sqlite3_clear_bindings(stmt->stmt);
}

int64_t
sql_col_i64(struct sql_stmt *stmt, int col)
{
    return sqlite3_column_int64(stmt->stmt, col);
}

const char *
sql_col_text(struct sql_stmt *stmt, int col)
{
    return (const char *)sqlite3_column_text(stmt->stmt, col);
}

const void *
sql_col_blob(struct sql_stmt *stmt, int col, size_t *ret_len)
{
    const void *bytes = sqlite3_column_blob(stmt->stmt, col);
    *ret_len = (size_t)sqlite3_column_bytes(stmt->stmt, col);
    return bytes;
}

bool
sql_col_is_null(struct sql_stmt *stmt, int col)
{
    return sqlite3_column_type(stmt->stmt, col) == SQLITE_NULL;
}
