#include "tests/support/fake_clock.h"

#include "base/attr.h"

/* The clock stands at the struct's beginning, so that the constant it is given as leads back. */
static const struct fake_clock *
fake_of(const struct clock *clock)
{
    return (const struct fake_clock *)(const void *)clock;
}

static int64_t
fake_mono_ns(const struct clock *clock)
{
    return fake_of(clock)->mono_ns;
}

static int64_t
fake_wall_ns(const struct clock *clock)
{
    return FAKE_CLOCK_WALL_NS + fake_of(clock)->mono_ns;
}

void
fake_clock_init(struct fake_clock *fake)
{
    *fake = (struct fake_clock){.clock = {.mono_ns = fake_mono_ns, .wall_ns = fake_wall_ns},
                                .mono_ns = NS_PER_S};
}

void
fake_clock_add(struct fake_clock *fake, int64_t span_ns)
{
    fake->mono_ns += span_ns;
}

void
fake_clock_go_to(struct fake_clock *fake, int64_t mono_ns)
{
    fake->mono_ns = MAX_OF(fake->mono_ns, mono_ns);
}
