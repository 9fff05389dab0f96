#include "ingest/device/rename.h"
#include "tests/support/check.h"

static struct slice
slice(const char *text)
{
    return (struct slice){.at = text, .len = strlen(text)};
}

/* A container may have 63 characters, in lower case; the digits are those that sha256sum prints. */
static void
a_container_is_called_after_its_digest(void **state)
{
    AUTO_TEXT out = TEXT_INIT;
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(rename_container(slice("New Folder"), &out, &err), &err);
    CHECK_TEXT(text_str(&out), "databox-c75ba8074400aff6427cb4467c118ea6");
    CHECK_OK(rename_container(slice("CV"), &out, &err), &err);
    CHECK_U64(out.len, 40);
}

/* The kind stands before the name, so that two kinds never meet. */
static void
an_item_is_called_after_its_kind_and_digest(void **state)
{
    static const struct {
        enum share_kind kind;
        const char *name;
    } rows[] = {
        {SHARE_BLOCK, "BlockBlob/DataBox-0x"
                      "82d34c7d68cf28219ce4ab8dd592d88dec35d1ef51625beef76220c2df266bd3"},
        {SHARE_PAGE, "PageBlob/DataBox-0x"
                     "82d34c7d68cf28219ce4ab8dd592d88dec35d1ef51625beef76220c2df266bd3"},
        {SHARE_FILES, "AzureFile/DataBox-0x"
                      "82d34c7d68cf28219ce4ab8dd592d88dec35d1ef51625beef76220c2df266bd3"},
        {SHARE_DISKS, "ManagedDisk/DataBox-0x"
                      "82d34c7d68cf28219ce4ab8dd592d88dec35d1ef51625beef76220c2df266bd3"},
    };
    AUTO_TEXT out = TEXT_INIT;
    struct err err = ERR_NONE;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_OK(rename_item(rows[i].kind, slice("a\001b"), &out, &err), &err);
        CHECK_TEXT(text_str(&out), rows[i].name);
    }
}

/* Names are bytes: what is not UTF-8 has a digest too, and another byte gives another name. */
static void
every_byte_of_a_name_counts(void **state)
{
    AUTO_TEXT one = TEXT_INIT;
    AUTO_TEXT other = TEXT_INIT;
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(rename_item(SHARE_BLOCK, slice("x/\xed\xa0\x80"), &one, &err), &err);
    CHECK_OK(rename_item(SHARE_BLOCK, slice("x/\xed\xa0\x81"), &other, &err), &err);
    CHECK(strcmp(text_str(&one), text_str(&other)) != 0);
    CHECK_OK(
        rename_item(SHARE_BLOCK, (struct slice){.at = "x/\xed\xa0\x80z", .len = 5}, &other, &err),
        &err);
    CHECK_TEXT(text_str(&other), text_str(&one));
}

static void
only_ascii_is_lowered(void **state)
{
    AUTO_TEXT out = TEXT_INIT;
    (void)state;
    text_add_str(&out, "before");
    rename_lower(slice("MyContainer-[@`{]\xc3\x84Z"), &out);
    CHECK_TEXT(text_str(&out), "mycontainer-[@`{]\xc3\x84z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_is_called_after_its_digest),
        cmocka_unit_test(an_item_is_called_after_its_kind_and_digest),
        cmocka_unit_test(every_byte_of_a_name_counts),
        cmocka_unit_test(only_ascii_is_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
