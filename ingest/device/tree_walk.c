#include "ingest/device/tree_walk.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fd.h"
#include "storage/local/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DIRENT_BYTES   ((size_t)128 << 10)
#define FOLDER_FLAGS   (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define FOLDER_RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* A folder that was or is being read. It stays until its last sub-folder is done. */
struct node {
    struct node *parent;
    struct node *below; /* in the stack */
    unsigned users;     /* the stack, threads, and children */
    unsigned depth;
    dev_t dev;
    ino_t ino;
    void *tag;
    char *folders; /* names of sub-folders not yet taken, each with its NUL */
    size_t folders_len, folders_room, folders_at;
    char name[];
};

struct walk {
    int root;
    const struct tree_options *options;
    const struct tree_events *events;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct node *top;     /* of the stack: folders with sub-folders to read */
    unsigned busy;        /* threads that read a folder */
    atomic_bool is_ended; /* stop, whatever is left */
    struct err err;       /* why */
};

struct reader {
    struct walk *walk;
    unsigned thread;
    /* The folder whose sub-folders are being read stays open; path is its path. */
    struct node *parent;
    int parent_fd;
    size_t parent_len;
    struct text path;
    char dirents[DIRENT_BYTES] __attribute__((aligned(16)));
};

static struct node *
node_new(struct node *parent, const char *name)
{
    size_t len = strlen(name);
    struct node *node = mem_take(sizeof *node + len + 1);
    memcpy(node->name, name, len);
    node->parent = parent;
    node->users = 1;
    node->depth = parent == NULL ? 0 : parent->depth + 1;
    return node;
}

/* With the mutex held. */
static void
node_put(struct node *node)
{
    while (node != NULL && --node->users == 0) {
        struct node *parent = node->parent;
        mem_give(node->folders);
        mem_give(node);
        node = parent;
    }
}

static void
node_add_folder(struct node *node, const char *name)
{
    size_t len = strlen(name) + 1;
    if (node->folders_len + len > node->folders_room) {
        size_t room = MAX_OF(node->folders_room * 2, len + 240);
        node->folders = mem_resize(node->folders, node->folders_room, room);
        node->folders_room = room;
    }
    memcpy(node->folders + node->folders_len, name, len);
    node->folders_len += len;
}

static void
end_walk(struct walk *walk, const struct err *err)
{
    (void)pthread_mutex_lock(&walk->mutex);
    if (!atomic_load(&walk->is_ended)) {
        walk->err = *err;
        atomic_store(&walk->is_ended, true);
    }
    (void)pthread_cond_broadcast(&walk->changed);
    (void)pthread_mutex_unlock(&walk->mutex);
}

static bool
must_stop(struct reader *reader)
{
    struct walk *walk = reader->walk;
    if (walk->options->signal != NULL &&
        atomic_load_explicit(walk->options->signal, memory_order_relaxed) != 0) {
        struct err err = ERR_NONE;
        (void)err_set(&err, ERR_INTERRUPTED, "stopped by a signal");
        end_walk(walk, &err);
    }
    return atomic_load_explicit(&walk->is_ended, memory_order_relaxed);
}

static void
path_cut(struct text *path, size_t len)
{
    if (path->bytes != NULL) {
        path->len = len;
        path->bytes[len] = '\0';
    }
}

/* path becomes prefix of prefix_len, then name. */
static void
path_set(struct text *path, size_t prefix_len, const char *name)
{
    path_cut(path, prefix_len);
    if (prefix_len > 0) {
        text_add_char(path, '/');
    }
    text_add_str(path, name);
}

static struct tree_entry
entry_at(const struct reader *reader, const struct node *in, const char *name)
{
    return (struct tree_entry){
        .path = text_str(&reader->path),
        .path_len = reader->path.len,
        .name = text_str(&reader->path) + reader->path.len - strlen(name),
        .folder = -1,
        .depth = in == NULL ? 0 : in->depth + 1,
        .tag = in == NULL ? NULL : in->tag,
    };
}

