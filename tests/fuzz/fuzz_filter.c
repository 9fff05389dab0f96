/*
 * A pattern (first line) against a path (the rest): the matcher, which never goes back further than
 * the last star, says the same as a table of all prefixes, which cannot miss a way.
 */
#include "base/arena.h"
#include "ingest/copy/filter.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define LENGTH_MAX 200

/* Does pattern p match path s, each in turn from its end? Row i, column j: p+i against s+j. */
struct table {
    bool matches[LENGTH_MAX + 1][LENGTH_MAX + 1];
};
static struct table table;

static bool
in_set(const char *set, size_t len, char c)
{
    bool is_negated = set[0] == '!' || set[0] == '^';
    bool is_in = false;
    for (size_t i = is_negated ? 1 : 0; i < len; i++) {
        unsigned char low = (unsigned char)set[i];
        unsigned char high = low;
        if (i + 2 < len && set[i + 1] == '-') {
            high = (unsigned char)set[i + 2];
            i += 2;
        }
        is_in = is_in || ((unsigned char)c >= low && (unsigned char)c <= high);
    }
    return is_in != is_negated && c != '/';
}

/* Length of one element that stands for one character, and whether c is one. */
static size_t
one(const char *p, char c, bool *ret_fits)
{
    if (*p == '[') {
        size_t first = p[1] == '!' || p[1] == '^' ? 2 : 1;
        const char *end = p[first] == '\0' ? NULL : strchr(p + first + 1, ']');
        if (end == NULL) { /* no element begins here: it is within a set, or escaped */
            *ret_fits = false;
            return 1;
        }
        *ret_fits = in_set(p + 1, (size_t)(end - p) - 1, c);
        return (size_t)(end - p) + 1;
    }
    bool is_escaped = *p == '\\' && p[1] != '\0';
    *ret_fits = *p == '?' ? c != '/' : c == (is_escaped ? p[1] : *p);
    return is_escaped ? 2 : 1;
}

static bool
cell(const char *pattern, const char *path, size_t i, size_t j)
{
    const char *p = pattern + i;
    const char *s = path + j;
    bool fits = false;
    if (p[0] == '\0') {
        return s[0] == '\0';
    }
    if (p[0] == '*' && p[1] == '*') {
        bool is_folders = p[2] == '/' && (i == 0 || p[-1] == '/');
        /* "**" with its slash: nothing, or all up to and with a slash; without: anything. */
        for (size_t k = 0; is_folders && s[k] != '\0'; k++) {
            fits = fits || (s[k] == '/' && table.matches[i + 3][j + k + 1]);
        }
        return is_folders ? fits || table.matches[i + 3][j]
                          : table.matches[i + 2][j] || (s[0] != '\0' && table.matches[i][j + 1]);
    }
    if (p[0] == '*') {
        return table.matches[i + 1][j] || (s[0] != '\0' && s[0] != '/' && table.matches[i][j + 1]);
    }
    size_t len = one(p, s[0], &fits);
    return s[0] != '\0' && fits && table.matches[i + len][j + 1];
}

static bool
match_slowly(const char *pattern, const char *path)
{
    for (size_t i = strlen(pattern) + 1; i-- > 0;) {
        for (size_t j = strlen(path) + 1; j-- > 0;) {
            table.matches[i][j] = cell(pattern, path, i, j);
        }
    }
    return table.matches[0][0];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *path = strchr(text, '\n');
    if (path != NULL && path - text <= LENGTH_MAX && strlen(path + 1) <= LENGTH_MAX) {
        *path++ = '\0';
        const char *const patterns[] = {text};
        const struct filter filter = {.includes = patterns, .include_count = 1};
        struct err err = ERR_NONE;
        if (filter_check(&filter, &err) == ERR_OK) {
            FUZZ_MUST(filter_glob(text, path) == match_slowly(text, path));
            (void)filter_takes(&filter, path);
        } else {
            FUZZ_MUST(err.code == ERR_USAGE);
        }
    }
    mem_give(text);
    return 0;
}
