/*
 * ingest/copy/filter.h - which items a copy takes: the --include and --exclude globs.
 *
 * A pattern without '/' is matched against the last component, one with '/' against the whole
 * relative path; '*' and '?' do not match '/', '**' does. An item is taken if it matches an include
 * (or there is none) and no exclude. A folder that an exclude matches is not walked at all.
 *
 *   shape    patterns are borrowed from the command line for the whole run
 *   thread   any
 *   errors   ERR_USAGE: an empty pattern, or an unclosed '['
 */
#ifndef INGEST_COPY_FILTER_H
#define INGEST_COPY_FILTER_H

#include "base/err.h"

#include <stdbool.h>

struct filter {
    const char *const *includes;
    unsigned include_count;
    const char *const *excludes;
    unsigned exclude_count;
};

MUST_USE enum err_code filter_check(const struct filter *filter, struct err *err);
bool filter_takes(const struct filter *filter, const char *path);
bool filter_walks(const struct filter *filter, const char *folder);
/* One pattern against one path. */
bool filter_glob(const char *pattern, const char *path);

#endif
