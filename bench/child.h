/*
 * bench/child.h - the sink or source in a process of its own, so that its CPU time and memory are
 * not counted with what is measured.
 *
 *   owner    child_stop() ends it; it also ends with this process
 *   thread   child_start() forks: no other thread may run yet
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include "bench/server/server.h"

#include <sys/types.h>

struct child {
    pid_t pid;
    int out_fd;
    unsigned port;
};

MUST_USE enum err_code child_start(const struct server_options *options, struct child *ret_child,
                                   struct err *err);
void child_stop(struct child *child);

#endif
