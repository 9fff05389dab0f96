/*
 * What happens to an op is decided when it is submitted, from the seed alone, so that a run can be
 * repeated. A fate that hides what the inner backend really did (a lost answer, a torn write) lets
 * it do its work first and falsifies the answer.
 */
#include "base/arena.h"
#include "storage/wrap/chance.h"
#include "storage/wrap/wrap.h"

enum fate {
    FATE_NONE,
    FATE_ERROR,
    FATE_LOST_ANSWER,
    FATE_SHORT_READ,
    FATE_TORN_WRITE,
    FATE_ITEM_ERROR,
    FATE_CORRUPT,
};

struct fault;
struct mishap {
    struct list link; /* in `before`, `after` or `unused`; in none while the inner backend has it */
    struct fault *fault;
    struct blob_op *op;
    enum fate fate;
    uint32_t len_bytes;      /* of the op, while a torn write is with the inner backend */
    bool is_due;             /* its time came, but the inner backend had no room */
    int64_t delay_before_ns; /* between submit and the inner backend */
    int64_t delay_after_ns;  /* between the inner backend's answer and ours */
    int64_t at_ns;
};

struct fault {
    struct backend backend;
    struct fault_options options;
    const struct clock *clock;
    struct chance chance;
    struct list before; /* not yet with the inner backend, or never to be */
    struct list after;  /* answered, but nobody is told yet */
    struct list unused;
};

static bool
happens(struct fault *fault, unsigned permille)
{
    return permille > 0 && chance_below(&fault->chance, 1000) < permille;
}

static enum fate
choose_fate(struct fault *fault, const struct blob_op *op)
{
    const struct fault_options *options = &fault->options;
    bool is_read = op->verb == BLOB_READ;
    bool is_write = op->verb == BLOB_WRITE;
    if (happens(fault, options->error_permille)) {
        return FATE_ERROR;
    }
    if (happens(fault, options->lost_answer_permille)) {
        return FATE_LOST_ANSWER;
    }
    if (is_read && happens(fault, options->short_read_permille)) {
        return FATE_SHORT_READ;
    }
    if (is_write && op->len_bytes > 1 && happens(fault, options->torn_write_permille)) {
        return FATE_TORN_WRITE;
    }
    if (is_read && happens(fault, options->item_error_permille)) {
        return FATE_ITEM_ERROR;
    }
    return is_read && happens(fault, options->corrupt_permille) ? FATE_CORRUPT : FATE_NONE;
}

/* As a store may say it: refused, slow down, server error, silence. */
static void
set_transient(struct fault *fault, struct blob_op *op)
{
    static const enum err_code codes[] = {ERR_NETWORK, ERR_TIMEOUT, ERR_STORE_BUSY, ERR_THROTTLED};
    enum err_code code = codes[chance_below(&fault->chance, COUNT_OF(codes))];
    (void)err_set(&op->err, code, "fault: %s", err_sentence(code));
    if (code == ERR_THROTTLED && fault->options.delay_max_ns > 0 && happens(fault, 500)) {
        op->retry_after_ns =
            1 + (int64_t)chance_below(&fault->chance, (uint64_t)fault->options.delay_max_ns);
    }
}

static void
set_lost(struct blob_op *op, const char *words)
{
    (void)err_set(&op->err, ERR_NETWORK, "fault: %s", words);
    op->checked = BLOB_CHECKED_NO;
    op->etag[0] = '\0';
}

static void
flip_bit(struct fault *fault, struct blob_op *op)
{
    if (op->moved_bytes > 0 && !op->is_zero) {
        uint8_t *bytes = op->buf;
        bytes[chance_below(&fault->chance, op->moved_bytes)] ^=
            (uint8_t)(1U << chance_below(&fault->chance, 8));
    }
}

/* Ops that never reach the inner backend. */
static void
refuse(struct fault *fault, struct blob_op *op, enum fate fate)
{
    if (fate == FATE_ERROR) {
        set_transient(fault, op);
    } else {
        (void)err_set(&op->err, ERR_ITEM_IO, "fault: '%s' could not be read", op->name);
    }
}

