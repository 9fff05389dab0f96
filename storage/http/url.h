/*
 * storage/http/url.h - addresses: taking them apart, percent-encoding, and leaving secrets out.
 *
 *   shape    scheme://host[:port]/path[?query]; host at most 255 bytes, the whole at most
 *            URL_BYTES_MAX; a user part and a fragment are refused
 *   owner    struct url owns its texts; url_done() wipes the query, which may hold a signature
 *   thread   any
 *   errors   ERR_USAGE; the text never shows a query or user part
 *   source   RFC 3986; SAS: sig is redacted wherever an address is shown
 */
#ifndef STORAGE_HTTP_URL_H
#define STORAGE_HTTP_URL_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define URL_BYTES_MAX 8192

struct url {
    char *scheme;  /* "http" or "https", lower case */
    char *host;    /* lower case; IPv6 within brackets */
    unsigned port; /* 0: the scheme's */
    char *path;    /* decoded; starts with '/' or is "" */
    char *query;   /* raw, without '?'; NULL: none */
};

MUST_USE enum err_code url_parse(const char *address, struct url *ret_url, struct err *err);
void url_done(struct url *url);
/* Percent-encode all but unreserved characters (and '/' if keep_slash). */
void url_encode(struct text *out, const char *bytes, bool keep_slash);
/* Decode in place; false on a bad escape or an encoded NUL. */
bool url_decode(char *text);
/* The address fit to show: no user part, no query. */
void url_display(const struct url *url, struct text *out);

#endif
