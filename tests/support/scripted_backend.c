#include "tests/support/scripted_backend.h"

#include <stdio.h>
#include <string.h>

static enum err_code
scripted_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct scripted_backend *scripted = CONTAINER_OF(backend, struct scripted_backend, backend);
    if (scripted->refusals > 0) {
        scripted->refusals--;
        return err_set(err, ERR_BUSY, "scripted: no room");
    }
    ASSERT(scripted->held_count < SCRIPTED_MAX);
    scripted->held[scripted->held_count++] = op;
    scripted->submits++;
    scripted->last_len = op->len_bytes;
    scripted->was_dirty |= op->err.code != ERR_OK || op->moved_bytes != 0 || op->etag[0] != '\0' ||
                           op->retry_after_ns != 0 || op->checked != BLOB_CHECKED_NO;
    return ERR_OK;
}

static void
answer(struct scripted_backend *scripted, struct blob_op *op)
{
    struct scripted_answer ok = {.code = ERR_OK};
    const struct scripted_answer *said = scripted->answered < scripted->answer_count
                                             ? &scripted->answers[scripted->answered++]
                                             : &ok;
    op->moved_bytes = op->len_bytes;
    (void)snprintf(op->etag, sizeof op->etag, "\"etag\"");
    op->checked = BLOB_CHECKED_CRC64;
    if (op->verb == BLOB_READ && op->buf != NULL) {
        memset(op->buf, SCRIPTED_BYTE, op->len_bytes);
    }
    if (said->code != ERR_OK) {
        (void)err_set(&op->err, said->code, "%s", said->text);
        op->retry_after_ns = said->retry_after_ns;
    }
    backend_complete(op);
}

static unsigned
scripted_poll(struct backend *backend)
{
    struct scripted_backend *scripted = CONTAINER_OF(backend, struct scripted_backend, backend);
    struct blob_op *now[SCRIPTED_MAX];
    unsigned count = scripted->is_holding ? 0 : scripted->held_count;
    memcpy(now, scripted->held, count * sizeof now[0]);
    scripted->held_count -= count;
    for (unsigned i = 0; i < count; i++) {
        answer(scripted, now[i]);
    }
    return count;
}

static void
scripted_cancel(struct backend *backend, struct blob_op *op)
{
    (void)op;
    CONTAINER_OF(backend, struct scripted_backend, backend)->cancels++;
}

static struct backend *
scripted_free(struct backend *backend)
{
    CONTAINER_OF(backend, struct scripted_backend, backend)->frees++;
    return NULL;
}

static const struct backend_ops scripted_ops = {
    .name = "scripted",
    .submit = scripted_submit,
    .cancel = scripted_cancel,
    .poll = scripted_poll,
    .free = scripted_free,
};

void
scripted_backend_init(struct scripted_backend *scripted)
{
    *scripted = (struct scripted_backend){.backend = {.ops = &scripted_ops}};
}

void
scripted_backend_answer(struct scripted_backend *scripted, enum err_code code, const char *text)
{
    ASSERT(scripted->answer_count < SCRIPTED_MAX);
    scripted->answers[scripted->answer_count++] =
        (struct scripted_answer){.code = code, .text = text};
}