static void
tell(struct reader *reader, struct tree_entry *entry, enum entry_what what, int sys)
{
    entry->what = what;
    entry->sys = sys;
    reader->walk->events->entry(reader->walk->events->user, reader->thread, entry);
}

/* What an entry is, and of files how large and how old. */
static void
look_at(struct reader *reader, struct node *node, int fd, size_t folder_len,
        const struct dirent64 *dirent)
{
    struct statx st = {0};
    const char *name = dirent->d_name;
    unsigned type = dirent->d_type;
    path_set(&reader->path, folder_len, name);
    struct tree_entry entry = entry_at(reader, node, name);
    entry.folder = fd;
    if (type == DT_REG || type == DT_UNKNOWN) {
        if (statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
                  STATX_TYPE | STATX_SIZE | STATX_MTIME, &st) != 0) {
            if (errno != ENOENT) {
                tell(reader, &entry, WHAT_UNREADABLE, errno);
            }
            return;
        }
        type = S_ISREG(st.stx_mode) ? DT_REG : S_ISDIR(st.stx_mode) ? DT_DIR : DT_LNK;
    }
    if (type == DT_DIR) {
        node_add_folder(node, name);
        if (reader->walk->events->child != NULL) {
            entry.what = WHAT_FOLDER;
            reader->walk->events->child(reader->walk->events->user, reader->thread, &entry);
        }
        return;
    }
    if (type == DT_REG) {
        struct timespec mtime = {.tv_sec = st.stx_mtime.tv_sec, .tv_nsec = st.stx_mtime.tv_nsec};
        entry.size_bytes = st.stx_size;
        entry.mtime_ns = clock_from_timespec(&mtime);
    }
    tell(reader, &entry, type == DT_REG ? WHAT_FILE : WHAT_SPECIAL, 0);
}

/* All entries of the open folder; path is the folder's. */
static void
read_entries(struct reader *reader, struct node *node, int fd, const char *name)
{
    size_t folder_len = reader->path.len;
    uint64_t entries = 0;
    long got = 0;
    while (!must_stop(reader) &&
           (got = syscall(SYS_getdents64, fd, reader->dirents, DIRENT_BYTES)) > 0) {
        for (long at = 0; at < got && !must_stop(reader);) {
            const struct dirent64 *dirent = (const void *)(reader->dirents + at);
            const char *entry_name = dirent->d_name;
            at += dirent->d_reclen;
            if (strcmp(entry_name, ".") != 0 && strcmp(entry_name, "..") != 0) {
                entries++;
                look_at(reader, node, fd, folder_len, dirent);
            }
        }
    }
    int sys = errno;
    path_cut(&reader->path, folder_len);
    struct tree_entry folder = entry_at(reader, node->parent, name);
    if (got < 0) {
        tell(reader, &folder, WHAT_UNREADABLE, sys);
    } else if (!atomic_load(&reader->walk->is_ended)) {
        folder.what = WHAT_FOLDER;
        folder.tag = node->tag;
        reader->walk->events->read(reader->walk->events->user, reader->thread, &folder, entries);
    }
}

static bool
is_loop(const struct node *node)
{
    for (const struct node *up = node->parent; up != NULL; up = up->parent) {
        if (up->dev == node->dev && up->ino == node->ino) {
            return true;
        }
    }
    return false;
}

/* Fill in which inode this is. 0 or an errno. */
static int
identify(struct node *node, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return errno;
    }
    node->dev = st.st_dev;
    node->ino = st.st_ino;
    return is_loop(node) ? ELOOP : 0;
}

/* The folder's sub-folders are read from the one that stays open. Takes fd and the caller's use. */
static void
keep_open(struct reader *reader, struct node *node, int fd)
{
    struct node *old = reader->parent;
    fd_close(&reader->parent_fd);
    reader->parent_fd = fd;
    reader->parent = node;
    reader->parent_len = reader->path.len;
    (void)pthread_mutex_lock(&reader->walk->mutex);
    node_put(old);
    (void)pthread_mutex_unlock(&reader->walk->mutex);
}

