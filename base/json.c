#include "base/json.h"

#include "base/attr.h"
#include "base/digest.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

void
json_init(struct json *json, struct text *out)
{
    *json = (struct json){.out = out};
}

static void
before_value(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->has_value[json->depth]) {
        text_add_char(json->out, ',');
    }
    json->has_value[json->depth] = true;
}

static void
begin(struct json *json, char c)
{
    before_value(json);
    ASSERT(json->depth + 1 < JSON_DEPTH_MAX);
    json->depth++;
    json->has_value[json->depth] = false;
    text_add_char(json->out, c);
}

static void
end(struct json *json, char c)
{
    ASSERT(json->depth > 0);
    json->depth--;
    text_add_char(json->out, c);
}

void
json_object_begin(struct json *json)
{
    begin(json, '{');
}

void
json_object_end(struct json *json)
{
    end(json, '}');
}

void
json_array_begin(struct json *json)
{
    begin(json, '[');
}

void
json_array_end(struct json *json)
{
    end(json, ']');
}

static void
put_string(struct text *out, const char *str)
{
    text_add_char(out, '"');
    const char *run = str;
    while (*str != '\0') {
        unsigned char c = (unsigned char)*str;
        unsigned len = c < 0x80 ? 1 : utf8_length(str);
        if (len > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            str += len;
            continue;
        }
        text_add(out, run, (size_t)(str - run));
        if (len == 0) {
            text_add_str(out, "\xef\xbf\xbd");
        } else if (c == '"' || c == '\\') {
            text_add_char(out, '\\');
            text_add_char(out, (char)c);
        } else if (c == '\n') {
            text_add_str(out, "\\n");
        } else {
            text_addf(out, "\\u%04x", c);
        }
        str++;
        run = str;
    }
    text_add(out, run, (size_t)(str - run));
    text_add_char(out, '"');
}

void
json_key(struct json *json, const char *key)
{
    ASSERT(!json->after_key);
    before_value(json);
    put_string(json->out, key);
    text_add_char(json->out, ':');
    json->after_key = true;
}

void
json_str(struct json *json, const char *str)
{
    before_value(json);
    put_string(json->out, str);
}

void
json_path(struct json *json, const char *path)
{
    if (utf8_is_valid(path)) {
        json_str(json, path);
        return;
    }
    json_object_begin(json);
    json_key(json, "b64");
    before_value(json);
    text_add_char(json->out, '"');
    /* In pieces of whole groups of three, so that no buffer as long as the path is needed. */
    for (size_t left = strlen(path); left > 0;) {
        char piece[BASE64_ROOM(96)];
        size_t len = MIN_OF(left, 96);
        text_add_str(json->out, base64_encode(path, len, piece));
        path += len;
        left -= len;
    }
    text_add_char(json->out, '"');
    json_object_end(json);
}

void
json_u64(struct json *json, uint64_t value)
{
    before_value(json);
    text_addf(json->out, "%llu", (unsigned long long)value);
}

void
json_i64(struct json *json, int64_t value)
{
    before_value(json);
    text_addf(json->out, "%lld", (long long)value);
}

void
json_double(struct json *json, double value)
{
    before_value(json);
    if (isfinite(value)) {
        text_addf(json->out, "%.6g", value);
    } else {
        text_add_str(json->out, "null");
    }
}

void
json_bool(struct json *json, bool value)
{
    before_value(json);
    text_add_str(json->out, value ? "true" : "false");
}

void
json_put_null(struct json *json)
{
    before_value(json);
    text_add_str(json->out, "null");
}

void
json_key_str(struct json *json, const char *key, const char *str)
{
    json_key(json, key);
    json_str(json, str);
}

void
json_key_path(struct json *json, const char *key, const char *path)
{
    json_key(json, key);
    json_path(json, path);
}

void
json_key_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

void
json_key_i64(struct json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_i64(json, value);
}

void
json_key_double(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_double(json, value);
}

void
json_key_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

void
json_key_hex(struct json *json, const char *key, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    json_key(json, key);
    before_value(json);
    text_add_char(json->out, '"');
    for (size_t i = 0; i < len; i++) {
        char digits[3];
        text_add_str(json->out, hex_encode(at + i, 1, digits));
    }
    text_add_char(json->out, '"');
}
