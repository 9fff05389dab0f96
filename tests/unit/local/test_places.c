#include "storage/local/places.h"
#include "tests/support/folder.h"

#include <errno.h>
#include <linux/openat2.h>

static struct folder folder;
static struct places places;
static int root;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    (void)folder_make(&folder, "root");
    (void)folder_make(&folder, "outside");
    root = open(folder_join(&folder, "root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    places_init(&places, root, false);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    places_done(&places);
    (void)close(root);
    folder_done(&folder);
    return 0;
}

/* The folder is made on the way, the name's last part is what is left to open. */
static void
missing_folders_are_made_when_asked(void **state)
{
    const char *base = NULL;
    (void)state;
    CHECK_I64(places_parent(&places, "a/b/c.txt", false, &base), -ENOENT);
    CHECK(!folder_has(&folder, "root/a"));
    int at = places_parent(&places, "a/b/c.txt", true, &base);
    CHECK(at >= 0);
    CHECK_TEXT(base, "c.txt");
    CHECK(folder_has(&folder, "root/a/b"));
    CHECK(!folder_has(&folder, "root/a/b/c.txt"));
    /* Items come folder by folder: the same folder is not opened again. */
    CHECK_I64(places_parent(&places, "a/b/d.txt", false, &base), at);
    CHECK_I64(places_parent(&places, "plain", false, &base), root);
    CHECK_TEXT(base, "plain");
}

/* Whatever a device or a store calls an item, nothing beside the root is reached or made. */
static void
no_name_leads_out(void **state)
{
    static const char *const names[] = {
        "../outside/x", "a/../../outside/x",
        "/etc/passwd",  "..",
        "a/..",         ".",
        "a/.",          "",
        "a/",           "../x",
        "//x",          "a//../x",
        "link/x",       "link/../x",
        "deep/link/x",  "up/etc/x",
        "loop/x",
    };
    (void)state;
    CHECK_I64(symlink("../outside", folder_join(&folder, "root/link")), 0);
    CHECK_I64(symlink("..", folder_join(&folder, "root/up")), 0);
    CHECK_I64(symlink("loop", folder_join(&folder, "root/loop")), 0);
    (void)folder_make(&folder, "root/deep");
    CHECK_I64(symlink("/", folder_join(&folder, "root/deep/link")), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *base = NULL;
        int at = places_parent(&places, names[i], true, &base);
        if (at >= 0) {
            print_error("'%s' was opened\n", names[i]);
        }
        CHECK(at < 0);
    }
    CHECK(!folder_has(&folder, "x"));
    CHECK(!folder_has(&folder, "outside/x"));
    CHECK(!folder_has(&folder, "root/x"));
}

/* With --links follow the owner of the tree has said that links are to be followed. */
static void
links_are_followed_where_that_was_asked(void **state)
{
    const char *base = NULL;
    (void)state;
    CHECK_I64(symlink("../outside", folder_join(&folder, "root/link")), 0);
    places_done(&places);
    places_init(&places, root, true);
    CHECK(places_parent(&places, "link/x", false, &base) >= 0);
}

/* A file where a folder is needed is a name that cannot be held, not a folder to be made. */
static void
a_file_in_the_way_is_told(void **state)
{
    const char *base = NULL;
    (void)state;
    (void)folder_write(&folder, "root/file", "x", 1);
    CHECK_I64(places_parent(&places, "file/x", true, &base), -ENOTDIR);
}

/* Paths longer than the kernel takes at once are walked in stages, made and found again. */
static void
a_path_longer_than_the_kernels_limit_is_walked(void **state)
{
    AUTO_TEXT name = TEXT_INIT;
    const char *base = NULL;
    (void)state;
    for (unsigned i = 0; i < 80; i++) {
        text_addf(&name, "%0100u/", i);
    }
    text_add_str(&name, "file");
    CHECK_U64(name.len, 80 * 101 + 4);
    CHECK(places_parent(&places, text_str(&name), true, &base) >= 0);
    CHECK_TEXT(base, "file");
    places_done(&places);
    places_init(&places, root, false);
    int at = places_parent(&places, text_str(&name), false, &base);
    CHECK(at >= 0);
    int fd = openat(at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_I64(close(fd), 0);
    fd = places_open(root, text_str(&name), O_RDONLY, RESOLVE_BENEATH);
    CHECK(fd >= 0);
    CHECK_I64(close(fd), 0);
    /* One part that is longer than any name can be is an error, not a loop. */
    text_clear(&name);
    text_addf(&name, "%04000u/x", 1);
    CHECK_I64(places_parent(&places, text_str(&name), true, &base), -ENAMETOOLONG);
    text_clear(&name);
    text_addf(&name, "%0300u/x", 1);
    CHECK_I64(places_parent(&places, text_str(&name), true, &base), -ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_folders_are_made_when_asked),
        TEST(no_name_leads_out),
        TEST(links_are_followed_where_that_was_asked),
        TEST(a_file_in_the_way_is_told),
        TEST(a_path_longer_than_the_kernels_limit_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
