/*
 * Requests by libcurl's multi interface, driven by its sockets: one epoll descriptor is what the
 * owner waits on.
 *
 * Handles are kept and used again, by kind of request, so that a small request sets four options
 * and not forty. Small bodies go out together with the headers in one send; large ones are read by
 * libcurl piece by piece.
 */
#include "base/arena.h"
#include "base/fd.h"
#include "base/text.h"
#include "storage/http/transport.h"

#include <curl/curl.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#define SMALL_BODY_BYTES  65536U /* libcurl sends what is not larger together with the headers */
#define SEND_BUFFER_BYTES (256L * 1024)
#define RECV_BUFFER_BYTES (128L * 1024)
#define HEADER_BYTES_MAX  ((size_t)256 * 1024) /* of one answer: the server may be hostile */
#define EVENTS_AT_ONCE    64

enum call_kind { CALL_GET, CALL_HEAD, CALL_SMALL, CALL_LARGE, CALL_KIND_COUNT };

struct call {
    CURL *easy;
    struct http_request *request; /* NULL: free */
    struct curl_slist *headers;
    enum call_kind kind;
    struct list link; /* free by kind, or in flight */
    size_t sent;      /* of the body */
    size_t header_bytes;
    int64_t moved_ns; /* when a byte moved last */
    bool has_head;    /* of the answer, to its empty line */
    bool is_refused;  /* the body callback did not want what came */
    char words[CURL_ERROR_SIZE];
};

struct curl_transport {
    struct transport transport;
    struct transport_options options;
    CURLM *multi;
    int epoll;
    int64_t now_ns;      /* of this turn */
    int64_t timer_ns;    /* curl's, INT64_MAX: none */
    int64_t idle_due_ns; /* next look for idle requests */
    unsigned in_flight;
    struct list free_calls[CALL_KIND_COUNT];
    struct list calls; /* in flight */
    struct list ended; /* cancelled, to be completed by the next poll */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
curl_begin(void)
{
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static struct curl_transport *
of(struct transport *t)
{
    return CONTAINER_OF(t, struct curl_transport, transport);
}

/* ---- what libcurl calls ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
    struct curl_transport *t = user;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = fd};
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    int verb = socket_user == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(t->epoll, verb, fd, &event) != 0 && errno == EEXIST) {
        (void)epoll_ctl(t->epoll, EPOLL_CTL_MOD, fd, &event);
    }
    if (socket_user == NULL) {
        (void)curl_multi_assign(t->multi, fd, t);
    }
    return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct curl_transport *t = user;
    (void)multi;
    t->timer_ns = timeout_ms < 0
                      ? INT64_MAX
                      : clock_mono_ns(t->options.clock) + (int64_t)timeout_ms * NS_PER_MS;
    return 0;
}

static struct curl_transport *
transport_of(const struct call *call)
{
    return call->request->transport_data;
}

static size_t
on_read(char *out, size_t size, size_t count, void *user)
{
    struct call *call = user;
    struct http_request *request = call->request;
    size_t len = MIN_OF(size * count, request->body_len - call->sent);
    memcpy(out, (const char *)request->body + call->sent, len);
    call->sent += len;
    call->moved_ns = transport_of(call)->now_ns;
    if (call->sent == request->body_len) {
        request->body_sent_ns = clock_mono_ns(transport_of(call)->options.clock);
    }
    return len;
}

static int
on_seek(void *user, curl_off_t offset, int origin)
{
    struct call *call = user;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > call->request->body_len) {
        return CURL_SEEKFUNC_FAIL;
    }
    call->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t
on_header(char *line, size_t size, size_t count, void *user)
{
    struct call *call = user;
    struct http_request *request = call->request;
    size_t len = size * count;
    call->moved_ns = transport_of(call)->now_ns;
    call->header_bytes += len;
    if (call->header_bytes > HEADER_BYTES_MAX) {
        call->is_refused = true;
        return 0;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        long status = 0;
        (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        request->status = (int)status;
        call->has_head = false;
        return len;
    }
    call->has_head = call->has_head || line[0] == '\r' || line[0] == '\n';
    const char *colon = memchr(line, ':', len);
    if (request->on_header == NULL || colon == NULL) {
        return len;
    }
    const char *value = colon + 1;
    const char *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (unsigned char)end[-1] <= ' ') {
        end--;
    }
    request->on_header(request, line, (size_t)(colon - line), value, (size_t)(end - value));
    return len;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct call *call = user;
    struct http_request *request = call->request;
    size_t len = size * count;
    call->moved_ns = transport_of(call)->now_ns;
    if (!http_request_take_body(request, bytes, len)) {
        call->is_refused = true;
        return len + 1;
    }
    return len;
}

/* ---- one call ---- */

static void
set_up(struct curl_transport *t, struct call *call)
{
    CURL *easy = call->easy;
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that does not answer is not waited for when the request is cancelled. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)(t->options.connect_timeout_ns / NS_PER_MS));
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->words);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    if (t->options.ca_file != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, t->options.ca_file);
    }
    switch (call->kind) {
    case CALL_GET: (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECV_BUFFER_BYTES); break;
    case CALL_HEAD: (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L); break;
    case CALL_SMALL: (void)curl_easy_setopt(easy, CURLOPT_POST, 1L); break;
    case CALL_LARGE:
        (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES);
        (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        (void)curl_easy_setopt(easy, CURLOPT_READDATA, call);
        (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
        break;
    case CALL_KIND_COUNT: break;
    }
}

static enum call_kind
kind_of(const struct http_request *request)
{
    if (request->method == HTTP_HEAD) {
        return CALL_HEAD;
    }
    if (request->method == HTTP_GET || request->method == HTTP_DELETE) {
        return CALL_GET;
    }
    return request->body_len > SMALL_BODY_BYTES ? CALL_LARGE : CALL_SMALL;
}

static struct call *
take_call(struct curl_transport *t, enum call_kind kind)
{
    struct list *link = list_pop(&t->free_calls[kind]);
    if (link != NULL) {
        return CONTAINER_OF(link, struct call, link);
    }
    struct call *call = mem_take(sizeof *call);
    call->easy = curl_easy_init();
    ASSERT(call->easy != NULL);
    call->kind = kind;
    set_up(t, call);
    return call;
}

static struct curl_slist *
add_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *more = curl_slist_append(list, line);
    ASSERT(more != NULL);
    return more;
}

