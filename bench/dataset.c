#include "bench/dataset.h"

#include "base/arena.h"
#include "base/fd.h"
#include "base/units.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER_FILES  1000U
#define CHUNK_BYTES   ((size_t)1 << 20)
#define NAME_BYTES    48U
#define MARK_SUFFIX   ".mark"
#define MARK_COMPLETE "complete\n"

static void
name_of(uint64_t index, char out[static NAME_BYTES])
{
    (void)snprintf(out, NAME_BYTES, "%05llu/%llu", (unsigned long long)(index / FOLDER_FILES),
                   (unsigned long long)index);
}

static void
folder_of(uint64_t index, char out[static NAME_BYTES])
{
    (void)snprintf(out, NAME_BYTES, "%05llu", (unsigned long long)(index / FOLDER_FILES));
}

static enum err_code
fail_at(struct err *err, const char *words, const char *path)
{
    int sys = errno;
    bool is_full = sys == ENOSPC || sys == EDQUOT;
    return err_set_sys(err, is_full ? ERR_STATE_FULL : ERR_SYSTEM, sys, "%s '%s'", words, path);
}

/* Like mkdir -p; what exists is fine. */
static enum err_code
make_folders(char *path, struct err *err)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char end = *at;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return fail_at(err, "cannot make the folder", path);
        }
        *at = end;
        if (end == '\0') {
            return ERR_OK;
        }
    }
}

enum err_code
bench_folder_open(const char *state, struct text *ret_path, int *ret_lock_fd, struct err *err)
{
    AUTO_TEXT lock = TEXT_INIT;
    text_addf(ret_path, "%s/bench", state);
    enum err_code code = make_folders(ret_path->bytes, err);
    if (code != ERR_OK) {
        return code;
    }
    text_addf(&lock, "%s/lock", text_str(ret_path));
    AUTO_FD fd = open(text_str(&lock), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail_at(err, "cannot open", text_str(&lock));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return err_set(err, ERR_RUNNING, "another benchmark is running in '%s'",
                       text_str(ret_path));
    }
    *ret_lock_fd = fd_take(&fd);
    return ERR_OK;
}

enum err_code
bench_folder_make(const char *path, struct err *err)
{
    int flags = 0;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return fail_at(err, "cannot make the folder", path);
    }
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    /* Other file systems do not know the flag, and do not need it. */
    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_TOPDIR_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    return ERR_OK;
}

