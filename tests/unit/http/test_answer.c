/*
 * Answers as a stranger sends them: whole, cut anywhere, and made to be read in two ways.
 */
#include "storage/http/answer.h"
#include "tests/support/check.h"

#define ROOM 64

/* What became of an answer. */
struct seen {
    struct http_request request;
    struct text fields;
    struct text body;
    struct answer answer;
    struct err err;
    size_t taken;
    char room[ROOM];
};

static void
on_header(struct http_request *request, const char *name, size_t name_len, const char *value,
          size_t value_len)
{
    struct seen *seen = CONTAINER_OF(request, struct seen, request);
    text_addf(&seen->fields, "%.*s=%.*s;", (int)name_len, name, (int)value_len, value);
}

static bool
on_body(struct http_request *request, const void *bytes, size_t len)
{
    struct seen *seen = CONTAINER_OF(request, struct seen, request);
    CHECK(request->status != 0);
    text_add(&seen->body, bytes, len);
    return seen->body.len <= ROOM;
}

static void
begin(struct seen *seen, enum http_method method, bool is_direct)
{
    seen->request = (struct http_request){.method = method,
                                          .on_header = on_header,
                                          .on_body = on_body,
                                          .body_buf = is_direct ? seen->room : NULL,
                                          .body_room = is_direct ? ROOM : 0};
    seen->err = ERR_NONE;
    seen->taken = 0;
    text_clear(&seen->fields);
    text_clear(&seen->body);
    answer_begin(&seen->answer, &seen->request);
}

/* A piece, as a connection hands it over: what has a place of its own goes there. */
static void
take(struct seen *seen, const char *bytes, size_t len)
{
    while (len > 0 && seen->err.code == ERR_OK && !answer_is_whole(&seen->answer)) {
        size_t room = 0;
        size_t taken = 0;
        void *place = answer_room(&seen->answer, &room);
        if (place != NULL) {
            taken = MIN_OF(room, len);
            memcpy(place, bytes, taken);
            answer_received(&seen->answer, taken);
        } else {
            enum err_code code = answer_take(&seen->answer, bytes, len, &taken, &seen->err);
            CHECK_U64(code, seen->err.code);
            taken = code == ERR_OK ? taken : len;
        }
        seen->taken += taken;
        bytes += taken;
        len -= taken;
    }
}

static const char *
body_of(struct seen *seen)
{
    if (http_request_is_direct(&seen->request)) {
        text_clear(&seen->body);
        text_add(&seen->body, seen->room, (size_t)seen->request.received_bytes);
    }
    return text_str(&seen->body);
}

