#include "base/fd.h"
#include "tests/support/folder.h"

#include <errno.h>

static struct folder folder;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    folder_done(&folder);
    return 0;
}

static void
folders_are_made_down_to_the_last(void **state)
{
    size_t len = 0;
    (void)state;
    CHECK_I64(fd_make_folders(folder_join(&folder, "a/b/c"), 0700, &len), 0);
    CHECK(folder_has(&folder, "a/b/c"));
    CHECK_I64(fd_make_folders(folder_join(&folder, "a/b/c"), 0700, &len), 0);
    CHECK_I64(fd_make_folders("/", 0700, &len), 0);
}

/* The message has to name the folder that stands in the way, not the whole path. */
static void
what_could_not_be_made_is_told(void **state)
{
    size_t len = 0;
    (void)state;
    (void)folder_write(&folder, "file", "x", 1);
    const char *path = folder_join(&folder, "file/below/deep");
    CHECK_I64(fd_make_folders(path, 0700, &len), ENOTDIR);
    CHECK_U64(len, strlen(path) - strlen("/deep"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_are_made_down_to_the_last),
        TEST(what_could_not_be_made_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
