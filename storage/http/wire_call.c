/*
 * One request on its way. Which state may follow which is the table; what is done in each is
 * decided by what its connection says.
 */
#include "base/arena.h"
#include "base/secret.h"
#include "storage/http/wire.h"

#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#define READS_AT_ONCE 32U
/* Received first of an answer whose body has a place of its own: its head, and little that must be
 * copied from there. */
#define FIRST_BYTES   ((size_t)4096)

#define AS_NAME(id) #id,
static const char *const state_names[] = {WIRE_STATE_MAP(AS_NAME)};
static const char *const event_names[] = {WIRE_EVENT_MAP(AS_NAME)};

// clang-format off
static const uint8_t next_state[WIRE_STATE_COUNT][WIRE_EVENT_COUNT] = {
    [WIRE_NONE]       = {[WIRE_EV_RESOLVE] = WIRE_RESOLVING, [WIRE_EV_CONNECT] = WIRE_CONNECTING, [WIRE_EV_SEND] = WIRE_SENDING, [WIRE_EV_END] = WIRE_ENDED},
    [WIRE_RESOLVING]  = {[WIRE_EV_CONNECT] = WIRE_CONNECTING, [WIRE_EV_END] = WIRE_ENDED},
    [WIRE_CONNECTING] = {[WIRE_EV_SHAKE] = WIRE_SHAKING, [WIRE_EV_SEND] = WIRE_SENDING, [WIRE_EV_END] = WIRE_ENDED},
    [WIRE_SHAKING]    = {[WIRE_EV_SEND] = WIRE_SENDING, [WIRE_EV_END] = WIRE_ENDED},
    [WIRE_SENDING]    = {[WIRE_EV_SENT] = WIRE_RECEIVING, [WIRE_EV_RESOLVE] = WIRE_RESOLVING, [WIRE_EV_CONNECT] = WIRE_CONNECTING, [WIRE_EV_END] = WIRE_ENDED},
    [WIRE_RECEIVING]  = {[WIRE_EV_RESOLVE] = WIRE_RESOLVING, [WIRE_EV_CONNECT] = WIRE_CONNECTING, [WIRE_EV_END] = WIRE_ENDED},
};
// clang-format on

const struct fsm wire_fsm = {
    .name = "wire",
    .state_names = state_names,
    .event_names = event_names,
    .state_count = WIRE_STATE_COUNT,
    .event_count = WIRE_EVENT_COUNT,
    .next = &next_state[0][0],
    .initial = WIRE_NONE,
    .final_states = UINT64_C(1) << WIRE_ENDED,
};

static void
step(struct wire_call *call, enum wire_event event)
{
    unsigned next = fsm_next(&wire_fsm, call->state, event);
    ASSERT(next != WIRE_NONE);
    call->state = (enum wire_state)next;
}

/* ---- the request's head ---- */

static bool
has_length(const struct http_request *request)
{
    return request->body_len > 0 || request->method == HTTP_PUT || request->method == HTTP_POST;
}

static void
add_field(struct text *head, const char *name, const char *value)
{
    text_add_str(head, name);
    text_add(head, ": ", 2);
    text_add_str(head, value);
    text_add(head, "\r\n", 2);
}

/* What could end its line would be somebody else's field. */
static bool
is_one_line(const struct http_header *header)
{
    return strpbrk(header->name, "\r\n") == NULL && strpbrk(header->value, "\r\n") == NULL;
}

static enum err_code
build_head(struct wire_call *call, const char *rest, struct err *err)
{
    const struct http_request *request = call->request;
    struct text *head = &call->head;
    text_clear(head);
    text_add_str(head, http_method_names[request->method]);
    text_add_str(head, rest[0] == '/' ? " " : " /");
    text_add_str(head, rest);
    text_add_str(head, " HTTP/1.1\r\nHost: ");
    const char *host = strstr(text_str(&call->origin->key), "://") + 3;
    text_add_str(head, host);
    text_add(head, "\r\n", 2);
    for (unsigned i = 0; i < request->header_count; i++) {
        if (!is_one_line(&request->headers[i])) {
            return err_set(err, ERR_FORMAT, "a header of the request has more than one line");
        }
        add_field(head, request->headers[i].name, request->headers[i].value);
    }
    if (has_length(request)) {
        text_addf(head, "Content-Length: %zu\r\n", request->body_len);
    }
    text_add(head, "\r\n", 2);
    return head->is_broken ? err_set(err, ERR_FORMAT, "the request's head is too large") : ERR_OK;
}

struct wire_call *
wire_call_take(struct wire_transport *t, struct http_request *request)
{
    struct list *link = list_pop(&t->free_calls);
    struct wire_call *call =
        link == NULL ? mem_take(sizeof *call) : CONTAINER_OF(link, struct wire_call, link);
    struct text head = call->head;
    struct answer answer = call->answer;
    *call = (struct wire_call){.request = request, .head = head, .answer = answer};
    call->began_ns = t->now_ns;
    call->moved_ns = t->now_ns;
    t->in_flight++;
    list_push(&t->calls, &call->link);
    return call;
}

