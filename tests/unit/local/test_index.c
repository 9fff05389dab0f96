#include "storage/local/index.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct index db;
static struct err err;
static const struct stat file_st = {
    .st_ino = 7, .st_size = 5, .st_mtim = {.tv_sec = 1000, .tv_nsec = 1}};

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    return index_open(&db, folder_join(&folder, "blobs.db"), &err) == ERR_OK ? 0 : -1;
}

static int
unmake(void **state)
{
    (void)state;
    index_close(&db);
    folder_done(&folder);
    return 0;
}

static struct blob_props
full_props(void)
{
    struct blob_props props = {.size_bytes = 5,
                               .original_bytes = 9,
                               .mtime_ns = -1,
                               .crc64 = UINT64_MAX,
                               .has_crc64 = true,
                               .has_md5 = true,
                               .type = BLOB_TYPE_PAGE,
                               .tier = BLOB_TIER_COLD,
                               .job = "0123456789abcdef0123456789abcdef",
                               .content_type = "text/plain",
                               .content_encoding = "zstd",
                               .extra_metadata = "key\0value\0empty\0\0",
                               .extra_metadata_len = 17};
    memcpy(props.md5, "0123456789abcdef", MD5_BYTES);
    return props;
}

static bool
find(const char *key, struct index_row *row)
{
    bool is_found = false;
    CHECK_OK(index_find(&db, key, NULL, row, &is_found, &err), &err);
    return is_found;
}

static void
properties_come_back_as_they_were_put(void **state)
{
    const struct blob_props props = full_props();
    struct index_row row = {0};
    (void)state;
    CHECK_OK(index_put(&db, "a/c/n", "", &props, &file_st, &err), &err);
    CHECK(find("a/c/n", &row));
    CHECK_U64(row.props.size_bytes, 5);
    CHECK_U64(row.props.original_bytes, 9);
    CHECK_I64(row.props.mtime_ns, -1);
    CHECK_U64(row.props.crc64, UINT64_MAX);
    CHECK(row.props.has_crc64);
    CHECK_BYTES(row.props.md5, props.md5, MD5_BYTES);
    CHECK_U64(row.props.type, BLOB_TYPE_PAGE);
    CHECK_U64(row.props.tier, BLOB_TIER_COLD);
    CHECK_TEXT(row.props.job, props.job);
    CHECK_TEXT(row.props.content_type, "text/plain");
    CHECK_TEXT(row.props.content_encoding, "zstd");
    CHECK_U64(row.props.extra_metadata_len, 17);
    CHECK_BYTES(row.props.extra_metadata, props.extra_metadata, 17);
    index_row_done(&row);
}

/* Absent is not empty and not zero. */
static void
what_is_unknown_stays_unknown(void **state)
{
    const struct blob_props props = {.mtime_ns = BLOB_TIME_NONE};
    struct index_row row = {0};
    (void)state;
    CHECK_OK(index_put(&db, "a/c/n", "", &props, &file_st, &err), &err);
    CHECK(find("a/c/n", &row));
    CHECK(row.props.mtime_ns == BLOB_TIME_NONE);
    CHECK(!row.props.has_crc64);
    CHECK(!row.props.has_md5);
    CHECK(row.props.content_type == NULL);
    CHECK_U64(row.props.extra_metadata_len, 0);
    CHECK_U64(row.props.type, BLOB_TYPE_BLOCK);
    /* The same struct is used for the next row; nothing of the one before may show through. */
    const struct blob_props full = full_props();
    CHECK_OK(index_put(&db, "a/c/full", "", &full, &file_st, &err), &err);
    CHECK(find("a/c/full", &row));
    CHECK(find("a/c/n", &row));
    CHECK(row.props.content_type == NULL);
    CHECK_U64(row.props.extra_metadata_len, 0);
    index_row_done(&row);
}

static bool
find_for(const char *key, const struct stat *st, struct index_row *row)
{
    char etag[BLOB_ETAG_BYTES];
    bool is_found = false;
    local_etag(st, etag);
    CHECK_OK(index_find(&db, key, etag, row, &is_found, &err), &err);
    CHECK(!is_found || strcmp(row->props.etag, etag) == 0);
    return is_found;
}

/* A row is replaced as a whole, found by the very bytes of its key, and gone when removed. */
static void
a_file_has_one_row(void **state)
{
    const struct blob_props props = full_props();
    struct index_row row = {0};
    char etag[BLOB_ETAG_BYTES];
    (void)state;
    local_etag(&file_st, etag);
    CHECK_OK(index_put(&db, "a/c/\xff", "one", &props, &file_st, &err), &err);
    CHECK_OK(index_put(&db, "a/c/\xff", "two", &props, &file_st, &err), &err);
    CHECK(find("a/c/\xff", &row));
    CHECK_TEXT(text_str(&row.file), "two");
    CHECK(!find("a/c/\xfe", &row));
    CHECK(!find("A/c/\xff", &row));
    CHECK_OK(index_remove(&db, "a/c/\xff", etag, &err), &err);
    CHECK(!find("a/c/\xff", &row));
    CHECK_OK(index_remove(&db, "a/c/\xff", etag, &err), &err);
    index_row_done(&row);
}

