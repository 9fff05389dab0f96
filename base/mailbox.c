#include "base/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum err_code
mailbox_init(struct mailbox *box, struct err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not make an eventfd");
    }
    atomic_init(&box->head, NULL);
    atomic_init(&box->is_armed, false);
    box->fd = fd;
    return ERR_OK;
}

void
mailbox_done(struct mailbox *box)
{
    if (box->fd > 0) {
        (void)close(box->fd);
        box->fd = -1;
    }
}

void
mailbox_wake(struct mailbox *box)
{
    const uint64_t one = 1;
    int saved = errno;
    /* A full counter wakes just as well, so the result does not matter. */
    ssize_t wrote = write(box->fd, &one, sizeof one);
    (void)wrote;
    errno = saved;
}

/*
 * Post and arm each write one variable and then read the other, both in the single order of
 * seq_cst: at least one of them sees the other, so that no mail is left with a sleeping reader.
 */
void
mailbox_post(struct mailbox *box, struct mail *mail)
{
    struct mail *head = atomic_load_explicit(&box->head, memory_order_relaxed);
    do {
        mail->next = head;
    } while (!atomic_compare_exchange_weak(&box->head, &head, mail));
    if (atomic_load(&box->is_armed)) {
        mailbox_wake(box);
    }
}

struct mail *
mailbox_take(struct mailbox *box)
{
    struct mail *newest = atomic_exchange(&box->head, NULL);
    struct mail *oldest = NULL;
    while (newest != NULL) {
        struct mail *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

bool
mailbox_arm(struct mailbox *box)
{
    atomic_store(&box->is_armed, true);
    return atomic_load(&box->head) == NULL;
}

void
mailbox_disarm(struct mailbox *box)
{
    uint64_t count = 0;
    atomic_store(&box->is_armed, false);
    ssize_t got = read(box->fd, &count, sizeof count);
    (void)got;
}

int
mailbox_fd(const struct mailbox *box)
{
    return box->fd;
}

void
mailbox_wait(struct mailbox *box, int timeout_ms)
{
    struct pollfd fd = {.fd = box->fd, .events = POLLIN};
    if (mailbox_arm(box)) {
        (void)poll(&fd, 1, timeout_ms);
    }
    mailbox_disarm(box);
}
