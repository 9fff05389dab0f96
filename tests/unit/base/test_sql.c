#include "base/sql.h"
#include "tests/support/folder.h"

#define SCHEMA "CREATE TABLE t(a, b BLOB, c TEXT);"

static struct folder folder;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    folder_done(&folder);
    return 0;
}

static const char *
open_schema(struct sql *sql, int version)
{
    const char *path = folder_join(&folder, "x.db");
    struct err err = ERR_NONE;
    CHECK_OK(sql_open(sql, path, SQL_SYNC_FULL, 65536, &err), &err);
    CHECK_OK(sql_schema(sql, version, SCHEMA, &err), &err);
    return path;
}

/* Names are bytes: empty ones, and such with a NUL, come back as they went in; NULL stays NULL. */
static void
values_come_back_as_they_were_bound(void **state)
{
    struct sql sql;
    struct sql_stmt put;
    struct sql_stmt get;
    struct err err = ERR_NONE;
    bool has_row = false;
    size_t len = 0;
    (void)state;
    (void)open_schema(&sql, 1);
    CHECK_OK(sql_prepare(&sql, &put, "INSERT INTO t VALUES(?1,?2,?3)", &err), &err);
    CHECK_OK(sql_prepare(&sql, &get, "SELECT a,b,c FROM t ORDER BY rowid", &err), &err);
    sql_bind_i64(&put, 1, INT64_MIN);
    sql_bind_blob(&put, 2, "a\0b", 3);
    sql_bind_text(&put, 3, "text");
    CHECK_OK(sql_run(&put, &err), &err);
    sql_bind_null(&put, 1);
    sql_bind_blob_static(&put, 2, NULL, 0);
    sql_bind_text(&put, 3, NULL);
    CHECK_OK(sql_run(&put, &err), &err);
    CHECK_OK(sql_step(&get, &has_row, &err), &err);
    CHECK(has_row);
    CHECK_I64(sql_col_i64(&get, 0), INT64_MIN);
    CHECK_BYTES(sql_col_blob(&get, 1, &len), "a\0b", 3);
    CHECK_U64(len, 3);
    CHECK_TEXT(sql_col_text(&get, 2), "text");
    CHECK_OK(sql_step(&get, &has_row, &err), &err);
    CHECK(sql_col_is_null(&get, 0));
    CHECK(!sql_col_is_null(&get, 1));
    (void)sql_col_blob(&get, 1, &len);
    CHECK_U64(len, 0);
    CHECK(sql_col_text(&get, 2) == NULL);
    CHECK_OK(sql_step(&get, &has_row, &err), &err);
    CHECK(!has_row);
    sql_stmt_done(&put);
    sql_stmt_done(&get);
    sql_close(&sql);
}

/* A run's bindings are forgotten: a value left out the next time is NULL, not the one before. */
static void
a_run_leaves_no_binding_behind(void **state)
{
    struct sql sql;
    struct sql_stmt put;
    struct sql_stmt get;
    struct err err = ERR_NONE;
    bool has_row = false;
    (void)state;
    (void)open_schema(&sql, 1);
    CHECK_OK(sql_prepare(&sql, &put, "INSERT INTO t VALUES(?1,?2,?3)", &err), &err);
    sql_bind_i64(&put, 1, 5);
    CHECK_OK(sql_run(&put, &err), &err);
    CHECK_OK(sql_run(&put, &err), &err);
    CHECK_OK(sql_prepare(&sql, &get, "SELECT count(*) FROM t WHERE a IS NULL", &err), &err);
    CHECK_OK(sql_step(&get, &has_row, &err), &err);
    CHECK_I64(sql_col_i64(&get, 0), 1);
    sql_stmt_done(&put);
    sql_stmt_done(&get);
    sql_close(&sql);
}

