#include "ingest/device/log_value.h"

#include "base/digest.h"
#include "ingest/device/log_read.h"

#include <string.h>

#define VALUE_MAX ((size_t)BASE64_ROOM(LOG_TEXT_MAX + 1)) /* a name in Base64, with its '\\' */

void
log_value_clear(struct log_value *value)
{
    text_clear(&value->text);
    value->is_there = false;
    value->is_cut = false;
}

void
log_value_add(struct log_value *value, const char *bytes, size_t len)
{
    size_t room = VALUE_MAX - value->text.len;
    value->is_there = true;
    value->is_cut = value->is_cut || len > room;
    text_add(&value->text, bytes, MIN_OF(len, room));
}

void
log_value_set(struct log_value *value, const char *str)
{
    log_value_clear(value);
    log_value_add(value, str, strlen(str));
}

/* Shorten to what is promised, at the beginning of a character. */
const char *
log_value_words(struct log_value *value)
{
    if (value->text.len > LOG_TEXT_MAX) {
        size_t len = LOG_TEXT_MAX;
        while (len > 0 && ((unsigned char)value->text.bytes[len] & 0xc0) == 0x80) {
            len--;
        }
        value->text.bytes[len] = '\0';
        value->text.len = len;
    }
    return text_str(&value->text);
}

/* Without the white space that a printer of XML may have put around it. */
const char *
log_value_trimmed(struct log_value *value)
{
    const char *words = log_value_words(value);
    while (value->text.len > 0 && strchr(" \t\r\n", value->text.bytes[value->text.len - 1])) {
        value->text.bytes[--value->text.len] = '\0';
    }
    return words + strspn(words, " \t\r\n");
}

static int
digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Decimal; hexadecimal behind "0x", or where a checksum has letters. */
bool
log_value_number(const char *text, bool may_have_letters, uint64_t *ret_number)
{
    uint64_t number = 0;
    unsigned base = may_have_letters && strpbrk(text, "abcdefABCDEF") != NULL ? 16 : 10;
    if (text[0] == '0' && (text[1] | 0x20) == 'x') {
        text += 2;
        base = 16;
    }
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)digit_of(*text);
        if (digit >= base || __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, digit, &number)) {
            return false;
        }
    }
    *ret_number = number;
    return true;
}

/* An error's number; some are written as the negative numbers that Windows shows. */
bool
log_value_code(const char *text, uint32_t *ret_code)
{
    uint64_t number = 0;
    bool is_negative = text[0] == '-';
    if (!log_value_number(text + is_negative, false, &number) || number > UINT32_MAX) {
        return false;
    }
    *ret_code = is_negative ? (uint32_t)(0 - number) : (uint32_t)number;
    return true;
}

/* ---- paths ---- */

static void
drop_blanks(const char *text, size_t len, struct text *out)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r\n", text[i]) == NULL) {
            text_add_char(out, text[i]);
        }
    }
}

/* What a path says in words of ours: '/' between, none before. Where it was Base64 and begins with
 * '/', a '\' is part of a name. */
const char *
log_value_path(const struct log_value *value, bool is_base64, bool is_own, struct text *out)
{
    char bytes[LOG_TEXT_MAX + 2]; /* a leading '\', and one too many to tell that it is too long */
    const char *from = text_str(&value->text);
    size_t len = value->text.len;
    text_clear(out);
    if (value->is_cut) {
        return "a name is too long";
    }
    if (is_base64) {
        AUTO_TEXT packed = TEXT_INIT;
        drop_blanks(from, len, &packed);
        long got = base64_decode(text_str(&packed), bytes, sizeof bytes);
        if (got < 0 || memchr(bytes, '\0', (size_t)got) != NULL) {
            return "a name is not valid Base64";
        }
        from = bytes;
        len = (size_t)got;
    } else if (is_own && strchr("\\/", from[strspn(from, " \t\r\n")]) != NULL) {
        size_t blanks = strspn(from, " \t\r\n"); /* from what prints XML in columns */
        from += blanks;
        len -= blanks;
    }
    bool is_literal = is_base64 && len > 0 && from[0] == '/';
    bool has_lead = len > 0 && (from[0] == '/' || from[0] == '\\');
    text_add(out, from + has_lead, len - has_lead);
    for (size_t i = 0; i < out->len && !is_literal; i++) {
        if (out->bytes[i] == '\\') {
            out->bytes[i] = '/';
        }
    }
    if (out->len == 0) {
        return "a name is missing";
    }
    return out->len > LOG_TEXT_MAX ? "a name is too long" : NULL;
}
