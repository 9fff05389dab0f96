/* Addresses of local ends: what each form means, and which are refused. */
#include "storage/backend.h"
#include "storage/local/local.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct err err;

static int
make(void **state)
{
    char here[64];
    (void)state;
    folder_init(&folder);
    CHECK_I64(chdir(folder.path), 0);
    /* /tmp may be a link: what is shown is resolved. */
    assert_non_null(getcwd(here, sizeof here));
    (void)snprintf(folder.path, sizeof folder.path, "%s", here);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    CHECK_I64(chdir("/"), 0);
    folder_done(&folder);
    return 0;
}

static struct end *
open_end(const char *address, enum end_role role, bool is_account)
{
    const struct end_options options = {
        .role = role, .is_account = is_account, .clock = &clock_system};
    struct end *end = NULL;
    CHECK_OK(end_open(address, &options, &end, &err), &err);
    return end;
}

/* What the address is shown as, with the folder's own path as "~". */
static void
check_display(const char *address, bool is_account, const char *want)
{
    AUTO_TEXT path = TEXT_INIT;
    struct end *end = open_end(address, END_TARGET, is_account);
    const char *home = strstr(want, "~");
    text_add(&path, want, (size_t)(home - want));
    text_addf(&path, "%s%s", folder.path, home + 1);
    CHECK_TEXT(end->display, text_str(&path));
    end_close(end);
}

/* Two spellings of one folder are one copy: state is found by what the address means. */
static void
a_folder_has_one_canonical_address(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a");
    CHECK_I64(symlink("a", folder_join(&folder, "link")), 0);
    check_display("a", false, "~/a");
    check_display("./a/", false, "~/a");
    check_display("a///", false, "~/a");
    check_display("link", false, "~/a");
    check_display("a/../a", false, "~/a");
    check_display(folder_join(&folder, "a"), false, "~/a");
    check_display("missing/deeper", false, "~/missing/deeper");
    check_display("link/missing", false, "~/a/missing");
    check_display(".", false, "~");
    struct end *end = open_end("/", END_SOURCE, false);
    CHECK_TEXT(end->display, "/");
    end_close(end);
}

/* DIR is what stands before ACCOUNT/CONTAINER; an account's end has no container. */
static void
the_last_names_are_account_and_container(void **state)
{
    (void)state;
    check_display("file:store/acct/cont", false, "file:~/store//acct/cont/");
    check_display("file:acct/cont/", false, "file:~//acct/cont/");
    check_display("file:store/acct", true, "file:~/store//acct/");
    check_display("file:store//acct/cont/prefix/deep", false,
                  "file:~/store//acct/cont/prefix/deep/");
    check_display("file:store//acct", false, "file:~/store//acct/");
}

/* State, lock and keys of a store are found by what its address means, too. */
static void
a_store_has_one_canonical_address(void **state)
{
    static const char *const same[] = {
        "file:rv/id/acct/cont",  "file:./rv/id/acct/cont", "file:rv/../rv/id/acct/cont//",
        "file:link/acct/cont",   "file:rv/id//acct/cont",  "file:link//acct/cont/",
        "file:rv/id/alias/cont", "file:rv/id//alias/cont",
    };
    (void)state;
    (void)folder_make(&folder, "rv");
    (void)folder_make(&folder, "rv/id");
    (void)folder_make(&folder, "rv/id/acct");
    (void)folder_make(&folder, "rv/id/.sallyport");
    (void)folder_write(&folder, "rv/id/.sallyport/blobs.db", "", 0);
    CHECK_I64(symlink("rv/id", folder_join(&folder, "link")), 0);
    CHECK_I64(symlink("acct", folder_join(&folder, "rv/id/alias")), 0);
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        check_display(same[i], false, "file:~/rv/id//acct/cont/");
    }
    AUTO_TEXT url = TEXT_INIT;
    text_addf(&url, "file://%s/rv/id/acct/cont", folder.path);
    check_display(text_str(&url), false, "file:~/rv/id//acct/cont/");
    /* A link that leads out of the store is an account all the same. */
    CHECK_I64(symlink("../..", folder_join(&folder, "rv/id/out")), 0);
    check_display("file:rv/id/out/cont", false, "file:~/rv/id//out/cont/");
}

/* Accounts and containers are folders of DIR: they lead nowhere else. */
static void
an_account_or_container_that_cannot_be_one_is_refused(void **state)
{
    static const char *const bad[] = {
        "file:s//../cont",           "file:s//acct/..",      "file:s//.",
        "file:s//acct/./x",          "file:s//.sallyport/c", "file:s/.sallyport/c",
        "file:s//acct/.sallyport/x", "file:s//acct//x",      "file:s//file",
        "file:s//file/cont",         "file:s//acct/file",    "file:s/acct/file",
    };
    (void)state;
    (void)folder_make(&folder, "s");
    (void)folder_make(&folder, "s/acct");
    (void)folder_write(&folder, "s/file", "x", 1);
    (void)folder_write(&folder, "s/acct/file", "x", 1);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        for (unsigned role = 0; role < 2; role++) {
            const struct end_options options = {.role = role == 0 ? END_SOURCE : END_TARGET,
                                                .clock = &clock_system};
            struct end *end = NULL;
            CHECK_ERR(end_open(bad[i], &options, &end, &err), &err, ERR_USAGE);
            CHECK(end == NULL);
        }
    }
}