/* A newer program's state is not ours to touch, nor is a database that is something else's. */
static void
another_version_is_left_alone(void **state)
{
    struct sql sql;
    struct err err = ERR_NONE;
    (void)state;
    const char *path = open_schema(&sql, 2);
    sql_close(&sql);
    CHECK_OK(sql_open(&sql, path, SQL_SYNC_FULL, 65536, &err), &err);
    CHECK_ERR(sql_schema(&sql, 1, SCHEMA, &err), &err, ERR_STATE_INVALID);
    CHECK_HAS(err.text, "version 2");
    CHECK_OK(sql_schema(&sql, 2, SCHEMA, &err), &err);
    CHECK_OK(sql_exec(&sql, "PRAGMA user_version=0", &err), &err);
    CHECK_ERR(sql_schema(&sql, 2, SCHEMA, &err), &err, ERR_STATE_INVALID);
    sql_close(&sql);
}

/* Whatever lies where the state should be, the answer is an error that names the file. */
static void
what_is_no_database_is_said_so(void **state)
{
    static const char words[] = "these are not the bytes of a database, but many of them: "
                                "............................................................";
    struct sql sql;
    struct err err = ERR_NONE;
    (void)state;
    const char *path = folder_write(&folder, "words.db", words, sizeof words);
    CHECK_ERR(sql_open(&sql, path, SQL_SYNC_FULL, 65536, &err), &err, ERR_STATE_INVALID);
    CHECK_HAS(err.text, "words.db");
    CHECK(sql.db == NULL);
    path = folder_make(&folder, "folder.db");
    CHECK_ERR(sql_open(&sql, path, SQL_SYNC_FULL, 65536, &err), &err, ERR_SYSTEM);
    path = folder_join(&folder, "missing.db");
    CHECK_ERR(sql_open_read_only(&sql, path, 65536, &err), &err, ERR_SYSTEM);
    CHECK(!folder_has(&folder, "missing.db"));
}

/* The class of an error decides what the copy does: full halts, read only is the system's word. */
static void
a_full_database_is_told_from_a_damaged_one(void **state)
{
    struct sql sql;
    struct err err = ERR_NONE;
    (void)state;
    const char *path = open_schema(&sql, 1);
    CHECK_OK(sql_exec(&sql, "PRAGMA max_page_count=4", &err), &err);
    CHECK_ERR(sql_exec(&sql, "INSERT INTO t VALUES(1, zeroblob(100000), '')", &err), &err,
              ERR_STATE_FULL);
    CHECK_ERR(sql_exec(&sql, "INSERT INTO absent VALUES(1)", &err), &err, ERR_STATE_INVALID);
    sql_close(&sql);
    CHECK_OK(sql_open_read_only(&sql, path, 65536, &err), &err);
    CHECK_ERR(sql_exec(&sql, "INSERT INTO t VALUES(1,2,3)", &err), &err, ERR_SYSTEM);
    sql_close(&sql);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

/* A statement over millions of rows does not keep a process that was told to end. */
static void
a_watched_statement_ends_with_the_signal(void **state)
{
    static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                                  " SELECT count(*) FROM n";
    atomic_int signal = 0;
    struct sql sql;
    struct err err = ERR_NONE;
    (void)state;
    (void)open_schema(&sql, 1);
    sql_watch(&sql, &signal);
    CHECK_OK(sql_exec(&sql, "INSERT INTO t VALUES(1, 2, 3)", &err), &err);
    atomic_store(&signal, 15);
    CHECK_ERR(sql_exec(&sql, endless, &err), &err, ERR_INTERRUPTED);
    sql_watch(&sql, NULL);
    CHECK_OK(sql_exec(&sql, "INSERT INTO t VALUES(1, 2, 3)", &err), &err);
    sql_close(&sql);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_back_as_they_were_bound),
        TEST(a_run_leaves_no_binding_behind),
        TEST(another_version_is_left_alone),
        TEST(what_is_no_database_is_said_so),
        TEST(a_full_database_is_told_from_a_damaged_one),
        TEST(a_watched_statement_ends_with_the_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
