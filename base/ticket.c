/*
 * A buddy system over one mapping. The free pieces of each size form a stack of page numbers, so
 * that nothing is written into free memory: what was never used is never touched.
 */
#include "base/ticket.h"

#include "base/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ORDER_MAX 40U
#define NOT_FREE  UINT8_MAX

struct pool {
    unsigned char *slab;
    size_t budget_bytes; /* a multiple of POOL_PIECE_MIN */
    size_t used_bytes;
    uint32_t piece_count;
    unsigned order_count; /* sizes POOL_PIECE_MIN << 0 .. << (order_count - 1) */
    uint8_t *free_order;  /* [piece]: order of the free piece beginning here, else NOT_FREE */
    uint32_t *next;       /* [piece]: doubly linked stacks of free pieces */
    uint32_t *prev;
    uint32_t heads[ORDER_MAX]; /* piece + 1; 0: none */
    struct ticket *first_waiting;
    struct ticket **last_waiting;
};

static void
push_free(struct pool *pool, unsigned order, uint32_t piece)
{
    uint32_t head = pool->heads[order];
    pool->free_order[piece] = (uint8_t)order;
    pool->next[piece] = head;
    pool->prev[piece] = 0;
    if (head != 0) {
        pool->prev[head - 1] = piece + 1;
    }
    pool->heads[order] = piece + 1;
}

static void
take_free(struct pool *pool, uint32_t piece)
{
    unsigned order = pool->free_order[piece];
    uint32_t next = pool->next[piece];
    uint32_t prev = pool->prev[piece];
    if (next != 0) {
        pool->prev[next - 1] = prev;
    }
    if (prev != 0) {
        pool->next[prev - 1] = next;
    } else {
        pool->heads[order] = next;
    }
    pool->free_order[piece] = NOT_FREE;
}

enum err_code
pool_new(size_t budget_bytes, struct pool **ret_pool, struct err *err)
{
    size_t pieces = budget_bytes / POOL_PIECE_MIN;
    if (pieces == 0 || pieces >= UINT32_MAX / 2) {
        return err_set(err, ERR_USAGE, "a buffer pool of %zu bytes is not possible", budget_bytes);
    }
    void *slab = mmap(NULL, pieces * POOL_PIECE_MIN, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab == MAP_FAILED) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not map %zu bytes of buffers",
                           pieces * POOL_PIECE_MIN);
    }
    /* Buffers hold customers' bytes: no core dump shows them. */
    (void)madvise(slab, pieces * POOL_PIECE_MIN, MADV_DONTDUMP);
    struct pool *pool = mem_take(sizeof *pool);
    pool->slab = slab;
    pool->budget_bytes = pieces * POOL_PIECE_MIN;
    pool->piece_count = (uint32_t)pieces;
    pool->free_order = mem_take(pieces);
    pool->next = mem_take(pieces * sizeof *pool->next);
    pool->prev = mem_take(pieces * sizeof *pool->prev);
    pool->last_waiting = &pool->first_waiting;
    memset(pool->free_order, NOT_FREE, pieces);
    while (pieces >> pool->order_count != 0) {
        pool->order_count++;
    }
    /* A budget that is no power of two begins as one piece for each of its bits. */
    uint32_t at = 0;
    for (unsigned order = pool->order_count; order-- > 0;) {
        if ((pieces >> order & 1) != 0) {
            push_free(pool, order, at);
            at += UINT32_C(1) << order;
        }
    }
    *ret_pool = pool;
    return ERR_OK;
}

struct pool *
pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return NULL;
    }
    ASSERT(pool->used_bytes == 0);
    (void)munmap(pool->slab, pool->budget_bytes);
    mem_give(pool->free_order);
    mem_give(pool->next);
    mem_give(pool->prev);
    return mem_give(pool);
}

size_t
pool_largest(const struct pool *pool)
{
    return POOL_PIECE_MIN << (pool->order_count - 1);
}

size_t
pool_budget(const struct pool *pool)
{
    return pool->budget_bytes;
}

size_t
pool_used(const struct pool *pool)
{
    return pool->used_bytes;
}

