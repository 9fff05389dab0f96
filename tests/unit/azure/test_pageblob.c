/*
 * What ops on page blobs ask of a store, request by request, against answers that the test gives.
 * A request is noted as one line, without what changes with the time or the checksum's kind.
 */
#include "base/crc64.h"
#include "storage/azure/azure_lane.h"
#include "tests/support/folder.h"
#include "tests/support/scripted_transport.h"

#define NONCE   "0123456789abcdef0123456789abcdef"
#define OTHERS  "ffffffffffffffffffffffffffffffff"
#define STAGE   UINT64_C(7)
#define KIB(n)  ((size_t)(n) << 10)
#define MIB     ((size_t)1 << 20)
#define BUF_MAX (9 * MIB)

static struct scripted_transport fake;
static struct folder folder;
static struct config config;
static struct err err;
static struct end *end;
static struct backend *backend;
static struct blob_op op;
static struct blob_props props;
static uint8_t *buf;
static unsigned done_count;
static char headers[8][512];

static int
make(void **state)
{
    const struct end_options options = {
        .role = END_TARGET, .config = &config, .clock = &clock_system};
    (void)state;
    (void)unsetenv("AZURE_STORAGE_CONNECTION_STRING");
    (void)unsetenv("AZURE_STORAGE_KEY");
    (void)unsetenv("AZURE_STORAGE_SAS_TOKEN");
    (void)unsetenv("AZURE_STORAGE_TOKEN_FILE");
    folder_init(&folder);
    config_init(&config);
    scripted_transport_init(&fake, "/cont/");
    CHECK_OK(end_open("http://127.0.0.1:1/acct/cont", &options, &end, &err), &err);
    CONTAINER_OF(end, struct azure_end, end)->session = 0xabc;
    const struct lane_io io = {.http = &fake.transport, .clock = &clock_system};
    CHECK_OK(end_backend(end, &io, &backend, &err), &err);
    buf = mem_take(BUF_MAX);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    buf = mem_give(buf);
    backend = backend_free(backend);
    end = end_close(end);
    scripted_transport_done(&fake);
    config_done(&config);
    folder_done(&folder);
    return 0;
}

/* ---- ops ---- */

static void
on_done(struct blob_op *ended)
{
    (void)ended;
    done_count++;
}

static void
answer(int status, const char *lines)
{
    fake.answers[fake.answer_count++] = (struct http_answer){.status = status, .headers = lines};
}

/* What a look at an unfinished page blob says. */
static void
answer_partial(const char *job, uint64_t stage_id, uint64_t session, uint64_t size)
{
    char *lines = headers[fake.answer_count];
    (void)snprintf(lines, sizeof headers[0],
                   "ETag: \"seen\"\nx-ms-blob-type: PageBlob\nContent-Length: %llu\n"
                   "x-ms-meta-sallyport_state: partial\nx-ms-meta-sallyport_job: %s\n"
                   "x-ms-meta-sallyport_stage: %016llx%016llx\nx-ms-blob-sequence-number: %llu",
                   (unsigned long long)size, job, (unsigned long long)stage_id,
                   (unsigned long long)session, (unsigned long long)azure_sequence(NONCE, STAGE));
    answer(200, lines);
}

static void
submit(void)
{
    done_count = 0;
    CHECK_OK(backend_submit(backend, &op, &err), &err);
    CHECK_U64(done_count, 0);
    for (unsigned i = 0; i < 2 * SCRIPTED_ASKS_MAX && done_count == 0; i++) {
        (void)backend_poll(backend);
        (void)transport_poll(&fake.transport);
    }
    CHECK_U64(done_count, 1);
}

static void
run(enum blob_verb verb, uint64_t offset, size_t len)
{
    props.size_bytes = MAX_OF(props.size_bytes, len);
    props.original_bytes = props.size_bytes;
    op.verb = verb;
    op.type = BLOB_TYPE_PAGE;
    op.name = "a";
    op.nonce = NONCE;
    op.stage_id = STAGE;
    op.offset_bytes = offset;
    op.buf = buf;
    op.len_bytes = (uint32_t)len;
    op.crc64 = crc64(CRC64_EMPTY, buf, len);
    op.props = &props;
    op.done = on_done;
    op.err = ERR_NONE;
    op.moved_bytes = 0;
    op.checked = BLOB_CHECKED_NO;
    submit();
}

/* What comes now is asked and answered by itself. */
static void
again(void)
{
    fake.asked = 0;
    fake.answer_count = 0;
}

