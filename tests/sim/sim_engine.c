/*
 * Seeded simulations of whole copies: the real scan, lanes, recorder, plan and control on one
 * thread, between two ends in memory, with a clock that jumps.
 *
 * usage: sim_engine [--seeds FIRST COUNT] [--verbose]
 *
 * Each seed is copied twice: once undisturbed, and once through several runs in which answers are
 * lost, writes torn, and the machine dies, until a calm run ends it. What then has to be true is in
 * checks.h. A seed that fails is repeated with --seeds SEED 1.
 */
#include "base/units.h"
#include "tests/sim/checks.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char seed_text[64];
static bool is_verbose;
static uint64_t packed; /* items that were compressed on their way */

/* A failed assertion ends the program: say in which seed it was. */
static void
on_abort(int number)
{
    ssize_t wrote = write(STDERR_FILENO, seed_text, strlen(seed_text));
    (void)wrote;
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void
tell(const struct world *world, const struct run_report *report, const char *kind)
{
    const struct copy_figures *figures = &report->figures;
    if (is_verbose) {
        (void)fprintf(
            world->out,
            "seed %llu: %s run, %llu steps, %lld ms: %s%s, %llu items, %llu copied, %llu "
            "unchanged, %llu skipped, %llu failed, %llu requests\n",
            (unsigned long long)world->seed, kind, (unsigned long long)report->steps,
            (long long)(report->span_ns / NS_PER_MS), report->is_crashed ? "crashed, " : "",
            err_name(report->stop.code), (unsigned long long)figures->items_total,
            (unsigned long long)figures->items_copied, (unsigned long long)figures->items_unchanged,
            (unsigned long long)figures->items_skipped, (unsigned long long)figures->items_failed,
            (unsigned long long)figures->requests);
    }
}

static enum item_state *
expect_all(const struct world *world)
{
    enum item_state *expected = mem_take((world->source.count + 1) * sizeof *expected);
    for (unsigned i = 0; i < world->source.count; i++) {
        expected[i] = world_expect(world, world->source.blobs[i]);
    }
    return expected;
}

/* A block that an earlier run read damaged is found when its item is whole. */
static bool
has_bad_blocks(const struct world *world, const struct run_report *report)
{
    for (unsigned i = 0; i < world->source.count; i++) {
        if (report->codes[i] == ERR_DIGEST) {
            return true;
        }
    }
    return false;
}

/* Without trouble, everything that can be copied is, in one run. */
static void
run_calm(struct world *world, const char *folder, const char *plan_path, bool is_first,
         struct run_report *ret_report)
{
    const struct trouble none = {.failures_max = INT32_MAX};
    run_copy(world, folder, &none, is_first, ret_report);
    tell(world, ret_report, "calm");
    ret_report->is_calm = is_first || !has_bad_blocks(world, ret_report);
    checks_of_report(world, plan_path, ret_report);
    if (ret_report->stop.code != ERR_OK) {
        world_fail(world, "a copy without trouble stopped: %s: %s", err_name(ret_report->stop.code),
                   ret_report->stop.text);
    }
}

/* Runs with trouble until one finishes in spite of it, then a calm one. */
static void
run_disturbed(struct world *world, const char *folder, const char *plan_path,
              struct run_report *ret_report)
{
    bool is_first = true;
    for (unsigned i = 0; i < world->runs; i++) {
        struct trouble trouble;
        world_trouble(world, &trouble);
        run_copy(world, folder, &trouble, is_first, ret_report);
        tell(world, ret_report, "disturbed");
        checks_of_report(world, plan_path, ret_report);
        is_first = false;
        if (ret_report->is_finished) {
            return;
        }
        checks_mark_recorded(world, plan_path, ret_report->nonce);
        run_report_done(ret_report);
        if (chance_below(&world->chance, 6) == 0) {
            world_expire(world);
        }
    }
    run_calm(world, folder, plan_path, is_first, ret_report);
    if (!ret_report->is_calm) {
        checks_mark_recorded(world, plan_path, ret_report->nonce);
        run_report_done(ret_report);
        run_calm(world, folder, plan_path, is_first, ret_report);
        if (!ret_report->is_calm) {
            world_fail(world, "an item stays damaged however often it is copied");
        }
    }
}

/* Once more from the same source: what is there by now is not sent again. */
static void
run_again(struct world *world, const char *folder, const char *plan_path,
          const struct run_report *report)
{
    struct run_report again = {0};
    if (report->is_finished && world->options.overwrite == OVERWRITE_ALWAYS) {
        return;
    }
    checks_mark_recorded(world, plan_path, report->nonce);
    run_calm(world, folder, plan_path, false, &again);
    run_report_done(&again);
}

static unsigned
run_seed(uint64_t seed, const char *folder)
{
    struct world calm;
    struct world disturbed;
    struct run_report calm_report = {0};
    struct run_report report = {0};
    AUTO_TEXT plan_path = TEXT_INIT;
    text_addf(&plan_path, "%s/plan.db", folder);
    (void)snprintf(seed_text, sizeof seed_text, "seed %llu: the program ended abnormally\n",
                   (unsigned long long)seed);

    world_init(&calm, seed, stderr);
    enum item_state *expected = expect_all(&calm);
    run_calm(&calm, folder, text_str(&plan_path), true, &calm_report);
    checks_of_ends(&calm, text_str(&plan_path), &calm_report, expected);

    world_init(&disturbed, seed, stderr);
    run_disturbed(&disturbed, folder, text_str(&plan_path), &report);
    if (disturbed.is_stable) {
        checks_of_ends(&disturbed, text_str(&plan_path), &report, expected);
        checks_of_twins(&disturbed, &report, &calm, &calm_report);
    }
    if (!disturbed.has_foreign) {
        run_again(&disturbed, folder, text_str(&plan_path), &report);
    }
    unsigned failures = calm.failures + disturbed.failures;
    packed += calm.packed + disturbed.packed;
    mem_give(expected);
    run_report_done(&calm_report);
    run_report_done(&report);
    world_done(&calm);
    world_done(&disturbed);
    return failures;
}

static void
remove_files(const char *folder)
{
    static const char *const names[] = {"plan.db", "plan.db-wal", "plan.db-shm", "known.db"};
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        AUTO_TEXT path = TEXT_INIT;
        text_addf(&path, "%s/%s", folder, names[i]);
        (void)unlink(text_str(&path));
    }
    (void)rmdir(folder);
}

