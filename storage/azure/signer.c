#include "storage/azure/signer.h"

#include "base/arena.h"
#include "base/digest.h"
#include "storage/http/url.h"

#include <string.h>
#include <strings.h>

#define QUERY_PARTS_MAX 24U
#define LOOK_AGAIN_NS   (5 * NS_PER_S)

struct signer {
    struct credential *credential;
    const struct clock *clock;
    uint64_t version;    /* of the secret in use */
    int64_t looked_ns;   /* when its file was looked at last */
    struct secret words; /* SAS or token */
    struct hmac hmac;
    bool has_hmac;
    struct text to_sign;
    int64_t date_s;
    char date[CLOCK_TEXT_BYTES];
};

/* Headers that stand in the string to sign in this order, by their values. */
static const char *const standard_headers[] = {
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-MD5",
    "Content-Type",
    "Date",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Unmodified-Since",
    "Range",
};

static enum err_code
take_secret(struct signer *s, struct err *err)
{
    struct secret secret = {0};
    uint64_t version = credential_version(s->credential);
    enum err_code code = credential_secret(s->credential, &secret, err);
    if (code != ERR_OK) {
        return code;
    }
    if (credential_kind(s->credential) == CREDENTIAL_SHARED_KEY) {
        if (s->has_hmac) {
            hmac_done(&s->hmac);
        }
        code = hmac_init(&s->hmac, secret.bytes, secret.len, err);
        s->has_hmac = code == ERR_OK;
        secret_done(&secret);
    } else {
        secret_done(&s->words);
        s->words = secret;
    }
    s->version = version;
    return code;
}

enum err_code
signer_new(struct credential *credential, const struct clock *clock, struct signer **ret_signer,
           struct err *err)
{
    struct signer *s = mem_take(sizeof *s);
    s->credential = credential;
    s->clock = clock;
    s->date_s = -1;
    s->looked_ns = clock_mono_ns(clock);
    enum err_code code = take_secret(s, err);
    if (code != ERR_OK) {
        signer_free(s);
        return code;
    }
    *ret_signer = s;
    return ERR_OK;
}

struct signer *
signer_free(struct signer *s)
{
    if (s == NULL) {
        return NULL;
    }
    if (s->has_hmac) {
        hmac_done(&s->hmac);
    }
    secret_done(&s->words);
    text_done(&s->to_sign);
    return mem_give(s);
}

const char *
signer_date(struct signer *s)
{
    int64_t now_ns = clock_wall_ns(s->clock);
    if (now_ns / NS_PER_S != s->date_s) {
        s->date_s = now_ns / NS_PER_S;
        (void)clock_format_http(now_ns, s->date);
    }
    return s->date;
}

static void
add_value(struct text *out, const struct signer_input *input, const char *name)
{
    for (unsigned h = 0; h < input->header_count; h++) {
        if (strcasecmp(input->headers[h].name, name) == 0) {
            text_add_str(out, input->headers[h].value);
        }
    }
}

static void
add_standard_headers(struct text *out, const struct signer_input *input)
{
    for (unsigned i = 0; i < COUNT_OF(standard_headers); i++) {
        if (strcmp(standard_headers[i], "Content-Length") != 0) {
            add_value(out, input, standard_headers[i]);
        } else if (input->body_len > 0) {
            text_addf(out, "%zu", input->body_len);
        }
        text_add_char(out, '\n');
    }
}

static void
add_lower(struct text *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool is_upper = bytes[i] >= 'A' && bytes[i] <= 'Z';
        text_add_char(out, (char)((unsigned char)bytes[i] | (is_upper ? 0x20U : 0U)));
    }
}

