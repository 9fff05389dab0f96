/* A plan as a stranger wrote it: bounded before it is parsed, then nothing unknown is taken. */
#include "base/digest.h"
#include "base/fd.h"
#include "ingest/device/fix_plan.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX  4U                           /* plan, steps, step, a path that is not UTF-8 */
#define VALUES_MAX ((size_t)FIX_STEPS_MAX * 16) /* commas and colons; a step has at most ten */
#define READ_BYTES ((size_t)64 * 1024)

enum key {
    KEY_STEP = 1,
    KEY_FROM = 2,
    KEY_TO = 4,
    KEY_PATH = 8,
    KEY_CODE = 16,
    KEY_COUNT = 32,
};

// clang-format off
static const struct { const char *name; unsigned key; } keys[] = {
    {"step", KEY_STEP}, {"from", KEY_FROM}, {"to", KEY_TO},
    {"path", KEY_PATH}, {"code", KEY_CODE}, {"count", KEY_COUNT},
};
static const unsigned allowed[FIX_COUNT] = {
    [FIX_MAP]      = KEY_STEP | KEY_COUNT | KEY_FROM | KEY_TO,
    [FIX_TIER]     = KEY_STEP | KEY_COUNT | KEY_FROM | KEY_TO,
    [FIX_AS_BLOCK] = KEY_STEP | KEY_COUNT | KEY_PATH | KEY_CODE,
    [FIX_AS_PAGE]  = KEY_STEP | KEY_COUNT | KEY_PATH | KEY_CODE,
    [FIX_RENAME]   = KEY_STEP | KEY_COUNT | KEY_CODE,
    [FIX_BUILD]    = KEY_STEP | KEY_COUNT | KEY_FROM,
    [FIX_SKIP]     = KEY_STEP | KEY_COUNT | KEY_PATH | KEY_CODE,
};
// clang-format on

static void
put_json(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON CLEANUP(put_json) json_t

/* jansson makes a tree of whatever comes, so depth and number of values are bounded before. */
static enum err_code
check_bounds(const char *bytes, size_t len, struct err *err)
{
    unsigned depth = 0;
    size_t values = 0;
    bool in_string = false;
    if (len > FIX_PLAN_BYTES_MAX) {
        return err_set(err, ERR_FORMAT, "the plan is longer than %zu bytes", FIX_PLAN_BYTES_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth > 0;
        values += c == ',' || c == ':';
        if (depth > DEPTH_MAX || values > VALUES_MAX) {
            return err_set(err, ERR_FORMAT, "the plan %s",
                           depth > DEPTH_MAX ? "is nested too deeply" : "has too many steps");
        }
    }
    return ERR_OK;
}

static enum err_code
refuse(unsigned number, const char *key, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "step %u: '%s' %s", number, key, why);
}

/* A text without NUL; NULL: it is none. */
static const char *
plain_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

/* A string, or {"b64":"..."} where the path is not UTF-8. */
static enum err_code
read_path(const json_t *value, unsigned number, const char *key, struct text *out, struct err *err)
{
    char bytes[FIX_PATH_BYTES_MAX + 1];
    if (json_is_string(value)) {
        const char *plain = plain_of(value);
        if (plain == NULL) {
            return refuse(number, key, "has a NUL in it", err);
        }
        text_add_str(out, plain);
        return ERR_OK;
    }
    const char *text = plain_of(json_object_get(value, "b64"));
    if (text == NULL || json_object_size(value) != 1) {
        return refuse(number, key, "must be a text, or {\"b64\":\"...\"}", err);
    }
    long len = base64_decode(text, bytes, sizeof bytes);
    if (len < 0) {
        return refuse(number, key, "is not Base64, or longer than 8192 bytes", err);
    }
    if (memchr(bytes, '\0', (size_t)len) != NULL) {
        return refuse(number, key, "has a NUL in it", err);
    }
    text_add(out, bytes, (size_t)len);
    return ERR_OK;
}

static unsigned
find_key(const char *name)
{
    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return keys[i].key;
        }
    }
    return 0;
}

struct reading {
    unsigned number; /* of the step, from 1 */
    struct fix_step step;
    struct text from;
    struct text to;
};

static enum err_code
read_value(struct reading *r, unsigned key, const char *name, const json_t *value, struct err *err)
{
    switch (key) {
    case KEY_FROM:
    case KEY_PATH: return read_path(value, r->number, name, &r->from, err);
    case KEY_TO: return read_path(value, r->number, name, &r->to, err);
    case KEY_CODE: {
        const char *wire = plain_of(value);
        if (wire == NULL || !catalogue_find(wire, &r->step.code)) {
            return refuse(r->number, name, "is no code of a finding", err);
        }
        return ERR_OK;
    }
    case KEY_COUNT:
        if (!json_is_integer(value) || json_integer_value(value) < 0) {
            return refuse(r->number, name, "must be a whole number from 0", err);
        }
        r->step.count = (uint64_t)json_integer_value(value);
        return ERR_OK;
    default: return ERR_OK; /* the step's name was read before */
    }
}

