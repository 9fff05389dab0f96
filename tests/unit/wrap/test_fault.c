#include "storage/wrap/wrap.h"
#include "tests/support/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_backend.h"

#define MANY 1000U

static struct fake_clock fake;
static struct scripted_backend inner;
static struct blob_op op;
static unsigned ended;
static unsigned char buf[512];

static void
on_done(struct blob_op *done)
{
    (void)done;
    ended++;
}

static struct backend *
make(const struct fault_options *options)
{
    struct backend *b = NULL;
    struct err err = ERR_NONE;
    fake_clock_init(&fake);
    scripted_backend_init(&inner);
    CHECK_OK(fault_new(&inner.backend, options, &fake.clock, &b, &err), &err);
    return b;
}

/* One op from submit to done; whatever it waits for is jumped to. */
static void
run(struct backend *b, enum blob_verb verb)
{
    struct err err = ERR_NONE;
    ended = 0;
    op = (struct blob_op){
        .verb = verb, .name = "a", .buf = buf, .len_bytes = sizeof buf, .done = on_done};
    CHECK_OK(backend_submit(b, &op, &err), &err);
    for (unsigned i = 0; i < 10 && ended == 0; i++) {
        if (backend_poll(b) == 0) {
            int64_t at_ns = backend_next_timer_ns(b);
            CHECK(at_ns != INT64_MAX);
            fake_clock_go_to(&fake, at_ns);
        }
    }
    CHECK_U64(ended, 1);
    CHECK_U64(op.len_bytes, sizeof buf);
    CHECK_U64(op.frame_count, 0);
}

static unsigned
wrong_bits(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof buf; i++) {
        for (unsigned diff = buf[i] ^ SCRIPTED_BYTE; diff != 0; diff &= diff - 1) {
            count++;
        }
    }
    return count;
}

static void
without_rates_nothing_happens(void **state)
{
    const struct fault_options none = {.seed = 1};
    struct backend *b = make(&none);
    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        run(b, BLOB_READ);
        CHECK_U64(op.err.code, ERR_OK);
        CHECK_U64(wrong_bits(), 0);
    }
    CHECK_I64(fake.mono_ns, NS_PER_S);
    backend_free(b);
}

static void
errors_come_before_the_inner_op_and_are_transient(void **state)
{
    const struct fault_options options = {.seed = 1, .error_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        run(b, BLOB_PUT);
        CHECK_U64(err_class(op.err.code), ERR_CLASS_RETRY);
    }
    CHECK_U64(inner.submits, 0);
    backend_free(b);
}

/* The rate is what it says it is: 100 of 1000, give or take. */
static void
rates_are_kept(void **state)
{
    const struct fault_options options = {.seed = 3, .error_permille = 100};
    struct backend *b = make(&options);
    unsigned errors = 0;
    (void)state;
    for (unsigned i = 0; i < 10 * MANY; i++) {
        run(b, BLOB_PUT);
        errors += op.err.code != ERR_OK;
    }
    CHECK(errors > 800);
    CHECK(errors < 1200);
    backend_free(b);
}

