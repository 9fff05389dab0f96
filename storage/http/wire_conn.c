#include "base/arena.h"
#include "base/fd.h"
#include "storage/http/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define ATTEMPT_NS  (250 * NS_PER_MS) /* for one address before another is tried beside it */
#define GIVE_UP_NS  (2 * NS_PER_S)    /* for two, before the older one makes room for a third */
#define KEPT_NS_MAX (100 * NS_PER_S)  /* routers forget silent connections */

/* ---- connecting ---- */

/* Addresses in the order in which they are tried: the one that answered last goes first. */
static unsigned
address_at(const struct wire_origin *origin, unsigned turn)
{
    return turn == 0 ? origin->best : turn <= origin->best ? turn - 1 : turn;
}

static bool
has_address(const struct wire_conn *conn)
{
    return conn->next_address < conn->origin->addresses.count;
}

static bool
is_full(const struct wire_conn *conn)
{
    return conn->fds[0] >= 0 && conn->fds[1] >= 0;
}

/* The next address, in a free slot. False: it failed at once, or there was none. */
static bool
attempt(struct wire_transport *t, struct wire_conn *conn)
{
    const struct resolve_list *list = &conn->origin->addresses;
    const int one = 1;
    unsigned slot = conn->fds[0] < 0 ? 0 : 1;
    ASSERT(conn->fds[slot] < 0);
    unsigned index = address_at(conn->origin, conn->next_address++);
    const struct resolve_address *address = &list->rows[index];
    AUTO_FD fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    conn->attempt_ns = t->now_ns;
    if (fd < 0) {
        conn->sys = errno;
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)&address->at, address->len) != 0 &&
        errno != EINPROGRESS) {
        conn->sys = errno;
        return false;
    }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &conn->source};
    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        conn->sys = errno;
        return false;
    }
    conn->events = EPOLLOUT;
    conn->addresses[slot] = index;
    conn->last_slot = slot;
    conn->fds[slot] = fd_take(&fd);
    return true;
}

static void
attempt_next(struct wire_transport *t, struct wire_conn *conn)
{
    while (has_address(conn) && !attempt(t, conn)) {
    }
}

static enum err_code
explain(const struct wire_conn *conn, struct err *err)
{
    bool is_v6 = strchr(conn->origin->host, ':') != NULL;
    return err_set_sys(err, ERR_NETWORK, conn->sys, "could not connect to '%s%s%s:%u'",
                       is_v6 ? "[" : "", conn->origin->host, is_v6 ? "]" : "", conn->origin->port);
}

struct wire_conn *
wire_conn_new(struct wire_transport *t, struct wire_origin *origin, struct err *err)
{
    struct wire_conn *conn = mem_take(sizeof *conn);
    *conn = (struct wire_conn){.source = WIRE_SOURCE_CONN, .origin = origin, .fds = {-1, -1}};
    attempt_next(t, conn);
    if (conn->fds[0] < 0) {
        (void)explain(conn, err);
        return mem_give(conn);
    }
    return conn;
}

