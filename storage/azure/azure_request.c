#include "base/clock.h"
#include "base/utf8.h"
#include "storage/azure/azure.h"
#include "storage/http/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define API_VERSION       "2021-12-02"
#define ARENA_BYTES       2048U
#define RETRY_AFTER_S_MAX 3600U

static bool
is_name(const char *name, size_t len, const char *known)
{
    return strncasecmp(name, known, len) == 0 && known[len] == '\0';
}

static void
take_crc64(struct azure_request *request, const char *value, size_t len)
{
    char text[16];
    uint8_t raw[sizeof(uint64_t)];
    if (len >= sizeof text) {
        return;
    }
    memcpy(text, value, len);
    text[len] = '\0';
    if (base64_decode(text, raw, sizeof raw) != (long)sizeof raw) {
        return;
    }
    request->crc64 = 0;
    for (unsigned i = sizeof raw; i > 0; i--) {
        request->crc64 = request->crc64 << 8 | raw[i - 1];
    }
    request->has_crc64 = true;
}

static uint64_t
leading_number(const char *value, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len && i < 18 && value[i] >= '0' && value[i] <= '9'; i++) {
        number = number * 10 + (uint64_t)(value[i] - '0');
    }
    return number;
}

static void
take_retry_after(struct azure_request *request, const char *value, size_t len)
{
    if (len > 0 && value[0] >= '0' && value[0] <= '9') {
        request->retry_after_ns =
            (int64_t)MIN_OF(leading_number(value, len), RETRY_AFTER_S_MAX) * NS_PER_S;
    }
}

static void
take_range(struct azure_request *request, const char *value, size_t len)
{
    static const char unit[] = "bytes ";
    if (len > sizeof unit - 1 && strncasecmp(value, unit, sizeof unit - 1) == 0) {
        request->range_begin = leading_number(value + sizeof unit - 1, len - (sizeof unit - 1));
    }
}

static void
on_header(struct http_request *http, const char *name, size_t name_len, const char *value,
          size_t value_len)
{
    struct azure_request *request = CONTAINER_OF(http, struct azure_request, http);
    if (request->props != NULL) {
        azure_props_take(request->props, &request->arena, true, name, name_len, value, value_len);
    }
    if (is_name(name, name_len, "etag")) {
        azure_etag_copy(request->etag, value, value_len);
    } else if (is_name(name, name_len, "x-ms-content-crc64")) {
        take_crc64(request, value, value_len);
    } else if (is_name(name, name_len, "x-ms-error-code")) {
        (void)snprintf(request->code, sizeof request->code, "%.*s", (int)MIN_OF(value_len, 63),
                       value);
    } else if (is_name(name, name_len, "x-ms-blob-sequence-number")) {
        request->sequence = leading_number(value, value_len);
    } else if (is_name(name, name_len, "retry-after")) {
        take_retry_after(request, value, value_len);
    } else if (is_name(name, name_len, "content-range")) {
        take_range(request, value, value_len);
    }
}

static bool
on_body(struct http_request *http, const void *bytes, size_t len)
{
    struct azure_request *request = CONTAINER_OF(http, struct azure_request, http);
    if (request->body.len + len > AZURE_BODY_MAX) {
        return false;
    }
    text_add(&request->body, bytes, len);
    return true;
}

void
azure_request_begin(struct azure_request *request, const struct azure_end *end,
                    enum http_method method, const char *name)
{
    if (request->end == NULL) {
        arena_init(&request->arena, ARENA_BYTES);
    }
    arena_reset(&request->arena);
    request->end = end;
    request->http = (struct http_request){
        .method = method, .headers = request->headers, .on_header = on_header, .on_body = on_body};
    request->header_count = 0;
    request->code[0] = '\0';
    request->etag[0] = '\0';
    request->has_crc64 = false;
    request->has_md5 = false;
    request->retry_after_ns = 0;
    request->range_begin = UINT64_MAX;
    request->sequence = 0;
    request->props = NULL;
    text_clear(&request->body);
    text_clear(&request->query);
    text_clear(&request->path);
    text_add_str(&request->path, end->base_path);
    if (name == NULL) {
        return;
    }
    text_add_char(&request->path, '/');
    if (end->prefix[0] != '\0') {
        url_encode(&request->path, end->prefix, true);
        text_add_char(&request->path, '/');
    }
    url_encode(&request->path, name, true);
}

