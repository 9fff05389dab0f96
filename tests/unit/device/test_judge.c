#include "ingest/device/names.h"
#include "tests/unit/device/judge_support.h"

#define NO_MATTER NULL, NULL, BLOB_TYPE_NONE, BLOB_TIER_NONE

/* SHA-256 of "New Folder", of "dir/a\1b" and of "/AzureFile". */
#define NEW_FOLDER "databox-c75ba8074400aff6427cb4467c118ea6"

// clang-format off
static void
a_box_maps_shares_to_accounts_and_folders_to_containers(void **state)
{
    static const struct judge_case cases[] = {
        {"acct_BlockBlob/c1-a/d/x", ENTRY_COPY, FINDING_NONE, "c1-a", "d/x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_PageBlob/c1-a/d/x", ENTRY_COPY, FINDING_NONE, "c1-a", "d/x", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"acct_AzFile/s1-a/d/x", ENTRY_COPY, FINDING_NONE, "s1-a", "d/x", BLOB_TYPE_NONE, BLOB_TIER_NONE},
        {"rg_MDisk/PremiumSSD/x.vhd", ENTRY_COPY, FINDING_NONE, "premiumssd", "x.vhd", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"rg_MDisk/StandardHDD/x.vhd", ENTRY_COPY, FINDING_NONE, "standardhdd", "x.vhd", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"rg_MDisk/Standard SSD/x.vhd", ENTRY_COPY, FINDING_NONE, "standardssd", "x.vhd", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"acct_BlockBlob/$root/x", ENTRY_COPY, FINDING_NONE, "$root", "x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_AzFile/$root/x", ENTRY_HALT, FINDING_CONTAINER_CHARACTERS, NO_MATTER},
        {"acct_BlockBlob/a.txt", ENTRY_HALT, FINDING_SHARE_ROOT_FILE, NO_MATTER},
        {"acct_PageBlob/a.vhd", ENTRY_HALT, FINDING_SHARE_ROOT_FILE, NO_MATTER},
        {"acct_AzFile/a.txt", ENTRY_HALT, FINDING_SHARE_ROOT_FILE, NO_MATTER},
        {"rg_MDisk/x.vhd", ENTRY_HALT, FINDING_SHARE_ROOT_FILE, NO_MATTER},
        {"rg_MDisk/PremiumSSD/sub/x.vhd", ENTRY_HALT, FINDING_DIRECTORY_DISALLOWED, NO_MATTER},
        {"rg_MDisk/MyVHDs/x.vhd", ENTRY_HALT, FINDING_FOLDER_DISALLOWED, NO_MATTER},
        {"rg_MDisk/premiumssd/x.vhd", ENTRY_HALT, FINDING_FOLDER_DISALLOWED, NO_MATTER},
        /* suffixes are case-sensitive; a share needs an account */
        {"acct_blockblob/c1-a/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"acct_AzureFiles/c1-a/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"_BlockBlob/c1-a/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"BlockBlob/c1-a/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"Backup/a", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"DataBoxDiskImport/a", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"a.txt", ENTRY_HALT, FINDING_ROOT_FILE, NO_MATTER},
        {"acct_BlockBlob", ENTRY_HALT, FINDING_ROOT_FILE, NO_MATTER},
        {"BOM", ENTRY_HALT, FINDING_ROOT_FILE, NO_MATTER},
        {"BOM/acct_BlockBlob.txt", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"lost+found/#123/x", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"System Volume Information/tracking.log", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"$RECYCLE.BIN/S-1-5/x", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"bom/a", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        /* without tiers, a tier's name is a container's */
        {"acct_BlockBlob/Hot/x", ENTRY_COPY_RENAMED, FINDING_CONTAINER_UPPER_CASE, "hot", "x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_BlockBlob/hot/x", ENTRY_COPY, FINDING_NONE, "hot", "x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        /* no walk sees these; a judge has to bear them */
        {"", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"/", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"acct_BlockBlob//x", ENTRY_HALT, FINDING_CONTAINER_LENGTH, NO_MATTER},
        {"acct_BlockBlob/../x", ENTRY_HALT, FINDING_CONTAINER_LENGTH, NO_MATTER},
    };
    struct judge_rules box = judge_rules_of(SKU_DATABOX, false);
    struct judge_rules heavy = judge_rules_of(SKU_HEAVY, false);
    (void)state;
    judge_check(&box, cases, COUNT_OF(cases));
    judge_check(&heavy, cases, COUNT_OF(cases));
}

static void
with_tiers_the_first_folder_is_a_tier_if_it_is_spelled_so(void **state)
{
    static const struct judge_case box_cases[] = {
        {"acct_BlockBlob/Hot/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_HOT},
        {"acct_BlockBlob/Cool/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_COOL},
        {"acct_BlockBlob/Cold/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_COLD},
        {"acct_BlockBlob/Archive/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_ARCHIVE},
        {"acct_BlockBlob/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_BlockBlob/c1-a/Hot/x", ENTRY_COPY, FINDING_NONE, "c1-a", "Hot/x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_BlockBlob/hot/c1-a/x", ENTRY_HALT, FINDING_TIER_CASE_VARIANT, NO_MATTER},
        {"acct_BlockBlob/ARCHIVE/x", ENTRY_HALT, FINDING_TIER_CASE_VARIANT, NO_MATTER},
        {"acct_BlockBlob/hots/x", ENTRY_COPY, FINDING_NONE, "hots", "x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_BlockBlob/Hot/x", ENTRY_HALT, FINDING_SHARE_ROOT_FILE, NO_MATTER},
        {"acct_BlockBlob/hot", ENTRY_HALT, FINDING_SHARE_ROOT_FILE, NO_MATTER},
        {"acct_BlockBlob/Hot/Cool/x", ENTRY_COPY_RENAMED, FINDING_CONTAINER_UPPER_CASE, "cool", "x", BLOB_TYPE_BLOCK, BLOB_TIER_HOT},
        {"acct_PageBlob/Hot/x", ENTRY_COPY_RENAMED, FINDING_CONTAINER_UPPER_CASE, "hot", "x", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"acct_AzFile/hot/x", ENTRY_COPY, FINDING_NONE, "hot", "x", BLOB_TYPE_NONE, BLOB_TIER_NONE},
    };
    static const struct judge_case disk_cases[] = {
        {"BlockBlob/Hot/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_HOT},
        {"BlockBlob/cold/c1-a/x", ENTRY_HALT, FINDING_TIER_CASE_VARIANT, NO_MATTER},
        {"BlockBlob/Hot/x", ENTRY_COPY, FINDING_NONE, "$root", "x", BLOB_TYPE_BLOCK, BLOB_TIER_HOT},
        {"BlockBlob_Archive/Hot/x", ENTRY_COPY_RENAMED, FINDING_CONTAINER_UPPER_CASE, "hot", "x", BLOB_TYPE_BLOCK, BLOB_TIER_ARCHIVE},
    };
    struct judge_rules box = judge_rules_of(SKU_DATABOX, true);
    struct judge_rules disk = judge_rules_of(SKU_DISK, true);
    (void)state;
    judge_check(&box, box_cases, COUNT_OF(box_cases));
    judge_check(&disk, disk_cases, COUNT_OF(disk_cases));
}

static void
a_disk_has_fixed_folders_and_takes_files_without_a_container(void **state)
{
    static const struct judge_case cases[] = {
        {"BlockBlob/c1-a/d/x", ENTRY_COPY, FINDING_NONE, "c1-a", "d/x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"BlockBlob_Archive/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_BLOCK, BLOB_TIER_ARCHIVE},
        {"PageBlob/c1-a/x", ENTRY_COPY, FINDING_NONE, "c1-a", "x", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"AzureFile/s1-a/x", ENTRY_COPY, FINDING_NONE, "s1-a", "x", BLOB_TYPE_NONE, BLOB_TIER_NONE},
        {"ManagedDisk/StandardSSD/x.vhd", ENTRY_COPY, FINDING_NONE, "standardssd", "x.vhd", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"BlockBlob/a.txt", ENTRY_COPY, FINDING_NONE, "$root", "a.txt", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"PageBlob/a.vhd", ENTRY_COPY, FINDING_NONE, "$root", "a.vhd", BLOB_TYPE_PAGE, BLOB_TIER_NONE},
        {"AzureFile/a.txt", ENTRY_COPY, FINDING_NOT_IN_FILE_SHARE,
            "databox-azurefile-391e29803ec5d5369c6128a34c2dadc4a0339415", "a.txt", BLOB_TYPE_NONE, BLOB_TIER_NONE},
        {"ManagedDisk/x.vhd", ENTRY_HALT, FINDING_DISK_TIER_MISSING, NO_MATTER},
        {"ManagedDisk/Mine/x.vhd", ENTRY_HALT, FINDING_DISK_TIER_MISSING, NO_MATTER},
        {"ManagedDisk/PremiumSSD/sub/x.vhd", ENTRY_HALT, FINDING_DIRECTORY_DISALLOWED, NO_MATTER},
        {"Backup/a", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"blockblob/c1-a/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"acct_BlockBlob/c1-a/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"a.txt", ENTRY_HALT, FINDING_ROOT_FILE, NO_MATTER},
        {"DataBoxDiskImport/logs/error.xml", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"DriveManifest.xml", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
        {"DriveManifest.xml/x", ENTRY_HALT, FINDING_ROOT_FOLDER_UNKNOWN, NO_MATTER},
        {"BOM/BlockBlob.txt", ENTRY_IS_NO_DATA, FINDING_NONE, NO_MATTER},
    };
    struct judge_rules rules = judge_rules_of(SKU_DISK, false);
    (void)state;
    judge_check(&rules, cases, COUNT_OF(cases));
}

static void
names_are_judged_where_they_lie(void **state)
{
    static const struct judge_case cases[] = {
        {"acct_BlockBlob/ab/x", ENTRY_HALT, FINDING_CONTAINER_LENGTH, NO_MATTER},
        {"acct_PageBlob/New Folder/x", ENTRY_HALT, FINDING_CONTAINER_CHARACTERS, NO_MATTER},
        {"acct_AzFile/-share/x", ENTRY_HALT, FINDING_CONTAINER_DASH, NO_MATTER},
        {"acct_BlockBlob/MyContainer/x", ENTRY_COPY_RENAMED, FINDING_CONTAINER_UPPER_CASE, "mycontainer", "x", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_BlockBlob/c1-a/CON", ENTRY_COPY, FINDING_NONE, "c1-a", "CON", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_AzFile/s1-a/CON", ENTRY_HALT, FINDING_NAME_ILLEGAL, NO_MATTER},
        {"acct_AzFile/s1-a/a:b?.txt", ENTRY_COPY_RENAMED, FINDING_NAME_CHARACTER, NO_MATTER},
        {"acct_BlockBlob/c1-a/a:b?.txt", ENTRY_COPY, FINDING_NONE, "c1-a", "a:b?.txt", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_BlockBlob/c1-a/dir/a\001b", ENTRY_COPY_RENAMED, FINDING_NAME_CONTROL, "c1-a",
            "BlockBlob/DataBox-0x3e6f2bff5bae4f49302c9a10e7c081903faab824cadddf62083a6157771b41fb", BLOB_TYPE_BLOCK, BLOB_TIER_NONE},
        {"acct_PageBlob/c1-a/a\\b", ENTRY_COPY_RENAMED, FINDING_NAME_BACKSLASH, NO_MATTER},
        {"acct_AzFile/s1-a/a\\b", ENTRY_COPY_RENAMED, FINDING_NAME_BACKSLASH, NO_MATTER},
        {"acct_BlockBlob/c1-a/a\xff", ENTRY_COPY_RENAMED, FINDING_NAME_CHARACTER, NO_MATTER},
        {"acct_BlockBlob/c1-a/report.", ENTRY_COPY_RENAMED, FINDING_NAME_ENDING, NO_MATTER},
        {"acct_BlockBlob/c1-a/../x", ENTRY_COPY_RENAMED, FINDING_NAME_ENDING, NO_MATTER},
        {"rg_MDisk/PremiumSSD/my disk.vhd", ENTRY_COPY_RENAMED, FINDING_DISK_NAME, NO_MATTER},
    };
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, false);
    (void)state;
    judge_check(&rules, cases, COUNT_OF(cases));
}
// clang-format on

/* Policy C1: what the device calls critical halts unless the order says otherwise; what it calls
 * non-critical is renamed; skip leaves out both. Upper case alone never stops anything. */
static void
the_policy_for_bad_names_decides(void **state)
{
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, false);
    (void)state;
    rules.bad_names = BAD_NAMES_RENAME;
    const struct judgement *got =
        judge_file_at(&rules, "acct_BlockBlob/New Folder/a.", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY_RENAMED);
    CHECK_TEXT(got->container, NEW_FOLDER);
    CHECK(got->is_container_renamed);
    CHECK(got->is_item_renamed);
    CHECK_U64(got->container_original.len, strlen("New Folder"));
    CHECK_TEXT(got->name_original, "a.");
    CHECK(judge_has_settled(got, FINDING_CONTAINER_CHARACTERS));
    CHECK(judge_has_settled(got, FINDING_NAME_ENDING));
    CHECK_U64(got->findings[0], FINDING_CONTAINER_CHARACTERS);

    rules.bad_names = BAD_NAMES_SKIP;
    got = judge_file_at(&rules, "acct_BlockBlob/New Folder/a", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_SKIP);
    CHECK(judge_has_settled(got, FINDING_CONTAINER_CHARACTERS));
    got = judge_file_at(&rules, "acct_BlockBlob/c1-a/a.", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_SKIP);
    got = judge_file_at(&rules, "acct_BlockBlob/ABC/a", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_COPY_RENAMED);
    CHECK_TEXT(got->container, "abc");

    rules.bad_names = BAD_NAMES_HALT;
    got = judge_file_at(&rules, "acct_BlockBlob/New Folder/a.", 1, VHD_KIND_COUNT);
    CHECK_U64(got->verdict, ENTRY_HALT);
    CHECK(!judge_has_settled(got, FINDING_CONTAINER_CHARACTERS));
    CHECK(judge_has_settled(got, FINDING_NAME_ENDING));
}

static void
page_blobs_are_multiples_of_512(void **state)
{
    static const uint64_t bad[] = {10, 100, 500, 513, 786, 4 * TIB - 1};
    static const uint64_t good[] = {0, 512, 1024, 4 * TIB};
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, false);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct judgement *got =
            judge_file_at(&rules, "acct_PageBlob/c1-a/x", bad[i], VHD_KIND_COUNT);
        CHECK_U64(got->verdict, ENTRY_HALT);
        CHECK_U64(got->findings[0], FINDING_SIZE_ALIGNMENT);
        CHECK_U64(judge_file_at(&rules, "acct_BlockBlob/c1-a/x", bad[i], VHD_KIND_COUNT)->verdict,
                  ENTRY_COPY);
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        CHECK_U64(judge_file_at(&rules, "acct_PageBlob/c1-a/x", good[i], VHD_KIND_COUNT)->verdict,
                  ENTRY_COPY);
    }
}

static void
each_kind_has_its_largest_size(void **state)
{
    static const struct {
        enum device_sku sku;
        const char *path;
        uint64_t max;
    } rows[] = {
        {SKU_DATABOX, "acct_BlockBlob/c1-a/x", 14 * TIB},
        {SKU_DATABOX, "acct_PageBlob/c1-a/x", 4 * TIB},
        {SKU_DATABOX, "acct_AzFile/c1-a/x", 4 * TIB},
        {SKU_DATABOX, "rg_MDisk/PremiumSSD/x.vhd", 4 * TIB + 512},
        {SKU_HEAVY, "acct_AzFile/c1-a/x", TIB},
        {SKU_DISK, "BlockBlob/c1-a/x", 7 * TIB},
        {SKU_DISK, "PageBlob/c1-a/x", 7 * TIB},
        {SKU_DISK, "AzureFile/c1-a/x", 4 * TIB},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct judge_rules rules = judge_rules_of(rows[i].sku, false);
        const struct judgement *got =
            judge_file_at(&rules, rows[i].path, rows[i].max, VHD_KIND_COUNT);
        CHECK_U64(got->finding_count, 0);
        CHECK_U64(got->verdict, ENTRY_COPY);
        got = judge_file_at(&rules, rows[i].path, rows[i].max + 512, VHD_KIND_COUNT);
        CHECK_U64(got->verdict, ENTRY_HALT);
        CHECK_U64(got->findings[0], FINDING_SIZE_LIMIT);
    }
}

/* What a managed disk is made of is told by the content, whatever the file is called. */
static void
only_a_sound_fixed_vhd_becomes_a_managed_disk(void **state)
{
    static const enum vhd_kind bad[] = {VHD_NONE, VHD_DYNAMIC, VHD_DIFFERENCING, VHD_VHDX,
                                        VHD_BROKEN};
    struct judge_rules box = judge_rules_of(SKU_DATABOX, false);
    struct judge_rules disk = judge_rules_of(SKU_DISK, false);
    uint64_t size = 32U << 20;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct judgement *got =
            judge_file_at(&box, "rg_MDisk/PremiumSSD/x.vhd", size, bad[i]);
        CHECK_U64(got->verdict, ENTRY_HALT);
        CHECK_U64(got->findings[0], FINDING_TYPE_UNSUPPORTED);
        got = judge_file_at(&disk, "ManagedDisk/PremiumSSD/x.VHD", size, bad[i]);
        CHECK_U64(got->findings[0], FINDING_TYPE_UNSUPPORTED);
        got = judge_file_at(&disk, "ManagedDisk/PremiumSSD/x.txt", size, bad[i]);
        CHECK_U64(got->findings[0],
                  bad[i] == VHD_NONE ? FINDING_NOT_A_VHD : FINDING_TYPE_UNSUPPORTED);
        CHECK_U64(got->verdict, ENTRY_HALT);
    }
    const struct judgement *got = judge_file_at(&box, "rg_MDisk/PremiumSSD/x.img", size, VHD_FIXED);
    CHECK_U64(got->verdict, ENTRY_COPY);
    CHECK(got->is_disk);
    /* Not next to the tier folders, where nothing becomes a disk. */
    got = judge_file_at(&box, "rg_MDisk/Mine/x.txt", size, VHD_NONE);
    CHECK(!judge_has(got, FINDING_TYPE_UNSUPPORTED));
    CHECK(!got->is_disk);
}

static void
a_disk_has_20_mib_to_8192_gib(void **state)
{
    static const uint64_t bad[] = {512, 20971520 - 512, 8192 * GIB + 512};
    struct judge_rules rules = judge_rules_of(SKU_DISK, false);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct judgement *got =
            judge_file_at(&rules, "ManagedDisk/PremiumSSD/x.vhd", bad[i], VHD_FIXED);
        CHECK(judge_has(got, FINDING_DISK_CONVERSION));
        CHECK_U64(got->verdict, ENTRY_HALT);
    }
    CHECK(!judge_has(judge_file_at(&rules, "ManagedDisk/PremiumSSD/x.vhd", 20971520, VHD_FIXED),
                     FINDING_DISK_CONVERSION));
    CHECK(!judge_has(judge_file_at(&rules, "ManagedDisk/PremiumSSD/x.vhd", 8192 * GIB, VHD_FIXED),
                     FINDING_DISK_CONVERSION));
}

/* Policy C4. */
static void
what_a_disk_holds_in_no_container_goes_by_its_content(void **state)
{
    static const struct {
        const char *path;
        uint64_t size_bytes;
        enum vhd_kind kind;
        enum blob_type type;
    } rows[] = {
        {"BlockBlob/a", 1024, VHD_NONE, BLOB_TYPE_BLOCK},
        {"BlockBlob/a", 1024, VHD_FIXED, BLOB_TYPE_PAGE},
        {"BlockBlob/a", 1024, VHD_DYNAMIC, BLOB_TYPE_PAGE},
        {"BlockBlob/a.vhd", 1024, VHD_BROKEN, BLOB_TYPE_BLOCK},
        {"BlockBlob/a.vhd", 1023, VHD_FIXED, BLOB_TYPE_BLOCK},
        {"PageBlob/a", 1024, VHD_NONE, BLOB_TYPE_PAGE},
        {"PageBlob/a.vhd", 1023, VHD_NONE, BLOB_TYPE_BLOCK},
        {"BlockBlob/c1-a/a.vhd", 1024, VHD_FIXED, BLOB_TYPE_BLOCK},
    };
    struct judge_rules rules = judge_rules_of(SKU_DISK, false);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct judgement *got =
            judge_file_at(&rules, rows[i].path, rows[i].size_bytes, rows[i].kind);
        CHECK_U64(got->verdict, ENTRY_COPY);
        CHECK_U64(got->type, rows[i].type);
    }
    CHECK(judge_has(judge_file_at(&rules, "PageBlob/a", 1023, VHD_NONE), FINDING_PAGE_AS_BLOCK));
    /* Page blobs have no access tier. */
    rules = judge_rules_of(SKU_DISK, true);
    const struct judgement *got = judge_file_at(&rules, "BlockBlob/Hot/a", 1024, VHD_FIXED);
    CHECK_U64(got->type, BLOB_TYPE_PAGE);
    CHECK_U64(got->tier, BLOB_TIER_NONE);
}

static void
content_is_wanted_of_what_it_decides(void **state)
{
    struct judge_rules box = judge_rules_of(SKU_DATABOX, false);
    struct judge_rules disk = judge_rules_of(SKU_DISK, false);
    (void)state;
    CHECK(judge_wants_content(&box, "rg_MDisk/PremiumSSD/x"));
    CHECK(judge_wants_content(&disk, "ManagedDisk/Standard HDD/x"));
    CHECK(judge_wants_content(&disk, "BlockBlob/a"));
    CHECK(!judge_wants_content(&disk, "BlockBlob/c1-a/a.vhd"));
    CHECK(!judge_wants_content(&disk, "PageBlob/a.vhd"));
    CHECK(!judge_wants_content(&box, "rg_MDisk/PremiumSSD/sub/x.vhd"));
    CHECK(!judge_wants_content(&box, "rg_MDisk/Mine/x.vhd"));
    CHECK(!judge_wants_content(&box, "acct_PageBlob/c1-a/x.vhd"));
    CHECK(!judge_wants_content(&box, "BOM/x"));
}

static void
links_and_what_cannot_be_read_halt_wherever_data_lies(void **state)
{
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, false);
    static const char *const data[] = {"acct_BlockBlob/c1-a/x", "acct_BlockBlob/x",     "x", "BOM",
                                       "acct_AzFile",           "rg_MDisk/PremiumSSD/x"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(data); i++) {
        const struct judgement *got = judge_what_at(&rules, data[i], WHAT_SPECIAL);
        CHECK_U64(got->verdict, ENTRY_HALT);
        CHECK_U64(got->findings[0], FINDING_REPARSE_POINT);
    }
    CHECK_U64(judge_what_at(&rules, "lost+found/x", WHAT_SPECIAL)->verdict, ENTRY_IS_NO_DATA);
    CHECK_U64(judge_what_at(&rules, "lost+found", WHAT_UNREADABLE)->verdict, ENTRY_IS_NO_DATA);
    const struct judgement *got = judge_what_at(&rules, "acct_BlockBlob/c1-a/x", WHAT_UNREADABLE);
    CHECK_U64(got->verdict, ENTRY_HALT);
    CHECK_U64(got->findings[0], FINDING_GENERAL);
}

