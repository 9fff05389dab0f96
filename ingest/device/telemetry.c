#include "ingest/device/telemetry.h"

#include "base/digest.h"

#include <string.h>

static char
class_of(unsigned char c)
{
    if (c >= 'a' && c <= 'z') {
        return 'a';
    }
    if (c >= 'A' && c <= 'Z') {
        return 'A';
    }
    if (c >= '0' && c <= '9') {
        return '0';
    }
    if (c < 0x20 || c == 0x7f) {
        return 'c';
    }
    if (c >= 0x80) {
        return 'u';
    }
    return (char)c;
}

void
telemetry_shape(const char *path, struct text *out)
{
    size_t begin = out->len;
    for (const char *at = path; *at != '\0';) {
        char class = class_of((unsigned char)*at);
        size_t run = 0;
        while (at[run] != '\0' && class_of((unsigned char)at[run]) == class) {
            run++;
        }
        if (out->len - begin > TELEMETRY_SHAPE_MAX) {
            text_addf(out, "[...%zu]", strlen(at));
            return;
        }
        for (size_t i = 0; i < MIN_OF(run, TELEMETRY_RUN_MAX); i++) {
            text_add_char(out, class);
        }
        if (run > TELEMETRY_RUN_MAX) {
            text_addf(out, "[%zu]", run);
        }
        at += run;
    }
}

const char *
telemetry_hash(const uint8_t salt[static TELEMETRY_SALT_BYTES], const char *path,
               char out[static TELEMETRY_HASH_BYTES])
{
    struct digest digest = {0};
    struct err err = ERR_NONE;
    uint8_t bytes[SHA256_BYTES];
    out[0] = '\0';
    if (digest_init(&digest, DIGEST_SHA256, &err) != ERR_OK) {
        return out;
    }
    digest_add(&digest, salt, TELEMETRY_SALT_BYTES);
    digest_add(&digest, path, strlen(path));
    digest_end(&digest, bytes);
    digest_done(&digest);
    return hex_encode(bytes, sizeof bytes, out);
}

static void
put_shape(struct json *json, const char *key, const char *path)
{
    AUTO_TEXT shape = TEXT_INIT;
    telemetry_shape(path, &shape);
    json_key_str(json, key, text_str(&shape));
}

void
telemetry_step_json(const struct fix_step *step, struct json *json)
{
    json_object_begin(json);
    json_key_str(json, "kind", fix_name(step->kind));
    if (step->code != FINDING_NONE) {
        json_key_str(json, "code", catalogue_row(step->code)->wire);
    }
    if (step->from != NULL) {
        put_shape(json, "from_shape", step->from);
    }
    if (step->to != NULL) {
        put_shape(json, "to_shape", step->to);
    }
    json_key_u64(json, "count", step->count);
    json_object_end(json);
}

void
telemetry_json(const struct finding_group *group, const struct fix_step *fix,
               const uint8_t salt[static TELEMETRY_SALT_BYTES], struct json *json)
{
    char hash[TELEMETRY_HASH_BYTES];
    finding_json_head(group, json);
    json_key(json, "examples");
    json_array_begin(json);
    for (unsigned i = 0; i < group->example_count; i++) {
        json_object_begin(json);
        put_shape(json, "shape", group->examples[i]);
        json_key_str(json, "hash", telemetry_hash(salt, group->examples[i], hash));
        json_object_end(json);
    }
    json_array_end(json);
    finding_json_who(group, json);
    if (fix == NULL) {
        json_put_null(json);
    } else {
        telemetry_step_json(fix, json);
    }
}
