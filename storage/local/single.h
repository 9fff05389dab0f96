/*
 * storage/local/single.h - the lister of an end that is one file.
 *
 *   thread   one
 */
#ifndef STORAGE_LOCAL_SINGLE_H
#define STORAGE_LOCAL_SINGLE_H

#include "storage/local/local.h"

MUST_USE enum err_code single_new(const struct local_end *end, struct lister **ret_lister,
                                  struct err *err);

#endif
