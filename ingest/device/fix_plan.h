/*
 * ingest/device/fix_plan.h - repair steps a machine can take while copying, without touching the
 * device: data, shown in plain words, previewed by validate, applied by the engine.
 *
 * A plan rewrites paths before they are judged ("Backup/a" becomes "acct_BlockBlob/backup/a"),
 * changes the kind of blob a file becomes, renames by rule, leaves files out, or has the missing
 * manifest built. Paths are the customer's; the plan is a stranger's file until it was read whole.
 *
 * Of the steps that concern a path the most specific wins, whatever their order; a second step for
 * the same path, or the same finding, is refused, so that no plan says two things at once.
 *
 *   shape    up to FIX_STEPS_MAX steps, paths of up to FIX_PATH_BYTES_MAX bytes and up to
 *            FIX_PATHS_BYTES_MAX bytes over all of them, so that what is written can be read
 *   owner    the plan owns everything in it
 *   thread   read-only after reading: any
 *   errors   ERR_FORMAT: not a plan, unknown step, a path that leaves the tree, two steps that
 *            contradict each other; the text names the step (from 1) and the key
 */
#ifndef INGEST_DEVICE_FIX_PLAN_H
#define INGEST_DEVICE_FIX_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"

#define FIX_PLAN_SCHEMA     "sallyport.plan/1"
#define FIX_STEPS_MAX       10000
#define FIX_PATH_BYTES_MAX  8192
#define FIX_PATHS_BYTES_MAX ((size_t)2 << 20)
#define FIX_PLAN_BYTES_MAX  ((size_t)16 << 20) /* of the text */

struct fix_step {
    enum fix_kind kind; /* FIX_NONE never stands in a plan */
    const char *from;   /* a path of the tree as it lies there. MAP, TIER: a folder or file; BUILD:
                           a share; AS_BLOCK, AS_PAGE, SKIP: a file or, with a trailing '/', a
                           folder and all below it, or NULL: all with `code` */
    const char *to;     /* MAP: the path it is taken for; TIER: the same with the tier's own name */
    enum finding_code code; /* RENAME, SKIP, AS_BLOCK, AS_PAGE: everything with this finding */
    uint64_t count;         /* how many entries it was made for; shown, not applied */
};

/* Kinds of steps that answer the same question of a path, so that one of them excludes others. */
enum fix_class { FIX_PLACE, FIX_TYPE, FIX_NAMES, FIX_MANIFESTS, FIX_LEAVE, FIX_CLASS_COUNT };

struct fix_plan {
    struct arena arena;
    struct fix_step *steps; /* as they were added */
    unsigned *order;        /* those with a path, by class and path: what is looked up */
    unsigned order_ends[FIX_CLASS_COUNT];
    enum fix_kind by_code[FIX_CLASS_COUNT][FINDING_COUNT];
    unsigned count;
    unsigned room;
    size_t path_bytes;
};

void fix_plan_init(struct fix_plan *plan);
void fix_plan_done(struct fix_plan *plan);
/* Texts are copied. What a plan must not hold is refused, as when it is read. */
MUST_USE enum err_code fix_plan_add(struct fix_plan *plan, const struct fix_step *step,
                                    struct err *err);
/* ret_plan need not be initialised; after ERR_OK it is given back with fix_plan_done(). */
MUST_USE enum err_code fix_plan_read(const char *bytes, size_t len, struct fix_plan *ret_plan,
                                     struct err *err);
MUST_USE enum err_code fix_plan_load(const char *path, struct fix_plan *ret_plan, struct err *err);
/* The same JSON, canonical: one plan has one text, without a newline at its end, and so one
 * SHA-256. */
void fix_plan_write(const struct fix_plan *plan, struct text *out);
struct json;
void fix_step_json(const struct fix_step *step, struct json *json); /* one step as an object */
/* One sentence per step, for a person who decides: "Copy 'Backup' into container 'backup' of
 * account 'acct', as block blobs (12 files)." Bytes that a terminal would obey, or an eye would
 * mistake, are shown as \xNN. */
void fix_step_words(const struct fix_step *step, struct text *out);

/* The path that `path` is taken for; false: no step concerns it and out is untouched. Otherwise
 * out, the caller's text, holds the new path alone. Whole components only: a step for "Backup"
 * says nothing of "Backup2". plan may be NULL. Time: length of path by logarithm of steps. */
bool fix_plan_rewrite(const struct fix_plan *plan, const char *path, struct text *out);
/* Does a step of this kind settle this path (as it lies on the device; NULL: any) or, where no
 * step of a kind that excludes this one names the path, this finding? plan may be NULL. */
bool fix_plan_has(const struct fix_plan *plan, enum fix_kind kind, const char *path,
                  enum finding_code code);

#endif
