#include "storage/local/walk.h"

#include "base/arena.h"
#include "base/fd.h"
#include "base/text.h"
#include "storage/local/index.h"
#include "storage/local/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_STEP 32U

/* One folder on the way down. */
struct level {
    DIR *dir;
    size_t path_len; /* of the folder's name within path, with its slash */
    dev_t dev;
    ino_t ino;
    bool had_entries;
};

struct walk {
    struct lister lister;
    struct walk_options options;
    struct level *levels;
    unsigned depth;
    unsigned room;
    struct text path; /* of the entry at hand */
};

static enum err_code
push(struct walk *walk, int fd, struct err *err)
{
    struct stat st;
    if (walk->depth == walk->room) {
        unsigned room = walk->room + DEPTH_STEP;
        walk->levels = mem_resize(walk->levels, walk->room * sizeof *walk->levels,
                                  room * sizeof *walk->levels);
        walk->room = room;
    }
    struct level *level = &walk->levels[walk->depth];
    DIR *dir = fstat(fd, &st) == 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        int sys = errno;
        (void)close(fd);
        return err_set_sys(err, err_from_source_errno(sys), sys, "cannot read folder '%s'",
                           walk->path.len == 0 ? walk->options.display : text_str(&walk->path));
    }
    *level =
        (struct level){.dir = dir, .path_len = walk->path.len, .dev = st.st_dev, .ino = st.st_ino};
    walk->depth++;
    return ERR_OK;
}

static void
cut(struct text *path, size_t len)
{
    path->len = len;
    if (path->bytes != NULL) {
        path->bytes[len] = '\0';
    }
}

/* A followed link that leads to a folder we are in would never end. */
static bool
is_loop(const struct walk *walk, const struct stat *st)
{
    for (unsigned i = 0; i < walk->depth; i++) {
        if (walk->levels[i].dev == st->st_dev && walk->levels[i].ino == st->st_ino) {
            return true;
        }
    }
    return false;
}

static void
fail_entry(struct walk *walk, struct entry *entry, enum err_code code, int sys, const char *words)
{
    entry->kind = ENTRY_FAILED;
    entry->name = text_str(&walk->path);
    if (sys != 0) {
        (void)err_set_sys(&entry->err, code, sys, "%s '%s'", words, entry->name);
    } else {
        (void)err_set(&entry->err, code, "'%s' %s", entry->name, words);
    }
}

static const char *
special_words(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO: return "is a named pipe, not a regular file";
    case S_IFSOCK: return "is a socket, not a regular file";
    case S_IFCHR: return "is a character device, not a regular file";
    case S_IFBLK: return "is a block device, not a regular file";
    case S_IFLNK: return "is a symbolic link, not a regular file";
    default: return "is not a regular file";
    }
}

static void
fill_item(struct walk *walk, const struct stat *st, struct entry *entry)
{
    entry->kind = ENTRY_ITEM;
    entry->name = text_str(&walk->path);
    entry->props = (struct blob_props){
        .size_bytes = (uint64_t)st->st_size,
        .original_bytes = (uint64_t)st->st_size,
        .mtime_ns = clock_from_timespec(&st->st_mtim),
        .modified_ns = clock_from_timespec(&st->st_mtim),
        .type = BLOB_TYPE_BLOCK,
    };
    if (walk->options.wants_etags) {
        local_etag(st, entry->props.etag);
    }
}

/* True if entry holds something to report; false: a folder was entered or left out. */
static bool
enter(struct walk *walk, int at, const char *name, const struct stat *st, struct entry *entry)
{
    if (walk->options.wants != NULL &&
        !walk->options.wants(walk->options.user, text_str(&walk->path))) {
        return false;
    }
    if (is_loop(walk, st)) {
        fail_entry(walk, entry, ERR_ITEM_SPECIAL, 0, "leads back to a folder that holds it");
        return true;
    }
    int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(at, name, flags | (walk->options.links == END_LINKS_FOLLOW ? 0 : O_NOFOLLOW));
    if (fd < 0) {
        int sys = errno == ENOTDIR || errno == ELOOP ? ENOENT : errno;
        fail_entry(walk, entry, err_from_source_errno(sys), sys, "cannot open folder");
        return true;
    }
    size_t name_end = walk->path.len;
    text_add_char(&walk->path, '/');
    struct err err = ERR_NONE;
    if (push(walk, fd, &err) != ERR_OK) {
        cut(&walk->path, name_end);
        entry->kind = ENTRY_FAILED;
        entry->name = text_str(&walk->path);
        entry->err = err;
        return true;
    }
    return false;
}

