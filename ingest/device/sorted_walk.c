#include "ingest/device/sorted_walk.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_STEP   32U
#define NAMES_STEP   ((size_t)4 * 1024)
#define LISTED_BYTES ((size_t)64 * 1024)

/* Names of one folder, each behind a byte that is its d_type. */
struct names {
    char *bytes;
    size_t len;
    size_t room;
    uint32_t *at; /* of each name in bytes; sorted once all are there */
    size_t count;
    size_t at_room;
};

struct level {
    struct sorted_folder *folder;
    struct names names;
    size_t next;     /* of names */
    bool is_whole;   /* there are no names behind these */
    char *after;     /* where names begin; NULL: with the first */
    size_t path_len; /* of the folder, with its slash */
    struct stat st;  /* when it was opened */
};

struct sorted_walk {
    struct sorted_options options;
    struct level *levels;
    unsigned depth;
    unsigned room;
    struct text path;
    size_t names_bytes; /* of all levels */
    char *listed;       /* what the kernel told of a folder, as it came */
};

/* ---- Folders that others have, too ---- */

struct sorted_folder *
sorted_folder_get(struct sorted_folder *folder)
{
    atomic_fetch_add_explicit(&folder->refs, 1, memory_order_relaxed);
    return folder;
}

struct sorted_folder *
sorted_folder_put(struct sorted_folder *folder)
{
    if (folder != NULL && atomic_fetch_sub_explicit(&folder->refs, 1, memory_order_acq_rel) == 1) {
        (void)close(folder->fd);
        mem_give(folder);
    }
    return NULL;
}

/* ---- Names ---- */

static size_t
names_bytes(const struct names *names)
{
    return names->room + names->at_room * sizeof *names->at;
}

static void
names_done(struct names *names)
{
    mem_give(names->bytes);
    mem_give(names->at);
    *names = (struct names){0};
}

static void
names_add(struct names *names, unsigned char type, const char *name)
{
    size_t len = strlen(name) + 1;
    if (names->len + 1 + len > names->room) {
        size_t room = MAX_OF(names->room * 2, NAMES_STEP + len);
        names->bytes = mem_resize(names->bytes, names->room, room);
        names->room = room;
    }
    if (names->count == names->at_room) {
        size_t room = MAX_OF(names->at_room * 2, NAMES_STEP / 16);
        names->at =
            mem_resize(names->at, names->at_room * sizeof *names->at, room * sizeof *names->at);
        names->at_room = room;
    }
    ASSERT(names->bytes != NULL);
    names->bytes[names->len] = (char)type;
    memcpy(names->bytes + names->len + 1, name, len);
    names->at[names->count++] = (uint32_t)names->len + 1;
    names->len += 1 + len;
}

static const char *
names_get(const struct names *names, size_t index)
{
    return names->bytes + names->at[index];
}

static int
compare(const void *a, const void *b, void *bytes)
{
    const char *names = bytes;
    return strcmp(names + *(const uint32_t *)a, names + *(const uint32_t *)b);
}

static void
names_sort(struct names *names)
{
    if (names->count > 1) {
        qsort_r(names->at, names->count, sizeof *names->at, compare, names->bytes);
    }
}

/* Keep the smaller half. The first name that is dropped is given back: no later one belongs here.
 */
static char *
names_halve(struct names *names)
{
    struct names half = {0};
    names_sort(names);
    for (size_t i = 0; i < names->count / 2; i++) {
        const char *name = names_get(names, i);
        names_add(&half, (unsigned char)name[-1], name);
    }
    char *bound = mem_text(names_get(names, names->count / 2));
    names_done(names);
    *names = half;
    return bound;
}

static bool
is_interrupted(const struct sorted_walk *walk)
{
    return walk->options.signal != NULL &&
           atomic_load_explicit(walk->options.signal, memory_order_relaxed) != 0;
}

/* Take the names of one answer of the kernel. */
static void
take_listed(const struct sorted_walk *walk, ssize_t len, struct level *level, char **bound)
{
    for (ssize_t i = 0; i < len;) {
        const struct dirent64 *entry = (const struct dirent64 *)(const void *)(walk->listed + i);
        const char *name = entry->d_name;
        i += entry->d_reclen;
        bool is_dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        if (is_dots || (level->after != NULL && strcmp(name, level->after) <= 0)) {
            continue;
        }
        if (*bound != NULL && strcmp(name, *bound) >= 0) {
            continue;
        }
        names_add(&level->names, entry->d_type, name);
        /* Half of the room is what is used of it for certain, as it doubles. */
        if (level->names.count > 1 && level->names.len + level->names.count * sizeof(uint32_t) >
                                          walk->options.names_bytes_max) {
            mem_give(*bound);
            *bound = names_halve(&level->names);
        }
    }
}