/* Another tool that changes the file makes the row's CRC a lie: inode, size and time tell. */
static void
a_row_is_found_only_for_the_file_it_was_written_for(void **state)
{
    const struct blob_props props = full_props();
    struct index_row row = {0};
    (void)state;
    CHECK_OK(index_put(&db, "a/c/n", "", &props, &file_st, &err), &err);
    struct stat st = file_st;
    CHECK(find_for("a/c/n", &st, &row));
    st.st_ino++;
    CHECK(!find_for("a/c/n", &st, &row));
    st = file_st;
    st.st_size++;
    CHECK(!find_for("a/c/n", &st, &row));
    st = file_st;
    st.st_mtim.tv_nsec++;
    CHECK(!find_for("a/c/n", &st, &row));
    index_row_done(&row);
}

/* Killed between row and name: the old file still has its properties, and the new one has its
 * already. */
static void
a_row_that_is_written_early_takes_nothing_from_the_file_that_is_there(void **state)
{
    struct blob_props props = full_props();
    struct index_row row = {0};
    struct stat new_st = file_st;
    char etag[BLOB_ETAG_BYTES];
    (void)state;
    new_st.st_ino = 8;
    CHECK_OK(index_put(&db, "a/c/n", "", &props, &file_st, &err), &err);
    props.crc64 = 1;
    CHECK_OK(index_put(&db, "a/c/n", "", &props, &new_st, &err), &err);
    CHECK(find_for("a/c/n", &file_st, &row));
    CHECK_U64(row.props.crc64, UINT64_MAX);
    CHECK(find_for("a/c/n", &new_st, &row));
    CHECK_U64(row.props.crc64, 1);
    local_etag(&new_st, etag);
    CHECK_OK(index_keep(&db, "a/c/n", etag, &err), &err);
    CHECK(!find_for("a/c/n", &file_st, &row));
    CHECK(find_for("a/c/n", &new_st, &row));
    CHECK_OK(index_keep(&db, "a/c/n", "", &err), &err);
    CHECK(!find("a/c/n", &row));
    index_row_done(&row);
}

/* A store that an older program wrote keeps all it knows. */
static void
an_index_of_version_1_is_converted(void **state)
{
    static const char old[] =
        "CREATE TABLE blob(key BLOB PRIMARY KEY, file BLOB NOT NULL, ino INTEGER NOT NULL,"
        " stored_bytes INTEGER NOT NULL, stored_ns INTEGER NOT NULL, original INTEGER NOT NULL,"
        " mtime INTEGER, crc64 INTEGER, md5 BLOB, type INTEGER NOT NULL, tier INTEGER NOT NULL,"
        " job TEXT, content_type TEXT, content_encoding TEXT, metadata BLOB) WITHOUT ROWID;"
        "INSERT INTO blob VALUES(CAST('a/c/n' AS BLOB), x'', 7, 5, 1000000000001, 9, -1, 77, NULL,"
        " 1, 2, 'job', 'text/plain', NULL, NULL);"
        "INSERT INTO blob VALUES(CAST('a/c/old' AS BLOB), x'', -1, 5, -1, 9, -1, 78, NULL,"
        " 1, 2, NULL, NULL, NULL, NULL);"
        "PRAGMA user_version=1;";
    const struct stat odd_st = {
        .st_ino = UINT64_MAX, .st_size = 5, .st_mtim = {.tv_sec = -1, .tv_nsec = 999999999}};
    struct index_row row = {0};
    struct sql sql;
    (void)state;
    index_close(&db);
    sql_remove(folder_join(&folder, "blobs.db"));
    CHECK_OK(sql_open(&sql, folder_join(&folder, "blobs.db"), SQL_SYNC_FULL, 65536, &err), &err);
    CHECK_OK(sql_exec(&sql, old, &err), &err);
    sql_close(&sql);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(index_open(&db, folder_join(&folder, "blobs.db"), &err), &err);
        CHECK(find_for("a/c/n", &file_st, &row));
        CHECK_U64(row.props.crc64, 77);
        CHECK_TEXT(row.props.job, "job");
        CHECK_TEXT(row.props.content_type, "text/plain");
        CHECK(find_for("a/c/old", &odd_st, &row));
        CHECK_U64(row.props.crc64, 78);
        index_close(&db);
    }
    CHECK_OK(index_open(&db, folder_join(&folder, "blobs.db"), &err), &err);
    index_row_done(&row);
}

/* A group that was not committed is not there after the process died. */
static void
a_group_is_there_wholly_or_not_at_all(void **state)
{
    const struct blob_props props = full_props();
    struct index_row row = {0};
    (void)state;
    CHECK_OK(index_begin(&db, &err), &err);
    CHECK_OK(index_put(&db, "a/c/committed", "", &props, &file_st, &err), &err);
    CHECK_OK(index_commit(&db, &err), &err);
    CHECK_OK(index_begin(&db, &err), &err);
    CHECK_OK(index_put(&db, "a/c/lost", "", &props, &file_st, &err), &err);
    index_close(&db);
    CHECK_OK(index_open(&db, folder_join(&folder, "blobs.db"), &err), &err);
    CHECK(find("a/c/committed", &row));
    CHECK(!find("a/c/lost", &row));
    index_row_done(&row);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(properties_come_back_as_they_were_put),
        TEST(what_is_unknown_stays_unknown),
        TEST(a_file_has_one_row),
        TEST(a_row_is_found_only_for_the_file_it_was_written_for),
        TEST(a_row_that_is_written_early_takes_nothing_from_the_file_that_is_there),
        TEST(an_index_of_version_1_is_converted),
        TEST(a_group_is_there_wholly_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
