#include "ingest/copy/filter.h"
#include "tests/support/check.h"

static void
globs_match_as_shells_do(void **state)
{
    static const struct {
        const char *pattern;
        const char *path;
        bool matches;
    } rows[] = {
        {"*.jpg", "a.jpg", true}, {"*.jpg", "a/b.jpg", false},   {"**.jpg", "a/b.jpg", true},
        {"a/**/b", "a/b", true},  {"a/**/b", "a/x/y/b", true},   {"a/**/b", "a/xb", false},
        {"a?c", "abc", true},     {"a?c", "a/c", false},         {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false}, {"[!a-c]x", "dx", true},       {"\\*", "*", true},
        {"\\*", "a", false},      {"*a*b*c", "xxaxxbxxc", true}, {"*a*b*c", "xxaxxbxx", false},
        {"", "", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (filter_glob(rows[i].pattern, rows[i].path) != rows[i].matches) {
            print_error("'%s' against '%s'\n", rows[i].pattern, rows[i].path);
        }
        CHECK(filter_glob(rows[i].pattern, rows[i].path) == rows[i].matches);
    }
}

/* A pattern of many stars must not cost exponential time: it comes from a user, the name from a
 * device. */
static void
many_stars_end_soon(void **state)
{
    char name[4000];
    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(!filter_glob("*a*a*a*a*a*a*a*a*a*a*a*a*b", name));
}

static void
excluding_wins_over_including(void **state)
{
    static const char *const includes[] = {"*.c"};
    static const char *const excludes[] = {"build"};
    const struct filter filter = {includes, 1, excludes, 1};
    (void)state;
    CHECK(filter_takes(&filter, "src/a.c"));
    CHECK(!filter_takes(&filter, "src/a.h"));
    CHECK(!filter_walks(&filter, "src/build"));
    CHECK(filter_walks(&filter, "src"));
}

static void
patterns_that_cannot_mean_anything_are_refused(void **state)
{
    static const char *const open[] = {"a[b"};
    static const char *const empty[] = {""};
    const struct filter with_open = {open, 1, NULL, 0};
    const struct filter with_empty = {NULL, 0, empty, 1};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_ERR(filter_check(&with_open, &err), &err, ERR_USAGE);
    CHECK_HAS(err.text, "--include");
    CHECK_ERR(filter_check(&with_empty, &err), &err, ERR_USAGE);
}

/* "**" is for whole folders only between slashes; glued to a name it takes any characters. */
static void
a_glued_double_star_takes_any_characters(void **state)
{
    (void)state;
    CHECK(filter_glob("**/a**/b", "a1/ab/b"));
    CHECK(filter_glob("a**/b", "ax/y/b"));
    CHECK(!filter_glob("a**/b", "ab"));
    CHECK(filter_glob("a/**/b", "a/b"));
    CHECK(!filter_glob("a/**/b", "a/xb"));
}

/* A ']' that stands first is a member, as in every shell; so "[]" and "[!]" are not closed. */
static void
a_set_needs_a_bracket_after_its_first_member(void **state)
{
    static const char *const bad[] = {"[", "[]", "[!]", "[^]", "a[b", "[]a", "[[]["};
    struct err err = ERR_NONE;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct filter filter = {.includes = &bad[i], .include_count = 1};
        CHECK_ERR(filter_check(&filter, &err), &err, ERR_USAGE);
    }
    CHECK(filter_glob("[]]", "]"));
    CHECK(filter_glob("[!]]", "x"));
    CHECK(!filter_glob("[!]]", "]"));
    CHECK(filter_glob("[a-]", "-"));
    CHECK(filter_glob("[[]", "["));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_match_as_shells_do),
        cmocka_unit_test(many_stars_end_soon),
        cmocka_unit_test(excluding_wins_over_including),
        cmocka_unit_test(patterns_that_cannot_mean_anything_are_refused),
        cmocka_unit_test(a_glued_double_star_takes_any_characters),
        cmocka_unit_test(a_set_needs_a_bracket_after_its_first_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
