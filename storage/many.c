#include "storage/many.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct part {
    char *key;
    size_t key_len;
    struct end *end;
};

struct many_end {
    struct end end;
    struct part *parts; /* by key */
    unsigned count;
};

struct many_backend {
    struct backend backend;
    struct many_end *end;
    struct backend **inner; /* [count], as parts */
};

static struct many_end *
of(struct end *end)
{
    return CONTAINER_OF(end, struct many_end, end);
}

/* The part with exactly this key. */
static struct part *
find_exact(const struct many_end *many, const char *key, size_t key_len)
{
    unsigned from = 0;
    unsigned to = many->count;
    while (from < to) {
        unsigned at = from + (to - from) / 2;
        struct part *part = &many->parts[at];
        int order = strncmp(key, part->key, key_len);
        order = order == 0 && part->key_len > key_len ? -1 : order;
        if (order == 0 && part->key_len == key_len) {
            return part;
        }
        from = order > 0 ? at + 1 : from;
        to = order > 0 ? to : at;
    }
    return NULL;
}

/* The part whose key is the longest beginning of name, in whole components. */
static struct part *
find_part(const struct many_end *many, const char *name)
{
    struct part *best = NULL;
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        struct part *part = find_exact(many, name, (size_t)(slash - name));
        best = part == NULL ? best : part;
        if (best != NULL && (size_t)(slash - name) > best->key_len + 64) {
            break; /* keys are accounts and containers: none is that much longer */
        }
    }
    return best;
}

/* ---- one thread's backend ---- */

static void
on_done(struct blob_op *op)
{
    struct blob_frame frame = blob_op_pop(op);
    op->name -= frame.number;
    op->done(op);
}

static enum err_code
many_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct many_backend *b = CONTAINER_OF(backend, struct many_backend, backend);
    struct part *part = find_part(b->end, op->name);
    ASSERT(part != NULL); /* check_name() has refused it */
    blob_op_push(op, backend, on_done);
    struct blob_frame *frame = &op->frames[op->frame_count - 1];
    frame->number = (int64_t)part->key_len + 1;
    op->name += frame->number;
    enum err_code code = backend_submit(b->inner[part - b->end->parts], op, err);
    if (code != ERR_OK) {
        op->name -= frame->number;
        (void)blob_op_pop(op);
    }
    return code;
}

/* Our frame tells how much of the name was taken off, and so which part has the op. */
static void
many_cancel(struct backend *backend, struct blob_op *op)
{
    struct many_backend *b = CONTAINER_OF(backend, struct many_backend, backend);
    for (unsigned i = 0; i < op->frame_count; i++) {
        if (op->frames[i].wrapper == backend) {
            const char *name = op->name - op->frames[i].number;
            struct part *part = find_exact(b->end, name, (size_t)op->frames[i].number - 1);
            backend_cancel(b->inner[part - b->end->parts], op);
            return;
        }
    }
}

static unsigned
many_poll(struct backend *backend)
{
    struct many_backend *b = CONTAINER_OF(backend, struct many_backend, backend);
    unsigned ran = 0;
    for (unsigned i = 0; i < b->end->count; i++) {
        ran += backend_poll(b->inner[i]);
    }
    return ran;
}

static int64_t
many_next_timer_ns(struct backend *backend)
{
    struct many_backend *b = CONTAINER_OF(backend, struct many_backend, backend);
    int64_t at_ns = INT64_MAX;
    for (unsigned i = 0; i < b->end->count; i++) {
        at_ns = MIN_OF(at_ns, backend_next_timer_ns(b->inner[i]));
    }
    return at_ns;
}

static struct backend *
many_backend_free(struct backend *backend)
{
    struct many_backend *b = CONTAINER_OF(backend, struct many_backend, backend);
    for (unsigned i = 0; i < b->end->count; i++) {
        b->inner[i] = backend_free(b->inner[i]);
    }
    mem_give(b->inner);
    return mem_give(b);
}

static const struct backend_ops many_backend_ops = {
    .name = "many",
    .submit = many_submit,
    .cancel = many_cancel,
    .poll = many_poll,
    .next_timer_ns = many_next_timer_ns,
    .free = many_backend_free,
};

static enum err_code
many_backend(struct end *end, const struct lane_io *io, struct backend **ret_backend,
             struct err *err)
{
    struct many_backend *b = mem_take(sizeof *b);
    b->backend.ops = &many_backend_ops;
    b->end = of(end);
    b->inner = mem_take(b->end->count * sizeof(struct backend *));
    for (unsigned i = 0; i < b->end->count; i++) {
        if (end_backend(b->end->parts[i].end, io, &b->inner[i], err) != ERR_OK) {
            (void)many_backend_free(&b->backend);
            return err->code;
        }
    }
    *ret_backend = &b->backend;
    return ERR_OK;
}