static void
add_ms_headers(struct text *out, const struct signer_input *input)
{
    const struct http_header *sorted[SIGNER_HEADERS_MAX];
    unsigned count = 0;
    for (unsigned h = 0; h < input->header_count; h++) {
        const struct http_header *header = &input->headers[h];
        if (strncasecmp(header->name, "x-ms-", 5) != 0) {
            continue;
        }
        ASSERT(count < SIGNER_HEADERS_MAX);
        unsigned at = count++;
        while (at > 0 && strcasecmp(sorted[at - 1]->name, header->name) > 0) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = header;
    }
    for (unsigned i = 0; i < count; i++) {
        add_lower(out, sorted[i]->name, strlen(sorted[i]->name));
        text_add_char(out, ':');
        text_add_str(out, sorted[i]->value);
        text_add_char(out, '\n');
    }
}

struct query_part {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

static int
compare_names(const struct query_part *a, const struct query_part *b)
{
    int order = strncasecmp(a->name, b->name, MIN_OF(a->name_len, b->name_len));
    return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* Parameters sorted by name, one a line, decoded. */
static void
add_query(struct text *out, const char *query)
{
    struct query_part parts[QUERY_PARTS_MAX];
    unsigned count = 0;
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        size_t name_len = MIN_OF(strcspn(query, "="), len);
        struct query_part part = {.name = query, .name_len = name_len};
        part.value = query + name_len + (name_len < len);
        part.value_len = len - name_len - (name_len < len);
        ASSERT(count < QUERY_PARTS_MAX);
        unsigned at = count++;
        while (at > 0 && compare_names(&parts[at - 1], &part) > 0) {
            parts[at] = parts[at - 1];
            at--;
        }
        parts[at] = part;
        query += len;
        query += *query == '&';
    }
    for (unsigned i = 0; i < count; i++) {
        AUTO_TEXT value = TEXT_INIT;
        text_add_char(out, '\n');
        add_lower(out, parts[i].name, parts[i].name_len);
        text_add_char(out, ':');
        text_add(&value, parts[i].value, parts[i].value_len);
        if (value.len > 0 && url_decode(value.bytes)) {
            text_add_str(out, value.bytes);
        }
    }
}

static enum err_code
sign(struct signer *s, const struct signer_input *input, struct text *out, struct err *err)
{
    uint8_t mac[SHA256_BYTES];
    char encoded[SHA256_BYTES * 2];
    struct text *text = &s->to_sign;
    text_clear(text);
    text_addf(text, "%s\n", http_method_names[input->method]);
    add_standard_headers(text, input);
    add_ms_headers(text, input);
    text_addf(text, "/%s%s", input->account, input->encoded_path);
    add_query(text, input->query);
    enum err_code code = hmac_sign(&s->hmac, text->bytes, text->len, mac, err);
    if (code == ERR_OK) {
        text_addf(out, "SharedKey %s:%s", input->account, base64_encode(mac, sizeof mac, encoded));
    }
    return code;
}

enum err_code
signer_authorize(struct signer *s, const struct signer_input *input, struct text *out,
                 struct err *err)
{
    int64_t now_ns = clock_mono_ns(s->clock);
    text_clear(out);
    if (now_ns - s->looked_ns > LOOK_AGAIN_NS) {
        s->looked_ns = now_ns;
        (void)credential_refresh(s->credential);
    }
    if (s->version != credential_version(s->credential)) {
        enum err_code code = take_secret(s, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    switch (credential_kind(s->credential)) {
    case CREDENTIAL_SHARED_KEY: return sign(s, input, out, err);
    case CREDENTIAL_TOKEN: text_addf(out, "Bearer %s", s->words.bytes); break;
    case CREDENTIAL_ANONYMOUS:
    case CREDENTIAL_SAS:
    case CREDENTIAL_KIND_COUNT: break;
    }
    return ERR_OK;
}

const char *
signer_query(struct signer *s)
{
    return credential_kind(s->credential) == CREDENTIAL_SAS ? s->words.bytes : "";
}

bool
signer_is_old(const struct signer *s)
{
    return s->version != credential_version(s->credential);
}