static void
begin(enum blob_cond cond)
{
    op = (struct blob_op){.item_id = 3, .cond = cond};
    props = (struct blob_props){.mtime_ns = 0, .type = BLOB_TYPE_PAGE};
    memset(buf, 0, BUF_MAX);
    again();
}

static void
check_line(unsigned index, const char *want)
{
    CHECK_TEXT(text_str(&fake.lines[index]), want);
}

#define PARTIAL                                                                                    \
    " x-ms-meta-sallyport_state:partial x-ms-meta-sallyport_job:" NONCE                            \
    " x-ms-meta-sallyport_stage:00000000000000070000000000000abc"

/* ---- the rules ---- */

static void
the_order_of_requests_is_one_that_ends(void **state)
{
    AUTO_TEXT why = TEXT_INIT;
    (void)state;
    if (!fsm_check(&pageblob_fsm, &why)) {
        print_error("%s\n", text_str(&why));
    }
    CHECK(fsm_check(&pageblob_fsm, &why));
}

/* Nobody must take a half-written blob for a whole one, so what makes it one comes last. */
static void
a_small_one_is_made_filled_and_told_finished(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    buf[KIB(150)] = 1;
    answer(201, "ETag: \"1\"");
    answer(201, "ETag: \"2\"");
    answer(201, "ETag: \"3\"");
    answer(200, "ETag: \"4\"");
    run(BLOB_PUT, 0, KIB(200));
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 4);
    check_line(0, "PUT a x-ms-blob-type:PageBlob x-ms-blob-content-length:204800"
                  " If-None-Match:*" PARTIAL " +0");
    check_line(1, "PUT a?comp=page x-ms-page-write:update x-ms-range:bytes=0-4095 If-Match:\"1\""
                  " +4096");
    check_line(2, "PUT a?comp=page x-ms-page-write:update x-ms-range:bytes=151552-155647"
                  " If-Match:\"2\" +4096");
    check_line(
        3, "PUT a?comp=metadata If-Match:\"3\" x-ms-meta-mtime:1970-01-01T00:00:00.000000000Z +0");
    CHECK_TEXT(op.etag, "\"4\"");
    CHECK_U64(op.moved_bytes, KIB(200));
    CHECK_U64(op.checked, BLOB_CHECKED_NO); /* no answer had a checksum */
}

/* A connection that breaks before the answer makes the transport send it twice, and the second time
 * the ETag is another one, which is our own doing. */
static void
a_request_that_arrived_twice_is_not_taken_for_another_writers(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer(201, "ETag: \"1\"");
    answer(412, "x-ms-error-code: ConditionNotMet");
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    answer(201, "ETag: \"3\"");
    answer(201, "ETag: \"4\"");
    run(BLOB_PUT, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 6);
    CHECK_HAS(text_str(&fake.lines[3]), "x-ms-blob-type:PageBlob");
    CHECK_HAS(text_str(&fake.lines[3]), "If-Match:\"seen\"");
    CHECK_HAS(text_str(&fake.lines[4]), "x-ms-range:bytes=0-4095 If-Match:\"3\"");
    CHECK_HAS(text_str(&fake.lines[5]), "PUT a?comp=metadata If-Match:\"4\"");

    begin(BLOB_COND_ABSENT);
    props.size_bytes = MIB;
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    answer(412, "x-ms-error-code: ConditionNotMet");
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    run(BLOB_COMMIT, 0, 0);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 5);
}

/* There is nothing that could be half done. */
static void
one_of_zeros_is_finished_when_it_is_made(void **state)
{
    (void)state;
    begin(BLOB_COND_ETAG);
    (void)snprintf(op.cond_etag, sizeof op.cond_etag, "\"old\"");
    run(BLOB_PUT, 0, 4 * MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 1);
    check_line(0, "PUT a x-ms-blob-type:PageBlob x-ms-blob-content-length:4194304"
                  " If-Match:\"old\" x-ms-meta-mtime:1970-01-01T00:00:00.000000000Z +0");
    CHECK_TEXT(op.etag, "\"last\"");
}

