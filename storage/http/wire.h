/*
 * storage/http/wire.h - the parts of the wire transport, for each other: calls, which are requests
 * under way; connections, which outlive them; origins, to which both belong.
 *
 * The hardest thing: a connection that was kept may have been closed by the other side just when a
 * request goes out on it. If no byte of an answer has come, the request is sent again, once, on a
 * new connection: all methods we send may be repeated.
 *
 *   shape    a call has one connection or waits for its origin's addresses; a connection has one
 *            call or is kept; up to connections_max are kept
 *   owner    the transport owns all of them. What is closed while events are handled is freed after
 *            the last of them, because one that waits may still name it.
 *   thread   one
 *   errors   end in the call's request; nothing is completed but by poll()
 *   source   RFC 9112, 9.3.1 (repeating); RFC 8305, 5 (the next address after 250 ms)
 */
#ifndef STORAGE_HTTP_WIRE_H
#define STORAGE_HTTP_WIRE_H

#include "base/fsm.h"
#include "storage/http/answer.h"
#include "storage/http/resolve.h"
#include "storage/http/transport.h"
#include "storage/http/wire_tls.h"

#define WIRE_SCRATCH_BYTES ((size_t)64 * 1024)

// clang-format off
#define WIRE_STATE_MAP(X)                                                                          \
    X(NONE)                                                                                        \
    X(RESOLVING)                                                                                   \
    X(CONNECTING)                                                                                  \
    X(SHAKING)    /* TLS */                                                                        \
    X(SENDING)    /* the answer may begin already */                                               \
    X(RECEIVING)                                                                                   \
    X(ENDED)      /* its result is there, and poll() tells it */
#define WIRE_EVENT_MAP(X) X(RESOLVE) X(CONNECT) X(SHAKE) X(SEND) X(SENT) X(END)
// clang-format on
#define WIRE_AS_STATE(id) WIRE_##id,
#define WIRE_AS_EVENT(id) WIRE_EV_##id,
enum wire_state { WIRE_STATE_MAP(WIRE_AS_STATE) WIRE_STATE_COUNT };
enum wire_event { WIRE_EVENT_MAP(WIRE_AS_EVENT) WIRE_EVENT_COUNT };
extern const struct fsm wire_fsm;

/* What an event of the epoll descriptor is about. */
enum wire_source { WIRE_SOURCE_CONN, WIRE_SOURCE_ORIGIN };

struct wire_origin {
    enum wire_source source;
    struct list link;
    struct text key; /* "http://host:port", as addresses begin */
    char *host;      /* without brackets */
    unsigned port;
    bool is_secure;
    struct wire_tls_peer peer;
    struct resolve *resolve; /* under way */
    struct resolve_list addresses;
    unsigned best; /* of them: the last that answered */
    int64_t resolved_ns;
    struct list waiting; /* calls, for addresses */
    struct list kept;    /* connections without a call, used last first */
};

#define WIRE_ATTEMPTS 2U

struct wire_call;
struct wire_conn {
    enum wire_source source;
    struct list link; /* kept, busy or closed */
    struct wire_origin *origin;
    struct wire_call *call; /* NULL: kept */
    int fds[WIRE_ATTEMPTS]; /* the first one, once it is connected */
    unsigned addresses[WIRE_ATTEMPTS];
    unsigned next_address; /* how many were tried */
    unsigned last_slot;    /* of the last attempt */
    int64_t attempt_ns;    /* when it was begun */
    struct wire_stream *stream;
    uint32_t events; /* that epoll is asked for */
    bool was_used;   /* an answer came by it */
    bool is_busy;    /* there may be more to read though no event says so */
    int64_t kept_ns;
    int sys; /* errno of the last failure */
};

struct wire_call {
    struct list link; /* free, in flight, or ended */
    struct list wait; /* for its origin's addresses */
    enum wire_state state;
    struct http_request *request;
    struct wire_origin *origin;
    struct wire_conn *conn;
    struct text head;
    size_t sent; /* of head and body together */
    int64_t began_ns;
    int64_t moved_ns;
    bool is_repeated;
    struct answer answer;
};

struct wire_transport {
    struct transport transport;
    struct transport_options options;
    int epoll;
    int64_t now_ns; /* of this turn */
    int64_t due_ns; /* next look for what takes too long */
    unsigned in_flight;
    unsigned kept_count;
    unsigned lookup_count;
    struct list free_calls;
    struct list calls;
    struct list ended;
    struct list origins;
    struct list busy;   /* connections with is_busy */
    struct list closed; /* connections to be freed at the end of the turn */
    struct wire_tls *tls;
    char *scratch; /* WIRE_SCRATCH_BYTES, for what has no place of its own */
};

/* ---- wire_origin.c ---- */
/* The origin that address begins with; *ret_rest is its path and query. NULL: *err says why. */
struct wire_origin *wire_origin_find(struct wire_transport *t, const char *address,
                                     const char **ret_rest, struct err *err);
/* Are there addresses to connect to? If not they are being looked up, or *err says why not. */
bool wire_origin_is_ready(struct wire_transport *t, struct wire_origin *origin, struct err *err);
/* Their lookup has ended: *err says how. */
void wire_origin_take(struct wire_transport *t, struct wire_origin *origin, struct err *err);
void wire_origin_free(struct wire_transport *t, struct wire_origin *origin);

/* ---- wire_conn.c ---- */
/* One that was kept, or NULL. */
struct wire_conn *wire_conn_take(struct wire_transport *t, struct wire_origin *origin);
/* NULL: no address could even be tried, and *err says why. */
struct wire_conn *wire_conn_new(struct wire_transport *t, struct wire_origin *origin,
                                struct err *err);
void wire_conn_keep(struct wire_transport *t, struct wire_conn *conn);
void wire_conn_close(struct wire_transport *t, struct wire_conn *conn);
void wire_conn_free_closed(struct wire_transport *t);
/* WIRE_WANTS_WRITE: not yet connected; WIRE_FAILED: to no address, *err says why. */
enum wire_io wire_conn_connect(struct wire_transport *t, struct wire_conn *conn, struct err *err);
/* Has another address been waited for long enough? CLOCK_MONOTONIC; INT64_MAX: there is none. */
int64_t wire_conn_attempt_due_ns(const struct wire_conn *conn);
/* A call's head and body from its byte `sent` on; WIRE_MOVED: all of it is on its way. */
enum wire_io wire_conn_send(struct wire_conn *conn, struct wire_call *call);
enum wire_io wire_conn_receive(struct wire_conn *conn, void *buf, size_t len, size_t *ret_len);
void wire_conn_watch(struct wire_transport *t, struct wire_conn *conn, uint32_t events);
void wire_conn_set_busy(struct wire_transport *t, struct wire_conn *conn, bool is_busy);

/* ---- wire_call.c ---- */
struct wire_call *wire_call_take(struct wire_transport *t, struct http_request *request);
void wire_call_free(struct wire_call *call);
/* On a connection that is kept, or a new one. */
void wire_call_start(struct wire_transport *t, struct wire_call *call);
/* On a new one: addresses are there. */
void wire_call_connect(struct wire_transport *t, struct wire_call *call);
void wire_call_on_event(struct wire_transport *t, struct wire_call *call, uint32_t events);
/* It ends now, and its connection with it. */
void wire_call_abandon(struct wire_transport *t, struct wire_call *call, enum err_code code,
                       const char *words);
void wire_call_fail(struct wire_transport *t, struct wire_call *call, const struct err *err);

#endif
