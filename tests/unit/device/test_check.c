/* Whole trees: what they come to, and whether the proposed plan mends them. */
#include "tests/unit/device/check_run.h"

static const char *
step_words(const struct run *run, unsigned index, struct text *out)
{
    text_clear(out);
    fix_step_words(&run->result.proposal.steps[index], out);
    return text_str(out);
}

/* ---- sound trees ---- */

static void
a_sound_tree_is_clean(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/container/a/b.txt", 10);
    tree_file(&run->folder, "acct_PageBlob/pages/p", 512);
    tree_file(&run->folder, "other_AzFile/share/f", 1);
    tree_folder(&run->folder, "other_AzFile/share/empty");
    tree_folder(&run->folder, "acct_BlockBlob/container/empty/deeper");
    tree_folder(&run->folder, "acct_PageBlob/pages/empty");
    tree_folder(&run->folder, "acct_BlockBlob/in valid");
    tree_folder(&run->folder, "third_BlockBlob/other");
    tree_file(&run->folder, "lost+found/x", 1);
    tree_file(&run->folder, "System Volume Information/x", 1);
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    CHECK_U64(run->result.items, 3);
    CHECK_U64(run->result.bytes, 523);
    CHECK_U64(run->result.containers, 3);
    CHECK_U64(run->result.folders_empty, 1);
    CHECK_U64(run->result.accounts, 2);
    CHECK_TEXT(run->result.account_names[0], "acct");
    CHECK_TEXT(run->result.account_names[1], "other");
    CHECK_U64(run->result.proposal.count, 0);
}

static void
a_tree_that_is_not_there_is_an_error(void **state)
{
    struct run *run = *state;
    run->paths[0] = "/nonexistent/tree";
    run->options.rules.limits = limits_of(SKU_DATABOX);
    CHECK_ERR(check_run(&run->options, &run->result, &run->err), &run->err, ERR_STORE_GONE);
    CHECK_HAS(run->err.text, "/nonexistent/tree");
}

/* ---- wrong places ---- */

/* The folder is one thing to mend, however many files it holds. */
static void
a_folder_outside_shares_is_mapped_into_a_container(void **state)
{
    struct run *run = *state;
    AUTO_TEXT words = TEXT_INIT;
    tree_file(&run->folder, "zz_BlockBlob/container/a", 1);
    tree_file(&run->folder, "acct_BlockBlob/container/a", 1);
    tree_file(&run->folder, "Backup/1", 5);
    tree_file(&run->folder, "Backup/sub/2", 6);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_ROOT_FOLDER_UNKNOWN, 1, "Backup");
    CHECK_U64(run_group(run, FINDING_ROOT_FOLDER_UNKNOWN)->bytes, 11);
    CHECK_TEXT(run->result.proposal.steps[0].from, "Backup");
    CHECK_TEXT(run->result.proposal.steps[0].to, "acct_BlockBlob/backup");
    CHECK_HAS(step_words(run, 0, &words), "2 files");
    run_mends(run);
    CHECK_U64(run->result.items, 4);
}

/* Merging into what the customer already has there could overwrite it. */
static void
a_mapped_folder_never_joins_a_container_that_is_there(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/backup/1", 1);
    tree_file(&run->folder, "Backup/1", 1);
    tree_file(&run->folder, "BACKUP/1", 1);
    tree_file(&run->folder, "My Data!/1", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_ROOT_FOLDER_UNKNOWN, 3, "BACKUP");
    CHECK_U64(run->result.proposal.count, 3);
    CHECK_HAS(run->result.proposal.steps[0].to, "acct_BlockBlob/databox-");
    CHECK_HAS(run->result.proposal.steps[1].to, "acct_BlockBlob/databox-");
    CHECK_TEXT(run->result.proposal.steps[2].to, "acct_BlockBlob/my-data");
    run_mends(run);
    CHECK_U64(run->result.containers, 4);
}

