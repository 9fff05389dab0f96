/* What a plan may hold, and what it says of a path. */
#include "ingest/device/fix_plan.h"

#include "base/json.h"

#include <string.h>
#include <strings.h>

#define ARENA_CHUNK ((size_t)16 * 1024)
#define FIRST_ROOM  16U

// clang-format off
static const enum fix_class classes[FIX_COUNT] = {
    [FIX_MAP]      = FIX_PLACE,     [FIX_TIER]    = FIX_PLACE,
    [FIX_AS_BLOCK] = FIX_TYPE,      [FIX_AS_PAGE] = FIX_TYPE,
    [FIX_RENAME]   = FIX_NAMES,
    [FIX_BUILD]    = FIX_MANIFESTS,
    [FIX_SKIP]     = FIX_LEAVE,
};
/* Does a step for "a" concern "a/b" too? Where not, it has to say "a/". */
static const bool covers_below[FIX_CLASS_COUNT] = {
    [FIX_PLACE] = true, [FIX_MANIFESTS] = true,
};
// clang-format on

void
fix_plan_init(struct fix_plan *plan)
{
    *plan = (struct fix_plan){0};
    arena_init(&plan->arena, ARENA_CHUNK);
}

void
fix_plan_done(struct fix_plan *plan)
{
    arena_done(&plan->arena);
    plan->steps = mem_give(plan->steps);
    plan->order = mem_give(plan->order);
    plan->count = 0;
    plan->room = 0;
}

/* ---- what a step may say ---- */

/* The step that is being added, for messages: it is the next one. */
static enum err_code
refuse(const struct fix_plan *plan, struct err *err, const char *key, const char *why)
{
    return err_set(err, ERR_FORMAT, "step %u: '%s' %s", plan->count + 1, key, why);
}

static const char *
path_problem(const char *path, bool may_end_in_slash)
{
    size_t len = strlen(path);
    if (len == 0) {
        return "is empty";
    }
    if (len > FIX_PATH_BYTES_MAX) {
        return "is longer than 8192 bytes";
    }
    if (path[0] == '/') {
        return "begins with '/'; it must be relative to the device's root";
    }
    for (const char *at = path; *at != '\0';) {
        size_t part = strcspn(at, "/");
        if (part == 0) {
            return "has an empty component";
        }
        if ((part == 1 && at[0] == '.') || (part == 2 && at[0] == '.' && at[1] == '.')) {
            return "has a component '.' or '..'";
        }
        at += part;
        if (at[0] == '/' && at[1] == '\0' && !may_end_in_slash) {
            return "ends with '/'";
        }
        at += *at == '/';
    }
    return NULL;
}

