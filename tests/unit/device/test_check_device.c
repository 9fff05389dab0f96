/* What a device tells of itself, and how much its accounts may hold. */
#include "tests/unit/device/check_run.h"

#include <unistd.h>

#define TIB    ((uint64_t)1 << 40)
#define LISTED "<file size=\"1\" crc64=\"0x0000000000000007\">\\data\\a</file>\n"

static void
lacks(const struct run *run, enum finding_code code)
{
    for (unsigned i = 0; i < run->result.findings.group_count; i++) {
        CHECK(run->result.findings.groups[i].code != code);
    }
}

/* ---- formatted ---- */

static void
a_device_without_anything_was_formatted(void **state)
{
    struct run *run = *state;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "halt");
    CHECK_U64(run_group(run, FINDING_DEVICE_FORMATTED)->count, 1);
    tree_folder(&run->folder, "System Volume Information");
    tree_file(&run->folder, "lost+found/x", 1);
    run_look(run, SKU_DISK);
    CHECK_U64(run_group(run, FINDING_DEVICE_FORMATTED)->count, 1);
}

static void
whatever_is_not_the_file_systems_own_shows_that_it_was_not(void **state)
{
    static const char *const folders[] = {"acct_BlockBlob", "Backup", "BOM", "DataBoxDiskImport"};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        struct run *run = *state;
        tree_folder(&run->folder, folders[i]);
        run_look(run, SKU_DISK);
        lacks(run, FINDING_DEVICE_FORMATTED);
        CHECK(rmdir(folder_join(&run->folder, folders[i])) == 0);
    }
}

static void
a_disk_with_a_manifest_of_drives_had_a_folder_of_tools(void **state)
{
    struct run *run = *state;
    tree_file(&run->folder, "BlockBlob/data/a", 1);
    run_look(run, SKU_DISK);
    lacks(run, FINDING_METADATA_REMOVED);
    tree_text(&run->folder, "DriveManifest.xml", "<DriveManifest/>");
    run_look(run, SKU_DISK);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
    CHECK_U64(run_group(run, FINDING_METADATA_REMOVED)->count, 1);
    tree_folder(&run->folder, "DataBoxDiskImport");
    run_look(run, SKU_DISK);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

/* ---- the scan before shipping ---- */

static void
prepare(struct run *run, const char *log)
{
    run->options.manifest = MANIFEST_REQUIRE;
    tree_file(&run->folder, "acct_BlockBlob/data/a", 1);
    tree_text(&run->folder, "BOM/acct_BlockBlob.txt", LISTED);
    tree_text(&run->folder, "BOM/error.xml", log);
}

static void
issues_of_the_scan_halt_until_the_list_is_built_anew(void **state)
{
    struct run *run = *state;
    prepare(run, "<file error=\"ERROR_GENERAL\">\\data\\x</file>"
                 "<file error=\"Not512Aligned\">\\data\\y</file>"
                 "<file error=\"ERROR_BLOB_OR_FILE_NAME_ENDING\">\\data\\z.</file>"
                 "<file error=\"None\">\\data\\w</file>");
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_SCAN_ISSUES, 2, "data/x");
    CHECK_U64(run->result.proposal.count, 1);
    CHECK_U64(run->result.proposal.steps[0].kind, FIX_BUILD);
    run_mends(run);
    run->options.rules.plan = NULL;
    run->options.manifest = MANIFEST_BUILD;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "warnings");
    run->options.manifest = MANIFEST_IGNORE;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

static void
a_scan_that_only_changes_names_succeeded(void **state)
{
    struct run *run = *state;
    prepare(run, "<file error=\"ERROR_BLOB_OR_FILE_NAME_ENDING\">\\data\\z.</file>");
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

/* Something was to be said; what, cannot be read. */
static void
a_log_of_the_scan_that_cannot_be_read_is_one_issue(void **state)
{
    struct run *run = *state;
    prepare(run, "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><file error=\"&a;\">&a;</file>");
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_SCAN_ISSUES, 1, "BOM/error.xml");
    CHECK(truncate(folder_join(&run->folder, "BOM/error.xml"), (off_t)TIB) == 0);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_SCAN_ISSUES, 1, "BOM/error.xml");
}

/* It could lead anywhere. */
static void
a_log_of_the_scan_that_is_a_link_is_not_followed(void **state)
{
    struct run *run = *state;
    prepare(run, "<file error=\"ERROR_GENERAL\">\\data\\x</file>");
    CHECK(rename(folder_join(&run->folder, "BOM/error.xml"), folder_join(&run->folder, "x")) == 0);
    CHECK(symlink("../x", folder_join(&run->folder, "BOM/error.xml")) == 0);
    run_look(run, SKU_DATABOX);
    lacks(run, FINDING_SCAN_ISSUES);
}

/* ---- capacity ---- */

static void
shares_of(struct run *run, unsigned shares, uint64_t bytes)
{
    for (unsigned i = 0; i < shares; i++) {
        AUTO_TEXT path = TEXT_INIT;
        text_addf(&path, "acct_AzFile/share-%u/f", i);
        tree_file(&run->folder, text_str(&path), bytes);
    }
}

static void
a_premium_account_has_a_limit_besides_its_shares(void **state)
{
    struct run *run = *state;
    shares_of(run, 25, 4 * TIB - ((uint64_t)8 << 30));
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    run->options.rules.device.file_shares = FILE_SHARES_PREMIUM;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
    CHECK(truncate(folder_join(&run->folder, "acct_AzFile/share-7/f"), (off_t)(4 * TIB)) == 0);
    run_look(run, SKU_DATABOX);
    run_halts(run, FINDING_ACCOUNT_CAPACITY, 1, "acct");
    run->options.rules.device.file_shares = FILE_SHARES_LARGE;
    run_look(run, SKU_DATABOX);
    CHECK_TEXT(finding_verdict_name(run->result.verdict), "clean");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, run_begin, run_end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_without_anything_was_formatted),
        TEST(whatever_is_not_the_file_systems_own_shows_that_it_was_not),
        TEST(a_disk_with_a_manifest_of_drives_had_a_folder_of_tools),
        TEST(issues_of_the_scan_halt_until_the_list_is_built_anew),
        TEST(a_scan_that_only_changes_names_succeeded),
        TEST(a_log_of_the_scan_that_cannot_be_read_is_one_issue),
        TEST(a_log_of_the_scan_that_is_a_link_is_not_followed),
        TEST(a_premium_account_has_a_limit_besides_its_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
