/*
 * tests/support/answering_server.h - a server on loopback that answers as a test says, with any
 * bytes whatever.
 *
 *   shape    one connection at a time; requests up to ANSWERING_SEEN_BYTES, head and body
 *   owner    the answer is borrowed until stop; flags are set between init and start
 *   thread   its own; what it has seen is under its lock
 */
#ifndef TESTS_SUPPORT_ANSWERING_SERVER_H
#define TESTS_SUPPORT_ANSWERING_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define ANSWERING_SEEN_BYTES 8192

/* Answers each request of each connection with the same bytes. */
struct answering_server {
    int listener;
    unsigned port;
    pthread_t thread;
    const char *answer;
    size_t answer_len;
    bool closes;          /* after one answer */
    bool is_silent;       /* reads and says nothing */
    bool is_fickle;       /* closes a connection instead of answering its second request */
    bool is_hasty;        /* answers when it has seen a head, and takes no more */
    atomic_int interrupt; /* SIGTERM once something was read */
    atomic_uint accepted;
    atomic_uint requests;
    pthread_mutex_t lock;
    char seen[ANSWERING_SEEN_BYTES]; /* the last whole request, head and body; under lock */
};

void answering_server_init(struct answering_server *server);
void answering_server_start(struct answering_server *server, const char *answer, size_t len,
                            bool closes);
void answering_server_stop(struct answering_server *server);

#endif
