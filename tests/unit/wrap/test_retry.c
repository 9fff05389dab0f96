#include "storage/wrap/wrap.h"
#include "tests/support/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_backend.h"

#define GIVE_UP_NS (2 * NS_PER_S)

static struct fake_clock fake;
static struct storm storm;
static struct scripted_backend inner;
static struct backend *retry;
static struct blob_op op;
static unsigned ended;
static char buf[64];

static void
on_done(struct blob_op *done)
{
    (void)done;
    ended++;
}

static int
make(void **state)
{
    const struct retry_options options = {.patience = {.delay_min_ns = 100 * NS_PER_MS,
                                                       .delay_max_ns = 300 * NS_PER_MS,
                                                       .give_up_ns = GIVE_UP_NS},
                                          .storm = &storm,
                                          .seed = 7};
    struct err err = ERR_NONE;
    (void)state;
    fake_clock_init(&fake);
    scripted_backend_init(&inner);
    storm_init(&storm);
    ended = 0;
    op = (struct blob_op){
        .verb = BLOB_READ, .name = "a", .buf = buf, .len_bytes = sizeof buf, .done = on_done};
    return retry_new(&inner.backend, &options, &fake.clock, &retry, &err) == ERR_OK ? 0 : 1;
}

static int
unmake(void **state)
{
    (void)state;
    retry = backend_free(retry);
    storm_done(&storm);
    return inner.frees == 1 ? 0 : 1;
}

static void
submit(void)
{
    struct err err = ERR_NONE;
    CHECK_OK(backend_submit(retry, &op, &err), &err);
}

/* Poll, and where nothing happens jump to the next timer; the waits are left in waits[]. */
static unsigned
run_until_done(int64_t *waits, unsigned room)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 200 && ended == 0; i++) {
        if (backend_poll(retry) > 0) {
            continue;
        }
        int64_t at_ns = backend_next_timer_ns(retry);
        CHECK(at_ns != INT64_MAX);   /* it would sleep for ever */
        CHECK(at_ns > fake.mono_ns); /* it would spin */
        CHECK(count < room);
        waits[count++] = at_ns - fake.mono_ns;
        fake_clock_go_to(&fake, at_ns);
    }
    CHECK_U64(ended, 1);
    return count;
}

static void
a_transient_error_is_tried_again(void **state)
{
    int64_t waits[4] = {0};
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    scripted_backend_answer(&inner, ERR_TIMEOUT, "no answer");
    submit();
    CHECK_U64(run_until_done(waits, COUNT_OF(waits)), 2);
    CHECK_U64(op.err.code, ERR_OK);
    CHECK_U64(inner.submits, 3);
    CHECK_U64(op.frame_count, 0);
    CHECK_U64(op.throttled_count, 0);
    CHECK_I64(op.throttled_ns, waits[0] + waits[1]);
}

/* 100, 200 and then 300 ms, of which up to a half is taken off by chance. */
static void
waits_double_up_to_a_limit_with_jitter(void **state)
{
    static const int64_t most[] = {100 * NS_PER_MS, 200 * NS_PER_MS, 300 * NS_PER_MS};
    int64_t waits[4] = {0};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    }
    submit();
    CHECK_U64(run_until_done(waits, COUNT_OF(waits)), COUNT_OF(most));
    for (unsigned i = 0; i < COUNT_OF(most); i++) {
        CHECK(waits[i] <= most[i]);
        CHECK(waits[i] >= most[i] / 2);
    }
    CHECK(waits[0] != most[0] || waits[1] != most[1]); /* chance has a part in it */
}

static void
fail_for_ever(enum err_code code, const char *text)
{
    while (inner.answer_count < SCRIPTED_MAX) {
        scripted_backend_answer(&inner, code, text);
    }
}

/* A person sees one line for the request, not one for each try. */
static void
after_the_last_try_one_text_tells_all(void **state)
{
    int64_t waits[SCRIPTED_MAX] = {0};
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection refused");
    fail_for_ever(ERR_TIMEOUT, "no answer in 20 s");
    submit();
    int64_t began_ns = fake.mono_ns;
    (void)run_until_done(waits, COUNT_OF(waits));
    CHECK_U64(op.err.code, ERR_TIMEOUT);
    CHECK_I64(op.err.retries, inner.submits - 1);
    CHECK_HAS(op.err.text, "connection refused (tried ");
    CHECK_HAS(op.err.text, " times in 2s; at last: no answer in 20 s)");
    CHECK_U64(op.throttled_count, 0);
    CHECK(fake.mono_ns - began_ns >= GIVE_UP_NS);
    CHECK(fake.mono_ns - began_ns < GIVE_UP_NS + 300 * NS_PER_MS);
}

