/*
 * tests/sim/checks.h - what has to be true after each run of a simulated copy.
 *
 *   errors   each invariant that does not hold is told to world_fail()
 */
#ifndef TESTS_SIM_CHECKS_H
#define TESTS_SIM_CHECKS_H

#include "ingest/copy/engine.h"
#include "tests/sim/run.h"

/* Before the parts are taken down: everything was given back, nobody was left behind. */
void checks_after_run(struct world *world, const struct engine *engine, struct scan *scan,
                      const struct lane *lanes);
/* Each entry of the source has one end, the figures add up, and what the plan has is there. */
void checks_of_report(struct world *world, const char *plan_path, const struct run_report *report);
/* In a stable world: every item ended as was reckoned beforehand. */
void checks_of_ends(struct world *world, const char *plan_path, const struct run_report *report,
                    const enum item_state *expected);
/* Both copies of the same seed came to the same. */
void checks_of_twins(struct world *disturbed, const struct run_report *report,
                     const struct world *calm, const struct run_report *calm_report);
/* Mark what the plan has in the source, and the blocks it has at the target. */
void checks_mark_recorded(struct world *world, const char *plan_path, const char *nonce);

#endif
