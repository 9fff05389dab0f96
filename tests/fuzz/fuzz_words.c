/*
 * A hostile name in everything that leaves the program: an error's text has no control bytes, JSON
 * is valid and gives the name back, a log line is one line.
 */
#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>

#include <string.h>

static void
check_error(const char *name)
{
    struct err err = ERR_NONE;
    (void)err_set(&err, ERR_ITEM_IO, "could not read '%s'", name);
    (void)err_wrap(&err, "folder '%s'", name);
    FUZZ_MUST(strlen(err.text) < ERR_TEXT_BYTES_MAX);
    for (const char *at = err.text; *at != '\0'; at++) {
        FUZZ_MUST((unsigned char)*at >= 0x20);
        FUZZ_MUST(*at != 0x7f);
    }
}

static void
check_json(const char *name)
{
    AUTO_TEXT out = TEXT_INIT;
    struct json json;
    json_init(&json, &out);
    json_object_begin(&json);
    json_key_path(&json, "path", name);
    json_key_str(&json, name, name);
    json_object_end(&json);
    json_t *read = json_loadb(out.bytes, out.len, JSON_ALLOW_NUL, NULL);
    FUZZ_MUST(read != NULL);
    json_t *path = json_object_get(read, "path");
    if (json_is_string(path)) {
        FUZZ_MUST(strcmp(json_string_value(path), name) == 0);
    } else if (strcmp(name, "path") != 0) {
        const char *b64 = json_string_value(json_object_get(path, "b64"));
        FUZZ_MUST(b64 != NULL);
        char *back = mem_take(strlen(name) + 1);
        FUZZ_MUST(base64_decode(b64, back, strlen(name)) == (long)strlen(name));
        FUZZ_MUST(memcmp(back, name, strlen(name)) == 0);
        mem_give(back);
    }
    json_decref(read);
}

static void
check_line(void *user, const char *line, unsigned len)
{
    (void)user;
    FUZZ_MUST(len > 0);
    FUZZ_MUST(line[len - 1] == '\n');
    FUZZ_MUST(memchr(line, '\n', len) == line + len - 1);
    for (unsigned i = 0; i + 1 < len; i++) {
        FUZZ_MUST((unsigned char)line[i] >= 0x20);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = fuzz_text(data, size);
    check_error(name);
    check_json(name);
    log_set_sink(check_line, NULL);
    log_warn(LOG_BASE, "fuzz", LOG_TEXT("item", name), LOG_U64("size", size));
    mem_give(name);
    return 0;
}