static void
the_same_cause_is_told_once(void **state)
{
    int64_t waits[SCRIPTED_MAX] = {0};
    (void)state;
    fail_for_ever(ERR_THROTTLED, "slow down");
    submit();
    (void)run_until_done(waits, COUNT_OF(waits));
    CHECK_HAS(op.err.text, "slow down (tried ");
    CHECK_HAS(op.err.text, " times in 2s)");
    CHECK_U64(op.throttled_count, inner.submits);
}

/*
 * Of many requests to a store that refuses some, one will be refused ten times in a row. That is
 * no reason to end as long as others succeed.
 */
static void
a_request_is_not_given_up_while_others_succeed(void **state)
{
    struct blob_op other = op;
    struct err err = ERR_NONE;
    int64_t began_ns = fake.mono_ns;
    unsigned tries = 0;
    (void)state;
    submit();
    while (fake.mono_ns - began_ns < 10 * GIVE_UP_NS) {
        scripted_backend_answer(&inner, ERR_STORE_BUSY, "server busy");
        (void)backend_poll(retry); /* sends ours again, and refuses it */
        CHECK_U64(ended, 0);
        tries++;
        other.done = on_done;
        CHECK_OK(backend_submit(retry, &other, &err), &err);
        (void)backend_poll(retry); /* takes the other */
        CHECK_U64(ended, 1);
        ended = 0;
        inner.answer_count = inner.answered = 0;
        fake_clock_go_to(&fake, MAX_OF(backend_next_timer_ns(retry), fake.mono_ns));
    }
    (void)backend_poll(retry);
    CHECK_U64(ended, 1);
    CHECK_OK(op.err.code, &op.err);
    CHECK(tries > 60);
}

/* What was survived is told once for the whole copy, with the first cause and the last. */
static void
a_storm_is_folded_into_one_message(void **state)
{
    int64_t waits[8] = {0};
    struct err notice = ERR_NONE;
    (void)state;
    CHECK(!storm_fold(&storm, &notice));
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    scripted_backend_answer(&inner, ERR_STORE_BUSY, "server busy");
    scripted_backend_answer(&inner, ERR_THROTTLED, "slow down");
    submit();
    CHECK_U64(run_until_done(waits, COUNT_OF(waits)), 3);
    CHECK_OK(op.err.code, &op.err);
    CHECK(storm_fold(&storm, &notice));
    CHECK_U64(notice.code, ERR_NETWORK);
    CHECK_HAS(notice.text, "3 requests failed for a moment within ");
    CHECK_HAS(notice.text, "; first: connection lost; last: slow down");
    CHECK_U64(storm.retries, 3);
    CHECK_U64(storm.throttled, 2);
}

/* What the store asks for goes before our own guess and is waited for in full, with some jitter
 * behind it, so that not all come back at once; but not longer than the user is patient. */
static void
retry_after_goes_first_up_to_the_patience(void **state)
{
    int64_t waits[4] = {0};
    (void)state;
    scripted_backend_answer(&inner, ERR_THROTTLED, "slow down");
    scripted_backend_answer(&inner, ERR_THROTTLED, "slow down");
    inner.answers[0].retry_after_ns = 1200 * NS_PER_MS;
    inner.answers[1].retry_after_ns = 3600 * NS_PER_S;
    submit();
    CHECK_U64(run_until_done(waits, COUNT_OF(waits)), 2);
    CHECK(waits[0] > 1200 * NS_PER_MS);
    CHECK(waits[0] <= 1500 * NS_PER_MS);
    CHECK(waits[1] >= GIVE_UP_NS);
    CHECK(waits[1] <= GIVE_UP_NS + 300 * NS_PER_MS);
    CHECK_U64(op.throttled_count, 2);
}

