/*
 * storage/local/tree.h - a plain folder as an end.
 *
 *   errors   ERR_STORE_GONE: a source that is not there; ERR_STORE_READ_ONLY: a target without
 *            permission
 */
#ifndef STORAGE_LOCAL_TREE_H
#define STORAGE_LOCAL_TREE_H

#include "storage/backend.h"

MUST_USE enum err_code tree_end_open(const char *address, const struct end_options *options,
                                     struct end **ret_end, struct err *err);

#endif
