#include "base/clock.h"
#include "tests/support/check.h"

static int64_t
parsed(const char *text)
{
    int64_t ns = INT64_MIN;
    return clock_parse(text, &ns) == 0 ? ns : INT64_MIN;
}

/* Every form that stores and tools write of one moment is the same moment. */
static void
a_moment_has_many_spellings(void **state)
{
    static const char *const rows[] = {
        "2026-01-02T03:04:05Z",      "2026-01-02t03:04:05z",         "2026-01-02 03:04:05.000Z",
        "2026-01-02T05:34:05+02:30", "2026-01-01T23:04:05-04:00",    "2026-01-02T03:04:05.0Z",
        "2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.0000000Z",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_I64(parsed(rows[i]), INT64_C(1767323045) * NS_PER_S);
    }
    CHECK_I64(parsed("2026-01-02T03:04:05.123456789Z"), INT64_C(1767323045123456789));
    CHECK_I64(parsed("1969-12-31T23:59:59.5Z"), -NS_PER_S / 2);
}

/* A day that no calendar has would come back as another day. */
static void
days_that_are_none_are_refused(void **state)
{
    static const char *const rows[] = {
        "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",      "1900-02-29T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",      "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z", "2026-01-01T00:00:00+24:00", "2026-1-01T00:00:00Z",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_I64(parsed(rows[i]), INT64_MIN);
    }
    CHECK(parsed("2000-02-29T00:00:00Z") != INT64_MIN);
    CHECK_I64(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
}

/* 64 bits of nanoseconds end in 1677 and 2262; an offset must not lead past them. */
static void
years_that_do_not_fit_are_refused(void **state)
{
    char text[CLOCK_TEXT_BYTES];
    (void)state;
    CHECK_TEXT(clock_format_ns(parsed("1678-01-01T00:00:00Z"), text),
               "1678-01-01T00:00:00.000000000Z");
    CHECK_TEXT(clock_format_ns(parsed("2261-12-31T23:59:59.999999999Z"), text),
               "2261-12-31T23:59:59.999999999Z");
    CHECK_I64(parsed("1678-01-01T00:00:00+00:01"), INT64_MIN);
    CHECK_I64(parsed("2261-12-31T23:59:60Z"), INT64_MIN);
    CHECK_I64(parsed("2262-01-01T00:00:00+23:59"), parsed("2261-12-31T00:01:00Z"));
}

/* The names of days and months are English whatever the locale says. */
static void
http_dates_are_read_as_they_are_written(void **state)
{
    static const char *const bad[] = {
        "Friday, 02-Jan-26 03:04:05 GMT",
        "Fri, 2 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 UTC",
        "Fri, 02 jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 GMT ",
        "Fri, 30 Feb 2026 03:04:05 GMT",
        "",
    };
    char text[CLOCK_TEXT_BYTES];
    int64_t ns = 0;
    (void)state;
    for (int64_t day = 0; day < 400; day++) {
        int64_t when_ns = (INT64_C(1767323045) + day * 86400) * NS_PER_S;
        CHECK_I64(clock_parse_http(clock_format_http(when_ns, text), &ns), 0);
        CHECK_I64(ns, when_ns);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK_I64(clock_parse_http(bad[i], &ns), -1);
    }
}

/* File systems hold later and earlier times than we do; they are moved, not wrapped around. */
static void
times_of_files_are_moved_into_what_fits(void **state)
{
    static const struct timespec rows[] = {{0, 0}, {1, 999999999}, {-1, 1}, {-86400, 0}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct timespec back = clock_to_timespec(clock_from_timespec(&rows[i]));
        CHECK_I64(back.tv_sec, rows[i].tv_sec);
        CHECK_I64(back.tv_nsec, rows[i].tv_nsec);
    }
    CHECK_I64(clock_from_timespec(&(struct timespec){.tv_sec = INT64_MAX}), INT64_MAX);
    CHECK_I64(clock_from_timespec(&(struct timespec){.tv_sec = INT64_MIN}), -INT64_MAX);
    CHECK_I64(clock_from_timespec(&(struct timespec){9223372036, 854775808}), INT64_MAX);
    CHECK_I64(clock_to_timespec(INT64_MIN).tv_nsec, 145224192);
}

static void
time_goes_on(void **state)
{
    (void)state;
    int64_t before = clock_mono_ns(&clock_system);
    CHECK(clock_mono_ns(&clock_system) >= before);
    CHECK(clock_wall_ns(&clock_system) > INT64_C(1700000000) * NS_PER_S);
    CHECK(clock_process_cpu_ns() > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_has_many_spellings),
        cmocka_unit_test(days_that_are_none_are_refused),
        cmocka_unit_test(years_that_do_not_fit_are_refused),
        cmocka_unit_test(http_dates_are_read_as_they_are_written),
        cmocka_unit_test(times_of_files_are_moved_into_what_fits),
        cmocka_unit_test(time_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