/* ---- listing: one part after the other ---- */

struct many_lister {
    struct lister lister;
    struct many_end *end;
    struct lister *inner; /* of the part at index; NULL: not begun */
    unsigned index;
    struct text name;
};

/* "acct" of a store and "acct/c1" beside it: what lies below another key is that part's. */
static bool
is_of_part(const struct many_lister *l)
{
    return find_part(l->end, text_str(&l->name)) == &l->end->parts[l->index];
}

static enum err_code
many_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    struct many_lister *l = CONTAINER_OF(lister, struct many_lister, lister);
    while (l->index < l->end->count) {
        const struct part *part = &l->end->parts[l->index];
        bool more = false;
        enum err_code code =
            l->inner != NULL ? ERR_OK : end_lister(part->end, NULL, NULL, &l->inner, err);
        *entry = (struct entry){0};
        code = code == ERR_OK ? lister_next(l->inner, entry, &more, err) : code;
        if (code != ERR_OK) {
            return code;
        }
        if (!more) {
            l->inner = lister_close(l->inner);
            l->index++;
            continue;
        }
        text_clear(&l->name);
        text_addf(&l->name, "%s/%s", part->key, entry->name);
        if (is_of_part(l)) {
            entry->name = text_str(&l->name);
            *ret_more = true;
            return ERR_OK;
        }
    }
    *ret_more = false;
    return ERR_OK;
}

static struct lister *
many_lister_close(struct lister *lister)
{
    struct many_lister *l = CONTAINER_OF(lister, struct many_lister, lister);
    l->inner = lister_close(l->inner);
    text_done(&l->name);
    return mem_give(l);
}

static const struct lister_ops many_lister_ops = {.next = many_next, .close = many_lister_close};

static enum err_code
many_lister(struct end *end, end_wants_fn *wants, void *user, struct lister **ret_lister,
            struct err *err)
{
    struct many_lister *l = mem_take(sizeof *l);
    (void)wants;
    (void)user;
    (void)err;
    l->lister.ops = &many_lister_ops;
    l->end = of(end);
    *ret_lister = &l->lister;
    return ERR_OK;
}

/* ---- the end ---- */

static enum err_code
many_prepare(struct end *end, bool dry_run, uint64_t *ret_free_bytes, bool *ret_is_fresh,
             struct err *err)
{
    struct many_end *many = of(end);
    uint64_t least = UINT64_MAX;
    bool are_fresh = true;
    for (unsigned i = 0; i < many->count; i++) {
        uint64_t free_bytes = UINT64_MAX;
        bool is_fresh = false;
        if (end_prepare(many->parts[i].end, dry_run, &free_bytes, &is_fresh, err) != ERR_OK) {
            return err_wrap(err, "'%s'", many->parts[i].key);
        }
        least = MIN_OF(least, free_bytes);
        are_fresh = are_fresh && is_fresh;
    }
    *ret_free_bytes = least;
    *ret_is_fresh = are_fresh;
    return ERR_OK;
}

/* Only accounts of stores are parts, which keep what they have to remember in themselves. */
static enum err_code
many_begin(struct end *end, const char *job_path, struct err *err)
{
    struct many_end *many = of(end);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < many->count && code == ERR_OK; i++) {
        code = end_begin(many->parts[i].end, job_path, err);
    }
    return code;
}

static enum err_code
many_barrier(struct end *end, struct err *err)
{
    struct many_end *many = of(end);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < many->count && code == ERR_OK; i++) {
        code = end_barrier(many->parts[i].end, err);
    }
    return code;
}

static enum err_code
many_check_name(const struct end *end, const char *name, struct err *err)
{
    const char *start = (const char *)end - offsetof(struct many_end, end);
    const struct many_end *many = (const struct many_end *)(const void *)start;
    const struct part *part = find_part(many, name);
    if (part == NULL) {
        return err_set(err, ERR_NAME_ILLEGAL, "'%s' belongs to no account that was named", name);
    }
    return end_check_name(part->end, name + part->key_len + 1, err);
}

static enum err_code
many_make_folder(struct end *end, const char *name, bool *ret_is_made, struct err *err)
{
    const struct part *part = find_part(of(end), name);
    return part == NULL ? ERR_OK
                        : end_make_folder(part->end, name + part->key_len + 1, ret_is_made, err);
}

