/*
 * base/utf8.h - is it UTF-8? File names are bytes; what leaves the program as text has to be.
 *
 *   source   RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>

/* Bytes of the character at str (1 to 4), or 0 if none begins here. Reads no further than its NUL.
 */
unsigned utf8_length(const char *str);
bool utf8_is_valid(const char *str);

#endif
