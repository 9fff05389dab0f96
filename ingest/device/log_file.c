#include "ingest/device/log_file.h"

#include "base/arena.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
log_file_init(struct log_file *file, const char *folder)
{
    *file = (struct log_file){.folder = folder, .fd = -1};
}

void
log_file_done(struct log_file *file)
{
    fd_close(&file->fd);
    if (file->staged != NULL) {
        (void)unlink(file->staged);
    }
    file->staged = mem_give(file->staged);
    text_done(&file->lines);
}

static void
fail(struct log_file *file, const char *words)
{
    int sys = errno;
    if (file->err.code == ERR_OK) {
        (void)err_set_sys(&file->err, sys == ENOSPC || sys == EDQUOT ? ERR_STATE_FULL : ERR_CONFIG,
                          sys, "%s '%s'", words, file->folder);
    }
}

/* Not every file system has files without names. */
static bool
open_it(struct log_file *file)
{
    AUTO_TEXT staged = TEXT_INIT;
    size_t len = 0;
    int sys = fd_make_folders(file->folder, 0700, &len);
    if (sys == 0) {
        file->fd = open(file->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        sys = file->fd < 0 ? errno : 0;
    }
    if (sys == EOPNOTSUPP || sys == EISDIR || sys == ENOENT) {
        text_addf(&staged, "%s/.log-XXXXXX", file->folder);
        file->fd = staged.is_broken ? -1 : mkostemp(staged.bytes, O_CLOEXEC);
        sys = file->fd < 0 ? errno : 0;
        file->staged = file->fd < 0 ? NULL : mem_text(text_str(&staged));
    }
    errno = sys;
    return file->fd >= 0;
}

static void
write_lines(struct log_file *file)
{
    const char *at = text_str(&file->lines);
    size_t left = file->lines.len;
    if (file->lines.is_broken) {
        errno = ENOMEM;
        fail(file, "could not write a log in");
    }
    while (left > 0 && file->err.code == ERR_OK) {
        ssize_t done = write(file->fd, at, left);
        if (done < 0 && errno != EINTR) {
            fail(file, "could not write a log in");
        }
        at += done > 0 ? done : 0;
        left -= done > 0 ? (size_t)done : 0;
    }
    text_clear(&file->lines);
}

static void
flush(struct log_file *file)
{
    if (file->fd < 0 && file->err.code == ERR_OK && !open_it(file)) {
        fail(file, "could not begin a log in");
    }
    write_lines(file);
}

void
log_file_flush(struct log_file *file)
{
    if (file->lines.len >= LOG_FILE_FLUSH || file->lines.is_broken) {
        flush(file);
    }
}

bool
log_file_is_empty(const struct log_file *file)
{
    return file->fd < 0 && file->lines.len == 0 && file->err.code == ERR_OK;
}

static int
give_name(const struct log_file *file, const char *path)
{
    char self[64];
    if (file->staged != NULL) {
        return rename(file->staged, path);
    }
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", file->fd);
    (void)unlink(path);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

enum err_code
log_file_publish(struct log_file *file, const char *path, struct err *err)
{
    AUTO_TEXT folder = TEXT_INIT;
    const char *slash = strrchr(path, '/');
    size_t len = 0;
    flush(file);
    text_add(&folder, path, slash == NULL ? 0 : (size_t)(slash - path));
    if (file->err.code == ERR_OK) {
        errno = fd_make_folders(text_str(&folder), 0700, &len);
        if (errno != 0 || fsync(file->fd) != 0 || give_name(file, path) != 0 ||
            fd_sync_folder_of(path) != 0) {
            fail(file, "could not write a log in");
        }
    }
    if (file->err.code != ERR_OK) {
        *err = file->err;
        return err->code;
    }
    file->staged = mem_give(file->staged);
    fd_close(&file->fd);
    return ERR_OK;
}
