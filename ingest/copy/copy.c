#include "ingest/copy/copy.h"

#include "base/log.h"
#include "ingest/copy/dry_run.h"
#include "ingest/copy/engine.h"
#include "ingest/copy/job_folder.h"
#include "ingest/copy/mime.h"
#include "ingest/copy/receipt.h"
#include "ingest/copy/verify.h"
#include "storage/wrap/wrap.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LANES_DEFAULT_MAX 4U
#define IN_FLIGHT_DEFAULT 64U
#define DISK_DEPTH        256U
#define LOCAL_BLOCKS      2048U
#define BATCHES           64U
#define BATCHES_FEW       24U
#define RANGE_BYTES       ((uint64_t)4 << 20)
#define MEMORY_SMALL      ((uint64_t)128 << 20)

/* Everything one run holds; set up in order, taken down in reverse. */
struct run {
    const struct copy_options *options;
    struct copy_options adapted; /* to the ends; what options points to then */
    const struct copy_events *events;
    struct copy_control *control;
    struct end *source;
    struct end *target;
    struct job_folder folder;
    struct plan plan;
    struct sign_key *key; /* signs the receipt */
    struct mailbox mailbox;
    struct throttle throttle;
    struct scan scan;
    struct recorder recorder;
    struct lane lanes[ENGINE_LANES_MAX];
    unsigned lane_count;
    struct engine engine;
    pthread_t threads[ENGINE_LANES_MAX + 2];
    unsigned thread_count;
    bool has_folder, has_plan, has_mailbox, has_scan, has_recorder, has_engine;
    bool is_fresh;
    uint64_t free_bytes; /* at the target */
};

void
copy_interrupt(struct copy_control *control, int signal)
{
    struct mailbox *mailbox = atomic_load(&control->mailbox);
    atomic_store(&control->signal, signal);
    if (mailbox != NULL) {
        mailbox_wake(mailbox);
    }
}

static enum err_code
open_ends(struct run *run, struct err *err)
{
    const struct copy_options *options = run->options;
    struct end_options end = {
        .role = END_SOURCE,
        .links = options->links,
        .config = options->config,
        .clock = options->clock,
        .local_sync_ns = options->config->local_sync_ns,
        .wants_blocks_checked_by_md5 = options->wants_md5,
    };
    enum err_code code = end_open(options->source, &end, &run->source, err);
    end.role = END_TARGET;
    code = code == ERR_OK ? end_open(options->target, &end, &run->target, err) : code;
    code = code == ERR_OK ? end_check_apart(run->source, run->target, err) : code;
    if (code == ERR_OK && options->tier != BLOB_TIER_NONE && !run->target->caps.keeps_props) {
        code = err_set(err, ERR_USAGE, "'%s' is a folder, which has no tiers; leave out --tier",
                       run->target->display);
    }
    return code;
}

/*
 * Ranges of up to 4 MiB come with a checksum from stores that compute one, and are still in the
 * cache when they are written: 4 GB to tmpfs take 15 % less CPU than with 8 MiB.
 */
static void
adapt_to_ends(struct run *run)
{
    if (!run->options->has_block_bytes && !run->source->caps.is_local &&
        run->target->caps.is_local) {
        run->adapted = *run->options;
        run->adapted.block_bytes = MIN_OF(run->adapted.block_bytes, RANGE_BYTES);
        run->options = &run->adapted;
    }
}

static enum err_code
prepare_ends(struct run *run, struct err *err)
{
    uint64_t free_bytes = UINT64_MAX;
    bool is_fresh = false;
    bool is_dry = run->options->dry_run;
    enum err_code code = end_prepare(run->source, is_dry, &free_bytes, &is_fresh, err);
    if (code != ERR_OK) {
        return err_wrap(err, "source");
    }
    code = end_prepare(run->target, is_dry, &run->free_bytes, &run->is_fresh, err);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "target");
}

static unsigned
choose_lanes(const struct copy_options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned lanes = options->lanes != 0 ? options->lanes
                                         : MIN_OF((unsigned)MAX_OF(cores, 1), LANES_DEFAULT_MAX);
    return MIN_OF(lanes, ENGINE_LANES_MAX);
}

/* Six tenths of the budget are buffers; the rest is for batches, databases, stacks and libraries.
 */
static size_t
pool_bytes(const struct copy_options *options, unsigned lanes)
{
    return (size_t)(options->memory_bytes / 10 * 6 / lanes);
}

