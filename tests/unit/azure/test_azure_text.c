/* What a store says, taken apart; and what it may not make us believe. */
#include "storage/azure/azure_text.h"
#include "tests/support/check.h"

#define NONCE "0123456789abcdef0123456789abcdef"

static struct err err;
static struct azure_page *page;

static int
make(void **state)
{
    (void)state;
    page = azure_page_new();
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    page = azure_page_free(page);
    return 0;
}

static enum err_code
read_page(const char *xml)
{
    err = ERR_NONE;
    azure_page_begin(page);
    enum err_code code = azure_page_add(page, xml, strlen(xml), &err);
    return code == ERR_OK ? azure_page_end(page, &err) : code;
}

#define HEAD                                                                                       \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"c\"><Blobs>"
#define TAIL "</Blobs><NextMarker>next</NextMarker></EnumerationResults>"

static void
a_listed_blob_has_its_properties(void **state)
{
    (void)state;
    CHECK_OK(read_page(HEAD "<Blob><Name>a &amp; b</Name><Properties>"
                            "<Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified>"
                            "<Etag>0x8D1</Etag><Content-Length>5</Content-Length>"
                            "<Content-Type>text/plain</Content-Type>"
                            "<Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5>"
                            "<BlobType>BlockBlob</BlobType><AccessTier>Archive</AccessTier>"
                            "</Properties><Metadata><mtime>2026-01-01T00:00:00.5Z</mtime>"
                            "<sallyport_crc64>00000000000000ff</sallyport_crc64>"
                            "<sallyport_job>" NONCE "</sallyport_job><Mine>x</Mine></Metadata>"
                            "</Blob><Blob><Name Encoded=\"true\">%EF%BF%BE%2F</Name></Blob>" TAIL),
             &err);
    CHECK_U64(azure_page_count(page), 2);
    CHECK_TEXT(azure_page_marker(page), "next");
    const struct azure_blob *blob = azure_page_blob(page, 0);
    CHECK_TEXT(blob->name, "a & b");
    CHECK_U64(blob->props.size_bytes, 5);
    CHECK_U64(blob->props.original_bytes, 5);
    CHECK_TEXT(blob->props.etag, "\"0x8D1\"");
    CHECK_TEXT(blob->props.content_type, "text/plain");
    CHECK(blob->props.has_md5);
    CHECK(blob->props.is_archived);
    CHECK_U64(blob->props.type, BLOB_TYPE_BLOCK);
    CHECK(blob->props.has_crc64);
    CHECK_U64(blob->props.crc64, 0xff);
    CHECK_TEXT(blob->props.job, NONCE);
    CHECK_I64(blob->props.mtime_ns, INT64_C(1767225600500000000));
    CHECK_I64(blob->props.modified_ns, INT64_C(1767323045000000000));
    CHECK_U64(blob->props.extra_metadata_len, 7);
    CHECK_BYTES(blob->props.extra_metadata, "Mine\0x", 7);
    CHECK_TEXT(azure_page_blob(page, 1)->name, "\xef\xbf\xbe/");
}

/* The bytes of one page are not those of the next. */
static void
a_page_is_read_anew(void **state)
{
    (void)state;
    CHECK_OK(read_page(HEAD "<Blob><Name>a</Name></Blob>" TAIL), &err);
    CHECK_OK(read_page("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>"), &err);
    CHECK_U64(azure_page_count(page), 0);
    CHECK_TEXT(azure_page_marker(page), "");
}

/* Whatever comes instead of a listing is an error, not an empty container. */
static void
what_is_no_listing_is_an_error(void **state)
{
    static const char *const rows[] = {
        "",
        "<html><body>502 Bad Gateway</body></html>",
        "not XML at all",
        HEAD "<Blob><Name>a</Name></Blob>", /* cut off */
        HEAD TAIL "more",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>" HEAD TAIL,
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_ERR(read_page(rows[i]), &err, ERR_FORMAT);
    }
}

/* A field that is nonsense is as if it were not there. */
static void
nonsense_in_a_field_is_ignored(void **state)
{
    static const char *const rows[][2] = {
        {"Content-Length", "-5"},
        {"Content-Length", "5 "},
        {"Content-Length", "99999999999999999999"},
        {"Content-Length", "9223372036854775808"},
        {"Content-MD5", "AAAA"},
        {"ETag", "with blank"},
        {"Last-Modified", "yesterday"},
        {"x-ms-blob-type", "Other"},
        {"x-ms-meta-sallyport_crc64", "ff"},
        {"x-ms-meta-sallyport_crc64", "gggggggggggggggg"},
        {"x-ms-meta-mtime", "now"},
        {"Unknown", "x"},
    };
    struct arena arena;
    struct blob_props props = {.mtime_ns = BLOB_TIME_NONE};
    (void)state;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        azure_props_take(&props, &arena, true, rows[i][0], strlen(rows[i][0]), rows[i][1],
                         strlen(rows[i][1]));
    }
    azure_props_finish(&props);
    CHECK_U64(props.size_bytes, 0);
    CHECK(!props.has_md5);
    CHECK_TEXT(props.etag, "");
    CHECK(!props.has_crc64);
    CHECK(props.mtime_ns == BLOB_TIME_NONE);
    CHECK_U64(props.type, BLOB_TYPE_NONE);
    CHECK_U64(props.extra_metadata_len, 0);
    arena_done(&arena);
}

