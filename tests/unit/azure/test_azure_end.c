/* Addresses and names of Azure ends; nothing is sent. */
#include "storage/azure/azure.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct config config;
static struct err err;

static int
make(void **state)
{
    static const char *const settings[] = {"AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_KEY",
                                           "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_TOKEN_FILE"};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(settings); i++) {
        (void)unsetenv(settings[i]);
    }
    folder_init(&folder);
    config_init(&config);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    config_done(&config);
    folder_done(&folder);
    return 0;
}

static enum err_code
try_open(const char *address, enum end_role role, struct end **ret_end)
{
    const struct end_options options = {.role = role, .config = &config, .clock = &clock_system};
    return end_open(address, &options, ret_end, &err);
}

static void
an_address_names_account_container_and_prefix(void **state)
{
    static const struct {
        const char *address;
        const char *account, *container, *prefix, *base_path, *display;
    } rows[] = {
        {"https://acct.blob.core.windows.net/cont/a/b/", "acct", "cont", "a/b", "/cont",
         "https://acct.blob.core.windows.net/cont/a/b"},
        {"http://127.0.0.1:10000/acct/cont", "acct", "cont", "", "/acct/cont",
         "http://127.0.0.1:10000/acct/cont"},
        {"https://acct.blob.example.org/cont/pre%20fix?sv=1&sig=hidden", "acct", "cont", "pre fix",
         "/cont", "https://acct.blob.example.org/cont/pre fix"},
        {"HTTPS://ACCT.blob.example.org/cont?sv=1&sig=hidden", "acct", "cont", "", "/cont",
         "https://acct.blob.example.org/cont"},
        {"http://HOST/acct//cont//a", "acct", "cont", "a", "/acct/cont", "http://host/acct/cont/a"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct end *end = NULL;
        CHECK_OK(try_open(rows[i].address, END_TARGET, &end), &err);
        const struct azure_end *azure = CONTAINER_OF(end, struct azure_end, end);
        CHECK_TEXT(azure->account, rows[i].account);
        CHECK_TEXT(azure->container, rows[i].container);
        CHECK_TEXT(azure->prefix, rows[i].prefix);
        CHECK_TEXT(azure->base_path, rows[i].base_path);
        CHECK(strstr(end->display, "hidden") == NULL);
        end_close(end);
    }
}

static void
an_address_that_cannot_be_one_is_refused(void **state)
{
    static const char *const rows[] = {
        "https://acct.blob.core.windows.net/",
        "https://acct.blob.core.windows.net",
        "http://127.0.0.1:10000/acct",
        "http://127.0.0.1:10000/",
        "https://acct.blob.core.windows.net/UPPER/a",
        "https://acct.blob.core.windows.net/ab",
        "https://acct.blob.core.windows.net/a--b",
        "https://acct.blob.core.windows.net/-abc",
        "http://h/ACCT/cont",
        "http://h/ac%2Fct/cont/..",
        "https://acct.blob.core.windows.net/cont%3Fsv%3D1%26sig%3Dhidden",
        "http://h/acct/cont/a%3Fsv%3D1&sig=hidden",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct end *end = NULL;
        enum err_code code = try_open(rows[i], END_TARGET, &end);
        if (code == ERR_OK) {
            print_error("'%s' was taken\n", rows[i]);
            end_close(end);
        }
        CHECK_ERR(code, &err, ERR_USAGE);
        CHECK(strstr(err.text, "hidden") == NULL);
    }
}

/* Taken for a folder, it would stand with its signature on disk, in the state and in receipts. */
static void
what_looks_like_an_address_is_no_folder(void **state)
{
    static const char *const rows[] = {
        "s4://bucket/a",
        "HTTPX://h/acct/cont?sv=1&sig=hidden",
        " https://h/acct/cont?sv=1&sig=hidden",
        "'https://h/acct/cont?sv=1&sig=hidden'",
        "https:/h/acct/cont?sv=1&sig=hidden",
        "file:https://h/acct/cont?sv=1&sig=hidden",
        "sv=1&sig=hidden",
        "AccountName=a;AccountKey=hidden",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct end *end = NULL;
        enum err_code code = try_open(rows[i], END_TARGET, &end);
        if (code == ERR_OK) {
            print_error("'%s' was taken\n", rows[i]);
            end_close(end);
        }
        CHECK_ERR(code, &err, ERR_USAGE);
        CHECK(strstr(err.text, "hidden") == NULL);
    }
}

/* A bearer token opens everything its owner may: it does not cross a network in clear. */
static void
a_token_is_not_sent_in_clear(void **state)
{
    static const struct {
        const char *address;
        bool is_fine;
    } rows[] = {
        {"https://acct.blob.example.org/cont", true},
        {"http://127.0.0.1:10000/acct/cont", true},
        {"http://localhost/acct/cont", true},
        {"http://[::1]:1/acct/cont", true},
        {"http://127.example.org/acct/cont", false},
        {"http://example.org/acct/cont", false},
        {"http://10.0.0.1/acct/cont", false},
        {"http://localhost.example.org/acct/cont", false},
    };
    (void)state;
    const char *path = folder_write(&folder, "token", "hidden", 6);
    CHECK_I64(chmod(path, 0600), 0);
    CHECK_I64(setenv("AZURE_STORAGE_TOKEN_FILE", path, 1), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct end *end = NULL;
        enum err_code code = try_open(rows[i].address, END_TARGET, &end);
        if (code != (rows[i].is_fine ? ERR_OK : ERR_CONFIG)) {
            print_error("'%s': %s\n", rows[i].address, err_name(code));
        }
        CHECK_U64(code, rows[i].is_fine ? ERR_OK : ERR_CONFIG);
        if (code == ERR_OK) {
            end_close(end);
        }
    }
}

/* What the store would refuse, or keep under another name, is refused before anything is sent. */
static void
names_that_the_store_would_change_are_refused(void **state)
{
    static const char *const bad[] = {"a/../b", "..", "a\\b", "a\xff", "a\nb", "a/./b", "\x7f"};
    static const char *const good[] = {"a", "a b", "a/b", "\xe2\x82\xac", "a%41", "a?b#c", "..."};
    AUTO_TEXT name = TEXT_INIT;
    struct end *end = NULL;
    (void)state;
    CHECK_OK(try_open("http://127.0.0.1:1/acct/cont/pre", END_TARGET, &end), &err);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK_ERR(end_check_name(end, bad[i], &err), &err, ERR_NAME_ILLEGAL);
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        CHECK_OK(end_check_name(end, good[i], &err), &err);
    }
    /* 1,024 characters with the prefix and its slash, counted as the store counts them. */
    for (unsigned i = 0; i < 1020; i++) {
        text_add_str(&name, "\xc3\xa4");
    }
    CHECK_OK(end_check_name(end, text_str(&name), &err), &err);
    text_add_str(&name, "x");
    CHECK_ERR(end_check_name(end, text_str(&name), &err), &err, ERR_NAME_ILLEGAL);
    CHECK_HAS(err.text, "more than 1024 characters"); /* the reason, not only the name */
    text_clear(&name);
    for (unsigned i = 0; i < 253; i++) {
        text_add_str(&name, i == 0 ? "x" : "/x");
    }
    CHECK_OK(end_check_name(end, text_str(&name), &err), &err);
    text_add_str(&name, "/x");
    CHECK_ERR(end_check_name(end, text_str(&name), &err), &err, ERR_NAME_ILLEGAL);
    end_close(end);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_names_account_container_and_prefix),
        TEST(an_address_that_cannot_be_one_is_refused),
        TEST(what_looks_like_an_address_is_no_folder),
        TEST(a_token_is_not_sent_in_clear),
        TEST(names_that_the_store_would_change_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