static unsigned
order_of(size_t size_bytes)
{
    unsigned order = 0;
    while (POOL_PIECE_MIN << order < size_bytes) {
        order++;
    }
    return order;
}

/* A piece of the order, splitting a larger one if need be; false if there is none. */
static bool
carve(struct pool *pool, unsigned order, uint32_t *ret_piece)
{
    unsigned from = order;
    while (from < pool->order_count && pool->heads[from] == 0) {
        from++;
    }
    if (from >= pool->order_count) {
        return false;
    }
    uint32_t piece = pool->heads[from] - 1;
    take_free(pool, piece);
    while (from > order) {
        from--;
        push_free(pool, from, piece + (UINT32_C(1) << from));
    }
    *ret_piece = piece;
    return true;
}

static bool
serve(struct pool *pool, struct ticket *ticket)
{
    uint32_t piece = 0;
    if (!carve(pool, order_of(ticket->size_bytes), &piece)) {
        return false;
    }
    ticket->buf = pool->slab + (size_t)piece * POOL_PIECE_MIN;
    pool->used_bytes += ticket->size_bytes;
    return true;
}

enum err_code
pool_take(struct pool *pool, struct ticket *ticket, size_t size_bytes, ticket_granted_fn *granted,
          struct err *err)
{
    if (size_bytes > pool_largest(pool)) {
        return err_set(err, ERR_ITEM_TOO_LARGE,
                       "a buffer of %zu bytes was asked for; the largest is %zu", size_bytes,
                       pool_largest(pool));
    }
    *ticket = (struct ticket){.granted = granted};
    ticket->size_bytes = POOL_PIECE_MIN << order_of(size_bytes);
    if (pool->first_waiting == NULL && serve(pool, ticket)) {
        return ERR_OK;
    }
    ticket->is_waiting = true;
    *pool->last_waiting = ticket;
    pool->last_waiting = &ticket->next;
    return ERR_BUSY;
}

static void
leave_line(struct pool *pool, struct ticket *ticket)
{
    struct ticket **at = &pool->first_waiting;
    while (*at != ticket) {
        ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = ticket->next;
    if (pool->last_waiting == &ticket->next) {
        pool->last_waiting = at;
    }
    ticket->next = NULL;
    ticket->is_waiting = false;
}

static void
merge(struct pool *pool, unsigned order, uint32_t piece)
{
    while (order + 1 < pool->order_count) {
        uint32_t buddy = piece ^ (UINT32_C(1) << order);
        if (buddy >= pool->piece_count || pool->free_order[buddy] != order) {
            break;
        }
        take_free(pool, buddy);
        piece = MIN_OF(piece, buddy);
        order++;
    }
    push_free(pool, order, piece);
}

static void
serve_waiting(struct pool *pool)
{
    while (pool->first_waiting != NULL && serve(pool, pool->first_waiting)) {
        struct ticket *served = pool->first_waiting;
        leave_line(pool, served);
        served->granted(served);
    }
}

void
pool_trim(struct pool *pool, struct ticket *ticket, size_t size_bytes)
{
    ASSERT(ticket->buf != NULL);
    size_t offset = (size_t)((unsigned char *)ticket->buf - pool->slab);
    uint32_t piece = (uint32_t)(offset / POOL_PIECE_MIN);
    unsigned order = order_of(ticket->size_bytes);
    unsigned kept = order_of(size_bytes);
    if (kept >= order) {
        return;
    }
    while (order > kept) {
        order--;
        push_free(pool, order, piece + (UINT32_C(1) << order));
    }
    pool->used_bytes -= ticket->size_bytes - (POOL_PIECE_MIN << kept);
    ticket->size_bytes = POOL_PIECE_MIN << kept;
    serve_waiting(pool);
}

void
pool_give(struct pool *pool, struct ticket *ticket)
{
    if (ticket->is_waiting) {
        leave_line(pool, ticket);
    } else if (ticket->buf != NULL) {
        size_t offset = (size_t)((unsigned char *)ticket->buf - pool->slab);
        pool->used_bytes -= ticket->size_bytes;
        merge(pool, order_of(ticket->size_bytes), (uint32_t)(offset / POOL_PIECE_MIN));
        ticket->buf = NULL;
    }
    serve_waiting(pool);
}