static bool
is_connected(struct wire_conn *conn, unsigned slot)
{
    struct pollfd fd = {.fd = conn->fds[slot], .events = POLLOUT};
    int failed = 0;
    socklen_t len = sizeof failed;
    if (fd.fd < 0 || poll(&fd, 1, 0) <= 0) {
        return false;
    }
    if (getsockopt(fd.fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0 || failed != 0) {
        conn->sys = failed != 0 ? failed : errno;
        fd_close(&conn->fds[slot]);
        return false;
    }
    return (fd.revents & POLLOUT) != 0;
}

/* The first that is connected stays, the other one goes. */
static void
settle(struct wire_conn *conn, unsigned slot)
{
    int fd = fd_take(&conn->fds[slot]);
    fd_close(&conn->fds[1 - slot]);
    conn->fds[0] = fd;
    conn->origin->best = conn->addresses[slot];
}

enum wire_io
wire_conn_connect(struct wire_transport *t, struct wire_conn *conn, struct err *err)
{
    for (unsigned slot = 0; slot < WIRE_ATTEMPTS; slot++) {
        if (is_connected(conn, slot)) {
            settle(conn, slot);
            return WIRE_MOVED;
        }
    }
    bool has_none = conn->fds[0] < 0 && conn->fds[1] < 0;
    if (t->now_ns >= wire_conn_attempt_due_ns(conn)) {
        if (is_full(conn)) {
            fd_close(&conn->fds[1 - conn->last_slot]);
        }
        attempt_next(t, conn);
    } else if (has_none) {
        attempt_next(t, conn);
    }
    if (conn->fds[0] < 0 && conn->fds[1] < 0) {
        (void)explain(conn, err);
        return WIRE_FAILED;
    }
    return WIRE_WANTS_WRITE;
}

int64_t
wire_conn_attempt_due_ns(const struct wire_conn *conn)
{
    int64_t patience_ns = is_full(conn) ? GIVE_UP_NS : ATTEMPT_NS;
    return has_address(conn) ? conn->attempt_ns + patience_ns : INT64_MAX;
}

/* ---- keeping ---- */

static bool
is_quiet(const struct wire_conn *conn)
{
    return conn->stream == NULL && conn->events == EPOLLIN;
}

struct wire_conn *
wire_conn_take(struct wire_transport *t, struct wire_origin *origin)
{
    while (!list_is_empty(&origin->kept)) {
        struct wire_conn *conn = CONTAINER_OF(origin->kept.next, struct wire_conn, link);
        list_remove(&conn->link);
        t->kept_count--;
        if (t->now_ns - conn->kept_ns < KEPT_NS_MAX) {
            return conn;
        }
        wire_conn_close(t, conn);
    }
    return NULL;
}

void
wire_conn_keep(struct wire_transport *t, struct wire_conn *conn)
{
    conn->call = NULL;
    conn->was_used = true;
    if (t->kept_count >= t->options.connections_max) {
        wire_conn_close(t, conn);
        return;
    }
    if (!is_quiet(conn)) {
        wire_conn_watch(t, conn, EPOLLIN);
    }
    wire_conn_set_busy(t, conn, false);
    conn->kept_ns = t->now_ns;
    t->kept_count++;
    list_push_front(&conn->origin->kept, &conn->link);
}

void
wire_conn_close(struct wire_transport *t, struct wire_conn *conn)
{
    wire_conn_set_busy(t, conn, false);
    list_remove(&conn->link);
    conn->call = NULL;
    conn->stream = wire_stream_free(conn->stream);
    fd_close(&conn->fds[0]);
    fd_close(&conn->fds[1]);
    list_push(&t->closed, &conn->link);
}

void
wire_conn_free_closed(struct wire_transport *t)
{
    while (!list_is_empty(&t->closed)) {
        mem_give(CONTAINER_OF(list_pop(&t->closed), struct wire_conn, link));
    }
}

void
wire_conn_watch(struct wire_transport *t, struct wire_conn *conn, uint32_t events)
{
    if (conn->events != events) {
        struct epoll_event event = {.events = events, .data.ptr = &conn->source};
        (void)epoll_ctl(t->epoll, EPOLL_CTL_MOD, conn->fds[0], &event);
        conn->events = events;
    }
}

void
wire_conn_set_busy(struct wire_transport *t, struct wire_conn *conn, bool is_busy)
{
    if (conn->is_busy && !is_busy) {
        list_remove(&conn->link);
    } else if (!conn->is_busy && is_busy) {
        list_push(&t->busy, &conn->link);
    }
    conn->is_busy = is_busy;
}

/* ---- moving bytes ---- */

static enum wire_io
failed(struct wire_conn *conn, enum wire_io would_block)
{
    if (errno == EAGAIN || errno == EINTR) {
        return would_block;
    }
    conn->sys = errno;
    return WIRE_FAILED;
}

static enum wire_io
send_plain(struct wire_conn *conn, struct wire_call *call)
{
    const struct http_request *request = call->request;
    size_t head_len = call->head.len;
    size_t all = head_len + request->body_len;
    union {
        const void *from;
        void *to; /* iovec was made for both directions */
    } body = {.from = request->body};
    while (call->sent < all) {
        size_t head_sent = MIN_OF(call->sent, head_len);
        size_t body_sent = call->sent - head_sent;
        struct iovec parts[2] = {
            {.iov_base = call->head.bytes + head_sent, .iov_len = head_len - head_sent},
            {.iov_base = (char *)body.to + body_sent, .iov_len = request->body_len - body_sent}};
        unsigned skipped = parts[0].iov_len == 0 ? 1 : 0;
        struct msghdr message = {.msg_iov = parts + skipped, .msg_iovlen = 2 - skipped};
        message.msg_iovlen -= parts[1].iov_len == 0 ? 1 : 0;
        ssize_t sent = sendmsg(conn->fds[0], &message, MSG_NOSIGNAL);
        if (sent < 0) {
            return failed(conn, WIRE_WANTS_WRITE);
        }
        call->sent += (size_t)sent;
    }
    return WIRE_MOVED;
}

static enum wire_io
send_secure(struct wire_conn *conn, struct wire_call *call)
{
    const struct http_request *request = call->request;
    size_t head_len = call->head.len;
    while (call->sent < head_len + request->body_len) {
        bool is_head = call->sent < head_len;
        const char *from = is_head ? call->head.bytes + call->sent
                                   : (const char *)request->body + (call->sent - head_len);
        size_t len = is_head ? head_len - call->sent : head_len + request->body_len - call->sent;
        size_t sent = 0;
        enum wire_io came =
            wire_stream_write(conn->stream, from, len, is_head && request->body_len > 0, &sent);
        if (came != WIRE_MOVED) {
            return came;
        }
        call->sent += sent;
    }
    return WIRE_MOVED;
}

enum wire_io
wire_conn_send(struct wire_conn *conn, struct wire_call *call)
{
    return conn->stream == NULL ? send_plain(conn, call) : send_secure(conn, call);
}

enum wire_io
wire_conn_receive(struct wire_conn *conn, void *buf, size_t len, size_t *ret_len)
{
    if (conn->stream != NULL) {
        return wire_stream_read(conn->stream, buf, len, ret_len);
    }
    ssize_t got = recv(conn->fds[0], buf, len, 0);
    if (got > 0) {
        *ret_len = (size_t)got;
        return WIRE_MOVED;
    }
    return got == 0 ? WIRE_CLOSED : failed(conn, WIRE_WANTS_READ);
}
