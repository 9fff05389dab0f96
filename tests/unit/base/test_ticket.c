#include "base/list.h"
#include "base/ticket.h"
#include "tests/support/check.h"

#define TICKETS 64U

struct user {
    struct ticket ticket;
    unsigned order; /* when it was served */
};

static unsigned served;

static void
on_granted(struct ticket *ticket)
{
    CONTAINER_OF(ticket, struct user, ticket)->order = ++served;
}

static struct pool *
make(size_t bytes)
{
    struct pool *pool = NULL;
    struct err err = ERR_NONE;
    CHECK_OK(pool_new(bytes, &pool, &err), &err);
    return pool;
}

/* Buffers that overlap would mix two items' bytes. */
static void
buffers_never_overlap(void **state)
{
    struct pool *pool = make(300 * POOL_PIECE_MIN);
    static struct user users[TICKETS];
    struct err err = ERR_NONE;
    uint32_t random = 7;
    (void)state;
    memset(users, 0, sizeof users);
    for (unsigned round = 0; round < 20000; round++) {
        random = random * 1664525U + 1013904223U;
        unsigned i = random >> 26;
        struct ticket *ticket = &users[i].ticket;
        if (ticket->buf != NULL) {
            CHECK_U64(*(unsigned char *)ticket->buf, i);
            CHECK_U64(((unsigned char *)ticket->buf)[ticket->size_bytes - 1], i);
            if (random % 3 == 0) { /* keep some of it */
                pool_trim(pool, ticket, (random >> 8) % ticket->size_bytes + 1);
                ((unsigned char *)ticket->buf)[ticket->size_bytes - 1] = (unsigned char)i;
            } else {
                pool_give(pool, ticket);
            }
            continue;
        }
        if (ticket->is_waiting) {
            pool_give(pool, ticket);
            continue;
        }
        size_t size = (size_t)1 << (10 + (random >> 8) % 10);
        if (pool_take(pool, ticket, size, on_granted, &err) == ERR_OK) {
            ((unsigned char *)ticket->buf)[0] = (unsigned char)i;
            ((unsigned char *)ticket->buf)[ticket->size_bytes - 1] = (unsigned char)i;
        } else {
            pool_give(pool, ticket); /* leave the line: what is granted later has no bytes set */
        }
    }
    for (unsigned i = 0; i < TICKETS; i++) {
        pool_give(pool, &users[i].ticket);
    }
    CHECK_U64(pool_used(pool), 0);
    pool_free(pool);
}

/* Who asks for much must not wait for ever while others take little. */
static void
a_large_request_is_not_overtaken(void **state)
{
    struct pool *pool = make(4 * POOL_PIECE_MIN);
    struct user small = {0};
    struct user large = {0};
    struct user late = {0};
    struct err err = ERR_NONE;
    (void)state;
    served = 0;
    CHECK_OK(pool_take(pool, &small.ticket, POOL_PIECE_MIN, on_granted, &err), &err);
    CHECK_U64(pool_take(pool, &large.ticket, 4 * POOL_PIECE_MIN, on_granted, &err), ERR_BUSY);
    CHECK_U64(pool_take(pool, &late.ticket, POOL_PIECE_MIN, on_granted, &err), ERR_BUSY);
    pool_give(pool, &small.ticket);
    CHECK_U64(large.order, 1);
    CHECK(late.ticket.buf == NULL);
    pool_give(pool, &large.ticket);
    CHECK_U64(late.order, 2);
    pool_give(pool, &late.ticket);
    pool_free(pool);
}

/* What a compressed block does not need any more serves the next one in line. */
static void
what_is_trimmed_serves_the_next(void **state)
{
    struct pool *pool = make(8 * POOL_PIECE_MIN);
    struct user first = {0};
    struct user next = {0};
    struct err err = ERR_NONE;
    (void)state;
    served = 0;
    CHECK_OK(pool_take(pool, &first.ticket, 8 * POOL_PIECE_MIN, on_granted, &err), &err);
    CHECK_U64(pool_take(pool, &next.ticket, 4 * POOL_PIECE_MIN, on_granted, &err), ERR_BUSY);
    pool_trim(pool, &first.ticket, 4 * POOL_PIECE_MIN + 1); /* half of it is not free yet */
    CHECK_U64(pool_used(pool), 8 * POOL_PIECE_MIN);
    CHECK(next.ticket.buf == NULL);
    ASSERT(first.ticket.buf != NULL);
    memset(first.ticket.buf, 'a', POOL_PIECE_MIN);
    pool_trim(pool, &first.ticket, POOL_PIECE_MIN);
    CHECK_U64(next.order, 1);
    CHECK_U64(pool_used(pool), 5 * POOL_PIECE_MIN);
    ASSERT(next.ticket.buf != NULL);
    memset(next.ticket.buf, 'b', 4 * POOL_PIECE_MIN);
    CHECK_U64(((char *)first.ticket.buf)[POOL_PIECE_MIN - 1], 'a');
    pool_trim(pool, &first.ticket, 2 * POOL_PIECE_MIN); /* it never grows */
    CHECK_U64(first.ticket.size_bytes, POOL_PIECE_MIN);
    pool_give(pool, &first.ticket);
    pool_give(pool, &next.ticket);
    CHECK_OK(pool_take(pool, &first.ticket, 8 * POOL_PIECE_MIN, on_granted, &err), &err);
    pool_give(pool, &first.ticket);
    pool_free(pool);
}

static void
what_can_never_be_served_is_said_at_once(void **state)
{
    struct pool *pool = make(6 * POOL_PIECE_MIN);
    struct user user = {0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_U64(pool_largest(pool), 4 * POOL_PIECE_MIN);
    CHECK_ERR(pool_take(pool, &user.ticket, 5 * POOL_PIECE_MIN, on_granted, &err), &err,
              ERR_ITEM_TOO_LARGE);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_never_overlap),
        cmocka_unit_test(a_large_request_is_not_overtaken),
        cmocka_unit_test(what_is_trimmed_serves_the_next),
        cmocka_unit_test(what_can_never_be_served_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
