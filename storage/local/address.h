/*
 * storage/local/address.h - what "file:DIR/ACCOUNT[/CONTAINER[/PREFIX]]" means.
 *
 * The hardest thing: one place has many spellings, and state, locks and keys are found by what the
 * address means. DIR is therefore resolved, and so are links below it as long as they stay below
 * it. Names of blobs that a path cannot have ("a//b", "..") are taken as they are typed, which only
 * an address with "//" after DIR can say.
 *
 *   shape    dir is absolute and resolved; key has no slash at its end; account and container are
 *            names that a folder can have
 *   owner    store_address_done() frees both
 *   errors   ERR_USAGE: no account, or an account or container that cannot be one; ERR_SYSTEM: the
 *            current folder is gone
 */
#ifndef STORAGE_LOCAL_ADDRESS_H
#define STORAGE_LOCAL_ADDRESS_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>

#define STORE_FOLDER ".sallyport"
#define STORE_INDEX  STORE_FOLDER "/blobs.db"
#define STORE_BY_ID  STORE_FOLDER "/by-id"

struct store_address {
    struct text dir;
    struct text key; /* ACCOUNT[/CONTAINER[/PREFIX]] */
};

/* is_account: the address ends with ACCOUNT where nothing on disk says otherwise. */
MUST_USE enum err_code store_address_parse(const char *address, bool is_account,
                                           struct store_address *ret_address, struct err *err);
void store_address_done(struct store_address *address);

/* Path with everything resolved that exists, and "." and ".." taken out of the rest. */
MUST_USE enum err_code path_resolve(const char *path, struct text *out, struct err *err);
/* Is inner the same as outer, or below it? Both resolved. */
bool path_is_within(const char *inner, const char *outer);
/* Can a file of the store lie under this key? Else it lies under by-id: an empty part, ".", "..",
 * our own folder's name, and parts longer than a file system takes. */
bool store_key_is_path(const char *key);

#endif
