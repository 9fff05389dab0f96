#include "base/config.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "base/utf8.h"

#include <ini.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FILE  "/etc/sallyport/sallyport.conf"
#define SYSTEM_FILES "/etc/sallyport/conf.d/?*.conf"

#define CONFIG_AS_ROW(sec, k, field, def, lo, hi, u, words)                                        \
    {.section = #sec,                                                                              \
     .key = #k,                                                                                    \
     .help = (words),                                                                              \
     .unit = CONFIG_##u,                                                                           \
     .initial = (def),                                                                             \
     .min = (lo),                                                                                  \
     .max = (hi),                                                                                  \
     .offset = offsetof(struct config, field)},
#define CONFIG_TEXT_AS_ROW(sec, k, field, words)                                                   \
    {.section = #sec,                                                                              \
     .key = #k,                                                                                    \
     .help = (words),                                                                              \
     .offset = offsetof(struct config, field),                                                     \
     .is_text = 1},
const struct config_row config_rows[CONFIG_ID_COUNT] = {CONFIG_MAP(CONFIG_AS_ROW)
                                                            CONFIG_TEXT_MAP(CONFIG_TEXT_AS_ROW)};

void
config_init(struct config *config)
{
    *config = (struct config){0};
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        if (!config_rows[i].is_text) {
            *(int64_t *)(void *)((char *)config + config_rows[i].offset) = config_rows[i].initial;
        }
    }
}

void
config_done(struct config *config)
{
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        config->origin[i] = mem_give(config->origin[i]);
        if (config_rows[i].is_text) {
            char **field = (char **)(void *)((char *)config + config_rows[i].offset);
            *field = mem_give(*field);
        }
    }
}

struct reading {
    struct config *config;
    const char *name;
    struct err *err;
    const char *at; /* rest of the text */
    int line;       /* of what was read last; this build of inih does not tell */
};

/*
 * What fgets() would do with the text, but that a line is never cut in two: inih's lines are short,
 * and the rest of a path or of a comment would be read as a setting. Blanks in front go, because
 * inih takes an indented line for another value of the key before it.
 */
static char *
read_line(char *line, int room, void *stream)
{
    struct reading *reading = stream;
    size_t whole = strcspn(reading->at, "\n");
    if (*reading->at == '\0' || reading->err->code != ERR_OK) {
        return NULL;
    }
    const char *begin = reading->at + strspn(reading->at, " \t");
    size_t len = begin > reading->at + whole ? 0 : whole - (size_t)(begin - reading->at);
    size_t most = (size_t)room - 2;
    reading->line++;
    reading->at += whole + (reading->at[whole] == '\n' ? 1 : 0);
    if (len > most && *begin != '#' && *begin != ';') {
        (void)err_set(reading->err, ERR_CONFIG,
                      "'%s' line %d has %zu bytes; a line has at most %zu", reading->name,
                      reading->line, len, most);
        return NULL;
    }
    len = MIN_OF(len, most);
    memcpy(line, begin, len);
    line[len] = '\n';
    line[len + 1] = '\0';
    return line;
}

static enum err_code
parse_number(const struct config_row *row, const char *value, int64_t *ret_number, struct err *err)
{
    uint64_t number = 0;
    enum err_code code = ERR_OK;
    switch (row->unit) {
    case CONFIG_NUMBER: code = units_parse_u64(value, &number, err); break;
    case CONFIG_SIZE: code = units_parse_size(value, &number, err); break;
    case CONFIG_RATE: code = units_parse_rate(value, &number, err); break;
    case CONFIG_DURATION: code = units_parse_duration(value, (int64_t *)&number, err); break;
    }
    if (code != ERR_OK) {
        return code;
    }
    if (number > INT64_MAX || (int64_t)number < row->min || (int64_t)number > row->max) {
        char low[UNITS_TEXT_BYTES];
        char high[UNITS_TEXT_BYTES];
        bool is_duration = row->unit == CONFIG_DURATION;
        (void)(is_duration ? units_format_duration(row->min, low)
                           : units_format_count((uint64_t)row->min, low));
        (void)(is_duration ? units_format_duration(row->max, high)
                           : units_format_count((uint64_t)row->max, high));
        return err_set(err, ERR_CONFIG, "'%s' is outside its limits %s to %s", value, low, high);
    }
    *ret_number = (int64_t)number;
    return ERR_OK;
}

