/* Files of a folder as blobs: --root DIR serves DIR/CONTAINER/NAME. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/fd.h"
#include "bench/server/request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER_DEPTH_MAX 256U

static int
open_beneath(const struct site *site, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, site->root_fd, path, &how, sizeof how);
}

static uint64_t
etag_of(const struct stat *info)
{
    return (uint64_t)info->st_mtim.tv_sec * (uint64_t)NS_PER_S + (uint64_t)info->st_mtim.tv_nsec +
           (uint64_t)info->st_size * 31;
}

static int64_t
time_of(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * NS_PER_S + info->st_mtim.tv_nsec;
}

bool
root_has(struct site *site, const char *container)
{
    AUTO_FD fd = open_beneath(site, container, O_RDONLY | O_DIRECTORY);
    return fd >= 0;
}

static bool
refuse_missing(struct request *request)
{
    if (root_has(request->site, request->container)) {
        answer_error(request, 404, "BlobNotFound", "The specified blob does not exist.");
    } else {
        answer_error(request, 404, "ContainerNotFound", "The specified container does not exist.");
    }
    return false;
}

bool
root_open(struct request *request, struct root_file *ret_file)
{
    struct stat info;
    AUTO_TEXT path = TEXT_INIT;
    text_add_str(&path, request->container);
    text_add_char(&path, '/');
    text_add_str(&path, request->blob);
    AUTO_FD fd = open_beneath(request->site, text_str(&path), O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return refuse_missing(request);
    }
    ret_file->fd = fd_take(&fd);
    ret_file->size_bytes = (uint64_t)info.st_size;
    ret_file->modified_ns = time_of(&info);
    ret_file->etag = etag_of(&info);
    return true;
}

static void
load_file(struct container *container, const char *name, const struct stat *info)
{
    struct blob *blob = container_add(container, name);
    blob->is_committed = true;
    blob->size_bytes = (uint64_t)info->st_size;
    blob->etag = etag_of(info);
    blob->created_ns = blob->modified_ns = time_of(info);
    props_add(&blob->props, "Content-Type", "application/octet-stream");
}

/* One open folder of a walk, and how long the path of what is in it begins. */
struct level {
    DIR *dir;
    size_t path_len;
};

static void
enter(struct level *levels, unsigned *count, int parent, const char *name, size_t path_len)
{
    AUTO_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 || *count == FOLDER_DEPTH_MAX ? NULL : fdopendir(fd);
    if (dir != NULL) {
        (void)fd_take(&fd);
        levels[(*count)++] = (struct level){.dir = dir, .path_len = path_len};
    }
}

void
root_load(struct site *site, struct container *container, const char *name)
{
    struct level levels[FOLDER_DEPTH_MAX];
    unsigned count = 0;
    AUTO_TEXT path = TEXT_INIT;
    container_clear(container);
    enter(levels, &count, site->root_fd, name, 0);
    while (count > 0) {
        struct level *level = &levels[count - 1];
        // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of this thread alone
        struct dirent *entry = readdir(level->dir);
        struct stat info;
        if (entry == NULL) {
            (void)closedir(level->dir);
            count--;
            continue;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(level->dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        path.len = level->path_len;
        text_add_str(&path, entry->d_name);
        if (S_ISREG(info.st_mode)) {
            load_file(container, text_str(&path), &info);
        } else if (S_ISDIR(info.st_mode)) {
            text_add_char(&path, '/');
            enter(levels, &count, dirfd(level->dir), entry->d_name, path.len);
        }
    }
}
