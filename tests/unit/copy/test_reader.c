/* Reading back what lies in a folder, and being told what of it is not as it was. */
#include "base/config.h"
#include "base/crc64.h"
#include "ingest/copy/reader.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct config config;
static struct reader reader;
static struct end *end;
static struct err err;
static int64_t mtime_ns;

static int
make(void **state)
{
    struct end_options options = {.role = END_SOURCE, .config = &config, .clock = &clock_system};
    struct stat st;
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    (void)state;
    folder_init(&folder);
    config_init(&config);
    CHECK_I64(stat(folder_write(&folder, "a", "hello", 5), &st), 0);
    mtime_ns = clock_from_timespec(&st.st_mtim);
    CHECK_OK(end_open(folder.path, &options, &end, &err), &err);
    CHECK_OK(end_prepare(end, true, &free_bytes, &is_fresh, &err), &err);
    CHECK_OK(reader_open(&reader, end, &config, &clock_system, NULL, &err), &err);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    reader_close(&reader);
    end = end_close(end);
    config_done(&config);
    folder_done(&folder);
    return 0;
}

static enum err_code
read_it(uint64_t size_bytes, int64_t listed_ns, uint64_t *crc)
{
    const struct blob_props props = {
        .size_bytes = size_bytes, .original_bytes = size_bytes, .mtime_ns = listed_ns};
    return reader_crc64(&reader, "a", &props, crc, &err);
}

static void
what_is_as_it_was_is_read(void **state)
{
    uint64_t crc = 0;
    (void)state;
    CHECK_OK(read_it(5, mtime_ns, &crc), &err);
    CHECK_U64(crc, crc64(CRC64_EMPTY, "hello", 5));
}

/* "5 bytes, and 5 bytes now" would help nobody: what differs is said. */
static void
what_has_changed_is_told_by_what_differs(void **state)
{
    uint64_t crc = 0;
    (void)state;
    CHECK_ERR(read_it(4, mtime_ns, &crc), &err, ERR_ITEM_CHANGED);
    CHECK_TEXT(err.text, "'a' changed: it was listed with 4 bytes and has 5 now");
    CHECK_ERR(read_it(5, 0, &crc), &err, ERR_ITEM_CHANGED);
    CHECK_HAS(err.text, "'a' changed: it was listed as modified at 1970-01-01T00:00:00.000000000Z "
                        "and was modified at 2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_as_it_was_is_read),
        TEST(what_has_changed_is_told_by_what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
