/*
 * tests/unit/device/check_run.h - a tree in a folder of its own, checked; and what came of it.
 *
 *   owner    run_begin() and run_end() are a test's set-up and tear-down
 *   thread   one
 */
#ifndef TESTS_UNIT_DEVICE_CHECK_RUN_H
#define TESTS_UNIT_DEVICE_CHECK_RUN_H

#include "base/arena.h"
#include "ingest/device/check.h"
#include "tests/support/tree.h"

struct run {
    struct folder folder;
    struct check_options options;
    const char *paths[2];
    struct check_result result;
    struct err err;
    bool has_result;
};

static inline int
run_begin(void **state)
{
    struct run *run = mem_take(sizeof *run);
    folder_init(&run->folder);
    run->paths[0] = run->folder.path;
    run->options = (struct check_options){.paths = run->paths,
                                          .path_count = 1,
                                          .manifest = MANIFEST_IGNORE,
                                          .scratch_folder = "/tmp"};
    *state = run;
    return 0;
}

static inline int
run_end(void **state)
{
    struct run *run = *state;
    if (run->has_result) {
        check_result_done(&run->result);
    }
    folder_done(&run->folder);
    mem_give(run);
    return 0;
}

static inline void
run_look(struct run *run, enum device_sku sku)
{
    run->options.rules.device.sku = sku;
    run->options.rules.limits = limits_of(sku);
    if (run->has_result) {
        check_result_done(&run->result);
        run->has_result = false;
    }
    CHECK_OK(check_run(&run->options, &run->result, &run->err), &run->err);
    run->has_result = true;
}

static inline const struct finding_group *
run_group(const struct run *run, enum finding_code code)
{
    for (unsigned i = 0; i < run->result.findings.group_count; i++) {
        if (run->result.findings.groups[i].code == code) {
            return &run->result.findings.groups[i];
        }
    }
    print_error("no finding %s\n", catalogue_row(code)->wire);
    fail();
    return NULL;
}

static inline void
run_halts(const struct run *run, enum finding_code code, uint64_t count, const char *example)
{
    const struct finding_group *group = run_group(run, code);
    CHECK_U64(group->count, count);
    CHECK(group->halt == catalogue_row(code)->halt);
    CHECK_TEXT(group->examples[0], example);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "halt");
}

/* The promise of a proposal: applied, nothing halts any more. */
static inline void
run_mends(struct run *run)
{
    AUTO_TEXT text = TEXT_INIT;
    struct fix_plan plan;
    CHECK(run->result.proposal.count > 0);
    fix_plan_write(&run->result.proposal, &text);
    CHECK_OK(fix_plan_read(text_str(&text), text.len, &plan, &run->err), &run->err);
    run->options.rules.plan = &plan;
    run_look(run, run->options.rules.device.sku);
    run->options.rules.plan = NULL;
    fix_plan_done(&plan);
    if (run->result.verdict == VERDICT_HALT) {
        print_error("still halting: %s %s\n",
                    catalogue_row(run->result.findings.groups[0].code)->wire,
                    run->result.findings.groups[0].examples[0]);
    }
    CHECK(run->result.verdict != VERDICT_HALT);
}

#endif
