#include "tests/sim/run.h"

#include "ingest/copy/engine.h"
#include "tests/sim/checks.h"

#include <signal.h>
#include <string.h>

#define STEPS_MAX      4000000U
#define SPAN_MAX_NS    (INT64_C(24) * 3600 * NS_PER_S)
#define ENGINE_TICK_NS (100 * NS_PER_MS)
#define STEP_NS_MAX    20000U

enum { PART_ENGINE, PART_SCAN, PART_RECORDER, PART_LANES };

struct part {
    bool did;
    int64_t last_ns; /* when its last turn was */
};

struct run {
    struct world *world;
    const struct trouble *trouble;
    struct run_report *report;
    struct text plan_path;
    struct text known_path;
    struct end *source;
    struct end *target;
    struct plan plan;
    struct mailbox mailbox;
    struct throttle throttle;
    struct copy_control control;
    struct copy_events events;
    struct scan scan;
    struct recorder recorder;
    struct lane lanes[ENGINE_LANES_MAX];
    unsigned lane_count;
    struct engine engine;
    struct part parts[PART_LANES + ENGINE_LANES_MAX];
    struct chance chance; /* of the order */
    bool is_done;
};

/* ---- what the run is told ---- */

static unsigned
index_of(const struct run *run, const char *name)
{
    const struct memory_store *source = &run->world->source;
    const struct memory_blob *blob = NULL;
    for (unsigned i = 0; i < source->count; i++) {
        blob = source->blobs[i];
        if (strcmp(blob->name, name) == 0) {
            return i;
        }
    }
    world_fail(run->world, "an item '%s' was reported that the source never had", name);
    return 0;
}

static void
on_item(void *user, const struct item *item)
{
    struct run *run = user;
    unsigned index = index_of(run, item->name);
    if (run->world->source.count == 0) {
        return;
    }
    if (item->err_code == ERR_OK || item->err_text == NULL) {
        world_fail(run->world, "'%s' was reported without a reason", item->name);
    }
    run->report->codes[index] = item->err_code;
    if (item->state == ITEM_FAILED) {
        run->report->failed[index]++;
    } else {
        run->report->skipped[index]++;
    }
}

static void
on_visible(void *user, const struct memory_blob *blob)
{
    const struct run *run = user;
    if (strcmp(blob->props.job, run->plan.nonce) != 0) {
        world_fail(run->world, "'%s' was stored without this job's nonce", blob->name);
    }
    run->world->packed += blob_is_packed(&blob->props);
    if (blob_is_packed(&blob->props) && run->world->options.compress_level == 0) {
        world_fail(run->world, "'%s' was compressed, which nobody asked for", blob->name);
    }
    if (blob->props.type != world_type(run->world, blob->name, blob->props.original_bytes)) {
        world_fail(run->world, "'%s' became visible with another type than it has", blob->name);
    }
    /* Of several blocks: nobody can take it for an item that is not compressed. */
    bool is_large = blob->stage_id != 0 && blob->stage_id >> 63 == 0;
    if (blob_is_packed(&blob->props) && is_large &&
        (blob->props.size_bytes + blob->props.original_bytes) % 2 == 0) {
        world_fail(run->world, "'%s' could have had as many bytes as it was made of", blob->name);
    }
    if (!world_is_right(run->world, blob)) {
        world_fail(run->world, "wrong bytes became visible as '%s'", blob->name);
    }
}

static void
on_sent(void *user, const struct blob_op *op, const struct memory_staged *old)
{
    const struct run *run = user;
    const struct memory_blob *source = memory_store_find(&run->world->source, op->name);
    if (source != NULL && source->is_recorded) {
        world_fail(run->world, "'%s' was sent again though the plan has it", op->name);
    }
    if (op->verb != BLOB_WRITE && !world_may_replace(run->world, op->props, op->name)) {
        world_fail(run->world, "'%s' took the place of something that is to stay", op->name);
    }
    if (old != NULL && old->is_recorded) {
        world_fail(run->world, "block %u of '%s' was sent again though the plan has it",
                   op->block_index, op->name);
    }
}

static void
on_broken(void *user, const char *words)
{
    const struct run *run = user;
    world_fail(run->world, "%s", words);
}

/* ---- set up, as copy.c does ---- */

static void
need(struct run *run, enum err_code code, const struct err *err)
{
    if (code != ERR_OK) {
        world_fail(run->world, "could not be set up: %s", err->text);
        (void)fflush(run->world->out);
        ASSERT(code == ERR_OK);
    }
}