/* Results of a failed try must not be taken for those of the one that succeeds. */
static void
results_are_cleared_before_each_try(void **state)
{
    int64_t waits[4] = {0};
    (void)state;
    scripted_backend_answer(&inner, ERR_THROTTLED, "slow down");
    inner.answers[0].retry_after_ns = NS_PER_MS;
    submit();
    (void)run_until_done(waits, COUNT_OF(waits));
    CHECK(!inner.was_dirty);
    CHECK_I64(op.retry_after_ns, 0);
    CHECK_U64(op.err.code, ERR_OK);
}

/* For a WRITE "all zero" is part of the request: without it, garbage would be stored. */
static void
a_write_of_zeros_stays_one(void **state)
{
    int64_t waits[4] = {0};
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    op.verb = BLOB_WRITE;
    op.is_zero = true;
    submit();
    (void)run_until_done(waits, COUNT_OF(waits));
    CHECK(op.is_zero);
}

static void
other_errors_end_the_op_at_once(void **state)
{
    int64_t waits[4] = {0};
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    scripted_backend_answer(&inner, ERR_STORE_AUTH, "refused");
    submit();
    CHECK_U64(run_until_done(waits, COUNT_OF(waits)), 1);
    CHECK_U64(op.err.code, ERR_STORE_AUTH);
    CHECK_TEXT(op.err.text, "refused");
    CHECK_I64(op.err.retries, 1);
}

static void
a_waiting_op_can_be_cancelled(void **state)
{
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    submit();
    CHECK_U64(backend_poll(retry), 1);
    CHECK_U64(ended, 0);
    backend_cancel(retry, &op);
    CHECK_U64(ended, 0); /* never inside cancel */
    CHECK(backend_next_timer_ns(retry) <= fake.mono_ns);
    CHECK_U64(backend_poll(retry), 1);
    CHECK_U64(ended, 1);
    CHECK_U64(op.err.code, ERR_INTERRUPTED);
    CHECK_HAS(op.err.text, "connection lost");
    CHECK_U64(inner.submits, 1);
}

/* The inner backend is asked to hurry; what it says then is not tried again. */
static void
an_op_cancelled_on_its_way_is_not_tried_again(void **state)
{
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    submit();
    backend_cancel(retry, &op);
    CHECK_U64(inner.cancels, 1);
    (void)backend_poll(retry);
    (void)backend_poll(retry);
    CHECK_U64(ended, 1);
    CHECK_U64(op.err.code, ERR_INTERRUPTED);
    CHECK_U64(inner.submits, 1);
}

/* No room is not a try; and until there is some, there is nothing to wake up for. */
static void
no_room_is_waited_for_without_spinning(void **state)
{
    (void)state;
    scripted_backend_answer(&inner, ERR_NETWORK, "connection lost");
    submit();
    (void)backend_poll(retry);
    fake_clock_add(&fake, NS_PER_S);
    inner.refusals = 2;
    for (unsigned i = 0; i < 2; i++) {
        CHECK_U64(backend_poll(retry), 0);
        CHECK_U64(ended, 0);
        CHECK_I64(backend_next_timer_ns(retry), INT64_MAX);
    }
    (void)backend_poll(retry);
    CHECK_U64(ended, 1);
    CHECK_U64(inner.submits, 2);
    CHECK_U64(op.err.code, ERR_OK);
}

static void
busy_is_passed_on(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    inner.refusals = 1;
    CHECK_ERR(backend_submit(retry, &op, &err), &err, ERR_BUSY);
    CHECK_U64(op.frame_count, 0);
    CHECK(op.done == on_done);
    submit();
    (void)backend_poll(retry);
    CHECK_U64(ended, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        T(a_transient_error_is_tried_again),
        T(waits_double_up_to_a_limit_with_jitter),
        T(after_the_last_try_one_text_tells_all),
        T(the_same_cause_is_told_once),
        T(a_request_is_not_given_up_while_others_succeed),
        T(a_storm_is_folded_into_one_message),
        T(retry_after_goes_first_up_to_the_patience),
        T(results_are_cleared_before_each_try),
        T(a_write_of_zeros_stays_one),
        T(other_errors_end_the_op_at_once),
        T(a_waiting_op_can_be_cancelled),
        T(an_op_cancelled_on_its_way_is_not_tried_again),
        T(no_room_is_waited_for_without_spinning),
        T(busy_is_passed_on),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
