#include "base/clock.h"
#include "cmd/progress_bar.h"
#include "tests/support/check.h"

#define MIB (UINT64_C(1) << 20)

static const struct progress_figures half = {.items_done = 1234,
                                             .items_total = 2468,
                                             .bytes_done = 512 * MIB,
                                             .bytes_total = 1024 * MIB,
                                             .is_total_known = true,
                                             .elapsed_ns = 10 * NS_PER_S,
                                             .phase = "copying",
                                             .bottleneck = "reading"};

static void
check_line(const struct progress_figures *figures, double bytes_per_s, unsigned columns,
           const char *want)
{
    AUTO_TEXT line = TEXT_INIT;
    progress_bar_line(figures, bytes_per_s, columns, &line);
    CHECK_TEXT(text_str(&line), want);
}

static void
a_wide_line_has_a_bar(void **state)
{
    (void)state;
    check_line(&half, 64.0 * MIB, 200,
               "[############............]  50% copying 512.00 MiB of 1.00 GiB, 64.00 MiB/s, "
               "1,234 of 2,468 items, 8s left, waiting for reading");
}

/* The terminal is never made to wrap: what does not fit is cut off, the figures first in line. */
static void
a_narrow_line_is_cut_at_its_columns(void **state)
{
    (void)state;
    check_line(&half, 64.0 * MIB, 79,
               " 50% copying 512.00 MiB of 1.00 GiB, 64.00 MiB/s, 1,234 of 2,468 items, 8s left");
    check_line(&half, 64.0 * MIB, 20, " 50% copying 512.00 ");
    check_line(&half, 64.0 * MIB, 0, "");
}

/* While the source is still being listed there is no share and no time left, only what is known. */
static void
an_unknown_total_makes_no_promise(void **state)
{
    struct progress_figures figures = half;
    (void)state;
    figures.is_total_known = false;
    figures.bottleneck = NULL;
    figures.failed = 3;
    check_line(&figures, 0, 200,
               "copying 512.00 MiB of 1.00 GiB+, 0 B/s, 1,234 of 2,468+ items, 3 failed");
}

/* Files that grow while they are copied make more done than was found. */
static void
more_than_everything_is_everything(void **state)
{
    struct progress_figures figures = half;
    (void)state;
    figures.bytes_done = 2048 * MIB;
    figures.bottleneck = NULL;
    check_line(&figures, 1.0, 200,
               "[########################] 100% copying 2.00 GiB of 1.00 GiB, 1 B/s, "
               "1,234 of 2,468 items");
    figures = (struct progress_figures){.is_total_known = true, .phase = "copying"};
    check_line(&figures, 0, 90, "  0% copying 0 B of 0 B, 0 B/s, 0 of 0 items");
}

/* A rate near nothing must not overflow into a short time. */
static void
a_crawling_copy_is_not_promised_to_end(void **state)
{
    struct progress_figures figures = half;
    (void)state;
    figures.bytes_total = UINT64_MAX;
    figures.bottleneck = NULL;
    check_line(
        &figures, 2.0, 90,
        "  0% copying 512.00 MiB of 16777216.00 TiB, 2 B/s, 1,234 of 2,468 items, >30d left");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_line_has_a_bar),
        cmocka_unit_test(a_narrow_line_is_cut_at_its_columns),
        cmocka_unit_test(an_unknown_total_makes_no_promise),
        cmocka_unit_test(more_than_everything_is_everything),
        cmocka_unit_test(a_crawling_copy_is_not_promised_to_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
