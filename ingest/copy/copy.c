#include "ingest/copy/copy.h"

#include "base/log.h"
#include "ingest/copy/depth.h"
#include "ingest/copy/dry_run.h"
#include "ingest/copy/ends.h"
#include "ingest/copy/engine.h"
#include "ingest/copy/job_folder.h"
#include "ingest/copy/mime.h"
#include "ingest/copy/receipt.h"
#include "ingest/copy/room.h"
#include "ingest/copy/verify.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/wrap.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IN_FLIGHT_DEFAULT 64U
#define DISK_DEPTH        256U
#define LOCAL_BLOCKS      2048U
#define BATCHES           64U
#define BATCHES_FEW       24U
#define MEMORY_SMALL      ((uint64_t)128 << 20)

/* Everything one run holds; set up in order, taken down in reverse. */
struct run {
    const struct copy_options *options;
    struct copy_options adapted; /* to the ends and --memory; what options points to then */
    const struct copy_events *events;
    struct copy_control *control;
    struct end *source;
    struct end *target;
    struct job_folder folder;
    struct plan plan;
    struct sign_key *key; /* signs the receipt */
    struct mailbox mailbox;
    struct throttle throttle;
    struct storm storm;
    struct scan scan;
    struct recorder recorder;
    struct packer *packers[ENGINE_LANES_MAX]; /* until their lanes have them */
    struct lane lanes[ENGINE_LANES_MAX];
    struct room room;
    unsigned lane_count;
    struct depth depth;
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

/* Before anything is opened, so that what the process has open is not the copy's own. */
static enum err_code
choose_depth(struct run *run, struct err *err)
{
    const struct copy_options *options = run->options;
    run->depth = (struct depth){
        .lanes = options->lanes != 0 ? MIN_OF(options->lanes, ENGINE_LANES_MAX) : LANES_DEFAULT_MAX,
        .in_flight = options->in_flight != 0 ? options->in_flight : IN_FLIGHT_DEFAULT,
        .batches = options->memory_bytes < MEMORY_SMALL ? BATCHES_FEW : BATCHES,
    };
    return depth_fit_process(&run->depth, err);
}

/* Lanes, buffers and blocks; from here on options has the sizes that are used. */
static enum err_code
divide_memory(struct run *run, struct err *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (room_divide(run->options, &run->source->caps, &run->target->caps,
                    (unsigned)MAX_OF(cores, 1), &run->room, err) != ERR_OK) {
        return err->code;
    }
    run->lane_count = MIN_OF(run->room.lanes, run->depth.lanes);
    run->adapted = *run->options;
    run->adapted.block_bytes = run->room.block_bytes;
    run->adapted.large_block_bytes = run->room.large_block_bytes;
    run->options = &run->adapted;
    return ERR_OK;
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

/* What is reached over a network is tried again when it fails for a moment. */
static enum err_code
open_backend(struct run *run, struct end *end, const struct lane_io *io,
             struct backend **ret_backend, struct err *err)
{
    enum err_code code = end_backend(end, io, ret_backend, err);
    if (code == ERR_OK && !end->caps.is_local) {
        code = retry_wrap(run->options->config, run->options->clock, &run->storm, ret_backend, err);
    }
    if (code == ERR_OK && end == run->source && end->caps.keeps_props) {
        struct backend *inner = *ret_backend;
        code = unzstd_new(inner, ret_backend, err);
    }
    return code;
}

/* A quarter of a lane's share at most; with less memory the window becomes smaller. */
static enum err_code
open_packers(struct run *run, struct err *err)
{
    enum err_code code = ERR_OK;
    int level = run->options->compress_level;
    for (unsigned i = 0; i < run->lane_count && level != 0 && code == ERR_OK; i++) {
        code = packer_new(level, run->room.packer_bytes, &run->packers[i], err);
    }
    return code;
}

static enum err_code
open_lane(struct run *run, unsigned index, struct err *err)
{
    const struct copy_options *options = run->options;
    bool is_local = run->target->caps.is_local;
    unsigned window = MAX_OF(run->depth.in_flight / run->lane_count, 1);
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
        .pool_bytes = run->room.pool_bytes,
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
                         .moved = &lane->figures.moved,
                         .lane_index = index};
    code = code == ERR_OK ? open_backend(run, run->source, &io, &source, err) : code;
    code = code == ERR_OK ? open_backend(run, run->target, &io, &target, err) : code;
    if (code == ERR_OK && options->bandwidth != 0) {
        struct backend *inner = target;
        code = throttle_new(inner, &run->throttle, options->clock, &target, err);
    }
    lane_open(lane, disk, http, source, target);
    lane_set_packer(lane, run->packers[index]);
    run->packers[index] = NULL;
    return code;
}

static enum err_code
open_engine(struct run *run, struct err *err)
{
    const struct copy_options *options = run->options;
    enum err_code code = open_packers(run, err);
    if (code != ERR_OK) {
        return code;
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
        .block_largest = run->room.block_largest,
    };
    code = scan_init(&run->scan, &scan, err);
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
        .batch_count = run->depth.batches,
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
        run->packers[i] = packer_free(run->packers[i]);
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

/* A source that cannot be read at all is not one of its items that failed. */
static enum exit_code
exit_of_stop(const struct run *run, enum err_code code)
{
    return err_class(code) == ERR_CLASS_ITEM
               ? EXIT_HALTED
               : err_exit_after(code, atomic_load(&run->control->signal));
}

static enum exit_code
exit_of(const struct run *run, const struct copy_result *result,
        const struct verify_result *verified)
{
    const struct copy_figures *figures = &result->figures;
    if (result->stop.code != ERR_OK) {
        return exit_of_stop(run, result->stop.code);
    }
    if (verified->missing + verified->different + figures->items_damaged > 0) {
        return EXIT_MISMATCH;
    }
    if (figures->items_failed > 0) {
        return EXIT_ITEMS_FAILED;
    }
    if (figures->items_total == 0) {
        return EXIT_NOTHING;
    }
    return figures->items_renamed > 0 || run->options->has_warnings ? EXIT_WARNINGS : EXIT_DONE;
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
        uint64_t stored = result->figures.items_copied + result->figures.items_renamed;
        uint64_t unread = stored - MIN_OF(stored, verified->read_back);
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
        .device = options->device,
        .source = run->source->display,
        .target = run->target->display,
        .prefix = run->target->prefix,
        .plan_path = run->folder.plan_path,
        .clock = options->clock,
        .verified = verified,
        .signal = &run->control->signal,
    };
    const struct copy_figures *f = &result->figures;
    if (f->items_copied + f->items_renamed + f->items_unchanged == 0) {
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

static enum err_code
leave_more(struct run *run, const struct verify_result *verified, struct err *err)
{
    const struct copy_ended ended = {
        .job = run->plan.nonce,
        .folder = run->folder.path,
        .plan_path = run->folder.plan_path,
        .stage_id = run->plan.next_stage_id,
        .target = run->target,
        .verified = verified,
    };
    return run->options->ended == NULL ? ERR_OK
                                       : run->options->ended(run->options->ended_user, &ended, err);
}

static void
tell_encoded(const struct run *run)
{
    struct err notice = ERR_NONE;
    uint64_t count = atomic_load(&run->scan.encoded);
    if (count > 0 && run->events->notice != NULL) {
        (void)err_set(&notice, ERR_FORMAT,
                      "%llu items have Content-Encoding zstd, but nothing says that a copy of ours "
                      "compressed them: they were stored compressed, as they are",
                      (unsigned long long)count);
        run->events->notice(run->events->user, &notice);
    }
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
    code = code == ERR_OK ? leave_more(run, verified, err) : code;
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

static void
tell_begun(const struct run *run)
{
    if (run->events->begun != NULL) {
        run->events->begun(run->events->user, run->plan.nonce);
    }
}

static enum err_code
run_all(struct run *run, struct copy_result *result, struct err *err)
{
    struct verify_result verified = {0};
    const struct ends_watch watch = {.signal = &run->control->signal, .storm = &run->storm};
    enum err_code code = choose_depth(run, err);
    code = code == ERR_OK ? filter_check(&run->options->filter, err) : code;
    if (code == ERR_OK && run->options->receipt != NULL) {
        code = receipt_check_place(run->options->receipt, err);
    }
    code = code == ERR_OK ? ends_open(run->options, &watch, &run->source, &run->target, err) : code;
    code = code == ERR_OK ? prepare_ends(run, err) : code;
    code = code == ERR_OK ? divide_memory(run, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    if (run->options->dry_run) {
        struct dry_run dry = {
            .options = run->options,
            .events = run->events,
            .control = run->control,
            .source = run->source,
            .target = run->target,
            .block_largest = run->room.block_largest,
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
    if (code == ERR_OK) {
        (void)memcpy(result->job, run->plan.nonce, sizeof result->job);
        tell_begun(run);
    }
    code = code == ERR_OK ? end_begin(run->target, run->folder.path, err) : code;
    code = code == ERR_OK ? mailbox_init(&run->mailbox, err) : code;
    run->has_mailbox = code == ERR_OK;
    code = code == ERR_OK ? open_engine(run, err) : code;
    code = code == ERR_OK ? move_items(run, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    result->figures = run->engine.figures;
    result->stop = run->engine.stop;
    tell_encoded(run);
    if (result->stop.code == ERR_OK && conclude(run, result, &verified, err) != ERR_OK) {
        result->stop = *err;
    }
    result->figures.phase = PHASE_DONE;
    result->figures.elapsed_ns = clock_mono_ns(run->options->clock) - result->figures.started_ns;
    result->exit = exit_of(run, result, &verified);
    verify_result_done(&verified);
    return ERR_OK;
}

/* A storm that was survived is told once; one that was not is the error itself. */
static void
tell_storm(struct run *run, struct copy_result *result)
{
    struct err notice = ERR_NONE;
    bool was_any = storm_fold(&run->storm, &notice);
    result->figures.retries = run->storm.retries;
    /* With the answers to those who list and prepare, which no lane has seen. */
    result->figures.throttled_count = MAX_OF(result->figures.throttled_count, run->storm.throttled);
    if (was_any && run->events->notice != NULL && err_class(result->stop.code) != ERR_CLASS_RETRY) {
        run->events->notice(run->events->user, &notice);
    }
}

enum err_code
copy_run(const struct copy_options *options, const struct copy_events *events,
         struct copy_control *control, struct copy_result *ret_result, struct err *err)
{
    struct run *run = mem_take(sizeof *run);
    struct copy_result result = {.figures = {.started_ns = clock_mono_ns(options->clock)}};
    int64_t began_ns = result.figures.started_ns;
    run->options = options;
    run->events = events;
    run->control = control;
    run->folder.lock = -1;
    throttle_init(&run->throttle, options->bandwidth);
    storm_init(&run->storm);
    mime_load("/etc/mime.types");
    enum err_code code = run_all(run, &result, err);
    if (code != ERR_OK) {
        result.stop = *err;
        result.exit = exit_of_stop(run, code);
        result.figures.elapsed_ns = clock_mono_ns(options->clock) - began_ns;
    }
    tell_storm(run, &result);
    bool is_abandoned = run->has_engine && run->engine.is_abandoned;
    take_down(run);
    if (!is_abandoned) {
        storm_done(&run->storm);
        mem_give(run);
    }
    *ret_result = result;
    return code;
}
