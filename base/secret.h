/*
 * base/secret.h - bytes that no log, error text or core dump may show.
 *
 * No LOG_ or json_ helper accepts a struct secret; only the code that signs or sends reads it.
 *
 *   shape    up to SECRET_BYTES_MAX bytes
 *   owner    secret_done() wipes and frees; memory is locked where allowed and left out of dumps
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"

#include <stddef.h>

#define SECRET_BYTES_MAX 65536

struct secret {
    char *bytes; /* NUL terminated */
    size_t len;
    size_t room;
};

MUST_USE enum err_code secret_set(struct secret *secret, const void *bytes, size_t len,
                                  struct err *err);
/* The file must belong to us or root and be closed to others (mode & 077 == 0); trailing newlines
 * go. */
MUST_USE enum err_code secret_read_file(struct secret *secret, const char *path, struct err *err);
void secret_done(struct secret *secret);
void secret_wipe(void *bytes, size_t len);

#endif