/* The inner backend has answered; only a good answer is spoilt. */
static void
spoil(struct mishap *mishap, struct blob_op *op)
{
    if (op->err.code != ERR_OK && mishap->fate != FATE_TORN_WRITE) {
        return;
    }
    switch (mishap->fate) {
    case FATE_LOST_ANSWER: set_lost(op, "the answer was lost"); break;
    case FATE_SHORT_READ:
        op->moved_bytes = op->moved_bytes == 0
                              ? 0
                              : (uint32_t)chance_below(&mishap->fault->chance, op->moved_bytes);
        set_lost(op, "the connection broke while reading");
        break;
    case FATE_TORN_WRITE:
        op->moved_bytes = 0;
        set_lost(op, "the connection broke while writing");
        break;
    case FATE_CORRUPT: flip_bit(mishap->fault, op); break;
    case FATE_NONE:
    case FATE_ERROR:
    case FATE_ITEM_ERROR: break;
    }
}

static void
give_mishap(struct mishap *mishap)
{
    list_push_front(&mishap->fault->unused, &mishap->link);
}

static void
on_done(struct blob_op *op)
{
    struct mishap *mishap = op->frames[op->frame_count - 1].wrapper;
    struct fault *fault = mishap->fault;
    op->len_bytes = mishap->len_bytes;
    spoil(mishap, op);
    if (mishap->delay_after_ns > 0 && !op->is_cancelled) {
        mishap->at_ns = clock_mono_ns(fault->clock) + mishap->delay_after_ns;
        op->is_in_flight = true; /* it is still ours */
        list_push(&fault->after, &mishap->link);
        return;
    }
    (void)blob_op_pop(op);
    give_mishap(mishap);
    op->done(op);
}

static struct mishap *
take_mishap(struct fault *fault, struct blob_op *op)
{
    struct list *link = list_pop(&fault->unused);
    struct mishap *mishap =
        link == NULL ? mem_take(sizeof *mishap) : CONTAINER_OF(link, struct mishap, link);
    *mishap = (struct mishap){.fault = fault, .op = op, .len_bytes = op->len_bytes};
    mishap->fate = choose_fate(fault, op);
    if (fault->options.delay_max_ns > 0 && happens(fault, fault->options.delay_permille)) {
        int64_t delay_ns =
            1 + (int64_t)chance_below(&fault->chance, (uint64_t)fault->options.delay_max_ns);
        bool is_before = chance_below(&fault->chance, 2) == 0;
        mishap->delay_before_ns = is_before ? delay_ns : 0;
        mishap->delay_after_ns = is_before ? 0 : delay_ns;
    }
    return mishap;
}

static enum err_code
forward(struct fault *fault, struct mishap *mishap, struct err *err)
{
    struct blob_op *op = mishap->op;
    if (mishap->fate == FATE_TORN_WRITE) {
        op->len_bytes = 1 + (uint32_t)chance_below(&fault->chance, mishap->len_bytes - 1);
    }
    enum err_code code = backend_submit(fault->backend.inner, op, err);
    if (code != ERR_OK) {
        op->len_bytes = mishap->len_bytes;
    }
    return code;
}

static bool
never_arrives(const struct mishap *mishap)
{
    return mishap->fate == FATE_ERROR || mishap->fate == FATE_ITEM_ERROR;
}

static enum err_code
fault_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct fault *fault = CONTAINER_OF(backend, struct fault, backend);
    struct mishap *mishap = take_mishap(fault, op);
    enum err_code code = ERR_OK;
    blob_op_push(op, backend, on_done);
    op->frames[op->frame_count - 1].wrapper = mishap;
    if (never_arrives(mishap) || mishap->delay_before_ns > 0) {
        mishap->at_ns = clock_mono_ns(fault->clock) + mishap->delay_before_ns;
        list_push(&fault->before, &mishap->link);
        return ERR_OK;
    }
    code = forward(fault, mishap, err);
    if (code != ERR_OK) {
        (void)blob_op_pop(op);
        give_mishap(mishap);
    }
    return code;
}

static struct mishap *
find(const struct list *list, const struct blob_op *op)
{
    for (struct list *at = list->next; at != list; at = at->next) {
        struct mishap *mishap = CONTAINER_OF(at, struct mishap, link);
        if (mishap->op == op) {
            return mishap;
        }
    }
    return NULL;
}

