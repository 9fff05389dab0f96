/*
 * One record for each op that is on its way: how often it was tried, what went wrong first, and,
 * while it waits, until when. Records are reused, so that in the long run nothing is allocated. The
 * op keeps this wrapper's frame from its first try to its end.
 */
#include "base/arena.h"
#include "base/digest.h"
#include "storage/wrap/chance.h"
#include "storage/wrap/wrap.h"

#include <string.h>

#define JITTER_STEPS 1001U

struct retry;
struct trial {
    struct list link; /* in `waiting` or `unused`; in none while the inner backend has the op */
    struct retry *retry;
    struct blob_op *op;
    unsigned tries;
    bool is_due;       /* its time came, but the inner backend had no room */
    int64_t began_ns;  /* of the first try */
    int64_t failed_ns; /* of the wait */
    int64_t again_ns;
    char first[ERR_TEXT_BYTES_MAX];
};

struct retry {
    struct backend backend;
    struct retry_options options;
    const struct clock *clock;
    struct chance chance;
    int64_t good_ns; /* when an op last ended otherwise than by trouble of the moment */
    struct list waiting;
    struct list unused;
};

static struct trial *
take_trial(struct retry *retry, struct blob_op *op)
{
    struct list *link = list_pop(&retry->unused);
    struct trial *trial =
        link == NULL ? mem_take(sizeof *trial) : CONTAINER_OF(link, struct trial, link);
    *trial = (struct trial){.retry = retry, .op = op, .tries = 1};
    trial->began_ns = clock_mono_ns(retry->clock);
    return trial;
}

static void
give_trial(struct trial *trial)
{
    list_push_front(&trial->retry->unused, &trial->link);
}

/* One text for all tries. The code stays that of the last one. */
static void
fold(const struct trial *trial, struct err *err)
{
    patience_fold(err, trial->first, trial->tries,
                  clock_mono_ns(trial->retry->clock) - trial->began_ns);
}

static void
clear_result(struct blob_op *op)
{
    op->err = ERR_NONE;
    op->moved_bytes = 0;
    op->checked = BLOB_CHECKED_NO;
    op->etag[0] = '\0';
    op->retry_after_ns = 0;
    if (op->verb == BLOB_READ) {
        op->is_zero = false; /* for a WRITE this is part of the request */
    }
}

static void
on_done(struct blob_op *op)
{
    struct trial *trial = op->frames[op->frame_count - 1].wrapper;
    struct retry *retry = trial->retry;
    int64_t now_ns = clock_mono_ns(retry->clock);
    bool is_transient = err_class(op->err.code) == ERR_CLASS_RETRY;
    if (op->err.code == ERR_THROTTLED || op->err.code == ERR_STORE_BUSY) {
        op->throttled_count++;
    }
    if (!is_transient) {
        retry->good_ns = now_ns; /* the store works, whatever it says of this one */
    }
    int64_t patient_ns = now_ns - MAX_OF(trial->began_ns, retry->good_ns);
    if (is_transient && patient_ns < retry->options.patience.give_up_ns) {
        if (trial->tries == 1) {
            (void)memcpy(trial->first, op->err.text, sizeof trial->first);
        }
        storm_add(retry->options.storm, &op->err, now_ns);
        trial->failed_ns = now_ns;
        trial->again_ns =
            now_ns + patience_wait_ns(&retry->options.patience, trial->tries, op->retry_after_ns,
                                      (unsigned)chance_below(&retry->chance, JITTER_STEPS));
        op->is_in_flight = true; /* it is still ours */
        list_push(&retry->waiting, &trial->link);
        return;
    }
    if (op->err.code != ERR_OK) {
        fold(trial, &op->err);
    }
    (void)blob_op_pop(op);
    give_trial(trial);
    op->done(op);
}

static enum err_code
retry_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct retry *retry = CONTAINER_OF(backend, struct retry, backend);
    struct trial *trial = take_trial(retry, op);
    blob_op_push(op, backend, on_done);
    op->frames[op->frame_count - 1].wrapper = trial;
    enum err_code code = backend_submit(backend->inner, op, err);
    if (code != ERR_OK) {
        (void)blob_op_pop(op);
        give_trial(trial);
    }
    return code;
}

/* An op that is with the inner backend is cancelled there, and its error is not waited out. */
static void
retry_cancel(struct backend *backend, struct blob_op *op)
{
    struct retry *retry = CONTAINER_OF(backend, struct retry, backend);
    op->is_cancelled = true;
    for (struct list *at = retry->waiting.next; at != &retry->waiting; at = at->next) {
        if (CONTAINER_OF(at, struct trial, link)->op == op) {
            return;
        }
    }
    backend_cancel(backend->inner, op);
}

