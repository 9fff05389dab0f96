#include "ingest/copy/filter.h"

#include <string.h>

/* The members of "[...]" at p; where it ends; a negated set starts with '!' or '^'. */
static const char *
match_set(const char *p, char c, bool *ret_is_match)
{
    bool is_negated = p[1] == '!' || p[1] == '^';
    bool is_match = false;
    const char *at = p + 1 + (is_negated ? 1 : 0);
    for (bool is_first = true; *at != '\0' && (is_first || *at != ']'); is_first = false) {
        unsigned char low = (unsigned char)*at;
        unsigned char high = low;
        if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
            high = (unsigned char)at[2];
            at += 2;
        }
        at++;
        if ((unsigned char)c >= low && (unsigned char)c <= high) {
            is_match = true;
        }
    }
    *ret_is_match = is_match != is_negated && c != '/';
    return *at == ']' ? at + 1 : at;
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
    bool deep_is_folders = false;
    while (true) {
        if (pattern[0] == '*') {
            if (pattern[1] == '*') {
                pattern += 2;
                /* With its slash it stands for whole folders, also for none at all. */
                deep_is_folders = *pattern == '/';
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
    if (pattern[0] == '\0') {
        return err_set(err, ERR_USAGE, "%s: the pattern is empty", option);
    }
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == '[' && strchr(at + 1, ']') == NULL) {
            return err_set(err, ERR_USAGE,
                           "%s: '[' without ']' in '%s'; write '\\[' for the character itself",
                           option, pattern);
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
