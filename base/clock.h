/*
 * base/clock.h - the seam through which all time enters.
 *
 * Nothing else calls clock_gettime(): a simulation hands in a clock of its own and days pass in
 * milliseconds. Whatever waits or times out is given the clock when it is made.
 *
 *   units    nanoseconds; mono_ns: CLOCK_MONOTONIC; wall_ns: since 1970-01-01 UTC
 *   owner    a clock is constant and outlives everything that was given it
 *   thread   any
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct clock {
    int64_t (*mono_ns)(const struct clock *clock);
    int64_t (*wall_ns)(const struct clock *clock);
};

extern const struct clock clock_system;

static inline int64_t
clock_mono_ns(const struct clock *clock)
{
    return clock->mono_ns(clock);
}

static inline int64_t
clock_wall_ns(const struct clock *clock)
{
    return clock->wall_ns(clock);
}

/* File systems hold times that 64 bits of nanoseconds do not: those before 1678 and after 2261
 * become the nearest that is held, and never INT64_MIN. */
int64_t clock_from_timespec(const struct timespec *ts);
struct timespec clock_to_timespec(int64_t ns);

/* CPU time of the whole process, user and system, in nanoseconds. */
int64_t clock_process_cpu_ns(void);

#define CLOCK_TEXT_BYTES 40
/* RFC 3339 UTC: with milliseconds ("2026-01-02T03:04:05.678Z"), or with nine digits where exact. */
const char *clock_format_ms(int64_t wall_ns, char out[static CLOCK_TEXT_BYTES]);
const char *clock_format_ns(int64_t wall_ns, char out[static CLOCK_TEXT_BYTES]);
/* RFC 1123, as HTTP dates: "Fri, 02 Jan 2026 03:04:05 GMT". */
const char *clock_format_http(int64_t wall_ns, char out[static CLOCK_TEXT_BYTES]);
/* Parse what the three above write (RFC 3339 with any number of fraction digits and Z or offset);
 * days that no calendar has are refused, and years outside 1678 to 2261. 0 ok, -1 not. */
int clock_parse(const char *text, int64_t *ret_wall_ns);
int clock_parse_http(const char *text, int64_t *ret_wall_ns);

#endif
