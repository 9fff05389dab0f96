#include "bench/server/conn.h"

#include "base/arena.h"
#include "base/clock.h"
#include "bench/server/answer.h"

#include <string.h>
#include <sys/epoll.h>

#define TURN_STEPS 64U /* then others have their turn */

enum step { STEP_AGAIN, STEP_READ, STEP_SEND, STEP_END };

struct conn *
conn_new(int fd)
{
    struct conn *conn = mem_take(sizeof *conn);
    conn->wire.fd = fd;
    return conn;
}

struct conn *
conn_free(struct conn *conn)
{
    list_remove(&conn->link);
    if (conn->worker != NULL) {
        request_done(&conn->request);
    }
    text_done(&conn->out);
    wire_done(&conn->wire);
    mem_give(conn);
    return NULL;
}

void
conn_begin(struct conn *conn, struct worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    conn->worker = worker;
    conn->events = event.events;
    conn->state = worker->tls == NULL ? CONN_HEAD : CONN_HANDSHAKE;
    list_push(&worker->conns, &conn->link);
    request_init(&conn->request, worker->site, worker->has_hmac ? &worker->hmac : NULL);
    counter_add(&worker->counters.connections, 1);
    if (!wire_init(&conn->wire, conn->wire.fd, worker->tls) ||
        epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, conn->wire.fd, &event) != 0) {
        conn_free(conn);
        return;
    }
    conn_turn(conn);
}

static enum step
step_of(long result)
{
    return result == WIRE_WANTS_READ   ? STEP_READ
           : result == WIRE_WANTS_SEND ? STEP_SEND
           : result == WIRE_ENDED      ? STEP_END
                                       : STEP_AGAIN;
}

static void
set_deadline(struct conn *conn, enum fault_kind kind)
{
    unsigned seconds = conn->request.faults.rules[kind]->seconds;
    conn->deadline_ns =
        seconds == 0 ? 0 : clock_mono_ns(&clock_system) + (int64_t)seconds * NS_PER_S;
}

static enum step
begin_request(struct conn *conn)
{
    struct request *request = &conn->request;
    struct counters *counters = &conn->worker->counters;
    int64_t now_ns = clock_mono_ns(&clock_system);
    request_begin(request);
    counter_add(&counters->requests, 1);
    counter_add(&counters->verbs[request->verb], 1);
    if (atomic_load_explicit(&counters->first_ns, memory_order_relaxed) == 0) {
        atomic_store(&counters->first_ns, now_ns);
    }
    conn->closes = request->head.wants_close || request->head.is_chunked ||
                   fault_has(&request->faults, FAULT_SLOW_CLOSE);
    conn->cut_at = UINT64_MAX;
    if (fault_has(&request->faults, FAULT_HANG)) {
        conn->state = CONN_MUTE;
        set_deadline(conn, FAULT_HANG);
        return STEP_AGAIN;
    }
    bool has_body = request->body.left_bytes > 0;
    if (fault_has(&request->faults, FAULT_RESET)) {
        if (!has_body && request->verb != VERB_GET_BLOB) {
            wire_reset(&conn->wire);
            return STEP_END;
        }
        conn->cut_at = has_body ? request->body.left_bytes / 2 : UINT64_MAX;
    }
    if (request->head.expects_continue && has_body) {
        static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";
        (void)wire_send(&conn->wire, words, sizeof words - 1);
    }
    conn->state = CONN_BODY;
    return STEP_AGAIN;
}

static enum step
turn_head(struct conn *conn)
{
    if (conn->in_end > conn->in_begin) {
        long len = head_parse(conn->in + conn->in_begin, conn->in_end - conn->in_begin,
                              &conn->request.head);
        if (len == HEAD_BAD) {
            static const char words[] =
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            (void)wire_send(&conn->wire, words, sizeof words - 1);
            return STEP_END;
        }
        if (len > 0) {
            conn->in_begin += (size_t)len;
            return begin_request(conn);
        }
    }
    conn->in_end -= conn->in_begin;
    (void)memmove(conn->in, conn->in + conn->in_begin, conn->in_end);
    conn->in_begin = 0;
    long got = wire_receive(&conn->wire, conn->in + conn->in_end, sizeof conn->in - conn->in_end);
    conn->in_end += got > 0 ? (size_t)got : 0;
    return step_of(got);
}

static enum step
take_body(struct conn *conn, const char *bytes, size_t len)
{
    request_body_add(&conn->request, bytes, len);
    counter_add(&conn->worker->counters.bytes_in, len);
    if (conn->request.body.got_bytes >= conn->cut_at) {
        wire_reset(&conn->wire);
        return STEP_END;
    }
    return STEP_AGAIN;
}

