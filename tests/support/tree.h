/*
 * tests/support/tree.h - device trees of a few lines: files with their folders, of any size
 * (holes).
 *
 *   owner    what is made lies in the folder and goes with it
 *   thread   one
 */
#ifndef TESTS_SUPPORT_TREE_H
#define TESTS_SUPPORT_TREE_H

#include "base/clock.h"
#include "tests/support/folder.h"

/* All folders of a path but its last component. */
static inline void
tree_folders(struct folder *folder, const char *path)
{
    char part[512];
    for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (!folder_has(folder, part)) {
            (void)folder_make(folder, part);
        }
    }
}

/* An empty folder. */
static inline void
tree_folder(struct folder *folder, const char *path)
{
    tree_folders(folder, path);
    (void)folder_make(folder, path);
}

static inline void
tree_file(struct folder *folder, const char *path, uint64_t size_bytes)
{
    tree_folders(folder, path);
    const char *name = folder_write(folder, path, "", 0);
    assert_int_equal(truncate(name, (off_t)size_bytes), 0);
}

/* A file of this text. */
static inline void
tree_text(struct folder *folder, const char *path, const char *text)
{
    tree_folders(folder, path);
    (void)folder_write(folder, path, text, strlen(text));
}

/* Set a file's modification time, seconds from now. */
static inline void
tree_age(struct folder *folder, const char *path, int64_t seconds)
{
    struct timespec times[2];
    times[0] = clock_to_timespec(clock_wall_ns(&clock_system) + seconds * NS_PER_S);
    times[1] = times[0];
    assert_int_equal(utimensat(AT_FDCWD, folder_join(folder, path), times, AT_SYMLINK_NOFOLLOW), 0);
}

#endif
