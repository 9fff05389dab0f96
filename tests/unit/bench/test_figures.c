/* bench/figures.h: which run is shown. */
#include "bench/figures.h"
#include "tests/support/check.h"

/* One slow run, or one lucky one, must not become the figure. */
static void
the_median_is_the_run_in_the_middle(void **state)
{
    const struct figures runs[] = {{.seconds = 5, .items = 1},
                                   {.seconds = 0.1, .items = 2},
                                   {.seconds = 3, .items = 3},
                                   {.seconds = 900, .items = 4},
                                   {.seconds = 2, .items = 5}};
    (void)state;
    CHECK_U64(figures_median(runs, 5)->items, 3);
    CHECK_U64(figures_median(runs, 1)->items, 1);
    /* Of two, the slower: a benchmark does not flatter. */
    CHECK_U64(figures_median(runs, 2)->items, 1);
}

/* Equal times are common where the clock is coarse. */
static void
runs_of_equal_time_have_a_median(void **state)
{
    const struct figures runs[] = {{.seconds = 1, .items = 1},
                                   {.seconds = 1, .items = 2},
                                   {.seconds = 1, .items = 3},
                                   {.seconds = 0, .items = 4}};
    (void)state;
    CHECK_U64(figures_median(runs, 3)->items, 2);
    CHECK_U64(figures_median(runs, 4)->items, 2);
}

/* No bytes or no time: nothing is divided by nothing. */
static void
rates_of_nothing_are_nothing(void **state)
{
    const struct figures none = {.cpu_seconds = 1};
    const struct figures some = {.seconds = 2, .cpu_seconds = 3, .bytes = UINT64_C(1) << 31};
    (void)state;
    CHECK(figures_per_second(&none, 100) == 0);
    CHECK(figures_cpu_per_gib(&none) == 0);
    CHECK(figures_per_second(&some, 100) == 50);
    CHECK(figures_cpu_per_gib(&some) == 1.5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_is_the_run_in_the_middle),
        cmocka_unit_test(runs_of_equal_time_have_a_median),
        cmocka_unit_test(rates_of_nothing_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
