#include "storage/backend.h"

const char *const blob_type_names[BLOB_TYPE_COUNT] = {"", "BlockBlob", "PageBlob", "AppendBlob",
                                                      "AzureFile"};
const char *const blob_tier_names[BLOB_TIER_COUNT] = {"", "Hot", "Cool", "Cold", "Archive"};

enum err_code
backend_submit(struct backend *b, struct blob_op *op, struct err *err)
{
    ASSERT(op->verb < BLOB_VERB_COUNT);
    ASSERT(op->done != NULL);
    ASSERT(op->name != NULL);
    enum err_code code = b->ops->submit(b, op, err);
    ASSERT(code == ERR_OK || err_class(code) == ERR_CLASS_WAIT);
    if (code == ERR_OK) {
        op->is_in_flight = true;
    }
    return code;
}

void
backend_cancel(struct backend *b, struct blob_op *op)
{
    for (; b != NULL; b = b->inner) {
        if (b->ops->cancel != NULL) {
            b->ops->cancel(b, op);
            return;
        }
    }
}

unsigned
backend_poll(struct backend *b)
{
    return b->ops->poll(b);
}

int64_t
backend_next_timer_ns(struct backend *b)
{
    return b->ops->next_timer_ns == NULL ? INT64_MAX : b->ops->next_timer_ns(b);
}

struct backend *
backend_free(struct backend *b)
{
    return b == NULL ? NULL : b->ops->free(b);
}

void
backend_complete(struct blob_op *op)
{
    ASSERT(op->is_in_flight);
    op->is_in_flight = false;
    op->done(op);
}

void
blob_op_push(struct blob_op *op, struct backend *wrapper, blob_done_fn *done)
{
    ASSERT(op->frame_count < BLOB_FRAMES_MAX);
    op->frames[op->frame_count] =
        (struct blob_frame){.done = op->done, .wrapper = wrapper, .at_ns = 0, .number = 0};
    op->frame_count++;
    op->done = done;
}

struct blob_frame
blob_op_pop(struct blob_op *op)
{
    ASSERT(op->frame_count > 0);
    op->frame_count--;
    struct blob_frame frame = op->frames[op->frame_count];
    op->done = frame.done;
    return frame;
}

enum err_code
end_backend(struct end *end, const struct lane_io *io, struct backend **ret_backend,
            struct err *err)
{
    return end->ops->backend(end, io, ret_backend, err);
}

enum err_code
end_lister(struct end *end, end_wants_fn *wants, void *user, struct lister **ret_lister,
           struct err *err)
{
    return end->ops->lister(end, wants, user, ret_lister, err);
}

enum err_code
end_prepare(struct end *end, bool dry_run, uint64_t *ret_free_bytes, bool *ret_is_fresh,
            struct err *err)
{
    return end->ops->prepare(end, dry_run, ret_free_bytes, ret_is_fresh, err);
}

enum err_code
end_begin(struct end *end, const char *job_path, struct err *err)
{
    return end->ops->begin == NULL ? ERR_OK : end->ops->begin(end, job_path, err);
}

enum err_code
end_barrier(struct end *end, struct err *err)
{
    return end->ops->barrier == NULL ? ERR_OK : end->ops->barrier(end, err);
}

enum err_code
end_make_folder(struct end *end, const char *name, bool *ret_is_made, struct err *err)
{
    *ret_is_made = false;
    return end->ops->make_folder == NULL ? ERR_OK
                                         : end->ops->make_folder(end, name, ret_is_made, err);
}

enum err_code
end_check_name(const struct end *end, const char *name, struct err *err)
{
    return end->ops->check_name == NULL ? ERR_OK : end->ops->check_name(end, name, err);
}

enum err_code
end_tidy(struct end *end, const char *nonce, struct err *err)
{
    return end->ops->tidy == NULL ? ERR_OK : end->ops->tidy(end, nonce, err);
}

struct end *
end_close(struct end *end)
{
    return end == NULL ? NULL : end->ops->close(end);
}

enum err_code
lister_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    return lister->ops->next(lister, entry, ret_more, err);
}

struct lister *
lister_close(struct lister *lister)
{
    return lister == NULL ? NULL : lister->ops->close(lister);
}