/* Only what we compressed ourselves is longer than it looks. */
static void
another_original_size_needs_our_encoding(void **state)
{
    struct blob_props props = {.size_bytes = 5, .original_bytes = 9, .content_encoding = "gzip"};
    (void)state;
    azure_props_finish(&props);
    CHECK_U64(props.original_bytes, 5);
    props = (struct blob_props){.size_bytes = 5, .original_bytes = 9, .content_encoding = "zstd"};
    azure_props_finish(&props);
    CHECK_U64(props.original_bytes, 9);
}

/* The answer decides what the copy does: wait, leave the item, or stop and ask a person. */
static void
answers_mean_what_the_store_documents(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum blob_verb verb;
        enum err_code err;
    } rows[] = {
        {503, "ServerBusy", BLOB_PUT, ERR_THROTTLED},
        {503, "", BLOB_PUT, ERR_STORE_BUSY},
        {500, "InternalError", BLOB_READ, ERR_STORE_BUSY},
        {429, "", BLOB_READ, ERR_THROTTLED},
        {403, "AuthenticationFailed", BLOB_READ, ERR_STORE_AUTH},
        {401, "", BLOB_READ, ERR_STORE_AUTH},
        {404, "BlobNotFound", BLOB_READ, ERR_ITEM_GONE},
        {404, "BlobNotFound", BLOB_STAT, ERR_ITEM_GONE},
        {404, "ContainerNotFound", BLOB_READ, ERR_STORE_GONE},
        {404, "", BLOB_PUT, ERR_STORE_GONE},
        {412, "ConditionNotMet", BLOB_READ, ERR_ITEM_CHANGED},
        {412, "ConditionNotMet", BLOB_PUT, ERR_OTHER_WRITER},
        {409, "BlobArchived", BLOB_READ, ERR_BLOB_ARCHIVED},
        {400, "Md5Mismatch", BLOB_WRITE, ERR_DIGEST},
        {400, "OutOfRangeInput", BLOB_PUT, ERR_ITEM_REFUSED},
        {404, "BlobNotFound", BLOB_WRITE, ERR_OTHER_WRITER},
        {404, "ContainerNotFound", BLOB_WRITE, ERR_STORE_GONE},
        {302, "", BLOB_READ, ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_U64(azure_classify(rows[i].verb, rows[i].status, rows[i].code), rows[i].err);
    }
}

/* The store's words reach a person, cut to one line of a sane length. */
static void
an_error_body_gives_code_and_first_line(void **state)
{
    static const char body[] = "<?xml version=\"1.0\"?><Error><Code>ServerBusy</Code>"
                               "<Message>The server is busy.\nRequestId:1</Message></Error>";
    char code[AZURE_CODE_BYTES];
    char words[AZURE_WORDS_BYTES];
    (void)state;
    azure_parse_error(body, sizeof body - 1, code, words);
    CHECK_TEXT(code, "ServerBusy");
    CHECK_TEXT(words, "The server is busy.");
    azure_parse_error("<html>", 6, code, words);
    CHECK_TEXT(code, "");
    azure_parse_error(NULL, 0, code, words);
    CHECK_TEXT(words, "");
}

/* A block's id tells whose it is: only blocks of this job and stage are built upon. */
static void
a_block_id_is_recognised_by_its_own_stage_only(void **state)
{
    static const uint32_t indexes[] = {0, 1, 49999, UINT32_MAX};
    char id[AZURE_BLOCK_ID_BYTES];
    uint32_t index = 7;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(indexes); i++) {
        azure_block_id(NONCE, 5, indexes[i], id);
        CHECK_U64(strlen(id), AZURE_BLOCK_ID_BYTES - 1);
        CHECK(azure_block_index(id, NONCE, 5, &index));
        CHECK_U64(index, indexes[i]);
        CHECK(!azure_block_index(id, NONCE, 6, &index));
        CHECK(!azure_block_index(id, "fedcba9876543210fedcba9876543210", 5, &index));
    }
    CHECK(!azure_block_index("", NONCE, 5, &index));
    CHECK(!azure_block_index("AAAA", NONCE, 5, &index));
}

static unsigned block_count;

static void
on_block(void *user, const char *id, uint64_t size_bytes)
{
    uint32_t index = 0;
    (void)user;
    CHECK(azure_block_index(id, NONCE, 5, &index));
    CHECK_U64(index, block_count);
    CHECK_U64(size_bytes, 100 + block_count);
    block_count++;
}

