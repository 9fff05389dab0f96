/* A file of ours beside the items of a copy: stored whole, in one piece or in many. */
#include "base/arena.h"
#include "base/config.h"
#include "base/crc64.h"
#include "ingest/copy/put_file.h"
#include "ingest/copy/reader.h"
#include "tests/support/folder.h"

#define NONCE "0123456789abcdef0123456789abcdef"

static struct folder folder;
static struct config config;
static struct end *end;
static struct errand errand;
static struct err err;
static uint64_t stage_id;

static int
make(void **state)
{
    AUTO_TEXT address = TEXT_INIT;
    struct end_options options = {
        .role = END_TARGET, .is_account = true, .config = &config, .clock = &clock_system};
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    (void)state;
    folder_init(&folder);
    config_init(&config);
    stage_id = 1;
    text_addf(&address, "file:%s/store//acct", folder.path);
    CHECK_OK(end_open(text_str(&address), &options, &end, &err), &err);
    CHECK_OK(end_prepare(end, false, &free_bytes, &is_fresh, &err), &err);
    CHECK_OK(errand_open(&errand, end, &config, &clock_system, NULL, &err), &err);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    errand_close(&errand);
    end = end_close(end);
    config_done(&config);
    folder_done(&folder);
    return 0;
}

static enum err_code
put(const char *path, const char *name)
{
    const struct put_file file = {.path = path,
                                  .name = name,
                                  .content_type = "application/xml",
                                  .nonce = NONCE,
                                  .stage_id = stage_id};
    stage_id++;
    return put_file(&errand, &file, &err);
}

/* Put len bytes down and compare what is there with them. */
static void
put_and_compare(size_t len)
{
    struct reader reader;
    struct blob_props props;
    uint64_t crc = 0;
    uint8_t *bytes = mem_take(len + 1);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    CHECK_OK(put(folder_write(&folder, "log", bytes, len), "logs/it.xml"), &err);
    CHECK_OK(reader_open(&reader, end, &config, &clock_system, NULL, &err), &err);
    CHECK_OK(reader_stat(&reader, "logs/it.xml", &props, &err), &err);
    CHECK_U64(props.size_bytes, len);
    CHECK_TEXT(props.job, NONCE);
    assert_true(props.has_crc64);
    CHECK_U64(props.crc64, crc64(CRC64_EMPTY, bytes, len));
    CHECK_OK(reader_crc64(&reader, "logs/it.xml", &props, &crc, &err), &err);
    CHECK_U64(crc, props.crc64);
    reader_close(&reader);
    mem_give(bytes);
}

static void
a_file_of_any_size_is_stored_and_replaced(void **state)
{
    (void)state;
    put_and_compare(0);
    put_and_compare(1);
    put_and_compare(PUT_FILE_PIECE);
    put_and_compare(PUT_FILE_PIECE + 1);
    put_and_compare(3 * (size_t)PUT_FILE_PIECE);
    put_and_compare(7);
}

/* A log in the state folder is not the customer's device: what cannot be read there is told as
 * what it is. */
static void
what_cannot_be_read_is_not_stored(void **state)
{
    struct reader reader;
    struct blob_props props;
    AUTO_TEXT missing = TEXT_INIT;
    (void)state;
    text_addf(&missing, "%s/none", folder.path);
    CHECK_ERR(put(text_str(&missing), "logs/none"), &err, ERR_STATE_INVALID);
    CHECK_OK(reader_open(&reader, end, &config, &clock_system, NULL, &err), &err);
    CHECK_ERR(reader_stat(&reader, "logs/none", &props, &err), &err, ERR_ITEM_GONE);
    reader_close(&reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_any_size_is_stored_and_replaced),
        TEST(what_cannot_be_read_is_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
