/*
 * Requests by our own HTTP/1.1: a pool of connections per origin, driven by one epoll descriptor,
 * which is what the owner waits on. Bytes go from the request's body to the socket, and from the
 * socket to its body_buf, without a copy in between.
 */
#include "base/arena.h"
#include "base/fd.h"
#include "storage/http/wire.h"

#include <errno.h>
#include <sys/epoll.h>

#define EVENTS_AT_ONCE 64

static struct wire_transport *
of(struct transport *t)
{
    return CONTAINER_OF(t, struct wire_transport, transport);
}

static int64_t
patience_ns(const struct wire_transport *t)
{
    return MIN_OF(t->options.idle_timeout_ns, t->options.connect_timeout_ns) / 8;
}

static enum err_code
wire_submit(struct transport *transport, struct http_request *request)
{
    struct wire_transport *t = of(transport);
    if (t->in_flight >= t->options.depth) {
        return ERR_BUSY;
    }
    t->now_ns = clock_mono_ns(t->options.clock);
    request->transport_data = t;
    request->status = 0;
    request->err = ERR_NONE;
    request->received_bytes = 0;
    request->body_sent_ns = 0;
    wire_call_start(t, wire_call_take(t, request));
    return ERR_OK;
}

static void
wire_cancel(struct transport *transport, struct http_request *request)
{
    struct wire_transport *t = of(transport);
    for (struct list *at = t->calls.next; at != &t->calls; at = at->next) {
        struct wire_call *call = CONTAINER_OF(at, struct wire_call, link);
        if (call->request == request) {
            wire_call_abandon(t, call, ERR_INTERRUPTED, "cancelled");
            return;
        }
    }
}

/* ---- the turn ---- */

static void
on_addresses(struct wire_transport *t, struct wire_origin *origin)
{
    struct err err = ERR_NONE;
    if (origin->resolve == NULL) {
        return;
    }
    wire_origin_take(t, origin, &err);
    while (!list_is_empty(&origin->waiting)) {
        struct wire_call *call = CONTAINER_OF(origin->waiting.next, struct wire_call, wait);
        if (err.code != ERR_OK) {
            wire_call_fail(t, call, &err);
        } else {
            wire_call_connect(t, call);
        }
    }
}

static void
on_connection(struct wire_transport *t, struct wire_conn *conn, uint32_t events)
{
    bool is_closed = conn->fds[0] < 0 && conn->fds[1] < 0;
    if (is_closed) {
        return;
    }
    if (conn->call != NULL) {
        wire_call_on_event(t, conn->call, events);
        return;
    }
    /* Nothing was asked for: whatever is said there is its end. */
    t->kept_count--;
    wire_conn_close(t, conn);
}

static void
on_event(struct wire_transport *t, const struct epoll_event *event)
{
    enum wire_source *source = event->data.ptr;
    if (*source == WIRE_SOURCE_ORIGIN) {
        on_addresses(t, CONTAINER_OF(source, struct wire_origin, source));
    } else {
        on_connection(t, CONTAINER_OF(source, struct wire_conn, source), event->events);
    }
}

static void
move_all(struct list *from, struct list *to)
{
    list_init(to);
    while (!list_is_empty(from)) {
        list_push(to, list_pop(from));
    }
}

/* Connections of which OpenSSL may hold bytes that no event tells of. */
static unsigned
serve_busy(struct wire_transport *t)
{
    struct list again;
    unsigned count = 0;
    move_all(&t->busy, &again);
    while (!list_is_empty(&again)) {
        struct wire_conn *conn = CONTAINER_OF(list_pop(&again), struct wire_conn, link);
        conn->is_busy = false;
        on_connection(t, conn, EPOLLIN);
        count++;
    }
    return count;
}

/* What has taken too long, and whose first address does not answer. */
static void
look_around(struct wire_transport *t)
{
    struct list *next = NULL;
    t->due_ns = t->now_ns + patience_ns(t);
    for (struct list *at = t->calls.next; at != &t->calls; at = next) {
        struct wire_call *call = CONTAINER_OF(at, struct wire_call, link);
        next = at->next;
        bool is_early = call->state < WIRE_SENDING;
        if (is_early && t->now_ns - call->began_ns >= t->options.connect_timeout_ns) {
            wire_call_abandon(t, call, ERR_TIMEOUT, "could not connect in time");
        } else if (t->now_ns - call->moved_ns >= t->options.idle_timeout_ns) {
            wire_call_abandon(t, call, ERR_TIMEOUT, "nothing moved on the connection for too long");
        } else if (call->state == WIRE_CONNECTING) {
            wire_call_on_event(t, call, 0);
        }
    }
}