static void
blocks_of_both_kinds_are_told(void **state)
{
    AUTO_TEXT xml = TEXT_INIT;
    char id[AZURE_BLOCK_ID_BYTES];
    (void)state;
    block_count = 0;
    text_add_str(&xml, "<?xml version=\"1.0\"?><BlockList><CommittedBlocks>");
    for (uint32_t i = 0; i < 300; i++) {
        azure_block_id(NONCE, 5, i, id);
        text_addf(&xml, "%s<Block><Name>%s</Name><Size>%u</Size></Block>",
                  i == 150 ? "</CommittedBlocks><UncommittedBlocks>" : "", id, 100 + i);
    }
    text_add_str(&xml, "</UncommittedBlocks></BlockList>");
    CHECK_OK(azure_parse_blocks(xml.bytes, xml.len, on_block, NULL, &err), &err);
    CHECK_U64(block_count, 300);
    CHECK_ERR(azure_parse_blocks("<BlockList>", 11, on_block, NULL, &err), &err, ERR_FORMAT);
}

static uint64_t ranges[6];
static size_t range_count;

static void
on_range(void *user, uint64_t first, uint64_t last)
{
    (void)user;
    CHECK(range_count < COUNT_OF(ranges) / 2);
    ranges[2 * range_count] = first;
    ranges[2 * range_count + 1] = last;
    range_count++;
}

static void
pages_in_use_are_told_in_order(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?><PageList><PageRange><Start>0</Start><End>511</End></PageRange>"
        "<ClearRange><Start>512</Start><End>1023</End></ClearRange>"
        "<PageRange><Start>8796093021696</Start><End>8796093022207</End></PageRange></PageList>";
    (void)state;
    range_count = 0;
    CHECK_OK(azure_parse_ranges(xml, sizeof xml - 1, on_range, NULL, &err), &err);
    CHECK_U64(range_count, 2);
    CHECK_U64(ranges[1], 511);
    CHECK_U64(ranges[2], UINT64_C(8796093021696));
    CHECK_U64(ranges[3], UINT64_C(8796093022207));
    /* Half an answer must not read as "there is nothing". */
    CHECK_ERR(azure_parse_ranges("<PageList>", 10, on_range, NULL, &err), &err, ERR_FORMAT);
    CHECK_ERR(azure_parse_ranges("<Pages></Pages>", 15, on_range, NULL, &err), &err, ERR_FORMAT);
    CHECK_U64(range_count, 2);
}

/* What an unfinished blob says of itself is how the next run knows its own work. */
static void
an_unfinished_blob_tells_whose_it_is(void **state)
{
    struct arena arena;
    struct blob_props props = {0};
    char stage[AZURE_STAGE_BYTES];
    (void)state;
    arena_init(&arena, 4096);
    azure_stage_text(UINT64_C(0x8000000100000002), UINT64_MAX, stage);
    azure_props_take_metadata(&props, &arena, "sallyport_stage", 15, stage, strlen(stage));
    azure_props_take_metadata(&props, &arena, "sallyport_state", 15, "part", 4);
    CHECK(!props.is_partial);
    azure_props_take_metadata(&props, &arena, "Sallyport_State", 15, "partial", 7);
    CHECK(props.is_partial);
    CHECK_U64(props.stage_id, UINT64_C(0x8000000100000002));
    CHECK_U64(props.stage_session, UINT64_MAX);
    CHECK_U64(props.extra_metadata_len, 0);
    azure_props_take_metadata(&props, &arena, "sallyport_stage", 15, "00", 2);
    CHECK_U64(props.stage_session, UINT64_MAX);
    arena_done(&arena);
}

/* Another item's or job's pages must not fit; and stores reckon in floating point. */
static void
sequence_numbers_are_of_one_item_and_exact(void **state)
{
    (void)state;
    uint64_t number = azure_sequence(NONCE, 5);
    CHECK_U64(number, azure_sequence(NONCE, 5));
    CHECK(number != azure_sequence(NONCE, 6));
    CHECK(number != azure_sequence("fedcba9876543210fedcba9876543210", 5));
    for (uint64_t stage = 0; stage < 1000; stage++) {
        number = azure_sequence(NONCE, stage);
        CHECK(number > 0 && number < UINT64_C(1) << 53);
        CHECK_U64((uint64_t)(double)number, number);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listed_blob_has_its_properties),
        TEST(a_page_is_read_anew),
        TEST(what_is_no_listing_is_an_error),
        TEST(nonsense_in_a_field_is_ignored),
        TEST(another_original_size_needs_our_encoding),
        TEST(answers_mean_what_the_store_documents),
        TEST(an_error_body_gives_code_and_first_line),
        TEST(a_block_id_is_recognised_by_its_own_stage_only),
        TEST(blocks_of_both_kinds_are_told),
        TEST(pages_in_use_are_told_in_order),
        TEST(an_unfinished_blob_tells_whose_it_is),
        TEST(sequence_numbers_are_of_one_item_and_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
