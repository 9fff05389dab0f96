#include "base/clock.h"

#include "base/attr.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t
clock_from_timespec(const struct timespec *ts)
{
    int64_t ns = 0;
    if (__builtin_mul_overflow((int64_t)ts->tv_sec, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, (int64_t)ts->tv_nsec, &ns)) {
        return ts->tv_sec < 0 ? -INT64_MAX : INT64_MAX;
    }
    return MAX_OF(ns, -INT64_MAX);
}

struct timespec
clock_to_timespec(int64_t ns)
{
    int64_t rest = ns % NS_PER_S;
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S - (rest < 0 ? 1 : 0)),
                             .tv_nsec = (long)(rest < 0 ? rest + NS_PER_S : rest)};
}

static int64_t
read_clock(clockid_t id)
{
    struct timespec ts = {0};
    (void)clock_gettime(id, &ts);
    return clock_from_timespec(&ts);
}

static int64_t
system_mono_ns(const struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t
system_wall_ns(const struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {.mono_ns = system_mono_ns, .wall_ns = system_wall_ns};

int64_t
clock_process_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* Seconds since 1970 to a calendar; rounds towards the past so that the fraction is never negative.
 */
static void
split(int64_t wall_ns, struct tm *ret_tm, int64_t *ret_ns)
{
    int64_t seconds = wall_ns / NS_PER_S;
    int64_t ns = wall_ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        seconds--;
    }
    time_t when = (time_t)seconds;
    (void)gmtime_r(&when, ret_tm);
    *ret_ns = ns;
}

const char *
clock_format_ms(int64_t wall_ns, char out[static CLOCK_TEXT_BYTES])
{
    struct tm tm;
    int64_t ns = 0;
    char day[24];
    split(wall_ns, &tm, &ns);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, CLOCK_TEXT_BYTES, "%s.%03dZ", day, (int)(ns / NS_PER_MS));
    return out;
}

const char *
clock_format_ns(int64_t wall_ns, char out[static CLOCK_TEXT_BYTES])
{
    struct tm tm;
    int64_t ns = 0;
    char day[24];
    split(wall_ns, &tm, &ns);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, CLOCK_TEXT_BYTES, "%s.%09dZ", day, (int)ns);
    return out;
}

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* By hand, because strftime() would follow the locale. */
const char *
clock_format_http(int64_t wall_ns, char out[static CLOCK_TEXT_BYTES])
{
    struct tm tm;
    int64_t ns = 0;
    split(wall_ns, &tm, &ns);
    (void)snprintf(out, CLOCK_TEXT_BYTES, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                   day_names[tm.tm_wday], tm.tm_mday, month_names[tm.tm_mon], tm.tm_year + 1900,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    return out;
}

/* Exactly `digits` digits. */
static bool
take_number(const char **at, int digits, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        value = value * 10 + (**at - '0');
    }
    *ret_value = value;
    return true;
}

static bool
take_char(const char **at, const char *any_of)
{
    if (**at == '\0' || strchr(any_of, **at) == NULL) {
        return false;
    }
    (*at)++;
    return true;
}

static bool
is_calendar(const struct tm *tm)
{
    static const int month_days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = tm->tm_year + 1900;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
           tm->tm_mday <= month_days[tm->tm_mon] - (tm->tm_mon == 1 && !is_leap) &&
           tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* Only years that nanoseconds since 1970 can hold as a whole. */
static int
to_wall(struct tm *tm, int64_t offset_s, int64_t ns, int64_t *ret_wall_ns)
{
    const int64_t first_s = -INT64_C(9214560000); /* 1678-01-01 */
    const int64_t end_s = INT64_C(9214646400);    /* 2262-01-01 */
    if (!is_calendar(tm)) {
        return -1;
    }
    int64_t seconds = (int64_t)timegm(tm) - offset_s;
    if (seconds < first_s || seconds >= end_s) {
        return -1;
    }
    *ret_wall_ns = seconds * NS_PER_S + ns;
    return 0;
}

static bool
take_fraction(const char **at, int64_t *ret_ns)
{
    int64_t ns = 0;
    int64_t unit = NS_PER_S / 10;
    if (**at != '.') {
        *ret_ns = 0;
        return true;
    }
    (*at)++;
    if (**at < '0' || **at > '9') {
        return false;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10) {
        ns += (**at - '0') * unit;
    }
    *ret_ns = ns;
    return true;
}

static bool
take_zone(const char **at, int64_t *ret_offset_s)
{
    int hours = 0;
    int minutes = 0;
    *ret_offset_s = 0;
    if (take_char(at, "Zz")) {
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    if (!take_char(at, "+-") || !take_number(at, 2, &hours) || !take_char(at, ":") ||
        !take_number(at, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ret_offset_s = (int64_t)sign * (hours * 3600 + minutes * 60);
    return true;
}

int
clock_parse(const char *text, int64_t *ret_wall_ns)
{
    struct tm tm = {0};
    int64_t ns = 0;
    int64_t offset_s = 0;
    bool is_good = take_number(&text, 4, &tm.tm_year) && take_char(&text, "-") &&
                   take_number(&text, 2, &tm.tm_mon) && take_char(&text, "-") &&
                   take_number(&text, 2, &tm.tm_mday) && take_char(&text, "Tt ") &&
                   take_number(&text, 2, &tm.tm_hour) && take_char(&text, ":") &&
                   take_number(&text, 2, &tm.tm_min) && take_char(&text, ":") &&
                   take_number(&text, 2, &tm.tm_sec) && take_fraction(&text, &ns) &&
                   take_zone(&text, &offset_s) && *text == '\0';
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return is_good ? to_wall(&tm, offset_s, ns, ret_wall_ns) : -1;
}

static bool
take_name(const char **at, const char (*names)[4], int count, int *ret_index)
{
    for (int i = 0; i < count; i++) {
        if (strncmp(*at, names[i], 3) == 0) {
            *at += 3;
            *ret_index = i;
            return true;
        }
    }
    return false;
}

int
clock_parse_http(const char *text, int64_t *ret_wall_ns)
{
    struct tm tm = {0};
    bool is_good = take_name(&text, day_names, 7, &tm.tm_wday) && take_char(&text, ",") &&
                   take_char(&text, " ") && take_number(&text, 2, &tm.tm_mday) &&
                   take_char(&text, " ") && take_name(&text, month_names, 12, &tm.tm_mon) &&
                   take_char(&text, " ") && take_number(&text, 4, &tm.tm_year) &&
                   take_char(&text, " ") && take_number(&text, 2, &tm.tm_hour) &&
                   take_char(&text, ":") && take_number(&text, 2, &tm.tm_min) &&
                   take_char(&text, ":") && take_number(&text, 2, &tm.tm_sec) &&
                   strcmp(text, " GMT") == 0;
    tm.tm_year -= 1900;
    return is_good ? to_wall(&tm, 0, 0, ret_wall_ns) : -1;
}