static void
open_ends(struct run *run)
{
    const struct world *world = run->world;
    struct memory_options options = {
        .caps = world->source_caps,
        .clock = &world->clock.clock,
        .latency_max_ns = world->sizes.latency_max_ns,
        .in_flight_max = world->sizes.in_flight_max,
        .list_fails_at = (unsigned)run->trouble->source_list_fails_at,
    };
    run->source = memory_end_new(&run->world->source, &options);
    options.caps = world->target_caps;
    options.list_fails_at = (unsigned)run->trouble->target_list_fails_at;
    options.halt_at = run->trouble->halt_at;
    options.barrier_fails_at = (unsigned)run->trouble->barrier_fails_at;
    options.halt_code = chance_below(&run->chance, 2) == 0 ? ERR_STORE_FULL : ERR_STORE_AUTH;
    run->target = memory_end_new(&run->world->target, &options);
    run->world->target.hooks = (struct memory_hooks){
        .user = run, .visible = on_visible, .sent = on_sent, .broken = on_broken};
    run->world->source.hooks = (struct memory_hooks){.user = run, .broken = on_broken};
}

/* retry around fault around the store, as a real run has retry around it. */
static struct backend *
open_backend(struct run *run, struct end *end, const struct fault_options *faults, unsigned lane)
{
    const struct world *world = run->world;
    const struct clock *clock = &world->clock.clock;
    struct lane_io io = {.clock = clock, .wake = &run->lanes[lane].mailbox, .lane_index = lane};
    struct fault_options mine = *faults;
    struct retry_options retry = {.patience = {.delay_min_ns = 250 * NS_PER_MS,
                                               .delay_max_ns = 15 * NS_PER_S,
                                               .give_up_ns = world->sizes.give_up_ns},
                                  .seed = world->seed + lane};
    struct backend *backend = NULL;
    struct err err = ERR_NONE;
    mine.seed += lane;
    need(run, end_backend(end, &io, &backend, &err), &err);
    need(run, fault_new(backend, &mine, clock, &backend, &err), &err);
    need(run, retry_new(backend, &retry, clock, &backend, &err), &err);
    if (end == run->source && end->caps.keeps_props) {
        need(run, unzstd_new(backend, &backend, &err), &err);
    }
    if (end == run->target && world->options.bandwidth != 0) {
        need(run, throttle_new(backend, &run->throttle, clock, &backend, &err), &err);
    }
    return backend;
}

static void
open_lane(struct run *run, unsigned index)
{
    const struct world *world = run->world;
    const struct lane_options options = {
        .copy = &world->options,
        .clock = &world->clock.clock,
        .nonce = run->plan.nonce,
        .run = run->plan.run,
        .source = run->source,
        .target = run->target,
        .control = &run->mailbox,
        .window = world->sizes.window,
        .window_blocks = WINDOW_BLOCKS_START,
        .block_count = world->sizes.block_count,
        .pool_bytes = world->sizes.pool_bytes,
    };
    struct err err = ERR_NONE;
    need(run, lane_init(&run->lanes[index], index, &options, &err), &err);
    struct backend *source = open_backend(run, run->source, &run->trouble->source, index);
    struct backend *target = open_backend(run, run->target, &run->trouble->target, index);
    lane_open(&run->lanes[index], NULL, NULL, source, target);
    if (world->options.compress_level != 0) {
        struct packer *packer = NULL;
        need(run, packer_new(world->options.compress_level, SIZE_MAX, &packer, &err), &err);
        lane_set_packer(&run->lanes[index], packer);
    }
}

static void
open_engine(struct run *run, bool is_fresh)
{
    const struct world *world = run->world;
    const struct clock *clock = &world->clock.clock;
    struct err err = ERR_NONE;
    const struct scan_options scan = {
        .copy = &world->options,
        .source = run->source,
        .target = run->target,
        .nonce = run->plan.nonce,
        .plan_path = text_str(&run->plan_path),
        .known_path = text_str(&run->known_path),
        .control = &run->mailbox,
        .is_resumed = run->plan.is_resumed,
        .is_fresh = is_fresh,
        .block_largest = world_block_largest(world),
    };
    need(run, scan_init(&run->scan, &scan, &err), &err);
    const struct recorder_options recorder = {
        .plan = &run->plan,
        .target = run->target,
        .control = &run->mailbox,
        .scan = &run->scan.mailbox,
        .clock = clock,
        .local_sync_ns = world->config.local_sync_ns,
    };
    need(run, recorder_init(&run->recorder, &recorder, &err), &err);
    run->lane_count = world->sizes.lanes;
    for (unsigned i = 0; i < run->lane_count; i++) {
        open_lane(run, i);
    }
    run->world->config.failures_max = run->trouble->failures_max;
    run->events = (struct copy_events){.user = run, .item = on_item};
    const struct engine_options engine = {
        .copy = &world->options,
        .events = &run->events,
        .control = &run->control,
        .clock = clock,
        .plan = &run->plan,
        .source = run->source,
        .target = run->target,
        .scan = &run->scan,
        .recorder = &run->recorder,
        .lanes = run->lanes,
        .lane_count = run->lane_count,
        .batch_count = world->sizes.batch_count,
    };
    engine_init(&run->engine, &run->mailbox, &engine);
}

