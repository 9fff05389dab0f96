#include "bench/figures.h"

#include "base/attr.h"
#include "base/clock.h"

#include <stdbool.h>
#include <sys/resource.h>

void
stopwatch_begin(struct stopwatch *watch)
{
    watch->began_cpu_ns = clock_process_cpu_ns();
    watch->began_ns = clock_mono_ns(&clock_system);
}

void
stopwatch_end(const struct stopwatch *watch, struct figures *figures)
{
    figures->seconds = (double)(clock_mono_ns(&clock_system) - watch->began_ns) / 1e9;
    figures->cpu_seconds = (double)(clock_process_cpu_ns() - watch->began_cpu_ns) / 1e9;
}

const struct figures *
figures_median(const struct figures *runs, unsigned count)
{
    ASSERT(count > 0);
    for (unsigned i = 0; i < count; i++) {
        unsigned faster = 0;
        for (unsigned j = 0; j < count; j++) {
            bool is_first = j < i;
            faster += runs[j].seconds < runs[i].seconds ||
                      (is_first && runs[j].seconds == runs[i].seconds);
        }
        if (faster == count / 2) {
            return &runs[i];
        }
    }
    return &runs[0];
}

double
figures_per_second(const struct figures *figures, uint64_t what)
{
    return figures->seconds > 0 ? (double)what / figures->seconds : 0;
}

double
figures_cpu_per_gib(const struct figures *figures)
{
    return figures->bytes > 0
               ? figures->cpu_seconds / ((double)figures->bytes / (double)(UINT64_C(1) << 30))
               : 0;
}

uint64_t
figures_peak_rss_bytes(void)
{
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}
