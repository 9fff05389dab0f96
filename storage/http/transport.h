/*
 * storage/http/transport.h - one thread's way to send HTTP requests; what stands behind it can
 * change.
 *
 * `curl` (transport_curl.c) is the reference, and does everything; `wire` (transport_wire.c) is our
 * own HTTP/1.1, which costs less and knows no proxies. All traffic of a lane goes through one
 * transport; it has one wake fd, so that the lane has one wait.
 *
 *   shape    any number of requests in flight up to depth; HTTP/1.1 keep-alive; no redirects
 *   owner    a request and all it points to are borrowed from submit until done
 *   thread   one
 *   errors   the request's err: ERR_NETWORK (resolve, connect, reset, TLS), ERR_TIMEOUT (nothing
 *            moved for idle_timeout_ns), ERR_CONFIG (certificate not trusted), ERR_INTERRUPTED
 *            (cancelled), ERR_FORMAT (not HTTP, or more than was expected). A status code is never
 *            an error here.
 */
#ifndef STORAGE_HTTP_TRANSPORT_H
#define STORAGE_HTTP_TRANSPORT_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE, HTTP_METHOD_COUNT };
extern const char *const http_method_names[HTTP_METHOD_COUNT];

struct config;

struct http_header {
    const char *name;
    const char *value;
};

struct http_request;
typedef void(http_done_fn)(struct http_request *request);
/* One header line of the answer, name and value without surrounding white space, not NUL
 * terminated. */
typedef void(http_header_fn)(struct http_request *request, const char *name, size_t name_len,
                             const char *value, size_t value_len);
/* A piece of the answer's body; false ends the request with ERR_FORMAT. */
typedef bool(http_body_fn)(struct http_request *request, const void *bytes, size_t len);

struct http_request {
    enum http_method method;
    const char *url; /* absolute, percent-encoded; sent as it is (no dot-segment removal) */
    const struct http_header *headers;
    unsigned header_count;
    const void *body; /* NULL: none */
    size_t body_len;
    http_header_fn *on_header; /* may be NULL */
    http_body_fn *on_body;     /* may be NULL: the body is dropped */
    void *body_buf;   /* not NULL: the body of an answer that is 2xx is received into it instead of
                         being given to on_body; it has received_bytes then */
    size_t body_room; /* of body_buf: more is ERR_FORMAT */
    http_done_fn *done;

    int status; /* result, known before on_body is called; 0 if no answer */
    struct err err;
    uint64_t received_bytes;
    int64_t body_sent_ns; /* result: CLOCK_MONOTONIC when the last byte of the body was handed over;
                             0 unknown */

    struct list link;
    void *transport_data;
};

struct transport {
    const struct transport_ops *ops;
};

struct transport_ops {
    const char *name;
    /* ERR_BUSY if depth is reached; nothing else. */
    enum err_code (*submit)(struct transport *t, struct http_request *request);
    void (*cancel)(struct transport *t, struct http_request *request);
    unsigned (*poll)(struct transport *t); /* run completions; how many ran */
    int (*wake_fd)(struct transport *t);   /* readable when poll() has work */
    int64_t (*next_timer_ns)(struct transport *t);
    struct transport *(*free)(
        struct transport *t); /* ends what is in flight without calling done */
};

struct transport_options {
    unsigned depth;           /* requests in flight */
    unsigned connections_max; /* kept open */
    int64_t connect_timeout_ns;
    int64_t idle_timeout_ns;
    const char *ca_file; /* extra authority, PEM; NULL: system's */
    const struct clock *clock;
};

MUST_USE enum err_code transport_curl_new(const struct transport_options *options,
                                          struct transport **ret_transport, struct err *err);
/* The host of an address is resolved on a thread of its own, everything else is done in poll(). */
MUST_USE enum err_code transport_wire_new(const struct transport_options *options,
                                          struct transport **ret_transport, struct err *err);

/* ---- for transports ---- */

/* Does the body of the answer go to body_buf? Its status is known. */
static inline bool
http_request_is_direct(const struct http_request *request)
{
    return request->body_buf != NULL && request->status >= 200 && request->status < 300;
}
/* A piece of the body, to body_buf or on_body; false: it was not wanted, or is too much. */
bool http_request_take_body(struct http_request *request, const void *bytes, size_t len);

static inline enum err_code
transport_submit(struct transport *t, struct http_request *r)
{
    return t->ops->submit(t, r);
}
static inline void
transport_cancel(struct transport *t, struct http_request *r)
{
    t->ops->cancel(t, r);
}
static inline unsigned
transport_poll(struct transport *t)
{
    return t->ops->poll(t);
}
static inline int
transport_wake_fd(struct transport *t)
{
    return t->ops->wake_fd(t);
}
static inline int64_t
transport_next_timer_ns(struct transport *t)
{
    return t->ops->next_timer_ns(t);
}
static inline struct transport *
transport_free(struct transport *t)
{
    return t == NULL ? NULL : t->ops->free(t);
}

/* The transport that the settings ask for, with room for depth requests; where they ask for none
 * it is wire, but curl where the environment names a proxy. SALLYPORT_CA_FILE goes before the file
 * of the settings.
 *
 *   errors   ERR_CONFIG: no such transport, or wire and a proxy
 */
MUST_USE enum err_code transport_new(const struct config *config, const struct clock *clock,
                                     unsigned depth, struct transport **ret_transport,
                                     struct err *err);
/* Submit and wait until done, for set-up and listings. Blocks the thread; obeys the timeouts, and
 * ends with ERR_INTERRUPTED soon after *signal is not 0. signal may be NULL. */
void transport_perform(struct transport *t, const struct clock *clock, const atomic_int *signal,
                       struct http_request *request);
/* Sleep until there is something to poll, a timer is due, until_ns, or TRANSPORT_WAIT_NS have
 * passed: so often a thread that waits looks whether it shall end. */
#define TRANSPORT_WAIT_NS (100 * NS_PER_MS)
void transport_wait(struct transport *t, const struct clock *clock, int64_t until_ns);

#endif