static void
set_up(struct run *run, const char *folder, bool is_first)
{
    struct err err = ERR_NONE;
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    text_addf(&run->plan_path, "%s/plan.db", folder);
    text_addf(&run->known_path, "%s/known.db", folder);
    throttle_init(&run->throttle, run->world->options.bandwidth);
    open_ends(run);
    need(run, end_prepare(run->target, false, &free_bytes, &is_fresh, &err), &err);
    is_fresh = is_fresh && is_first && run->world->sizes.is_fresh;
    need(run, plan_open(text_str(&run->plan_path), is_first, &run->plan, &err), &err);
    need(run, mailbox_init(&run->mailbox, &err), &err);
    open_engine(run, is_fresh);
    memcpy(run->report->nonce, run->plan.nonce, sizeof run->report->nonce);
}

static void
take_down(struct run *run)
{
    for (unsigned i = 0; i < run->lane_count; i++) {
        lane_done(&run->lanes[i]);
    }
    scan_done(&run->scan);
    recorder_done(&run->recorder);
    engine_done(&run->engine);
    plan_close(&run->plan);
    mailbox_done(&run->mailbox);
    run->source = end_close(run->source);
    run->target = end_close(run->target);
    run->world->target.hooks = (struct memory_hooks){0};
    run->world->source.hooks = (struct memory_hooks){0};
    text_done(&run->plan_path);
    text_done(&run->known_path);
}

/* ---- turns ---- */

static bool
has_mail(struct mailbox *box)
{
    return atomic_load(&box->head) != NULL;
}

static bool
recorder_waits(const struct recorder *recorder)
{
    return !list_is_empty(&recorder->batches) || !list_is_empty(&recorder->orders);
}

/* When a part would wake up of itself; INT64_MAX: only by mail, 0: at once. */
static int64_t
wakes_ns(struct run *run, unsigned index)
{
    const struct part *part = &run->parts[index];
    bool is_awake = part->did || part->last_ns == 0;
    struct lane *lane = NULL;
    switch (index) {
    case PART_ENGINE:
        return is_awake || has_mail(&run->mailbox) ? 0 : part->last_ns + ENGINE_TICK_NS;
    case PART_SCAN:
        return run->scan.is_stopped                       ? INT64_MAX
               : is_awake || has_mail(&run->scan.mailbox) ? 0
                                                          : INT64_MAX;
    case PART_RECORDER:
        if (run->recorder.is_stopped) {
            return INT64_MAX;
        }
        if (is_awake || has_mail(&run->recorder.mailbox)) {
            return 0;
        }
        return recorder_waits(&run->recorder) ? part->last_ns + PLAN_COMMIT_NS / 4 : INT64_MAX;
    default:
        lane = &run->lanes[index - PART_LANES];
        if (lane->is_stopped) {
            return INT64_MAX;
        }
        return is_awake || has_mail(&lane->mailbox) ? 0 : lane_next_timer_ns(lane);
    }
}

/* At most as many blocks with buffers as the window allows, which may have shrunk meanwhile. */
static void
turn_lane(struct run *run, struct part *part, struct lane *lane)
{
    unsigned active = lane->active;
    part->did = lane_turn(lane) > 0;
    if (lane->active > MAX_OF(active, lane->options.window)) {
        world_fail(run->world, "lane %u has %u blocks in its window of %u", lane->index,
                   lane->active, lane->options.window);
    }
}

static void
turn(struct run *run, unsigned index)
{
    struct part *part = &run->parts[index];
    part->last_ns = run->world->clock.mono_ns;
    switch (index) {
    case PART_ENGINE: run->is_done = !engine_turn(&run->engine); break;
    case PART_SCAN: part->did = scan_turn(&run->scan); break;
    case PART_RECORDER: part->did = recorder_turn(&run->recorder); break;
    default: turn_lane(run, part, &run->lanes[index - PART_LANES]); break;
    }
}