/* Read the folder; the caller's use of node is given up. */
static void
read_folder(struct reader *reader, struct node *node, int at, const char *name)
{
    struct walk *walk = reader->walk;
    struct tree_entry folder = entry_at(reader, node->parent, name);
    folder.what = WHAT_FOLDER;
    void *tag = folder.tag;
    AUTO_FD fd = -1;
    if (node->parent == NULL ||
        walk->events->folder(walk->events->user, reader->thread, &folder, &tag)) {
        node->tag = tag;
        fd = openat(at, name[0] == '\0' ? "." : name, FOLDER_FLAGS);
        int sys = fd < 0 ? errno : identify(node, fd);
        sys = sys == 0 && reader->path.len > TREE_PATH_BYTES_MAX ? ENAMETOOLONG : sys;
        if (sys == 0) {
            read_entries(reader, node, fd, name);
        } else if (fd < 0 && (sys == ENOTDIR || sys == ELOOP)) {
            tell(reader, &folder, WHAT_SPECIAL, sys); /* was a folder a moment ago */
        } else if (sys != ENOENT) {
            tell(reader, &folder, WHAT_UNREADABLE, sys);
        }
    }
    bool has_folders = node->folders_len > 0;
    if (has_folders) {
        (void)pthread_mutex_lock(&walk->mutex);
        node->users++;
        node->below = walk->top;
        walk->top = node;
        (void)pthread_cond_broadcast(&walk->changed);
        (void)pthread_mutex_unlock(&walk->mutex);
        keep_open(reader, node, fd_take(&fd));
        return;
    }
    (void)pthread_mutex_lock(&walk->mutex);
    node_put(node);
    (void)pthread_mutex_unlock(&walk->mutex);
}

static void
add_path(const struct node *node, struct text *path)
{
    /* From the leaf up, then turned: the chain knows its parents only. */
    size_t len = 0;
    for (const struct node *at = node; at->parent != NULL; at = at->parent) {
        len += strlen(at->name) + 1;
    }
    text_clear(path);
    if (len == 0) {
        return;
    }
    char *bytes = mem_take(len);
    size_t end = len - 1;
    for (const struct node *at = node; at->parent != NULL; at = at->parent) {
        size_t name_len = strlen(at->name);
        end -= name_len;
        memcpy(bytes + end, at->name, name_len);
        if (end > 0) {
            bytes[--end] = '/';
        }
    }
    text_add(path, bytes, len - 1);
    mem_give(bytes);
}

/* Have parent open, by its path if it is not the one that stayed open. 0 or an errno. */
static int
open_parent(struct reader *reader, struct node *parent)
{
    struct stat st;
    if (reader->parent == parent) {
        path_cut(&reader->path, reader->parent_len);
        return 0;
    }
    add_path(parent, &reader->path);
    const char *path = reader->path.len == 0 ? "." : text_str(&reader->path);
    int fd = places_open(reader->walk->root, path, FOLDER_FLAGS, FOLDER_RESOLVE);
    if (fd < 0) {
        return -fd;
    }
    if (fstat(fd, &st) != 0 || st.st_dev != parent->dev || st.st_ino != parent->ino) {
        (void)close(fd);
        return ENOENT; /* moved away since it was read */
    }
    (void)pthread_mutex_lock(&reader->walk->mutex);
    parent->users++;
    (void)pthread_mutex_unlock(&reader->walk->mutex);
    keep_open(reader, parent, fd);
    return 0;
}

