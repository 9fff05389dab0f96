#include "ingest/device/catalogue.h"
#include "ingest/device/limits.h"
#include "tests/support/check.h"

#include <ctype.h>

#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

/* A row with an empty column would be a finding that nobody can act on. */
static void
every_finding_says_what_it_is_and_what_to_do(void **state)
{
    (void)state;
    for (unsigned i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        const struct catalogue_row *row = catalogue_row((enum finding_code)i);
        size_t len = strlen(row->sentence);
        CHECK(row->wire[0] != '\0');
        CHECK(row->cls == FINDING_WARNING || row->cls == FINDING_CRITICAL);
        CHECK(strcmp(row->who, "customer") == 0 || strcmp(row->who, "operator") == 0 ||
              strcmp(row->who, "support") == 0);
        CHECK(len > 0);
        CHECK(!isupper((unsigned char)row->sentence[0]) ||
              isupper((unsigned char)row->sentence[1]));
        CHECK(row->sentence[len - 1] != '.');
        CHECK(row->hint[0] != '\0');
        CHECK(row->hint[strlen(row->hint) - 1] == '.');
    }
}

/* What stops a job can be put right, otherwise the job could only fail. */
static void
what_halts_can_be_resumed_and_what_does_not_need_not(void **state)
{
    (void)state;
    for (unsigned i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        const struct catalogue_row *row = catalogue_row((enum finding_code)i);
        if (row->is_retryable != (row->halt != HALT_NONE)) {
            print_error("%s\n", row->wire);
        }
        CHECK(row->is_retryable == (row->halt != HALT_NONE));
    }
}

static void
wire_names_are_unique_and_lead_back(void **state)
{
    enum finding_code code = FINDING_NONE;
    (void)state;
    for (unsigned i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        CHECK(catalogue_find(catalogue_row((enum finding_code)i)->wire, &code));
        CHECK_U64(code, i);
    }
    CHECK(!catalogue_find("", &code));
    CHECK(!catalogue_find("error_general", &code));
    CHECK_U64(code, FINDING_COUNT - 1);
}

static void
causes_fixes_and_classes_have_their_names(void **state)
{
    enum fix_kind kind = FIX_NONE;
    (void)state;
    CHECK_TEXT(halt_name(HALT_NONE), "");
    CHECK_TEXT(halt_name(HALT_NOT_PREPARED), "prepare-to-ship-not-run");
    CHECK_TEXT(halt_name(HALT_WRONG_FOLDER), "wrong-folder");
    CHECK(halt_needs_access(HALT_WRONG_FORMAT));
    CHECK(!halt_needs_access(HALT_QUOTA));
    CHECK(fix_find("treat-as-tier", &kind));
    CHECK_U64(kind, FIX_TIER);
    CHECK_TEXT(fix_name(FIX_AS_PAGE), "take-as-page-blob");
    CHECK(!fix_find("map", &kind));
    CHECK_TEXT(finding_class_name(FINDING_CRITICAL), "critical");
    CHECK_TEXT(finding_class_name(FINDING_WARNING), "warning");
}

static void
skus_have_their_names(void **state)
{
    enum device_sku sku = SKU_DATABOX;
    (void)state;
    for (unsigned i = 0; i < SKU_COUNT; i++) {
        CHECK(device_sku_find(device_sku_names[i], &sku));
        CHECK_U64(sku, i);
    }
    CHECK(!device_sku_find("DataBox", &sku));
}

static void
limits_are_those_of_the_newest_page(void **state)
{
    const struct device_limits *box = limits_of(SKU_DATABOX);
    const struct device_limits *heavy = limits_of(SKU_HEAVY);
    const struct device_limits *disk = limits_of(SKU_DISK);
    (void)state;
    CHECK_U64(box->item_bytes_max[SHARE_BLOCK], 14 * TIB);
    CHECK_U64(box->item_bytes_max[SHARE_PAGE], 4 * TIB);
    CHECK_U64(box->item_bytes_max[SHARE_FILES], 4 * TIB);
    CHECK_U64(box->share_bytes_max, 5 * TIB);
    CHECK_U64(box->share_bytes_max_large, 100 * TIB);
    CHECK_U64(box->account_bytes_max, 100 * TIB - 200 * GIB);
    CHECK_U64(box->files_max, 500000000);
    CHECK_U64(box->containers_max, 512);
    CHECK_U64(box->accounts_max, 10);
    CHECK_U64(heavy->files_max, 1000000000);
    CHECK_U64(disk->item_bytes_max[SHARE_BLOCK], 7 * TIB);
    CHECK_U64(disk->item_bytes_max[SHARE_PAGE], 7 * TIB);
    CHECK_U64(disk->files_max, 100000);
    CHECK_U64(disk->accounts_max, 1);
    for (unsigned i = 0; i < SKU_COUNT; i++) {
        const struct device_limits *limits = limits_of((enum device_sku)i);
        CHECK_U64(limits->sku, i);
        CHECK_U64(limits->page_alignment, 512);
        CHECK_U64(limits->disk_bytes_min, 20971520);
        CHECK_U64(limits->disk_bytes_max, 8192 * GIB);
    }
}

static void
older_pages_are_found_by_their_date(void **state)
{
    (void)state;
    CHECK_U64(limits_find(SKU_DATABOX, "2021-01")->item_bytes_max[SHARE_PAGE], 8 * TIB);
    CHECK_U64(limits_find(SKU_DATABOX, "2021-01")->item_bytes_max[SHARE_FILES], TIB);
    CHECK(limits_find(SKU_DATABOX, "2025-01") == limits_of(SKU_DATABOX));
    CHECK(limits_find(SKU_HEAVY, "2025-01") == NULL);
}

static void
models_have_limits_of_their_own(void **state)
{
    const struct device_limits *limits = NULL;
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(limits_choose(SKU_DATABOX, MODEL_525, &limits, &err), &err);
    CHECK_U64(limits->files_max, 1000000000);
    CHECK_OK(limits_choose(SKU_DATABOX, MODEL_120, &limits, &err), &err);
    CHECK_U64(limits->files_max, 500000000);
    CHECK_OK(limits_choose(SKU_DISK, MODEL_CLASSIC, &limits, &err), &err);
    CHECK(limits == limits_of(SKU_DISK));
    CHECK_ERR(limits_choose(SKU_HEAVY, MODEL_525, &limits, &err), &err, ERR_USAGE);
    CHECK_HAS(err.text, "--model 525");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_says_what_it_is_and_what_to_do),
        cmocka_unit_test(what_halts_can_be_resumed_and_what_does_not_need_not),
        cmocka_unit_test(wire_names_are_unique_and_lead_back),
        cmocka_unit_test(causes_fixes_and_classes_have_their_names),
        cmocka_unit_test(skus_have_their_names),
        cmocka_unit_test(limits_are_those_of_the_newest_page),
        cmocka_unit_test(older_pages_are_found_by_their_date),
        cmocka_unit_test(models_have_limits_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
