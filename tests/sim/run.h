/*
 * tests/sim/run.h - one run of the copy engine on one thread, its parts given their turns in seeded
 * order.
 *
 * A part gets a turn only when it would be awake in a real run: it has mail, did something in its
 * last turn, or its timer has come. A part that goes to sleep with work left is found so. When all
 * sleep, the clock jumps to the next timer.
 *
 *   owner    run_copy() owns all it makes; the world's stores and the plan's file outlive it
 *   errors   an invariant that does not hold is told to world_fail()
 */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include "ingest/copy/copy.h"
#include "tests/sim/world.h"

struct run_report {
    struct err stop; /* as of the engine */
    struct copy_figures figures;
    char nonce[BLOB_JOB_BYTES];
    bool is_calm; /* there is no trouble, and none of before can be felt */
    bool is_crashed;
    bool has_lost_rows; /* the plan could not be written to its end */
    bool is_finished;   /* nothing failed: the plan is closed */
    uint64_t steps;
    int64_t span_ns;
    unsigned *skipped; /* [source.count]: how often each was reported so; run_report_done() */
    unsigned *failed;
    enum err_code *codes;
};

void run_copy(struct world *world, const char *folder, const struct trouble *trouble, bool is_first,
              struct run_report *ret_report);
void run_report_done(struct run_report *report);

#endif
