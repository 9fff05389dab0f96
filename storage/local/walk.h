/*
 * storage/local/walk.h - a lister over a folder tree.
 *
 *   shape    depth first; open folders are bounded by the depth, names by one buffer per open
 * folder thread   one errors   what cannot be entered or stored is an entry of its own; only a root
 * that cannot be read ends the walk
 */
#ifndef STORAGE_LOCAL_WALK_H
#define STORAGE_LOCAL_WALK_H

#include "storage/backend.h"

/* root stays the caller's. What is called skip_name at the top is left out (NULL: nothing). */
MUST_USE enum err_code walk_new(int root, const char *display, enum end_links links,
                                const char *skip_name, end_wants_fn *wants, void *user,
                                struct lister **ret_lister, struct err *err);

#endif
