#include "bench/server/answer.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

const char *
status_words(unsigned status)
{
    static const struct {
        unsigned status;
        const char *words;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {206, "Partial Content"},
        {304, "The condition specified using HTTP conditional header(s) is not met."},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {416, "Range Not Satisfiable"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Server Busy"},
        {507, "Insufficient Storage"},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].status == status) {
            return rows[i].words;
        }
    }
    return "Refused";
}

static const char *
date_of(struct worker *worker)
{
    int64_t now_ns = clock_wall_ns(&clock_system);
    if (now_ns / NS_PER_S != worker->date_s) {
        worker->date_s = now_ns / NS_PER_S;
        (void)clock_format_http(now_ns, worker->date);
    }
    return worker->date;
}

static void
add_number(struct text *out, uint64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add(out, digits + at, sizeof digits - at);
}

static void
add_hex(struct text *out, uint64_t value)
{
    char digits[16];
    for (unsigned i = 0; i < sizeof digits; i++) {
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    }
    text_add(out, digits, sizeof digits);
}

static bool
has_stream(const struct answer *answer)
{
    return !answer->has_length_only && answer->len > 0 && (answer->data != NULL || answer->fd >= 0);
}

/* Where the bytes at body_sent lie in memory, and how many lie there in one piece. */
static const char *
find_bytes(struct conn *conn, uint64_t *ret_len)
{
    const struct answer *answer = &conn->request.answer;
    const struct part *part = &answer->data->parts[conn->part_index];
    uint64_t at = answer->first + conn->body_sent;
    while (at >= conn->part_offset + part->piece->len) {
        conn->part_offset += part->piece->len;
        part = &answer->data->parts[++conn->part_index];
    }
    *ret_len = conn->part_offset + part->piece->len - at;
    return part->piece->bytes + (at - conn->part_offset);
}

static void
add_inline(struct conn *conn)
{
    struct answer *answer = &conn->request.answer;
    char *room = conn->worker->room;
    if (answer->fd >= 0) {
        ssize_t got = pread(answer->fd, room, answer->len, (off_t)answer->first);
        /* A file that shrank: what is missing is never sent, as with any server. */
        text_add(&conn->out, room, got > 0 ? (size_t)got : 0);
        conn->closes = conn->closes || got != (ssize_t)answer->len;
        conn->body_sent = answer->len;
        return;
    }
    while (conn->body_sent < answer->len) {
        uint64_t len = 0;
        const char *bytes = find_bytes(conn, &len);
        len = MIN_OF(len, answer->len - conn->body_sent);
        text_add(&conn->out, bytes, len);
        conn->body_sent += len;
    }
}

void
answer_prepare(struct conn *conn)
{
    struct request *request = &conn->request;
    struct answer *answer = &request->answer;
    struct text *out = &conn->out;
    text_clear(out);
    conn->out_sent = 0;
    conn->body_sent = 0;
    conn->part_index = 0;
    conn->part_offset = 0;
    text_add_str(out, "HTTP/1.1 ");
    add_number(out, answer->status);
    text_add_char(out, ' ');
    text_add_str(out, status_words(answer->status));
    text_add_str(out, "\r\nServer: sallyport-bench\r\nx-ms-version: 2021-12-02\r\n"
                      "x-ms-request-id: ");
    add_hex(out, atomic_fetch_add(&request->site->request_id, 1));
    const char *id = head_find(&request->head, "x-ms-client-request-id");
    if (id != NULL) {
        text_add_str(out, "\r\nx-ms-client-request-id: ");
        text_add_str(out, id);
    }
    text_add_str(out, "\r\nDate: ");
    text_add_str(out, date_of(conn->worker));
    text_add_str(out, "\r\n");
    text_add(out, text_str(&answer->fields), answer->fields.len);
    if (conn->closes) {
        text_add_str(out, "Connection: close\r\n");
    }
    if (answer->status != 304) {
        text_add_str(out, "Content-Length: ");
        add_number(out, answer->len);
        text_add_str(out, "\r\n");
    }
    text_add_str(out, "\r\n");
    if (answer->data == NULL && answer->fd < 0) {
        text_add(out, text_str(&answer->body), answer->body.len);
    }
    unsigned spoilers = 1U << FAULT_RESET | 1U << FAULT_TRUNCATE | 1U << FAULT_CORRUPT;
    if (has_stream(answer) && answer->len <= CONN_INLINE_BYTES &&
        (request->faults.kinds & spoilers) == 0) {
        add_inline(conn);
    }
}

bool
answer_is_sent(const struct conn *conn)
{
    const struct answer *answer = &conn->request.answer;
    return !has_stream(answer) || conn->body_sent >= answer->len;
}

long
answer_send_body(struct conn *conn)
{
    const struct answer *answer = &conn->request.answer;
    uint64_t len = MIN_OF(answer->len, conn->cut_at) - conn->body_sent;
    bool is_corrupt = fault_has(&conn->request.faults, FAULT_CORRUPT);
    uint64_t middle = answer->len / 2;
    const char *bytes = NULL;
    char flipped = 0;
    if (is_corrupt && conn->body_sent <= middle) {
        len = conn->body_sent < middle ? MIN_OF(len, middle - conn->body_sent) : 1;
    }
    if (answer->fd >= 0 && conn->wire.ssl == NULL && !is_corrupt) {
        return wire_send_file(&conn->wire, answer->fd, (off_t)(answer->first + conn->body_sent),
                              len);
    }
    if (answer->fd >= 0) {
        ssize_t got =
            pread(answer->fd, conn->worker->room, MIN_OF(len, (uint64_t)WORKER_ROOM_BYTES),
                  (off_t)(answer->first + conn->body_sent));
        if (got <= 0) {
            return WIRE_ENDED;
        }
        bytes = conn->worker->room;
        len = (uint64_t)got;
    } else {
        uint64_t here = 0;
        bytes = find_bytes(conn, &here);
        len = MIN_OF(len, here);
    }
    if (is_corrupt && conn->body_sent == middle) {
        flipped = (char)(bytes[0] ^ 1);
        bytes = &flipped;
    }
    return wire_send(&conn->wire, bytes, len);
}
