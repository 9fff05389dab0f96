#include "ingest/copy/receipt_check.h"

#include "base/sql.h"
#include "ingest/copy/reader.h"

#include <string.h>
#include <unistd.h>

#define CACHE_BYTES ((size_t)8 << 20)

/* UNSURE: right size, and no checksum at the target that could be compared; it has to be read. */
enum seen { SEEN_NOT, SEEN_SAME, SEEN_UNSURE, SEEN_WRONG };

struct check {
    const struct receipt_check_options *options;
    struct receipt_check_result result;
    struct sql sql;
    struct sql_stmt add;
    struct sql_stmt find;
    struct sql_stmt mark;
    struct reader store;
};

/* A row of the database: name, size, crc64, md5, modification time at the store, what was seen,
 * how long it is at the store. */
#define COLUMNS "name,size,crc64,md5,mtime,seen,stored"

static enum err_code
interrupted(const struct check *c, struct err *err)
{
    const atomic_int *signal = c->options->signal;
    return signal != NULL && atomic_load(signal) != 0
               ? err_set(err, ERR_INTERRUPTED, "interrupted while verifying")
               : ERR_OK;
}

static enum err_code
add_item(void *user, const struct receipt_item *item, struct err *err)
{
    struct check *c = user;
    enum err_code code = interrupted(c, err);
    if (code != ERR_OK) {
        return code;
    }
    c->result.items++;
    c->result.bytes += item->size_bytes;
    sql_bind_blob(&c->add, 1, item->name, strlen(item->name));
    sql_bind_i64(&c->add, 2, (int64_t)item->size_bytes);
    sql_bind_null(&c->add, 3);
    if (item->has_crc64) {
        sql_bind_i64(&c->add, 3, (int64_t)item->crc64);
    }
    sql_bind_null(&c->add, 4);
    if (item->has_md5) {
        sql_bind_blob(&c->add, 4, item->md5, MD5_BYTES);
    }
    return sql_run(&c->add, err);
}

static enum err_code
open_database(struct check *c, struct err *err)
{
    (void)unlink(c->options->db_path);
    enum err_code code = sql_open(&c->sql, c->options->db_path, SQL_SYNC_OFF, CACHE_BYTES, err);
    code = code == ERR_OK ? sql_exec(&c->sql,
                                     "CREATE TABLE want(name BLOB PRIMARY KEY, size, crc64, md5,"
                                     " mtime, seen DEFAULT 0, stored) WITHOUT ROWID; BEGIN;",
                                     err)
                          : code;
    code = code == ERR_OK
               ? sql_prepare(&c->sql, &c->add,
                             "INSERT OR IGNORE INTO want(name,size,crc64,md5) VALUES(?1,?2,?3,?4)",
                             err)
               : code;
    code = code == ERR_OK
               ? sql_prepare(&c->sql, &c->find, "SELECT " COLUMNS " FROM want WHERE name=?1", err)
               : code;
    return code == ERR_OK
               ? sql_prepare(&c->sql, &c->mark,
                             "UPDATE want SET seen=?2, mtime=?3, stored=?4 WHERE name=?1", err)
               : code;
}

static void
close_database(struct check *c)
{
    sql_stmt_done(&c->add);
    sql_stmt_done(&c->find);
    sql_stmt_done(&c->mark);
    sql_close(&c->sql);
    (void)unlink(c->options->db_path);
}

/* The receipt into the database, and the receipt itself. */
static enum err_code
read_receipt(struct check *c, struct err *err)
{
    struct sql_stmt count = {0};
    bool has_row = false;
    enum err_code code = receipt_read(c->options->receipt, c->options->key, add_item, c, err);
    code = code == ERR_OK ? sql_prepare(&c->sql, &count, "SELECT count(*) FROM want", err) : code;
    code = code == ERR_OK ? sql_step(&count, &has_row, err) : code;
    if (code == ERR_OK && has_row && (uint64_t)sql_col_i64(&count, 0) != c->result.items) {
        code = err_set(err, ERR_RECEIPT, "'%s' lists an item twice", c->options->receipt);
    }
    sql_stmt_done(&count);
    return code;
}

static void
tell(struct check *c, const char *path, const struct err *why)
{
    if (why->code == ERR_VERIFY_MISSING) {
        c->result.missing++;
    } else {
        c->result.different++;
    }
    c->options->tell(c->options->user, path, why);
}

/* find has the item's row: does what the store says fit? */
static enum seen
fits(struct check *c, const char *name, const struct blob_props *props)
{
    struct err why = ERR_NONE;
    size_t md5_len = 0;
    uint64_t size = (uint64_t)sql_col_i64(&c->find, 1);
    uint64_t crc = (uint64_t)sql_col_i64(&c->find, 2);
    const void *md5 = sql_col_blob(&c->find, 3, &md5_len);
    bool has_crc64 = props->has_crc64 && !sql_col_is_null(&c->find, 2);
    bool has_md5 = props->has_md5 && props->content_encoding == NULL && md5_len == MD5_BYTES;
    if (props->original_bytes != size) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' has %llu bytes at the target; the receipt says %llu", name,
                      (unsigned long long)props->original_bytes, (unsigned long long)size);
    } else if (has_crc64 && props->crc64 != crc) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' has checksum %016llx at the target; the receipt says %016llx", name,
                      (unsigned long long)props->crc64, (unsigned long long)crc);
    } else if (has_md5 && memcmp(md5, props->md5, MD5_BYTES) != 0) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH, "'%s' has another MD5 at the target", name);
    }
    if (why.code != ERR_OK) {
        tell(c, name, &why);
        return SEEN_WRONG;
    }
    return has_crc64 || has_md5 ? SEEN_SAME : SEEN_UNSURE;
}

