#include "ingest/copy/filter.h"

#include "base/show.h"

#include <string.h>

/* Where the members of "[...]" at p begin; a negated set starts with '!' or '^'. */
static const char *
set_begin(const char *p)
{
    return p + (p[1] == '!' || p[1] == '^' ? 2 : 1);
}

/* The ']' that closes it, NULL if none does; one that stands first is a member. */
static const char *
set_end(const char *p)
{
    const char *first = set_begin(p);
    return *first == '\0' ? NULL : strchr(first + 1, ']');
}

/* Is c in the set at p? filter_check() has seen to it that it is closed. */
static const char *
match_set(const char *p, char c, bool *ret_is_match)
{
    const char *end = set_end(p);
    bool is_match = false;
    if (end == NULL) {
        *ret_is_match = false;
        return p + 1;
    }
    for (const char *at = set_begin(p); at < end; at++) {
        unsigned char low = (unsigned char)*at;
        unsigned char high = low;
        if (at + 2 < end && at[1] == '-') {
            high = (unsigned char)at[2];
            at += 2;
        }
        if ((unsigned char)c >= low && (unsigned char)c <= high) {
            is_match = true;
        }
    }
    *ret_is_match = is_match != (set_begin(p) == p + 2) && c != '/';
    return end + 1;
}

/* One step of the pattern against one character; where the pattern goes on, or NULL. */
static const char *
match_one(const char *pattern, char c)
{
    bool is_match = false;
    const char *next = pattern + 1;
    switch (*pattern) {
    case '?': is_match = c != '/'; break;
    case '[': next = match_set(pattern, c, &is_match); break;
    case '\\':
        if (pattern[1] != '\0') {
            is_match = pattern[1] == c;
            next = pattern + 2;
            break;
        }
        is_match = c == '\\';
        break;
    default: is_match = *pattern == c; break;
    }
    return is_match ? next : NULL;
}

/*
 * Linear in practice: of each kind of star only the last one is ever tried again, because an
 * earlier star taking more can never help a later one of the same kind.
 */
bool
filter_glob(const char *pattern, const char *path)
{
    const char *star = NULL; /* the pattern after the last '*' */
    const char *star_at = NULL;
    const char *deep = NULL; /* the pattern after the last '**' */
    const char *deep_at = NULL;
    const char *begin = pattern;
    bool deep_is_folders = false;
    while (true) {
        if (pattern[0] == '*') {
            if (pattern[1] == '*') {
                /* Between slashes it stands for whole folders, also for none at all. */
                deep_is_folders = pattern[2] == '/' && (pattern == begin || pattern[-1] == '/');
                pattern += 2;
                pattern += deep_is_folders ? 1 : 0;
                deep = pattern;
                deep_at = path;
                star = NULL;
            } else {
                star = ++pattern;
                star_at = path;
            }
            continue;
        }
        if (*path == '\0' && *pattern == '\0') {
            return true;
        }
        const char *next = *path == '\0' || *pattern == '\0' ? NULL : match_one(pattern, *path);
        if (next != NULL) {
            pattern = next;
            path++;
        } else if (star != NULL && *star_at != '\0' && *star_at != '/') {
            pattern = star;
            path = ++star_at;
        } else if (deep != NULL && *deep_at != '\0') {
            const char *slash = deep_is_folders ? strchr(deep_at, '/') : deep_at;
            if (slash == NULL) {
                return false;
            }
            pattern = deep;
            path = deep_at = slash + 1;
            star = NULL;
        } else {
            return false;
        }
    }
}

static bool
matches(const char *pattern, const char *path)
{
    if (strchr(pattern, '/') != NULL) {
        return filter_glob(pattern[0] == '/' ? pattern + 1 : pattern, path);
    }
    const char *slash = strrchr(path, '/');
    return filter_glob(pattern, slash == NULL ? path : slash + 1);
}

static enum err_code
check_pattern(const char *option, const char *pattern, struct err *err)
{
    char shown[SHOW_BYTES];
    if (pattern[0] == '\0') {
        return err_set(err, ERR_USAGE, "%s: the pattern is empty", option);
    }
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == '[') {
            at = set_end(at);
            if (at == NULL) {
                return err_set(err, ERR_USAGE,
                               "%s: '[' without ']' in '%s'; write '\\[' for the character itself",
                               option, show_typed(pattern, shown));
            }
        }
    }
    return ERR_OK;
}

enum err_code
filter_check(const struct filter *filter, struct err *err)
{
    for (unsigned i = 0; i < filter->include_count; i++) {
        enum err_code code = check_pattern("--include", filter->includes[i], err);
        if (code != ERR_OK) {
            return code;
        }
    }
    for (unsigned i = 0; i < filter->exclude_count; i++) {
        enum err_code code = check_pattern("--exclude", filter->excludes[i], err);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static bool
is_excluded(const struct filter *filter, const char *path)
{
    for (unsigned i = 0; i < filter->exclude_count; i++) {
        if (matches(filter->excludes[i], path)) {
            return true;
        }
    }
    return false;
}

bool
filter_takes(const struct filter *filter, const char *path)
{
    bool is_taken = filter->include_count == 0;
    for (unsigned i = 0; i < filter->include_count && !is_taken; i++) {
        is_taken = matches(filter->includes[i], path);
    }
    return is_taken && !is_excluded(filter, path);
}

bool
filter_walks(const struct filter *filter, const char *folder)
{
    return !is_excluded(filter, folder);
}