/* What is reached over a network is tried again when it fails for a moment. */
static enum err_code
open_backend(struct run *run, struct end *end, const struct lane_io *io,
             struct backend **ret_backend, struct err *err)
{
    enum err_code code = end_backend(end, io, ret_backend, err);
    if (code == ERR_OK && !end->caps.is_local) {
        code = retry_wrap(run->options->config, run->options->clock, ret_backend, err);
    }
    return code;
}

static enum err_code
open_lane(struct run *run, unsigned index, struct err *err)
{
    const struct copy_options *options = run->options;
    bool is_local = run->target->caps.is_local;
    unsigned in_flight = options->in_flight != 0 ? options->in_flight : IN_FLIGHT_DEFAULT;
    unsigned window = MAX_OF(in_flight / run->lane_count, 1);
    struct lane_options lane_options = {
        .copy = options,
        .clock = options->clock,
        .nonce = run->plan.nonce,
        .run = run->plan.run,
        .source = run->source,
        .target = run->target,
        .control = &run->mailbox,
        .window = window,
        .window_blocks = is_local && run->source->caps.is_local ? window : WINDOW_BLOCKS_START,
        .block_count = is_local ? LOCAL_BLOCKS : window * 2 + 16,
        .pool_bytes = pool_bytes(options, run->lane_count),
    };
    struct lane *lane = &run->lanes[index];
    struct disk *disk = NULL;
    struct transport *http = NULL;
    struct backend *source = NULL;
    struct backend *target = NULL;
    enum err_code code = lane_init(lane, index, &lane_options, err);
    code = code == ERR_OK ? disk_new(DISK_AUTO, DISK_DEPTH, &disk, err) : code;
    if (code == ERR_OK && !(run->source->caps.is_local && is_local)) {
        code = transport_new(options->config, options->clock, lane_options.block_count, &http, err);
    }
    struct lane_io io = {.disk = disk,
                         .http = http,
                         .clock = options->clock,
                         .wake = &lane->mailbox,
                         .lane_index = index};
    code = code == ERR_OK ? open_backend(run, run->source, &io, &source, err) : code;
    code = code == ERR_OK ? open_backend(run, run->target, &io, &target, err) : code;
    if (code == ERR_OK && options->bandwidth != 0) {
        struct backend *inner = target;
        code = throttle_new(inner, &run->throttle, options->clock, &target, err);
    }
    lane_open(lane, disk, http, source, target);
    return code;
}

static enum err_code
open_engine(struct run *run, struct err *err)
{
    const struct copy_options *options = run->options;
    size_t largest = pool_bytes(options, run->lane_count);
    while ((largest & (largest - 1)) != 0) {
        largest &= largest - 1; /* the pool's largest piece is a power of two */
    }
    struct scan_options scan = {
        .copy = options,
        .source = run->source,
        .target = run->target,
        .nonce = run->plan.nonce,
        .plan_path = run->folder.plan_path,
        .known_path = run->folder.known_path,
        .control = &run->mailbox,
        .is_resumed = run->plan.is_resumed,
        .is_fresh = run->is_fresh,
        .block_largest = largest / 2,
    };
    enum err_code code = scan_init(&run->scan, &scan, err);
    run->has_scan = true;
    struct recorder_options recorder = {
        .plan = &run->plan,
        .target = run->target,
        .control = &run->mailbox,
        .scan = &run->scan.mailbox,
        .clock = options->clock,
        .local_sync_ns = options->config->local_sync_ns,
    };
    code = code == ERR_OK ? recorder_init(&run->recorder, &recorder, err) : code;
    run->has_recorder = code == ERR_OK;
    for (unsigned i = 0; i < run->lane_count && code == ERR_OK; i++) {
        code = open_lane(run, i, err);
    }
    struct engine_options engine = {
        .copy = options,
        .events = run->events,
        .control = run->control,
        .clock = options->clock,
        .plan = &run->plan,
        .source = run->source,
        .target = run->target,
        .scan = &run->scan,
        .recorder = &run->recorder,
        .lanes = run->lanes,
        .lane_count = run->lane_count,
        .batch_count = options->memory_bytes < MEMORY_SMALL ? BATCHES_FEW : BATCHES,
    };
    if (code == ERR_OK) {
        engine_init(&run->engine, &run->mailbox, &engine);
        run->has_engine = true;
    }
    return code;
}

