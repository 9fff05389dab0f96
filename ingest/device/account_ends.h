/*
 * ingest/device/account_ends.h - the accounts of a device, and the end that each has.
 *
 * An account of a local store is one part of the target (storage/many.h), since a store makes its
 * containers itself; of an Azure account each container is a part, since an end there is one.
 *
 *   shape    up to DEVICE_ACCOUNTS_MAX accounts, MANY_PARTS_MAX parts
 *   owner    account_parts_done(); names and ends are borrowed from where they were parsed
 *   thread   one
 *   errors   ERR_USAGE: an account that is not ACCT=END, twice, or with an end that cannot be one;
 *            ERR_UNSUPPORTED: more parts than there may be
 */
#ifndef INGEST_DEVICE_ACCOUNT_ENDS_H
#define INGEST_DEVICE_ACCOUNT_ENDS_H

#include "base/arena.h"
#include "ingest/copy/copy.h"

#define DEVICE_ACCOUNTS_MAX 64U

struct device_account {
    const char *name; /* account, or resource group of managed disks */
    const char *end;  /* address of an account, without a container */
};

/* texts as typed after --account; names go to the arena. */
MUST_USE enum err_code accounts_parse(const char *const *texts, unsigned count, struct arena *arena,
                                      struct device_account accounts[DEVICE_ACCOUNTS_MAX],
                                      struct err *err);
bool account_is_local(const struct device_account *account);

struct account_parts {
    struct arena arena;
    struct copy_part *parts; /* by key */
    unsigned count;
    unsigned room;
};
void account_parts_init(struct account_parts *parts);
void account_parts_done(struct account_parts *parts);
/* The part that this container belongs to, if it is not there yet. */
MUST_USE enum err_code account_parts_add(struct account_parts *parts,
                                         const struct device_account *account,
                                         const char *container, struct err *err);

#endif
