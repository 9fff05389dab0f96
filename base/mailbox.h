/*
 * base/mailbox.h - the only thing two threads share: a queue of messages with one reader.
 *
 * A message is embedded in whatever it carries; posting never allocates and never fails. The reader
 * may sleep on mailbox_fd(). Posting to a reader that is awake costs no system call.
 *
 *   shape    any number of messages; order is kept per poster
 *   owner    a posted mail belongs to the mailbox until it is taken
 *   thread   post: any thread; take, arm, clear: the reader only
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mail {
    struct mail *next;
    uint32_t kind; /* the reader's own enum */
};

struct mailbox {
    _Atomic(struct mail *) head; /* newest first */
    atomic_bool is_armed;        /* the reader sleeps or is about to */
    int fd;                      /* eventfd */
};

MUST_USE enum err_code mailbox_init(struct mailbox *box, struct err *err);
void mailbox_done(struct mailbox *box);
void mailbox_post(struct mailbox *box, struct mail *mail);

/* All messages, oldest first, NULL if none. */
struct mail *mailbox_take(struct mailbox *box);

/* Before sleeping on mailbox_fd(): true if it is safe to sleep, false if mail came meanwhile. */
bool mailbox_arm(struct mailbox *box);
/* After waking. */
void mailbox_disarm(struct mailbox *box);
/* Wake the reader without a message. Any thread; async-signal-safe. */
void mailbox_wake(struct mailbox *box);
int mailbox_fd(const struct mailbox *box);
/* Block until there is mail or timeout_ms passed (-1: no limit). For readers that wait on nothing
 * else. */
void mailbox_wait(struct mailbox *box, int timeout_ms);

#endif