static void
files_at_roots_are_mapped(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/b.txt", 1);
    tree_file(&run->folder, "acct_PageBlob/p.vhd", 512);
    tree_file(&run->folder, "acct_AzFile/f.txt", 1);
    tree_file(&run->folder, "stray.txt", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_ROOT_FILE, 1, "stray.txt");
    run_halts(run, FINDING_SHARE_ROOT_FILE, 3, "acct_AzFile/f.txt");
    CHECK_TEXT(run->result.proposal.steps[0].to, "acct_BlockBlob/root-files/stray.txt");
    CHECK_TEXT(run->result.proposal.steps[1].to, "acct_AzFile/share-root-files/f.txt");
    CHECK_TEXT(run->result.proposal.steps[2].to, "acct_BlockBlob/$root/b.txt");
    run_mends(run);
}

/* Nobody can tell whose data it is. */
static void
without_an_account_nothing_is_mapped(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "Backup/1", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_ROOT_FOLDER_UNKNOWN, 1, "Backup");
    CHECK_U64(run->result.proposal.count, 0);
    CHECK(check_fix(&run->result, run_group(run, FINDING_ROOT_FOLDER_UNKNOWN)) == NULL);
}

static void
a_share_in_the_wrong_case_is_taken_for_the_share(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_blockblob/container/1", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_ROOT_FOLDER_UNKNOWN, 1, "acct_blockblob");
    CHECK_TEXT(run->result.proposal.steps[0].to, "acct_BlockBlob");
    run_mends(run);
}

static void
a_disk_has_one_account_and_its_own_folders(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "BlockBlob/container/a", 1);
    tree_file(&run->folder, "BlockBlob/root.txt", 1);
    tree_file(&run->folder, "AzureFile/f.txt", 1);
    tree_file(&run->folder, "Backup/1", 1);
    tree_file(&run->folder, "DriveManifest.xml", 1);
    tree_file(&run->folder, "DataBoxDiskImport/logs/error.xml", 1);
    run_look(run, SKU_DISK);
    run_halts(run, FINDING_ROOT_FOLDER_UNKNOWN, 1, "Backup");
    CHECK_TEXT(run->result.proposal.steps[0].to, "BlockBlob/backup");
    CHECK_U64(run->result.files_ignored, 1);
    run_mends(run);
}

static void
a_case_variant_of_a_tier_is_taken_for_the_tier(void **state)
{
    struct run *run = *state;
    run->options.rules.device.has_tiers = true;
    tree_file(&run->folder, "acct_BlockBlob/Hot/container/1", 1);
    tree_file(&run->folder, "acct_BlockBlob/cool/container/2", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_TIER_CASE_VARIANT, 1, "acct_BlockBlob/cool");
    CHECK(run->result.proposal.steps[0].kind == FIX_TIER);
    CHECK_TEXT(run->result.proposal.steps[0].to, "acct_BlockBlob/Cool");
    run_mends(run);
}

static void
managed_disks_in_wrong_places_become_blobs(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "rg_MDisk/MyVHDs/x.vhd", 1024);
    tree_file(&run->folder, "rg_MDisk/PremiumSSD/sub/y.vhd", 1024);
    tree_file(&run->folder, "rg_MDisk/PremiumSSD/text.vhd", 100);
    tree_file(&run->folder, "rg_MDisk/PremiumSSD/aligned.vhd", 1024);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_FOLDER_DISALLOWED, 1, "rg_MDisk/MyVHDs");
    run_halts(run, FINDING_DIRECTORY_DISALLOWED, 1, "rg_MDisk/PremiumSSD/sub");
    run_halts(run, FINDING_TYPE_UNSUPPORTED, 2, "rg_MDisk/PremiumSSD/aligned.vhd");
    run_halts(run, FINDING_SIZE_ALIGNMENT, 1, "rg_MDisk/PremiumSSD/text.vhd");
    run_mends(run);
    CHECK_TEXT(run->result.account_names[0], "rg");
}

