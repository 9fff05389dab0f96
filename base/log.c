#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define LOG_AREA_AS_NAME(id, name) name,
static const char *const area_names[LOG_AREA_COUNT] = {LOG_AREA_MAP(LOG_AREA_AS_NAME)};
static const char *const level_names[LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

static atomic_int current_level = LOG_WARN;
static atomic_uint areas_on;  /* bit per area: debug on */
static atomic_uint areas_off; /* bit per area: nothing but errors */
static log_sink_fn *sink;
static void *sink_user;

void
log_set_level(enum log_level level)
{
    atomic_store(&current_level, (int)level);
}

bool
log_parse_level(const char *text, enum log_level *ret_level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void
log_set_areas(const char *areas)
{
    unsigned on = 0;
    unsigned off = 0;
    while (areas != NULL && *areas != '\0') {
        bool is_off = *areas == '-';
        areas += is_off ? 1 : 0;
        size_t len = strcspn(areas, ",");
        for (unsigned i = 0; i < LOG_AREA_COUNT; i++) {
            if (strlen(area_names[i]) == len && strncmp(areas, area_names[i], len) == 0) {
                on |= is_off ? 0 : 1U << i;
                off |= is_off ? 1U << i : 0;
            }
        }
        areas += len + (areas[len] == ',' ? 1 : 0);
    }
    atomic_store(&areas_on, on);
    atomic_store(&areas_off, off);
}

void
log_set_sink(log_sink_fn *new_sink, void *user)
{
    sink = new_sink;
    sink_user = user;
}

bool
log_is_on(enum log_level level, enum log_area area)
{
    if (level != LOG_ERROR &&
        (atomic_load_explicit(&areas_off, memory_order_relaxed) >> area & 1) != 0) {
        return false;
    }
    return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed) ||
           (atomic_load_explicit(&areas_on, memory_order_relaxed) >> area & 1) != 0;
}

/* Quotes, with what could end the quotes or the line escaped. */
static void
add_quoted(struct text *line, const char *value)
{
    text_add_char(line, '"');
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\') {
            text_add_char(line, '\\');
            text_add_char(line, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            text_addf(line, "\\x%02x", c);
        } else {
            text_add_char(line, (char)c);
        }
    }
    text_add_char(line, '"');
}

void
log_write(enum log_level level, enum log_area area, const char *event,
          const struct log_field *fields, unsigned count)
{
    char when[CLOCK_TEXT_BYTES];
    AUTO_TEXT line = TEXT_INIT;
    text_addf(&line, "ts=%s level=%s area=%s event=%s",
              clock_format_ms(clock_wall_ns(&clock_system), when), level_names[level],
              area_names[area], event);
    for (unsigned i = 0; i < count; i++) {
        text_addf(&line, " %s=", fields[i].key);
        switch (fields[i].kind) {
        case LOG_KIND_U64: text_addf(&line, "%llu", (unsigned long long)fields[i].number); break;
        case LOG_KIND_I64: text_addf(&line, "%lld", (long long)(int64_t)fields[i].number); break;
        case LOG_KIND_TEXT: add_quoted(&line, fields[i].text == NULL ? "" : fields[i].text); break;
        }
    }
    text_add_char(&line, '\n');
    if (sink != NULL) {
        sink(sink_user, text_str(&line), (unsigned)line.len);
        return;
    }
    ssize_t wrote = write(STDERR_FILENO, text_str(&line), line.len);
    (void)wrote;
}