/* A source may hold a folder of this name; only an index makes it a store. */
static void
a_folder_called_like_ours_is_no_store(void **state)
{
    (void)state;
    (void)folder_make(&folder, "store");
    (void)folder_make(&folder, "store/.sallyport");
    (void)folder_write(&folder, "store/.sallyport/blobs.db", "", 0);
    (void)folder_make(&folder, "store/acct");
    (void)folder_make(&folder, "store/acct/cont");
    (void)folder_make(&folder, "store/acct/cont/.sallyport");
    check_display("file:store/acct/cont/x/y", false, "file:~/store//acct/cont/x/y/");
}

/* Only what a blob's name can be and a file's cannot is stored where no file of its name is. */
static void
a_prefix_that_no_folder_can_be_has_no_root(void **state)
{
    static const char *const by_id[] = {"file:s//acct/cont/x//y", "file:s//acct/cont/../x",
                                        "file:s//acct/cont/.sallyport", "file:s//acct/cont/f/x"};
    uint64_t free_bytes = 0;
    bool is_fresh = true;
    (void)state;
    (void)folder_make(&folder, "s");
    (void)folder_make(&folder, "s/acct");
    (void)folder_make(&folder, "s/acct/cont");
    (void)folder_write(&folder, "s/acct/cont/f", "x", 1);
    for (size_t i = 0; i < COUNT_OF(by_id); i++) {
        struct end *end = open_end(by_id[i], END_TARGET, false);
        CHECK_OK(end_prepare(end, false, &free_bytes, &is_fresh, &err), &err);
        CHECK(CONTAINER_OF(end, struct local_end, end)->root < 0);
        CHECK(!is_fresh);
        end_close(end);
    }
    CHECK(!folder_has(&folder, "s/acct/cont/x"));
    CHECK(!folder_has(&folder, "s/acct/x"));
    CHECK(!folder_has(&folder, "s/acct/cont/.sallyport"));
}

static bool
are_apart(const char *from, const char *to)
{
    struct end *source = open_end(from, END_SOURCE, false);
    struct end *target = open_end(to, END_TARGET, false);
    enum err_code code = end_check_apart(source, target, &err);
    CHECK(code == ERR_OK || code == ERR_USAGE);
    end_close(source);
    end_close(target);
    return code == ERR_OK;
}

/* A copy into its own source would find its own work and never end. */
static void
a_target_inside_its_source_is_refused(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a");
    (void)folder_make(&folder, "a/b");
    (void)folder_write(&folder, "a/file", "x", 1);
    CHECK_I64(symlink("a", folder_join(&folder, "link")), 0);
    CHECK(!are_apart("a", "a"));
    CHECK(!are_apart("a", "link"));
    CHECK(!are_apart("a", "a/b"));
    CHECK(!are_apart("a", "a/missing/deep"));
    CHECK(!are_apart("link", "a/b"));
    CHECK(!are_apart("a", "link/b"));
    CHECK(!are_apart("a", "file:a/acct/cont"));
    CHECK(!are_apart("a", "file:a//acct/cont"));
    CHECK(!are_apart("file:a/b", "a/b"));
    CHECK(!are_apart("a/file", "a"));
    CHECK(are_apart("a/file", "a/b"));
    CHECK(are_apart("a/b", "a"));
    CHECK(are_apart("a", "ab"));
}

/* Where a store is, its own folder says better than counting names. */
static void
an_existing_store_is_found_above(void **state)
{
    (void)state;
    (void)folder_make(&folder, "store");
    (void)folder_make(&folder, "store/.sallyport");
    (void)folder_write(&folder, "store/.sallyport/blobs.db", "", 0);
    check_display("file:store/acct/cont/prefix/deep", false,
                  "file:~/store//acct/cont/prefix/deep/");
    check_display("file:store/acct", false, "file:~/store//acct/");
}

static void
an_address_without_account_is_refused(void **state)
{
    static const char *const bad[] = {"file:",    "file:/", "file:x",       "file:/x",
                                      "file:x//", "",       "ftp://host/x", "s4://bucket"};
    const struct end_options options = {.role = END_TARGET, .clock = &clock_system};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct end *end = NULL;
        CHECK_ERR(end_open(bad[i], &options, &end, &err), &err, ERR_USAGE);
        CHECK(end == NULL);
    }
    /* Opening makes nothing. */
    CHECK(!folder_has(&folder, "x"));
    CHECK(!folder_has(&folder, ".sallyport"));
}

