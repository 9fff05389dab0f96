#include "ingest/device/finding.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK_BYTES 4096U
/* An example is there to be read; a path of a megabyte is not. */
#define EXAMPLE_BYTES_MAX 8192U

void
finding_set_init(struct finding_set *set)
{
    *set = (struct finding_set){0};
    arena_init(&set->arena, ARENA_CHUNK_BYTES);
}

void
finding_set_done(struct finding_set *set)
{
    arena_done(&set->arena);
    *set = (struct finding_set){0};
}

static struct finding_group *
find_group(struct finding_set *set, enum finding_code code, enum finding_class cls,
           enum halt_cause halt)
{
    for (unsigned i = 0; i < set->group_count; i++) {
        struct finding_group *group = &set->groups[i];
        if (group->code == code && group->cls == cls && group->halt == halt) {
            return group;
        }
    }
    ASSERT(set->group_count < FINDING_GROUPS_MAX);
    struct finding_group *group = &set->groups[set->group_count++];
    *group = (struct finding_group){.code = code, .cls = cls, .halt = halt};
    return group;
}

static void
add_example(struct finding_set *set, struct finding_group *group, const char *path)
{
    if (path != NULL && group->example_count < FINDING_EXAMPLES_MAX) {
        size_t len = strnlen(path, EXAMPLE_BYTES_MAX);
        group->examples[group->example_count++] = arena_bytes(&set->arena, path, len);
    }
}

/* A tree may tell of more bytes than a counter holds. */
static uint64_t
sum_of(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

void
finding_add(struct finding_set *set, const struct finding *finding)
{
    const struct catalogue_row *row = catalogue_row(finding->code);
    ASSERT(finding->code != FINDING_NONE);
    enum finding_class cls = finding->cls == FINDING_CLASS_NONE ? row->cls : finding->cls;
    enum halt_cause halt = finding->is_settled ? HALT_NONE : row->halt;
    struct finding_group *group = find_group(set, finding->code, cls, halt);
    group->count++;
    group->bytes = sum_of(group->bytes, finding->bytes);
    add_example(set, group, finding->path);
}

void
finding_set_merge(struct finding_set *set, const struct finding_set *from)
{
    for (unsigned i = 0; i < from->group_count; i++) {
        const struct finding_group *more = &from->groups[i];
        struct finding_group *group = find_group(set, more->code, more->cls, more->halt);
        group->count += more->count;
        group->bytes = sum_of(group->bytes, more->bytes);
        for (unsigned j = 0; j < more->example_count; j++) {
            add_example(set, group, more->examples[j]);
        }
    }
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
compare_groups(const void *a_, const void *b_)
{
    const struct finding_group *a = a_;
    const struct finding_group *b = b_;
    if ((a->halt == HALT_NONE) != (b->halt == HALT_NONE)) {
        return a->halt == HALT_NONE ? 1 : -1;
    }
    if (a->cls != b->cls) {
        return a->cls == FINDING_CRITICAL ? -1 : 1;
    }
    return (int)a->code - (int)b->code;
}

void
finding_set_sort(struct finding_set *set)
{
    qsort(set->groups, set->group_count, sizeof set->groups[0], compare_groups);
    for (unsigned i = 0; i < set->group_count; i++) {
        struct finding_group *group = &set->groups[i];
        qsort(group->examples, group->example_count, sizeof group->examples[0], compare_texts);
    }
}

enum verdict
finding_verdict(const struct finding_set *set)
{
    for (unsigned i = 0; i < set->group_count; i++) {
        if (set->groups[i].halt != HALT_NONE) {
            return VERDICT_HALT;
        }
    }
    return set->group_count > 0 ? VERDICT_WARNINGS : VERDICT_CLEAN;
}

const char *
finding_verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_LEVELS] = {"clean", "warnings", "halt"};
    return names[verdict];
}

const struct finding_group *
finding_halting(const struct finding_set *set, enum finding_code code)
{
    for (unsigned i = 0; i < set->group_count; i++) {
        if (set->groups[i].code == code && set->groups[i].halt != HALT_NONE) {
            return &set->groups[i];
        }
    }
    return NULL;
}

void
finding_json_head(const struct finding_group *group, struct json *json)
{
    json_key_str(json, "code", catalogue_row(group->code)->wire);
    json_key_str(json, "class", finding_class_name(group->cls));
    json_key(json, "halt");
    if (group->halt == HALT_NONE) {
        json_put_null(json);
    } else {
        json_str(json, halt_name(group->halt));
    }
    json_key_u64(json, "count", group->count);
    json_key_u64(json, "bytes", group->bytes);
}

void
finding_json_who(const struct finding_group *group, struct json *json)
{
    json_key_str(json, "who", catalogue_row(group->code)->who);
    json_key_bool(json, "needs_access", halt_needs_access(group->halt));
    json_key(json, "fix");
}

void
finding_json(const struct finding_group *group, const struct fix_step *fix, struct json *json)
{
    finding_json_head(group, json);
    json_key(json, "examples");
    json_array_begin(json);
    for (unsigned i = 0; i < group->example_count; i++) {
        json_path(json, group->examples[i]);
    }
    json_array_end(json);
    finding_json_who(group, json);
    if (fix == NULL) {
        json_put_null(json);
    } else {
        fix_step_json(fix, json);
    }
}
