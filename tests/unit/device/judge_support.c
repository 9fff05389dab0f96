#include "tests/unit/device/judge_support.h"

static struct judge_scratch scratch;
static struct judgement judgement;

struct judge_rules
judge_rules_of(enum device_sku sku, bool has_tiers)
{
    return (struct judge_rules){.device = {.sku = sku, .has_tiers = has_tiers},
                                .limits = limits_of(sku)};
}

const struct judgement *
judge_file_at(const struct judge_rules *rules, const char *path, uint64_t size_bytes,
              enum vhd_kind kind)
{
    struct vhd vhd = {.kind = kind, .disk_bytes = size_bytes};
    struct judge_entry entry = {.path = path,
                                .what = WHAT_FILE,
                                .size_bytes = size_bytes,
                                .vhd = kind == VHD_KIND_COUNT ? NULL : &vhd};
    judge_entry(rules, &entry, &scratch, &judgement);
    return &judgement;
}

const struct judgement *
judge_what_at(const struct judge_rules *rules, const char *path, enum entry_what what)
{
    struct judge_entry entry = {.path = path, .what = what, .size_bytes = 4096};
    judge_entry(rules, &entry, &scratch, &judgement);
    return &judgement;
}

void
judge_check(const struct judge_rules *rules, const struct judge_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct judge_case *want = &cases[i];
        const struct judgement *got = judge_file_at(rules, want->path, 32U << 20, VHD_KIND_COUNT);
        enum finding_code worst = got->finding_count == 0 ? FINDING_NONE : got->findings[0];
        bool is_right = got->verdict == want->verdict && worst == want->worst;
        if (!is_right) {
            print_error("'%s'\n", want->path);
        }
        CHECK_TEXT(catalogue_row(worst)->wire, catalogue_row(want->worst)->wire);
        CHECK_U64(got->verdict, want->verdict);
        if (want->container != NULL) {
            CHECK_TEXT(got->container, want->container);
            CHECK_TEXT(got->name, want->name);
            CHECK_U64(got->type, want->type);
            CHECK_U64(got->tier, want->tier);
        }
    }
}

bool
judge_has(const struct judgement *got, enum finding_code code)
{
    for (unsigned i = 0; i < got->finding_count; i++) {
        if (got->findings[i] == code) {
            return true;
        }
    }
    return false;
}

bool
judge_has_settled(const struct judgement *got, enum finding_code code)
{
    for (unsigned i = 0; i < got->finding_count; i++) {
        if (got->findings[i] == code) {
            return got->is_settled[i];
        }
    }
    return false;
}

int
judge_forget(void **state)
{
    (void)state;
    judge_scratch_done(&scratch);
    return 0;
}
