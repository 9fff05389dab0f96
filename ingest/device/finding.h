/*
 * ingest/device/finding.h - thousands of findings grouped into causes, with counts and examples.
 *
 *   shape    one group per code; up to FINDING_EXAMPLES_MAX example paths each, the first seen
 *   owner    the set owns the paths it keeps
 *   thread   one; finding_set_merge() joins what several threads found
 *   source   redacted telemetry: codes, counts, shapes, salted hashes; no name
 */
#ifndef INGEST_DEVICE_FINDING_H
#define INGEST_DEVICE_FINDING_H

#include "base/arena.h"
#include "base/json.h"
#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"
#include "ingest/device/fix_plan.h"

#define FINDING_EXAMPLES_MAX 5

enum verdict { VERDICT_CLEAN, VERDICT_WARNINGS, VERDICT_HALT };

struct finding_group {
    enum finding_code code;
    uint64_t count;
    uint64_t halting_count; /* of them, not settled by policy or plan */
    uint64_t bytes;
    const char *examples[FINDING_EXAMPLES_MAX];
    unsigned example_count;
};

struct finding_set {
    struct arena arena;
    struct finding_group groups[FINDING_COUNT];
};

void finding_set_init(struct finding_set *set);
void finding_set_done(struct finding_set *set);
void finding_add(struct finding_set *set, enum finding_code code, bool is_settled, const char *path,
                 uint64_t bytes);
void finding_set_merge(struct finding_set *set, const struct finding_set *from);
enum verdict finding_verdict(const struct finding_set *set);

/* data of a `finding` event: code, class, halt, count, examples, who, needs_access, fix. */
void finding_json(const struct finding_group *group, struct json *json);
/* The same without any name: shapes ("aaaa-00.aaa") and salted hashes in place of examples. */
void finding_json_redacted(const struct finding_group *group, const uint8_t salt[static 32],
                           struct json *json);

#endif
