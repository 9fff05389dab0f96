/*
 * One request against a server that answers as the test says: what the wire may hold, and what a
 * request may not do to its lane whatever it holds.
 */
#include "base/fd.h"
#include "base/text.h"
#include "storage/http/transport.h"
#include "storage/http/wire.h"
#include "tests/support/answering_server.h"
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

/* A name whose server never answers; asking for it is when the interrupt comes. */
#define SLOW_NAME "slow.test"
/* A name with two addresses, and only the second one is listened on. */
#define TWO_NAME  "two.test"
/* The same, but who connects to the first one hears nothing. */
#define DEAF_NAME "deaf.test"
/* A name that nobody has. */
#define NO_NAME   "nobody.test"

static struct answering_server server;
static sem_t name_server;
static atomic_bool was_waited_for;
static atomic_bool has_answered;
static enum err_code (*make_transport)(const struct transport_options *, struct transport **,
                                       struct err *);
static struct transport *transport;
static struct err err;

/* In front of the C library's, for whatever carries the requests. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret_list)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node != NULL && strcmp(node, NO_NAME) == 0) {
        return EAI_NONAME;
    }
    if (node != NULL && (strcmp(node, TWO_NAME) == 0 || strcmp(node, DEAF_NAME) == 0)) {
        const char *first = strcmp(node, TWO_NAME) == 0 ? "127.0.0.2" : "127.0.0.3";
        struct addrinfo *second = NULL;
        int failed = next(first, service, hints, ret_list);
        failed = failed != 0 ? failed : next("127.0.0.1", service, hints, &second);
        struct addrinfo *last = failed == 0 ? *ret_list : NULL;
        while (last != NULL && last->ai_next != NULL) {
            last = last->ai_next;
        }
        if (last != NULL) {
            last->ai_next = second;
        }
        return failed;
    }
    if (node == NULL || strcmp(node, SLOW_NAME) != 0) {
        return next(node, service, hints, ret_list);
    }
    struct timespec until;
    (void)timespec_get(&until, TIME_UTC);
    until.tv_sec += 5;
    atomic_store(&server.interrupt, SIGINT);
    if (sem_timedwait(&name_server, &until) != 0) {
        atomic_store(&was_waited_for, true);
    }
    atomic_store(&has_answered, true);
    return EAI_FAIL;
}

static int
make(void **state)
{
    const struct transport_options options = {.depth = 4,
                                              .connections_max = 4,
                                              .connect_timeout_ns = 2 * NS_PER_S,
                                              .idle_timeout_ns = 300 * NS_PER_MS,
                                              .clock = &clock_system};
    (void)state;
    answering_server_init(&server);
    return make_transport(&options, &transport, &err) == ERR_OK ? 0 : -1;
}

static int
unmake(void **state)
{
    (void)state;
    transport = transport_free(transport);
    answering_server_stop(&server);
    return 0;
}

struct call {
    struct http_request request;
    char url[64];
    struct text body;
    struct text headers;
    size_t room; /* more than so much body is refused */
    bool is_done;
};

static void
on_header(struct http_request *request, const char *name, size_t name_len, const char *value,
          size_t value_len)
{
    struct call *call = (struct call *)(void *)request;
    text_addf(&call->headers, "%.*s=%.*s\n", (int)name_len, name, (int)value_len, value);
}

static bool
on_body(struct http_request *request, const void *bytes, size_t len)
{
    struct call *call = (struct call *)(void *)request;
    CHECK(request->status != 0);
    text_add(&call->body, bytes, len);
    return call->body.len <= call->room;
}

static void
on_done(struct http_request *request)
{
    struct call *call = (struct call *)(void *)request;
    CHECK(!call->is_done);
    call->is_done = true;
}

static void
prepare(struct call *call, const char *path)
{
    *call = (struct call){.room = SIZE_MAX};
    (void)snprintf(call->url, sizeof call->url, "http://127.0.0.1:%u%s", server.port, path);
    call->request = (struct http_request){.method = HTTP_GET,
                                          .url = call->url,
                                          .on_header = on_header,
                                          .on_body = on_body,
                                          .done = on_done};
}

static void
submit(struct call *call, const char *path)
{
    prepare(call, path);
    CHECK_U64(transport_submit(transport, &call->request), ERR_OK);
    CHECK(!call->is_done);
}

