/* bench/server/head.h: request heads, queries, ranges. */
#include "bench/server/head.h"
#include "tests/support/check.h"

static char bytes[HEAD_BYTES_MAX + 64];

static long
parse(const char *text, struct head *head)
{
    size_t len = strlen(text);
    (void)memcpy(bytes, text, len + 1);
    return head_parse(bytes, len, head);
}

/* Everything a verb looks at comes out of these few fields. */
static void
a_head_is_taken_apart(void **state)
{
    static const char text[] = "PUT /a/b%20c?comp=block&blockid=QQ%3D%3D HTTP/1.1\r\n"
                               "Host: x\r\nContent-LENGTH: 12\r\nExpect: 100-continue\r\n"
                               "x-ms-meta-A: \t v w \t\r\n\r\nbody";
    struct head head;
    AUTO_TEXT value = TEXT_INIT;
    (void)state;
    CHECK_I64(parse(text, &head), sizeof text - 5);
    CHECK_TEXT(head.method, "PUT");
    CHECK_TEXT(head.path, "/a/b%20c");
    CHECK_U64(head.body_bytes, 12);
    CHECK(head.has_length && head.expects_continue && !head.wants_close && !head.is_chunked);
    CHECK_TEXT(head_find(&head, "X-MS-META-a"), "v w");
    CHECK(head_find(&head, "x-ms-meta") == NULL);
    CHECK(query_find(head.query, "blockid", &value));
    CHECK_TEXT(text_str(&value), "QQ==");
    CHECK(!query_find(head.query, "block", &value));
}

/* Bytes come in pieces: an unfinished head must not be mistaken for a bad one, nor be changed. */
static void
an_unfinished_head_waits_for_more(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nA: b\r\n\r\n";
    struct head head;
    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        (void)memcpy(bytes, text, len);
        CHECK_I64(head_parse(bytes, len, &head), HEAD_MORE);
        CHECK_BYTES(bytes, text, len);
    }
    CHECK_I64(parse(text, &head), sizeof text - 1);
}

/* A client that sends rubbish is turned away instead of being guessed at. */
static void
what_is_not_http_is_refused(void **state)
{
    static const char *const bad[] = {
        "\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2\r\n\r\n",
        "GET http://x/ HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    };
    struct head head;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (parse(bad[i], &head) != HEAD_BAD) {
            print_error("accepted: %s\n", bad[i]);
            fail();
        }
    }
    (void)memcpy(bytes, "GET / HTTP/1.1\r\nA: \0\r\n\r\n", 25);
    CHECK_I64(head_parse(bytes, 25, &head), HEAD_BAD);
    (void)memset(bytes, 'x', HEAD_BYTES_MAX);
    CHECK_I64(head_parse(bytes, HEAD_BYTES_MAX, &head), HEAD_BAD);
}

/* A field too many would otherwise be written behind the array. */
static void
more_fields_than_there_is_room_for_are_refused(void **state)
{
    struct head head;
    AUTO_TEXT text = TEXT_INIT;
    (void)state;
    text_add_str(&text, "GET / HTTP/1.1\r\n");
    for (unsigned i = 0; i < HEAD_FIELDS_MAX; i++) {
        text_addf(&text, "f%u: v\r\n", i);
    }
    size_t len = text.len;
    text_add_str(&text, "\r\n");
    CHECK_I64(parse(text_str(&text), &head), text.len);
    text.len = len;
    text_add_str(&text, "g: v\r\n\r\n");
    CHECK_I64(parse(text_str(&text), &head), HEAD_BAD);
}

/* Names are any bytes, but never a NUL in the middle. */
static void
escapes_are_undone_once(void **state)
{
    char good[] = "a%2Fb%25%e9+";
    char cut[] = "a%2";
    char wrong[] = "%zz";
    char nul[] = "a%00b";
    (void)state;
    CHECK(percent_decode(good));
    CHECK_TEXT(good, "a/b%\xe9+");
    CHECK(!percent_decode(cut));
    CHECK(!percent_decode(wrong));
    CHECK(!percent_decode(nul));
}

/* One byte too many or too few in a range is silent corruption of a download. */
static void
ranges_end_where_the_blob_ends(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
        bool is_good;
        uint64_t first;
        uint64_t len;
    } rows[] = {
        {"bytes=0-0", 10, true, 0, 1},  {"bytes=3-5", 10, true, 3, 3},
        {"bytes=3-", 10, true, 3, 7},   {"bytes=9-18446744073709551615", 10, false, 0, 0},
        {"bytes=9-99", 10, true, 9, 1}, {"bytes=10-", 10, false, 0, 0},
        {"bytes=0-", 0, false, 0, 0},   {"bytes=5-4", 10, false, 0, 0},
        {"bytes=-4", 10, false, 0, 0},  {"bytes=1-2,4-5", 10, false, 0, 0},
        {"items=1-2", 10, false, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t first = 0;
        uint64_t len = 0;
        print_message("%s of %u\n", rows[i].text, (unsigned)rows[i].size);
        CHECK_U64(range_parse(rows[i].text, rows[i].size, &first, &len), rows[i].is_good);
        CHECK_U64(first, rows[i].first);
        CHECK_U64(len, rows[i].len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(an_unfinished_head_waits_for_more),
        cmocka_unit_test(what_is_not_http_is_refused),
        cmocka_unit_test(more_fields_than_there_is_room_for_are_refused),
        cmocka_unit_test(escapes_are_undone_once),
        cmocka_unit_test(ranges_end_where_the_blob_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