/* Read the folder for the names behind `after`. 0 or an errno. */
static int
load(struct sorted_walk *walk, struct level *level)
{
    char *bound = NULL;
    int fd = level->folder->fd;
    ssize_t len = lseek(fd, 0, SEEK_SET) == 0 ? 1 : -1;
    ASSERT(level->names.count == 0);
    while (len > 0 && !is_interrupted(walk)) {
        len = getdents64(fd, walk->listed, LISTED_BYTES);
        if (len > 0) {
            take_listed(walk, len, level, &bound);
        }
    }
    int sys = len < 0 ? errno : 0;
    names_sort(&level->names);
    level->next = 0;
    level->is_whole = bound == NULL;
    walk->names_bytes += names_bytes(&level->names);
    mem_give(bound);
    return sys;
}

/* Forget the names of a level; those not told yet are read again. */
static void
forget(struct sorted_walk *walk, struct level *level)
{
    if (level->next > 0) {
        mem_give(level->after);
        level->after = mem_text(names_get(&level->names, level->next - 1));
    }
    level->is_whole = level->is_whole && level->next == level->names.count;
    level->next = 0;
    walk->names_bytes -= names_bytes(&level->names);
    names_done(&level->names);
}

/* ---- Levels ---- */

static void
cut(struct text *path, size_t len)
{
    path->len = len;
    if (path->bytes != NULL) {
        path->bytes[len] = '\0';
    }
}

static void
pop(struct sorted_walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];
    walk->names_bytes -= names_bytes(&level->names);
    names_done(&level->names);
    mem_give(level->after);
    sorted_folder_put(level->folder);
}

/* fd is taken. 0 or an errno. */
static int
push(struct sorted_walk *walk, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int sys = errno;
        (void)close(fd);
        return sys;
    }
    if (walk->depth == walk->room) {
        unsigned room = walk->room + DEPTH_STEP;
        walk->levels = mem_resize(walk->levels, walk->room * sizeof *walk->levels,
                                  room * sizeof *walk->levels);
        walk->room = room;
    }
    for (unsigned i = 0; i < walk->depth && walk->names_bytes > walk->options.names_bytes_max;
         i++) {
        forget(walk, &walk->levels[i]);
    }
    struct sorted_folder *folder = mem_take(sizeof *folder);
    folder->fd = fd;
    atomic_init(&folder->refs, 1);
    walk->levels[walk->depth++] =
        (struct level){.folder = folder, .path_len = walk->path.len, .st = st};
    return 0;
}

/* ---- Entries ---- */

static void
tell(struct sorted_walk *walk, enum sorted_kind kind, struct sorted_entry *entry)
{
    struct level *level = &walk->levels[walk->depth - 1];
    *entry = (struct sorted_entry){.kind = kind,
                                   .path = text_str(&walk->path),
                                   .path_len = walk->path.len,
                                   .name_at = MIN_OF(level->path_len, walk->path.len),
                                   .folder = level->folder};
}

static bool
tell_failed(struct sorted_walk *walk, enum err_code code, int sys, const char *words,
            struct sorted_entry *entry)
{
    tell(walk, code == ERR_ITEM_SPECIAL ? SORTED_SPECIAL : SORTED_FAILED, entry);
    entry->code = code;
    entry->sys = sys;
    entry->words = words;
    return true;
}

/* The folder at hand is at its end. True: it is worth an entry. */
static bool
leave(struct sorted_walk *walk, int failed, struct sorted_entry *entry)
{
    struct level *level = &walk->levels[walk->depth - 1];
    struct stat now;
    cut(&walk->path, level->path_len > 0 ? level->path_len - 1 : 0);
    bool has_changed =
        !walk->options.is_flat && failed == 0 && !is_interrupted(walk) &&
        (fstat(level->folder->fd, &now) != 0 || !sorted_is_unchanged(&level->st, &now));
    bool is_told = true;
    if (failed != 0) {
        (void)tell_failed(walk, err_from_source_errno(failed), failed, "could not read folder",
                          entry);
    } else if (has_changed) {
        (void)tell_failed(walk, ERR_ITEM_CHANGED, 0, "changed while it was listed", entry);
    } else {
        is_told = false;
    }
    entry->folder = NULL;
    pop(walk);
    return is_told;
}

