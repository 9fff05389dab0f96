#include "base/arena.h"
#include "base/list.h"
#include "storage/local/disk_kinds.h"

#include <liburing.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAP_MAX 64U

/* openat2's argument has to stay in place until the kernel has read it, which is at submission. */
struct slot {
    struct open_how how;
};

struct disk_uring {
    struct disk disk;
    struct io_uring ring;
    struct slot *slots;
    unsigned slot_index;
    unsigned depth;
    unsigned queued;  /* prepared and not handed to the kernel */
    unsigned running; /* with the kernel */
    bool is_enabled;  /* by the thread that submits, which makes it the single issuer */
    bool starts_disabled;
    bool is_signalled; /* the eventfd may be readable though nothing is left to find */
    struct list waiting;
    struct list written; /* done in place, to be completed by the next poll */
};

static void
prepare(struct disk_uring *u, struct io_uring_sqe *sqe, struct disk_op *op)
{
    struct slot *slot = NULL;
    switch (op->verb) {
    case DISK_OPEN:
        slot = &u->slots[u->slot_index++ % u->depth];
        slot->how = (struct open_how){
            .flags = op->flags | O_CLOEXEC, .mode = op->mode, .resolve = op->resolve};
        io_uring_prep_openat2(sqe, op->fd, op->path, &slot->how);
        break;
    case DISK_READ:
        io_uring_prep_read(sqe, op->fd, op->buf, op->len_bytes, op->offset_bytes);
        break;
    case DISK_WRITE:
        io_uring_prep_write(sqe, op->fd, op->buf, op->len_bytes, op->offset_bytes);
        break;
    case DISK_SYNC: io_uring_prep_fsync(sqe, op->fd, 0); break;
    case DISK_CLOSE: io_uring_prep_close(sqe, op->fd); break;
    case DISK_VERB_COUNT: ASSERT(false);
    }
    io_uring_sqe_set_data(sqe, op);
}

/* At most depth operations are with the kernel, so that the completion queue never overflows. */
static void
start_waiting(struct disk_uring *u)
{
    while (!list_is_empty(&u->waiting) && u->running + u->queued < u->depth) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
        if (sqe == NULL) {
            return;
        }
        prepare(u, sqe, CONTAINER_OF(list_pop(&u->waiting), struct disk_op, link));
        u->queued++;
    }
}

static void
uring_submit(struct disk *disk, struct disk_op *op)
{
    struct disk_uring *u = (struct disk_uring *)(void *)disk;
    if (op->verb == DISK_WRITE) {
        /* ext4 and tmpfs take buffered writes only from a thread that may sleep, so the ring would
         * hand each to a worker on another core, far from the cache that holds the bytes. Written
         * here, a download to tmpfs takes half the time and three quarters of the CPU; a copy to
         * ext4 takes the same. */
        ssize_t got = pwrite(op->fd, op->buf, op->len_bytes, (off_t)op->offset_bytes);
        op->result = got < 0 ? -errno : (int)got;
        list_push(&u->written, &op->link);
        return;
    }
    list_push(&u->waiting, &op->link);
    start_waiting(u);
}

static void
uring_flush(struct disk *disk)
{
    struct disk_uring *u = (struct disk_uring *)(void *)disk;
    start_waiting(u);
    if (u->starts_disabled && !u->is_enabled) {
        /* liburing 2.3 declares a function for it and does not export it. */
        u->is_enabled = syscall(SYS_io_uring_register, u->ring.ring_fd,
                                IORING_REGISTER_ENABLE_RINGS, NULL, 0) == 0;
        ASSERT(u->is_enabled);
    }
    while (u->queued > 0) {
        int sent = io_uring_submit(&u->ring);
        if (sent < 0) {
            /* The kernel is short of memory for now: what is queued stays queued. */
            ASSERT(sent == -EAGAIN || sent == -EBUSY || sent == -EINTR || sent == -ENOMEM);
            return;
        }
        u->queued -= (unsigned)sent;
        u->running += (unsigned)sent;
    }
}

