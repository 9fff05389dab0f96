/*
 * base/fd.h - file descriptors that close themselves, and folders on the way to a path.
 *
 *   owner    AUTO_FD closes at the end of the scope unless fd_take() moved it out
 *   errors   closing is never reported: whoever needs the result of close() calls it himself
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/attr.h"

#include <stddef.h>
#include <sys/types.h>
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

/* Make the folder and those above it that are missing. 0 or errno; then *ret_len says how much of
 * path the folder is that could not be made. */
MUST_USE int fd_make_folders(const char *path, mode_t mode, size_t *ret_len);

static inline int
fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define AUTO_FD CLEANUP(fd_close) int

#endif