static enum err_code
start_thread(struct run *run, void *(*body)(void *), void *user, struct err *err)
{
    int failed = pthread_create(&run->threads[run->thread_count], NULL, body, user);
    if (failed != 0) {
        return err_set_sys(err, ERR_SYSTEM, failed, "could not start a thread");
    }
    run->thread_count++;
    return ERR_OK;
}

static enum err_code
move_items(struct run *run, struct err *err)
{
    enum err_code code = start_thread(run, recorder_run, &run->recorder, err);
    for (unsigned i = 0; i < run->lane_count && code == ERR_OK; i++) {
        code = start_thread(run, lane_run, &run->lanes[i], err);
    }
    code = code == ERR_OK ? start_thread(run, scan_run, &run->scan, err) : code;
    if (code != ERR_OK) {
        /* Threads that did start wait for work that will not come; the process is about to end. */
        run->engine.is_abandoned = true;
        return code;
    }
    atomic_store(&run->control->mailbox, &run->mailbox);
    engine_run(&run->engine);
    atomic_store(&run->control->mailbox, NULL);
    for (unsigned i = 0; i < run->thread_count && !run->engine.is_abandoned; i++) {
        (void)pthread_join(run->threads[i], NULL);
    }
    return ERR_OK;
}

static void
take_down(struct run *run)
{
    /* A lane that hangs in the kernel still uses all of this; the process ends soon. */
    if (run->has_engine && run->engine.is_abandoned) {
        return;
    }
    for (unsigned i = 0; i < run->lane_count; i++) {
        if (run->lanes[i].options.control != NULL) {
            lane_done(&run->lanes[i]);
        }
    }
    if (run->has_scan) {
        scan_done(&run->scan);
    }
    if (run->has_recorder) {
        recorder_done(&run->recorder);
    }
    if (run->has_engine) {
        engine_done(&run->engine);
    }
    if (run->has_plan) {
        plan_close(&run->plan);
    }
    if (run->has_mailbox) {
        mailbox_done(&run->mailbox);
    }
    if (run->has_folder) {
        job_folder_close(&run->folder);
    }
    run->key = sign_key_free(run->key);
    run->source = end_close(run->source);
    run->target = end_close(run->target);
}

static enum exit_code
exit_of(const struct run *run, const struct copy_result *result,
        const struct verify_result *verified)
{
    const struct copy_figures *figures = &result->figures;
    if (result->stop.code == ERR_INTERRUPTED) {
        return run->engine.signal == 15 ? EXIT_SIGTERM : EXIT_SIGINT;
    }
    if (result->stop.code != ERR_OK) {
        return err_exit(result->stop.code);
    }
    if (verified->missing + verified->different + figures->items_damaged > 0) {
        return EXIT_MISMATCH;
    }
    if (figures->items_failed > 0) {
        return EXIT_ITEMS_FAILED;
    }
    return figures->items_total == 0 ? EXIT_NOTHING : EXIT_DONE;
}

static enum err_code
verify(struct run *run, struct copy_result *result, struct verify_result *verified, struct err *err)
{
    struct verify_options options = {
        .copy = run->options,
        .events = run->events,
        .control = run->control,
        .target = run->target,
        .plan = &run->plan,
        .plan_path = run->folder.plan_path,
    };
    if (run->options->verify == VERIFY_NONE || result->figures.items_total == 0) {
        return ERR_OK;
    }
    result->figures.phase = PHASE_VERIFY;
    enum err_code code = verify_run(&options, verified, err);
    result->figures.read_back = verified->read_back;
    if (verified->read_back > 0) {
        uint64_t unread = result->figures.items_copied -
                          MIN_OF(result->figures.items_copied, verified->read_back);
        result->figures.unverifiable = MIN_OF(result->figures.unverifiable, unread);
    }
    return code;
}

/* Before the plan is finished: killed in between, the next run writes it again. */
static enum err_code
write_receipt(struct run *run, struct copy_result *result, const struct verify_result *verified,
              struct err *err)
{
    const struct copy_options *options = run->options;
    AUTO_TEXT path = TEXT_INIT;
    struct receipt_job job = {
        .job = run->plan.nonce,
        .source = run->source->display,
        .target = run->target->display,
        .prefix = run->target->prefix,
        .plan_path = run->folder.plan_path,
        .clock = options->clock,
        .verified = verified,
    };
    if (result->figures.items_copied + result->figures.items_unchanged == 0) {
        return ERR_OK;
    }
    text_addf(&path, "%s/receipt.jsonl", run->folder.path);
    enum err_code code = receipt_write(text_str(&path), &job, run->key, err);
    if (code == ERR_OK && options->receipt != NULL) {
        code = receipt_copy(text_str(&path), options->receipt, err);
    }
    if (code == ERR_OK) {
        result->receipt = mem_text(options->receipt != NULL ? options->receipt : text_str(&path));
    }
    return code;
}

