#include "storage/local/places.h"

#include "base/arena.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define STAGE_BYTES 3072U

void
places_init(struct places *places, int root, bool follows_links)
{
    *places = (struct places){
        .root = root,
        .folder = -1,
        .resolve =
            follows_links ? 0 : RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
}

void
places_done(struct places *places)
{
    fd_close(&places->folder);
    places->cached_name = mem_give(places->cached_name);
}

static int
open_once(int at, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve};
    long fd = syscall(SYS_openat2, at, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

int
places_open(int at, const char *path, int flags, uint64_t resolve)
{
    AUTO_FD folder = -1;
    while (strlen(path) > STAGE_BYTES) {
        char piece[STAGE_BYTES + 1];
        size_t len = STAGE_BYTES;
        while (len > 0 && path[len] != '/') {
            len--;
        }
        if (len == 0) {
            return -ENAMETOOLONG;
        }
        memcpy(piece, path, len);
        piece[len] = '\0';
        int next = open_once(folder < 0 ? at : folder, piece, O_PATH | O_DIRECTORY, resolve);
        if (next < 0) {
            return next;
        }
        fd_close(&folder);
        folder = next;
        path += len + 1;
    }
    return open_once(folder < 0 ? at : folder, path, flags, resolve);
}

/* Component by component, because only mkdirat() can make one. */
static int
make_folders(const struct places *places, const char *path, size_t len)
{
    AUTO_FD folder = fcntl(places->root, F_DUPFD_CLOEXEC, 3);
    while (len > 0 && folder >= 0) {
        char name[NAME_MAX + 1];
        const char *slash = memchr(path, '/', len);
        size_t name_len = slash == NULL ? len : (size_t)(slash - path);
        if (name_len == 0 || name_len > NAME_MAX) {
            return name_len == 0 ? -EINVAL : -ENAMETOOLONG;
        }
        memcpy(name, path, name_len);
        name[name_len] = '\0';
        if (mkdirat(folder, name, 0777) != 0 && errno != EEXIST) {
            return -errno;
        }
        int next = open_once(folder, name, O_PATH | O_DIRECTORY, places->resolve);
        if (next < 0) {
            return next;
        }
        fd_close(&folder);
        folder = next;
        path += name_len + (slash == NULL ? 0 : 1);
        len -= name_len + (slash == NULL ? 0 : 1);
    }
    return fd_take(&folder);
}

static void
remember(struct places *places, int fd, const char *name, size_t len)
{
    fd_close(&places->folder);
    mem_give(places->cached_name);
    places->folder = fd;
    places->cached_name = mem_take(len + 1);
    memcpy(places->cached_name, name, len);
    places->cached_len = (unsigned)len;
}

/* Parts that stand for another folder than themselves: two names would lead to one file. */
static bool
has_odd_part(const char *path, size_t len)
{
    const char *end = path + len;
    for (const char *at = path; at <= end; at++) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t part = (size_t)((slash == NULL ? end : slash) - at);
        if (part == 0 || (part == 1 && at[0] == '.') || (part == 2 && memcmp(at, "..", 2) == 0)) {
            return true;
        }
        at += part;
    }
    return false;
}

int
places_parent(struct places *places, const char *name, bool make, const char **ret_base)
{
    const char *slash = strrchr(name, '/');
    *ret_base = slash == NULL ? name : slash + 1;
    if (**ret_base == '\0' || strcmp(*ret_base, ".") == 0 || strcmp(*ret_base, "..") == 0) {
        return -EINVAL;
    }
    if (slash == NULL || places->root < 0) {
        return places->root < 0 ? -ENOENT : places->root;
    }
    size_t len = (size_t)(slash - name);
    if (places->folder >= 0 && places->cached_len == len &&
        memcmp(places->cached_name, name, len) == 0) {
        return places->folder;
    }
    if (has_odd_part(name, len)) {
        return -EINVAL;
    }
    char *path = mem_take(len + 1);
    memcpy(path, name, len);
    int fd = places_open(places->root, path, O_PATH | O_DIRECTORY, places->resolve);
    mem_give(path);
    if (fd == -ENOENT && make) {
        fd = make_folders(places, name, len);
    }
    if (fd >= 0) {
        remember(places, fd, name, len);
    }
    return fd;
}