/* Headers that libcurl would add by itself are taken out: what is sent is what was signed. */
static struct curl_slist *
header_lines(const struct http_request *request)
{
    struct curl_slist *list = add_line(NULL, "Expect:");
    bool has_type = false;
    char line[1024];
    AUTO_TEXT longer = TEXT_INIT;
    list = add_line(list, "Accept:");
    for (unsigned i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        size_t name_len = strlen(header->name);
        size_t value_len = strlen(header->value);
        has_type = has_type || strcasecmp(header->name, "Content-Type") == 0;
        if (name_len + value_len + 3 <= sizeof line) {
            memcpy(line, header->name, name_len);
            memcpy(line + name_len, ": ", 2); // NOLINT(bugprone-not-null-terminated-result)
            memcpy(line + name_len + 2, header->value, value_len + 1);
            list = add_line(list, line);
        } else {
            text_clear(&longer);
            text_addf(&longer, "%s: %s", header->name, header->value);
            list = add_line(list, text_str(&longer));
        }
    }
    return has_type ? list : add_line(list, "Content-Type:");
}

static enum err_code
curl_submit(struct transport *transport, struct http_request *request)
{
    struct curl_transport *t = of(transport);
    if (t->in_flight >= t->options.depth) {
        return ERR_BUSY;
    }
    struct call *call = take_call(t, kind_of(request));
    CURL *easy = call->easy;
    call->request = request;
    call->sent = 0;
    call->header_bytes = 0;
    call->is_refused = false;
    call->has_head = false;
    call->words[0] = '\0';
    call->moved_ns = clock_mono_ns(t->options.clock);
    request->transport_data = t;
    request->status = 0;
    request->err = ERR_NONE;
    request->received_bytes = 0;
    request->body_sent_ns = 0;
    call->headers = header_lines(request);
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    if (call->kind == CALL_LARGE) {
        (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_len);
    } else if (call->kind == CALL_SMALL) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               request->body == NULL ? "" : (const char *)request->body);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                           call->kind == CALL_HEAD ? NULL : http_method_names[request->method]);
    t->in_flight++;
    list_push(&t->calls, &call->link);
    CURLMcode failed = curl_multi_add_handle(t->multi, easy);
    ASSERT(failed == CURLM_OK);
    return ERR_OK;
}

