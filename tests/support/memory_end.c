#include "tests/support/memory_end.h"

#include "base/arena.h"

struct memory_end {
    struct end end;
    struct memory_store *store;
    struct memory_options options;
    struct list backends;
    uint64_t op_count;
    unsigned barrier_count;
    bool is_dead;
};

struct memory_op {
    struct list link;
    struct blob_op *op;
    int64_t at_ns;
    bool is_cancelled;
};

struct memory_backend {
    struct backend backend;
    struct list link; /* of its end */
    struct memory_end *end;
    struct list in_flight;
    unsigned in_flight_count;
};

struct memory_lister {
    struct lister lister;
    struct memory_end *end;
    unsigned index;
    unsigned entries;
};

/* ---- backend ---- */

static enum err_code
memory_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct memory_backend *b = CONTAINER_OF(backend, struct memory_backend, backend);
    const struct memory_options *options = &b->end->options;
    if (options->in_flight_max != 0 && b->in_flight_count >= options->in_flight_max) {
        return err_set(err, ERR_BUSY, "all slots are in use");
    }
    struct memory_op *mine = mem_take(sizeof *mine);
    uint64_t latency_ns =
        chance_below(&b->end->store->chance, (uint64_t)options->latency_max_ns + 1);
    *mine = (struct memory_op){.op = op, .at_ns = clock_mono_ns(options->clock) + 1};
    mine->at_ns += (int64_t)latency_ns;
    list_push(&b->in_flight, &mine->link);
    b->in_flight_count++;
    b->end->op_count++;
    return ERR_OK;
}

static void
apply(struct memory_end *end, struct blob_op *op)
{
    memory_store_apply(end->store, &end->options.caps, op);
}

static void
answer(struct memory_backend *b, struct memory_op *mine)
{
    struct memory_end *end = b->end;
    struct blob_op *op = mine->op;
    bool is_halted = end->options.halt_at != 0 && end->op_count >= end->options.halt_at;
    if (end->is_dead || (mine->is_cancelled && chance_below(&end->store->chance, 2) == 0)) {
        (void)err_set(&op->err, ERR_INTERRUPTED, "stopped on its way");
    } else if (is_halted && op->verb != BLOB_DISCARD) {
        (void)err_set(&op->err, end->options.halt_code, "%s", err_sentence(end->options.halt_code));
    } else {
        apply(end, op);
    }
    list_remove(&mine->link);
    b->in_flight_count--;
    mem_give(mine);
    backend_complete(op);
}

static unsigned
memory_poll(struct backend *backend)
{
    struct memory_backend *b = CONTAINER_OF(backend, struct memory_backend, backend);
    int64_t now_ns = clock_mono_ns(b->end->options.clock);
    unsigned ran = 0;
    struct list *next = NULL;
    for (struct list *at = b->in_flight.next; at != &b->in_flight; at = next) {
        struct memory_op *mine = CONTAINER_OF(at, struct memory_op, link);
        next = at->next;
        if (mine->at_ns <= now_ns || mine->is_cancelled || b->end->is_dead) {
            answer(b, mine);
            ran++;
        }
    }
    return ran;
}

static int64_t
memory_next_timer_ns(struct backend *backend)
{
    struct memory_backend *b = CONTAINER_OF(backend, struct memory_backend, backend);
    int64_t at_ns = INT64_MAX;
    for (struct list *at = b->in_flight.next; at != &b->in_flight; at = at->next) {
        const struct memory_op *mine = CONTAINER_OF(at, struct memory_op, link);
        at_ns = mine->is_cancelled || b->end->is_dead ? 0 : MIN_OF(at_ns, mine->at_ns);
    }
    return at_ns;
}

/* Ops of other backends are not known here, and that is no error. */
static void
memory_cancel(struct backend *backend, struct blob_op *op)
{
    struct memory_backend *b = CONTAINER_OF(backend, struct memory_backend, backend);
    for (struct list *at = b->in_flight.next; at != &b->in_flight; at = at->next) {
        struct memory_op *mine = CONTAINER_OF(at, struct memory_op, link);
        mine->is_cancelled |= mine->op == op;
    }
}

static struct backend *
memory_free(struct backend *backend)
{
    struct memory_backend *b = CONTAINER_OF(backend, struct memory_backend, backend);
    ASSERT(list_is_empty(&b->in_flight));
    list_remove(&b->link);
    return mem_give(b);
}

static const struct backend_ops memory_backend_ops = {
    .name = "memory",
    .submit = memory_submit,
    .cancel = memory_cancel,
    .poll = memory_poll,
    .next_timer_ns = memory_next_timer_ns,
    .free = memory_free,
};

static enum err_code
memory_backend(struct end *base, const struct lane_io *io, struct backend **ret_backend,
               struct err *err)
{
    struct memory_end *end = CONTAINER_OF(base, struct memory_end, end);
    struct memory_backend *b = mem_take(sizeof *b);
    (void)io;
    (void)err;
    *b = (struct memory_backend){.backend = {.ops = &memory_backend_ops}, .end = end};
    list_init(&b->in_flight);
    list_push(&end->backends, &b->link);
    *ret_backend = &b->backend;
    return ERR_OK;
}

/* ---- lister ---- */

