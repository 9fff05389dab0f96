/*
 * One virtual moment for all lanes: the time at which the next byte may go. Whoever comes reserves
 * its bytes' share of time after that and waits for its beginning, so the order is that of arrival
 * and an operation of any size fits.
 */
#include "base/arena.h"
#include "storage/wrap/wrap.h"

struct throttled {
    struct backend backend;
    struct throttle *throttle;
    const struct clock *clock;
    struct list waiting; /* ops in the order of their time; the frame's number is that time */
    bool is_refused;     /* the inner backend had no room; some completion tells when it has */
};

void
throttle_init(struct throttle *throttle, uint64_t bytes_per_s)
{
    atomic_init(&throttle->bytes_per_s, bytes_per_s);
    atomic_init(&throttle->free_at_ns, 0);
}

void
throttle_set(struct throttle *throttle, uint64_t bytes_per_s)
{
    atomic_store(&throttle->bytes_per_s, bytes_per_s);
}

/* Nothing is sent of a page blob's zeros, and a disk may have terabytes of them. */
static bool
costs(const struct blob_op *op)
{
    return op->len_bytes > 0 && !(op->is_zero && op->type == BLOB_TYPE_PAGE) &&
           (op->verb == BLOB_READ || op->verb == BLOB_WRITE || op->verb == BLOB_PUT);
}

/* When the op may begin. */
static int64_t
reserve(struct throttle *throttle, uint64_t bytes_per_s, uint32_t bytes, int64_t now_ns)
{
    int64_t cost_ns = (int64_t)((double)bytes * 1e9 / (double)bytes_per_s);
    int64_t free_at_ns = atomic_load(&throttle->free_at_ns);
    int64_t begin_ns = 0;
    do {
        begin_ns = MAX_OF(free_at_ns, now_ns);
    } while (!atomic_compare_exchange_weak(&throttle->free_at_ns, &free_at_ns, begin_ns + cost_ns));
    return begin_ns;
}

static void
on_done(struct blob_op *op)
{
    struct blob_frame frame = blob_op_pop(op);
    op->throttled_ns += frame.number;
    op->done(op);
}

static int64_t
at_of(const struct blob_op *op)
{
    return op->frames[op->frame_count - 1].at_ns;
}

static void
wait_until(struct throttled *t, struct blob_op *op, int64_t begin_ns)
{
    struct list *before = &t->waiting;
    while (before->prev != &t->waiting &&
           at_of(CONTAINER_OF(before->prev, struct blob_op, link)) > begin_ns) {
        before = before->prev;
    }
    op->frames[op->frame_count - 1].at_ns = begin_ns;
    list_push(before, &op->link);
}

static enum err_code
throttled_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct throttled *t = CONTAINER_OF(backend, struct throttled, backend);
    uint64_t bytes_per_s = atomic_load(&t->throttle->bytes_per_s);
    if (bytes_per_s == 0 || !costs(op)) {
        return backend_submit(backend->inner, op, err);
    }
    int64_t now_ns = clock_mono_ns(t->clock);
    int64_t begin_ns = reserve(t->throttle, bytes_per_s, op->len_bytes, now_ns);
    blob_op_push(op, backend, on_done);
    op->frames[op->frame_count - 1].number = begin_ns - now_ns;
    wait_until(t, op, begin_ns);
    return ERR_OK;
}

static void
give_up(struct blob_op *op)
{
    list_remove(&op->link);
    (void)err_set(&op->err, ERR_INTERRUPTED,
                  "stopped while waiting for its share of the bandwidth");
    backend_complete(op);
}

static void
throttled_cancel(struct backend *backend, struct blob_op *op)
{
    struct throttled *t = CONTAINER_OF(backend, struct throttled, backend);
    for (struct list *at = t->waiting.next; at != &t->waiting; at = at->next) {
        if (CONTAINER_OF(at, struct blob_op, link) == op) {
            op->is_cancelled = true;
            return;
        }
    }
    backend_cancel(backend->inner, op);
}

static unsigned
throttled_poll(struct backend *backend)
{
    struct throttled *t = CONTAINER_OF(backend, struct throttled, backend);
    int64_t now_ns = clock_mono_ns(t->clock);
    unsigned ran = 0;
    struct list *next = NULL;
    t->is_refused = false;
    for (struct list *at = t->waiting.next; at != &t->waiting; at = next) {
        struct blob_op *op = CONTAINER_OF(at, struct blob_op, link);
        struct err err = ERR_NONE;
        next = at->next;
        if (op->is_cancelled) {
            give_up(op);
            ran++;
            continue;
        }
        if (at_of(op) > now_ns || t->is_refused) {
            continue;
        }
        list_remove(at);
        op->is_in_flight = false;
        if (backend_submit(backend->inner, op, &err) != ERR_OK) {
            op->is_in_flight = true;
            list_push_front(&t->waiting, &op->link);
            t->is_refused = true;
            continue;
        }
        ran++;
    }
    return ran + backend_poll(backend->inner);
}

static int64_t
throttled_next_timer_ns(struct backend *backend)
{
    struct throttled *t = CONTAINER_OF(backend, struct throttled, backend);
    int64_t at_ns = backend_next_timer_ns(backend->inner);
    for (struct list *at = t->waiting.next; at != &t->waiting; at = at->next) {
        const struct blob_op *op = CONTAINER_OF(at, struct blob_op, link);
        if (op->is_cancelled) {
            return 0;
        }
        at_ns = t->is_refused ? at_ns : MIN_OF(at_ns, at_of(op));
    }
    return at_ns;
}

static struct backend *
throttled_free(struct backend *backend)
{
    struct throttled *t = CONTAINER_OF(backend, struct throttled, backend);
    ASSERT(list_is_empty(&t->waiting));
    backend_free(backend->inner);
    return mem_give(t);
}

static const struct backend_ops throttled_ops = {
    .name = "throttle",
    .submit = throttled_submit,
    .cancel = throttled_cancel,
    .poll = throttled_poll,
    .next_timer_ns = throttled_next_timer_ns,
    .free = throttled_free,
};

enum err_code
throttle_new(struct backend *inner, struct throttle *throttle, const struct clock *clock,
             struct backend **ret_backend, struct err *err)
{
    struct throttled *t = mem_take(sizeof *t);
    (void)err;
    *t = (struct throttled){
        .backend = {.ops = &throttled_ops, .inner = inner}, .throttle = throttle, .clock = clock};
    list_init(&t->waiting);
    *ret_backend = &t->backend;
    return ERR_OK;
}
