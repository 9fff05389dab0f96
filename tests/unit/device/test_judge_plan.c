#include "tests/unit/device/judge_support.h"

static struct fix_plan plan;

static int
make(void **state)
{
    (void)state;
    fix_plan_init(&plan);
    return 0;
}

static int
unmake(void **state)
{
    fix_plan_done(&plan);
    return judge_forget(state);
}

static void
add(enum fix_kind kind, const char *from, const char *to, enum finding_code code)
{
    struct err err = ERR_NONE;
    struct fix_step step = {.kind = kind, .from = from, .to = to, .code = code};
    CHECK_OK(fix_plan_add(&plan, &step, &err), &err);
}

static struct judge_rules
rules_of(enum device_sku sku, bool has_tiers)
{
    struct judge_rules rules = judge_rules_of(sku, has_tiers);
    rules.plan = &plan;
    return rules;
}

/* Its name and place are judged from then on like any other's. */
static void
a_pack_that_is_taken_as_a_block_blob_is_judged_as_one(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_AS_BLOCK, NULL, NULL, FINDING_PACKED_FILES);
    const struct judgement *got =
        judge_file_at(&rules, "a_PageBlob/pages/ADB_PACK_1", 700, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_U64(got->type, BLOB_TYPE_BLOCK);
    CHECK_TEXT(got->name, "ADB_PACK_1");
    got = judge_file_at(&rules, "a_BlockBlob/ADB_PACK_C/x", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_HALT);
    CHECK_U64(got->findings[0], FINDING_CONTAINER_CHARACTERS);
}

static void
a_mapped_folder_is_judged_where_it_is_taken_for(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_MAP, "Backup", "acct_BlockBlob/backup", FINDING_NONE);
    add(FIX_MAP, "acct_BlockBlob/a.txt", "acct_BlockBlob/files/a.txt", FINDING_NONE);
    const struct judgement *got = judge_file_at(&rules, "Backup/d/x", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_TEXT(got->account, "acct");
    CHECK_TEXT(got->container, "backup");
    CHECK_TEXT(got->name, "d/x");
    CHECK(got->is_mapped);
    CHECK_TEXT(got->manifest_path, "");
    CHECK_U64(got->share_name.len, 0);
    CHECK(judge_has_settled(got, FINDING_ROOT_FOLDER_UNKNOWN));
    CHECK_U64(judge_what_at(&rules, "Backup", WHAT_FOLDER)->verdict, ENTRY_IS_NO_DATA);
    /* The manifest knows this one, by its own path. */
    got = judge_file_at(&rules, "acct_BlockBlob/a.txt", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_TEXT(got->container, "files");
    CHECK(!got->is_mapped);
    CHECK_TEXT(got->manifest_path, "a.txt");
    CHECK_U64(judge_file_at(&rules, "Backup2/x", 1, VHD_KIND_COUNT)->verdict, ENTRY_HALT);
}

/* A plan leaves something out by saying so, never by mapping it to where nothing is copied. */
static void
mapping_to_nowhere_halts(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_MAP, "Backup", "BOM/backup", FINDING_NONE);
    add(FIX_MAP, "acct_BlockBlob/c1-a", "Elsewhere", FINDING_NONE);
    CHECK_U64(judge_file_at(&rules, "Backup/x", 1, VHD_KIND_COUNT)->verdict, ENTRY_HALT);
    CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/c1-a/x", 1, VHD_KIND_COUNT)->verdict,
              ENTRY_HALT);
    /* Left out, then, is what is counted as left out. */
    add(FIX_SKIP, "Backup/", NULL, FINDING_NONE);
    CHECK_U64(judge_file_at(&rules, "Backup/x", 1, VHD_KIND_COUNT)->verdict, ENTRY_SKIP);
}

static void
a_case_variant_taken_for_the_tier_keeps_its_manifest(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, true);
    (void)state;
    add(FIX_TIER, "acct_BlockBlob/hot", "acct_BlockBlob/Hot", FINDING_NONE);
    const struct judgement *got =
        judge_file_at(&rules, "acct_BlockBlob/hot/c1-a/x", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_U64(got->tier, BLOB_TIER_HOT);
    CHECK_TEXT(got->container, "c1-a");
    CHECK_TEXT(got->manifest_path, "hot/c1-a/x");
    CHECK(!got->is_mapped);
    CHECK(judge_has_settled(got, FINDING_TIER_CASE_VARIANT));
}

