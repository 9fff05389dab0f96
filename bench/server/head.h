/*
 * bench/server/head.h - the head of an HTTP/1.1 request, taken apart where it lies.
 *
 *   shape    at most HEAD_BYTES_MAX bytes and HEAD_FIELDS_MAX fields; no folded lines
 *   owner    all texts point into the bytes that were parsed, which are changed (NULs are put in)
 *   source   RFC 9112; ranges: RFC 9110, one "bytes=" range only
 */
#ifndef BENCH_SERVER_HEAD_H
#define BENCH_SERVER_HEAD_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_BYTES_MAX  32768
#define HEAD_FIELDS_MAX 100

struct head_field {
    const char *name; /* as it came */
    const char *value;
    size_t name_len;
};

struct head {
    const char *method;
    const char *path;  /* raw, from the first '/' */
    const char *query; /* raw, without '?'; "" if none */
    struct head_field fields[HEAD_FIELDS_MAX];
    unsigned field_count;
    uint64_t body_bytes; /* Content-Length, 0 if none */
    bool has_length;
    bool is_chunked;
    bool expects_continue;
    bool wants_close;
};

#define HEAD_MORE 0    /* not complete yet */
#define HEAD_BAD  (-1) /* not HTTP, or beyond the limits */
/* The length of the head with its empty line, HEAD_MORE or HEAD_BAD. */
long head_parse(char *bytes, size_t len, struct head *head);

/* A field's value, whatever the case of its name; NULL if it is not there. */
const char *head_find(const struct head *head, const char *name);
/* A decoded value of the query; false if it is not there or not well encoded. */
bool query_find(const char *query, const char *name, struct text *out);
/* Undo percent-encoding in place; false on a bad escape or an encoded NUL. */
bool percent_decode(char *text);
/* Of a blob of size bytes; false if no byte of it is meant. */
bool range_parse(const char *value, uint64_t size, uint64_t *ret_first, uint64_t *ret_len);

#endif
