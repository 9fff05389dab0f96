/* Trees against the lists of files that prepare to ship has left. */
#include "tests/unit/device/check_run.h"

#define LINE(size, crc, path) "<file size=\"" size "\" crc64=\"" crc "\">" path "</file>\n"
#define SOME                  "0x659632cb7e4be261"
#define BOTH                  LINE("1", SOME, "\\container\\a") LINE("2", SOME, "\\container\\sub\\b")

/* A share with two files, listed as `list` says; NULL: not at all. */
static void
make(struct run *run, const char *list)
{
    run->options.manifest = MANIFEST_REQUIRE;
    tree_file(&run->folder, "acct_BlockBlob/container/a", 1);
    tree_file(&run->folder, "acct_BlockBlob/container/sub/b", 2);
    if (list != NULL) {
        tree_text(&run->folder, "BOM/acct_BlockBlob.txt", list);
    }
}

static void
check_mended_by_building(struct run *run)
{
    CHECK_U64(run->result.proposal.count, 1);
    CHECK(run->result.proposal.steps[0].kind == FIX_BUILD);
    CHECK_TEXT(run->result.proposal.steps[0].from, "acct_BlockBlob");
    run_mends(run);
}

static void
a_tree_that_is_as_listed_is_clean(void **state)
{
    struct run *run = *state;
    make(run, BOTH);
    tree_folder(&run->folder, "other_AzFile/share"); /* holds no data, so needs no list */
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

static void
a_share_without_its_list_was_not_prepared(void **state)
{
    struct run *run = *state;
    make(run, NULL);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_MISSING, 1, "acct_BlockBlob");
    CHECK(run_group(run, FINDING_MANIFEST_MISSING)->halt == HALT_NOT_PREPARED);
    CHECK(check_fix(&run->result, run_group(run, FINDING_MANIFEST_MISSING))->kind == FIX_BUILD);
    check_mended_by_building(run);
}

static void
a_file_that_was_added_is_found(void **state)
{
    struct run *run = *state;
    make(run, LINE("1", SOME, "\\container\\a"));
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_ADDED, 1, "acct_BlockBlob/container/sub/b");
    check_mended_by_building(run);
}

static void
a_file_that_is_gone_is_found(void **state)
{
    struct run *run = *state;
    make(run, BOTH LINE("3", SOME, "\\container\\gone") LINE("3", SOME, "\\container\\gone"));
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_FILE_MISSING, 1, "acct_BlockBlob/container/gone");
    check_mended_by_building(run);
}

/* A share that is gone as a whole leaves its list behind. */
static void
a_share_that_is_gone_is_found(void **state)
{
    struct run *run = *state;
    make(run, BOTH);
    tree_text(&run->folder, "BOM/acct_AzFile-BOM.txt", LINE("3", SOME, "\\share\\f"));
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_FILE_MISSING, 1, "acct_AzFile/share/f");
}

static void
a_file_of_another_size_is_found(void **state)
{
    struct run *run = *state;
    make(run, LINE("7", SOME, "\\container\\a") LINE("2", SOME, "\\container\\sub\\b"));
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_SIZE, 1, "acct_BlockBlob/container/a");
    check_mended_by_building(run);
}

/* Times are kept to two seconds by some file systems, and one that is still to come is nobody's
 * change; only what lies between is. */
static void
a_file_that_was_changed_since_is_found(void **state)
{
    struct run *run = *state;
    make(run, BOTH);
    tree_age(&run->folder, "BOM/acct_BlockBlob.txt", -100);
    tree_age(&run->folder, "acct_BlockBlob/container/a", -99);
    tree_age(&run->folder, "acct_BlockBlob/container/sub/b", 100000);
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    tree_age(&run->folder, "acct_BlockBlob/container/a", -90);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_STALE, 1, "acct_BlockBlob/container/a");
    check_mended_by_building(run);
}

static void
a_missing_checksum_is_a_warning_where_there_are_bytes(void **state)
{
    struct run *run = *state;
    make(run, LINE("1", "", "\\container\\a") LINE("2", "0x0000000000000000", "\\container\\sub\\b")
                  LINE("0", "0x0000000000000000", "\\container\\empty"));
    tree_file(&run->folder, "acct_BlockBlob/container/empty", 0);
    run_look(run, SKU_DATABOX);
    CHECK_U64(run_group(run, FINDING_MANIFEST_NO_CRC)->count, 2);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
}

static void
a_damaged_list_halts(void **state)
{
    struct run *run = *state;
    make(run, BOTH "<file size=\"x\">\\container\\c</file>\n");
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_DAMAGED, 1, "BOM/acct_BlockBlob.txt");
    check_mended_by_building(run);
}