/* The folder is at a wrong place still, and nothing in it stops the copy any more. */
static void
a_folder_whose_files_are_settled_one_by_one_does_not_halt(void **state)
{
    struct run *run = *state;
    struct fix_plan plan;
    struct fix_step one = {.kind = FIX_AS_PAGE, .from = "rg_MDisk/MyVHDs/1"};
    struct fix_step two = {.kind = FIX_AS_PAGE, .from = "rg_MDisk/MyVHDs/2"};
    tree_file(&run->folder, "rg_MDisk/MyVHDs/1", 512);
    tree_file(&run->folder, "rg_MDisk/MyVHDs/2", 512);
    fix_plan_init(&plan);
    CHECK_OK(fix_plan_add(&plan, &one, &run->err), &run->err);
    run->options.rules.plan = &plan;
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_FOLDER_DISALLOWED, 1, "rg_MDisk/MyVHDs");
    CHECK_OK(fix_plan_add(&plan, &two, &run->err), &run->err);
    run_look(run, SKU_DATABOX);
    run->options.rules.plan = NULL;
    fix_plan_done(&plan);
    CHECK(run_group(run, FINDING_FOLDER_DISALLOWED)->halt == HALT_NONE);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
}

/* ---- wrong format ---- */

static void
names_sizes_and_kinds_are_mended_by_code(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/ab/1", 1);
    tree_file(&run->folder, "acct_BlockBlob/in valid/2", 1);
    tree_file(&run->folder, "acct_BlockBlob/in valid/3", 1);
    tree_file(&run->folder, "acct_BlockBlob/-dash/4", 1);
    tree_file(&run->folder, "acct_PageBlob/pages/odd", 513);
    tree_file(&run->folder, "acct_AzFile/share/huge", UINT64_C(5) << 40);
    assert_int_equal(symlink("/", folder_join(&run->folder, "acct_BlockBlob/link")), 0);
    assert_int_equal(mkfifo(folder_join(&run->folder, "acct_BlockBlob/ab/pipe"), 0666), 0);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_CONTAINER_LENGTH, 1, "acct_BlockBlob/ab");
    run_halts(run, FINDING_CONTAINER_CHARACTERS, 1, "acct_BlockBlob/in valid");
    run_halts(run, FINDING_CONTAINER_DASH, 1, "acct_BlockBlob/-dash");
    run_halts(run, FINDING_SIZE_ALIGNMENT, 1, "acct_PageBlob/pages/odd");
    run_halts(run, FINDING_SIZE_LIMIT, 1, "acct_AzFile/share/huge");
    run_halts(run, FINDING_REPARSE_POINT, 2, "acct_BlockBlob/ab/pipe");
    CHECK(check_fix(&run->result, run_group(run, FINDING_REPARSE_POINT))->kind == FIX_SKIP);
    run_mends(run);
}

/* Steps of a plan that was given stay in the proposal: one plan does it all. */
static void
a_proposal_holds_the_plan_that_was_given(void **state)
{
    struct run *run = *state;
    struct fix_plan plan;
    struct fix_step given = {.kind = FIX_SKIP, .code = FINDING_REPARSE_POINT};
    fix_plan_init(&plan);
    CHECK_OK(fix_plan_add(&plan, &given, &run->err), &run->err);
    tree_file(&run->folder, "acct_BlockBlob/ab/1", 1);
    assert_int_equal(symlink("/", folder_join(&run->folder, "acct_BlockBlob/ab/link")), 0);
    run->options.rules.plan = &plan;
    run_look(run, SKU_DATABOX);
    run->options.rules.plan = NULL;
    fix_plan_done(&plan);
    CHECK_U64(run->result.proposal.count, 2);
    run_mends(run);
}

static void
an_unreadable_folder_halts_without_access(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/container/locked/x", 1);
    assert_int_equal(chmod(folder_join(&run->folder, "acct_BlockBlob/container/locked"), 0), 0);
    run_look(run, SKU_DATABOX);
    if (geteuid() != 0) { /* root reads it all the same */
        run_halts(run, FINDING_GENERAL, 1, "acct_BlockBlob/container/locked");
        CHECK(!halt_needs_access(run_group(run, FINDING_GENERAL)->halt));
    }
    (void)chmod(folder_join(&run->folder, "acct_BlockBlob/container/locked"), 0700);
}

/* ---- what becomes the same ---- */