static enum err_code
many_tidy(struct end *end, const char *nonce, struct err *err)
{
    struct many_end *many = of(end);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < many->count && code == ERR_OK; i++) {
        code = end_tidy(many->parts[i].end, nonce, err);
    }
    return code;
}

static struct end *
many_close(struct end *end)
{
    struct many_end *many = of(end);
    for (unsigned i = 0; i < many->count; i++) {
        mem_give(many->parts[i].key);
        end_close(many->parts[i].end);
    }
    mem_give(many->parts);
    mem_give(many->end.display);
    return mem_give(many);
}

static const struct end_ops many_ops = {
    .name = "many",
    .backend = many_backend,
    .lister = many_lister,
    .prepare = many_prepare,
    .begin = many_begin,
    .barrier = many_barrier,
    .make_folder = many_make_folder,
    .check_name = many_check_name,
    .tidy = many_tidy,
    .close = many_close,
};

/* The lesser of two limits, of which 0 is none. */
static uint64_t
lesser(uint64_t a, uint64_t b)
{
    return a == 0 ? b : b == 0 ? a : MIN_OF(a, b);
}

static void
join_caps(struct end_caps *all, const struct end_caps *part)
{
    all->is_local = all->is_local && part->is_local;
    all->needs_zeros = all->needs_zeros || part->needs_zeros;
    all->keeps_props = all->keeps_props && part->keeps_props;
    all->checks_transit = all->checks_transit || part->checks_transit;
    all->block_order_free = all->block_order_free && part->block_order_free;
    all->item_bytes_max = lesser(all->item_bytes_max, part->item_bytes_max);
    all->page_bytes_max = lesser(all->page_bytes_max, part->page_bytes_max);
    all->blocks_max = (uint32_t)lesser(all->blocks_max, part->blocks_max);
    all->block_bytes_max = lesser(all->block_bytes_max, part->block_bytes_max);
    all->put_bytes_max = lesser(all->put_bytes_max, part->put_bytes_max);
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct part *)a)->key, ((const struct part *)b)->key);
}

static int
by_address(const void *a, const void *b)
{
    const struct part *const *left = a;
    const struct part *const *right = b;
    return strcmp((*left)->end->display, (*right)->end->display);
}

/* Two keys that lead to one place: what has one name under both would become one blob. */
static enum err_code
check_addresses(const struct many_end *many, struct err *err)
{
    const struct part **parts = mem_take(many->count * sizeof *parts);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < many->count; i++) {
        parts[i] = &many->parts[i];
    }
    qsort(parts, many->count, sizeof *parts, by_address);
    for (unsigned i = 1; i < many->count && code == ERR_OK; i++) {
        if (strcmp(parts[i]->end->display, parts[i - 1]->end->display) == 0) {
            code = err_set(err, ERR_USAGE, "'%s' and '%s' both go to %s; name an end for each",
                           parts[i - 1]->key, parts[i]->key, parts[i]->end->display);
        }
    }
    mem_give(parts);
    return code;
}

enum err_code
many_end_new(const struct many_part *parts, unsigned count, struct end **ret_end, struct err *err)
{
    ASSERT(count > 0);
    ASSERT(count <= MANY_PARTS_MAX);
    struct many_end *many = mem_take(sizeof *many);
    AUTO_TEXT display = TEXT_INIT;
    many->end.ops = &many_ops;
    many->parts = mem_take(count * sizeof *many->parts);
    many->count = count;
    many->end.caps = parts[0].end->caps;
    for (unsigned i = 0; i < count; i++) {
        many->parts[i] = (struct part){
            .key = mem_text(parts[i].key), .key_len = strlen(parts[i].key), .end = parts[i].end};
        join_caps(&many->end.caps, &parts[i].end->caps);
    }
    qsort(many->parts, count, sizeof *many->parts, by_key);
    for (unsigned i = 0; i < count; i++) {
        text_addf(&display, "%s%s=%s", i == 0 ? "" : " ", many->parts[i].key,
                  many->parts[i].end->display);
        if (i > 0 && strcmp(many->parts[i].key, many->parts[i - 1].key) == 0) {
            (void)err_set(err, ERR_USAGE, "'%s' is named twice", many->parts[i].key);
            many_close(&many->end);
            return err->code;
        }
    }
    if (check_addresses(many, err) != ERR_OK) {
        many_close(&many->end);
        return err->code;
    }
    many->end.display = mem_text(text_str(&display));
    *ret_end = &many->end;
    return ERR_OK;
}
