#include "storage/local/walk.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct text seen; /* one line per entry, sorted by nothing: as they come */
static struct err err;

static int
make(void **state)
{
    (void)state;
    seen = TEXT_INIT;
    folder_init(&folder);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    text_done(&seen);
    folder_done(&folder);
    return 0;
}

/* Walk everything; each entry becomes "KIND name\n". */
static unsigned
walk(enum end_links links, const struct walk_skip *skip, end_wants_fn *wants)
{
    static const char *const kinds[] = {"item", "skipped", "failed", "folder"};
    struct lister *lister = NULL;
    unsigned count = 0;
    bool more = true;
    int root = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    text_clear(&seen);
    const struct walk_options options = {
        .display = folder.path, .skip = skip, .links = links, .wants = wants};
    CHECK_OK(walk_new(root, &options, &lister, &err), &err);
    while (true) {
        struct entry entry = {0};
        CHECK_OK(lister_next(lister, &entry, &more, &err), &err);
        if (!more) {
            break;
        }
        count++;
        text_addf(&seen, "%s %s\n", kinds[entry.kind], entry.name);
        CHECK((entry.err.code != ERR_OK) ==
              (entry.kind == ENTRY_FAILED || entry.kind == ENTRY_SKIPPED));
    }
    /* The end stays the end. */
    CHECK_OK(lister_next(lister, &(struct entry){0}, &more, &err), &err);
    CHECK(!more);
    lister_close(lister);
    CHECK_I64(close(root), 0);
    return count;
}

/* Every name below the root is told once, with its path, size and time. */
static void
every_file_is_an_item(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a");
    (void)folder_make(&folder, "a/b");
    (void)folder_write(&folder, "a/b/deep", "12345", 5);
    (void)folder_write(&folder, "a/with\nline", "", 0);
    (void)folder_write(&folder, "-top", "1", 1);
    CHECK_U64(walk(END_LINKS_SKIP, NULL, NULL), 3);
    CHECK_HAS(text_str(&seen), "item a/b/deep\n");
    CHECK_HAS(text_str(&seen), "item a/with\nline\n");
    CHECK_HAS(text_str(&seen), "item -top\n");
}

/* A folder without entries has no blob, so it is counted where it is. */
static void
an_empty_folder_is_told(void **state)
{
    (void)state;
    CHECK_U64(walk(END_LINKS_SKIP, NULL, NULL), 0);
    (void)folder_make(&folder, "full");
    (void)folder_make(&folder, "full/empty");
    CHECK_U64(walk(END_LINKS_SKIP, NULL, NULL), 1);
    CHECK_TEXT(text_str(&seen), "folder full/empty\n");
}

static void
links_are_what_the_option_says(void **state)
{
    (void)state;
    (void)folder_write(&folder, "file", "x", 1);
    CHECK_I64(symlink("file", folder_join(&folder, "link")), 0);
    CHECK_I64(symlink("missing", folder_join(&folder, "dangling")), 0);
    CHECK_U64(walk(END_LINKS_SKIP, NULL, NULL), 3);
    CHECK_HAS(text_str(&seen), "skipped link\n");
    CHECK_HAS(text_str(&seen), "skipped dangling\n");
    CHECK_U64(walk(END_LINKS_FAIL, NULL, NULL), 3);
    CHECK_HAS(text_str(&seen), "failed link\n");
    CHECK_U64(walk(END_LINKS_FOLLOW, NULL, NULL), 3);
    CHECK_HAS(text_str(&seen), "item link\n");
    CHECK_HAS(text_str(&seen), "failed dangling\n");
}

/* A link to a folder above would be walked for ever. */
static void
a_circle_of_links_ends(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a");
    (void)folder_write(&folder, "a/file", "x", 1);
    CHECK_I64(symlink("..", folder_join(&folder, "a/up")), 0);
    CHECK_I64(symlink("up", folder_join(&folder, "a/self")), 0);
    CHECK_I64(symlink("me", folder_join(&folder, "me")), 0);
    CHECK_U64(walk(END_LINKS_FOLLOW, NULL, NULL), 4);
    CHECK_HAS(text_str(&seen), "item a/file\n");
    CHECK_HAS(text_str(&seen), "failed a/up\n");
    CHECK_HAS(text_str(&seen), "failed me\n");
}

