#include "bench/server/xml.h"

#include "base/utf8.h"

#include <string.h>

void
xml_escape(struct text *out, const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        switch (*at) {
        case '&': text_add_str(out, "&amp;"); break;
        case '<': text_add_str(out, "&lt;"); break;
        case '>': text_add_str(out, "&gt;"); break;
        case '"': text_add_str(out, "&quot;"); break;
        /* A bare carriage return would be read as a line feed. */
        case '\r': text_add_str(out, "&#xD;"); break;
        default: text_add_char(out, *at); break;
        }
    }
}

void
xml_add(struct text *out, const char *tag, const char *value)
{
    text_addf(out, "<%s>", tag);
    xml_escape(out, value);
    text_addf(out, "</%s>", tag);
}

static bool
fits_xml(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            return false;
        }
    }
    /* U+FFFE and U+FFFF are UTF-8 and yet no characters. */
    return utf8_is_valid(name) && strstr(name, "\xef\xbf\xbe") == NULL &&
           strstr(name, "\xef\xbf\xbf") == NULL;
}

void
xml_add_name(struct text *out, const char *tag, const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    if (fits_xml(name)) {
        xml_add(out, tag, name);
        return;
    }
    text_addf(out, "<%s Encoded=\"true\">", tag);
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || strchr("-_.~/", c) != NULL;
        if (is_plain) {
            text_add_char(out, (char)c);
        } else {
            text_add_char(out, '%');
            text_add_char(out, digits[c >> 4]);
            text_add_char(out, digits[c & 15]);
        }
    }
    text_addf(out, "</%s>", tag);
}
