/*
 * base/text.h - a growing byte string, always NUL terminated.
 *
 *   shape    up to TEXT_BYTES_MAX; beyond that, or when memory is gone, is_broken is set, further
 *            appends do nothing, and the caller checks once at the end
 *   owner    text_done() frees; text_take() moves the bytes out (then free() by text_free_bytes)
 *   thread   one at a time
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/attr.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_BYTES_MAX ((size_t)64 << 20)

struct text {
    char *bytes; /* never NULL after the first append; use text_str() */
    size_t len;
    size_t room;
    bool is_broken;
};

#define TEXT_INIT ((struct text){0})
#define AUTO_TEXT CLEANUP(text_done) struct text

void text_done(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
void text_add(struct text *text, const void *bytes, size_t len);
void text_add_str(struct text *text, const char *str);
void text_add_char(struct text *text, char c);
void text_addf(struct text *text, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_addv(struct text *text, const char *fmt, va_list args);
const char *text_str(const struct text *text); /* "" when empty */

#endif
