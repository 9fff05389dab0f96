/*
 * ingest/device/manifest_text.h - the small words of a manifest's line: references, numbers,
 * Base64.
 *
 * Used by the reader alone; here so that the reader shows only where things begin and end.
 *
 *   shape    texts are slices of the reader's window, not NUL terminated
 *   thread   any; no state
 *   errors   ERR_FORMAT, without place: the reader prepends it
 *   source   XML 1.0: references, white space
 */
#ifndef INGEST_DEVICE_MANIFEST_TEXT_H
#define INGEST_DEVICE_MANIFEST_TEXT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_WHY_LONG "a path is longer than 8192 bytes"

struct manifest_attrs {
    uint64_t size_bytes;
    uint64_t crc64;
    bool has_crc64; /* it is there and not empty */
    bool is_base64;
};

static inline bool
manifest_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Resolve XML's own references; others are refused. NULL, or what is wrong. */
const char *manifest_decode(const char *text, size_t len, char *out, size_t room, size_t *ret_len);
/* Blanks are left out. The length, or -1. text is used up, and has room for a NUL behind it. */
long manifest_decode_base64(char *text, size_t len, char *out, size_t room);
/* What stands between a tag's name and its end. */
MUST_USE enum err_code manifest_parse_attrs(const char *at, const char *end,
                                            struct manifest_attrs *ret_attrs, struct err *err);

#endif