static void
what_is_no_file_fails_by_name(void **state)
{
    (void)state;
    CHECK_I64(mkfifo(folder_join(&folder, "pipe"), 0600), 0);
    CHECK_U64(walk(END_LINKS_FOLLOW, NULL, NULL), 1);
    CHECK_TEXT(text_str(&seen), "failed pipe\n");
}

static bool
wants_not_b(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "a/b") != 0;
}

/* An excluded folder is not opened at all, and its name alone is not enough: the path is asked. */
static void
a_folder_that_is_not_wanted_is_not_walked(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a");
    (void)folder_make(&folder, "a/b");
    (void)folder_make(&folder, "b");
    (void)folder_write(&folder, "a/b/x", "", 0);
    (void)folder_write(&folder, "b/x", "", 0);
    CHECK_U64(walk(END_LINKS_SKIP, NULL, wants_not_b), 1);
    CHECK_TEXT(text_str(&seen), "item b/x\n");
}

/* Our own staging lies at the top; a folder of the user's deeper down may have the same name. What
 * is left out is told, because every entry is accounted for. */
static void
staging_is_told_as_skipped_at_the_top_only(void **state)
{
    static const struct walk_skip skip = {
        .name = ".stage", .is_at_top = true, .words = "is not data"};
    (void)state;
    (void)folder_make(&folder, ".stage");
    (void)folder_write(&folder, ".stage/x", "", 0);
    (void)folder_make(&folder, "a");
    (void)folder_write(&folder, "a/.stage", "", 0);
    CHECK_U64(walk(END_LINKS_SKIP, &skip, NULL), 2);
    CHECK_HAS(text_str(&seen), "item a/.stage\n");
    CHECK_HAS(text_str(&seen), "skipped .stage\n");
    /* A file of this name is no staging. */
    CHECK_I64(unlink(folder_join(&folder, ".stage/x")), 0);
    CHECK_I64(rmdir(folder_join(&folder, ".stage")), 0);
    (void)folder_write(&folder, ".stage", "", 0);
    CHECK_U64(walk(END_LINKS_SKIP, &skip, NULL), 2);
    CHECK_HAS(text_str(&seen), "item .stage\n");
}

/* A store's own folder is no data wherever an older program or another tool has put one. */
static void
a_store_s_folder_is_skipped_at_any_depth(void **state)
{
    static const struct walk_skip skip = {.name = ".ours", .words = "is not data"};
    (void)state;
    (void)folder_make(&folder, "a");
    (void)folder_make(&folder, "a/.ours");
    (void)folder_write(&folder, "a/.ours/x", "", 0);
    CHECK_U64(walk(END_LINKS_SKIP, &skip, NULL), 1);
    CHECK_TEXT(text_str(&seen), "skipped a/.ours\n");
}

/* Depth is bounded by memory, not by a path's length. */
static void
a_deep_tree_is_walked_to_its_bottom(void **state)
{
    enum { DEPTH = 300 };
    AUTO_TEXT want = TEXT_INIT;
    (void)state;
    int at = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    text_add_str(&want, "item ");
    for (unsigned i = 0; i < DEPTH; i++) {
        CHECK_I64(mkdirat(at, "a-folder-of-twenty-b", 0777), 0);
        int next = openat(at, "a-folder-of-twenty-b", O_PATH | O_DIRECTORY | O_CLOEXEC);
        (void)close(at);
        at = next;
        text_add_str(&want, "a-folder-of-twenty-b/");
    }
    int fd = openat(at, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)close(fd);
    (void)close(at);
    text_add_str(&want, "bottom\n");
    CHECK_U64(walk(END_LINKS_SKIP, NULL, NULL), 1);
    CHECK_TEXT(text_str(&seen), text_str(&want));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_file_is_an_item),
        TEST(an_empty_folder_is_told),
        TEST(links_are_what_the_option_says),
        TEST(a_circle_of_links_ends),
        TEST(what_is_no_file_fails_by_name),
        TEST(a_folder_that_is_not_wanted_is_not_walked),
        TEST(staging_is_told_as_skipped_at_the_top_only),
        TEST(a_store_s_folder_is_skipped_at_any_depth),
        TEST(a_deep_tree_is_walked_to_its_bottom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
