#include "base/arena.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "storage/local/disk_kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS_MAX 16U

/* Helpers take ops from one list under one lock and post them back by mail. */
struct disk_threads {
    struct disk disk;
    struct mailbox done;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct list work;
    bool is_ending;
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
};

static int
execute(const struct disk_op *op)
{
    struct open_how how = {
        .flags = op->flags | O_CLOEXEC, .mode = op->mode, .resolve = op->resolve};
    long result = -1;
    switch (op->verb) {
    case DISK_OPEN: result = syscall(SYS_openat2, op->fd, op->path, &how, sizeof how); break;
    case DISK_READ: result = pread(op->fd, op->buf, op->len_bytes, (off_t)op->offset_bytes); break;
    case DISK_WRITE:
        result = pwrite(op->fd, op->buf, op->len_bytes, (off_t)op->offset_bytes);
        break;
    case DISK_SYNC: result = fsync(op->fd); break;
    case DISK_CLOSE: result = close(op->fd); break;
    case DISK_VERB_COUNT: ASSERT(false);
    }
    return result < 0 ? -errno : (int)result;
}

static void *
help(void *user)
{
    struct disk_threads *t = user;
    (void)pthread_mutex_lock(&t->lock);
    while (true) {
        if (list_is_empty(&t->work)) {
            if (t->is_ending) {
                break;
            }
            (void)pthread_cond_wait(&t->has_work, &t->lock);
            continue;
        }
        struct disk_op *op = CONTAINER_OF(list_pop(&t->work), struct disk_op, link);
        (void)pthread_mutex_unlock(&t->lock);
        op->result = execute(op);
        mailbox_post(&t->done, &op->mail);
        mailbox_wake(&t->done);
        (void)pthread_mutex_lock(&t->lock);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void
threads_submit(struct disk *disk, struct disk_op *op)
{
    struct disk_threads *t = (struct disk_threads *)(void *)disk;
    (void)pthread_mutex_lock(&t->lock);
    list_push(&t->work, &op->link);
    (void)pthread_cond_signal(&t->has_work);
    (void)pthread_mutex_unlock(&t->lock);
}

static void
threads_flush(struct disk *disk)
{
    (void)disk;
}

static unsigned
threads_poll(struct disk *disk)
{
    struct disk_threads *t = (struct disk_threads *)(void *)disk;
    unsigned ran = 0;
    struct mail *next = NULL;
    mailbox_disarm(&t->done);
    for (struct mail *mail = mailbox_take(&t->done); mail != NULL; mail = next, ran++) {
        next = mail->next;
        struct disk_op *op = CONTAINER_OF(mail, struct disk_op, mail);
        disk->in_flight--;
        op->done(op);
    }
    return ran;
}

static struct disk *
threads_free(struct disk *disk)
{
    struct disk_threads *t = (struct disk_threads *)(void *)disk;
    ASSERT(disk->in_flight == 0);
    (void)pthread_mutex_lock(&t->lock);
    t->is_ending = true;
    (void)pthread_cond_broadcast(&t->has_work);
    (void)pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->thread_count; i++) {
        (void)pthread_join(t->threads[i], NULL);
    }
    mailbox_done(&t->done);
    (void)pthread_mutex_destroy(&t->lock);
    (void)pthread_cond_destroy(&t->has_work);
    return mem_give(t);
}

static const struct disk_ops threads_ops = {
    .name = "threads",
    .submit = threads_submit,
    .flush = threads_flush,
    .poll = threads_poll,
    .free = threads_free,
};

enum err_code
disk_threads_new(unsigned depth, struct disk **ret_disk, struct err *err)
{
    struct disk_threads *t = mem_take(sizeof *t);
    enum err_code code = mailbox_init(&t->done, err);
    if (code != ERR_OK) {
        mem_give(t);
        return code;
    }
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_cond_init(&t->has_work, NULL);
    list_init(&t->work);
    t->disk = (struct disk){.ops = &threads_ops, .wake_fd = mailbox_fd(&t->done)};
    for (unsigned i = 0; i < MIN_OF(depth, THREADS_MAX); i++) {
        int failed = pthread_create(&t->threads[i], NULL, help, t);
        if (failed != 0 && i == 0) {
            threads_free(&t->disk);
            return err_set_sys(err, ERR_SYSTEM, failed, "could not start a disk thread");
        }
        if (failed != 0) {
            break;
        }
        t->thread_count++;
    }
    *ret_disk = &t->disk;
    return ERR_OK;
}
