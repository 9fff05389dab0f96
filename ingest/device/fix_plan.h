/*
 * ingest/device/fix_plan.h - repair steps a machine can take while copying, without touching the
 * device: data, shown in plain words, previewed by validate, applied by the engine.
 *
 * A plan rewrites paths before they are judged ("Backup/a" becomes "acct_BlockBlob/backup/a"),
 * changes the kind of blob a file becomes, renames by rule, leaves files out, or has the missing
 * manifest built. Paths are the customer's; the plan is a stranger's file until it was read whole.
 *
 *   shape    up to FIX_STEPS_MAX steps, FIX_PATHS_MAX paths over all of them
 *   owner    the plan owns everything in it
 *   thread   read-only after reading: any
 *   errors   ERR_FORMAT: not a plan, unknown step, a path that leaves the tree
 */
#ifndef INGEST_DEVICE_FIX_PLAN_H
#define INGEST_DEVICE_FIX_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"

#define FIX_PLAN_SCHEMA "sallyport.plan/1"
#define FIX_STEPS_MAX   1024
#define FIX_PATHS_MAX   100000

struct fix_step {
    enum fix_kind kind; /* FIX_NONE never stands in a plan */
    const char *from;   /* MAP, TIER: a folder or file of the tree; AS_BLOCK, AS_PAGE, SKIP: a file
                           or, with a trailing '/', all below a folder; BUILD: a share. NULL: all
                           with `code` */
    const char *to;     /* MAP: the path it is taken for; TIER: the same with the tier's own name */
    enum finding_code code; /* RENAME, SKIP, AS_BLOCK, AS_PAGE: everything with this finding */
    uint64_t count;         /* how many entries it was made for; shown, not applied */
};

struct fix_plan {
    struct arena arena;
    struct fix_step *steps;
    unsigned count;
    unsigned room;
};

void fix_plan_init(struct fix_plan *plan);
void fix_plan_done(struct fix_plan *plan);
/* Texts are copied. */
MUST_USE enum err_code fix_plan_add(struct fix_plan *plan, const struct fix_step *step,
                                    struct err *err);
MUST_USE enum err_code fix_plan_read(const char *bytes, size_t len, struct fix_plan *ret_plan,
                                     struct err *err);
MUST_USE enum err_code fix_plan_load(const char *path, struct fix_plan *ret_plan, struct err *err);
/* The same JSON, canonical: one plan has one text and so one SHA-256. */
void fix_plan_write(const struct fix_plan *plan, struct text *out);
struct json;
void fix_step_json(const struct fix_step *step, struct json *json); /* one step as an object */
/* One sentence per step, for a person who decides: "Copy folder 'Backup' into container 'backup' of
 * account 'acct', as block blobs (12 files)." */
void fix_step_words(const struct fix_step *step, struct text *out);

/* The path that `path` is taken for; false: no step concerns it and out is untouched. The most
 * specific step (longest from) wins. */
bool fix_plan_rewrite(const struct fix_plan *plan, const char *path, struct text *out);
/* Is there a step of this kind for this path or this finding? plan may be NULL. */
bool fix_plan_has(const struct fix_plan *plan, enum fix_kind kind, const char *path,
                  enum finding_code code);

#endif
