/*
 * ingest/device/finding.h - thousands of findings grouped into causes, with counts and examples.
 *
 * The same code may halt for one path and not for another (a plan has settled it there), so a group
 * is a code together with its class and its cause.
 *
 *   shape    up to FINDING_GROUPS_MAX groups; up to FINDING_EXAMPLES_MAX example paths each, the
 *            first seen
 *   owner    the set owns the paths it keeps
 *   thread   one; finding_set_merge() joins what several threads found
 *   source   docs/DEVICES.md; the codes are catalogue.h's
 */
#ifndef INGEST_DEVICE_FINDING_H
#define INGEST_DEVICE_FINDING_H

#include "base/arena.h"
#include "base/json.h"
#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"
#include "ingest/device/fix_plan.h"

#include <stdbool.h>
#include <stdint.h>

#define FINDING_EXAMPLES_MAX 5
#define FINDING_GROUPS_MAX   (2U * FINDING_COUNT)

enum verdict { VERDICT_CLEAN, VERDICT_WARNINGS, VERDICT_HALT, VERDICT_LEVELS };

/* One thing noticed about one path. */
struct finding {
    enum finding_code code;
    enum finding_class cls; /* NONE: the catalogue's */
    bool is_settled;        /* by policy or plan: does not halt any more */
    const char *path;       /* relative to the device's root; NULL: the whole device */
    uint64_t bytes;         /* of the file concerned */
};

struct finding_group {
    enum finding_code code;
    enum finding_class cls;
    enum halt_cause halt; /* NONE: it has none, or it is settled */
    uint64_t count;
    uint64_t bytes;
    const char *examples[FINDING_EXAMPLES_MAX];
    unsigned example_count;
};

struct finding_set {
    struct arena arena;
    struct finding_group groups[FINDING_GROUPS_MAX];
    unsigned group_count;
};

void finding_set_init(struct finding_set *set);
void finding_set_done(struct finding_set *set);
void finding_add(struct finding_set *set, const struct finding *finding);
void finding_set_merge(struct finding_set *set, const struct finding_set *from);
/* Halting groups first, then critical ones, then in the catalogue's order; examples by name. */
void finding_set_sort(struct finding_set *set);
enum verdict finding_verdict(const struct finding_set *set);
const char *finding_verdict_name(enum verdict verdict); /* "clean", "warnings", "halt" */
/* The group of this code that halts; NULL: none. */
const struct finding_group *finding_halting(const struct finding_set *set, enum finding_code code);

/* The members that any rendering has, into an object that is open: code, class, halt, count, bytes;
 * and who, needs_access, behind which `fix` is opened and has to be written. */
void finding_json_head(const struct finding_group *group, struct json *json);
void finding_json_who(const struct finding_group *group, struct json *json);
/* The members of a `finding` event's data, into an object that is open: code, class, halt, count,
 * examples, who, needs_access, fix. fix may be NULL. */
void finding_json(const struct finding_group *group, const struct fix_step *fix, struct json *json);

#endif