/* A wrong folder is found even when it is empty, and told once, where it begins. Names of empty
 * folders do not matter: nothing is stored under them. */
static void
a_folder_tells_of_what_begins_with_it(void **state)
{
    struct judge_rules box = judge_rules_of(SKU_DATABOX, true);
    struct judge_rules disk = judge_rules_of(SKU_DISK, true);
    static const struct {
        const char *path;
        enum finding_code box;
        enum finding_code disk;
    } rows[] = {
        {"Backup", FINDING_ROOT_FOLDER_UNKNOWN, FINDING_ROOT_FOLDER_UNKNOWN},
        {"Backup/sub", FINDING_NONE, FINDING_NONE},
        {"a_BlockBlob", FINDING_NONE, FINDING_ROOT_FOLDER_UNKNOWN},
        {"a_BlockBlob/Hot", FINDING_NONE, FINDING_NONE},
        {"a_BlockBlob/hot", FINDING_TIER_CASE_VARIANT, FINDING_NONE},
        {"a_BlockBlob/hot/sub", FINDING_NONE, FINDING_NONE},
        {"a_BlockBlob/New Folder", FINDING_NONE, FINDING_NONE},
        {"a_MDisk/Mine", FINDING_FOLDER_DISALLOWED, FINDING_NONE},
        {"a_MDisk/Mine/sub", FINDING_NONE, FINDING_NONE},
        {"a_MDisk/PremiumSSD", FINDING_NONE, FINDING_NONE},
        {"a_MDisk/PremiumSSD/sub", FINDING_DIRECTORY_DISALLOWED, FINDING_NONE},
        {"a_MDisk/PremiumSSD/sub/sub", FINDING_NONE, FINDING_NONE},
        {"ManagedDisk/Mine", FINDING_NONE, FINDING_DISK_TIER_MISSING},
        {"BOM", FINDING_NONE, FINDING_NONE},
        {"BOM/sub", FINDING_NONE, FINDING_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct judgement *got = judge_what_at(&box, rows[i].path, WHAT_FOLDER);
        enum finding_code code = got->finding_count == 0 ? FINDING_NONE : got->findings[0];
        CHECK_TEXT(catalogue_row(code)->wire, catalogue_row(rows[i].box)->wire);
        CHECK_U64(got->verdict, code == FINDING_NONE ? ENTRY_IS_NO_DATA : ENTRY_HALT);
        got = judge_what_at(&disk, rows[i].path, WHAT_FOLDER);
        code = got->finding_count == 0 ? FINDING_NONE : got->findings[0];
        CHECK_TEXT(catalogue_row(code)->wire, catalogue_row(rows[i].disk)->wire);
    }
}

static void
packed_files_are_known_by_their_mark_in_blob_shares(void **state)
{
    static const char *const packed[] = {"a_BlockBlob/ADB_PACK_1/x", "a_BlockBlob/c1-a/ADB_PACK_1",
                                         "a_PageBlob/c1-a/d/ADB_PACK_/x"};
    static const char *const plain[] = {"a_AzFile/s1-a/ADB_PACK_1", "a_BlockBlob/c1-a/xADB_PACK_1",
                                        "a_BlockBlob/c1-a/adb_pack_1"};
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, false);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(packed); i++) {
        const struct judgement *got = judge_file_at(&rules, packed[i], 512, VHD_KIND_COUNT);
        CHECK_U64(got->verdict, ENTRY_HALT);
        CHECK_U64(got->finding_count, 1);
        CHECK_U64(got->findings[0], FINDING_PACKED_FILES);
    }
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        CHECK_U64(judge_file_at(&rules, plain[i], 512, VHD_KIND_COUNT)->verdict, ENTRY_COPY);
    }
}