static enum err_code
read_step(struct reading *r, json_t *object, struct err *err)
{
    const char *name;
    json_t *value;
    unsigned seen = 0;
    if (!json_is_object(object)) {
        return err_set(err, ERR_FORMAT, "step %u: is not an object", r->number);
    }
    const char *wire = plain_of(json_object_get(object, "step"));
    if (wire == NULL) {
        return refuse(r->number, "step", "is missing, or not a text", err);
    }
    if (!fix_find(wire, &r->step.kind) || r->step.kind == FIX_NONE) {
        return err_set(err, ERR_FORMAT, "step %u: 'step' has the unknown value '%s'", r->number,
                       wire);
    }
    json_object_foreach(object, name, value)
    {
        unsigned key = find_key(name);
        if ((allowed[r->step.kind] & key) == 0) {
            return err_set(err, ERR_FORMAT, "step %u: unknown key '%s' of '%s'", r->number, name,
                           wire);
        }
        seen |= key;
        if (read_value(r, key, name, value, err) != ERR_OK) {
            return err->code;
        }
    }
    /* An empty text is there, and refused for what it is. */
    r->step.from = (seen & (KEY_FROM | KEY_PATH)) != 0 ? text_str(&r->from) : NULL;
    r->step.to = (seen & KEY_TO) != 0 ? text_str(&r->to) : NULL;
    return ERR_OK;
}

static enum err_code
read_steps(json_t *steps, struct fix_plan *plan, struct err *err)
{
    struct reading r = {0};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < json_array_size(steps); i++) {
        r.number = (unsigned)i + 1;
        r.step = (struct fix_step){0};
        text_clear(&r.from);
        text_clear(&r.to);
        code = read_step(&r, json_array_get(steps, i), err);
        if (code == ERR_OK) {
            code = fix_plan_add(plan, &r.step, err);
        }
    }
    text_done(&r.from);
    text_done(&r.to);
    return code;
}

static enum err_code
check_head(json_t *root, struct err *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(root)) {
        return err_set(err, ERR_FORMAT, "the plan is not an object");
    }
    const char *schema = plain_of(json_object_get(root, "schema"));
    if (schema == NULL || strcmp(schema, FIX_PLAN_SCHEMA) != 0) {
        return err_set(err, ERR_FORMAT, "the plan's 'schema' is '%s', not '%s'",
                       schema == NULL ? "" : schema, FIX_PLAN_SCHEMA);
    }
    json_object_foreach(root, name, value)
    {
        if (strcmp(name, "schema") != 0 && strcmp(name, "steps") != 0) {
            return err_set(err, ERR_FORMAT, "the plan has the unknown key '%s'", name);
        }
    }
    if (!json_is_array(json_object_get(root, "steps"))) {
        return err_set(err, ERR_FORMAT, "the plan's 'steps' is missing, or not an array");
    }
    return ERR_OK;
}

enum err_code
fix_plan_read(const char *bytes, size_t len, struct fix_plan *ret_plan, struct err *err)
{
    json_error_t why;
    struct fix_plan plan;
    if (check_bounds(bytes, len, err) != ERR_OK) {
        return err->code;
    }
    AUTO_JSON *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (root == NULL) {
        return err_set(err, ERR_FORMAT, "the plan is not JSON: line %d: %s", why.line, why.text);
    }
    if (check_head(root, err) != ERR_OK) {
        return err->code;
    }
    fix_plan_init(&plan);
    if (read_steps(json_object_get(root, "steps"), &plan, err) != ERR_OK) {
        fix_plan_done(&plan);
        return err->code;
    }
    *ret_plan = plan;
    return ERR_OK;
}

enum err_code
fix_plan_load(const char *path, struct fix_plan *ret_plan, struct err *err)
{
    AUTO_TEXT text = TEXT_INIT;
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = fd < 0 ? NULL : mem_take(READ_BYTES);
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && text.len <= FIX_PLAN_BYTES_MAX) {
        got = read(fd, bytes, READ_BYTES);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        text_add(&text, bytes, got < 0 ? 0 : (size_t)got);
    }
    int sys = errno;
    mem_give(bytes);
    if (got < 0) {
        return err_set_sys(err, ERR_CONFIG, sys, "could not read plan '%s'", path);
    }
    if (fix_plan_read(text_str(&text), text.len, ret_plan, err) != ERR_OK) {
        return err_wrap(err, "plan '%s'", path);
    }
    return ERR_OK;
}