static void
release(struct curl_transport *t, struct call *call)
{
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    call->request = NULL;
    list_remove(&call->link);
    list_push_front(&t->free_calls[call->kind], &call->link);
    t->in_flight--;
}

/* Words of libcurl name host and port at most; the address with its query stays out. */
static const struct {
    CURLcode curl;
    enum err_code code;
    const char *words;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NETWORK, "the host name could not be resolved"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_NETWORK, "the proxy's name could not be resolved"},
    {CURLE_COULDNT_CONNECT, ERR_NETWORK, "could not connect"},
    {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, "could not connect in time"},
    {CURLE_GOT_NOTHING, ERR_NETWORK, "the connection was closed without an answer"},
    {CURLE_SEND_ERROR, ERR_NETWORK, "the connection was lost while sending"},
    {CURLE_RECV_ERROR, ERR_NETWORK, "the connection was lost while receiving"},
    {CURLE_PARTIAL_FILE, ERR_NETWORK, "the connection was closed in the middle of the answer"},
    {CURLE_SSL_CONNECT_ERROR, ERR_NETWORK, "the TLS handshake failed"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_CONFIG,
     "the server's certificate is not trusted; name its authority in SALLYPORT_CA_FILE"},
    {CURLE_SSL_CACERT_BADFILE, ERR_CONFIG,
     "the file of certificate authorities cannot be used; look at SALLYPORT_CA_FILE"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_FORMAT, "the answer is not HTTP/1.1"},
    {CURLE_WEIRD_SERVER_REPLY, ERR_FORMAT, "the answer is not HTTP"},
    {CURLE_HTTP_RETURNED_ERROR, ERR_FORMAT, "the answer is not HTTP"},
};

static void
explain(const struct call *call, CURLcode result)
{
    struct err *err = &call->request->err;
    if (call->is_refused) {
        (void)err_set(err, ERR_FORMAT, "the answer is larger than it may be");
        return;
    }
    for (unsigned i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].curl == result) {
            (void)err_set(err, failures[i].code, "%s%s%s", failures[i].words,
                          call->words[0] == '\0' ? "" : ": ", call->words);
            return;
        }
    }
    (void)err_set(err, ERR_NETWORK, "the request failed: %s",
                  call->words[0] == '\0' ? curl_easy_strerror(result) : call->words);
}

static void
complete(struct curl_transport *t, struct call *call)
{
    struct http_request *request = call->request;
    ASSERT(request != NULL);
    release(t, call);
    request->transport_data = NULL;
    request->done(request);
}

static void
end_call(struct curl_transport *t, struct call *call, CURLcode result)
{
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_multi_remove_handle(t->multi, call->easy);
    call->request->status = (int)status;
    if (result != CURLE_OK) {
        explain(call, result);
    } else if (!call->has_head) {
        /* libcurl is content with a status line; a store that said no more may not have meant it.
         */
        (void)err_set(&call->request->err, ERR_NETWORK, "the answer broke off in its header");
    }
    complete(t, call);
}

/* A request that must end now; its connection is closed, because its answer may still come. */
static void
abandon(struct curl_transport *t, struct call *call, enum err_code code, const char *words)
{
    (void)curl_multi_remove_handle(t->multi, call->easy);
    call->request->status = 0;
    (void)err_set(&call->request->err, code, "%s", words);
    list_remove(&call->link);
    list_push(&t->ended, &call->link);
}

static void
curl_cancel(struct transport *transport, struct http_request *request)
{
    struct curl_transport *t = of(transport);
    for (struct list *at = t->calls.next; at != &t->calls; at = at->next) {
        struct call *call = CONTAINER_OF(at, struct call, link);
        if (call->request == request) {
            abandon(t, call, ERR_INTERRUPTED, "cancelled");
            return;
        }
    }
}