/* The key of a blob is what it is in every store: ACCOUNT/CONTAINER/PREFIX/NAME. */
static void
keys_hold_the_whole_name(void **state)
{
    AUTO_TEXT key = TEXT_INIT;
    (void)state;
    struct end *end = open_end("file:store//acct/cont/pre", END_TARGET, false);
    local_key(CONTAINER_OF(end, struct local_end, end), "a/b", &key);
    CHECK_TEXT(text_str(&key), "acct/cont/pre/a/b");
    end_close(end);
}

/* One file as a source is one item of its own name. */
static void
a_single_file_is_an_end(void **state)
{
    struct lister *lister = NULL;
    struct entry entry = {0};
    bool more = false;
    (void)state;
    (void)folder_write(&folder, "single", "12345", 5);
    struct end *end = open_end("single", END_SOURCE, false);
    CHECK_OK(end_lister(end, NULL, NULL, &lister, &err), &err);
    CHECK_OK(lister_next(lister, &entry, &more, &err), &err);
    CHECK(more);
    CHECK_TEXT(entry.name, "single");
    CHECK_U64(entry.props.size_bytes, 5);
    CHECK_OK(lister_next(lister, &entry, &more, &err), &err);
    CHECK(!more);
    lister_close(lister);
    end_close(end);
}

/* A dry run looks at the nearest folder there is, and leaves nothing behind. */
static void
a_dry_run_makes_nothing(void **state)
{
    uint64_t free_bytes = 0;
    bool is_fresh = true;
    (void)state;
    struct end *end = open_end("a/b/c", END_TARGET, false);
    CHECK_OK(end_prepare(end, true, &free_bytes, &is_fresh, &err), &err);
    CHECK(!folder_has(&folder, "a"));
    CHECK(free_bytes > 0);
    CHECK_OK(end_prepare(end, false, &free_bytes, &is_fresh, &err), &err);
    CHECK(is_fresh);
    CHECK(folder_has(&folder, "a/b/c"));
    CHECK_OK(end_tidy(end, "0123456789abcdef0123456789abcdef", &err), &err);
    CHECK(!folder_has(&folder, "a/b/c/" LOCAL_PARTIAL));
    end_close(end);
}

static void
a_missing_source_is_gone(void **state)
{
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    (void)state;
    struct end *end = open_end("missing", END_SOURCE, false);
    CHECK_ERR(end_prepare(end, false, &free_bytes, &is_fresh, &err), &err, ERR_STORE_GONE);
    CHECK_HAS(err.text, "missing");
    end_close(end);
}

/* What a folder cannot hold under its name is refused there, and taken by the store. */
static void
a_folder_refuses_names_that_a_store_takes(void **state)
{
    static const char *const names[] = {"a//b", "/a", "a/", ".", "..", "a/../b", "a/./b"};
    AUTO_TEXT long_name = TEXT_INIT;
    (void)state;
    struct end *tree = open_end("a", END_TARGET, false);
    struct end *store = open_end("file:s/acct/cont", END_TARGET, false);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK_ERR(end_check_name(tree, names[i], &err), &err, ERR_NAME_ILLEGAL);
        CHECK_OK(end_check_name(store, names[i], &err), &err);
    }
    text_addf(&long_name, "a/%0256u", 1);
    CHECK_ERR(end_check_name(tree, text_str(&long_name), &err), &err, ERR_NAME_ILLEGAL);
    CHECK_OK(end_check_name(tree, text_str(&long_name) + 3, &err), &err);
    CHECK_ERR(end_check_name(tree, "", &err), &err, ERR_NAME_ILLEGAL);
    CHECK_ERR(end_check_name(store, "", &err), &err, ERR_NAME_ILLEGAL);
    CHECK_OK(end_check_name(tree, "...", &err), &err);
    CHECK_OK(end_check_name(tree, "a\nb/\xff", &err), &err);
    end_close(tree);
    end_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_has_one_canonical_address),
        TEST(the_last_names_are_account_and_container),
        TEST(an_existing_store_is_found_above),
        TEST(a_store_has_one_canonical_address),
        TEST(an_account_or_container_that_cannot_be_one_is_refused),
        TEST(a_folder_called_like_ours_is_no_store),
        TEST(a_prefix_that_no_folder_can_be_has_no_root),
        TEST(a_target_inside_its_source_is_refused),
        TEST(an_address_without_account_is_refused),
        TEST(keys_hold_the_whole_name),
        TEST(a_single_file_is_an_end),
        TEST(a_dry_run_makes_nothing),
        TEST(a_missing_source_is_gone),
        TEST(a_folder_refuses_names_that_a_store_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