/* One of the parts that are awake, or PART_COUNT with the time at which the first one wakes. */
static unsigned
choose_part(struct run *run, int64_t *ret_next_ns)
{
    unsigned part_count = PART_LANES + run->lane_count;
    unsigned awake[PART_LANES + ENGINE_LANES_MAX];
    unsigned count = 0;
    *ret_next_ns = INT64_MAX;
    for (unsigned i = 0; i < part_count; i++) {
        int64_t at_ns = wakes_ns(run, i);
        *ret_next_ns = MIN_OF(*ret_next_ns, at_ns);
        if (at_ns <= run->world->clock.mono_ns) {
            awake[count++] = i;
        }
    }
    if (count == 0) {
        return part_count;
    }
    unsigned chosen = awake[chance_below(&run->chance, count)];
    if (chosen == run->world->sizes.slow_part && chance_below(&run->chance, 16) != 0) {
        chosen = awake[chance_below(&run->chance, count)];
    }
    return chosen;
}

/* ---- trouble ---- */

static void
crash(struct run *run)
{
    run->report->is_crashed = true;
    memory_end_crash(run->target);
    memory_end_crash(run->source);
    /* From here on nothing is recorded; the open transaction is lost when the plan is closed. */
    (void)err_set(&run->recorder.err, ERR_SYSTEM, "the machine died");
    atomic_store(&run->recorder.has_failed, true);
    mailbox_wake(&run->mailbox);
}

static void
make_trouble(struct run *run)
{
    const struct trouble *trouble = run->trouble;
    uint64_t step = run->report->steps;
    if (trouble->mutate_permille > 0 &&
        chance_below(&run->chance, 1000) < trouble->mutate_permille) {
        world_mutate(run->world);
    }
    if (trouble->foreign_permille > 0 &&
        chance_below(&run->chance, 1000) < trouble->foreign_permille) {
        world_write_foreign(run->world);
    }
    if (step == trouble->crash_step) {
        crash(run);
    }
    if (step == trouble->interrupt_step) {
        copy_interrupt(&run->control, SIGINT);
    }
}

static void
step_to_the_end(struct run *run)
{
    struct world *world = run->world;
    struct fake_clock *clock = &world->clock;
    int64_t began_ns = clock->mono_ns;
    unsigned part_count = PART_LANES + run->lane_count;
    atomic_store(&run->control.mailbox, &run->mailbox);
    while (!run->is_done) {
        int64_t next_ns = 0;
        run->report->steps++;
        make_trouble(run);
        unsigned index = choose_part(run, &next_ns);
        if (index == part_count) {
            fake_clock_go_to(clock, next_ns);
            continue;
        }
        turn(run, index);
        fake_clock_add(clock, (int64_t)chance_below(&run->chance, STEP_NS_MAX));
        if (run->report->steps > STEPS_MAX || clock->mono_ns - began_ns > SPAN_MAX_NS) {
            world_fail(world, "the run does not end: %llu steps, %lld s",
                       (unsigned long long)run->report->steps,
                       (long long)((clock->mono_ns - began_ns) / NS_PER_S));
            (void)fflush(world->out);
            ASSERT(run->is_done);
        }
    }
    atomic_store(&run->control.mailbox, NULL);
    run->report->span_ns = clock->mono_ns - began_ns;
    engine_sum(&run->engine);
}

/* ---- */

static void
conclude(struct run *run)
{
    struct err err = ERR_NONE;
    struct run_report *report = run->report;
    report->stop = run->engine.stop;
    report->figures = run->engine.figures;
    report->has_lost_rows = atomic_load(&run->recorder.has_failed);
    if (report->stop.code == ERR_OK && report->figures.items_failed == 0 && !report->is_crashed) {
        need(run, end_tidy(run->target, run->plan.nonce, &err), &err);
        need(run, plan_finish(&run->plan, &err), &err);
        report->is_finished = true;
    }
}

void
run_copy(struct world *world, const char *folder, const struct trouble *trouble, bool is_first,
         struct run_report *ret_report)
{
    struct run *run = mem_take(sizeof *run);
    size_t count = world->source.count + 1;
    *ret_report = (struct run_report){.skipped = mem_take(count * sizeof *ret_report->skipped),
                                      .failed = mem_take(count * sizeof *ret_report->failed),
                                      .codes = mem_take(count * sizeof *ret_report->codes)};
    run->world = world;
    run->trouble = trouble;
    run->report = ret_report;
    chance_init(&run->chance, chance_below(&world->chance, UINT32_MAX));
    set_up(run, folder, is_first);
    step_to_the_end(run);
    checks_after_run(world, &run->engine, &run->scan, run->lanes);
    conclude(run);
    take_down(run);
    mem_give(run);
}

void
run_report_done(struct run_report *report)
{
    report->skipped = mem_give(report->skipped);
    report->failed = mem_give(report->failed);
    report->codes = mem_give(report->codes);
}