/* Whoever comes first makes it; a request has 4 MiB at the most. */
static void
the_first_block_of_a_lane_looks_and_the_next_ones_do_not(void **state)
{
    AUTO_TEXT want = TEXT_INIT;
    unsigned long long number = azure_sequence(NONCE, STAGE);
    (void)state;
    begin(BLOB_COND_ABSENT);
    memset(buf, 1, BUF_MAX);
    props.size_bytes = 20 * MIB;
    answer(404, "x-ms-error-code: BlobNotFound");
    run(BLOB_WRITE, 0, BUF_MAX);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 5);
    check_line(0, "HEAD a +0");
    text_addf(&want,
              "PUT a x-ms-blob-type:PageBlob x-ms-blob-content-length:20971520 If-None-Match:*"
              " x-ms-blob-sequence-number:%llu" PARTIAL " +0",
              number);
    check_line(1, text_str(&want));
    text_clear(&want);
    text_addf(&want,
              "PUT a?comp=page x-ms-page-write:update x-ms-range:bytes=4194304-8388607"
              " x-ms-if-sequence-number-eq:%llu +4194304",
              number);
    check_line(3, text_str(&want));
    again();
    memset(buf, 0, BUF_MAX);
    buf[MIB] = 1;
    run(BLOB_WRITE, BUF_MAX, 2 * MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 1);
    CHECK_HAS(text_str(&fake.lines[0]), "x-ms-range:bytes=10485760-10489855");
    memset(buf, 0, BUF_MAX);
    run(BLOB_WRITE, BUF_MAX + 2 * MIB, 2 * MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 1); /* nothing to send at all */
}

/* The source may have changed back since an earlier run wrote there. */
static void
zeros_are_written_where_an_earlier_run_has_been(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    props.size_bytes = 20 * MIB;
    buf[MIB] = 1;
    answer_partial(NONCE, STAGE, 0xdef, 20 * MIB);
    run(BLOB_WRITE, 0, 2 * MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 4);
    CHECK_HAS(text_str(&fake.lines[1]), "x-ms-page-write:clear x-ms-range:bytes=0-1048575");
    CHECK_HAS(text_str(&fake.lines[2]), "x-ms-page-write:update x-ms-range:bytes=1048576-1052671");
    CHECK_HAS(text_str(&fake.lines[3]), "x-ms-page-write:clear x-ms-range:bytes=1052672-2097151");
}

/* A commit that was begun has taken the number away: it is given again before pages go. */
static void
an_unfinished_one_of_ours_gets_its_number_back(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    char *number = strstr(headers[0], "sequence-number: ") + 17;
    number[0] = '1';
    number[1] = '\0';
    run(BLOB_WRITE, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 3);
    CHECK_HAS(text_str(&fake.lines[1]), "PUT a?comp=properties x-ms-sequence-number-action:update");
    CHECK_HAS(text_str(&fake.lines[1]), "If-Match:\"seen\"");
    CHECK_HAS(text_str(&fake.lines[2]), "x-ms-page-write:update");
}

/* Two lanes see nothing and both make it: the second one finds it made. */
static void
who_comes_second_finds_it_made(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer(404, "x-ms-error-code: BlobNotFound");
    answer(409, "x-ms-error-code: BlobAlreadyExists");
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    run(BLOB_WRITE, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 4);
    CHECK_HAS(text_str(&fake.lines[3]), "x-ms-page-write:update");
}

