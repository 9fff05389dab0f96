#include "storage/wrap/wrap.h"
#include "tests/support/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_backend.h"

#define OPS 8U

static struct fake_clock fake;
static struct scripted_backend inner;
static int64_t ended_ns[OPS];
static struct blob_op ops[OPS];

static void
on_done(struct blob_op *op)
{
    ended_ns[op - ops] = fake.mono_ns;
}

static struct backend *
make(struct throttle *throttle, uint64_t bytes_per_s)
{
    struct backend *b = NULL;
    struct err err = ERR_NONE;
    fake_clock_init(&fake);
    scripted_backend_init(&inner);
    throttle_init(throttle, bytes_per_s);
    CHECK_OK(throttle_new(&inner.backend, throttle, &fake.clock, &b, &err), &err);
    memset(ended_ns, 0, sizeof ended_ns);
    return b;
}

static void
submit(struct backend *b, unsigned index, uint32_t len)
{
    struct err err = ERR_NONE;
    ops[index] =
        (struct blob_op){.verb = BLOB_WRITE, .name = "a", .len_bytes = len, .done = on_done};
    CHECK_OK(backend_submit(b, &ops[index], &err), &err);
}

static void
run_until_done(struct backend *b, unsigned last)
{
    for (unsigned i = 0; i < 100 && ended_ns[last] == 0; i++) {
        if (backend_poll(b) == 0) {
            int64_t at_ns = backend_next_timer_ns(b);
            CHECK(at_ns != INT64_MAX); /* it would sleep for ever */
            fake_clock_go_to(&fake, at_ns);
        }
    }
    CHECK(ended_ns[last] != 0);
}

/* Eight times 100 bytes at 100 bytes a second: the first at once, then one each second. */
static void
the_rate_is_kept_whatever_is_asked_at_once(void **state)
{
    struct throttle throttle;
    struct backend *b = make(&throttle, 100);
    (void)state;
    for (unsigned i = 0; i < OPS; i++) {
        submit(b, i, 100);
    }
    run_until_done(b, OPS - 1);
    for (unsigned i = 0; i < OPS; i++) {
        CHECK_I64(ended_ns[i], NS_PER_S * (1 + (int64_t)i));
        CHECK_I64(ops[i].throttled_ns, NS_PER_S * (int64_t)i);
    }
    backend_free(b);
}

static void
without_a_rate_nothing_waits(void **state)
{
    struct throttle throttle;
    struct backend *b = make(&throttle, 0);
    (void)state;
    submit(b, 0, UINT32_MAX);
    CHECK_U64(backend_poll(b), 1);
    CHECK_I64(ended_ns[0], NS_PER_S);
    backend_free(b);
}

/* The owner sleeps until the next timer: a cancelled op must not be slept through. */
static void
a_cancelled_op_ends_at_once(void **state)
{
    struct throttle throttle;
    struct backend *b = make(&throttle, 1);
    (void)state;
    submit(b, 0, 1000);
    submit(b, 1, 1000);
    run_until_done(b, 0);
    backend_cancel(b, &ops[1]);
    CHECK(backend_next_timer_ns(b) <= fake.mono_ns);
    CHECK_U64(backend_poll(b), 1);
    CHECK_U64(ops[1].err.code, ERR_INTERRUPTED);
    CHECK_I64(ended_ns[1], NS_PER_S);
    backend_free(b);
}

/* An op whose time came while the inner backend is full has no timer: its owner would spin. */
static void
without_room_the_owner_may_sleep(void **state)
{
    struct throttle throttle;
    struct backend *b = make(&throttle, 1000);
    (void)state;
    submit(b, 0, 1000);
    submit(b, 1, 1000);
    run_until_done(b, 0);
    fake_clock_add(&fake, NS_PER_S);
    inner.refusals = 1;
    CHECK_U64(backend_poll(b), 0);
    CHECK_I64(backend_next_timer_ns(b), INT64_MAX);
    run_until_done(b, 1);
    backend_free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_kept_whatever_is_asked_at_once),
        cmocka_unit_test(without_a_rate_nothing_waits),
        cmocka_unit_test(a_cancelled_op_ends_at_once),
        cmocka_unit_test(without_room_the_owner_may_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
