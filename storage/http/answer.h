/*
 * storage/http/answer.h - an answer of HTTP/1.1 taken apart while it arrives, in pieces of any
 * length.
 *
 * The hardest thing: where an answer ends decides what the next one on the connection is, so
 * whatever may be read in two ways is refused: a second Content-Length, one beside a
 * Transfer-Encoding, a coding other than chunked, folded lines, lines that end without CR, blanks
 * before a colon. Interim answers (1xx) are passed over; trailers are dropped.
 *
 *   shape    one line at most ANSWER_LINE_MAX, all lines together ANSWER_HEAD_MAX bytes; nothing of
 *            a body is kept here
 *   owner    the request and what it points to are borrowed from begin to the end of the answer;
 *            answer_done() frees the line that was not whole
 *   thread   one
 *   errors   ERR_FORMAT: not HTTP/1.1, or larger than it may be, or its body was not wanted;
 *            ERR_NETWORK: damaged chunks, which another try may bring whole
 *   source   RFC 9112: 2.2, 4, 5, 6 and 7; RFC 9110: 6.4.1, 15.2
 */
#ifndef STORAGE_HTTP_ANSWER_H
#define STORAGE_HTTP_ANSWER_H

#include "base/fsm.h"
#include "base/text.h"
#include "storage/http/transport.h"

#define ANSWER_LINE_MAX ((size_t)32 * 1024)
#define ANSWER_HEAD_MAX ((size_t)256 * 1024)

// clang-format off
#define ANSWER_STATE_MAP(X)                                                                        \
    X(NONE)                                                                                        \
    X(STATUS)     /* waiting for a status line */                                                  \
    X(INTERIM)    /* lines of a 1xx */                                                             \
    X(FIELDS)                                                                                      \
    X(LENGTH)     /* a body of known length */                                                     \
    X(UNTIL_END)  /* a body that the end of the connection ends */                                 \
    X(SIZE)       /* the line before a chunk */                                                    \
    X(CHUNK)                                                                                       \
    X(CHUNK_END)  /* the empty line behind it */                                                   \
    X(TRAILERS)                                                                                    \
    X(WHOLE)                                                                                       \
    X(BROKEN)
#define ANSWER_EVENT_MAP(X)                                                                        \
    X(BEGIN) X(INTERIM) X(FINAL) X(EMPTY) X(LENGTH) X(CHUNKED) X(UNTIL_END) X(CHUNK) X(LAST)       \
    X(MOVED) X(LINE) X(BREAK)
// clang-format on
#define ANSWER_AS_STATE(id) ANSWER_##id,
#define ANSWER_AS_EVENT(id) ANSWER_EV_##id,
enum answer_state { ANSWER_STATE_MAP(ANSWER_AS_STATE) ANSWER_STATE_COUNT };
enum answer_event { ANSWER_EVENT_MAP(ANSWER_AS_EVENT) ANSWER_EVENT_COUNT };
extern const struct fsm answer_fsm;

struct answer {
    struct http_request *request;
    enum answer_state state;
    bool has_begun;   /* a byte of it is here */
    bool may_persist; /* the connection can be used for another request behind it */
    bool is_old;      /* HTTP/1.0 */
    bool has_length;
    bool is_chunked;
    uint64_t left;     /* of the body, or of the chunk */
    size_t head_bytes; /* of all lines so far */
    struct text line;  /* the beginning of one that is not whole */
};

/* The answer to request; may be called again for another. */
void answer_begin(struct answer *answer, struct http_request *request);
void answer_done(struct answer *answer);

/* Take what has arrived; the request's status, on_header and body are served. *ret_taken says how
 * many bytes were the answer's: fewer than len only if it is whole, or an error. */
MUST_USE enum err_code answer_take(struct answer *answer, const char *bytes, size_t len,
                                   size_t *ret_taken, struct err *err);
/* Where the next bytes of the connection may be received to, so that they need not be copied from
 * there: a part of the request's body_buf. NULL: only answer_take() can tell what they are. */
void *answer_room(const struct answer *answer, size_t *ret_len);
/* len bytes were received there. */
void answer_received(struct answer *answer, size_t len);
/* The connection has ended: is that the end of the answer too? */
MUST_USE enum err_code answer_end(struct answer *answer, struct err *err);

static inline bool
answer_is_whole(const struct answer *answer)
{
    return answer->state == ANSWER_WHOLE;
}

#endif