static enum err_code
memory_lister_next(struct lister *base, struct entry *entry, bool *ret_more, struct err *err)
{
    struct memory_lister *lister = CONTAINER_OF(base, struct memory_lister, lister);
    const struct memory_end *end = lister->end;
    const struct memory_store *store = end->store;
    while (lister->index < store->count && !store->blobs[lister->index]->exists) {
        lister->index++;
    }
    lister->entries++;
    if (end->is_dead || lister->entries == end->options.list_fails_at) {
        return err_set(err, ERR_NETWORK, "the connection broke while listing");
    }
    *ret_more = lister->index < store->count;
    if (!*ret_more) {
        return ERR_OK;
    }
    const struct memory_blob *blob = store->blobs[lister->index++];
    *entry = (struct entry){.kind = blob->kind, .name = blob->name, .props = blob->props};
    if (!end->options.caps.keeps_props) {
        entry->props = (struct blob_props){.size_bytes = blob->props.size_bytes,
                                           .original_bytes = blob->props.size_bytes,
                                           .mtime_ns = blob->props.mtime_ns,
                                           .modified_ns = blob->props.mtime_ns};
    }
    if (blob->kind == ENTRY_FAILED || blob->kind == ENTRY_SKIPPED) {
        (void)err_set(&entry->err, blob->error, "'%s': %s", blob->name, err_sentence(blob->error));
    }
    return ERR_OK;
}

static struct lister *
memory_lister_close(struct lister *base)
{
    return mem_give(CONTAINER_OF(base, struct memory_lister, lister));
}

static const struct lister_ops memory_lister_ops = {.next = memory_lister_next,
                                                    .close = memory_lister_close};

static enum err_code
memory_lister(struct end *base, end_wants_fn *wants, void *user, struct lister **ret_lister,
              struct err *err)
{
    struct memory_lister *lister = mem_take(sizeof *lister);
    (void)wants;
    (void)user;
    (void)err;
    *lister = (struct memory_lister){.lister = {.ops = &memory_lister_ops},
                                     .end = CONTAINER_OF(base, struct memory_end, end)};
    *ret_lister = &lister->lister;
    return ERR_OK;
}

/* ---- end ---- */

static enum err_code
memory_prepare(struct end *base, bool dry_run, uint64_t *ret_free_bytes, bool *ret_is_fresh,
               struct err *err)
{
    const struct memory_end *end = CONTAINER_OF(base, struct memory_end, end);
    (void)dry_run;
    (void)err;
    *ret_free_bytes = UINT64_MAX;
    *ret_is_fresh = end->store->count == 0;
    return ERR_OK;
}

static enum err_code
memory_barrier(struct end *base, struct err *err)
{
    struct memory_end *end = CONTAINER_OF(base, struct memory_end, end);
    if (end->is_dead) {
        return err_set(err, ERR_SYSTEM, "the machine died");
    }
    if (++end->barrier_count == end->options.barrier_fails_at) {
        return err_set(err, ERR_STORE_FULL, "could not sync");
    }
    memory_store_sync(end->store);
    return ERR_OK;
}

/* Names that begin with "illegal" are what this end cannot hold. */
static enum err_code
memory_check_name(const struct end *end, const char *name, struct err *err)
{
    static const char illegal[] = "illegal";
    (void)end;
    for (unsigned i = 0; i < sizeof illegal - 1; i++) {
        if (name[i] != illegal[i]) {
            return ERR_OK;
        }
    }
    return err_set(err, ERR_NAME_ILLEGAL, "'%s' cannot be held here", name);
}

static enum err_code
memory_tidy(struct end *base, const char *nonce, struct err *err)
{
    const struct memory_end *end = CONTAINER_OF(base, struct memory_end, end);
    (void)err;
    memory_store_drop_staged(end->store, NULL, nonce, 0);
    return ERR_OK;
}

static struct end *
memory_close(struct end *base)
{
    struct memory_end *end = CONTAINER_OF(base, struct memory_end, end);
    ASSERT(list_is_empty(&end->backends));
    mem_give(end->end.display);
    return mem_give(end);
}

static const struct end_ops memory_end_ops = {
    .name = "memory",
    .backend = memory_backend,
    .lister = memory_lister,
    .prepare = memory_prepare,
    .barrier = memory_barrier,
    .check_name = memory_check_name,
    .tidy = memory_tidy,
    .close = memory_close,
};

struct end *
memory_end_new(struct memory_store *store, const struct memory_options *options)
{
    struct memory_end *end = mem_take(sizeof *end);
    *end = (struct memory_end){.end = {.ops = &memory_end_ops, .caps = options->caps},
                               .store = store,
                               .options = *options};
    end->end.display = mem_text("memory:");
    list_init(&end->backends);
    return &end->end;
}

void
memory_end_crash(struct end *base)
{
    struct memory_end *end = CONTAINER_OF(base, struct memory_end, end);
    for (struct list *at = end->backends.next; at != &end->backends; at = at->next) {
        struct memory_backend *b = CONTAINER_OF(at, struct memory_backend, link);
        for (struct list *op = b->in_flight.next; op != &b->in_flight; op = op->next) {
            struct memory_op *mine = CONTAINER_OF(op, struct memory_op, link);
            if (mine->op->verb != BLOB_READ && chance_below(&end->store->chance, 2) == 0) {
                apply(end, mine->op);
            }
        }
    }
    if (end->options.caps.is_local) {
        memory_store_lose(end->store);
    }
    end->is_dead = true;
}

uint64_t
memory_end_op_count(struct end *base)
{
    return CONTAINER_OF(base, struct memory_end, end)->op_count;
}
