/*
 * ingest/device/check.h - a whole device tree, looked at before the first byte moves.
 *
 * Walks the tree (metadata only, plus headers and footers of files that are to become disks), asks
 * judge.h about every entry, compares shares with their manifests, and counts what only the whole
 * tree tells: containers, files, bytes per share, names that become equal.
 *
 *   shape    memory does not grow with the number of files but for hashes of names in one folder
 *   owner    the result is the caller's: check_result_done()
 *   thread   blocks the caller; may use threads of its own
 *   errors   ERR_STORE_GONE, ERR_ITEM_ACCESS: the tree itself cannot be read; findings are
 *            no errors
 */
#ifndef INGEST_DEVICE_CHECK_H
#define INGEST_DEVICE_CHECK_H

#include "ingest/device/finding.h"
#include "ingest/device/judge.h"

#include <stdatomic.h>

enum manifest_policy { MANIFEST_REQUIRE, MANIFEST_BUILD, MANIFEST_IGNORE };

struct check_options {
    const char *path;
    struct judge_rules rules;
    enum manifest_policy manifest;
    const char *scratch_folder; /* for tables larger than memory should hold; NULL: $TMPDIR */
    const atomic_int *signal;   /* not 0: stop; NULL: never */
};

struct check_result {
    struct finding_set findings;
    uint64_t items, bytes;
    uint64_t files_ignored; /* BOM and other things that are no data */
    unsigned containers;
    unsigned accounts;
    char **account_names; /* sorted; what --account must name */
    enum verdict verdict;
    struct fix_plan
        proposal; /* steps that would make the verdict clean or warnings; may be empty */
};

MUST_USE enum err_code check_run(const struct check_options *options,
                                 struct check_result *ret_result, struct err *err);
void check_result_done(struct check_result *result);

#endif
