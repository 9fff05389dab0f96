/* How many requests a lane has in flight: less when asked, more blocks only where they pay. */
#include "base/clock.h"
#include "ingest/copy/window.h"
#include "tests/support/check.h"

#define MOST 32U

/* Let blocks arrive for a second, at a rate that depends on how many are in flight. */
static void
run_for_a_second(struct window *window, int64_t *now_ns, uint64_t (*bytes_per_s)(unsigned blocks))
{
    for (int64_t end_ns = *now_ns + NS_PER_S; *now_ns < end_ns;) {
        uint64_t bytes = UINT64_C(1) << 20;
        *now_ns += (int64_t)(bytes * (uint64_t)NS_PER_S / bytes_per_s(window->blocks));
        window_moved(window, bytes, *now_ns);
    }
}

static uint64_t
each_adds(unsigned blocks)
{
    return (uint64_t)blocks * (UINT64_C(50) << 20);
}

static uint64_t
one_is_enough(unsigned blocks)
{
    (void)blocks;
    return UINT64_C(800) << 20;
}

/* Where a path has latency, more blocks in flight bring more bytes: all that is allowed is used. */
static void
blocks_grow_while_more_bytes_arrive(void **state)
{
    struct window window;
    int64_t now_ns = 0;
    (void)state;
    window_init(&window, MOST, WINDOW_BLOCKS_START, now_ns);
    for (int i = 0; i < 5; i++) {
        run_for_a_second(&window, &now_ns, each_adds);
    }
    CHECK_U64(window.blocks, MOST);
}

/* Where one block fills the path, more of them only cost memory: most of the time few are used. */
static void
blocks_go_back_when_they_bring_nothing(void **state)
{
    struct window window;
    int64_t now_ns = 0;
    unsigned most_seen = 0;
    (void)state;
    window_init(&window, MOST, WINDOW_BLOCKS_START, now_ns);
    for (int i = 0; i < 20; i++) {
        run_for_a_second(&window, &now_ns, one_is_enough);
        most_seen = window.blocks > most_seen ? window.blocks : most_seen;
    }
    CHECK(most_seen <= WINDOW_BLOCKS_START + (WINDOW_BLOCKS_START + 1) / 2);
    CHECK_U64(window.blocks_before, WINDOW_BLOCKS_START);
}

/* A storm of refusals within a second is one reason to slow down, not fifty. */
static void
requests_halve_once_a_second(void **state)
{
    struct window window;
    (void)state;
    window_init(&window, MOST, MOST, 0);
    for (int i = 0; i < 50; i++) {
        window_throttled(&window, NS_PER_MS * i);
    }
    CHECK_U64(window.requests, MOST / 2);
    CHECK_U64(window.blocks, MOST / 2);
    window_throttled(&window, 2 * NS_PER_S);
    CHECK_U64(window.requests, MOST / 4);
}

/* However long it lasts, one request stays: it is how we learn that it is over. */
static void
one_request_always_stays(void **state)
{
    struct window window;
    (void)state;
    window_init(&window, MOST, WINDOW_BLOCKS_START, 0);
    for (int64_t s = 0; s < 20; s++) {
        window_throttled(&window, s * 2 * NS_PER_S);
    }
    CHECK_U64(window.requests, 1);
    CHECK_U64(window.blocks, 1);
}

/* Good answers bring the requests back, one for each round of them, and never beyond the most. */
static void
requests_come_back_one_by_one(void **state)
{
    struct window window;
    (void)state;
    window_init(&window, MOST, WINDOW_BLOCKS_START, 0);
    window_throttled(&window, 0);
    for (unsigned i = 0; i < MOST / 2; i++) {
        window_answered(&window);
    }
    CHECK_U64(window.requests, MOST / 2 + 1);
    for (unsigned i = 0; i < MOST * MOST; i++) {
        window_answered(&window);
    }
    CHECK_U64(window.requests, MOST);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_grow_while_more_bytes_arrive),
        cmocka_unit_test(blocks_go_back_when_they_bring_nothing),
        cmocka_unit_test(requests_halve_once_a_second),
        cmocka_unit_test(one_request_always_stays),
        cmocka_unit_test(requests_come_back_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
