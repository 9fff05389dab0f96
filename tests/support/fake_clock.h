/*
 * tests/support/fake_clock.h - a clock that goes only when it is told to.
 *
 *   owner    the test; whatever is given &fake.clock keeps pointing at it
 */
#ifndef TESTS_SUPPORT_FAKE_CLOCK_H
#define TESTS_SUPPORT_FAKE_CLOCK_H

#include "base/clock.h"

#define FAKE_CLOCK_WALL_NS (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01 */

struct fake_clock {
    struct clock clock;
    int64_t mono_ns;
};

/* Begins at one second after boot, on the first day of 2026. */
void fake_clock_init(struct fake_clock *fake);
void fake_clock_add(struct fake_clock *fake, int64_t span_ns);
/* Never backwards. */
void fake_clock_go_to(struct fake_clock *fake, int64_t mono_ns);

#endif
