#include "storage/http/url.h"

#include "base/arena.h"
#include "base/secret.h"

#include <ctype.h>
#include <string.h>

#define HOST_BYTES_MAX 255U

static enum err_code
refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_USAGE, "the address is not valid: %s", why);
}

static char *
lower(const char *bytes, size_t len)
{
    AUTO_TEXT out = TEXT_INIT;
    for (size_t i = 0; i < len; i++) {
        text_add_char(&out, (char)tolower((unsigned char)bytes[i]));
    }
    return mem_text(text_str(&out));
}

static char *
part(const char *bytes, size_t len)
{
    AUTO_TEXT out = TEXT_INIT;
    text_add(&out, bytes, len);
    return mem_text(text_str(&out));
}

static bool
is_host_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

/* Letters, digits, dots, dashes; or an IPv6 address within brackets. */
static bool
is_host(const char *host, size_t len)
{
    if (len == 0 || len > HOST_BYTES_MAX) {
        return false;
    }
    bool is_v6 = host[0] == '[';
    if (is_v6 && (len < 4 || host[len - 1] != ']')) {
        return false;
    }
    for (size_t i = is_v6 ? 1 : 0; i < len - (is_v6 ? 1U : 0U); i++) {
        bool is_fine = is_v6 ? isxdigit((unsigned char)host[i]) || host[i] == ':' || host[i] == '.'
                             : is_host_char(host[i]);
        if (!is_fine) {
            return false;
        }
    }
    return true;
}

static bool
parse_port(const char *text, size_t len, unsigned *ret_port)
{
    unsigned port = 0;
    if (len == 0 || len > 5) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *ret_port = port;
    return port > 0 && port <= 65535;
}

static enum err_code
parse_authority(const char *text, size_t len, struct url *url, struct err *err)
{
    if (memchr(text, '@', len) != NULL) {
        return refuse(err, "user names and passwords do not belong into an address");
    }
    const char *after = text[0] == '[' ? memchr(text, ']', len) : text;
    const char *colon = after == NULL ? NULL : memchr(after, ':', len - (size_t)(after - text));
    size_t host_len = colon == NULL ? len : (size_t)(colon - text);
    if (!is_host(text, host_len)) {
        return refuse(err, "the host must be a name or an address of 1 to 255 letters, digits, "
                           "dots and dashes");
    }
    if (colon != NULL && !parse_port(colon + 1, len - host_len - 1, &url->port)) {
        return refuse(err, "the port must be a number from 1 to 65535");
    }
    url->host = lower(text, host_len);
    return ERR_OK;
}

static enum err_code
parse_rest(const char *rest, struct url *url, struct err *err)
{
    size_t path_len = strcspn(rest, "?");
    url->path = part(rest, path_len);
    if (!url_decode(url->path)) {
        return refuse(err, "a '%' in the path must be followed by two hex digits, and not 00");
    }
    if (rest[path_len] == '?' && rest[path_len + 1] != '\0') {
        url->query = mem_text(rest + path_len + 1);
    }
    for (const char *at = url->query; at != NULL && *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == '#' || (unsigned char)*at >= 0x7f) {
            return refuse(err, "the query has characters that must be percent-encoded");
        }
    }
    return ERR_OK;
}

enum err_code
url_parse(const char *address, struct url *ret_url, struct err *err)
{
    struct url url = {0};
    const char *colon = strstr(address, "://");
    if (colon == NULL) {
        return refuse(err, "it has no '://'");
    }
    if (strlen(address) > URL_BYTES_MAX) {
        return refuse(err, "it has more than 8192 bytes");
    }
    url.scheme = lower(address, (size_t)(colon - address));
    if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0) {
        mem_give(url.scheme);
        return refuse(err, "its scheme must be http or https");
    }
    const char *authority = colon + 3;
    size_t len = strcspn(authority, "/?#");
    enum err_code code = parse_authority(authority, len, &url, err);
    if (code == ERR_OK && strchr(authority + len, '#') != NULL) {
        code = refuse(err, "'#' must be written %23");
    }
    code = code == ERR_OK ? parse_rest(authority + len, &url, err) : code;
    if (code != ERR_OK) {
        url_done(&url);
        return code;
    }
    *ret_url = url;
    return ERR_OK;
}

void
url_done(struct url *url)
{
    if (url->query != NULL) {
        secret_wipe(url->query, strlen(url->query));
    }
    mem_give(url->scheme);
    mem_give(url->host);
    mem_give(url->path);
    mem_give(url->query);
    *url = (struct url){0};
}

void
url_encode(struct text *out, const char *bytes, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *bytes != '\0'; bytes++) {
        unsigned char c = (unsigned char)*bytes;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                        (c == '/' && keep_slash);
        if (is_plain) {
            text_add_char(out, (char)c);
        } else {
            const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            text_add(out, escape, sizeof escape);
        }
    }
}

static int
hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool
url_decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_value(in[1]);
        int low = high < 0 ? -1 : hex_value(in[2]);
        if (low < 0 || high + low == 0) {
            return false;
        }
        *out++ = (char)(high << 4 | low);
        in += 2;
    }
    *out = '\0';
    return true;
}

void
url_display(const struct url *url, struct text *out)
{
    text_addf(out, "%s://%s", url->scheme, url->host);
    if (url->port != 0) {
        text_addf(out, ":%u", url->port);
    }
    url_encode(out, url->path, true);
}