static void
two_names_for_one_container_halt_and_are_kept_apart(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/Data/1", 1);
    tree_file(&run->folder, "acct_BlockBlob/data/2", 1);
    tree_file(&run->folder, "acct_PageBlob/DATA/3", 512);
    tree_file(&run->folder, "acct_AzFile/Data/4", 1); /* file shares are apart */
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_CONTAINER_COLLISION, 2, "acct_BlockBlob/Data");
    CHECK_TEXT(run_group(run, FINDING_CONTAINER_COLLISION)->examples[1], "acct_PageBlob/DATA");
    run_mends(run);
    CHECK_U64(run->result.containers, 4);
    CHECK_U64(run->result.items, 4);
}

/* The folder is told and moved as a whole; what lies in it is not told again, and the one that has
 * the name by right stays where it is. */
static void
equal_paths_of_two_names_are_told_once(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/Data/same", 1);
    tree_file(&run->folder, "acct_BlockBlob/data/same", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_CONTAINER_COLLISION, 1, "acct_BlockBlob/Data");
    CHECK_U64(run->result.proposal.count, 1);
    CHECK_TEXT(run->result.proposal.steps[0].from, "acct_BlockBlob/Data");
    run_mends(run);
}

/* Nothing is made of an empty folder, so it takes no name from another. */
static void
an_empty_folder_collides_with_nothing(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/Data/1", 1);
    tree_folder(&run->folder, "acct_BlockBlob/data/empty");
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
    CHECK_U64(run->result.findings.group_count, 1);
    CHECK_U64(run_group(run, FINDING_CONTAINER_UPPER_CASE)->count, 1);
}

/* A container may spread over tiers; a blob cannot. */
static void
one_path_in_two_tiers_halts(void **state)
{
    struct run *run = *state;
    run->options.rules.device.has_tiers = true;
    tree_file(&run->folder, "acct_BlockBlob/Cool/container/sub/same", 1);
    tree_file(&run->folder, "acct_BlockBlob/Hot/container/sub/same", 1);
    tree_file(&run->folder, "acct_BlockBlob/Hot/container/sub/other", 1);
    tree_file(&run->folder, "acct_BlockBlob/container/default", 1);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_CONTAINER_COLLISION, 1, "acct_BlockBlob/Hot/container/sub/same");
    CHECK_U64(run->result.containers, 1);
    run_mends(run);
}

static void
a_container_in_several_tiers_is_one_container(void **state)
{
    struct run *run = *state;
    run->options.rules.device.has_tiers = true;
    tree_file(&run->folder, "acct_BlockBlob/Cool/container/1", 1);
    tree_file(&run->folder, "acct_BlockBlob/Hot/container/2", 1);
    tree_file(&run->folder, "acct_PageBlob/container/3", 512);
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    CHECK_U64(run->result.containers, 1);
}

static void
names_of_one_folder_that_differ_in_case_are_found(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_AzFile/share/File", 1);
    tree_file(&run->folder, "acct_AzFile/share/FILE", 1);
    tree_file(&run->folder, "acct_AzFile/share/file/x", 1);
    run_look(run, SKU_DATABOX);
    CHECK_U64(run_group(run, FINDING_CASE_COLLISION)->count, 2);
    CHECK(run_group(run, FINDING_CASE_COLLISION)->cls == FINDING_CRITICAL);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
}

static void
blobs_that_differ_in_case_are_only_worth_a_warning(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_BlockBlob/container/a", 1);
    tree_file(&run->folder, "acct_BlockBlob/container/A", 1);
    tree_file(&run->folder, "acct_BlockBlob/container/sub/a", 1);
    run_look(run, SKU_DATABOX);
    CHECK_U64(run_group(run, FINDING_CASE_COLLISION)->count, 1);
    CHECK(run_group(run, FINDING_CASE_COLLISION)->cls == FINDING_WARNING);
}

/* ---- how many ---- */

static void
make_containers(struct run *run, int count)
{
    char path[64];
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "acct_BlockBlob/container-%d/f", i);
        tree_file(&run->folder, path, 0);
    }
}

