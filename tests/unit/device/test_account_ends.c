/* Which part of a target has which container of which account. */
#include "ingest/device/account_ends.h"
#include "storage/many.h"
#include "tests/support/folder.h"

#include <stdio.h>

static struct arena arena;
static struct account_parts parts;
static struct device_account accounts[DEVICE_ACCOUNTS_MAX];
static struct err err;

static int
make(void **state)
{
    (void)state;
    arena_init(&arena, 1024);
    account_parts_init(&parts);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    account_parts_done(&parts);
    arena_done(&arena);
    return 0;
}

static enum err_code
parse(const char *first, const char *second)
{
    const char *const texts[] = {first, second};
    return accounts_parse(texts, second == NULL ? 1 : 2, &arena, accounts, &err);
}

static void
an_account_is_named_with_its_end(void **state)
{
    (void)state;
    CHECK_OK(parse("a=file:x//a", "b=https://b.blob.core.windows.net?sig=1=2"), &err);
    CHECK_TEXT(accounts[0].name, "a");
    CHECK_TEXT(accounts[1].end, "https://b.blob.core.windows.net?sig=1=2");
    CHECK(account_is_local(&accounts[0]) && !account_is_local(&accounts[1]));
    static const char *const wrong[] = {"a",         "=file:x",    "a=",       "a=folder",
                                        "a=ftp://x", "a/b=file:x", ".=file:x", "..=file:x"};
    for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
        CHECK_ERR(parse(wrong[i], NULL), &err, ERR_USAGE);
    }
    CHECK_ERR(parse("a=file:x", "a=file:y"), &err, ERR_USAGE);
    CHECK_ERR(accounts_parse(NULL, 0, &arena, accounts, &err), &err, ERR_USAGE);
    CHECK_ERR(accounts_parse(NULL, DEVICE_ACCOUNTS_MAX + 1, &arena, accounts, &err), &err,
              ERR_USAGE);
}

static void
add(unsigned account, const char *container)
{
    CHECK_OK(account_parts_add(&parts, &accounts[account], container, &err), &err);
}

/* A SAS stays behind the container, as the last thing of the address. */
static void
a_store_is_one_part_and_azure_one_for_each_container(void **state)
{
    (void)state;
    CHECK_OK(parse("a=file:x//a", "b=http://h:1/b/?sig=1"), &err);
    add(1, "two");
    add(0, "one");
    add(1, "one");
    add(0, "two");
    add(1, "two");
    CHECK_U64(parts.count, 3);
    CHECK_TEXT(parts.parts[0].key, "a");
    CHECK_TEXT(parts.parts[0].address, "file:x//a");
    CHECK(parts.parts[0].is_account);
    CHECK_TEXT(parts.parts[1].key, "b/one");
    CHECK_TEXT(parts.parts[1].address, "http://h:1/b/one?sig=1");
    CHECK(!parts.parts[1].is_account);
    CHECK_TEXT(parts.parts[2].key, "b/two");
}

static void
more_parts_than_there_may_be_are_an_error(void **state)
{
    char name[16];
    (void)state;
    CHECK_OK(parse("b=http://h/b", NULL), &err);
    for (unsigned i = 0; i < MANY_PARTS_MAX; i++) {
        (void)snprintf(name, sizeof name, "c%u", i * 7919 % MANY_PARTS_MAX);
        add(0, name);
    }
    CHECK_U64(parts.count, MANY_PARTS_MAX);
    add(0, "c0");
    CHECK_ERR(account_parts_add(&parts, &accounts[0], "more", &err), &err, ERR_UNSUPPORTED);
    for (unsigned i = 1; i < parts.count; i++) {
        CHECK(strcmp(parts.parts[i - 1].key, parts.parts[i].key) < 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_account_is_named_with_its_end),
        TEST(a_store_is_one_part_and_azure_one_for_each_container),
        TEST(more_parts_than_there_may_be_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