/* What ends while they are told is told by the next turn. */
static unsigned
complete_ended(struct wire_transport *t)
{
    struct list ended;
    unsigned count = 0;
    move_all(&t->ended, &ended);
    while (!list_is_empty(&ended)) {
        struct wire_call *call = CONTAINER_OF(list_pop(&ended), struct wire_call, link);
        struct http_request *request = call->request;
        list_push_front(&t->free_calls, &call->link);
        t->in_flight--;
        request->transport_data = NULL;
        request->done(request);
        count++;
    }
    return count;
}

static unsigned
wire_poll(struct transport *transport)
{
    struct wire_transport *t = of(transport);
    struct epoll_event events[EVENTS_AT_ONCE];
    if (t->in_flight == 0 && t->kept_count == 0 && t->lookup_count == 0) {
        wire_conn_free_closed(t);
        return 0;
    }
    t->now_ns = clock_mono_ns(t->options.clock);
    unsigned ran = serve_busy(t);
    int count = epoll_wait(t->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        on_event(t, &events[i]);
    }
    if (t->now_ns >= t->due_ns) {
        look_around(t);
    }
    wire_conn_free_closed(t);
    return ran + complete_ended(t) + (count > 0 ? 1U : 0U);
}

static int
wire_wake_fd(struct transport *transport)
{
    return of(transport)->epoll;
}

static int64_t
wire_next_timer_ns(struct transport *transport)
{
    const struct wire_transport *t = of(transport);
    if (!list_is_empty(&t->ended) || !list_is_empty(&t->busy)) {
        return 0;
    }
    return t->in_flight == 0 ? INT64_MAX : t->due_ns;
}

static void
free_calls(struct wire_transport *t, struct list *calls)
{
    while (!list_is_empty(calls)) {
        struct wire_call *call = CONTAINER_OF(list_pop(calls), struct wire_call, link);
        if (call->conn != NULL) {
            wire_conn_close(t, call->conn);
        }
        wire_call_free(call);
    }
}

static struct transport *
wire_free(struct transport *transport)
{
    struct wire_transport *t = of(transport);
    free_calls(t, &t->calls);
    free_calls(t, &t->ended);
    free_calls(t, &t->free_calls);
    while (!list_is_empty(&t->origins)) {
        struct wire_origin *origin = CONTAINER_OF(list_pop(&t->origins), struct wire_origin, link);
        while (!list_is_empty(&origin->kept)) {
            wire_conn_close(t, CONTAINER_OF(origin->kept.next, struct wire_conn, link));
        }
        wire_origin_free(t, origin);
    }
    wire_conn_free_closed(t);
    t->tls = wire_tls_free(t->tls);
    fd_close(&t->epoll);
    mem_give(t->scratch);
    return mem_give(t);
}

static const struct transport_ops wire_ops = {
    .name = "wire",
    .submit = wire_submit,
    .cancel = wire_cancel,
    .poll = wire_poll,
    .wake_fd = wire_wake_fd,
    .next_timer_ns = wire_next_timer_ns,
    .free = wire_free,
};

enum err_code
transport_wire_new(const struct transport_options *options, struct transport **ret_transport,
                   struct err *err)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not make an epoll descriptor");
    }
    struct wire_transport *t = mem_take(sizeof *t);
    t->transport.ops = &wire_ops;
    t->options = *options;
    t->epoll = epoll;
    t->now_ns = clock_mono_ns(options->clock);
    t->due_ns = t->now_ns + patience_ns(t);
    list_init(&t->free_calls);
    list_init(&t->calls);
    list_init(&t->ended);
    list_init(&t->origins);
    list_init(&t->busy);
    list_init(&t->closed);
    t->scratch = mem_take(WIRE_SCRATCH_BYTES);
    *ret_transport = &t->transport;
    return ERR_OK;
}