static bool
is_skipped(const struct walk *walk, const char *name)
{
    const struct walk_skip *skip = walk->options.skip;
    return skip != NULL && (walk->depth == 1 || !skip->is_at_top) && strcmp(name, skip->name) == 0;
}

static bool
look(struct walk *walk, const char *name, struct entry *entry)
{
    struct level *level = &walk->levels[walk->depth - 1];
    struct stat st;
    int at = dirfd(level->dir);
    level->had_entries = true;
    cut(&walk->path, level->path_len);
    text_add_str(&walk->path, name);
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        fail_entry(walk, entry, err_from_source_errno(errno), errno, "could not look at");
        return true;
    }
    if (S_ISLNK(st.st_mode) && walk->options.links == END_LINKS_FOLLOW &&
        fstatat(at, name, &st, 0) != 0) {
        fail_entry(walk, entry, ERR_ITEM_GONE, errno, "cannot follow the symbolic link");
        return true;
    }
    if (S_ISDIR(st.st_mode) && is_skipped(walk, name)) {
        fail_entry(walk, entry, ERR_NOT_DATA, 0, walk->options.skip->words);
        entry->kind = ENTRY_SKIPPED;
        return true;
    }
    if (S_ISDIR(st.st_mode)) {
        return enter(walk, at, name, &st, entry);
    }
    if (S_ISREG(st.st_mode)) {
        fill_item(walk, &st, entry);
        return true;
    }
    fail_entry(walk, entry, ERR_ITEM_SPECIAL, 0, special_words(st.st_mode));
    if (S_ISLNK(st.st_mode) && walk->options.links == END_LINKS_SKIP) {
        entry->kind = ENTRY_SKIPPED;
    }
    return true;
}

static bool
is_itself_or_above(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The folder at hand is read to its end. True if that is worth an entry. */
static bool
leave(struct walk *walk, int sys, struct entry *entry)
{
    struct level *level = &walk->levels[walk->depth - 1];
    bool was_empty = !level->had_entries;
    cut(&walk->path, level->path_len > 0 ? level->path_len - 1 : 0);
    (void)closedir(level->dir);
    walk->depth--;
    if (sys != 0) {
        fail_entry(walk, entry, err_from_source_errno(sys), sys, "could not read folder");
        return true;
    }
    entry->kind = ENTRY_FOLDER;
    entry->name = text_str(&walk->path);
    return was_empty && walk->depth > 0;
}

static enum err_code
walk_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    struct walk *walk = CONTAINER_OF(lister, struct walk, lister);
    *ret_more = true;
    while (walk->depth > 0) {
        errno = 0;
        const struct dirent *dirent =
            readdir(walk->levels[walk->depth - 1].dir); // NOLINT(concurrency-mt-unsafe)
        *entry = (struct entry){0};
        if (dirent == NULL) {
            if (leave(walk, errno, entry)) {
                return ERR_OK;
            }
        } else if (!is_itself_or_above(dirent->d_name) && look(walk, dirent->d_name, entry)) {
            return ERR_OK;
        }
        if (walk->path.is_broken) {
            return err_set(err, ERR_SYSTEM, "no memory for a path in '%s'", walk->options.display);
        }
    }
    *ret_more = false;
    return ERR_OK;
}

static struct lister *
walk_close(struct lister *lister)
{
    struct walk *walk = CONTAINER_OF(lister, struct walk, lister);
    while (walk->depth > 0) {
        (void)closedir(walk->levels[--walk->depth].dir);
    }
    text_done(&walk->path);
    mem_give(walk->levels);
    return mem_give(walk);
}

static const struct lister_ops walk_ops = {.next = walk_next, .close = walk_close};

enum err_code
walk_new(int root, const struct walk_options *options, struct lister **ret_lister, struct err *err)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_sys(err, err_from_source_errno(errno), errno, "cannot read folder '%s'",
                           options->display);
    }
    struct walk *walk = mem_take(sizeof *walk);
    *walk = (struct walk){.lister = {.ops = &walk_ops}, .options = *options};
    enum err_code code = push(walk, fd, err);
    if (code != ERR_OK) {
        walk_close(&walk->lister);
        return code;
    }
    *ret_lister = &walk->lister;
    return ERR_OK;
}