static void
give_up(struct trial *trial)
{
    struct blob_op *op = trial->op;
    char last[ERR_TEXT_BYTES_MAX];
    list_remove(&trial->link);
    op->throttled_ns += clock_mono_ns(trial->retry->clock) - trial->failed_ns;
    (void)memcpy(last, op->err.text, sizeof last);
    (void)err_set(&op->err, ERR_INTERRUPTED, "stopped before it was tried again: %s", last);
    op->err.retries = (int)trial->tries - 1;
    (void)blob_op_pop(op);
    give_trial(trial);
    backend_complete(op);
}

/* False: the inner backend has no room, so there is none for the others either. */
static bool
try_again(struct retry *retry, struct trial *trial, int64_t now_ns)
{
    struct blob_op *op = trial->op;
    struct err ignored = ERR_NONE;
    struct err last = op->err;
    clear_result(op);
    op->is_in_flight = false;
    if (backend_submit(retry->backend.inner, op, &ignored) != ERR_OK) {
        op->is_in_flight = true;
        op->err = last;
        return false;
    }
    list_remove(&trial->link);
    op->throttled_ns += now_ns - trial->failed_ns;
    trial->tries++;
    trial->is_due = false;
    return true;
}

static unsigned
retry_poll(struct backend *backend)
{
    struct retry *retry = CONTAINER_OF(backend, struct retry, backend);
    int64_t now_ns = clock_mono_ns(retry->clock);
    unsigned ran = 0;
    bool has_room = true;
    struct list *next = NULL;
    for (struct list *at = retry->waiting.next; at != &retry->waiting; at = next) {
        struct trial *trial = CONTAINER_OF(at, struct trial, link);
        next = at->next;
        if (trial->op->is_cancelled) {
            give_up(trial);
            ran++;
        } else if (trial->again_ns <= now_ns) {
            trial->is_due = true;
            has_room = has_room && try_again(retry, trial, now_ns);
            ran += has_room;
        }
    }
    return ran + backend_poll(backend->inner);
}

static int64_t
retry_next_timer_ns(struct backend *backend)
{
    struct retry *retry = CONTAINER_OF(backend, struct retry, backend);
    int64_t at_ns = backend_next_timer_ns(backend->inner);
    for (struct list *at = retry->waiting.next; at != &retry->waiting; at = at->next) {
        const struct trial *trial = CONTAINER_OF(at, struct trial, link);
        if (trial->op->is_cancelled) {
            return 0;
        }
        /* A due one waits for room, of which some completion tells. */
        at_ns = trial->is_due ? at_ns : MIN_OF(at_ns, trial->again_ns);
    }
    return at_ns;
}

static struct backend *
retry_free(struct backend *backend)
{
    struct retry *retry = CONTAINER_OF(backend, struct retry, backend);
    ASSERT(list_is_empty(&retry->waiting));
    backend_free(backend->inner);
    while (!list_is_empty(&retry->unused)) {
        mem_give(CONTAINER_OF(list_pop(&retry->unused), struct trial, link));
    }
    return mem_give(retry);
}

static const struct backend_ops retry_ops = {
    .name = "retry",
    .submit = retry_submit,
    .cancel = retry_cancel,
    .poll = retry_poll,
    .next_timer_ns = retry_next_timer_ns,
    .free = retry_free,
};

enum err_code
retry_new(struct backend *inner, const struct retry_options *options, const struct clock *clock,
          struct backend **ret_backend, struct err *err)
{
    (void)err;
    ASSERT(options->patience.delay_min_ns > 0);
    struct retry *retry = mem_take(sizeof *retry);
    *retry = (struct retry){
        .backend = {.ops = &retry_ops, .inner = inner}, .options = *options, .clock = clock};
    chance_init(&retry->chance, options->seed);
    list_init(&retry->waiting);
    list_init(&retry->unused);
    *ret_backend = &retry->backend;
    return ERR_OK;
}

enum err_code
retry_wrap(const struct config *config, const struct clock *clock, struct storm *storm,
           struct backend **backend, struct err *err)
{
    struct retry_options options = {.patience = patience_of(config), .storm = storm};
    random_bytes(&options.seed, sizeof options.seed);
    return retry_new(*backend, &options, clock, backend, err);
}
