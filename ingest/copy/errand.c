#include "ingest/copy/errand.h"

#include "base/config.h"
#include "storage/wrap/wrap.h"

#include <poll.h>

#define OPS_MAX     8U
#define WAIT_NS_MAX (250 * NS_PER_MS)
#define NO_NONCE    "00000000000000000000000000000000"

enum err_code
errand_open(struct errand *errand, struct end *end, const struct config *config,
            const struct clock *clock, const atomic_int *signal, struct err *err)
{
    *errand = (struct errand){.clock = clock, .signal = signal};
    enum err_code code = mailbox_init(&errand->wake, err);
    errand->has_wake = code == ERR_OK;
    code = code == ERR_OK ? disk_new(DISK_AUTO, OPS_MAX, &errand->disk, err) : code;
    if (code == ERR_OK && !end->caps.is_local) {
        code = transport_new(config, clock, OPS_MAX, &errand->http, err);
    }
    struct lane_io io = {
        .disk = errand->disk, .http = errand->http, .clock = clock, .wake = &errand->wake};
    code = code == ERR_OK ? end_backend(end, &io, &errand->backend, err) : code;
    if (code == ERR_OK && !end->caps.is_local) {
        code = retry_wrap(config, clock, end->storm, &errand->backend, err);
    }
    if (code != ERR_OK) {
        errand_close(errand);
    }
    return code;
}

void
errand_close(struct errand *errand)
{
    errand->backend = backend_free(errand->backend);
    errand->http = transport_free(errand->http);
    errand->disk = errand->disk == NULL ? NULL : disk_free(errand->disk);
    if (errand->has_wake) {
        mailbox_done(&errand->wake);
        errand->has_wake = false;
    }
}

static void
on_done(struct blob_op *op)
{
    CONTAINER_OF(op, struct errand_op, op)->is_done = true;
}

enum err_code
errand_submit(struct errand *errand, struct errand_op *op, struct err *err)
{
    op->is_done = false;
    op->op.done = on_done;
    op->op.nonce = op->op.nonce == NULL ? NO_NONCE : op->op.nonce;
    enum err_code code = backend_submit(errand->backend, &op->op, err);
    op->is_out = code == ERR_OK;
    return code;
}

static void
wait_a_little(struct errand *errand)
{
    struct pollfd fds[3] = {{.fd = disk_wake_fd(errand->disk), .events = POLLIN},
                            {.fd = mailbox_fd(&errand->wake), .events = POLLIN}};
    nfds_t count = 2;
    int64_t now_ns = clock_mono_ns(errand->clock);
    int64_t at_ns = MIN_OF(now_ns + WAIT_NS_MAX, backend_next_timer_ns(errand->backend));
    if (errand->http != NULL) {
        fds[count++] = (struct pollfd){.fd = transport_wake_fd(errand->http), .events = POLLIN};
        at_ns = MIN_OF(at_ns, transport_next_timer_ns(errand->http));
    }
    int64_t wait_ns = MAX_OF(at_ns - now_ns, 0);
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    if (mailbox_arm(&errand->wake)) {
        (void)ppoll(fds, count, &wait, NULL);
    }
    mailbox_disarm(&errand->wake);
}

void
errand_wait(struct errand *errand, struct errand_op *op)
{
    bool is_cancelled = false;
    while (!op->is_done) {
        if (!is_cancelled && errand->signal != NULL && atomic_load(errand->signal) != 0) {
            is_cancelled = true;
            backend_cancel(errand->backend, &op->op);
        }
        unsigned ran = disk_poll(errand->disk) + backend_poll(errand->backend);
        if (errand->http != NULL) {
            ran += transport_poll(errand->http);
        }
        if (ran == 0 && !op->is_done) {
            wait_a_little(errand);
        }
    }
    op->is_out = false;
}

enum err_code
errand_run(struct errand *errand, struct errand_op *op, struct err *err)
{
    enum err_code code = errand_submit(errand, op, err);
    if (code != ERR_OK) {
        return code;
    }
    errand_wait(errand, op);
    if (op->op.err.code != ERR_OK) {
        *err = op->op.err;
    }
    return op->op.err.code;
}
