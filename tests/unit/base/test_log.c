#include "base/log.h"
#include "base/text.h"
#include "tests/support/check.h"

static struct text lines;
static unsigned evaluated;

static void
keep(void *user, const char *line, unsigned len)
{
    (void)user;
    /* What comes before "level=" is the time. */
    const char *level = strstr(line, "level=");
    assert_non_null(level);
    text_add(&lines, level, len - (size_t)(level - line));
}

static int
make(void **state)
{
    (void)state;
    lines = TEXT_INIT;
    evaluated = 0;
    log_set_level(LOG_WARN);
    log_set_areas(NULL);
    log_set_sink(keep, NULL);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    text_done(&lines);
    return 0;
}

static uint64_t
costly(void)
{
    evaluated++;
    return 7;
}

/* Logging on a hot path is free as long as nobody listens. */
static void
nothing_is_evaluated_for_a_level_that_is_off(void **state)
{
    (void)state;
    log_info(LOG_COPY, "item-done", LOG_U64("item", costly()));
    CHECK_U64(evaluated, 0);
    CHECK_TEXT(text_str(&lines), "");
    log_warn(LOG_COPY, "item-late", LOG_U64("item", costly()));
    CHECK_U64(evaluated, 1);
    CHECK_TEXT(text_str(&lines), "level=warn area=copy event=item-late item=7\n");
}

/* An area can be heard through while the others are quiet, or silenced but for errors. */
static void
areas_go_before_the_level(void **state)
{
    (void)state;
    log_set_areas("copy,-store,nonsense");
    CHECK(log_is_on(LOG_DEBUG, LOG_COPY));
    CHECK(!log_is_on(LOG_DEBUG, LOG_HTTP));
    CHECK(log_is_on(LOG_WARN, LOG_HTTP));
    CHECK(!log_is_on(LOG_WARN, LOG_STORE));
    CHECK(log_is_on(LOG_ERROR, LOG_STORE));
    log_set_areas(NULL);
    CHECK(!log_is_on(LOG_DEBUG, LOG_COPY));
    CHECK(log_is_on(LOG_WARN, LOG_STORE));
}

/* A hostile name cannot end its field, forge another, or begin a line of its own. */
static void
a_value_stays_within_its_quotes(void **state)
{
    (void)state;
    const struct err err = {.code = ERR_ITEM_IO, .text = "cannot read 'x'"};
    log_error(LOG_STORE, "item-failed", LOG_TEXT("item", "a\" level=info \\\n\x1b[31m\x7f"),
              LOG_I64("left", -1), LOG_TEXT("none", NULL), LOG_ERR(&err));
    CHECK_TEXT(text_str(&lines),
               "level=error area=store event=item-failed item=\"a\\\" level=info \\\\\\x0a\\x1b[31m"
               "\\x7f\" left=-1 none=\"\" err=\"item-io\" text=\"cannot read 'x'\"\n");
}

static void
levels_have_names(void **state)
{
    enum log_level level = LOG_ERROR;
    (void)state;
    CHECK(log_parse_level("debug", &level));
    CHECK_U64(level, LOG_DEBUG);
    CHECK(!log_parse_level("loud", &level));
    CHECK(!log_parse_level("", &level));
    CHECK_U64(level, LOG_DEBUG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_evaluated_for_a_level_that_is_off),
        TEST(areas_go_before_the_level),
        TEST(a_value_stays_within_its_quotes),
        TEST(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