/* True: entry tells why it was not entered. */
static bool
enter(struct sorted_walk *walk, int at, const char *name, struct sorted_entry *entry)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return tell_failed(walk, err_from_source_errno(errno), errno, "could not open folder",
                           entry);
    }
    size_t name_end = walk->path.len;
    text_add_char(&walk->path, '/');
    int sys = push(walk, fd);
    if (sys != 0) {
        cut(&walk->path, name_end);
        return tell_failed(walk, err_from_source_errno(sys), sys, "could not look at folder",
                           entry);
    }
    const struct stat *st = &walk->levels[walk->depth - 1].st;
    if (walk->options.avoid_ino != NULL && st->st_ino == *walk->options.avoid_ino &&
        st->st_dev == *walk->options.avoid_dev) {
        pop(walk);
        cut(&walk->path, name_end);
        return tell_failed(walk, ERR_USAGE, 0, "is where the manifests go; they cannot list it",
                           entry);
    }
    return false;
}

static const char *
special_words(unsigned char type)
{
    switch (type) {
    case DT_LNK: return "is a symbolic link, not a regular file";
    case DT_FIFO: return "is a named pipe, not a regular file";
    case DT_SOCK: return "is a socket, not a regular file";
    case DT_CHR: return "is a character device, not a regular file";
    case DT_BLK: return "is a block device, not a regular file";
    default: return "is not a regular file";
    }
}

/* The next name of the level at hand. True: entry tells something. */
static bool
look(struct sorted_walk *walk, struct sorted_entry *entry)
{
    struct level *level = &walk->levels[walk->depth - 1];
    int at = level->folder->fd;
    const char *name = names_get(&level->names, level->next++);
    unsigned char type = (unsigned char)name[-1];
    cut(&walk->path, level->path_len);
    text_add_str(&walk->path, name);
    if (walk->path.len > SORTED_PATH_BYTES_MAX) {
        return tell_failed(walk, ERR_NAME_ILLEGAL, 0, "has a path longer than 8192 bytes", entry);
    }
    if (type == DT_UNKNOWN) {
        struct stat st;
        if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            return tell_failed(walk, err_from_source_errno(errno), errno, "could not look at",
                               entry);
        }
        type = IFTODT(st.st_mode);
    }
    if (type == DT_DIR && !walk->options.is_flat) {
        return enter(walk, at, text_str(&walk->path) + level->path_len, entry);
    }
    if (type != DT_DIR && type != DT_REG) {
        return tell_failed(walk, ERR_ITEM_SPECIAL, 0, special_words(type), entry);
    }
    tell(walk, type == DT_DIR ? SORTED_FOLDER : SORTED_FILE, entry);
    return true;
}

bool
sorted_walk_next(struct sorted_walk *walk, struct sorted_entry *entry)
{
    while (walk->depth > 0 && !is_interrupted(walk)) {
        struct level *level = &walk->levels[walk->depth - 1];
        bool is_told = false;
        if (level->next < level->names.count) {
            is_told = look(walk, entry);
        } else if (level->is_whole) {
            is_told = leave(walk, 0, entry);
        } else {
            forget(walk, level);
            int sys = load(walk, level);
            is_told = sys != 0 && leave(walk, sys, entry);
        }
        if (is_told) {
            return true;
        }
    }
    return false;
}

enum err_code
sorted_walk_new(int root, const struct sorted_options *options, struct sorted_walk **ret_walk,
                struct err *err)
{
    struct sorted_walk *walk = mem_take(sizeof *walk);
    walk->options = *options;
    walk->listed = mem_take(LISTED_BYTES);
    if (options->names_bytes_max == 0) {
        walk->options.names_bytes_max = SORTED_NAMES_BYTES_MAX;
    }
    int sys = push(walk, root);
    if (sys != 0) {
        sorted_walk_free(walk);
        return err_set_sys(err, err_from_source_errno(sys), sys, "could not look at a folder");
    }
    *ret_walk = walk;
    return ERR_OK;
}

struct sorted_walk *
sorted_walk_free(struct sorted_walk *walk)
{
    while (walk != NULL && walk->depth > 0) {
        pop(walk);
    }
    if (walk != NULL) {
        text_done(&walk->path);
        mem_give(walk->levels);
        mem_give(walk->listed);
    }
    return mem_give(walk);
}