void
wire_call_free(struct wire_call *call)
{
    if (call->head.bytes != NULL) {
        secret_wipe(call->head.bytes, call->head.room);
    }
    text_done(&call->head);
    answer_done(&call->answer);
    mem_give(call);
}

/* ---- its end ---- */

static void
end(struct wire_transport *t, struct wire_call *call)
{
    step(call, WIRE_EV_END);
    call->conn = NULL;
    list_remove(&call->wait);
    list_remove(&call->link);
    list_push(&t->ended, &call->link);
}

void
wire_call_fail(struct wire_transport *t, struct wire_call *call, const struct err *err)
{
    call->request->err = *err;
    if (call->conn != NULL) {
        wire_conn_close(t, call->conn);
    }
    end(t, call);
}

void
wire_call_abandon(struct wire_transport *t, struct wire_call *call, enum err_code code,
                  const char *words)
{
    struct err err = ERR_NONE;
    call->request->status = 0;
    (void)err_set(&err, code, "%s", words);
    wire_call_fail(t, call, &err);
}

static void
finish(struct wire_transport *t, struct wire_call *call, bool has_more)
{
    struct wire_conn *conn = call->conn;
    if (call->answer.may_persist && call->state == WIRE_RECEIVING && !has_more) {
        wire_conn_keep(t, conn);
    } else {
        wire_conn_close(t, conn);
    }
    end(t, call);
}

/* ---- a broken connection ---- */

static bool
may_repeat(const struct wire_call *call)
{
    return call->conn->was_used && !call->answer.has_begun && !call->is_repeated &&
           call->request->method != HTTP_POST;
}

static void
explain_loss(struct wire_call *call, enum wire_io came, struct err *err)
{
    if (came == WIRE_CLOSED) {
        enum err_code code = answer_end(&call->answer, err);
        ASSERT(code != ERR_OK);
        return;
    }
    (void)err_set_sys(err, ERR_NETWORK, call->conn->sys,
                      call->state == WIRE_SENDING ? "the connection was lost while sending"
                                                  : "the connection was lost while receiving");
}

static void start_anew(struct wire_transport *t, struct wire_call *call);

static void
lose(struct wire_transport *t, struct wire_call *call, enum wire_io came)
{
    struct err err = ERR_NONE;
    if (may_repeat(call)) {
        call->is_repeated = true;
        wire_conn_close(t, call->conn);
        call->conn = NULL;
        start_anew(t, call);
        return;
    }
    explain_loss(call, came, &err);
    wire_call_fail(t, call, &err);
}

/* ---- receiving ---- */

static void *
place_for(struct wire_transport *t, const struct wire_call *call, size_t *ret_len)
{
    void *room = answer_room(&call->answer, ret_len);
    if (room == NULL) {
        bool is_large = call->request->body_room > WIRE_SCRATCH_BYTES && !call->answer.has_begun;
        *ret_len = is_large ? FIRST_BYTES : WIRE_SCRATCH_BYTES;
        room = t->scratch;
    }
    return room;
}

/* False: the call has ended. */
static bool
take(struct wire_transport *t, struct wire_call *call, const char *at, size_t len)
{
    struct err err = ERR_NONE;
    size_t taken = len;
    call->moved_ns = t->now_ns;
    if (at != t->scratch) {
        answer_received(&call->answer, len);
    } else if (answer_take(&call->answer, at, len, &taken, &err) != ERR_OK) {
        wire_call_fail(t, call, &err);
        return false;
    }
    if (answer_is_whole(&call->answer)) {
        finish(t, call, taken < len);
        return false;
    }
    return true;
}

static void
on_closed(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    if (call->answer.state == ANSWER_UNTIL_END && answer_end(&call->answer, &err) == ERR_OK) {
        finish(t, call, true);
        return;
    }
    lose(t, call, WIRE_CLOSED);
}

static void
receive(struct wire_transport *t, struct wire_call *call)
{
    struct wire_conn *conn = call->conn;
    for (unsigned i = 0; i < READS_AT_ONCE; i++) {
        size_t room = 0;
        size_t got = 0;
        void *at = place_for(t, call, &room);
        enum wire_io came = wire_conn_receive(conn, at, room, &got);
        if (came == WIRE_CLOSED) {
            on_closed(t, call);
            return;
        }
        if (came == WIRE_FAILED) {
            lose(t, call, came);
            return;
        }
        if (came != WIRE_MOVED) {
            wire_conn_set_busy(t, conn, false);
            return;
        }
        if (!take(t, call, at, got)) {
            return;
        }
        if (got < room && conn->stream == NULL) {
            return; /* what comes now is told by the next event */
        }
    }
    wire_conn_set_busy(t, conn, conn->stream != NULL);
}

