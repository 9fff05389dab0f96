/*
 * base/ticket.h - buffers from one budget, handed out in order.
 *
 * What is bounded is bytes in flight, whatever their size: a slab is split by halves (buddy
 * system) down to POOL_PIECE_MIN. Who asks first is served first, so a large buffer is never
 * starved by many small ones; freed pieces are reused last-in first-out because warm memory is
 * several times faster than fresh memory.
 *
 *   shape    size is rounded up to a power of two of at least POOL_PIECE_MIN; at most
 *            pool_largest()
 *   units    bytes
 *   owner    the pool owns the memory; a ticket holds at most one buffer
 *   thread   one pool belongs to one thread (each lane has its own)
 *   errors   ERR_BUSY: the ticket waits in line and granted() is called from a later pool_give(),
 *            never from inside pool_take(); ERR_ITEM_TOO_LARGE: it can never be served
 */
#ifndef BASE_TICKET_H
#define BASE_TICKET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_PIECE_MIN ((size_t)4096)

struct ticket;
typedef void(ticket_granted_fn)(struct ticket *ticket);

struct ticket {
    void *buf; /* page aligned; NULL while it waits or holds nothing */
    size_t size_bytes;
    ticket_granted_fn *granted;
    struct ticket *next; /* the pool's */
    bool is_waiting;
};

struct pool;

MUST_USE enum err_code pool_new(size_t budget_bytes, struct pool **ret_pool, struct err *err);
struct pool *pool_free(struct pool *pool);    /* every ticket must have been given back */
size_t pool_largest(const struct pool *pool); /* the largest buffer that can ever be served */
size_t pool_budget(const struct pool *pool);
size_t pool_used(const struct pool *pool);
enum err_code pool_take(struct pool *pool, struct ticket *ticket, size_t size_bytes,
                        ticket_granted_fn *granted, struct err *err);
/* Keep the first size_bytes of what the ticket holds and give the rest back. Serves waiting
 * tickets.
 */
void pool_trim(struct pool *pool, struct ticket *ticket, size_t size_bytes);
/* Also takes a ticket out of the line. Serves waiting tickets (granted() is called from here). */
void pool_give(struct pool *pool, struct ticket *ticket);

#endif
