/*
 * An entry of a device tree: the first 24 bytes choose SKU, policies, plan, size, time and content,
 * the rest is its path. Whatever they are: what is copied has a legal name and stays in its
 * container, what halts says why, and being judged again changes nothing.
 */
#include "base/arena.h"
#include "ingest/device/judge.h"
#include "ingest/device/names.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define HEAD_BYTES 24

static struct fix_plan *
make_plan(void)
{
    static const struct fix_step steps[] = {
        {.kind = FIX_MAP, .from = "Backup", .to = "a_BlockBlob/backup"},
        {.kind = FIX_TIER, .from = "a_BlockBlob/hot", .to = "a_BlockBlob/Hot"},
        {.kind = FIX_MAP, .from = "BlockBlob/x", .to = "ManagedDisk/PremiumSSD/x"},
        {.kind = FIX_AS_BLOCK, .code = FINDING_SIZE_ALIGNMENT},
        {.kind = FIX_AS_PAGE, .code = FINDING_FOLDER_DISALLOWED},
        {.kind = FIX_AS_PAGE, .from = "a_BlockBlob/page/"},
        {.kind = FIX_RENAME, .code = FINDING_CONTAINER_LENGTH},
        {.kind = FIX_SKIP, .code = FINDING_REPARSE_POINT},
    };
    static struct fix_plan plan;
    static bool is_made;
    if (!is_made) {
        fix_plan_init(&plan);
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
            struct err err = ERR_NONE;
            FUZZ_MUST(fix_plan_add(&plan, &steps[i], &err) == ERR_OK);
        }
        is_made = true;
    }
    return &plan;
}

static struct slice
slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void
check(const struct judgement *got)
{
    bool halts = false;
    FUZZ_MUST(got->finding_count <= JUDGE_FINDINGS_MAX);
    for (unsigned i = 0; i < got->finding_count; i++) {
        FUZZ_MUST(got->findings[i] > FINDING_NONE && got->findings[i] < FINDING_COUNT);
        halts = halts || !got->is_settled[i];
        /* The worst stands first. */
        FUZZ_MUST(i == 0 || got->is_settled[i] || !got->is_settled[i - 1]);
    }
    FUZZ_MUST(halts == (got->verdict == ENTRY_HALT));
    if (got->verdict != ENTRY_COPY && got->verdict != ENTRY_COPY_RENAMED) {
        return;
    }
    FUZZ_MUST(got->share != SHARE_NONE);
    FUZZ_MUST(names_check_container(slice(got->container)) == FINDING_NONE);
    FUZZ_MUST((got->share == SHARE_FILES ? names_check_file : names_check_blob)(slice(got->name)) ==
              FINDING_NONE);
    FUZZ_MUST(got->is_item_renamed || !got->is_disk ||
              names_check_disk(slice(got->name)) == FINDING_NONE);
    FUZZ_MUST((got->type == BLOB_TYPE_NONE) == (got->share == SHARE_FILES));
    FUZZ_MUST(got->tier == BLOB_TIER_NONE || got->type == BLOB_TYPE_BLOCK);
    FUZZ_MUST((got->verdict == ENTRY_COPY_RENAMED) ==
              (got->is_container_renamed || got->is_item_renamed));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES) {
        return 0;
    }
    struct vhd vhd = {.kind = (enum vhd_kind)(data[4] % VHD_KIND_COUNT)};
    struct judge_rules rules = {
        .device = {.sku = (enum device_sku)(data[0] % SKU_COUNT), .has_tiers = (data[1] & 1) != 0},
        .bad_names = (enum bad_names)(data[2] % 3),
        .plan = (data[1] & 2) != 0 ? make_plan() : NULL};
    rules.limits = limits_of(rules.device.sku);
    char *path = fuzz_text(data + HEAD_BYTES, size - HEAD_BYTES);
    struct judge_entry entry = {.path = path,
                                .what = (enum entry_what)(data[3] % (WHAT_UNREADABLE + 1)),
                                .vhd = (data[1] & 4) != 0 ? &vhd : NULL};
    memcpy(&entry.size_bytes, data + 8, sizeof entry.size_bytes);
    memcpy(&entry.mtime_ns, data + 16, sizeof entry.mtime_ns);
    struct judge_scratch scratch = {0};
    struct judgement first;
    struct judgement second;
    judge_entry(&rules, &entry, &scratch, &first);
    check(&first);
    judge_entry(&rules, &entry, &scratch, &second);
    check(&second);
    FUZZ_MUST(first.verdict == second.verdict && first.finding_count == second.finding_count);
    (void)judge_wants_content(&rules, path);
    judge_scratch_done(&scratch);
    mem_give(path);
    return 0;
}
