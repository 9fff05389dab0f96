/*
 * bench/server/conn.h - one connection: requests in, answers out, one after the other.
 *
 *   owner    the worker it was given to; struct worker holds what connections of a thread share
 *   thread   the worker's; counters are read by others
 */
#ifndef BENCH_SERVER_CONN_H
#define BENCH_SERVER_CONN_H

#include "base/list.h"
#include "base/mailbox.h"
#include "bench/server/request.h"
#include "bench/server/wire.h"

#define CONN_IN_BYTES     ((size_t)65536)
#define WORKER_ROOM_BYTES ((size_t)262144)
#define CONN_INLINE_BYTES UINT64_C(65536) /* a body up to this goes out with its head */

// clang-format off
#define COUNTER_MAP(X) \
    X(requests) X(puts) X(bytes_in) X(bytes_stored) X(bytes_out) X(refused) X(connections)
// clang-format on
#define COUNTER_AS_FIELD(name) atomic_uint_least64_t name;
struct counters {
    COUNTER_MAP(COUNTER_AS_FIELD)
    atomic_uint_least64_t verbs[VERB_COUNT];
    _Atomic int64_t first_ns; /* CLOCK_MONOTONIC; 0: no request yet */
    _Atomic int64_t last_ns;
};

struct worker {
    struct site *site;
    struct counters counters;
    int epoll_fd;
    struct list conns;
    char *room; /* bodies pass through it */
    struct hmac hmac;
    bool has_hmac;
    SSL_CTX *tls;
    int64_t date_s; /* the second that date shows */
    char date[40];
};

enum conn_state {
    CONN_HANDSHAKE,
    CONN_HEAD,
    CONN_BODY,
    CONN_SEND,
    CONN_MUTE,   /* reads and never answers */
    CONN_LINGER, /* has answered and does not close yet */
};

struct conn {
    struct mail mail; /* to the worker it is given to */
    struct list link;
    struct worker *worker;
    struct wire wire;
    enum conn_state state;
    uint32_t events; /* as epoll knows them */
    size_t in_begin;
    size_t in_end;
    struct request request;
    struct text out; /* head of the answer, and a small body */
    size_t out_sent;
    uint64_t body_sent; /* of what does not stand in out */
    uint32_t part_index;
    uint64_t part_offset;
    uint64_t cut_at;     /* of a body, in or out, where the connection breaks */
    int64_t deadline_ns; /* 0: none */
    bool closes;
    char in[CONN_IN_BYTES];
};

struct conn *conn_new(int fd);
/* The worker takes it over: registers it and lets it run. */
void conn_begin(struct conn *conn, struct worker *worker);
/* Something happened to it; frees it if it is over. */
void conn_turn(struct conn *conn);
struct conn *conn_free(struct conn *conn);

static inline void
counter_add(atomic_uint_least64_t *counter, uint64_t value)
{
    /* Only the worker writes its counters, so no locked instruction is needed. */
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + value, memory_order_relaxed);
}

#endif
