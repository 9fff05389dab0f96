#include "base/utf8.h"

#include <stdint.h>

static bool
is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

unsigned
utf8_length(const char *str)
{
    const unsigned char *at = (const unsigned char *)str;
    if (at[0] < 0x80) {
        return at[0] == 0 ? 0 : 1;
    }
    if (at[0] >= 0xc2 && at[0] <= 0xdf) {
        return is_tail(at[1]) ? 2 : 0;
    }
    if (at[0] >= 0xe0 && at[0] <= 0xef) {
        bool is_bad = !is_tail(at[1]) || (at[0] == 0xe0 && at[1] < 0xa0) ||
                      (at[0] == 0xed && at[1] > 0x9f) || !is_tail(at[2]);
        return is_bad ? 0 : 3;
    }
    if (at[0] >= 0xf0 && at[0] <= 0xf4) {
        bool is_bad = !is_tail(at[1]) || (at[0] == 0xf0 && at[1] < 0x90) ||
                      (at[0] == 0xf4 && at[1] > 0x8f) || !is_tail(at[2]) || !is_tail(at[3]);
        return is_bad ? 0 : 4;
    }
    return 0;
}

bool
utf8_is_valid(const char *str)
{
    while (*str != '\0') {
        unsigned len = utf8_length(str);
        if (len == 0) {
            return false;
        }
        str += len;
    }
    return true;
}
