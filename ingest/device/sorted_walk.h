/*
 * ingest/device/sorted_walk.h - every entry below a folder, in the order of bytes, folder by
 * folder.
 *
 * A manifest made twice of one tree has to be the same to the byte, and a folder may hold more
 * names than memory does. So names are kept as far as there is room: of a huge folder the smallest
 * that fit, and it is read again for the next ones; of the folders above the one at hand, those
 * farthest up are forgotten first, and read again when the walk comes back to them.
 *
 *   shape    a path has at most SORTED_PATH_BYTES_MAX bytes, which bounds the depth; symbolic links
 *            are never followed
 *   owner    an entry lives until the next call; its folder as long as someone has it
 *   thread   one; sorted_folder_put() by any
 *   errors   what cannot be entered, and a folder that changed while it was walked, are entries
 */
#ifndef INGEST_DEVICE_SORTED_WALK_H
#define INGEST_DEVICE_SORTED_WALK_H

#include "base/err.h"
#include "ingest/device/manifest.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define SORTED_PATH_BYTES_MAX  MANIFEST_NAME_BYTES_MAX
#define SORTED_NAMES_BYTES_MAX ((size_t)16 << 20)

/* Was it the same folder or file all the time? By both its times: of the two, nobody can set the
 * kernel's. */
static inline bool
sorted_is_unchanged(const struct stat *before, const struct stat *now)
{
    return before->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == now->st_mtim.tv_nsec &&
           before->st_ctim.tv_sec == now->st_ctim.tv_sec &&
           before->st_ctim.tv_nsec == now->st_ctim.tv_nsec;
}

/* A folder that is open as long as files in it are to be opened. */
struct sorted_folder {
    int fd;
    atomic_uint refs;
};
struct sorted_folder *sorted_folder_get(struct sorted_folder *folder);
struct sorted_folder *sorted_folder_put(struct sorted_folder *folder); /* NULL */

enum sorted_kind {
    SORTED_FILE,
    SORTED_FOLDER,  /* only of a flat walk */
    SORTED_SPECIAL, /* neither file nor folder; code and words say what */
    SORTED_FAILED,  /* could not be entered or looked at; code, sys and words say why */
};

struct sorted_entry {
    enum sorted_kind kind;
    const char *path; /* relative to the root; "" is the root itself */
    size_t path_len;
    size_t name_at; /* of the last component in path */
    struct sorted_folder *folder;
    enum err_code code;
    int sys;
    const char *words; /* static: "is a symbolic link", "could not open folder" */
};

struct sorted_options {
    bool is_flat;           /* folders are entries and not entered */
    size_t names_bytes_max; /* 0: SORTED_NAMES_BYTES_MAX */
    const ino_t *avoid_ino; /* a folder that must not be walked, on device *avoid_dev; NULL: none */
    const dev_t *avoid_dev;
    const atomic_int *signal; /* not 0: the walk ends early */
};

struct sorted_walk;
/* root is taken, also if it fails. */
MUST_USE enum err_code sorted_walk_new(int root, const struct sorted_options *options,
                                       struct sorted_walk **ret_walk, struct err *err);
struct sorted_walk *sorted_walk_free(struct sorted_walk *walk);
/* False: that was all. */
bool sorted_walk_next(struct sorted_walk *walk, struct sorted_entry *ret_entry);

#endif