/* What is there from someone else is replaced under the op's condition or not at all. */
static void
what_is_not_ours_is_replaced_on_the_condition_only(void **state)
{
    static const char theirs[] = "ETag: \"theirs\"\nx-ms-blob-type: PageBlob\nContent-Length: 512";
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer(200, theirs);
    run(BLOB_WRITE, 0, MIB);
    CHECK_U64(op.err.code, ERR_OTHER_WRITER);
    CHECK_U64(fake.asked, 1);

    begin(BLOB_COND_ETAG);
    answer(200, theirs);
    run(BLOB_WRITE, 0, MIB);
    CHECK_U64(op.err.code, ERR_OTHER_WRITER);

    begin(BLOB_COND_ETAG);
    (void)snprintf(op.cond_etag, sizeof op.cond_etag, "\"theirs\"");
    buf[0] = 1;
    answer(200, theirs);
    run(BLOB_WRITE, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_HAS(text_str(&fake.lines[1]), "PUT a x-ms-blob-type:PageBlob");
    CHECK_HAS(text_str(&fake.lines[1]), "If-Match:\"theirs\"");
}

/* Unfinished, but another job's: it may be at work on it this moment. */
static void
what_another_job_left_is_not_ours(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    answer_partial(OTHERS, STAGE, 0xabc, MIB);
    run(BLOB_WRITE, 0, MIB);
    CHECK_U64(op.err.code, ERR_OTHER_WRITER);
    /* Of an earlier version of the item, by this job: made anew. */
    begin(BLOB_COND_ABSENT);
    answer_partial(NONCE, STAGE + 1, 0xabc, MIB);
    run(BLOB_WRITE, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_HAS(text_str(&fake.lines[1]), "If-Match:\"seen\"");
}

static void
pages_are_refused_by_what_another_writer_put_there(void **state)
{
    static const struct {
        int status;
        const char *lines;
    } rows[] = {
        {412, "x-ms-error-code: SequenceNumberConditionNotMet"},
        {409, "x-ms-error-code: InvalidBlobType"},
        {416, "x-ms-error-code: InvalidPageRange"},
        {404, "x-ms-error-code: BlobNotFound"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin(BLOB_COND_ABSENT);
        buf[0] = 1;
        answer_partial(NONCE, STAGE, 0xabc, MIB);
        answer(rows[i].status, rows[i].lines);
        run(BLOB_WRITE, 0, MIB);
        CHECK_U64(op.err.code, ERR_OTHER_WRITER);
        run(BLOB_DISCARD, 0, 0); /* so that the next one looks again */
    }
}

static void
a_commit_makes_sure_that_it_is_ours_and_ends_with_the_metadata(void **state)
{
    (void)state;
    begin(BLOB_COND_ETAG);
    (void)snprintf(op.cond_etag, sizeof op.cond_etag, "\"long ago\"");
    props.size_bytes = MIB;
    props.has_md5 = true;
    answer_partial(NONCE, STAGE, 0xdef, MIB);
    answer(200, "ETag: \"5\"");
    answer(200, "ETag: \"6\"");
    answer(200, "ETag: \"7\"");
    run(BLOB_COMMIT, 0, 0);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 4);
    check_line(1, "PUT a?comp=properties x-ms-blob-content-md5:AAAAAAAAAAAAAAAAAAAAAA=="
                  " If-Match:\"seen\" +0");
    check_line(2, "PUT a?comp=properties x-ms-sequence-number-action:update"
                  " x-ms-blob-sequence-number:0 If-Match:\"5\" +0");
    check_line(
        3, "PUT a?comp=metadata If-Match:\"6\" x-ms-meta-mtime:1970-01-01T00:00:00.000000000Z +0");
    CHECK_TEXT(op.etag, "\"7\"");

    begin(BLOB_COND_ABSENT);
    props.size_bytes = MIB;
    answer(200, "ETag: \"x\"\nx-ms-blob-type: PageBlob\nContent-Length: 1048576");
    run(BLOB_COMMIT, 0, 0);
    CHECK_U64(op.err.code, ERR_OTHER_WRITER);
    CHECK_U64(fake.asked, 1);

    begin(BLOB_COND_ABSENT);
    props.size_bytes = MIB;
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    answer(412, "x-ms-error-code: ConditionNotMet");
    answer(404, "x-ms-error-code: BlobNotFound");
    run(BLOB_COMMIT, 0, 0);
    CHECK_U64(op.err.code, ERR_OTHER_WRITER);
}

/* A block of zeros has no pages, so pages do not tell which blocks are there. */
static void
blocks_are_there_if_the_unfinished_blob_is(void **state)
{
    uint8_t bits[2] = {0xff, 0xff};
    (void)state;
    begin(BLOB_COND_ANY);
    props.size_bytes = 11 * MIB;
    op.block_bits = bits;
    op.block_count = 11;
    answer_partial(NONCE, STAGE, 0xdef, 11 * MIB);
    run(BLOB_BLOCKS, 0, 0);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(bits[0], 0xff);
    CHECK_U64(bits[1], 0x07);
    again();
    answer_partial(NONCE, STAGE, 0xdef, 12 * MIB);
    run(BLOB_BLOCKS, 0, 0);
    CHECK_U64(bits[0] | bits[1], 0);
    bits[0] = 0xff;
    again();
    answer(404, "x-ms-error-code: BlobNotFound");
    run(BLOB_BLOCKS, 0, 0);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(bits[0], 0);
}

/* An item that failed leaves nothing under its name that looks like it. */
static void
what_is_given_up_is_taken_away(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer(404, "x-ms-error-code: BlobNotFound");
    run(BLOB_WRITE, 0, MIB);
    again();
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    run(BLOB_DISCARD, 0, 0);
    CHECK_U64(fake.asked, 2);
    check_line(1, "DELETE a If-Match:\"seen\" +0");
    /* It is told once to each lane, and most have never written any of it. */
    fake.asked = 0;
    run(BLOB_DISCARD, 0, 0);
    CHECK_U64(fake.asked, 0);
}

static void
what_arrived_otherwise_than_it_was_sent_is_taken_away(void **state)
{
    (void)state;
    begin(BLOB_COND_ANY);
    buf[0] = 1;
    answer(201, "ETag: \"1\"");
    answer(201, "ETag: \"2\"\nx-ms-content-crc64: AAAAAAAAAAA=");
    answer(202, "");
    run(BLOB_PUT, 0, MIB);
    CHECK_U64(op.err.code, ERR_DIGEST);
    CHECK_U64(fake.asked, 3);
    check_line(2, "DELETE a If-Match:\"2\" +0");
}

/* Between the read and the last page the buffer is nobody else's. */
static void
bytes_that_change_in_memory_are_noticed(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    run(BLOB_WRITE, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    op.crc64++;
    op.err = ERR_NONE;
    submit();
    CHECK_U64(op.err.code, ERR_DIGEST);
}

static void
a_store_without_our_checksum_gets_md5(void **state)
{
    (void)state;
    begin(BLOB_COND_ABSENT);
    buf[0] = 1;
    answer_partial(NONCE, STAGE, 0xabc, MIB);
    answer(400, "x-ms-error-code: UnsupportedHeader");
    run(BLOB_WRITE, 0, MIB);
    CHECK_OK(op.err.code, &op.err);
    CHECK_U64(fake.asked, 3);
    CHECK_HAS(text_str(&fake.lines[2]), "Content-MD5:");
    CHECK_U64(op.checked, BLOB_CHECKED_MD5);
}

/* A disk of terabytes may hold nothing: its zeros do not cross the network. */
static void
blocks_without_pages_are_not_read(void **state)
{
    static const char none[] = "<?xml version=\"1.0\"?><PageList></PageList>";
    static const char some[] = "<?xml version=\"1.0\"?><PageList><PageRange><Start>0</Start>"
                               "<End>511</End></PageRange></PageList>";
    (void)state;
    begin(BLOB_COND_ANY);
    props.size_bytes = 8 * MIB;
    fake.answers[0] = (struct http_answer){.status = 200, .body = none};
    fake.answers[1] = (struct http_answer){.status = 200, .body = some};
    fake.answers[2] = (struct http_answer){.status = 206, .body = "abcdefgh"};
    fake.answers[3] = (struct http_answer){.status = 206, .body = "abcdefgh"};
    fake.answer_count = 4;
    run(BLOB_READ, MIB, 8);
    CHECK_OK(op.err.code, &op.err);
    CHECK(op.is_zero);
    CHECK_U64(fake.asked, 1);
    check_line(0, "GET a?comp=pagelist&maxresults=1 x-ms-range:bytes=1048576-1048583 +0");
    op.is_zero = false;
    run(BLOB_READ, 2 * MIB, 8);
    CHECK_OK(op.err.code, &op.err);
    CHECK(!op.is_zero);
    CHECK_U64(fake.asked, 3);
    CHECK_BYTES(buf, "abcdefgh", 8);
    /* The one before had something, so this one is not asked about. */
    run(BLOB_READ, 3 * MIB, 8);
    CHECK_U64(fake.asked, 4);
    CHECK_HAS(text_str(&fake.lines[3]), "GET a x-ms-range");
    /* A store that knows no page lists is read as it is. */
    again();
    fake.answers[0] = (struct http_answer){.status = 501};
    fake.answers[1] = (struct http_answer){.status = 206, .body = "ABCDEFGH"};
    fake.answer_count = 2;
    op.item_id = 4;
    run(BLOB_READ, MIB, 8);
    CHECK_OK(op.err.code, &op.err);
    CHECK_BYTES(buf, "ABCDEFGH", 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_order_of_requests_is_one_that_ends),
        TEST(a_small_one_is_made_filled_and_told_finished),
        TEST(a_request_that_arrived_twice_is_not_taken_for_another_writers),
        TEST(one_of_zeros_is_finished_when_it_is_made),
        TEST(the_first_block_of_a_lane_looks_and_the_next_ones_do_not),
        TEST(zeros_are_written_where_an_earlier_run_has_been),
        TEST(an_unfinished_one_of_ours_gets_its_number_back),
        TEST(who_comes_second_finds_it_made),
        TEST(what_is_not_ours_is_replaced_on_the_condition_only),
        TEST(what_another_job_left_is_not_ours),
        TEST(pages_are_refused_by_what_another_writer_put_there),
        TEST(a_commit_makes_sure_that_it_is_ours_and_ends_with_the_metadata),
        TEST(blocks_are_there_if_the_unfinished_blob_is),
        TEST(what_is_given_up_is_taken_away),
        TEST(what_arrived_otherwise_than_it_was_sent_is_taken_away),
        TEST(bytes_that_change_in_memory_are_noticed),
        TEST(a_store_without_our_checksum_gets_md5),
        TEST(blocks_without_pages_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