static void
done(struct seen *seen)
{
    text_done(&seen->fields);
    text_done(&seen->body);
    answer_done(&seen->answer);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"

// clang-format off
static const struct row {
    const char *bytes;
    enum http_method method;
    enum err_code code;     /* ERR_BUSY: the answer goes on */
    int status;
    const char *fields;
    const char *body;
    bool may_persist;
    const char *rest;       /* behind the answer */
} rows[] = {
    {OK_LINE "Content-Length: 5\r\n\r\nhello", HTTP_GET, ERR_OK, 200, "Content-Length=5;", "hello", true, ""},
    {OK_LINE "content-LENGTH:5\r\n\r\nhelloHTTP", HTTP_GET, ERR_OK, 200, "content-LENGTH=5;", "hello", true, "HTTP"},
    {"HTTP/1.1 404\r\nx:\t a \tb \t\r\nContent-Length: 2\r\n\r\nno", HTTP_GET, ERR_OK, 404, "x=a \tb;Content-Length=2;", "no", true, ""},
    {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", HTTP_PUT, ERR_OK, 201, "Content-Length=0;", "", true, ""},
    {OK_LINE "Content-Length: 5\r\n\r\n", HTTP_HEAD, ERR_OK, 200, "Content-Length=5;", "", true, ""},
    {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_GET, ERR_OK, 204, "", "", true, ""},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", HTTP_GET, ERR_OK, 304, "Content-Length=7;", "", true, ""},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" OK_LINE "Content-Length: 1\r\n\r\nx", HTTP_PUT, ERR_OK, 200, "Content-Length=1;", "x", true, ""},
    {OK_LINE "Content-Length: 1\r\nConnection: a, Close\r\n\r\nx", HTTP_GET, ERR_OK, 200, "Content-Length=1;Connection=a, Close;", "x", false, ""},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", HTTP_GET, ERR_OK, 200, "Content-Length=1;", "x", false, ""},
    {OK_LINE "Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n003;a=\"b\"\r\nllo\r\n0\r\nTrailer: t\r\n\r\n", HTTP_GET, ERR_OK, 200, "Transfer-Encoding=Chunked;", "hello", true, ""},
    {OK_LINE "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\nH", HTTP_GET, ERR_OK, 200, "Transfer-Encoding=chunked;", "0123456789", true, "H"},
    {OK_LINE "\r\nto the end", HTTP_GET, ERR_BUSY, 200, "", "to the end", false, ""},
    {OK_LINE "Content-Length: 5\r\n\r\nhel", HTTP_GET, ERR_BUSY, 200, "Content-Length=5;", "hel", true, ""},
    {OK_LINE "x: \xff\xfe\r\nContent-Length: 0\r\n\r\n", HTTP_GET, ERR_OK, 200, "x=\xff\xfe;Content-Length=0;", "", true, ""},
    /* Where it ends could be read in two ways. */
    {OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length: 5, 5\r\n\r\nhello", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length: +5\r\n\r\nhello", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length: -1\r\n\r\nhello", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length:\r\n\r\nhello", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length: 99999999999999999999\r\n\r\nhello", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "a: b\r\n c\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "a : b\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE ": b\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "no colon\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "a: b\x01" "c\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "a: b\rc\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {OK_LINE "a: b\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    /* Not HTTP/1.1. */
    {"SSH-2.0-OpenSSH_9.2", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/2 200\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.2 200 OK\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.1 99 OK\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.1 600 OK\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.1 2000 OK\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.1 200 O\x02K\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"HTTP/1.1 101 Switching\r\n\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    {"\r\n" OK_LINE "\r\n", HTTP_GET, ERR_FORMAT, 0, NULL, "", false, NULL},
    /* Damaged chunks may come whole when they are asked for again. */
    {OK_LINE "Transfer-Encoding: chunked\r\n\r\nzz\r\n", HTTP_GET, ERR_NETWORK, 200, NULL, "", true, NULL},
    {OK_LINE "Transfer-Encoding: chunked\r\n\r\n\r\n", HTTP_GET, ERR_NETWORK, 200, NULL, "", true, NULL},
    {OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\n", HTTP_GET, ERR_NETWORK, 200, NULL, "", true, NULL},
    {OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", HTTP_GET, ERR_NETWORK, 200, NULL, "a", true, NULL},
    {OK_LINE "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", HTTP_GET, ERR_NETWORK, 200, NULL, "", true, NULL},
};
// clang-format on

static void
check_row(const struct row *row, struct seen *seen, size_t cut)
{
    enum err_code code = seen->err.code != ERR_OK         ? seen->err.code
                         : answer_is_whole(&seen->answer) ? ERR_OK
                                                          : ERR_BUSY;
    const char *body = body_of(seen);
    bool is_right =
        code == row->code && seen->request.status == row->status && strcmp(body, row->body) == 0;
    if (!is_right) {
        print_error("row %td cut at %zu: %s %d '%s' (%s)\n", row - rows, cut, err_name(code),
                    seen->request.status, body, seen->err.text);
    }
    CHECK(is_right);
    CHECK(row->fields == NULL || strcmp(text_str(&seen->fields), row->fields) == 0);
    CHECK(row->rest == NULL || seen->answer.may_persist == row->may_persist);
    CHECK(row->rest == NULL || strlen(row->bytes) - seen->taken == strlen(row->rest));
    CHECK_U64(seen->answer.state == ANSWER_BROKEN, row->code != ERR_OK && row->code != ERR_BUSY);
}

/* Packets end anywhere: what an answer means does not depend on it. */
static void
where_an_answer_is_cut_does_not_matter(void **state)
{
    struct seen seen = {0};
    (void)state;
    for (unsigned pass = 0; pass < COUNT_OF(rows) * 2; pass++) {
        const struct row *row = &rows[pass / 2];
        size_t len = strlen(row->bytes);
        for (size_t cut = 0; cut <= len; cut++) {
            begin(&seen, row->method, pass % 2 == 1);
            take(&seen, row->bytes, cut);
            take(&seen, row->bytes + cut, len - cut);
            check_row(row, &seen, cut);
        }
        begin(&seen, row->method, pass % 2 == 1);
        for (size_t at = 0; at < len; at++) {
            take(&seen, row->bytes + at, 1);
        }
        check_row(row, &seen, SIZE_MAX);
    }
    done(&seen);
}

/* A stranger's answer may not end; what is kept of it does. */
static void
lines_end_somewhere(void **state)
{
    static const char *const begins[] = {"HTTP/1.1 200 ", OK_LINE "a: ", OK_LINE "a",
                                         OK_LINE "Transfer-Encoding: chunked\r\n\r\n1;"};
    static char block[1000];
    struct seen seen = {0};
    (void)state;
    memset(block, 'x', sizeof block);
    for (unsigned i = 0; i < COUNT_OF(begins); i++) {
        begin(&seen, HTTP_GET, false);
        take(&seen, begins[i], strlen(begins[i]));
        for (unsigned k = 0; k < 40 && seen.err.code == ERR_OK; k++) {
            take(&seen, block, sizeof block);
        }
        CHECK_ERR(seen.err.code, &seen.err, ERR_FORMAT);
        CHECK(seen.answer.line.len <= ANSWER_LINE_MAX);
    }
    static const char *const lines[] = {"a: b\r\n", "HTTP/1.1 100 Go on\r\n\r\n"};
    for (unsigned i = 0; i < COUNT_OF(lines); i++) {
        begin(&seen, HTTP_GET, false);
        take(&seen, OK_LINE, i == 0 ? strlen(OK_LINE) : 0);
        for (unsigned k = 0; k < ANSWER_HEAD_MAX && seen.err.code == ERR_OK; k++) {
            take(&seen, lines[i], strlen(lines[i]));
        }
        CHECK_ERR(seen.err.code, &seen.err, ERR_FORMAT);
    }
    done(&seen);
}

/* More than was asked for is not written behind the place for it. */
static void
a_body_stays_in_its_room(void **state)
{
    static const char *const heads[] = {OK_LINE "\r\n", OK_LINE "Content-Length: 100000\r\n\r\n",
                                        OK_LINE "Transfer-Encoding: chunked\r\n\r\nffff\r\n"};
    static char block[ROOM + 1];
    struct seen seen = {0};
    (void)state;
    memset(block, 'x', sizeof block);
    for (unsigned i = 0; i < COUNT_OF(heads); i++) {
        begin(&seen, HTTP_GET, true);
        take(&seen, heads[i], strlen(heads[i]));
        take(&seen, block, ROOM);
        CHECK_OK(seen.err.code, &seen.err);
        CHECK_U64(seen.request.received_bytes, ROOM);
        take(&seen, block, 1);
        CHECK_ERR(seen.err.code, &seen.err, ERR_FORMAT);
        CHECK_U64(seen.request.status, 200);
        /* And all of it at once. */
        char all[200];
        size_t taken = 0;
        int len = snprintf(all, sizeof all, "%s%.65s", heads[i], block);
        begin(&seen, HTTP_GET, true);
        CHECK_ERR(answer_take(&seen.answer, all, (size_t)len, &taken, &seen.err), &seen.err,
                  ERR_FORMAT);
        CHECK(seen.request.received_bytes <= ROOM);
    }
    done(&seen);
}

/* The end of the connection ends some answers, and breaks others. */
static void
the_end_of_the_connection_means_something(void **state)
{
    static const struct {
        const char *bytes;
        enum err_code code;
        const char *words;
    } ends[] = {
        {"", ERR_NETWORK, "without an answer"},
        {"HTTP/1.1 2", ERR_NETWORK, "in its header"},
        {OK_LINE "a: b\r\n", ERR_NETWORK, "in its header"},
        {OK_LINE "\r\n", ERR_OK, ""},
        {OK_LINE "Content-Length: 2\r\n\r\na", ERR_NETWORK, "middle"},
        {OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ERR_NETWORK, "middle"},
    };
    struct seen seen = {0};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(ends); i++) {
        begin(&seen, HTTP_GET, false);
        take(&seen, ends[i].bytes, strlen(ends[i].bytes));
        CHECK_ERR(answer_end(&seen.answer, &seen.err), &seen.err, ends[i].code);
        CHECK_HAS(seen.err.text, ends[i].words);
    }
    done(&seen);
}

/* The drawing of the machine is sound: no state without a way in or out. */
static void
the_table_is_sound(void **state)
{
    AUTO_TEXT why = TEXT_INIT;
    (void)state;
    if (!fsm_check(&answer_fsm, &why)) {
        print_error("%s\n", text_str(&why));
    }
    CHECK_U64(why.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_an_answer_is_cut_does_not_matter),
        cmocka_unit_test(lines_end_somewhere),
        cmocka_unit_test(a_body_stays_in_its_room),
        cmocka_unit_test(the_end_of_the_connection_means_something),
        cmocka_unit_test(the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