static void
a_judgement_names_share_account_and_the_path_of_the_manifest(void **state)
{
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, true);
    (void)state;
    const struct judgement *got =
        judge_file_at(&rules, "utSAC1_202006051000_BlockBlob/Hot/MyC/d/x", 1, VHD_KIND_COUNT);
    CHECK_TEXT(got->account, "utSAC1");
    CHECK_U64(got->share_name.len, strlen("utSAC1_202006051000_BlockBlob"));
    CHECK_TEXT(got->manifest_path, "Hot/MyC/d/x");
    CHECK_TEXT(got->container, "myc");
    CHECK_BYTES(got->container_original.at, "MyC", 3);
    CHECK_U64(got->share, SHARE_BLOCK);
    CHECK(!got->is_mapped);
    CHECK_TEXT(judge_file_at(&rules, "rg_202006051000_MDisk/PremiumSSD/x", 1, VHD_FIXED)->account,
               "rg_202006051000");
    CHECK_TEXT(judge_file_at(&rules, "a_202006051000_BlockBlob/c/x", 1, VHD_FIXED)->account, "a");
    CHECK_TEXT(judge_file_at(&rules, "a_20200605100_BlockBlob/c/x", 1, VHD_FIXED)->account,
               "a_20200605100");
    CHECK_TEXT(judge_file_at(&rules, "my_rg_MDisk/Premium SSD/x", 1, VHD_FIXED)->manifest_path,
               "Premium SSD/x");
    CHECK_TEXT(judge_file_at(&rules, "Backup/x", 1, VHD_KIND_COUNT)->manifest_path, "");
    rules = judge_rules_of(SKU_DISK, false);
    CHECK_TEXT(judge_file_at(&rules, "BlockBlob/c1-a/x", 1, VHD_KIND_COUNT)->account, "");
}