static void
a_lost_answer_hides_what_was_done(void **state)
{
    const struct fault_options options = {.seed = 1, .lost_answer_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    run(b, BLOB_PUT);
    CHECK_U64(inner.submits, 1);
    CHECK_U64(op.err.code, ERR_NETWORK);
    CHECK_TEXT(op.etag, "");
    CHECK_U64(op.checked, BLOB_CHECKED_NO);
    backend_free(b);
}

/* Only a good answer is lost: what the store really said must not turn into something milder. */
static void
a_real_error_is_kept(void **state)
{
    const struct fault_options options = {.seed = 1, .lost_answer_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    scripted_backend_answer(&inner, ERR_STORE_AUTH, "refused");
    run(b, BLOB_PUT);
    CHECK_U64(op.err.code, ERR_STORE_AUTH);
    backend_free(b);
}

static void
a_short_read_ends_early_with_an_error(void **state)
{
    const struct fault_options options = {.seed = 1, .short_read_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    run(b, BLOB_READ);
    CHECK_U64(op.err.code, ERR_NETWORK);
    CHECK(op.moved_bytes < sizeof buf);
    run(b, BLOB_PUT);
    CHECK_U64(op.err.code, ERR_OK);
    backend_free(b);
}

static void
a_torn_write_arrives_in_part(void **state)
{
    const struct fault_options options = {.seed = 1, .torn_write_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    run(b, BLOB_WRITE);
    CHECK_U64(inner.submits, 1);
    CHECK(inner.last_len < sizeof buf);
    CHECK(inner.last_len > 0);
    CHECK_U64(op.err.code, ERR_NETWORK);
    backend_free(b);
}

static void
a_corrupt_read_differs_in_one_bit_and_says_nothing(void **state)
{
    const struct fault_options options = {.seed = 1, .corrupt_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        run(b, BLOB_READ);
        CHECK_U64(op.err.code, ERR_OK);
        CHECK_U64(wrong_bits(), 1);
    }
    backend_free(b);
}

static void
an_item_error_is_a_reads(void **state)
{
    const struct fault_options options = {.seed = 1, .item_error_permille = 1000};
    struct backend *b = make(&options);
    (void)state;
    run(b, BLOB_READ);
    CHECK_U64(op.err.code, ERR_ITEM_IO);
    run(b, BLOB_STAT);
    CHECK_U64(op.err.code, ERR_OK);
    backend_free(b);
}

/* Before the op or after it: both orders of what the store does and what we learn. */
static void
delays_come_on_either_side(void **state)
{
    const struct fault_options options = {
        .seed = 1, .delay_permille = 1000, .delay_max_ns = NS_PER_S};
    struct err err = ERR_NONE;
    unsigned before = 0;
    struct backend *b = make(&options);
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        int64_t began_ns = fake.mono_ns;
        unsigned submits = inner.submits;
        ended = 0;
        op = (struct blob_op){.verb = BLOB_STAT, .name = "a", .done = on_done};
        CHECK_OK(backend_submit(b, &op, &err), &err);
        (void)backend_poll(b);
        CHECK_U64(ended, 0);
        before += inner.submits == submits;
        fake_clock_go_to(&fake, backend_next_timer_ns(b));
        (void)backend_poll(b);
        CHECK_U64(ended, 1);
        CHECK(fake.mono_ns > began_ns);
        CHECK(fake.mono_ns <= began_ns + NS_PER_S);
    }
    CHECK(before > 20);
    CHECK(before < 80);
    backend_free(b);
}

/* A cancelled op ends at once, and says what was done if it was done already. */
static void
a_delayed_op_can_be_cancelled(void **state)
{
    const struct fault_options options = {
        .seed = 1, .delay_permille = 1000, .delay_max_ns = NS_PER_S};
    struct err err = ERR_NONE;
    struct backend *b = make(&options);
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        unsigned submits = inner.submits;
        ended = 0;
        op = (struct blob_op){.verb = BLOB_STAT, .name = "a", .done = on_done};
        CHECK_OK(backend_submit(b, &op, &err), &err);
        (void)backend_poll(b);
        bool was_done = inner.submits > submits;
        backend_cancel(b, &op);
        CHECK(backend_next_timer_ns(b) <= fake.mono_ns);
        (void)backend_poll(b);
        CHECK_U64(ended, 1);
        CHECK_U64(op.err.code, was_done ? ERR_OK : ERR_INTERRUPTED);
    }
    backend_free(b);
}

/* Cancelled while the inner backend has it, an op must not be delayed afterwards. */
static void
a_cancelled_op_is_not_delayed_afterwards(void **state)
{
    const struct fault_options options = {
        .seed = 1, .delay_permille = 1000, .delay_max_ns = NS_PER_S};
    struct err err = ERR_NONE;
    struct backend *b = make(&options);
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        ended = 0;
        op = (struct blob_op){.verb = BLOB_STAT, .name = "a", .done = on_done};
        CHECK_OK(backend_submit(b, &op, &err), &err);
        backend_cancel(b, &op);
        (void)backend_poll(b);
        CHECK_U64(ended, 1);
    }
    CHECK(inner.cancels > 20);
    backend_free(b);
}

/* A failure found once can be looked at again. */
static void
the_same_seed_gives_the_same_run(void **state)
{
    const struct fault_options options = {.seed = 5,
                                          .error_permille = 200,
                                          .lost_answer_permille = 200,
                                          .short_read_permille = 200,
                                          .corrupt_permille = 200,
                                          .delay_permille = 500,
                                          .delay_max_ns = NS_PER_S};
    enum err_code codes[100];
    int64_t ends_ns[100];
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct backend *b = make(&options);
        for (unsigned i = 0; i < 100; i++) {
            run(b, BLOB_READ);
            if (round == 1) {
                CHECK_U64(op.err.code, codes[i]);
                CHECK_I64(fake.mono_ns, ends_ns[i]);
            }
            codes[i] = op.err.code;
            ends_ns[i] = fake.mono_ns;
        }
        backend_free(b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rates_nothing_happens),
        cmocka_unit_test(errors_come_before_the_inner_op_and_are_transient),
        cmocka_unit_test(rates_are_kept),
        cmocka_unit_test(a_lost_answer_hides_what_was_done),
        cmocka_unit_test(a_real_error_is_kept),
        cmocka_unit_test(a_short_read_ends_early_with_an_error),
        cmocka_unit_test(a_torn_write_arrives_in_part),
        cmocka_unit_test(a_corrupt_read_differs_in_one_bit_and_says_nothing),
        cmocka_unit_test(an_item_error_is_a_reads),
        cmocka_unit_test(delays_come_on_either_side),
        cmocka_unit_test(a_delayed_op_can_be_cancelled),
        cmocka_unit_test(a_cancelled_op_is_not_delayed_afterwards),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
