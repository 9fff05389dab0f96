/*
 * ingest/copy/receipt_check.h - does a store have what a receipt says?
 *
 * First the receipt itself: form, order, count, digest, signature, no path twice. Then the store:
 * sizes and checksums as it lists them, what it does not list asked for one by one, and, if wanted,
 * every byte read again.
 *
 *   shape    memory does not grow with the receipt: its items go to a database at db_path
 *   owner    options are borrowed; the database is removed again
 *   thread   one; blocks
 *   errors   ERR_RECEIPT: the receipt is not valid, nothing was compared; what the store refused;
 *            differences are counted and told, not errors
 */
#ifndef INGEST_COPY_RECEIPT_CHECK_H
#define INGEST_COPY_RECEIPT_CHECK_H

#include "ingest/copy/receipt.h"

#include <stdatomic.h>

typedef void(receipt_difference_fn)(void *user, const char *path, const struct err *why);

struct receipt_check_options {
    const char *receipt;
    const struct sign_key *key;
    struct end *target; /* a source: nothing is made there */
    const char *db_path;
    bool wants_read_back;
    const struct config *config;
    const struct clock *clock;
    const atomic_int *signal;
    receipt_difference_fn *tell;
    void *user;
};

struct receipt_check_result {
    uint64_t items;
    uint64_t bytes;
    uint64_t missing;
    uint64_t different;
    uint64_t read_back;    /* also without being asked, where the target has no checksum */
    uint64_t unverifiable; /* neither the receipt nor the target has one */
};

MUST_USE enum err_code receipt_check(const struct receipt_check_options *options,
                                     struct receipt_check_result *ret_result, struct err *err);

#endif