/* What was answered already ends as it was answered, only sooner. */
static void
fault_cancel(struct backend *backend, struct blob_op *op)
{
    struct fault *fault = CONTAINER_OF(backend, struct fault, backend);
    struct mishap *answered = find(&fault->after, op);
    op->is_cancelled = true;
    if (answered != NULL) {
        answered->at_ns = 0;
    } else if (find(&fault->before, op) == NULL) {
        backend_cancel(backend->inner, op);
    }
}

static void
end(struct mishap *mishap)
{
    struct blob_op *op = mishap->op;
    list_remove(&mishap->link);
    (void)blob_op_pop(op);
    give_mishap(mishap);
    backend_complete(op);
}

static bool
step_before(struct fault *fault, struct mishap *mishap)
{
    struct blob_op *op = mishap->op;
    struct err err = ERR_NONE;
    if (op->is_cancelled) {
        (void)err_set(&op->err, ERR_INTERRUPTED, "stopped while it was delayed");
        end(mishap);
        return true;
    }
    if (never_arrives(mishap)) {
        refuse(fault, op, mishap->fate);
        end(mishap);
        return true;
    }
    op->is_in_flight = false;
    if (forward(fault, mishap, &err) != ERR_OK) {
        op->is_in_flight = true;
        mishap->is_due = true;
        return false;
    }
    list_remove(&mishap->link);
    return true;
}

static unsigned
fault_poll(struct backend *backend)
{
    struct fault *fault = CONTAINER_OF(backend, struct fault, backend);
    int64_t now_ns = clock_mono_ns(fault->clock);
    unsigned ran = 0;
    struct list *next = NULL;
    for (struct list *at = fault->before.next; at != &fault->before; at = next) {
        struct mishap *mishap = CONTAINER_OF(at, struct mishap, link);
        next = at->next;
        if (mishap->at_ns <= now_ns || mishap->op->is_cancelled) {
            ran += step_before(fault, mishap);
        }
    }
    for (struct list *at = fault->after.next; at != &fault->after; at = next) {
        struct mishap *mishap = CONTAINER_OF(at, struct mishap, link);
        next = at->next;
        if (mishap->at_ns <= now_ns) {
            end(mishap);
            ran++;
        }
    }
    return ran + backend_poll(backend->inner);
}

static int64_t
fault_next_timer_ns(struct backend *backend)
{
    struct fault *fault = CONTAINER_OF(backend, struct fault, backend);
    int64_t at_ns = backend_next_timer_ns(backend->inner);
    for (struct list *at = fault->before.next; at != &fault->before; at = at->next) {
        const struct mishap *mishap = CONTAINER_OF(at, struct mishap, link);
        if (mishap->op->is_cancelled) {
            return 0;
        }
        at_ns = mishap->is_due ? at_ns : MIN_OF(at_ns, mishap->at_ns);
    }
    for (struct list *at = fault->after.next; at != &fault->after; at = at->next) {
        at_ns = MIN_OF(at_ns, CONTAINER_OF(at, struct mishap, link)->at_ns);
    }
    return at_ns;
}

static struct backend *
fault_free(struct backend *backend)
{
    struct fault *fault = CONTAINER_OF(backend, struct fault, backend);
    ASSERT(list_is_empty(&fault->before));
    ASSERT(list_is_empty(&fault->after));
    backend_free(backend->inner);
    while (!list_is_empty(&fault->unused)) {
        mem_give(CONTAINER_OF(list_pop(&fault->unused), struct mishap, link));
    }
    return mem_give(fault);
}

static const struct backend_ops fault_ops = {
    .name = "fault",
    .submit = fault_submit,
    .cancel = fault_cancel,
    .poll = fault_poll,
    .next_timer_ns = fault_next_timer_ns,
    .free = fault_free,
};

enum err_code
fault_new(struct backend *inner, const struct fault_options *options, const struct clock *clock,
          struct backend **ret_backend, struct err *err)
{
    (void)err;
    struct fault *fault = mem_take(sizeof *fault);
    *fault = (struct fault){
        .backend = {.ops = &fault_ops, .inner = inner}, .options = *options, .clock = clock};
    chance_init(&fault->chance, options->seed);
    list_init(&fault->before);
    list_init(&fault->after);
    list_init(&fault->unused);
    *ret_backend = &fault->backend;
    return ERR_OK;
}
