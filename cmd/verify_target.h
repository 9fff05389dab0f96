/*
 * cmd/verify_target.h - where the items of a receipt should be: TARGET, or of a device's receipt
 * the end of each account.
 *
 * A device's receipt has items of several accounts, so it is read once before, signature included,
 * for the accounts and containers in it.
 *
 *   owner    the end is the caller's: end_close(); operands are borrowed for the call
 *   thread   main; blocks
 *   errors   ERR_USAGE: TARGET or --account where the other belongs, an account without an end;
 *            ERR_RECEIPT, and what end_open() says
 */
#ifndef CMD_VERIFY_TARGET_H
#define CMD_VERIFY_TARGET_H

#include "base/option.h"
#include "base/sign.h"
#include "storage/backend.h"

struct verify_place {
    const char *receipt;
    const struct sign_key *key;
    const char *target; /* NULL: not named */
    const struct option_list *accounts;
};

MUST_USE enum err_code verify_open_target(const struct verify_place *place,
                                          const struct end_options *options, struct end **ret_end,
                                          struct err *err);

#endif
