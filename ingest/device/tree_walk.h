/*
 * ingest/device/tree_walk.h - every entry of a hostile tree, once, on several threads, without
 * opening a file.
 *
 * Folders are what threads share: one pops a folder from a common stack, reads it whole, and pushes
 * its sub-folders. A folder is opened from its parent without following links, and a parent that
 * has to be opened again must still be the same inode; so what is swapped or moved meanwhile leads
 * to "unreadable", never out of the tree.
 *
 *   shape    memory grows with the depth and the sub-folders not yet read (their names), not with
 *            the files; paths up to TREE_PATH_BYTES_MAX, deeper folders are told as unreadable
 *   owner    paths live until the event returns
 *   thread   tree_walk() blocks. Events come on its threads: those of one folder on one thread and
 *            in order (folder, its entries and children, read), after those of its parent
 *   errors   ERR_ITEM_*: the root itself cannot be read; ERR_INTERRUPTED by the signal; all else is
 *            an entry
 */
#ifndef INGEST_DEVICE_TREE_WALK_H
#define INGEST_DEVICE_TREE_WALK_H

#include "base/err.h"
#include "ingest/device/judge.h"

#include <stdatomic.h>

#define TREE_PATH_BYTES_MAX ((size_t)4 << 20)
#define TREE_THREADS_MAX    8U

struct tree_entry {
    const char *path; /* relative to the root; "" is the root itself */
    size_t path_len;
    const char *name; /* the last component, within path */
    enum entry_what what;
    uint64_t size_bytes; /* files */
    int64_t mtime_ns;    /* files */
    int folder;          /* descriptor of the folder that holds it; -1 for folders */
    int sys;             /* UNREADABLE: errno */
    unsigned depth;      /* 1: an entry of the root */
    void *tag;           /* of the folder that holds it */
};

struct tree_events {
    void *user;
    /* A folder is about to be opened: false leaves it out. *tag is its parent's (the root's: NULL)
     * and becomes its own. */
    bool (*folder)(void *user, unsigned thread, const struct tree_entry *folder, void **tag);
    /* A sub-folder of the folder that is being read; its `folder` event comes later. May be NULL.
     */
    void (*child)(void *user, unsigned thread, const struct tree_entry *child);
    /* A file, a special file, or what cannot be read (folders too, after their `folder` event). */
    void (*entry)(void *user, unsigned thread, const struct tree_entry *entry);
    /* The folder was read to its end and had so many entries. */
    void (*read)(void *user, unsigned thread, const struct tree_entry *folder, uint64_t entries);
};

struct tree_options {
    unsigned threads;         /* 1 to TREE_THREADS_MAX */
    const atomic_int *signal; /* not 0: stop; NULL: never */
};

/* root: the tree's folder, borrowed. */
MUST_USE enum err_code tree_walk(int root, const struct tree_options *options,
                                 const struct tree_events *events, struct err *err);

/* Open a file of the tree for reading, without following links and without waiting for whoever
 * holds the other end of a pipe. Negative errno; -ENXIO: it is no regular file. */
int tree_open_file(int folder, const char *name);

#endif
