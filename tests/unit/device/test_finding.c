/* Groups of findings, what they come to, and how they are told. */
#include "ingest/device/finding.h"
#include "tests/support/check.h"

static int
begin(void **state)
{
    static struct finding_set set;
    finding_set_init(&set);
    *state = &set;
    return 0;
}

static int
end(void **state)
{
    finding_set_done(*state);
    return 0;
}

static void
add(struct finding_set *set, enum finding_code code, bool is_settled, const char *path)
{
    finding_add(
        set, &(struct finding){.code = code, .is_settled = is_settled, .path = path, .bytes = 10});
}

/* A person reads causes, not files: the same cause is one group however often it is met. */
static void
one_cause_is_one_group_with_its_first_examples(void **state)
{
    struct finding_set *set = *state;
    char path[8];
    for (int i = 0; i < 9; i++) {
        (void)snprintf(path, sizeof path, "f%d", i);
        add(set, FINDING_REPARSE_POINT, false, path);
    }
    CHECK_U64(set->group_count, 1);
    CHECK_U64(set->groups[0].count, 9);
    CHECK_U64(set->groups[0].bytes, 90);
    CHECK_U64(set->groups[0].example_count, FINDING_EXAMPLES_MAX);
    CHECK_TEXT(set->groups[0].examples[4], "f4");
}

/* What a plan has settled for one file still halts for another: two causes, two groups. */
static void
settled_and_halting_findings_of_a_code_are_apart(void **state)
{
    struct finding_set *set = *state;
    add(set, FINDING_ROOT_FILE, true, "mapped");
    add(set, FINDING_ROOT_FILE, false, "stray");
    CHECK_U64(set->group_count, 2);
    CHECK_U64(finding_halting(set, FINDING_ROOT_FILE)->count, 1);
    CHECK_TEXT(finding_halting(set, FINDING_ROOT_FILE)->examples[0], "stray");
}

/* Class and halt are independent: only a cause halts. */
static void
the_verdict_is_that_of_the_worst_group(void **state)
{
    struct finding_set *set = *state;
    CHECK_TEXT(finding_verdict_name(finding_verdict(set)), "clean");
    add(set, FINDING_NAME_ENDING, false, "a.");
    CHECK_TEXT(finding_verdict_name(finding_verdict(set)), "warnings");
    finding_add(set, &(struct finding){.code = FINDING_CASE_COLLISION, .cls = FINDING_CRITICAL});
    CHECK_TEXT(finding_verdict_name(finding_verdict(set)), "warnings");
    add(set, FINDING_FOLDER_DISALLOWED, false, "rg_MDisk/x");
    CHECK_TEXT(finding_verdict_name(finding_verdict(set)), "halt");
}

/* Threads find in any order; what is told is the same each time. */
static void
merged_sets_are_in_one_order(void **state)
{
    struct finding_set *set = *state;
    struct finding_set other;
    finding_set_init(&other);
    add(set, FINDING_NAME_ENDING, false, "z.");
    add(&other, FINDING_NAME_ENDING, false, "a.");
    add(&other, FINDING_ROOT_FILE, false, "stray");
    finding_set_merge(set, &other);
    finding_set_done(&other);
    finding_set_sort(set);
    CHECK_U64(set->group_count, 2);
    CHECK_U64(set->groups[0].code, FINDING_ROOT_FILE);
    CHECK_U64(set->groups[1].count, 2);
    CHECK_TEXT(set->groups[1].examples[0], "a.");
}

/* The event's members are a contract; a path that is not UTF-8 is Base64. */
static void
a_finding_is_told_with_all_its_members(void **state)
{
    struct finding_set *set = *state;
    struct fix_step fix = {.kind = FIX_SKIP, .code = FINDING_REPARSE_POINT};
    struct json json;
    AUTO_TEXT out = TEXT_INIT;
    add(set, FINDING_REPARSE_POINT, false, "a\xff");
    json_init(&json, &out);
    json_object_begin(&json);
    finding_json(&set->groups[0], &fix, &json);
    json_object_end(&json);
    CHECK_TEXT(
        text_str(&out),
        "{\"code\":\"REPARSE_POINT_ERROR\",\"class\":\"critical\",\"halt\":\"wrong-format\","
        "\"count\":1,\"bytes\":10,\"examples\":[{\"b64\":\"Yf8=\"}],\"who\":\"customer\","
        "\"needs_access\":true,\"fix\":{\"step\":\"skip\",\"code\":\"REPARSE_POINT_ERROR\"}}");
}

/* What halts nothing needs nobody's access. */
static void
a_settled_finding_needs_no_access(void **state)
{
    struct finding_set *set = *state;
    struct json json;
    AUTO_TEXT out = TEXT_INIT;
    add(set, FINDING_REPARSE_POINT, true, "link");
    json_init(&json, &out);
    json_object_begin(&json);
    finding_json(&set->groups[0], NULL, &json);
    json_object_end(&json);
    CHECK_HAS(text_str(&out), "\"halt\":null");
    CHECK_HAS(text_str(&out), "\"needs_access\":false,\"fix\":null");
}

/* An example is there to be read, and a hostile path has a megabyte. */
static void
examples_are_bounded(void **state)
{
    struct finding_set *set = *state;
    AUTO_TEXT path = TEXT_INIT;
    for (int i = 0; i < 20000; i++) {
        text_add_char(&path, 'x');
    }
    add(set, FINDING_NAME_LENGTH, false, text_str(&path));
    CHECK_U64(strlen(set->groups[0].examples[0]), 8192);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_cause_is_one_group_with_its_first_examples, begin, end),
        cmocka_unit_test_setup_teardown(settled_and_halting_findings_of_a_code_are_apart, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_verdict_is_that_of_the_worst_group, begin, end),
        cmocka_unit_test_setup_teardown(merged_sets_are_in_one_order, begin, end),
        cmocka_unit_test_setup_teardown(a_finding_is_told_with_all_its_members, begin, end),
        cmocka_unit_test_setup_teardown(a_settled_finding_needs_no_access, begin, end),
        cmocka_unit_test_setup_teardown(examples_are_bounded, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