static void
another_kind_of_blob_settles_what_is_wrong_with_this_one(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_AS_BLOCK, NULL, NULL, FINDING_SIZE_ALIGNMENT);
    add(FIX_AS_PAGE, NULL, NULL, FINDING_TYPE_UNSUPPORTED);
    add(FIX_AS_PAGE, NULL, NULL, FINDING_FOLDER_DISALLOWED);
    add(FIX_AS_PAGE, "rg_MDisk/PremiumSSD/sub/", NULL, FINDING_NONE);
    const struct judgement *got =
        judge_file_at(&rules, "acct_PageBlob/c1-a/x", 513, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_U64(got->type, BLOB_TYPE_BLOCK);
    CHECK(judge_has_settled(got, FINDING_SIZE_ALIGNMENT));
    got = judge_file_at(&rules, "acct_PageBlob/c1-a/x", 512, VHD_KIND_COUNT);
    CHECK_U64(got->type, BLOB_TYPE_PAGE);

    got = judge_file_at(&rules, "rg_MDisk/PremiumSSD/my disk.vhdx", 1024, VHD_VHDX);
    CHECK_U64(got->verdict, ENTRY_COPY); /* no disk any more, so no disk's name either */
    CHECK_U64(got->type, BLOB_TYPE_PAGE);
    CHECK(!got->is_disk);
    CHECK_TEXT(got->name, "my disk.vhdx");
    got = judge_file_at(&rules, "rg_MDisk/PremiumSSD/x.vhdx", 1023, VHD_VHDX);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_U64(got->type, BLOB_TYPE_BLOCK);

    got = judge_file_at(&rules, "rg_MDisk/MyVHDs/d/x.vhd", 1024, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY_RENAMED);
    CHECK_TEXT(got->container, "myvhds");
    CHECK_TEXT(got->name, "d/x.vhd");
    CHECK_U64(judge_what_at(&rules, "rg_MDisk/MyVHDs", WHAT_FOLDER)->verdict, ENTRY_IS_NO_DATA);
    got = judge_file_at(&rules, "rg_MDisk/PremiumSSD/sub/x.vhd", 1024, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_TEXT(got->container, "premiumssd");
    CHECK_TEXT(got->name, "sub/x.vhd");
    CHECK_U64(judge_what_at(&rules, "rg_MDisk/PremiumSSD/sub", WHAT_FOLDER)->verdict,
              ENTRY_IS_NO_DATA);
}

static void
no_plan_makes_a_page_blob_of_what_cannot_be_one(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_AS_PAGE, "acct_BlockBlob/c1-a/", NULL, FINDING_NONE);
    add(FIX_AS_BLOCK, NULL, NULL, FINDING_SIZE_LIMIT);
    add(FIX_AS_BLOCK, "acct_AzFile/s1-a/", NULL, FINDING_NONE);
    add(FIX_AS_PAGE, "rg_MDisk/PremiumSSD/", NULL, FINDING_NONE);
    CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/c1-a/x", 512, VHD_KIND_COUNT)->type,
              BLOB_TYPE_PAGE);
    const struct judgement *got =
        judge_file_at(&rules, "acct_BlockBlob/c1-a/x", 513, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_HALT);
    CHECK_U64(got->findings[0], FINDING_SIZE_ALIGNMENT);
    got = judge_file_at(&rules, "acct_BlockBlob/c1-a/x", 5 * TIB, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_HALT);
    CHECK_U64(got->findings[0], FINDING_SIZE_LIMIT);
    got = judge_file_at(&rules, "rg_MDisk/PremiumSSD/x.vhdx", 1023, VHD_VHDX);
    CHECK_U64(got->verdict, ENTRY_HALT);
    CHECK_U64(got->findings[0], FINDING_SIZE_ALIGNMENT);
    CHECK(judge_has_settled(got, FINDING_TYPE_UNSUPPORTED));
    /* Too large for a page blob, not for a block blob; too large for both. */
    got = judge_file_at(&rules, "acct_PageBlob/c1-a/x", 5 * TIB, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK_U64(got->type, BLOB_TYPE_BLOCK);
    CHECK_U64(judge_file_at(&rules, "acct_PageBlob/c1-a/x", 15 * TIB, VHD_KIND_COUNT)->verdict,
              ENTRY_HALT);
    CHECK_U64(judge_file_at(&rules, "acct_AzFile/s1-a/x", 1, VHD_KIND_COUNT)->type, BLOB_TYPE_NONE);
}

