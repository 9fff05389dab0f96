/*
 * storage/local/store.h - the local blob store: file:DIR/ACCOUNT[/CONTAINER[/PREFIX]].
 *
 * Each blob is a plain file DIR/ACCOUNT/CONTAINER/NAME; its properties are a row in
 * DIR/.sallyport/blobs.db. A name that no file can have lies under DIR/.sallyport/by-id/.
 *
 *   errors   ERR_USAGE: an address without account
 */
#ifndef STORAGE_LOCAL_STORE_H
#define STORAGE_LOCAL_STORE_H

#include "storage/backend.h"

MUST_USE enum err_code store_end_open(const char *address, const struct end_options *options,
                                      struct end **ret_end, struct err *err);

#endif
