/* bench/server/fault.h: which requests are hit. */
#include "bench/server/fault.h"
#include "tests/support/check.h"

static struct faults faults;

static int
set_up(void **state)
{
    (void)state;
    (void)memset(&faults, 0, sizeof faults);
    return 0;
}

static bool
hits(enum verb verb, enum fault_kind kind)
{
    struct fault_hits found;
    faults_pick(&faults, verb, &found);
    return fault_has(&found, kind);
}

/* A test says "the first three pass, then every second fails, twice" and relies on exactly that. */
static void
after_every_and_count_choose_the_requests(void **state)
{
    static const bool want[] = {0, 0, 0, 0, 1, 0, 1, 0, 0, 0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(faults_add(&faults, "error:after=3:every=2:count=2", &err), &err);
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        CHECK_U64(hits(VERB_PUT_BLOB, FAULT_ERROR), want[i]);
    }
    CHECK_U64(faults_count(&faults, FAULT_ERROR), 2);
}

/* A listing in between must not shift which body is corrupted. */
static void
only_verbs_that_can_be_hit_are_counted(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(faults_add(&faults, "corrupt:every=2", &err), &err);
    CHECK_OK(faults_add(&faults, "busy:verb=list-blobs", &err), &err);
    CHECK(!hits(VERB_GET_BLOB, FAULT_CORRUPT));
    CHECK(hits(VERB_LIST_BLOBS, FAULT_BUSY));
    CHECK(!hits(VERB_PUT_BLOB, FAULT_BUSY));
    CHECK(hits(VERB_GET_BLOB, FAULT_CORRUPT));
}

/* Renewed credentials stay good; other faults go on. */
static void
renewing_ends_expiry_alone(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(faults_add(&faults, "expire", &err), &err);
    CHECK_OK(faults_add(&faults, "throttle:status=503", &err), &err);
    CHECK(hits(VERB_PUT_BLOB, FAULT_EXPIRE));
    faults_renew(&faults);
    CHECK(!hits(VERB_PUT_BLOB, FAULT_EXPIRE));
    CHECK(hits(VERB_PUT_BLOB, FAULT_THROTTLE));
    CHECK_U64(faults.rules[1].status, 503);
}

/* A misspelt fault that does nothing would make a test pass for nothing. */
static void
a_rule_that_makes_no_sense_is_refused(void **state)
{
    static const char *const bad[] = {"",           "bus",           "busy:",
                                      "busy:every", "busy:every=0",  "busy:status=99",
                                      "busy:x=1",   "busy:verb=get", "truncate:verb=put-blob"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err err = ERR_NONE;
        print_message("'%s'\n", bad[i]);
        CHECK_ERR(faults_add(&faults, bad[i], &err), &err, ERR_USAGE);
    }
    CHECK_U64(faults.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(after_every_and_count_choose_the_requests, set_up),
        cmocka_unit_test_setup(only_verbs_that_can_be_hit_are_counted, set_up),
        cmocka_unit_test_setup(renewing_ends_expiry_alone, set_up),
        cmocka_unit_test_setup(a_rule_that_makes_no_sense_is_refused, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
