/*
 * ingest/device/check.h - a whole device tree, looked at before the first byte moves.
 *
 * Walks the tree (metadata only, plus headers and footers of files that are to become disks), asks
 * judge.h about every entry, compares shares with their manifests, and counts what only the whole
 * tree tells: containers, files, bytes per share, names that become equal. The disks of one order
 * are checked together: several trees, one result.
 *
 *   shape    memory does not grow with the number of files but for hashes of names in one folder;
 *            what a manifest lists lies in an unlinked file (manifest_set.h). Up to CHECK_TREES_MAX
 *            trees
 *   owner    the result is the caller's: check_result_done()
 *   thread   blocks the caller; has threads of its own
 *   errors   ERR_ITEM_*: a tree itself cannot be read; ERR_STATE_FULL: no room for the tables;
 *            ERR_INTERRUPTED; findings are no errors
 */
#ifndef INGEST_DEVICE_CHECK_H
#define INGEST_DEVICE_CHECK_H

#include "ingest/device/finding.h"
#include "ingest/device/judge.h"
#include "ingest/device/manifest_set.h"

#include <stdatomic.h>

#define CHECK_TREES_MAX 16U

enum manifest_policy { MANIFEST_REQUIRE, MANIFEST_BUILD, MANIFEST_IGNORE };

struct check_options {
    const char *const *paths; /* the trees: one, or the disks of an order */
    unsigned path_count;
    struct judge_rules rules;
    enum manifest_policy manifest;
    const char *scratch_folder; /* for tables larger than memory should hold; NULL: $TMPDIR */
    unsigned threads;           /* 0: as many as cores, at most 4 */
    const atomic_int *signal;   /* not 0: stop; NULL: never */
    /* Called on the calling thread now and then; NULL: never. */
    void (*progress)(void *user, uint64_t items, uint64_t bytes);
    void *user;
    /* Each finding that the result counts, on any thread; NULL: not told. */
    void (*tell)(void *user, const struct finding *finding);
    void *tell_user;
};

/* A container or file share that something of the device becomes a part of. */
struct check_container {
    char *account;
    char *name; /* as stored */
    bool is_files;
};

struct check_result {
    struct finding_set findings; /* sorted */
    uint64_t items, bytes;       /* files that are data, whatever becomes of them */
    uint64_t files_ignored;      /* DriveManifest.xml and other things that are no data */
    uint64_t folders_empty;      /* in file shares, where they are kept */
    unsigned containers;
    unsigned accounts;
    char **account_names; /* of shares that hold data; sorted; what --account must name */
    struct check_container *stored;
    unsigned stored_count;
    struct manifest_set *manifest; /* of a single tree: what its lists say, keyed SHARE/PATH; NULL:
                                      nothing is listed, or not looked at */
    enum verdict verdict;
    /* What would make the verdict clean or warnings, as far as a machine can: the steps of the plan
     * that was given, then new ones. Empty if nothing halts. */
    struct fix_plan proposal;
    enum verdict proposal_verdict; /* with that plan; found out by looking again where it moves
                                      anything */
    unsigned fixes[FINDING_COUNT]; /* per code 1 + index of its first step in proposal; 0: none */
};

MUST_USE enum err_code check_run(const struct check_options *options,
                                 struct check_result *ret_result, struct err *err);
void check_result_done(struct check_result *result);
/* The proposed step for a group that halts; NULL: none. */
const struct fix_step *check_fix(const struct check_result *result,
                                 const struct finding_group *group);

#endif
