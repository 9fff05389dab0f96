#include "storage/local/local.h"

#include "base/fd.h"
#include "storage/local/address.h"
#include "storage/local/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct end *
local_end_close(struct end *base)
{
    struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    end->publisher = publisher_free(end->publisher);
    fd_close(&end->root);
    fd_close(&end->stage);
    mem_give(end->path);
    mem_give(end->single_name);
    mem_give(end->store_dir);
    mem_give(end->key_prefix);
    mem_give(end->index_path);
    mem_give(end->stage_path);
    mem_give(end->end.display);
    mem_give(end->end.folder);
    mem_give(end->end.prefix);
    return mem_give(end);
}

enum err_code
local_open_root(struct local_end *end, struct err *err)
{
    if (end->root >= 0 || end->is_by_id) {
        return ERR_OK;
    }
    end->root = open(end->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (end->root >= 0) {
        return ERR_OK;
    }
    int sys = errno;
    if (end->store_dir != NULL && store_has_container(end)) {
        end->is_by_id = true; /* whatever is there has no files below this folder */
        return ERR_OK;
    }
    return err_set_sys(err, sys == EACCES ? ERR_ITEM_ACCESS : ERR_STORE_GONE, sys,
                       "cannot open folder '%s'", end->path);
}

static enum err_code
make_folder(const char *path, struct err *err)
{
    size_t len = 0;
    int sys = fd_make_folders(path, 0777, &len);
    return sys == 0 ? ERR_OK
                    : err_set_sys(err, err_from_target_errno(sys), sys,
                                  "could not make folder '%.*s'", (int)len, path);
}

/* Free space and the right to write, told of the nearest folder that exists already. */
static enum err_code
look_at_target(const struct local_end *end, uint64_t *ret_free_bytes, struct err *err)
{
    char *path = mem_text(end->path);
    struct statvfs fs;
    struct stat st = {0};
    while (stat(path, &st) != 0 && strcmp(path, "/") != 0) {
        char *slash = strrchr(path, '/');
        slash[slash == path ? 1 : 0] = '\0';
    }
    enum err_code code = ERR_OK;
    if (!S_ISDIR(st.st_mode)) {
        code =
            err_set(err, ERR_USAGE,
                    "'%s' is no folder; a target names the folder that is to hold the items", path);
    } else if (access(path, W_OK | X_OK) != 0) {
        code = err_set_sys(err, ERR_STORE_READ_ONLY, errno, "cannot write to '%s'", path);
    } else if (statvfs(path, &fs) == 0) {
        *ret_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    }
    mem_give(path);
    return code;
}

static bool
is_empty_folder(int root)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    bool is_empty = dir != NULL;
    const struct dirent *entry = NULL;
    while (is_empty && (entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    } else {
        fd_close(&fd);
    }
    return is_empty;
}

enum err_code
local_end_prepare(struct end *base, bool dry_run, uint64_t *ret_free_bytes, bool *ret_is_fresh,
                  struct err *err)
{
    struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    *ret_free_bytes = UINT64_MAX;
    *ret_is_fresh = false;
    if (end->options.role == END_SOURCE) {
        return local_open_root(end, err);
    }
    enum err_code code = end->store_dir == NULL ? ERR_OK : store_look_at_target(end, err);
    code = code == ERR_OK ? look_at_target(end, ret_free_bytes, err) : code;
    if (code != ERR_OK || dry_run) {
        return code;
    }
    code = make_folder(end->path, err);
    code = code == ERR_OK ? local_open_root(end, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    *ret_is_fresh = end->root >= 0 && is_empty_folder(end->root) &&
                    (end->store_dir == NULL || !store_has_by_id(end));
    code = make_folder(end->stage_path, err);
    if (code != ERR_OK) {
        return code;
    }
    end->stage = open(end->stage_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (end->stage < 0) {
        return err_set_sys(err, err_from_target_errno(errno), errno, "cannot open '%s'",
                           end->stage_path);
    }
    code = publisher_new(end, &end->publisher, err);
    if (code == ERR_OK && end->store_dir != NULL) {
        code = publisher_use_index(end->publisher, end->index_path, err);
    }
    return code;
}

/* A store has its index; a plain folder has one for as long as the job lasts, so that what this job
 * has stored is told from what was there, whenever it is killed. */
enum err_code
local_end_begin(struct end *base, const char *job_path, struct err *err)
{
    struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    AUTO_TEXT path = TEXT_INIT;
    if (end->store_dir != NULL) {
        return ERR_OK;
    }
    text_addf(&path, "%s/stored.db", job_path);
    end->index_path = mem_text(text_str(&path));
    return publisher_use_index(end->publisher, end->index_path, err);
}

enum err_code
local_end_barrier(struct end *base, struct err *err)
{
    const struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    if (end->stage >= 0 && syncfs(end->stage) != 0) {
        return err_set_sys(err, err_from_target_errno(errno), errno, "could not sync '%s'",
                           end->path);
    }
    return ERR_OK;
}

enum err_code
local_end_make_folder(struct end *base, const char *name, bool *ret_is_made, struct err *err)
{
    const struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    AUTO_TEXT inside = TEXT_INIT;
    const char *ignored = NULL;
    struct places places;
    text_addf(&inside, "%s/-", name); /* whose folder is the one to make */
    places_init(&places, end->root, false);
    int folder = places_parent(&places, text_str(&inside), true, &ignored);
    places_done(&places);
    *ret_is_made = folder >= 0;
    return folder >= 0 ? ERR_OK
                       : err_set_sys(err, err_from_target_errno(-folder), -folder,
                                     "could not make folder '%s' at '%s'", name, end->path);
}

enum err_code
local_end_tidy(struct end *base, const char *nonce, struct err *err)
{
    const struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    (void)err;
    int fd = openat(end->stage, nonce, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        (void)unlinkat(fd, entry->d_name, 0);
    }
    if (dir != NULL) {
        (void)closedir(dir);
        (void)unlinkat(end->stage, nonce, AT_REMOVEDIR);
    }
    /* Another job's staged files keep the folder, which is as it should be. */
    (void)rmdir(end->stage_path);
    if (end->store_dir == NULL && end->index_path != NULL) {
        sql_remove(end->index_path);
    }
    return ERR_OK;
}

enum err_code
local_end_backend(struct end *base, const struct lane_io *io, struct backend **ret_backend,
                  struct err *err)
{
    return local_backend_new(CONTAINER_OF(base, struct local_end, end), io, ret_backend, err);
}

enum err_code
local_end_new(const char *path, const struct end_ops *ops, const struct end_options *options,
              struct local_end **ret_end, struct err *err)
{
    struct local_end *end = mem_take(sizeof *end);
    (void)err;
    *end = (struct local_end){.options = *options, .root = -1, .stage = -1};
    end->end.ops = ops;
    end->end.caps.is_local = true;
    end->end.caps.block_order_free = true;
    end->path = mem_text(path);
    end->key_prefix = mem_text("");
    end->end.display = mem_text(path);
    end->end.folder = mem_text(path);
    *ret_end = end;
    return ERR_OK;
}
