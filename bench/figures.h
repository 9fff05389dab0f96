/*
 * bench/figures.h - what one run of a benchmark cost, and which of several runs to show.
 *
 *   units    seconds; bytes; CPU time of this process alone, user and system
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_RUNS_MAX 99U

struct figures {
    double seconds;
    double cpu_seconds;
    uint64_t bytes;
    uint64_t items;
    uint64_t failed;
};

struct stopwatch {
    int64_t began_ns;
    int64_t began_cpu_ns;
};

void stopwatch_begin(struct stopwatch *watch);
void stopwatch_end(const struct stopwatch *watch, struct figures *figures);

/* The run whose time is in the middle: figures of one run belong together. */
const struct figures *figures_median(const struct figures *runs, unsigned count);
double figures_per_second(const struct figures *figures, uint64_t what);
double figures_cpu_per_gib(const struct figures *figures);
/* Largest resident size of this process so far. */
uint64_t figures_peak_rss_bytes(void);

#endif