static enum step
end_body(struct conn *conn)
{
    struct request *request = &conn->request;
    struct counters *counters = &conn->worker->counters;
    request_end(request);
    if (request->answer.status >= 400) {
        counter_add(&counters->refused, 1);
    } else if ((VERBS_PUTS & 1U << request->verb) != 0) {
        counter_add(&counters->puts, 1);
        counter_add(&counters->bytes_stored, request->body.got_bytes);
    }
    if (fault_has(&request->faults, FAULT_LOST_ANSWER)) {
        return STEP_END;
    }
    uint64_t half = request->answer.len / 2;
    if (fault_has(&request->faults, FAULT_RESET) ||
        (fault_has(&request->faults, FAULT_TRUNCATE) && request->answer.len > 0)) {
        conn->cut_at = half;
    }
    answer_prepare(conn);
    conn->state = CONN_SEND;
    return STEP_AGAIN;
}

static enum step
turn_body(struct conn *conn)
{
    struct request *request = &conn->request;
    size_t buffered = conn->in_end - conn->in_begin;
    size_t room = 0;
    if (request->body.left_bytes == 0) {
        return end_body(conn);
    }
    if (buffered > 0) {
        size_t len = (size_t)MIN_OF((uint64_t)buffered, request->body.left_bytes);
        conn->in_begin += len;
        return take_body(conn, conn->in + conn->in_begin - len, len);
    }
    char *into = request_body_room(request, &room);
    if (into == NULL) {
        into = conn->worker->room;
        room = MIN_OF(room, WORKER_ROOM_BYTES);
    }
    long got = wire_receive(&conn->wire, into, room);
    return got > 0 ? take_body(conn, into, (size_t)got) : step_of(got);
}

static enum step
end_answer(struct conn *conn)
{
    struct request *request = &conn->request;
    struct counters *counters = &conn->worker->counters;
    counter_add(&counters->bytes_out, request->answer.has_length_only ? 0 : request->answer.len);
    atomic_store_explicit(&counters->last_ns, clock_mono_ns(&clock_system), memory_order_relaxed);
    if (fault_has(&request->faults, FAULT_SLOW_CLOSE)) {
        set_deadline(conn, FAULT_SLOW_CLOSE);
        conn->state = CONN_LINGER;
        return STEP_AGAIN;
    }
    answer_status(request, 0); /* gives back what was sent */
    conn->state = CONN_HEAD;
    return conn->closes ? STEP_END : STEP_AGAIN;
}

static enum step
turn_send(struct conn *conn)
{
    if (conn->out_sent < conn->out.len) {
        long sent = wire_send(&conn->wire, conn->out.bytes + conn->out_sent,
                              conn->out.len - conn->out_sent);
        conn->out_sent += sent > 0 ? (size_t)sent : 0;
        return step_of(sent);
    }
    if (conn->body_sent >= conn->cut_at) {
        if (fault_has(&conn->request.faults, FAULT_RESET)) {
            wire_reset(&conn->wire);
        }
        return STEP_END;
    }
    if (answer_is_sent(conn)) {
        return end_answer(conn);
    }
    long sent = answer_send_body(conn);
    conn->body_sent += sent > 0 ? (uint64_t)sent : 0;
    return step_of(sent);
}

/* Whatever still comes is read and dropped. */
static enum step
turn_drain(struct conn *conn)
{
    conn->in_begin = conn->in_end = 0;
    return step_of(wire_receive(&conn->wire, conn->worker->room, WORKER_ROOM_BYTES));
}

static enum step
turn_once(struct conn *conn)
{
    long result = 0;
    switch (conn->state) {
    case CONN_HANDSHAKE:
        result = wire_handshake(&conn->wire);
        conn->state = result > 0 ? CONN_HEAD : CONN_HANDSHAKE;
        return step_of(result);
    case CONN_HEAD: return turn_head(conn);
    case CONN_BODY: return turn_body(conn);
    case CONN_SEND: return turn_send(conn);
    case CONN_MUTE:
    case CONN_LINGER: return turn_drain(conn);
    }
    return STEP_END;
}

/*
 * Would the kernel wake us for what comes next? Not for bytes in a buffer of ours, nor for a body
 * that is complete and only waits to be answered.
 */
static bool
may_pause(const struct conn *conn)
{
    bool is_complete = conn->state == CONN_BODY && conn->request.body.left_bytes == 0;
    return !is_complete && conn->in_begin == conn->in_end && !wire_has_pending(&conn->wire);
}

void
conn_turn(struct conn *conn)
{
    enum step step = STEP_AGAIN;
    for (unsigned i = 0; step == STEP_AGAIN; i++) {
        step = turn_once(conn);
        if (step == STEP_AGAIN && i >= TURN_STEPS && may_pause(conn)) {
            step = conn->state == CONN_SEND ? STEP_SEND : STEP_READ;
        }
    }
    if (step == STEP_END) {
        conn_free(conn);
        return;
    }
    uint32_t events = step == STEP_SEND ? EPOLLOUT : EPOLLIN;
    if (events != conn->events) {
        struct epoll_event event = {.events = events, .data.ptr = conn};
        conn->events = events;
        (void)epoll_ctl(conn->worker->epoll_fd, EPOLL_CTL_MOD, conn->wire.fd, &event);
    }
}
