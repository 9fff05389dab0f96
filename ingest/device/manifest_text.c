#include "ingest/device/manifest_text.h"

#include "base/digest.h"

#include <string.h>
#include <strings.h>

#define REFERENCE_BYTES_MAX 12U /* "&#1114111;" and some zeros */
#define VALUE_BYTES_MAX     64U
#define SHOWN_BYTES_MAX     40

/* ---- References ---- */

// clang-format off
/* One more than the value of a digit, 0 for what is none: branches on random digits are slow. */
static const uint8_t digits[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5,
    ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
// clang-format on

/* Digits of base; false: others, none, or more than max. */
static bool
parse_digits(const char *text, size_t len, unsigned base, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool is_wrong = len == 0;
    for (size_t i = 0; i < len && !is_wrong; i++) {
        unsigned digit = digits[(uint8_t)text[i]] - 1U;
        is_wrong = digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
                   __builtin_add_overflow(value, digit, &value) || value > max;
    }
    if (!is_wrong) {
        *ret_value = value;
    }
    return !is_wrong;
}

static size_t
put_utf8(uint32_t c, char out[static 4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t tails = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (size_t i = tails; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((0xf0U << (3 - tails) & 0xffU) | c);
    return tails + 1;
}

/* name: what stands between '&' and ';'. 0: no reference that XML itself has. */
static size_t
resolve(const char *name, size_t len, char out[static 4])
{
    static const struct {
        const char *name;
        char c;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0) {
            out[0] = known[i].c;
            return 1;
        }
    }
    uint64_t c = 0;
    bool is_hex = len > 2 && name[0] == '#' && name[1] == 'x';
    bool is_number =
        is_hex ? parse_digits(name + 2, len - 2, 16, 0x10ffff, &c)
               : len > 1 && name[0] == '#' && parse_digits(name + 1, len - 1, 10, 0x10ffff, &c);
    return is_number && c != 0 && (c < 0xd800 || c > 0xdfff) ? put_utf8((uint32_t)c, out) : 0;
}

const char *
manifest_decode(const char *text, size_t len, char *out, size_t room, size_t *ret_len)
{
    size_t done = 0;
    for (size_t i = 0; i < len;) {
        const char *hit = memchr(text + i, '&', len - i);
        size_t plain = hit == NULL ? len - i : (size_t)(hit - text) - i;
        if (plain > room - done) {
            return MANIFEST_WHY_LONG;
        }
        memcpy(out + done, text + i, plain);
        done += plain;
        i += plain;
        if (hit == NULL) {
            break;
        }
        char bytes[4];
        size_t rest = MIN_OF(len - i, (size_t)REFERENCE_BYTES_MAX);
        const char *end = memchr(hit, ';', rest);
        size_t got = end == NULL ? 0 : resolve(hit + 1, (size_t)(end - hit) - 1, bytes);
        if (got == 0) {
            return "a '&' begins none of XML's own references";
        }
        if (got > room - done) {
            return MANIFEST_WHY_LONG;
        }
        memcpy(out + done, bytes, got);
        done += got;
        i = (size_t)(end - text) + 1;
    }
    *ret_len = done;
    return NULL;
}

long
manifest_decode_base64(char *text, size_t len, char *out, size_t room)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        text[kept] = text[i];
        kept += manifest_is_blank(text[i]) ? 0 : 1;
    }
    text[kept] = '\0';
    /* The decoder ends at a NUL; one among the text must not hide what follows. */
    return strlen(text) == kept ? base64_decode(text, out, room) : -1;
}

/* ---- Attributes ---- */

enum attr { ATTR_SIZE, ATTR_CRC64, ATTR_ENCODING, ATTR_COUNT };
static const char *const attr_names[ATTR_COUNT] = {
    [ATTR_SIZE] = "size",
    [ATTR_CRC64] = "crc64",
    [ATTR_ENCODING] = "name_encoding",
};

static enum err_code
set_size(struct manifest_attrs *attrs, const char *value, size_t len, struct err *err)
{
    if (!parse_digits(value, len, 10, INT64_MAX, &attrs->size_bytes)) {
        return err_set(err, ERR_FORMAT, "size '%.*s' is not 0 to 9223372036854775807",
                       (int)MIN_OF(len, (size_t)SHOWN_BYTES_MAX), value);
    }
    return ERR_OK;
}