static void
end_idle(struct curl_transport *t)
{
    struct list *next = NULL;
    for (struct list *at = t->calls.next; at != &t->calls; at = next) {
        struct call *call = CONTAINER_OF(at, struct call, link);
        next = at->next;
        if (t->now_ns - call->moved_ns >= t->options.idle_timeout_ns) {
            abandon(t, call, ERR_TIMEOUT, "nothing moved on the connection for too long");
        }
    }
    t->idle_due_ns = t->now_ns + t->options.idle_timeout_ns / 8;
}

static unsigned
reap(struct curl_transport *t)
{
    unsigned ran = 0;
    int left = 0;
    const CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(t->multi, &left)) != NULL) {
        struct call *call = NULL;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURLcode result = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        end_call(t, call, result);
        ran++;
    }
    while (!list_is_empty(&t->ended)) {
        complete(t, CONTAINER_OF(t->ended.next, struct call, link));
        ran++;
    }
    return ran;
}

static unsigned
curl_poll(struct transport *transport)
{
    struct curl_transport *t = of(transport);
    struct epoll_event events[EVENTS_AT_ONCE];
    int running = 0;
    if (t->in_flight == 0 && t->timer_ns == INT64_MAX) {
        return 0;
    }
    t->now_ns = clock_mono_ns(t->options.clock);
    int count = epoll_wait(t->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        (void)curl_multi_socket_action(t->multi, events[i].data.fd, what, &running);
    }
    if (t->timer_ns <= t->now_ns) {
        t->timer_ns = INT64_MAX;
        (void)curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    if (t->now_ns >= t->idle_due_ns) {
        end_idle(t);
    }
    return reap(t) + (count > 0 ? 1U : 0U);
}

static int
curl_wake_fd(struct transport *transport)
{
    return of(transport)->epoll;
}

static int64_t
curl_next_timer_ns(struct transport *transport)
{
    const struct curl_transport *t = of(transport);
    if (!list_is_empty(&t->ended)) {
        return 0;
    }
    return t->in_flight == 0 ? t->timer_ns : MIN_OF(t->timer_ns, t->idle_due_ns);
}

static void
free_calls(struct curl_transport *t, struct list *calls)
{
    while (!list_is_empty(calls)) {
        struct call *call = CONTAINER_OF(list_pop(calls), struct call, link);
        if (call->request != NULL) {
            (void)curl_multi_remove_handle(t->multi, call->easy);
        }
        curl_easy_cleanup(call->easy);
        curl_slist_free_all(call->headers);
        mem_give(call);
    }
}

static struct transport *
curl_free_transport(struct transport *transport)
{
    struct curl_transport *t = of(transport);
    free_calls(t, &t->calls);
    free_calls(t, &t->ended);
    for (unsigned i = 0; i < CALL_KIND_COUNT; i++) {
        free_calls(t, &t->free_calls[i]);
    }
    (void)curl_multi_cleanup(t->multi);
    fd_close(&t->epoll);
    return mem_give(t);
}

static const struct transport_ops curl_ops = {
    .name = "curl",
    .submit = curl_submit,
    .cancel = curl_cancel,
    .poll = curl_poll,
    .wake_fd = curl_wake_fd,
    .next_timer_ns = curl_next_timer_ns,
    .free = curl_free_transport,
};

enum err_code
transport_curl_new(const struct transport_options *options, struct transport **ret_transport,
                   struct err *err)
{
    (void)pthread_once(&curl_once, curl_begin);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not make an epoll descriptor");
    }
    struct curl_transport *t = mem_take(sizeof *t);
    t->transport.ops = &curl_ops;
    t->options = *options;
    t->epoll = epoll;
    t->timer_ns = INT64_MAX;
    t->idle_due_ns = clock_mono_ns(options->clock) + options->idle_timeout_ns / 8;
    list_init(&t->calls);
    list_init(&t->ended);
    for (unsigned i = 0; i < CALL_KIND_COUNT; i++) {
        list_init(&t->free_calls[i]);
    }
    t->multi = curl_multi_init();
    ASSERT(t->multi != NULL);
    (void)curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    (void)curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    (void)curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)options->connections_max);
    *ret_transport = &t->transport;
    return ERR_OK;
}
