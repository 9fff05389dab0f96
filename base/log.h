/*
 * base/log.h - one line per event, greppable: level=info area=copy event=item-failed item="a/b" ...
 *
 * The fields are built only by LOG_ helpers, so a value and its type cannot disagree; nothing is
 * evaluated when the level is off. There is no helper for a struct secret.
 *
 *   shape    event names in kebab-case; keys as in docs/STYLE.md (job, item, block, err)
 *   thread   any; a line is written with one write(2) to stderr
 *   source   SALLYPORT_TRACE=copy,http,-store turns debug on or off per area
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };

// clang-format off
#define LOG_AREA_MAP(X) \
    X(BASE, "base") X(HTTP, "http") X(STORE, "store") X(COPY, "copy") X(PLAN, "plan") X(CMD, "cmd")
// clang-format on
#define LOG_AREA_AS_ENUM(id, name) LOG_##id,
enum log_area { LOG_AREA_MAP(LOG_AREA_AS_ENUM) LOG_AREA_COUNT };

enum log_kind { LOG_KIND_U64, LOG_KIND_I64, LOG_KIND_TEXT };
struct log_field {
    const char *key;
    enum log_kind kind;
    uint64_t number;
    const char *text;
};

#define LOG_U64(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_U64, .number = (v)})
#define LOG_I64(k, v)                                                                              \
    ((struct log_field){.key = (k), .kind = LOG_KIND_I64, .number = (uint64_t)(v)})
#define LOG_TEXT(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_TEXT, .text = (v)})
#define LOG_ERR(e)     LOG_TEXT("err", err_name((e)->code)), LOG_TEXT("text", (e)->text)

bool log_is_on(enum log_level level, enum log_area area);
void log_write(enum log_level level, enum log_area area, const char *event,
               const struct log_field *fields, unsigned count);
void log_set_level(enum log_level level); /* default LOG_WARN */
bool log_parse_level(const char *text, enum log_level *ret_level);
void log_set_areas(const char *areas); /* "copy,http,-store"; NULL clears */

/* Called with the finished line instead of write(2), so that a progress bar can step aside. */
typedef void(log_sink_fn)(void *user, const char *line, unsigned len);
void log_set_sink(log_sink_fn *sink, void *user);

#define LOG_AT(level, area, event, ...)                                                            \
    do {                                                                                           \
        if (log_is_on((level), (area))) {                                                          \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                  \
            log_write((level), (area), (event), log_fields_, (unsigned)COUNT_OF(log_fields_));     \
        }                                                                                          \
    } while (0)
#define log_error(area, event, ...) LOG_AT(LOG_ERROR, area, event, __VA_ARGS__)
#define log_warn(area, event, ...)  LOG_AT(LOG_WARN, area, event, __VA_ARGS__)
#define log_info(area, event, ...)  LOG_AT(LOG_INFO, area, event, __VA_ARGS__)
#define log_debug(area, event, ...) LOG_AT(LOG_DEBUG, area, event, __VA_ARGS__)

#endif