static int
parse(int argc, char **argv, uint64_t *first, uint64_t *count)
{
    struct err err = ERR_NONE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            is_verbose = true;
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 2 < argc &&
                   units_parse_u64(argv[i + 1], first, &err) == ERR_OK &&
                   units_parse_u64(argv[i + 2], count, &err) == ERR_OK) {
            i += 2;
        } else {
            (void)fprintf(stderr, "usage: sim_engine [--seeds FIRST COUNT] [--verbose]\n");
            return -1;
        }
    }
    return 0;
}

int
main(int argc, char **argv)
{
    /* In memory if possible: nothing here has to survive. */
    char folder[64];
    uint64_t first = 1;
    uint64_t count = 300;
    uint64_t bad = 0;
    (void)snprintf(folder, sizeof folder, "%s/sallyport-sim.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (parse(argc, argv, &first, &count) != 0 || mkdtemp(folder) == NULL) {
        return EXIT_USAGE;
    }
    (void)signal(SIGABRT, on_abort);
    (void)signal(SIGSEGV, on_abort);
    for (uint64_t i = 0; i < count; i++) {
        bad += run_seed(first + i, folder) > 0;
    }
    remove_files(folder);
    (void)fprintf(stderr, "%llu seeds, %llu failed; %llu items were compressed\n",
                  (unsigned long long)count, (unsigned long long)bad, (unsigned long long)packed);
    return bad == 0 ? EXIT_DONE : EXIT_FAILED;
}
