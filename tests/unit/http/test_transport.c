/*
 * One request against a server that answers as the test says: what the wire may hold, and what a
 * request may not do to its lane whatever it holds.
 */
#include "base/fd.h"
#include "base/text.h"
#include "storage/http/transport.h"
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 4
#define SEEN_BYTES      8192

/* Answers each request of each connection with the same bytes. */
struct server {
    int listener;
    unsigned port;
    pthread_t thread;
    const char *answer;
    size_t answer_len;
    bool closes;    /* after one answer */
    bool is_silent; /* reads and says nothing */
    atomic_uint accepted;
    atomic_uint requests;
    pthread_mutex_t lock;
    char seen[SEEN_BYTES]; /* the last whole request, head and body; under lock */
};

/* A name whose server never answers; asking for it is when the interrupt comes. */
#define SLOW_NAME "slow.test"

static struct server server;
static atomic_int interrupt;
static sem_t name_server;
static atomic_bool was_waited_for;
static atomic_bool has_answered;
static struct transport *transport;
static struct err err;

/* In front of the C library's, for libcurl too. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret_list)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node == NULL || strcmp(node, SLOW_NAME) != 0) {
        return next(node, service, hints, ret_list);
    }
    struct timespec until;
    (void)timespec_get(&until, TIME_UTC);
    until.tv_sec += 5;
    atomic_store(&interrupt, SIGINT);
    if (sem_timedwait(&name_server, &until) != 0) {
        atomic_store(&was_waited_for, true);
    }
    atomic_store(&has_answered, true);
    return EAI_FAIL;
}

static size_t
whole_request(const char *bytes, size_t len)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    size_t head = (size_t)(end - bytes) + 4;
    const char *length = strcasestr(bytes, "Content-Length: ");
    size_t body = 0;
    for (const char *at = length == NULL ? "" : length + 16; *at >= '0' && *at <= '9'; at++) {
        body = body * 10 + (size_t)(*at - '0');
    }
    return len >= head + body ? head + body : 0;
}

/* One answer to each whole request, until the client or the test has had enough. */
static void
serve(int fd)
{
    char bytes[SEEN_BYTES];
    size_t len = 0;
    ssize_t got = 0;
    while ((got = read(fd, bytes + len, sizeof bytes - 1 - len)) > 0) {
        len += (size_t)got;
        atomic_store(&interrupt, SIGTERM);
        bytes[len] = '\0';
        if (server.is_silent || whole_request(bytes, len) == 0) {
            continue;
        }
        (void)pthread_mutex_lock(&server.lock);
        memcpy(server.seen, bytes, len + 1);
        (void)pthread_mutex_unlock(&server.lock);
        atomic_fetch_add(&server.requests, 1);
        for (size_t sent = 0; sent < server.answer_len;) {
            ssize_t wrote = send(fd, server.answer + sent, server.answer_len - sent, MSG_NOSIGNAL);
            if (wrote <= 0) {
                return;
            }
            sent += (size_t)wrote;
        }
        if (server.closes) {
            return;
        }
        len = 0;
    }
}

static void *
run_server(void *user)
{
    (void)user;
    while (true) {
        AUTO_FD fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        atomic_fetch_add(&server.accepted, 1);
        serve(fd);
    }
}

static void
start(const char *answer, size_t len, bool closes)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t address_len = sizeof address;
    server.answer = answer;
    server.answer_len = len;
    server.closes = closes;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_I64(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_I64(listen(server.listener, CONNECTIONS_MAX), 0);
    CHECK_I64(getsockname(server.listener, (struct sockaddr *)&address, &address_len), 0);
    server.port = ntohs(address.sin_port);
    CHECK_I64(pthread_create(&server.thread, NULL, run_server, NULL), 0);
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
    memset(&server, 0, sizeof server);
    (void)pthread_mutex_init(&server.lock, NULL);
    server.listener = -1;
    atomic_store(&interrupt, 0);
    return transport_curl_new(&options, &transport, &err) == ERR_OK ? 0 : -1;
}

static int
unmake(void **state)
{
    (void)state;
    transport = transport_free(transport);
    if (server.listener >= 0) {
        (void)shutdown(server.listener, SHUT_RDWR);
        (void)pthread_join(server.thread, NULL);
        (void)close(server.listener);
    }
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
submit(struct call *call, const char *path)
{
    *call = (struct call){.room = SIZE_MAX};
    (void)snprintf(call->url, sizeof call->url, "http://127.0.0.1:%u%s", server.port, path);
    call->request = (struct http_request){.method = HTTP_GET,
                                          .url = call->url,
                                          .on_header = on_header,
                                          .on_body = on_body,
                                          .done = on_done};
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
        start(rows[i].answer, strlen(rows[i].answer), rows[i].closes);
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
    start(answer, sizeof answer - 1, false);
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
        char seen[SEEN_BYTES];
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
    start(answer, len, true);
    submit(&call, "/");
    finish(&call);
    CHECK_U64(call.request.err.code, ERR_FORMAT);
    CHECK(call.headers.len < 1 << 20);
    end_call(&call);
    CHECK_I64(unmake(state), 0);
    CHECK_I64(make(state), 0);
    len = (size_t)snprintf(answer, BYTES, "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
    memset(answer + len, 'x', BYTES - len);
    start(answer, BYTES, true);
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
    start("", 0, false);
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
    start("", 0, false);
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

/* Whoever is told to end ends, whatever it waits for: an answer or a name server. */
static void
a_request_ends_with_the_signal(void **state)
{
    struct http_request request = {.method = HTTP_GET, .url = "http://" SLOW_NAME "/"};
    char url[64];
    (void)state;
    server.is_silent = true;
    start("", 0, false);
    CHECK_I64(sem_init(&name_server, 0, 0), 0);
    transport_perform(transport, &clock_system, &interrupt, &request);
    CHECK(!atomic_load(&was_waited_for));
    CHECK_ERR(request.err.code, &request.err, ERR_INTERRUPTED);
    CHECK_I64(sem_post(&name_server), 0);
    while (!atomic_load(&has_answered)) {
        transport_wait(transport, &clock_system, INT64_MAX);
    }
    atomic_store(&interrupt, 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", server.port);
    request = (struct http_request){.method = HTTP_GET, .url = url};
    transport_perform(transport, &clock_system, &interrupt, &request);
    CHECK_ERR(request.err.code, &request.err, ERR_INTERRUPTED);
    CHECK_I64(atomic_load(&interrupt), SIGTERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_wire_holds_decides_the_error), TEST(a_request_is_sent_as_it_was_built),
        TEST(an_endless_answer_is_cut_off),          TEST(a_silent_server_is_given_up),
        TEST(one_more_than_depth_is_busy),           TEST(a_request_ends_with_the_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