void
azure_request_query(struct azure_request *request, const char *key, const char *value)
{
    text_addf(&request->query, "%s%s=%s", request->query.len == 0 ? "" : "&", key, value);
}

void
azure_request_query_encoded(struct azure_request *request, const char *key, const char *value)
{
    text_addf(&request->query, "%s%s=", request->query.len == 0 ? "" : "&", key);
    url_encode(&request->query, value, false);
}

void
azure_request_header(struct azure_request *request, const char *name, const char *value)
{
    ASSERT(request->header_count < AZURE_HEADERS_MAX);
    request->headers[request->header_count++] =
        (struct http_header){.name = name, .value = arena_text(&request->arena, value)};
}

void
azure_request_headerf(struct azure_request *request, const char *name, const char *fmt, ...)
{
    char value[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    azure_request_header(request, name, value);
}

void
azure_request_body(struct azure_request *request, const void *bytes, size_t len)
{
    request->http.body = bytes;
    request->http.body_len = len;
}

enum err_code
azure_request_checksum(struct azure_request *request, uint64_t crc64, const uint8_t *md5,
                       struct err *err)
{
    uint8_t own[MD5_BYTES];
    uint8_t raw[sizeof crc64];
    char text[32];
    bool wants_md5 =
        md5 != NULL || atomic_load_explicit(&request->end->refuses_crc64, memory_order_relaxed);
    if (wants_md5 && md5 == NULL) {
        if (digest_md5(request->http.body, request->http.body_len, own, err) != ERR_OK) {
            return err->code;
        }
        md5 = own;
    }
    if (wants_md5) {
        azure_request_header(request, "Content-MD5", base64_encode(md5, MD5_BYTES, text));
        request->has_md5 = true;
        return ERR_OK;
    }
    for (unsigned i = 0; i < sizeof raw; i++) {
        raw[i] = (uint8_t)(crc64 >> (8 * i));
    }
    azure_request_header(request, "x-ms-content-crc64", base64_encode(raw, sizeof raw, text));
    return ERR_OK;
}

/* A value that could end its header line would be somebody else's header. */
static bool
is_header_value(const char *value)
{
    for (; *value != '\0'; value++) {
        if ((unsigned char)*value < ' ' || (unsigned char)*value >= 0x7f) {
            return false;
        }
    }
    return true;
}

static bool
is_metadata_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return len > 0 && len < 200 && name[len] == '\0' && (name[0] < '0' || name[0] > '9');
}

static enum err_code
add_extra_metadata(struct azure_request *request, const struct blob_props *props, struct err *err)
{
    const char *at = props->extra_metadata;
    const char *end = at == NULL ? NULL : at + props->extra_metadata_len;
    while (at < end) {
        const char *name = at;
        const char *value = name + strlen(name) + 1;
        at = value + strlen(value) + 1;
        if (!is_metadata_name(name) || !is_header_value(value) ||
            request->header_count + 8 > AZURE_HEADERS_MAX) {
            return err_set(err, ERR_ITEM_REFUSED,
                           "its metadata '%s' cannot be stored at the target", name);
        }
        char header[256];
        (void)snprintf(header, sizeof header, "x-ms-meta-%s", name);
        azure_request_header(request, arena_text(&request->arena, header), value);
    }
    return ERR_OK;
}

void
azure_request_properties(struct azure_request *request, const struct blob_props *props)
{
    char text[BASE64_ROOM(MD5_BYTES)];
    if (props->content_type != NULL && is_header_value(props->content_type)) {
        azure_request_header(request, "x-ms-blob-content-type", props->content_type);
    }
    if (props->content_encoding != NULL && is_header_value(props->content_encoding)) {
        azure_request_header(request, "x-ms-blob-content-encoding", props->content_encoding);
    }
    if (props->has_md5) {
        azure_request_header(request, "x-ms-blob-content-md5",
                             base64_encode(props->md5, MD5_BYTES, text));
    }
}