static void
times_that_no_store_can_hold_are_told_of_files(void **state)
{
    struct judge_rules rules = judge_rules_of(SKU_DATABOX, false);
    struct judge_entry entry = {
        .path = "a_AzFile/s1-a/x", .what = WHAT_FILE, .mtime_ns = INT64_MAX};
    struct judge_scratch scratch = {0};
    struct judgement got;
    (void)state;
    judge_entry(&rules, &entry, &scratch, &got);
    CHECK(judge_has(&got, FINDING_TIMESTAMP_RANGE));
    CHECK_U64(got.verdict, ENTRY_COPY);
    entry.mtime_ns = BLOB_TIME_NONE;
    judge_entry(&rules, &entry, &scratch, &got);
    CHECK(!judge_has(&got, FINDING_TIMESTAMP_RANGE));
    judge_scratch_done(&scratch);
}

/* Names made of few letters that matter, so that any rule is met often: whatever they are, what is
 * copied has a legal name, and no way out of its container. */
static void
what_is_copied_has_a_legal_name_whatever_it_was_called(void **state)
{
    static const char letters[] = "ab/..//AZ09--_$\\ \001\xff:";
    static const char *const heads[] = {
        "a_BlockBlob/",        "a_PageBlob/",      "a_AzFile/",     "a_MDisk/",
        "a_MDisk/PremiumSSD/", "a_BlockBlob/ccc/", "a_AzFile/ccc/", ""};
    uint32_t random = 1;
    unsigned copied = 0;
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        char path[64];
        struct judge_rules rules = judge_rules_of(SKU_DATABOX, i % 2 == 0);
        rules.bad_names = (enum bad_names)(i % 3);
        size_t len = (size_t)snprintf(path, sizeof path, "%s", heads[i % COUNT_OF(heads)]);
        for (unsigned j = 0; j < 12; j++) {
            random = random * 1664525 + 1013904223;
            path[len++] = letters[(random >> 16) % (sizeof letters - 1)];
        }
        path[len] = '\0';
        const struct judgement *got = judge_file_at(&rules, path, 32U << 20, VHD_KIND_COUNT);
        if (got->verdict != ENTRY_COPY && got->verdict != ENTRY_COPY_RENAMED) {
            continue;
        }
        struct slice name = {got->name, strlen(got->name)};
        copied++;
        CHECK_U64(names_check_container((struct slice){got->container, strlen(got->container)}),
                  FINDING_NONE);
        CHECK_U64(got->share == SHARE_FILES ? names_check_file(name) : names_check_blob(name),
                  FINDING_NONE);
        for (const char *at = strstr(got->name, ".."); at != NULL; at = strstr(at + 1, "..")) {
            CHECK((at > got->name && at[-1] != '/') || (at[2] != '/' && at[2] != '\0'));
        }
    }
    CHECK(copied > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_maps_shares_to_accounts_and_folders_to_containers),
        cmocka_unit_test(with_tiers_the_first_folder_is_a_tier_if_it_is_spelled_so),
        cmocka_unit_test(a_disk_has_fixed_folders_and_takes_files_without_a_container),
        cmocka_unit_test(names_are_judged_where_they_lie),
        cmocka_unit_test(the_policy_for_bad_names_decides),
        cmocka_unit_test(page_blobs_are_multiples_of_512),
        cmocka_unit_test(each_kind_has_its_largest_size),
        cmocka_unit_test(only_a_sound_fixed_vhd_becomes_a_managed_disk),
        cmocka_unit_test(a_disk_has_20_mib_to_8192_gib),
        cmocka_unit_test(what_a_disk_holds_in_no_container_goes_by_its_content),
        cmocka_unit_test(content_is_wanted_of_what_it_decides),
        cmocka_unit_test(links_and_what_cannot_be_read_halt_wherever_data_lies),
        cmocka_unit_test(a_folder_tells_of_what_begins_with_it),
        cmocka_unit_test(packed_files_are_known_by_their_mark_in_blob_shares),
        cmocka_unit_test(a_judgement_names_share_account_and_the_path_of_the_manifest),
        cmocka_unit_test(times_that_no_store_can_hold_are_told_of_files),
        cmocka_unit_test(what_is_copied_has_a_legal_name_whatever_it_was_called),
    };
    return cmocka_run_group_tests(tests, NULL, judge_forget);
}