static int
on_value(void *user, const char *section, const char *key, const char *value)
{
    struct reading *reading = user;
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        if (strcmp(row->section, section) != 0 || strcmp(row->key, key) != 0) {
            continue;
        }
        void *field = (char *)reading->config + row->offset;
        if (row->is_text && value[0] == '\0') {
            (void)err_set(reading->err, ERR_CONFIG,
                          "'%s' line %d: %s.%s: there is no value; leave the line out",
                          reading->name, reading->line, section, key);
            return 0;
        }
        if (row->is_text) {
            mem_give(*(char **)field);
            *(char **)field = mem_text(value);
        } else if (parse_number(row, value, field, reading->err) != ERR_OK) {
            reading->err->code = ERR_CONFIG;
            (void)err_wrap(reading->err, "'%s' line %d: %s.%s", reading->name, reading->line,
                           section, key);
            return 0;
        }
        AUTO_TEXT origin = TEXT_INIT;
        text_addf(&origin, "%s:%d", reading->name, reading->line);
        mem_give(reading->config->origin[i]);
        reading->config->origin[i] = mem_text(text_str(&origin));
        return 1;
    }
    if (section[0] == '\0') {
        (void)err_set(reading->err, ERR_CONFIG, "'%s' line %d: '%.40s' stands before any [section]",
                      reading->name, reading->line, key);
        return 0;
    }
    (void)err_set(reading->err, ERR_CONFIG,
                  "'%s' line %d: there is no setting '%.40s.%.40s'; 'sallyport doctor' lists them",
                  reading->name, reading->line, section, key);
    return 0;
}

enum err_code
config_read_text(struct config *config, const char *name, const char *text, size_t len,
                 struct err *err)
{
    if (len > CONFIG_BYTES_MAX) {
        return err_set(err, ERR_CONFIG, "'%s' has %zu bytes; a configuration has at most %zu", name,
                       len, CONFIG_BYTES_MAX);
    }
    if (memchr(text, '\0', len) != NULL) {
        return err_set(err, ERR_CONFIG, "'%s' is not a text file", name);
    }
    char *copy = mem_take(len + 1);
    if (len > 0) {
        memcpy(copy, text, len);
    }
    struct reading reading = {.config = config, .name = name, .err = err, .at = copy};
    struct err before = *err;
    *err = ERR_NONE;
    enum err_code code = ERR_OK;
    if (!utf8_is_valid(copy)) {
        code = err_set(err, ERR_CONFIG, "'%s' is not UTF-8", name);
    } else {
        int line = ini_parse_stream(read_line, &reading, on_value, &reading);
        if (line != 0 && err->code == ERR_OK) {
            (void)err_set(err, ERR_CONFIG, "'%s' line %d: neither [section] nor key = value", name,
                          line);
        }
        code = err->code;
    }
    mem_give(copy);
    if (code == ERR_OK) {
        *err = before;
    }
    return code;
}

static enum err_code
read_file(struct config *config, const char *path, bool may_be_missing, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return may_be_missing && errno == ENOENT
                   ? ERR_OK
                   : err_set_sys(err, ERR_CONFIG, errno, "could not open '%s'", path);
    }
    char *bytes = mem_take(CONFIG_BYTES_MAX + 1);
    size_t len = fread(bytes, 1, CONFIG_BYTES_MAX + 1, file);
    enum err_code code = ferror(file) != 0 ? err_set(err, ERR_CONFIG, "could not read '%s'", path)
                                           : config_read_text(config, path, bytes, len, err);
    (void)fclose(file);
    mem_give(bytes);
    return code;
}

enum err_code
config_load(struct config *config, const char *path, struct err *err)
{
    glob_t found = {0};
    enum err_code code = read_file(config, SYSTEM_FILE, true, err);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread yet
    if (code == ERR_OK && glob(SYSTEM_FILES, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && code == ERR_OK; i++) {
            code = read_file(config, found.gl_pathv[i], false, err);
        }
    }
    globfree(&found);
    return code == ERR_OK && path != NULL ? read_file(config, path, false, err) : code;
}