/* After the last byte: verify, close the plan if nothing is left to do, clear the staging. */
static enum err_code
conclude(struct run *run, struct copy_result *result, struct verify_result *verified,
         struct err *err)
{
    enum err_code code = verify(run, result, verified, err);
    if (code != ERR_OK) {
        return code;
    }
    code = write_receipt(run, result, verified, err);
    if (code != ERR_OK) {
        return code;
    }
    if (verified->missing + verified->different > 0) {
        code = plan_forget_rows(&run->plan, verified->wrong_bits, verified->rows, err);
    }
    bool is_whole =
        result->figures.items_failed == 0 && verified->missing + verified->different == 0;
    /* Every item has come to an end, and of one that failed nothing is used again. In this order:
     * killed in between, the next run resumes and clears the staging again. */
    code = code == ERR_OK ? end_tidy(run->target, run->plan.nonce, err) : code;
    if (code == ERR_OK && is_whole) {
        code = plan_finish(&run->plan, err);
    }
    return code;
}

/* Whoever cannot sign a receipt is told so before the first byte moves. */
static enum err_code
open_key(struct run *run, struct err *err)
{
    AUTO_TEXT keys = TEXT_INIT;
    text_addf(&keys, "%s/keys", run->options->state);
    return sign_open_site(text_str(&keys), &run->key, err);
}

static enum err_code
run_all(struct run *run, struct copy_result *result, struct err *err)
{
    struct verify_result verified = {0};
    enum err_code code = filter_check(&run->options->filter, err);
    code = code == ERR_OK ? open_ends(run, err) : code;
    code = code == ERR_OK ? prepare_ends(run, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    adapt_to_ends(run);
    if (run->options->dry_run) {
        struct dry_run dry = {
            .options = run->options,
            .events = run->events,
            .source = run->source,
            .target = run->target,
            .free_bytes = run->free_bytes,
        };
        return dry_run(&dry, result, err);
    }
    code = job_folder_open(run->options, run->source, run->target, &run->folder, err);
    run->has_folder = code == ERR_OK;
    code = code == ERR_OK ? open_key(run, err) : code;
    code = code == ERR_OK ? plan_open(run->folder.plan_path, run->options->restart, &run->plan, err)
                          : code;
    run->has_plan = code == ERR_OK;
    code = code == ERR_OK ? end_begin(run->target, run->folder.path, err) : code;
    code = code == ERR_OK ? mailbox_init(&run->mailbox, err) : code;
    run->has_mailbox = code == ERR_OK;
    code = code == ERR_OK ? open_engine(run, err) : code;
    code = code == ERR_OK ? move_items(run, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    (void)memcpy(result->job, run->plan.nonce, sizeof result->job);
    result->figures = run->engine.figures;
    result->stop = run->engine.stop;
    if (result->stop.code == ERR_OK && conclude(run, result, &verified, err) != ERR_OK) {
        result->stop = *err;
    }
    result->figures.phase = PHASE_DONE;
    result->figures.elapsed_ns = clock_mono_ns(run->options->clock) - result->figures.started_ns;
    result->exit = exit_of(run, result, &verified);
    verify_result_done(&verified);
    return ERR_OK;
}

enum err_code
copy_run(const struct copy_options *options, const struct copy_events *events,
         struct copy_control *control, struct copy_result *ret_result, struct err *err)
{
    struct run *run = mem_take(sizeof *run);
    struct copy_result result = {0};
    run->options = options;
    run->events = events;
    run->control = control;
    run->lane_count = choose_lanes(options);
    run->folder.lock = -1;
    throttle_init(&run->throttle, options->bandwidth);
    mime_load("/etc/mime.types");
    enum err_code code = run_all(run, &result, err);
    bool is_abandoned = run->has_engine && run->engine.is_abandoned;
    take_down(run);
    if (!is_abandoned) {
        mem_give(run);
    }
    if (code == ERR_OK) {
        *ret_result = result;
    }
    return code;
}
