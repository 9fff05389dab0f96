/*
 * storage/local/walk.h - a lister over a folder tree.
 *
 *   shape    depth first; open folders are bounded by the depth, names by one buffer per open
 *            folder
 *   thread   one
 *   errors   what cannot be entered or stored is an entry of its own; only a root that cannot be
 *            read ends the walk
 */
#ifndef STORAGE_LOCAL_WALK_H
#define STORAGE_LOCAL_WALK_H

#include "storage/backend.h"

/* A folder that is told of as skipped, and not entered. */
struct walk_skip {
    const char *name;
    bool is_at_top;    /* only there */
    const char *words; /* why, after its name */
};

struct walk_options {
    const char *display;          /* of the root, for messages */
    const struct walk_skip *skip; /* NULL: nothing */
    bool wants_etags;             /* local_etag() of each item */
    enum end_links links;
    end_wants_fn *wants; /* NULL: all */
    void *user;
};

/* root stays the caller's; the options' texts are borrowed until the lister is closed. */
MUST_USE enum err_code walk_new(int root, const struct walk_options *options,
                                struct lister **ret_lister, struct err *err);

#endif
