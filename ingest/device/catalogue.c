#include "ingest/device/catalogue.h"

#include <string.h>

#define CATALOGUE_AS_ROW(id, wire, cls, halt, who, fix, retry, sentence, hint)                     \
    [FINDING_##id] = {wire, FINDING_##cls, HALT_##halt, who, FIX_##fix, retry, sentence, hint},
static const struct catalogue_row rows[FINDING_COUNT] = {
    [FINDING_NONE] = {"", FINDING_CLASS_NONE, HALT_NONE, "", FIX_NONE, false, "", ""},
    FINDING_MAP(CATALOGUE_AS_ROW)};

struct halt_row {
    const char *wire;
    bool needs_access;
};
#define CATALOGUE_AS_HALT_ROW(id, wire, access) {wire, access},
static const struct halt_row halts[HALT_COUNT] = {HALT_CAUSE_MAP(CATALOGUE_AS_HALT_ROW)};

#define CATALOGUE_AS_FIX_NAME(id, wire) wire,
static const char *const fixes[FIX_COUNT] = {FIX_KIND_MAP(CATALOGUE_AS_FIX_NAME)};

const struct catalogue_row *
catalogue_row(enum finding_code code)
{
    return &rows[code];
}

bool
catalogue_find(const char *wire, enum finding_code *ret_code)
{
    for (unsigned i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        if (strcmp(rows[i].wire, wire) == 0) {
            *ret_code = (enum finding_code)i;
            return true;
        }
    }
    return false;
}

const char *
halt_name(enum halt_cause cause)
{
    return halts[cause].wire;
}

bool
halt_needs_access(enum halt_cause cause)
{
    return halts[cause].needs_access;
}

const char *
fix_name(enum fix_kind kind)
{
    return fixes[kind];
}

bool
fix_find(const char *wire, enum fix_kind *ret_kind)
{
    for (unsigned i = 0; i < FIX_COUNT; i++) {
        if (strcmp(fixes[i], wire) == 0) {
            *ret_kind = (enum fix_kind)i;
            return true;
        }
    }
    return false;
}

const char *
finding_class_name(enum finding_class cls)
{
    static const char *const names[FINDING_CLASS_COUNT] = {"", "warning", "critical"};
    return names[cls];
}
