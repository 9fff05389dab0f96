/* The names of the catalogue alone. */
#include "ingest/device/catalogue.h"

#include <string.h>

// clang-format off
#define AS_ROW(id, wire_name, class_id, halt_id, who_name, fix_id)                                 \
    [FINDING_##id] = {.wire = wire_name, .cls = FINDING_##class_id, .halt = HALT_##halt_id,        \
                      .who = who_name, .fix = FIX_##fix_id, .sentence = "", .hint = ""},
static const struct catalogue_row rows[FINDING_COUNT] = {FINDING_MAP(AS_ROW)};
#define AS_FIX(id, wire_name) wire_name,
static const char *const fixes[FIX_COUNT] = {FIX_KIND_MAP(AS_FIX)};
// clang-format on

const struct catalogue_row *
catalogue_row(enum finding_code code)
{
    ASSERT(code > FINDING_NONE);
    ASSERT(code < FINDING_COUNT);
    return &rows[code];
}

bool
catalogue_find(const char *wire, enum finding_code *ret_code)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        if (strcmp(rows[i].wire, wire) == 0) {
            *ret_code = (enum finding_code)i;
            return true;
        }
    }
    return false;
}

const char *
fix_name(enum fix_kind kind)
{
    ASSERT(kind < FIX_COUNT);
    return fixes[kind];
}

bool
fix_find(const char *wire, enum fix_kind *ret_kind)
{
    for (int i = 0; i < FIX_COUNT; i++) {
        if (strcmp(fixes[i], wire) == 0) {
            *ret_kind = (enum fix_kind)i;
            return true;
        }
    }
    return false;
}