static bool
is_tier(const char *name)
{
    static const char *const tiers[] = {"Hot", "Cool", "Cold", "Archive"};
    for (unsigned i = 0; i < COUNT_OF(tiers); i++) {
        if (strcmp(name, tiers[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The same folder, its last component in the tier's own case. */
static bool
is_tier_of(const char *from, const char *to)
{
    const char *slash = strrchr(to, '/');
    size_t above = slash == NULL ? 0 : (size_t)(slash - to);
    return slash != NULL && strncmp(from, to, above + 1) == 0 &&
           strcasecmp(from + above + 1, slash + 1) == 0 && is_tier(slash + 1);
}

static enum err_code
check_place(const struct fix_plan *plan, const struct fix_step *step, struct err *err)
{
    if (step->to == NULL) {
        return refuse(plan, err, "to", "is missing");
    }
    const char *problem = path_problem(step->to, false);
    if (problem != NULL) {
        return refuse(plan, err, "to", problem);
    }
    if (strcmp(step->from, step->to) == 0) {
        return refuse(plan, err, "to", "is the same as 'from'");
    }
    if (step->kind == FIX_TIER && !is_tier_of(step->from, step->to)) {
        return refuse(plan, err, "to",
                      "must be 'from' with its last component written 'Hot', 'Cool', 'Cold' or "
                      "'Archive'");
    }
    return ERR_OK;
}

static enum err_code
check_step(const struct fix_plan *plan, const struct fix_step *step, struct err *err)
{
    enum fix_class class = classes[step->kind];
    bool by_path = class != FIX_NAMES;
    bool by_code = class == FIX_NAMES || class == FIX_TYPE || class == FIX_LEAVE;
    bool has_code = step->code != FINDING_NONE;
    const char *key = by_code ? "path" : "from";
    if (step->from == NULL && !has_code) {
        return refuse(plan, err, by_path ? key : "code", "is missing");
    }
    if (step->from != NULL && (has_code || !by_path)) {
        return refuse(plan, err, by_path ? "code" : key,
                      by_path ? "cannot stand beside a path" : "does not belong to this step");
    }
    if (has_code && !by_code) {
        return refuse(plan, err, "code", "does not belong to this step");
    }
    const char *problem = step->from == NULL ? NULL : path_problem(step->from, by_code);
    if (problem != NULL) {
        return refuse(plan, err, key, problem);
    }
    if (class == FIX_MANIFESTS && strchr(step->from, '/') != NULL) {
        return refuse(plan, err, key, "must be a share, a folder of the device's root");
    }
    if (step->count > INT64_MAX) {
        return refuse(plan, err, "count", "is too large");
    }
    if (class == FIX_PLACE) {
        return check_place(plan, step, err);
    }
    return step->to == NULL ? ERR_OK : refuse(plan, err, "to", "does not belong to this step");
}

/* ---- adding ---- */

static unsigned
begin_of(const struct fix_plan *plan, enum fix_class class)
{
    return class == 0 ? 0 : plan->order_ends[class - 1];
}

static const char *
from_at(const struct fix_plan *plan, unsigned place)
{
    return plan->steps[plan->order[place]].from;
}

/* The first place in [low, high) whose path, from byte `at`, is not before (above: is after) piece.
 */
static unsigned
find_bound(const struct fix_plan *plan, unsigned low, unsigned high, size_t at, struct slice piece,
           bool above)
{
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int sign = strncmp(from_at(plan, middle) + at, piece.at, piece.len);
        if (sign < 0 || (above && sign == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
make_room(struct fix_plan *plan)
{
    if (plan->count < plan->room) {
        return;
    }
    unsigned room = plan->room == 0 ? FIRST_ROOM : 2 * plan->room;
    plan->steps =
        mem_resize(plan->steps, plan->room * sizeof *plan->steps, room * sizeof *plan->steps);
    plan->order =
        mem_resize(plan->order, plan->room * sizeof *plan->order, room * sizeof *plan->order);
    plan->room = room;
}

/* Put the next step's path where it belongs; false: a step for it is there, *ret_other. */
static bool
put_in_order(struct fix_plan *plan, enum fix_class class, const char *from, unsigned *ret_other)
{
    unsigned all = plan->order_ends[FIX_CLASS_COUNT - 1];
    struct slice whole = {.at = from, .len = strlen(from) + 1};
    unsigned place =
        find_bound(plan, begin_of(plan, class), plan->order_ends[class], 0, whole, false);
    if (place < plan->order_ends[class] && strcmp(from_at(plan, place), from) == 0) {
        *ret_other = plan->order[place];
        return false;
    }
    memmove(plan->order + place + 1, plan->order + place, (all - place) * sizeof *plan->order);
    plan->order[place] = plan->count;
    for (unsigned c = class; c < FIX_CLASS_COUNT; c++) {
        plan->order_ends[c]++;
    }
    return true;
}

static size_t
path_bytes_of(const struct fix_step *step)
{
    return (step->from == NULL ? 0 : strlen(step->from)) +
           (step->to == NULL ? 0 : strlen(step->to));
}

enum err_code
fix_plan_add(struct fix_plan *plan, const struct fix_step *step, struct err *err)
{
    ASSERT(step->kind > FIX_NONE);
    ASSERT(step->kind < FIX_COUNT);
    ASSERT(step->code < FINDING_COUNT);
    enum fix_class class = classes[step->kind];
    unsigned other = 0;

    if (plan->count == FIX_STEPS_MAX) {
        return err_set(err, ERR_FORMAT, "the plan has more than %d steps", FIX_STEPS_MAX);
    }
    if (check_step(plan, step, err) != ERR_OK) {
        return err->code;
    }
    size_t path_bytes = plan->path_bytes + path_bytes_of(step);
    if (path_bytes > FIX_PATHS_BYTES_MAX) {
        return err_set(err, ERR_FORMAT, "step %u: the plan's paths are longer than %zu bytes",
                       plan->count + 1, FIX_PATHS_BYTES_MAX);
    }
    make_room(plan);
    if (step->from == NULL && plan->by_code[class][step->code] != FIX_NONE) {
        return refuse(plan, err, "code", "has a step already");
    }
    if (step->from != NULL && !put_in_order(plan, class, step->from, &other)) {
        return err_set(err, ERR_FORMAT, "step %u: '%s' has a step already, number %u",
                       plan->count + 1, step->from, other + 1);
    }
    if (step->from == NULL) {
        plan->by_code[class][step->code] = step->kind;
    }
    struct fix_step *own = &plan->steps[plan->count++];
    *own = *step;
    own->from = step->from == NULL ? NULL : arena_text(&plan->arena, step->from);
    own->to = step->to == NULL ? NULL : arena_text(&plan->arena, step->to);
    plan->path_bytes = path_bytes;
    return ERR_OK;
}

/* ---- writing ---- */

void
fix_step_json(const struct fix_step *step, struct json *json)
{
    enum fix_class class = classes[step->kind];
    json_object_begin(json);
    json_key_str(json, "step", fix_name(step->kind));
    if (step->from != NULL) {
        json_key_path(json, class == FIX_TYPE || class == FIX_LEAVE ? "path" : "from", step->from);
    }
    if (step->to != NULL) {
        json_key_path(json, "to", step->to);
    }
    if (step->code != FINDING_NONE) {
        json_key_str(json, "code", catalogue_row(step->code)->wire);
    }
    if (step->count > 0) {
        json_key_u64(json, "count", step->count);
    }
    json_object_end(json);
}

void
fix_plan_write(const struct fix_plan *plan, struct text *out)
{
    struct json json;
    json_init(&json, out);
    json_object_begin(&json);
    json_key_str(&json, "schema", FIX_PLAN_SCHEMA);
    json_key(&json, "steps");
    json_array_begin(&json);
    for (unsigned i = 0; i < plan->count; i++) {
        fix_step_json(&plan->steps[i], &json);
    }
    json_array_end(&json);
    json_object_end(&json);
}

/* ---- looking up ---- */

/* Places whose paths begin with the bytes of the path seen so far. */
struct walk {
    const struct fix_plan *plan;
    unsigned low;
    unsigned high;
    size_t len; /* of what was seen */
};

/* See more bytes. A path that ends here sorts first, so one comparison tells whether there is one.
 */
static const struct fix_step *
walk_on(struct walk *walk, const char *bytes, size_t len)
{
    struct slice piece = {.at = bytes, .len = len};
    walk->low = find_bound(walk->plan, walk->low, walk->high, walk->len, piece, false);
    walk->high = find_bound(walk->plan, walk->low, walk->high, walk->len, piece, true);
    walk->len += len;
    if (walk->low == walk->high || from_at(walk->plan, walk->low)[walk->len] != '\0') {
        return NULL;
    }
    return &walk->plan->steps[walk->plan->order[walk->low]];
}

/* The most specific step of a class for a path. */
static const struct fix_step *
find_step(const struct fix_plan *plan, enum fix_class class, const char *path)
{
    struct walk walk = {
        .plan = plan, .low = begin_of(plan, class), .high = plan->order_ends[class]};
    const struct fix_step *best = NULL;
    while (walk.low < walk.high) {
        size_t part = strcspn(path, "/");
        const struct fix_step *named = walk_on(&walk, path, part);
        bool is_end = path[part] == '\0';
        if (named != NULL && is_end) {
            return named;
        }
        if (named != NULL && covers_below[class]) {
            best = named;
        }
        /* "a/" is the folder and all below it, so it concerns "a" too. */
        const struct fix_step *folder = walk_on(&walk, "/", 1);
        best = folder == NULL ? best : folder;
        if (is_end) {
            break;
        }
        path += part + 1;
    }
    return best;
}

bool
fix_plan_rewrite(const struct fix_plan *plan, const char *path, struct text *out)
{
    if (plan == NULL || plan->order_ends[FIX_PLACE] == 0) {
        return false;
    }
    const struct fix_step *step = find_step(plan, FIX_PLACE, path);
    if (step == NULL) {
        return false;
    }
    text_clear(out);
    text_add_str(out, step->to);
    text_add_str(out, path + strlen(step->from));
    return true;
}

bool
fix_plan_has(const struct fix_plan *plan, enum fix_kind kind, const char *path,
             enum finding_code code)
{
    ASSERT(kind < FIX_COUNT);
    ASSERT(code < FINDING_COUNT);
    if (plan == NULL || plan->count == 0 || kind == FIX_NONE) {
        return false;
    }
    enum fix_class class = classes[kind];
    const struct fix_step *step = path == NULL ? NULL : find_step(plan, class, path);
    if (step != NULL) {
        return step->kind == kind;
    }
    return plan->by_code[class][code] == kind;
}
