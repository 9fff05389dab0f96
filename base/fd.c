#include "base/fd.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int
fd_sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_TEXT folder = TEXT_INIT;
    if (slash == NULL) {
        text_add_char(&folder, '.');
    } else {
        text_add(&folder, path, slash == path ? 1 : (size_t)(slash - path));
    }
    AUTO_FD fd = open(text_str(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

int
fd_make_folders(const char *path, mode_t mode, size_t *ret_len)
{
    char *copy = mem_text(path);
    size_t len = strlen(path);
    int sys = 0;
    for (size_t at = 1; at <= len && sys == 0; at++) {
        if (path[at] != '/' && path[at] != '\0') {
            continue;
        }
        copy[at] = '\0';
        if (mkdir(copy, mode) != 0 && errno != EEXIST) {
            sys = errno;
            *ret_len = at;
        }
        copy[at] = path[at];
    }
    mem_give(copy);
    return sys;
}
