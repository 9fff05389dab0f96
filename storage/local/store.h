/*
 * storage/local/store.h - the local blob store: file:DIR/ACCOUNT[/CONTAINER[/PREFIX]].
 *
 * Each blob is a plain file DIR/ACCOUNT/CONTAINER/NAME; its properties are a row in
 * DIR/.sallyport/blobs.db. A name that no file can have lies under DIR/.sallyport/by-id/. An end
 * below which no file can lie at all (a prefix with an empty part, or with a blob's name as a part)
 * has no root, and everything in it is under by-id.
 *
 *   errors   ERR_USAGE: an address without account, a file where an account or a container belongs,
 *            a target that is a blob; ERR_STORE_GONE: a source whose container is not there
 */
#ifndef STORAGE_LOCAL_STORE_H
#define STORAGE_LOCAL_STORE_H

#include "storage/backend.h"

struct local_end;

MUST_USE enum err_code store_end_open(const char *address, const struct end_options *options,
                                      struct end **ret_end, struct err *err);

/* ---- for local.c ---- */
bool store_has_container(const struct local_end *end);
bool store_has_by_id(const struct local_end *end);
/* Before anything is made: may items be stored below this name, and as files? */
MUST_USE enum err_code store_look_at_target(struct local_end *end, struct err *err);

#endif
