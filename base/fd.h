/*
 * base/fd.h - file descriptors that close themselves.
 *
 *   owner    AUTO_FD closes at the end of the scope unless fd_take() moved it out
 *   errors   closing is never reported: whoever needs the result of close() calls it himself
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/attr.h"

#include <unistd.h>

static inline void
fd_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* The names in the folder of path survive power loss. 0, or -1 with errno. */
int fd_sync_folder_of(const char *path);

static inline int
fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define AUTO_FD CLEANUP(fd_close) int

#endif
