/*
 * cmd/bench.h - what the bench commands have in common: how figures are shown, how they end.
 *
 *   units    GB are 1e9 bytes, as vendors of disks and networks count; CPU seconds are of this
 *            process alone
 *   thread   main
 */
#ifndef CMD_BENCH_H
#define CMD_BENCH_H

#include "bench/figures.h"
#include "cmd/commands.h"
#include "ingest/copy/copy.h"

/* SIGINT and SIGTERM end a benchmark early; whatever it made is removed. */
extern struct copy_control bench_control;
void bench_catch_signals(void);
unsigned bench_lanes(uint64_t named); /* 0: one per core, at most 4, as a copy has */

void bench_put_figures(struct json *json, const struct figures *figures);
/* One run: a line for people, an event of type "result". */
void bench_show_run(struct output *output, const char *what, const struct figures *figures);
/* The last two events, and the median for people. Returns the exit code. */
int bench_finish(struct output *output, const char *benchmark, const struct figures *runs,
                 unsigned count);
int bench_fail(struct output *output, const struct err *err);

#endif