static enum err_code
compare(struct check *c, const char *name, const struct blob_props *props, struct err *err)
{
    bool has_row = false;
    sql_bind_blob(&c->find, 1, name, strlen(name));
    enum err_code code = sql_step(&c->find, &has_row, err);
    if (code != ERR_OK || !has_row) {
        sql_reset(&c->find);
        return code;
    }
    enum seen seen = fits(c, name, props);
    sql_reset(&c->find);
    sql_bind_blob(&c->mark, 1, name, strlen(name));
    sql_bind_i64(&c->mark, 2, seen);
    sql_bind_i64(&c->mark, 3, props->mtime_ns);
    sql_bind_i64(&c->mark, 4, (int64_t)props->size_bytes);
    return sql_run(&c->mark, err);
}

static enum err_code
list(struct check *c, struct err *err)
{
    struct lister *lister = NULL;
    bool more = true;
    enum err_code code = end_lister(c->options->target, NULL, NULL, &lister, err);
    while (code == ERR_OK && more) {
        struct entry entry = {0};
        code = lister_next(lister, &entry, &more, err);
        if (code == ERR_OK && more && entry.kind == ENTRY_ITEM && !entry.props.is_partial) {
            code = compare(c, entry.name, &entry.props, err);
        }
        code = code == ERR_OK ? interrupted(c, err) : code;
    }
    lister_close(lister);
    return code;
}

typedef enum err_code(row_fn)(struct check *c, struct sql_stmt *row, const char *name,
                              struct err *err);

/* Every row of which this was seen; fn may not change rows that are still to come. */
static enum err_code
each(struct check *c, enum seen seen, row_fn *fn, struct err *err)
{
    struct sql_stmt stmt = {0};
    bool has_row = false;
    AUTO_TEXT name = TEXT_INIT;
    enum err_code code =
        sql_prepare(&c->sql, &stmt, "SELECT " COLUMNS " FROM want WHERE seen=?1", err);
    if (code == ERR_OK) {
        sql_bind_i64(&stmt, 1, seen);
        code = sql_step(&stmt, &has_row, err);
    }
    while (code == ERR_OK && has_row) {
        size_t len = 0;
        const void *bytes = sql_col_blob(&stmt, 0, &len);
        text_clear(&name);
        text_add(&name, bytes, len);
        code = fn(c, &stmt, text_str(&name), err);
        code = code == ERR_OK ? interrupted(c, err) : code;
        code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    }
    sql_stmt_done(&stmt);
    return code;
}

/* A listing may leave out what is there. */
static enum err_code
ask_for(struct check *c, struct sql_stmt *row, const char *name, struct err *err)
{
    struct blob_props props;
    struct err why = ERR_NONE;
    (void)row;
    enum err_code code = reader_stat(&c->store, name, &props, &why);
    if (code == ERR_OK) {
        return compare(c, name, &props, err);
    }
    if (code != ERR_ITEM_GONE) {
        *err = why;
        return code;
    }
    (void)err_set(&why, ERR_VERIFY_MISSING, "'%s' is in the receipt and not at the target", name);
    tell(c, name, &why);
    return ERR_OK;
}

static enum err_code
read_back(struct check *c, struct sql_stmt *row, const char *name, struct err *err)
{
    struct err why = ERR_NONE;
    uint64_t want = (uint64_t)sql_col_i64(row, 2);
    uint64_t crc = 0;
    struct blob_props props = {.size_bytes = (uint64_t)sql_col_i64(row, 6),
                               .original_bytes = (uint64_t)sql_col_i64(row, 1),
                               .mtime_ns = sql_col_i64(row, 4)};
    enum err_code code = reader_crc64(&c->store, name, &props, &crc, &why);
    if (code != ERR_OK && err_class(code) != ERR_CLASS_ITEM) {
        *err = why;
        return code;
    }
    if (code == ERR_OK && !sql_col_is_null(row, 2) && crc != want) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' reads back as %016llx; the receipt says %016llx", name,
                      (unsigned long long)crc, (unsigned long long)want);
    }
    if (why.code != ERR_OK) {
        tell(c, name, &why);
    } else if (sql_col_is_null(row, 2)) {
        c->result.unverifiable++;
    } else {
        c->result.read_back++;
    }
    return ERR_OK;
}

static enum err_code
compare_with_store(struct check *c, struct err *err)
{
    const struct receipt_check_options *options = c->options;
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    enum err_code code = end_prepare(options->target, false, &free_bytes, &is_fresh, err);
    code = code == ERR_OK ? reader_open(&c->store, options->target, options->config, options->clock,
                                        options->signal, err)
                          : code;
    if (code != ERR_OK) {
        return code;
    }
    code = list(c, err);
    code = code == ERR_OK ? each(c, SEEN_NOT, ask_for, err) : code;
    code = code == ERR_OK ? each(c, SEEN_UNSURE, read_back, err) : code;
    if (code == ERR_OK && options->wants_read_back) {
        code = each(c, SEEN_SAME, read_back, err);
    }
    reader_close(&c->store);
    return code;
}

enum err_code
receipt_check(const struct receipt_check_options *options, struct receipt_check_result *ret_result,
              struct err *err)
{
    struct check c = {.options = options};
    enum err_code code = open_database(&c, err);
    code = code == ERR_OK ? read_receipt(&c, err) : code;
    code = code == ERR_OK ? compare_with_store(&c, err) : code;
    close_database(&c);
    *ret_result = c.result;
    return code;
}