void
bench_folder_remove(const char *path)
{
    AUTO_TEXT copy = TEXT_INIT;
    text_add_str(&copy, path);
    char *paths[] = {copy.bytes, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    for (FTSENT *at; walk != NULL && (at = fts_read(walk)) != NULL;) {
        if (at->fts_info == FTS_DP) {
            (void)rmdir(at->fts_accpath);
        } else if (at->fts_info != FTS_D) {
            (void)unlink(at->fts_accpath);
        }
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
}

/* SplitMix64: a full period and no two files alike. */
static uint64_t
fill(char *bytes, size_t len, uint64_t seed)
{
    for (size_t at = 0; at < len; at += sizeof seed) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
        mixed ^= mixed >> 31;
        (void)memcpy(bytes + at, &mixed, sizeof mixed);
    }
    return seed;
}

/* What all files of a dataset are written with. */
struct writer {
    int folder_fd;
    char *chunk;
    const atomic_int *signal;
};

static enum err_code
write_file(const struct writer *writer, const char *name, uint64_t bytes, uint64_t seed,
           struct err *err)
{
    AUTO_FD fd = openat(writer->folder_fd, name,
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail_at(err, "cannot make", name);
    }
    for (uint64_t left = bytes; left > 0;) {
        size_t len = (size_t)MIN_OF(left, (uint64_t)CHUNK_BYTES);
        seed = fill(writer->chunk, (len + 7) / 8 * 8, seed);
        ssize_t wrote = write(fd, writer->chunk, len);
        if (wrote < 0 && errno != EINTR) {
            return fail_at(err, "could not write", name);
        }
        if (atomic_load(writer->signal) != 0) {
            return err_set(err, ERR_INTERRUPTED, "interrupted while making the dataset");
        }
        left -= wrote > 0 ? (uint64_t)wrote : 0;
    }
    return ERR_OK;
}

static enum err_code
write_files(const struct dataset *dataset, int folder_fd, const atomic_int *signal, struct err *err)
{
    const struct writer writer = {
        .folder_fd = folder_fd, .chunk = mem_take(CHUNK_BYTES), .signal = signal};
    char name[NAME_BYTES];
    enum err_code code = ERR_OK;
    for (uint64_t i = 0; i < dataset->files && code == ERR_OK; i++) {
        folder_of(i, name);
        if (i % FOLDER_FILES == 0 && mkdirat(folder_fd, name, 0700) != 0 && errno != EEXIST) {
            code = fail_at(err, "cannot make the folder", name);
        } else {
            name_of(i, name);
            code = write_file(&writer, name, dataset->file_bytes, i << 40, err);
        }
    }
    mem_give(writer.chunk);
    return code;
}

static enum err_code
write_mark(const char *path, const char *words, struct err *err)
{
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t len = strlen(words);
    if (fd < 0 || write(fd, words, len) != (ssize_t)len) {
        return fail_at(err, "could not write", path);
    }
    return ERR_OK;
}

static bool
is_complete(const char *mark_path)
{
    char words[sizeof MARK_COMPLETE] = "";
    AUTO_FD fd = open(mark_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd < 0 ? -1 : read(fd, words, sizeof words - 1);
    return got == (ssize_t)sizeof MARK_COMPLETE - 1 && strcmp(words, MARK_COMPLETE) == 0;
}

static enum err_code
check_space(const char *folder, const struct dataset *dataset, unsigned copies, struct err *err)
{
    struct statvfs info;
    const uint64_t block = 4096;
    uint64_t file_bytes = (dataset->file_bytes + block - 1) / block * block + block;
    uint64_t needed = dataset->files * file_bytes * copies;
    if (statvfs(folder, &info) != 0) {
        return fail_at(err, "cannot look at", folder);
    }
    uint64_t available = (uint64_t)info.f_bavail * info.f_frsize;
    if (needed > available) {
        return err_set(err, ERR_STATE_FULL,
                       "the benchmark needs %llu MiB in '%s', and %llu MiB are free there",
                       (unsigned long long)(needed >> 20), folder,
                       (unsigned long long)(available >> 20));
    }
    return ERR_OK;
}

enum err_code
dataset_make(const char *folder, const struct dataset *dataset, const atomic_int *signal,
             struct text *ret_name, struct err *err)
{
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT mark = TEXT_INIT;
    text_addf(ret_name, "set-%llux%llu", (unsigned long long)dataset->files,
              (unsigned long long)dataset->file_bytes);
    text_addf(&path, "%s/%s", folder, text_str(ret_name));
    text_addf(&mark, "%s" MARK_SUFFIX, text_str(&path));
    bool is_there = is_complete(text_str(&mark));
    enum err_code code = check_space(folder, dataset, dataset->copies + (is_there ? 0 : 1), err);
    if (code != ERR_OK || is_there) {
        return code;
    }
    code = write_mark(text_str(&mark), "incomplete\n", err);
    if (code != ERR_OK) {
        return code;
    }
    if (mkdir(text_str(&path), 0700) != 0 && errno != EEXIST) {
        return fail_at(err, "cannot make the folder", text_str(&path));
    }
    AUTO_FD fd = open(text_str(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return fail_at(err, "cannot open", text_str(&path));
    }
    code = write_files(dataset, fd, signal, err);
    return code == ERR_OK ? write_mark(text_str(&mark), MARK_COMPLETE, err) : code;
}

/* "set-FILESxBYTES.mark": how many files are meant; 0 if it is no mark of ours. */
static uint64_t
files_of_mark(const char *mark)
{
    static const char begin[] = "set-";
    struct err err = ERR_NONE;
    uint64_t files = 0;
    uint64_t bytes = 0;
    AUTO_TEXT name = TEXT_INIT;
    size_t len = strlen(mark);
    size_t end_len = strlen(MARK_SUFFIX);
    if (len <= end_len || strncmp(mark, begin, sizeof begin - 1) != 0 ||
        strcmp(mark + len - end_len, MARK_SUFFIX) != 0) {
        return 0;
    }
    text_add(&name, mark + sizeof begin - 1, len - end_len - (sizeof begin - 1));
    char *middle = name.bytes == NULL ? NULL : strchr(name.bytes, 'x');
    if (middle == NULL) {
        return 0;
    }
    *middle++ = '\0';
    bool is_ours = units_parse_u64(name.bytes, &files, &err) == ERR_OK &&
                   units_parse_u64(middle, &bytes, &err) == ERR_OK;
    return is_ours && files <= DATASET_FILES_MAX ? files : 0;
}

static void
remove_set(int folder_fd, const char *set, uint64_t files, const atomic_int *signal,
           struct dataset_cleaned *cleaned)
{
    char name[NAME_BYTES];
    AUTO_FD fd = openat(folder_fd, set, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    for (uint64_t i = 0; i < files && fd >= 0 && atomic_load(signal) == 0; i++) {
        struct stat info;
        name_of(i, name);
        if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && unlinkat(fd, name, 0) == 0) {
            cleaned->files++;
            cleaned->bytes += (uint64_t)info.st_size;
        }
        if (i % FOLDER_FILES == FOLDER_FILES - 1 || i == files - 1) {
            folder_of(i, name);
            (void)unlinkat(fd, name, AT_REMOVEDIR);
        }
    }
}

enum err_code
dataset_clean(const char *folder, const atomic_int *signal, struct dataset_cleaned *ret_cleaned,
              struct err *err)
{
    struct dataset_cleaned cleaned = {0};
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return fail_at(err, "cannot open", folder);
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of this thread alone
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        AUTO_TEXT set = TEXT_INIT;
        uint64_t files = files_of_mark(entry->d_name);
        if (files == 0) {
            continue;
        }
        text_add(&set, entry->d_name, strlen(entry->d_name) - strlen(MARK_SUFFIX));
        remove_set(dirfd(dir), text_str(&set), files, signal, &cleaned);
        if (atomic_load(signal) != 0) {
            break;
        }
        if (unlinkat(dirfd(dir), text_str(&set), AT_REMOVEDIR) != 0 && errno != ENOENT) {
            cleaned.kept++;
            continue;
        }
        cleaned.sets++;
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    *ret_cleaned = cleaned;
    return atomic_load(signal) == 0 ? ERR_OK
                                    : err_set(err, ERR_INTERRUPTED, "interrupted after %llu files",
                                              (unsigned long long)cleaned.files);
}
