#include "bench/server/head.h"

#include <string.h>
#include <strings.h>

static bool
number_parse(const char *text, uint64_t *ret_value, const char **ret_end)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (UINT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(*at - '0');
    }
    *ret_value = value;
    *ret_end = at;
    return at != text;
}

static bool
parse_request_line(char *line, struct head *head)
{
    char *target = strchr(line, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');
    if (version == NULL || strncmp(version + 1, "HTTP/1.", 7) != 0) {
        return false;
    }
    *target++ = '\0';
    *version++ = '\0';
    if (target[0] != '/') {
        return false;
    }
    char *query = strchr(target, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    head->method = line;
    head->path = target;
    head->query = query == NULL ? "" : query;
    head->wants_close = strcmp(version, "HTTP/1.0") == 0;
    return true;
}

static bool
note_field(struct head *head, const struct head_field *field)
{
    const char *end = NULL;
    if (strcasecmp(field->name, "content-length") == 0) {
        bool was_said = head->has_length;
        head->has_length = number_parse(field->value, &head->body_bytes, &end) && *end == '\0';
        return head->has_length && !was_said;
    }
    if (strcasecmp(field->name, "transfer-encoding") == 0) {
        head->is_chunked = true;
    } else if (strcasecmp(field->name, "expect") == 0) {
        head->expects_continue = strcasecmp(field->value, "100-continue") == 0;
    } else if (strcasecmp(field->name, "connection") == 0) {
        head->wants_close = strcasecmp(field->value, "close") == 0;
    }
    return true;
}

static bool
parse_field(char *line, struct head *head)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || colon == line || head->field_count == HEAD_FIELDS_MAX) {
        return false;
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        value[--len] = '\0';
    }
    struct head_field *field = &head->fields[head->field_count++];
    *field = (struct head_field){.name = line, .value = value, .name_len = (size_t)(colon - line)};
    return strpbrk(line, " \t") == NULL && note_field(head, field);
}

long
head_parse(char *bytes, size_t len, struct head *head)
{
    const char *end = memmem(bytes, MIN_OF(len, (size_t)HEAD_BYTES_MAX), "\r\n\r\n", 4);
    if (end == NULL) {
        return len >= HEAD_BYTES_MAX ? HEAD_BAD : HEAD_MORE;
    }
    size_t head_bytes = (size_t)(end - bytes) + 4;
    if (memchr(bytes, '\0', head_bytes) != NULL) {
        return HEAD_BAD;
    }
    head->field_count = 0;
    head->body_bytes = 0;
    head->has_length = head->is_chunked = head->expects_continue = head->wants_close = false;
    bool is_first = true;
    for (char *line = bytes; line < bytes + head_bytes - 2;) {
        char *next = memmem(line, (size_t)(bytes + head_bytes - line), "\r\n", 2);
        *next = '\0';
        if (is_first ? !parse_request_line(line, head) : !parse_field(line, head)) {
            return HEAD_BAD;
        }
        is_first = false;
        line = next + 2;
    }
    return (long)head_bytes;
}

const char *
head_find(const struct head *head, const char *name)
{
    size_t len = strlen(name);
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct head_field *field = &head->fields[i];
        if (field->name_len == len && strcasecmp(field->name, name) == 0) {
            return field->value;
        }
    }
    return NULL;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
percent_decode(char *text)
{
    char *out = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '%') {
            *out++ = *at;
            continue;
        }
        int high = hex_value(at[1]);
        int low = high < 0 ? -1 : hex_value(at[2]);
        if (low < 0 || high * 16 + low == 0) {
            return false;
        }
        *out++ = (char)(high * 16 + low);
        at += 2;
    }
    *out = '\0';
    return true;
}

bool
query_find(const char *query, const char *name, struct text *out)
{
    size_t name_len = strlen(name);
    for (const char *at = query; *at != '\0';) {
        size_t len = strcspn(at, "&");
        if (len > name_len && at[name_len] == '=' && strncmp(at, name, name_len) == 0) {
            text_clear(out);
            text_add(out, at + name_len + 1, len - name_len - 1);
            bool is_good = out->bytes == NULL || percent_decode(out->bytes);
            out->len = strlen(text_str(out));
            return is_good;
        }
        at += len + (at[len] == '&' ? 1 : 0);
    }
    return false;
}

bool
range_parse(const char *value, uint64_t size, uint64_t *ret_first, uint64_t *ret_len)
{
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    const char *at = value;
    if (strncmp(at, "bytes=", 6) != 0 || !number_parse(at + 6, &first, &at) || *at != '-') {
        return false;
    }
    at++;
    if (*at != '\0' && (!number_parse(at, &last, &at) || *at != '\0')) {
        return false;
    }
    if (first >= size || last < first) {
        return false;
    }
    *ret_first = first;
    *ret_len = MIN_OF(last, size - 1) - first + 1;
    return true;
}