static void
as_many_containers_as_allowed_are_clean_and_one_more_halts(void **state)
{
    struct run *run = *state;
    make_containers(run, 512);
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    tree_file(&run->folder, "acct_AzFile/one-more/f", 0);
    run_look(run, SKU_DATABOX);
    CHECK_U64(run->result.containers, 513);
    CHECK_U64(run_group(run, FINDING_CONTAINER_COUNT)->count, 1);
    CHECK(run_group(run, FINDING_CONTAINER_COUNT)->halt == HALT_QUOTA);
    CHECK_U64(run->result.proposal.count, 0);
}

static void
more_than_ten_accounts_halt(void **state)
{
    struct run *run = *state;
    char path[64];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(path, sizeof path, "acct%d_BlockBlob/container/f", i);
        tree_file(&run->folder, path, 0);
    }
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    tree_file(&run->folder, "eleventh_BlockBlob/container/f", 0);
    run_look(run, SKU_DATABOX);
    CHECK(run_group(run, FINDING_ACCOUNT_COUNT)->halt == HALT_QUOTA);
}

static void
a_file_share_that_is_too_full_halts(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "acct_AzFile/share/a", UINT64_C(3) << 40);
    tree_file(&run->folder, "acct_AzFile/other/c", UINT64_C(3) << 40);
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    tree_file(&run->folder, "acct_AzFile/share/b", UINT64_C(3) << 40);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_CAPACITY, 1, "acct_AzFile/share");
    CHECK_U64(run->result.proposal.count, 0);
}

/* ---- several disks ---- */

static void
one_path_on_two_disks_halts(void **state)
{
    struct run *run = *state;
    struct folder second;
    folder_init(&second);
    run->paths[1] = second.path;
    run->options.path_count = 2;
    run->options.rules.device.has_tiers = true;
    tree_file(&run->folder, "BlockBlob/container/a", 1);
    tree_file(&run->folder, "BlockBlob/container/b", 1);
    tree_file(&second, "BlockBlob/Hot/container/a", 1); /* the same blob */
    tree_file(&second, "BlockBlob/container/c", 1);
    run_look(run, SKU_DISK);
    CHECK_U64(run_group(run, FINDING_PATH_TWICE)->count, 1);
    CHECK_HAS(run_group(run, FINDING_PATH_TWICE)->examples[0], second.path);
    CHECK_HAS(run_group(run, FINDING_PATH_TWICE)->examples[0], "/BlockBlob/Hot/container/a");
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "halt");
    CHECK_U64(run->result.items, 4);
    CHECK_U64(run->result.containers, 1);
    folder_done(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, run_begin, run_end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_tree_is_clean),
        TEST(a_tree_that_is_not_there_is_an_error),
        TEST(a_folder_outside_shares_is_mapped_into_a_container),
        TEST(a_mapped_folder_never_joins_a_container_that_is_there),
        TEST(files_at_roots_are_mapped),
        TEST(without_an_account_nothing_is_mapped),
        TEST(a_share_in_the_wrong_case_is_taken_for_the_share),
        TEST(a_disk_has_one_account_and_its_own_folders),
        TEST(a_case_variant_of_a_tier_is_taken_for_the_tier),
        TEST(managed_disks_in_wrong_places_become_blobs),
        TEST(a_folder_whose_files_are_settled_one_by_one_does_not_halt),
        TEST(names_sizes_and_kinds_are_mended_by_code),
        TEST(a_proposal_holds_the_plan_that_was_given),
        TEST(an_unreadable_folder_halts_without_access),
        TEST(two_names_for_one_container_halt_and_are_kept_apart),
        TEST(equal_paths_of_two_names_are_told_once),
        TEST(an_empty_folder_collides_with_nothing),
        TEST(one_path_in_two_tiers_halts),
        TEST(a_container_in_several_tiers_is_one_container),
        TEST(names_of_one_folder_that_differ_in_case_are_found),
        TEST(blobs_that_differ_in_case_are_only_worth_a_warning),
        TEST(as_many_containers_as_allowed_are_clean_and_one_more_halts),
        TEST(more_than_ten_accounts_halt),
        TEST(a_file_share_that_is_too_full_halts),
        TEST(one_path_on_two_disks_halts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
