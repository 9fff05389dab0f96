/*
 * Who may: SharedKey signatures are computed again and compared; a bearer token and the signature
 * of a SAS are compared as they are.
 */
#include "base/arena.h"
#include "bench/server/request.h"

#include <openssl/crypto.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUERY_VALUES_MAX 32U

static bool
same(const char *given, const struct secret *expected)
{
    size_t len = strlen(given);
    return len == expected->len && CRYPTO_memcmp(given, expected->bytes, len) == 0;
}

static int
by_text(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static void
add_lower(struct text *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text_add_char(out, (char)tolower((unsigned char)bytes[i]));
    }
}

static void
sort_into(struct text *out, char **lines, unsigned count, const char *before, const char *after)
{
    // cppcheck-suppress uninitvar ; of count lines, and there may be none
    qsort(lines, count, sizeof *lines, by_text);
    for (unsigned i = 0; i < count; i++) {
        text_add_str(out, before);
        text_add_str(out, lines[i]);
        text_add_str(out, after);
        mem_give(lines[i]);
    }
}

static void
add_headers(const struct head *head, struct text *out)
{
    char *lines[HEAD_FIELDS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct head_field *field = &head->fields[i];
        if (strncasecmp(field->name, "x-ms-", 5) == 0) {
            AUTO_TEXT line = TEXT_INIT;
            add_lower(&line, field->name, field->name_len);
            text_add_char(&line, ':');
            text_add_str(&line, field->value);
            lines[count++] = mem_text(text_str(&line));
        }
    }
    sort_into(out, lines, count, "", "\n");
}

static void
add_query(const char *query, struct text *out)
{
    char *lines[QUERY_VALUES_MAX];
    unsigned count = 0;
    for (const char *at = query; *at != '\0' && count < QUERY_VALUES_MAX;) {
        size_t len = strcspn(at, "&");
        const char *equals = memchr(at, '=', len);
        size_t name_len = equals == NULL ? len : (size_t)(equals - at);
        AUTO_TEXT line = TEXT_INIT;
        AUTO_TEXT value = TEXT_INIT;
        add_lower(&line, at, name_len);
        if (equals != NULL && len > name_len + 1) {
            text_add(&value, equals + 1, len - name_len - 1);
            (void)percent_decode(value.bytes);
        }
        text_add_char(&line, ':');
        text_add_str(&line, text_str(&value));
        lines[count++] = mem_text(text_str(&line));
        at += len + (at[len] == '&' ? 1 : 0);
    }
    sort_into(out, lines, count, "\n", "");
}

void
auth_string_to_sign(const struct request *request, struct text *out)
{
    static const char *const standard[] = {"content-encoding",
                                           "content-language",
                                           "content-length",
                                           "content-md5",
                                           "content-type",
                                           "date",
                                           "if-modified-since",
                                           "if-match",
                                           "if-none-match",
                                           "if-unmodified-since",
                                           "range"};
    const struct head *head = &request->head;
    bool has_ms_date = head_find(head, "x-ms-date") != NULL;
    text_add_str(out, head->method);
    text_add_char(out, '\n');
    for (unsigned i = 0; i < COUNT_OF(standard); i++) {
        const char *value = head_find(head, standard[i]);
        bool is_left_out = (strcmp(standard[i], "content-length") == 0 && head->body_bytes == 0) ||
                           (strcmp(standard[i], "date") == 0 && has_ms_date);
        text_add_str(out, value == NULL || is_left_out ? "" : value);
        text_add_char(out, '\n');
    }
    add_headers(head, out);
    text_add_char(out, '/');
    text_add_str(out, request->account);
    text_add_str(out, head->path);
    add_query(head->query, out);
}

static bool
refuse(struct request *request, const char *words)
{
    answer_error(request, 403, "AuthenticationFailed", words);
    return false;
}

static bool
check_shared_key(struct request *request, const char *value)
{
    uint8_t mac[SHA256_BYTES];
    char mac_text[BASE64_ROOM(SHA256_BYTES)];
    struct err err = ERR_NONE;
    AUTO_TEXT to_sign = TEXT_INIT;
    size_t len = strlen(request->account);
    if (strncmp(value, request->account, len) != 0 || value[len] != ':') {
        return refuse(request, "The Authorization header names another account.");
    }
    auth_string_to_sign(request, &to_sign);
    if (hmac_sign(request->hmac, text_str(&to_sign), to_sign.len, mac, &err) != ERR_OK) {
        return refuse(request, err.text);
    }
    base64_encode(mac, sizeof mac, mac_text);
    if (strcmp(mac_text, value + len + 1) != 0) {
        return refuse(request, "The MAC signature found in the HTTP request is not the same as "
                               "any computed signature.");
    }
    return true;
}

bool
auth_check(struct request *request)
{
    const struct site *site = request->site;
    const char *given = head_find(&request->head, "authorization");
    if (site->key.len + site->token.len + site->sas.len == 0) {
        return true;
    }
    if (given != NULL && strncmp(given, "SharedKey ", 10) == 0 && request->hmac != NULL) {
        return check_shared_key(request, given + 10);
    }
    if (given != NULL && strncmp(given, "Bearer ", 7) == 0 && site->token.len > 0) {
        return same(given + 7, &site->token) || refuse(request, "The token is not valid.");
    }
    if (given == NULL && site->sas.len > 0 &&
        query_find(request->head.query, "sig", &request->value)) {
        return same(text_str(&request->value), &site->sas) ||
               refuse(request, "Signature did not match.");
    }
    if (given == NULL) {
        answer_error(request, 401, "NoAuthenticationInformation",
                     "Server failed to authenticate the request.");
        return false;
    }
    return refuse(request, "This form of authorisation is not accepted.");
}