/* ---- sending ---- */

static void
send_more(struct wire_transport *t, struct wire_call *call)
{
    struct wire_conn *conn = call->conn;
    size_t before = call->sent;
    enum wire_io came = wire_conn_send(conn, call);
    call->moved_ns = call->sent > before ? t->now_ns : call->moved_ns;
    switch (came) {
    case WIRE_MOVED:
        if (call->request->body_len > 0) {
            call->request->body_sent_ns = clock_mono_ns(t->options.clock);
        }
        step(call, WIRE_EV_SENT);
        wire_conn_watch(t, conn, EPOLLIN);
        return;
    case WIRE_WANTS_READ: wire_conn_watch(t, conn, EPOLLIN); return;
    case WIRE_WANTS_WRITE: wire_conn_watch(t, conn, EPOLLIN | EPOLLOUT); return;
    case WIRE_CLOSED:
    case WIRE_FAILED: break;
    }
    /* Why it does not want more may have been said before it closed. */
    receive(t, call);
    if (call->state == WIRE_SENDING && call->conn == conn) {
        lose(t, call, WIRE_FAILED);
    }
}

static void
begin_sending(struct wire_transport *t, struct wire_call *call)
{
    struct http_request *request = call->request;
    call->sent = 0;
    request->status = 0;
    request->received_bytes = 0;
    request->body_sent_ns = 0;
    answer_begin(&call->answer, request);
    step(call, WIRE_EV_SEND);
    send_more(t, call);
}

/* ---- connecting ---- */

static void
shake(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    switch (wire_stream_shake(call->conn->stream, &err)) {
    case WIRE_MOVED: begin_sending(t, call); return;
    case WIRE_WANTS_READ: wire_conn_watch(t, call->conn, EPOLLIN); return;
    case WIRE_WANTS_WRITE: wire_conn_watch(t, call->conn, EPOLLOUT); return;
    case WIRE_CLOSED:
    case WIRE_FAILED: wire_call_fail(t, call, &err); return;
    }
}

static void
on_connected(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    struct wire_conn *conn = call->conn;
    struct wire_origin *origin = call->origin;
    call->moved_ns = t->now_ns;
    if (!origin->is_secure) {
        begin_sending(t, call);
        return;
    }
    if (wire_stream_new(t->tls, &origin->peer, conn->fds[0], &conn->stream, &err) != ERR_OK) {
        wire_call_fail(t, call, &err);
        return;
    }
    step(call, WIRE_EV_SHAKE);
    shake(t, call);
}

static void
look_at_attempts(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    switch (wire_conn_connect(t, call->conn, &err)) {
    case WIRE_MOVED: on_connected(t, call); return;
    case WIRE_FAILED: wire_call_fail(t, call, &err); return;
    default: t->due_ns = MIN_OF(t->due_ns, wire_conn_attempt_due_ns(call->conn)); return;
    }
}

void
wire_call_connect(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    list_remove(&call->wait);
    call->conn = wire_conn_new(t, call->origin, &err);
    if (call->conn == NULL) {
        wire_call_fail(t, call, &err);
        return;
    }
    call->conn->call = call;
    step(call, WIRE_EV_CONNECT);
    t->due_ns = MIN_OF(t->due_ns, wire_conn_attempt_due_ns(call->conn));
}

static void
start_anew(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    call->began_ns = t->now_ns;
    if (wire_origin_is_ready(t, call->origin, &err)) {
        wire_call_connect(t, call);
    } else if (err.code != ERR_OK) {
        wire_call_fail(t, call, &err);
    } else {
        step(call, WIRE_EV_RESOLVE);
        list_push(&call->origin->waiting, &call->wait);
    }
}

void
wire_call_start(struct wire_transport *t, struct wire_call *call)
{
    struct err err = ERR_NONE;
    const char *rest = NULL;
    call->origin = wire_origin_find(t, call->request->url, &rest, &err);
    if (call->origin == NULL || build_head(call, rest, &err) != ERR_OK) {
        wire_call_fail(t, call, &err);
        return;
    }
    call->conn = wire_conn_take(t, call->origin);
    if (call->conn == NULL) {
        start_anew(t, call);
        return;
    }
    call->conn->call = call;
    begin_sending(t, call);
}

void
wire_call_on_event(struct wire_transport *t, struct wire_call *call, uint32_t events)
{
    struct wire_conn *conn = call->conn;
    switch (call->state) {
    case WIRE_CONNECTING: look_at_attempts(t, call); return;
    case WIRE_SHAKING: shake(t, call); return;
    case WIRE_SENDING:
    case WIRE_RECEIVING: break;
    default: return;
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0) {
        receive(t, call);
    }
    if (call->state == WIRE_SENDING && call->conn == conn) {
        send_more(t, call);
    }
}
