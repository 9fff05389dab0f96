/*
 * tests/support/folder.h - a folder of its own for each test, and the files in it.
 *
 *   owner    folder_done() removes it with all that is in it
 *   thread   one
 */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include "base/text.h"
#include "tests/support/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
    struct text joined[4]; /* the last paths asked for */
    unsigned next;
};

static inline void
folder_init(struct folder *folder)
{
    *folder = (struct folder){.path = "/tmp/sallyport-unit.XXXXXX"};
    assert_non_null(mkdtemp(folder->path));
}

static inline int
folder_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void
folder_done(struct folder *folder)
{
    (void)nftw(folder->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    for (unsigned i = 0; i < COUNT_OF(folder->joined); i++) {
        text_done(&folder->joined[i]);
    }
}

/* The path of name in the folder; good until three others were asked for. */
static inline const char *
folder_join(struct folder *folder, const char *name)
{
    struct text *text = &folder->joined[folder->next++ % COUNT_OF(folder->joined)];
    text_clear(text);
    text_addf(text, "%s/%s", folder->path, name);
    return text_str(text);
}

static inline const char *
folder_make(struct folder *folder, const char *name)
{
    const char *path = folder_join(folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static inline const char *
folder_write(struct folder *folder, const char *name, const void *bytes, size_t len)
{
    const char *path = folder_join(folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
    return path;
}

static inline bool
folder_has(struct folder *folder, const char *name)
{
    struct stat st;
    return lstat(folder_join(folder, name), &st) == 0;
}

#endif