/* Lists are written with hexadecimal checksums, logs with decimal ones; lists of either are met. */
static enum err_code
set_crc64(struct manifest_attrs *attrs, const char *value, size_t len, struct err *err)
{
    bool is_hex = len > 2 && value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
    attrs->has_crc64 = len > 0;
    if (len > 0 && !(is_hex ? parse_digits(value + 2, len - 2, 16, UINT64_MAX, &attrs->crc64)
                            : parse_digits(value, len, 10, UINT64_MAX, &attrs->crc64))) {
        return err_set(err, ERR_FORMAT,
                       "crc64 '%.*s' is neither 0x and hexadecimal nor a number "
                       "of 64 bits",
                       (int)MIN_OF(len, (size_t)SHOWN_BYTES_MAX), value);
    }
    return ERR_OK;
}

static enum err_code
set_encoding(struct manifest_attrs *attrs, const char *value, size_t len, struct err *err)
{
    attrs->is_base64 = len == 6 && strncasecmp(value, "base64", 6) == 0;
    if (len > 0 && !attrs->is_base64) {
        return err_set(err, ERR_FORMAT, "name_encoding '%.*s' is not Base64",
                       (int)MIN_OF(len, (size_t)SHOWN_BYTES_MAX), value);
    }
    return ERR_OK;
}

static enum attr
find_attr(const char *name, size_t len)
{
    enum attr attr = ATTR_SIZE;
    while (attr < ATTR_COUNT &&
           (strlen(attr_names[attr]) != len || strncasecmp(attr_names[attr], name, len) != 0)) {
        attr++;
    }
    return attr;
}

static enum err_code
set_attr(struct manifest_attrs *attrs, enum attr attr, const char *value, size_t len,
         struct err *err)
{
    typedef enum err_code set_fn(struct manifest_attrs *, const char *, size_t, struct err *);
    static set_fn *const set[ATTR_COUNT] = {set_size, set_crc64, set_encoding};
    char plain[VALUE_BYTES_MAX];
    size_t plain_len = 0;
    const char *why = manifest_decode(value, len, plain, sizeof plain, &plain_len);
    if (why != NULL) {
        return err_set(err, ERR_FORMAT, "%s '%.*s...' cannot be read", attr_names[attr],
                       (int)MIN_OF(len, (size_t)SHOWN_BYTES_MAX), value);
    }
    size_t begin = 0;
    while (begin < plain_len && manifest_is_blank(plain[begin])) {
        begin++;
    }
    while (plain_len > begin && manifest_is_blank(plain[plain_len - 1])) {
        plain_len--;
    }
    return set[attr](attrs, plain + begin, plain_len - begin, err);
}

static const char *
skip_blanks(const char *at, const char *end)
{
    while (at < end && manifest_is_blank(*at)) {
        at++;
    }
    return at;
}

/* name = "value"; the name's length and where the value is. False: it is not so. */
static bool
split_attr(const char *name, const char *end, size_t *ret_name_len, const char **ret_value,
           size_t *ret_len)
{
    const char *at = name;
    while (at < end && !manifest_is_blank(*at) && *at != '=' && *at != '"' && *at != '\'') {
        at++;
    }
    *ret_name_len = (size_t)(at - name);
    at = skip_blanks(at, end);
    if (*ret_name_len == 0 || at == end || *at != '=') {
        return false;
    }
    at = skip_blanks(at + 1, end);
    if (at == end || (*at != '"' && *at != '\'')) {
        return false;
    }
    const char *close = memchr(at + 1, *at, (size_t)(end - at) - 1);
    *ret_value = at + 1;
    *ret_len = close == NULL ? 0 : (size_t)(close - at) - 1;
    return close != NULL;
}

enum err_code
manifest_parse_attrs(const char *at, const char *end, struct manifest_attrs *ret_attrs,
                     struct err *err)
{
    struct manifest_attrs attrs = {0};
    bool has[ATTR_COUNT + 1] = {false};
    enum err_code code = ERR_OK;
    for (at = skip_blanks(at, end); at < end && code == ERR_OK; at = skip_blanks(at, end)) {
        size_t name_len = 0;
        size_t len = 0;
        const char *value = NULL;
        if (!split_attr(at, end, &name_len, &value, &len)) {
            return err_set(err, ERR_FORMAT, "an entry's attributes are damaged near '%.*s'",
                           (int)MIN_OF((size_t)(end - at), (size_t)SHOWN_BYTES_MAX), at);
        }
        enum attr attr = find_attr(at, name_len);
        if (attr != ATTR_COUNT && has[attr]) {
            return err_set(err, ERR_FORMAT, "an entry has two attributes %s", attr_names[attr]);
        }
        has[attr] = true;
        code = attr == ATTR_COUNT ? ERR_OK : set_attr(&attrs, attr, value, len, err);
        at = value + len + 1;
    }
    if (code == ERR_OK && !has[ATTR_SIZE]) {
        return err_set(err, ERR_FORMAT, "an entry has no size");
    }
    if (code == ERR_OK) {
        *ret_attrs = attrs;
    }
    return code;
}
