#include "base/fd.h"

#include "base/text.h"

#include <fcntl.h>
#include <string.h>

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