static unsigned
uring_poll(struct disk *disk)
{
    struct disk_uring *u = (struct disk_uring *)(void *)disk;
    unsigned ran = 0;
    while (!list_is_empty(&u->written)) {
        struct disk_op *op = CONTAINER_OF(list_pop(&u->written), struct disk_op, link);
        disk->in_flight--;
        op->done(op);
        ran++;
    }
    uring_flush(disk);
    if (u->running == 0 && !u->is_signalled) {
        return ran;
    }
    /* The eventfd tells of completions that are deferred, once until they are asked for, and again
     * when asking makes them appear. It is emptied before that: one that is deferred in between
     * would otherwise be waited for in vain, because its signal is gone. What asking signals is
     * emptied by the next poll, which follows whenever this one has found something. */
    uint64_t count = 0;
    ssize_t got = read(disk->wake_fd, &count, sizeof count);
    (void)got;
    u->is_signalled = false;
    if (u->running == 0) {
        return ran;
    }
    (void)io_uring_get_events(&u->ring);
    struct io_uring_cqe *cqes[REAP_MAX];
    unsigned have = io_uring_peek_batch_cqe(&u->ring, cqes, REAP_MAX);
    struct disk_op *ops[REAP_MAX];
    for (unsigned i = 0; i < have; i++) {
        ops[i] = io_uring_cqe_get_data(cqes[i]);
        ops[i]->result = cqes[i]->res;
    }
    io_uring_cq_advance(&u->ring, have);
    u->running -= have;
    u->is_signalled = have > 0;
    for (unsigned i = 0; i < have; i++, ran++) {
        disk->in_flight--;
        ops[i]->done(ops[i]);
    }
    uring_flush(disk);
    return ran;
}

static struct disk *
uring_free(struct disk *disk)
{
    struct disk_uring *u = (struct disk_uring *)(void *)disk;
    ASSERT(disk->in_flight == 0);
    io_uring_queue_exit(&u->ring);
    (void)close(disk->wake_fd);
    mem_give(u->slots);
    return mem_give(u);
}

static const struct disk_ops uring_ops = {
    .name = "io_uring",
    .submit = uring_submit,
    .flush = uring_flush,
    .poll = uring_poll,
    .free = uring_free,
};

static enum err_code
check_operations(struct io_uring *ring, struct err *err)
{
    static const int needed[] = {IORING_OP_OPENAT2, IORING_OP_READ, IORING_OP_WRITE,
                                 IORING_OP_FSYNC, IORING_OP_CLOSE};
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < COUNT_OF(needed); i++) {
        if (probe == NULL || !io_uring_opcode_supported(probe, needed[i])) {
            code = err_set(err, ERR_UNSUPPORTED, "this kernel's io_uring lacks operation %d",
                           needed[i]);
        }
    }
    if (probe != NULL) {
        io_uring_free_probe(probe);
    }
    return code;
}

enum err_code
disk_uring_new(unsigned depth, struct disk **ret_disk, struct err *err)
{
    /* From what saves most to what every kernel since 5.6 has. */
    static const unsigned flag_sets[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED,
        IORING_SETUP_COOP_TASKRUN,
        0,
    };
    struct disk_uring *u = mem_take(sizeof *u);
    int result = -EINVAL;
    for (unsigned i = 0; i < COUNT_OF(flag_sets) && result < 0; i++) {
        struct io_uring_params params = {.flags = flag_sets[i]};
        result = io_uring_queue_init_params(depth, &u->ring, &params);
        u->starts_disabled = (flag_sets[i] & IORING_SETUP_R_DISABLED) != 0;
    }
    if (result < 0) {
        mem_give(u);
        return err_set_sys(err, ERR_UNSUPPORTED, -result, "io_uring is refused here");
    }
    enum err_code code = check_operations(&u->ring, err);
    int fd = code == ERR_OK ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    if (code == ERR_OK && (fd < 0 || io_uring_register_eventfd(&u->ring, fd) != 0)) {
        code = err_set_sys(err, ERR_UNSUPPORTED, errno, "could not attach an eventfd to the ring");
    }
    if (code != ERR_OK) {
        io_uring_queue_exit(&u->ring);
        mem_give(u);
        return code;
    }
    u->disk = (struct disk){.ops = &uring_ops, .wake_fd = fd};
    u->slots = mem_take(depth * sizeof *u->slots);
    u->depth = depth;
    list_init(&u->waiting);
    list_init(&u->written);
    *ret_disk = &u->disk;
    return ERR_OK;
}
