/*
 * base/json.h - writing JSON, one value after the other, into a struct text.
 *
 * Reading foreign JSON is jansson's work (json_read.h); this writer exists because JSON Lines are
 * written on warm paths and must not build trees.
 *
 *   shape    commas are put by the writer; nesting up to JSON_DEPTH_MAX
 *   owner    the text is the caller's
 *   thread   one at a time
 *   source   RFC 8259; a path that is not UTF-8 becomes {"b64":"..."}
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/text.h"

#define JSON_DEPTH_MAX 16

struct json {
    struct text *out;
    unsigned depth;
    bool has_value[JSON_DEPTH_MAX];
    bool after_key;
};

void json_init(struct json *json, struct text *out);
void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);
void json_key(struct json *json, const char *key);
void json_str(struct json *json, const char *str); /* must be UTF-8; invalid bytes become U+FFFD */
void json_path(struct json *json, const char *path); /* a string, or {"b64":...} if not UTF-8 */
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_double(struct json *json, double value); /* 6 significant digits; not finite: null */
void json_bool(struct json *json, bool value);
void json_put_null(struct json *json); /* jansson has a json_null() of its own */
/* key and value in one call */
void json_key_str(struct json *json, const char *key, const char *str);
void json_key_path(struct json *json, const char *key, const char *path);
void json_key_u64(struct json *json, const char *key, uint64_t value);
void json_key_i64(struct json *json, const char *key, int64_t value);
void json_key_double(struct json *json, const char *key, double value);
void json_key_bool(struct json *json, const char *key, bool value);
void json_key_hex(struct json *json, const char *key, const void *bytes, size_t len);

#endif
