#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
text_done(struct text *text)
{
    free(text->bytes);
    *text = TEXT_INIT;
}

void
text_clear(struct text *text)
{
    text->len = 0;
    text->is_broken = false;
    if (text->bytes != NULL) {
        text->bytes[0] = '\0';
    }
}

static bool
make_room(struct text *text, size_t more)
{
    if (text->is_broken || more > TEXT_BYTES_MAX || text->len + more + 1 > TEXT_BYTES_MAX) {
        text->is_broken = true;
        return false;
    }
    size_t need = text->len + more + 1;
    if (need <= text->room) {
        return true;
    }
    size_t room = text->room == 0 ? 64 : text->room;
    while (room < need) {
        room *= 2;
    }
    char *bytes = realloc(text->bytes, room);
    if (bytes == NULL) {
        text->is_broken = true;
        return false;
    }
    text->bytes = bytes;
    text->room = room;
    return true;
}

void
text_add(struct text *text, const void *bytes, size_t len)
{
    if (!make_room(text, len)) {
        return;
    }
    if (len > 0) {
        memcpy(text->bytes + text->len, bytes, len);
    }
    text->len += len;
    text->bytes[text->len] = '\0';
}

void
text_add_str(struct text *text, const char *str)
{
    text_add(text, str, strlen(str));
}

void
text_add_char(struct text *text, char c)
{
    text_add(text, &c, 1);
}

void
text_addv(struct text *text, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0 || !make_room(text, (size_t)len)) {
        text->is_broken = true;
        return;
    }
    (void)vsnprintf(text->bytes + text->len, (size_t)len + 1, fmt, args);
    text->len += (size_t)len;
}

void
text_addf(struct text *text, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    text_addv(text, fmt, args);
    va_end(args);
}

const char *
text_str(const struct text *text)
{
    return text->bytes == NULL ? "" : text->bytes;
}
