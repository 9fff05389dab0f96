/* Names that differ only in upper and lower case. */
#include "ingest/device/name_set.h"
#include "tests/support/check.h"

static bool
add(struct name_set *set, const char *name)
{
    return name_set_add(set, (struct slice){.at = name, .len = strlen(name)});
}

static void
names_that_differ_in_case_are_one(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"SampleFile.txt", "Samplefile.Txt"},
        {"\xc3\x84rger", "\xc3\xa4RGER"},         /* Latin */
        {"\xce\xa9", "\xcf\x89"},                 /* Greek */
        {"\xd0\x96\xd0\x81", "\xd0\xb6\xd1\x91"}, /* Cyrillic */
        {"\xd4\xb1", "\xd5\xa1"},                 /* Armenian */
        {"\xc5\xb8", "\xc3\xbf"},                 /* to another block */
        {"bytes\xff", "BYTES\xff"},               /* not UTF-8 */
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct name_set set;
        name_set_init(&set);
        CHECK(!add(&set, pairs[i][0]));
        CHECK(add(&set, pairs[i][1]));
        name_set_done(&set);
    }
}

static void
other_names_are_not(void **state)
{
    (void)state;
    struct name_set set;
    name_set_init(&set);
    CHECK(!add(&set, "a"));
    CHECK(!add(&set, "\xc3\xa4"));
    CHECK(!add(&set, "\xc3\x97")); /* the times sign is no letter */
    CHECK(!add(&set, "\xc3\xb7")); /* nor is the division sign */
    CHECK(!add(&set, "\xc3"));
    CHECK(!add(&set, ""));
    CHECK(!add(&set, "b"));
    name_set_done(&set);
}

/* Longer than the pieces that are hashed at a time, with a letter of two bytes at each cut. */
static void
long_names_are_compared_whole(void **state)
{
    (void)state;
    struct name_set set;
    AUTO_TEXT lower = TEXT_INIT;
    AUTO_TEXT upper = TEXT_INIT;
    name_set_init(&set);
    text_add_char(&lower, 'x');
    text_add_char(&upper, 'X');
    for (int i = 0; i < 3000; i++) {
        text_add_str(&lower, "\xc3\xa4");
        text_add_str(&upper, "\xc3\x84");
    }
    CHECK(!add(&set, text_str(&lower)));
    CHECK(add(&set, text_str(&upper)));
    text_add_char(&upper, 'Y');
    CHECK(!add(&set, text_str(&upper)));
    name_set_done(&set);
}

/* A set is used for one folder after the other, large and small. */
static void
a_cleared_set_knows_nothing(void **state)
{
    (void)state;
    struct name_set set;
    char name[16];
    name_set_init(&set);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20000; i++) {
            (void)snprintf(name, sizeof name, "file%d", i);
            CHECK(!add(&set, name));
        }
        CHECK(add(&set, "FILE19999"));
        name_set_clear(&set);
        CHECK(!add(&set, "file1"));
        name_set_clear(&set);
    }
    name_set_done(&set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_differ_in_case_are_one),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(long_names_are_compared_whole),
        cmocka_unit_test(a_cleared_set_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