/* As a lane does: one poll(2) on the wake fd with the next timer. */
static void
finish(struct call *call)
{
    int64_t deadline_ns = clock_mono_ns(&clock_system) + 10 * NS_PER_S;
    while (!call->is_done) {
        (void)transport_poll(transport);
        int64_t timer_ns = MIN_OF(transport_next_timer_ns(transport), deadline_ns);
        int64_t left_ns = timer_ns - clock_mono_ns(&clock_system);
        struct pollfd wake = {.fd = transport_wake_fd(transport), .events = POLLIN};
        if (!call->is_done) {
            (void)poll(&wake, 1, left_ns <= 0 ? 0 : (int)(left_ns / NS_PER_MS) + 1);
        }
        CHECK(clock_mono_ns(&clock_system) < deadline_ns);
    }
}

static void
end_call(struct call *call)
{
    text_done(&call->body);
    text_done(&call->headers);
}

static void
what_the_wire_holds_decides_the_error(void **state)
{
    static const struct {
        const char *answer;
        bool closes;
        int status;
        enum err_code code;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 200, ERR_OK, "hello"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
         false, 200, ERR_OK, "hello"},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", true, 200, ERR_OK, "to the end"},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false, 503, ERR_OK, ""},
        /* Where else it may be is not followed: another host would get the credentials. */
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false,
         302, ERR_OK, ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, ERR_OK, ""},
        {"", true, 0, ERR_NETWORK, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", true, 200, ERR_NETWORK, "hello"},
        {"HTTP/1.1 200 OK\r\nContent-Le", true, 0, ERR_NETWORK, NULL},
        {"SSH-2.0-OpenSSH_9.2\r\n", true, 0, ERR_FORMAT, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", true, 200, ERR_NETWORK, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false, 200, ERR_TIMEOUT, "hel"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call call;
        if (i > 0) {
            CHECK_I64(unmake(state), 0);
            CHECK_I64(make(state), 0);
        }
        answering_server_start(&server, rows[i].answer, strlen(rows[i].answer), rows[i].closes);
        submit(&call, "/");
        finish(&call);
        if (call.request.err.code != rows[i].code) {
            print_error("row %zu: %s: %s\n", i, err_name(call.request.err.code),
                        call.request.err.text);
        }
        CHECK_U64(call.request.err.code, rows[i].code);
        CHECK(rows[i].code != ERR_OK || call.request.status == rows[i].status);
        CHECK(rows[i].body == NULL || strcmp(text_str(&call.body), rows[i].body) == 0);
        end_call(&call);
    }
}

/* What goes out is what was given and signed: no header of the library's own. */
static void
a_request_is_sent_as_it_was_built(void **state)
{
    static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nx-ms-a:  b \r\n\r\n";
    static const struct http_header headers[] = {{"x-ms-date", "now"}};
    static char body[5000];
    struct call call;
    (void)state;
    answering_server_start(&server, answer, sizeof answer - 1, false);
    memset(body, 'x', sizeof body);
    submit(&call, "/");
    finish(&call);
    end_call(&call);
    unsigned before = atomic_load(&server.accepted);
    for (unsigned i = 0; i < 3; i++) {
        call = (struct call){.room = SIZE_MAX};
        (void)snprintf(call.url, sizeof call.url, "http://127.0.0.1:%u/a/../b%%20c?d=%%2F",
                       server.port);
        call.request = (struct http_request){.method = HTTP_PUT,
                                             .url = call.url,
                                             .headers = headers,
                                             .header_count = 1,
                                             .body = body,
                                             .body_len = sizeof body,
                                             .on_header = on_header,
                                             .on_body = on_body,
                                             .done = on_done};
        CHECK_U64(transport_submit(transport, &call.request), ERR_OK);
        finish(&call);
        CHECK_OK(call.request.err.code, &call.request.err);
        CHECK_U64(call.request.status, 201);
        CHECK_HAS(text_str(&call.headers), "x-ms-a=b\n");
        char seen[ANSWERING_SEEN_BYTES];
        (void)pthread_mutex_lock(&server.lock);
        memcpy(seen, server.seen, sizeof seen);
        (void)pthread_mutex_unlock(&server.lock);
        CHECK(strstr(seen, "PUT /a/../b%20c?d=%2F HTTP/1.1\r\n") == seen);
        CHECK_HAS(seen, "\r\nx-ms-date: now\r\n");
        CHECK_HAS(seen, "\r\nContent-Length: 5000\r\n");
        CHECK(strstr(seen, "Expect") == NULL);
        CHECK(strstr(seen, "Accept:") == NULL);
        CHECK(strstr(seen, "User-Agent: curl") == NULL);
        CHECK(memcmp(strstr(seen, "\r\n\r\n") + 4, body, 1000) == 0);
        end_call(&call);
    }
    /* A connection is kept: three requests made no new one. */
    CHECK_U64(atomic_load(&server.accepted), before);
}

