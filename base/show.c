#include "base/show.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HIDDEN         "REDACTED"
#define GAP            "..."
#define BASE64_LEN_MIN 40U
#define TOKEN_LEN_MIN  20U

/* ---- short and printable ---- */

static bool
is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static size_t
width(char c)
{
    return is_control(c) ? 4 : 1;
}

static bool
is_continuation(char c)
{
    return ((unsigned char)c & 0xc0U) == 0x80U;
}

static char *
put(char *at, const char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_control(text[i])) {
            const char shown[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
            memcpy(at, shown, sizeof shown);
            at += sizeof shown;
        } else {
            *at++ = text[i];
        }
    }
    return at;
}

void
show_middle(const char *text, char *out, size_t room)
{
    size_t len = strlen(text);
    size_t all = 0;
    ASSERT(room > 2 * sizeof GAP);
    for (size_t i = 0; i < len; i++) {
        all += width(text[i]);
    }
    if (all < room) {
        *put(out, text, len) = '\0';
        return;
    }
    size_t most = room - sizeof GAP;
    size_t head = 0;
    size_t used = 0;
    while (used + width(text[head]) <= most / 2) {
        used += width(text[head++]);
    }
    while (head > 0 && is_continuation(text[head])) {
        used -= width(text[--head]);
    }
    size_t tail = len;
    while (tail > head && used + width(text[tail - 1]) <= most) {
        used += width(text[--tail]);
    }
    while (tail < len && is_continuation(text[tail])) {
        tail++;
    }
    char *at = put(out, text, head);
    at = put(at, GAP, sizeof GAP - 1);
    *put(at, text + tail, len - tail) = '\0';
}

/* ---- without what is secret ---- */

/* What stands before a credential, and where that ends. */
static const struct {
    const char *key;
    const char *ends;
} keys[] = {
    {"sig=", "&;# \t\"'"},      {"sig%3d", "%&;# \t\"'"},
    {"accountkey=", "; \t\"'"}, {"sharedaccesssignature=", "; \t\"'"},
    {"bearer ", " \t\"'"},
};

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/*
 * The length of an account's key or a bearer token at `at`; 0 if it is none. A key is long Base64
 * with its padding, behind which nothing goes on (".../table/year=2026" is a folder). A token is
 * parts of Base64, the first of which begins with '{"'.
 */
static size_t
bare_secret(const char *word, const char *at)
{
    if (at > word && (isalnum((unsigned char)at[-1]) != 0 || at[-1] == '/' || at[-1] == '+')) {
        return 0;
    }
    size_t len = strspn(at, LETTERS "+/");
    size_t pads = strspn(at + len, "=");
    bool is_padded = pads > 1 || (pads == 1 && isalnum((unsigned char)at[len + 1]) == 0);
    if (len >= BASE64_LEN_MIN && is_padded) {
        return len + pads;
    }
    len = strspn(at, LETTERS "-_.");
    return len >= TOKEN_LEN_MIN && strncmp(at, "eyJ", 3) == 0 ? len : 0;
}

/* The length of the key that begins at `at`, a part of word; 0 if none does. */
static size_t
key_at(const char *word, const char *at, const char **ret_ends)
{
    if (at > word && isalnum((unsigned char)at[-1]) != 0 && !(at - word >= 3 && at[-3] == '%')) {
        return 0;
    }
    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        size_t len = strlen(keys[i].key);
        if (strncasecmp(at, keys[i].key, len) == 0 && at[len] != '\0') {
            *ret_ends = keys[i].ends;
            return len;
        }
    }
    return 0;
}

/* From "://" on: a user's name and password before the host, and a query, are not shown at all. */
static const char *
skip_authority(const char *at, struct text *out)
{
    at += 3;
    size_t host_len = strcspn(at, "/?#");
    const char *user_end = memrchr(at, '@', host_len);
    text_add_str(out, "://");
    if (user_end != NULL) {
        text_add_str(out, HIDDEN);
        at = user_end;
    }
    return at;
}

/* True if something was left out. */
static bool
redact(const char *word, struct text *out)
{
    bool is_address = false;
    bool did = false;
    for (const char *at = word; *at != '\0';) {
        const char *ends = NULL;
        size_t key_len = key_at(word, at, &ends);
        size_t bare_len = bare_secret(word, at);
        if (strncmp(at, "://", 3) == 0) {
            const char *next = skip_authority(at, out);
            did = did || *next == '@';
            is_address = true;
            at = next;
        } else if (is_address && *at == '?' && at[1] != '\0') {
            text_add_str(out, "?" HIDDEN);
            at += strcspn(at, " \t\"'");
            did = true;
        } else if (key_len > 0) {
            text_add(out, at, key_len);
            text_add_str(out, HIDDEN);
            at += key_len + strcspn(at + key_len, ends);
            did = true;
        } else if (bare_len > 0) {
            text_add_str(out, HIDDEN);
            at += bare_len;
            did = true;
        } else {
            text_add_char(out, *at++);
        }
    }
    return did;
}

void
show_redacted(const char *words, struct text *out)
{
    (void)redact(words, out);
}

const char *
show_typed(const char *typed, char out[static SHOW_BYTES])
{
    AUTO_TEXT clean = TEXT_INIT;
    (void)redact(typed, &clean);
    show_middle(text_str(&clean), out, SHOW_BYTES);
    return out;
}

bool
show_has_secret(const char *word)
{
    AUTO_TEXT clean = TEXT_INIT;
    return redact(word, &clean);
}

bool
show_is_address(const char *word)
{
    word += strspn(word, " \t\r\n\"'");
    size_t len = 0;
    while (isalnum((unsigned char)word[len]) != 0 ||
           (len > 0 && strchr("+-.", word[len]) != NULL && word[len] != '\0')) {
        len++;
    }
    return len > 0 && strncmp(word + len, "://", 3) == 0;
}