static void
a_plan_renames_what_the_policy_would_not(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_RENAME, NULL, NULL, FINDING_CONTAINER_LENGTH);
    add(FIX_RENAME, NULL, NULL, FINDING_NAME_ENDING);
    const struct judgement *got = judge_file_at(&rules, "acct_BlockBlob/ab/x", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY_RENAMED);
    CHECK(got->is_container_renamed);
    CHECK(judge_has_settled(got, FINDING_CONTAINER_LENGTH));
    CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/a_b/x", 1, VHD_KIND_COUNT)->verdict,
              ENTRY_HALT);
    rules.bad_names = BAD_NAMES_SKIP;
    got = judge_file_at(&rules, "acct_BlockBlob/c1-a/x.", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY_RENAMED);
    CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/c1-a/x\\", 1, VHD_KIND_COUNT)->verdict,
              ENTRY_SKIP);
}

static void
what_a_plan_leaves_out_is_skipped_whatever_is_wrong_with_it(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_SKIP, "Backup/", NULL, FINDING_NONE);
    add(FIX_SKIP, "acct_BlockBlob/c1-a/x", NULL, FINDING_NONE);
    add(FIX_SKIP, NULL, NULL, FINDING_REPARSE_POINT);
    const struct judgement *got = judge_file_at(&rules, "Backup/a/b", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_SKIP);
    CHECK(judge_has_settled(got, FINDING_ROOT_FOLDER_UNKNOWN));
    CHECK_U64(judge_what_at(&rules, "Backup", WHAT_FOLDER)->verdict, ENTRY_IS_NO_DATA);
    CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/c1-a/x", 1, VHD_KIND_COUNT)->verdict,
              ENTRY_SKIP);
    CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/c1-a/y", 1, VHD_KIND_COUNT)->verdict,
              ENTRY_COPY);
    CHECK_U64(judge_what_at(&rules, "acct_BlockBlob/c1-a/link", WHAT_SPECIAL)->verdict, ENTRY_SKIP);
}

static void
content_is_wanted_where_a_plan_puts_a_file(void **state)
{
    struct judge_rules rules = rules_of(SKU_DATABOX, false);
    (void)state;
    add(FIX_MAP, "rg_MDisk/Mine", "rg_MDisk/PremiumSSD", FINDING_NONE);
    CHECK(judge_wants_content(&rules, "rg_MDisk/Mine/x.vhd"));
    CHECK(!judge_wants_content(&rules, "rg_MDisk/Yours/x.vhd"));
    const struct judgement *got =
        judge_file_at(&rules, "rg_MDisk/Mine/x.vhd", 32U << 20, VHD_DYNAMIC);
    CHECK_U64(got->findings[0], FINDING_TYPE_UNSUPPORTED);
    CHECK_TEXT(got->manifest_path, "Mine/x.vhd");
}

int
main(void)
{
#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        PLAN_TEST(a_pack_that_is_taken_as_a_block_blob_is_judged_as_one),
        PLAN_TEST(a_mapped_folder_is_judged_where_it_is_taken_for),
        PLAN_TEST(mapping_to_nowhere_halts),
        PLAN_TEST(a_case_variant_taken_for_the_tier_keeps_its_manifest),
        PLAN_TEST(another_kind_of_blob_settles_what_is_wrong_with_this_one),
        PLAN_TEST(no_plan_makes_a_page_blob_of_what_cannot_be_one),
        PLAN_TEST(a_plan_renames_what_the_policy_would_not),
        PLAN_TEST(what_a_plan_leaves_out_is_skipped_whatever_is_wrong_with_it),
        PLAN_TEST(content_is_wanted_where_a_plan_puts_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