/* The next folder to read, as a node whose parent holds it; NULL: the tree is read. */
static struct node *
take_folder(struct walk *walk)
{
    struct node *node = NULL;
    (void)pthread_mutex_lock(&walk->mutex);
    while (walk->top == NULL && walk->busy > 0 && !atomic_load(&walk->is_ended)) {
        (void)pthread_cond_wait(&walk->changed, &walk->mutex);
    }
    struct node *parent = walk->top;
    if (parent != NULL && !atomic_load(&walk->is_ended)) {
        const char *name = parent->folders + parent->folders_at;
        node = node_new(parent, name);
        parent->users++;
        parent->folders_at += strlen(name) + 1;
        walk->busy++;
        if (parent->folders_at == parent->folders_len) {
            walk->top = parent->below;
            node_put(parent);
        }
    }
    (void)pthread_mutex_unlock(&walk->mutex);
    return node;
}

static void
folder_done(struct walk *walk)
{
    (void)pthread_mutex_lock(&walk->mutex);
    walk->busy--;
    if (walk->busy == 0) {
        (void)pthread_cond_broadcast(&walk->changed);
    }
    (void)pthread_mutex_unlock(&walk->mutex);
}

static void *
run_reader(void *reader_)
{
    struct reader *reader = reader_;
    struct walk *walk = reader->walk;
    for (struct node *node; (node = take_folder(walk)) != NULL; folder_done(walk)) {
        int sys = open_parent(reader, node->parent);
        if (sys == 0) {
            path_set(&reader->path, reader->parent_len, node->name);
            read_folder(reader, node, reader->parent_fd, node->name);
            continue;
        }
        /* The parent was read, yet it cannot be opened again: so neither can this. */
        path_set(&reader->path, reader->path.len, node->name);
        struct tree_entry folder = entry_at(reader, node->parent, node->name);
        tell(reader, &folder, WHAT_UNREADABLE, sys);
        (void)pthread_mutex_lock(&walk->mutex);
        node_put(node);
        (void)pthread_mutex_unlock(&walk->mutex);
    }
    return NULL;
}

static void
reader_done(struct reader *reader)
{
    fd_close(&reader->parent_fd);
    text_done(&reader->path);
    (void)pthread_mutex_lock(&reader->walk->mutex);
    node_put(reader->parent);
    (void)pthread_mutex_unlock(&reader->walk->mutex);
}

/* What an ended walk has left. */
static void
drop_stack(struct walk *walk)
{
    while (walk->top != NULL) {
        struct node *node = walk->top;
        walk->top = node->below;
        node_put(node);
    }
}

static void
run_threads(struct walk *walk, struct reader *readers, unsigned count)
{
    pthread_t threads[TREE_THREADS_MAX];
    unsigned started = 1;
    while (started < count &&
           pthread_create(&threads[started], NULL, run_reader, &readers[started]) == 0) {
        started++;
    }
    run_reader(&readers[0]);
    for (unsigned i = 1; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        reader_done(&readers[i]);
    }
    drop_stack(walk);
}

enum err_code
tree_walk(int root, const struct tree_options *options, const struct tree_events *events,
          struct err *err)
{
    struct walk walk = {.root = root,
                        .options = options,
                        .events = events,
                        .mutex = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    ASSERT(options->threads >= 1);
    ASSERT(options->threads <= TREE_THREADS_MAX);
    AUTO_FD again = openat(root, ".", FOLDER_FLAGS);
    if (again < 0) {
        return err_set_sys(err, err_from_source_errno(errno), errno, "cannot read the folder");
    }
    struct reader *readers = mem_take(options->threads * sizeof *readers);
    for (unsigned i = 0; i < options->threads; i++) {
        readers[i].walk = &walk;
        readers[i].thread = i;
        readers[i].parent_fd = -1;
    }
    read_folder(&readers[0], node_new(NULL, ""), root, "");
    run_threads(&walk, readers, options->threads);
    mem_give(readers);
    if (atomic_load(&walk.is_ended)) {
        *err = walk.err;
        return err->code;
    }
    return ERR_OK;
}

int
tree_open_file(int folder, const char *name)
{
    struct stat st;
    /* Looked at first, so that a device is not even opened; and again, because it may be swapped.
     */
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -ENXIO;
    }
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ELOOP ? -ENXIO : -errno;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return -ENXIO;
    }
    return fd;
}