enum err_code
azure_request_metadata(struct azure_request *request, const struct blob_props *props,
                       struct err *err)
{
    char text[CLOCK_TEXT_BYTES];
    if (props->mtime_ns != BLOB_TIME_NONE) {
        azure_request_header(request, "x-ms-meta-mtime", clock_format_ns(props->mtime_ns, text));
    }
    if (props->has_crc64) {
        azure_request_headerf(request, "x-ms-meta-sallyport_crc64", "%016llx",
                              (unsigned long long)props->crc64);
    }
    if (props->job[0] != '\0') {
        azure_request_header(request, "x-ms-meta-sallyport_job", props->job);
    }
    if (props->original_bytes != props->size_bytes) {
        azure_request_headerf(request, "x-ms-meta-sallyport_size", "%llu",
                              (unsigned long long)props->original_bytes);
    }
    return add_extra_metadata(request, props, err);
}

enum err_code
azure_request_props(struct azure_request *request, const struct blob_props *props, struct err *err)
{
    azure_request_properties(request, props);
    if (props->tier != BLOB_TIER_NONE) {
        azure_request_header(request, "x-ms-access-tier", blob_tier_names[props->tier]);
    }
    return azure_request_metadata(request, props, err);
}

enum err_code
azure_request_seal(struct azure_request *request, struct signer *signer, struct err *err)
{
    azure_request_header(request, "x-ms-version", API_VERSION);
    azure_request_header(request, "x-ms-date", signer_date(signer));
    struct signer_input input = {
        .method = request->http.method,
        .account = request->end->account,
        .encoded_path = text_str(&request->path),
        .query = text_str(&request->query),
        .headers = request->headers,
        .header_count = request->header_count,
        .body_len = request->http.body_len,
    };
    enum err_code code = signer_authorize(signer, &input, &request->authorization, err);
    if (code != ERR_OK) {
        return code;
    }
    if (request->authorization.len > 0) {
        ASSERT(request->header_count < AZURE_HEADERS_MAX);
        request->headers[request->header_count++] = (struct http_header){
            .name = "Authorization", .value = text_str(&request->authorization)};
    }
    const char *sas = signer_query(signer);
    struct text *url = &request->url;
    text_clear(url);
    text_add_str(url, request->end->origin);
    text_add(url, text_str(&request->path), request->path.len);
    if (request->query.len > 0 || sas[0] != '\0') {
        text_add_char(url, '?');
        text_add(url, text_str(&request->query), request->query.len);
        text_add_str(url, request->query.len > 0 && sas[0] != '\0' ? "&" : "");
        text_add_str(url, sas);
    }
    request->http.url = text_str(url);
    request->http.header_count = request->header_count;
    return ERR_OK;
}

void
azure_request_done(struct azure_request *request)
{
    struct text *const secrets[] = {&request->url, &request->authorization};
    for (unsigned i = 0; i < COUNT_OF(secrets); i++) {
        if (secrets[i]->bytes != NULL) {
            secret_wipe(secrets[i]->bytes, secrets[i]->room);
        }
        text_done(secrets[i]);
    }
    text_done(&request->path);
    text_done(&request->query);
    text_done(&request->body);
    if (request->end != NULL) {
        arena_done(&request->arena);
    }
}

enum err_code
azure_request_judge(struct azure_request *request, enum blob_verb verb, const char *what,
                    const char *name, struct err *err)
{
    const struct http_request *http = &request->http;
    char code_text[AZURE_CODE_BYTES];
    char words[AZURE_WORDS_BYTES] = "";
    if (http->err.code != ERR_OK) {
        *err = http->err;
        return err_wrap(err, "could not %s '%s'", what, name);
    }
    if (http->status >= 200 && http->status < 300) {
        return ERR_OK;
    }
    azure_parse_error(text_str(&request->body), request->body.len, code_text, words);
    if (request->code[0] == '\0') {
        memcpy(request->code, code_text, sizeof code_text);
    }
    enum err_code code = azure_classify(verb, http->status, request->code);
    /* A refusal of credentials may quote them. */
    bool is_shown = words[0] != '\0' && code != ERR_STORE_AUTH;
    (void)err_set(err, code, "could not %s '%s': the store answered %d%s%s%s%s%s", what, name,
                  http->status, request->code[0] == '\0' ? "" : " ", request->code,
                  is_shown ? " (" : "", is_shown ? words : "", is_shown ? ")" : "");
    if (code == ERR_STORE_AUTH &&
        credential_kind(request->end->credential) == CREDENTIAL_ANONYMOUS) {
        (void)err_wrap(err, "no credentials were found in the environment or the configuration");
    }
    err->http_status = http->status;
    return code;
}