/* A link in place of a list could lead anywhere, and a pipe would hang. */
static void
a_list_that_is_no_file_is_damaged(void **state)
{
    struct run *run = *state;
    make(run, NULL);
    tree_folder(&run->folder, "BOM");
    assert_int_equal(mkfifo(folder_join(&run->folder, "BOM/acct_BlockBlob.txt"), 0666), 0);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_MANIFEST_DAMAGED, 1, "BOM/acct_BlockBlob.txt");
    CHECK_U64(run->result.findings.group_count, 1);
    check_mended_by_building(run);
}

/* Each of a Heavy's nodes lists what went through it. */
static void
the_lists_of_several_nodes_are_one(void **state)
{
    struct run *run = *state;
    make(run, NULL);
    tree_text(&run->folder, "BOM/node1/acct_BlockBlob.txt", LINE("1", SOME, "\\container\\a"));
    tree_text(&run->folder, "BOM/node2/acct_BlockBlob.txt", LINE("2", SOME, "\\container\\sub\\b"));
    run_look(run, SKU_HEAVY);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    CHECK_U64(run->result.files_ignored, 0);
}

static void
other_policies_never_halt_for_a_list(void **state)
{
    struct run *run = *state;
    make(run, LINE("7", SOME, "\\container\\a") LINE("3", SOME, "\\container\\gone") "<");
    run->options.manifest = MANIFEST_BUILD;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
    CHECK_U64(run_group(run, FINDING_MANIFEST_SIZE)->count, 1);
    run->options.manifest = MANIFEST_IGNORE;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

/* They stand in no list, and nobody could have listed them. */
static void
what_a_plan_maps_from_outside_is_no_mismatch(void **state)
{
    struct run *run = *state;
    make(run, BOTH);
    tree_file(&run->folder, "Backup/x", 1);
    run_look(run, SKU_DATABOX);
    CHECK_U64(run->result.findings.group_count, 1);
    CHECK_U64(run->result.proposal.count, 1);
    run_mends(run);
}

/* What a plan leaves out may be listed or not. */
static void
what_a_plan_leaves_out_is_no_mismatch(void **state)
{
    struct run *run = *state;
    struct fix_plan plan;
    struct fix_step step = {.kind = FIX_SKIP, .from = "acct_BlockBlob/container/left/"};
    make(run, BOTH LINE("9", SOME, "\\container\\left\\listed"));
    tree_file(&run->folder, "acct_BlockBlob/container/left/listed", 1);
    tree_file(&run->folder, "acct_BlockBlob/container/left/not", 1);
    fix_plan_init(&plan);
    CHECK_OK(fix_plan_add(&plan, &step, &run->err), &run->err);
    run->options.rules.plan = &plan;
    run_look(run, SKU_DATABOX);
    run->options.rules.plan = NULL;
    fix_plan_done(&plan);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

/* A list that a plan has built anew says nothing of checksums, neither that they are wrong nor that
 * they are missing. */
static void
what_a_plan_builds_is_not_held_against_the_old_list(void **state)
{
    struct run *run = *state;
    struct fix_plan plan;
    struct manifest_fact fact;
    struct fix_step step = {.kind = FIX_BUILD, .from = "acct_BlockBlob"};
    static const char path[] = "acct_BlockBlob/data/a";
    run->options.manifest = MANIFEST_REQUIRE;
    tree_file(&run->folder, path, 1);
    tree_text(&run->folder, "BOM/acct_BlockBlob.txt",
              "<file size=\"1\" crc64=\"0x0000000000000007\">\\data\\a</file>\n");
    run_look(run, SKU_DATABOX);
    CHECK(manifest_set_find(run->result.manifest, path, strlen(path), &fact) && fact.has_crc64);
    fix_plan_init(&plan);
    CHECK_OK(fix_plan_add(&plan, &step, &run->err), &run->err);
    run->options.rules.plan = &plan;
    run_look(run, SKU_DATABOX);
    run->options.rules.plan = NULL;
    fix_plan_done(&plan);
    CHECK(manifest_set_find(run->result.manifest, path, strlen(path), &fact) && !fact.has_crc64);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, run_begin, run_end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tree_that_is_as_listed_is_clean),
        TEST(a_share_without_its_list_was_not_prepared),
        TEST(a_file_that_was_added_is_found),
        TEST(a_file_that_is_gone_is_found),
        TEST(a_share_that_is_gone_is_found),
        TEST(a_file_of_another_size_is_found),
        TEST(a_file_that_was_changed_since_is_found),
        TEST(a_missing_checksum_is_a_warning_where_there_are_bytes),
        TEST(a_damaged_list_halts),
        TEST(a_list_that_is_no_file_is_damaged),
        TEST(the_lists_of_several_nodes_are_one),
        TEST(other_policies_never_halt_for_a_list),
        TEST(what_a_plan_maps_from_outside_is_no_mismatch),
        TEST(what_a_plan_leaves_out_is_no_mismatch),
        TEST(what_a_plan_builds_is_not_held_against_the_old_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