/* A stranger may send for ever; what is kept of it ends somewhere. */
static void
an_endless_answer_is_cut_off(void **state)
{
    enum { BYTES = 4 << 20 };
    struct call call;
    static char answer[BYTES]; /* the server may still be sending when the test is over */
    (void)state;
    size_t len = (size_t)snprintf(answer, BYTES, "HTTP/1.1 200 OK\r\n");
    while (len + 64 < BYTES) {
        len += (size_t)snprintf(answer + len, BYTES - len, "x-header-%zu: something\r\n", len);
    }
    answering_server_start(&server, answer, len, true);
    submit(&call, "/");
    finish(&call);
    CHECK_U64(call.request.err.code, ERR_FORMAT);
    CHECK(call.headers.len < 1 << 20);
    end_call(&call);
    CHECK_I64(unmake(state), 0);
    CHECK_I64(make(state), 0);
    len = (size_t)snprintf(answer, BYTES, "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
    memset(answer + len, 'x', BYTES - len);
    answering_server_start(&server, answer, BYTES, true);
    submit(&call, "/");
    call.room = 1000;
    finish(&call);
    CHECK_U64(call.request.err.code, ERR_FORMAT);
    end_call(&call);
}

/* Nobody there, and somebody who says nothing: both end by themselves. */
static void
a_silent_server_is_given_up(void **state)
{
    struct call call;
    int64_t began_ns = clock_mono_ns(&clock_system);
    (void)state;
    server.is_silent = true;
    answering_server_start(&server, "", 0, false);
    submit(&call, "/");
    finish(&call);
    CHECK_U64(call.request.err.code, ERR_TIMEOUT);
    CHECK_U64(call.request.status, 0);
    CHECK(clock_mono_ns(&clock_system) - began_ns >= 300 * NS_PER_MS);
    end_call(&call);
    CHECK_I64(unmake(state), 0);
    CHECK_I64(make(state), 0);
    server.port = 1;
    submit(&call, "/");
    finish(&call);
    CHECK_U64(call.request.err.code, ERR_NETWORK);
    end_call(&call);
}

/* Depth is flow control: one too many is told, and nothing has happened to it. */
static void
one_more_than_depth_is_busy(void **state)
{
    struct call calls[5];
    (void)state;
    server.is_silent = true;
    answering_server_start(&server, "", 0, false);
    for (unsigned i = 0; i < 4; i++) {
        submit(&calls[i], "/");
    }
    calls[4] = (struct call){.room = SIZE_MAX};
    calls[4].request = (struct http_request){.url = calls[0].url, .done = on_done};
    CHECK_U64(transport_submit(transport, &calls[4].request), ERR_BUSY);
    CHECK(!calls[4].is_done);
    for (unsigned i = 0; i < 4; i++) {
        transport_cancel(transport, &calls[i].request);
        finish(&calls[i]);
        end_call(&calls[i]);
    }
}

/* A connection that was kept may be closed just when it is used again: that is nobody's failure. */
static void
a_connection_that_went_stale_is_replaced(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct call call;
    (void)state;
    server.is_fickle = true;
    answering_server_start(&server, answer, sizeof answer - 1, false);
    for (unsigned i = 0; i < 3; i++) {
        submit(&call, "/");
        finish(&call);
        CHECK_OK(call.request.err.code, &call.request.err);
        CHECK_TEXT(text_str(&call.body), "ok");
        end_call(&call);
        CHECK_U64(atomic_load(&server.accepted), i + 1);
    }
}

/* Why a store does not want a body is said before the body is there. */
static void
an_answer_may_come_before_the_body_went(void **state)
{
    enum { BYTES = 32 << 20 };
    static const char answer[] = "HTTP/1.1 413 Too large\r\nContent-Length: 3\r\n\r\nno!";
    static char body[BYTES];
    struct call call;
    (void)state;
    server.is_hasty = true;
    answering_server_start(&server, answer, sizeof answer - 1, false);
    prepare(&call, "/");
    call.request.method = HTTP_PUT;
    call.request.body = body;
    call.request.body_len = BYTES;
    CHECK_U64(transport_submit(transport, &call.request), ERR_OK);
    finish(&call);
    CHECK_OK(call.request.err.code, &call.request.err);
    CHECK_U64(call.request.status, 413);
    CHECK_TEXT(text_str(&call.body), "no!");
    end_call(&call);
}

static void
submit_direct(struct call *call, void *buf, size_t room)
{
    prepare(call, "/");
    call->request.body_buf = buf;
    call->request.body_room = room;
    CHECK_U64(transport_submit(transport, &call->request), ERR_OK);
    finish(call);
}

/* What was asked for goes where it is wanted; what a refusal says does not. */
static void
a_body_goes_into_its_buffer(void **state)
{
    enum { BYTES = 300000 };
    static const char refusal[] = "HTTP/1.1 404 Not found\r\nContent-Length: 3\r\n\r\nno!";
    static char answer[BYTES + 200];
    static char buf[BYTES + 1];
    struct call call;
    size_t head = (size_t)snprintf(answer, sizeof answer,
                                   "HTTP/1.1 206 Partial\r\nContent-Length: %u\r\n\r\n", BYTES);
    for (size_t i = 0; i < BYTES; i++) {
        answer[head + i] = (char)(i * 7 + i / 251);
    }
    answering_server_start(&server, answer, head + BYTES, false);
    buf[BYTES] = '!';
    submit_direct(&call, buf, BYTES);
    CHECK_OK(call.request.err.code, &call.request.err);
    CHECK_U64(call.request.received_bytes, BYTES);
    CHECK_U64(call.body.len, 0);
    CHECK_BYTES(buf, answer + head, BYTES);
    CHECK_I64(buf[BYTES], '!');
    end_call(&call);
    memset(buf, 0, sizeof buf);
    submit_direct(&call, buf, BYTES - 1);
    CHECK_ERR(call.request.err.code, &call.request.err, ERR_FORMAT);
    CHECK_U64(call.request.status, 206);
    CHECK_I64(buf[BYTES - 1], 0);
    end_call(&call);
    CHECK_I64(unmake(state), 0);
    CHECK_I64(make(state), 0);
    answering_server_start(&server, refusal, sizeof refusal - 1, false);
    memset(buf, 0, sizeof buf);
    submit_direct(&call, buf, BYTES);
    CHECK_U64(call.request.status, 404);
    CHECK_TEXT(text_str(&call.body), "no!");
    CHECK_I64(buf[0], 0);
    end_call(&call);
}

/* A name has several addresses, and a server listens on one of them. */
static void
a_name_is_resolved(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct call call;
    (void)state;
    answering_server_start(&server, answer, sizeof answer - 1, false);
    for (unsigned i = 0; i < 2; i++) {
        prepare(&call, "/");
        (void)snprintf(call.url, sizeof call.url, "http://localhost:%u/", server.port);
        CHECK_U64(transport_submit(transport, &call.request), ERR_OK);
        finish(&call);
        CHECK_OK(call.request.err.code, &call.request.err);
        CHECK_TEXT(text_str(&call.body), "ok");
        end_call(&call);
    }
    CHECK_U64(atomic_load(&server.accepted), 1);
    (void)pthread_mutex_lock(&server.lock);
    CHECK_HAS(server.seen, "\r\nHost: localhost:");
    (void)pthread_mutex_unlock(&server.lock);
    prepare(&call, "/");
    (void)snprintf(call.url, sizeof call.url, "http://" NO_NAME "/");
    CHECK_U64(transport_submit(transport, &call.request), ERR_OK);
    finish(&call);
    CHECK_ERR(call.request.err.code, &call.request.err, ERR_NETWORK);
    end_call(&call);
}

/* Where the first address refuses, the next one is asked. */
static void
another_address_is_tried(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct call call;
    (void)state;
    answering_server_start(&server, answer, sizeof answer - 1, false);
    prepare(&call, "/");
    (void)snprintf(call.url, sizeof call.url, "http://" TWO_NAME ":%u/", server.port);
    CHECK_U64(transport_submit(transport, &call.request), ERR_OK);
    finish(&call);
    CHECK_OK(call.request.err.code, &call.request.err);
    CHECK_TEXT(text_str(&call.body), "ok");
    end_call(&call);
}

/* Listens at 127.0.0.3 and the server's port, and has no room for anybody. */
static int
be_deaf(int *ret_caller)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_I64(inet_pton(AF_INET, "127.0.0.3", &address.sin_addr), 1);
    CHECK_I64(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_I64(listen(fd, 0), 0);
    *ret_caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_I64(connect(*ret_caller, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* An address that swallows what is sent to it costs a quarter of a second, not the whole patience.
 */
static void
a_deaf_address_is_passed_by(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const struct transport_options options = {.depth = 1,
                                              .connections_max = 1,
                                              .connect_timeout_ns = 9 * NS_PER_S,
                                              .idle_timeout_ns = 9 * NS_PER_S,
                                              .clock = &clock_system};
    struct call call;
    int caller = -1;
    (void)state;
    transport = transport_free(transport);
    CHECK_OK(make_transport(&options, &transport, &err), &err);
    answering_server_start(&server, answer, sizeof answer - 1, false);
    AUTO_FD deaf = be_deaf(&caller);
    int64_t began_ns = clock_mono_ns(&clock_system);
    prepare(&call, "/");
    (void)snprintf(call.url, sizeof call.url, "http://" DEAF_NAME ":%u/", server.port);
    CHECK_U64(transport_submit(transport, &call.request), ERR_OK);
    finish(&call);
    CHECK_OK(call.request.err.code, &call.request.err);
    int64_t took_ns = clock_mono_ns(&clock_system) - began_ns;
    CHECK(took_ns >= 250 * NS_PER_MS && took_ns < 5 * NS_PER_S);
    end_call(&call);
    (void)close(caller);
}

/* Whoever is told to end ends, whatever it waits for: an answer or a name server. */
static void
a_request_ends_with_the_signal(void **state)
{
    struct http_request request = {.method = HTTP_GET, .url = "http://" SLOW_NAME "/"};
    char url[64];
    (void)state;
    server.is_silent = true;
    answering_server_start(&server, "", 0, false);
    CHECK_I64(sem_init(&name_server, 0, 0), 0);
    transport_perform(transport, &clock_system, &server.interrupt, &request);
    CHECK(!atomic_load(&was_waited_for));
    CHECK_ERR(request.err.code, &request.err, ERR_INTERRUPTED);
    CHECK_I64(sem_post(&name_server), 0);
    while (!atomic_load(&has_answered)) {
        transport_wait(transport, &clock_system, INT64_MAX);
    }
    atomic_store(&server.interrupt, 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", server.port);
    request = (struct http_request){.method = HTTP_GET, .url = url};
    transport_perform(transport, &clock_system, &server.interrupt, &request);
    CHECK_ERR(request.err.code, &request.err, ERR_INTERRUPTED);
    CHECK_I64(atomic_load(&server.interrupt), SIGTERM);
}

/* No state of a call without a way in or out. */
static void
the_table_is_sound(void **state)
{
    AUTO_TEXT why = TEXT_INIT;
    (void)state;
    if (!fsm_check(&wire_fsm, &why)) {
        print_error("%s\n", text_str(&why));
    }
    CHECK_U64(why.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

/* Everything here holds for both. */
int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_wire_holds_decides_the_error),
        TEST(a_request_is_sent_as_it_was_built),
        TEST(an_endless_answer_is_cut_off),
        TEST(a_silent_server_is_given_up),
        TEST(one_more_than_depth_is_busy),
        TEST(a_connection_that_went_stale_is_replaced),
        TEST(an_answer_may_come_before_the_body_went),
        TEST(a_body_goes_into_its_buffer),
        TEST(a_name_is_resolved),
        TEST(another_address_is_tried),
        TEST(a_request_ends_with_the_signal),
    };
    make_transport = transport_curl_new;
    int failed = cmocka_run_group_tests_name("curl", tests, NULL, NULL);
    /* libcurl waits for half of its patience. */
    const struct CMUnitTest own[] = {TEST(a_deaf_address_is_passed_by),
                                     cmocka_unit_test(the_table_is_sound)};
    make_transport = transport_wire_new;
    failed += cmocka_run_group_tests_name("wire", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("wire alone", own, NULL, NULL);
}
