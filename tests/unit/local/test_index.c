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
    CHECK_OK(index_find(&db, key, row, &is_found, &err), &err);
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

/* A row is replaced as a whole, found by the very bytes of its key, and gone when removed. */
static void
a_key_has_one_row(void **state)
{
    const struct blob_props props = full_props();
    struct index_row row = {0};
    (void)state;
    CHECK_OK(index_put(&db, "a/c/\xff", "one", &props, &file_st, &err), &err);
    CHECK_OK(index_put(&db, "a/c/\xff", "two", &props, &file_st, &err), &err);
    CHECK(find("a/c/\xff", &row));
    CHECK_TEXT(text_str(&row.file), "two");
    CHECK(!find("a/c/\xfe", &row));
    CHECK(!find("A/c/\xff", &row));
    CHECK_OK(index_remove(&db, "a/c/\xff", &err), &err);
    CHECK(!find("a/c/\xff", &row));
    CHECK_OK(index_remove(&db, "a/c/\xff", &err), &err);
    index_row_done(&row);
}

/* Another tool that changes the file makes the row's CRC a lie: inode, size and time tell. */
static void
a_row_fits_only_the_file_it_was_written_for(void **state)
{
    const struct blob_props props = full_props();
    struct index_row row = {0};
    (void)state;
    CHECK_OK(index_put(&db, "a/c/n", "", &props, &file_st, &err), &err);
    CHECK(find("a/c/n", &row));
    struct stat st = file_st;
    CHECK(index_row_fits(&row, &st));
    st.st_ino++;
    CHECK(!index_row_fits(&row, &st));
    st = file_st;
    st.st_size++;
    CHECK(!index_row_fits(&row, &st));
    st = file_st;
    st.st_mtim.tv_nsec++;
    CHECK(!index_row_fits(&row, &st));
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
        TEST(a_key_has_one_row),
        TEST(a_row_fits_only_the_file_it_was_written_for),
        TEST(a_group_is_there_wholly_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
