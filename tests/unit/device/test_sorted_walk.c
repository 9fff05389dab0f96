#include "ingest/device/sorted_walk.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct text seen; /* one line per entry */
static struct err err;
static atomic_int signal_seen;

static int
make(void **state)
{
    (void)state;
    seen = TEXT_INIT;
    atomic_store(&signal_seen, 0);
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

static struct sorted_walk *
begin(const struct sorted_options *options)
{
    struct sorted_walk *walk = NULL;
    int root = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(root >= 0);
    CHECK_OK(sorted_walk_new(root, options, &walk, &err), &err);
    return walk;
}

static void
add_seen(const struct sorted_entry *entry)
{
    static const char *const kinds[] = {"file", "folder", "special", "failed"};
    text_addf(&seen, "%s %s\n", kinds[entry->kind], entry->path);
    CHECK_U64(strlen(entry->path), entry->path_len);
    CHECK((entry->code != ERR_OK) ==
          (entry->kind == SORTED_SPECIAL || entry->kind == SORTED_FAILED));
}

static const char *
walk_all(const struct sorted_options *options)
{
    struct sorted_entry entry;
    struct sorted_walk *walk = begin(options);
    text_clear(&seen);
    while (sorted_walk_next(walk, &entry)) {
        add_seen(&entry);
    }
    CHECK(!sorted_walk_next(walk, &entry));
    sorted_walk_free(walk);
    return text_str(&seen);
}

/* Whatever order the file system has. */
static void
names_come_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    (void)folder_make(&folder, "b");
    (void)folder_make(&folder, "empty");
    static const char *const names[] = {"z", "b/2", "a", "b/10", "B", "b-", "\xff", "\xc3\xa4"};
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        (void)folder_write(&folder, names[i], "", 0);
    }
    CHECK_TEXT(walk_all(&(struct sorted_options){0}),
               "file B\nfile a\nfile b/10\nfile b/2\nfile b-\nfile z\nfile \xc3\xa4\nfile \xff\n");
    CHECK_TEXT(
        walk_all(&(struct sorted_options){.is_flat = true}),
        "file B\nfile a\nfolder b\nfile b-\nfolder empty\nfile z\nfile \xc3\xa4\nfile \xff\n");
}

/* Where names do not fit, folders are read again, and nothing is lost, doubled or moved. */
static void
little_memory_gives_the_same_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "f%u", i * 7919 % 300);
        (void)folder_write(&folder, name, "", 0);
        if (i % 20 == 0) {
            (void)snprintf(name, sizeof name, "d%u", i);
            (void)folder_make(&folder, name);
            (void)snprintf(name, sizeof name, "d%u/sub", i);
            (void)folder_make(&folder, name);
            for (unsigned k = 0; k < 30; k++) {
                (void)snprintf(name, sizeof name, "d%u/sub/g%u", i, k);
                (void)folder_write(&folder, name, "", 0);
            }
        }
    }
    AUTO_TEXT whole = TEXT_INIT;
    text_add_str(&whole, walk_all(&(struct sorted_options){0}));
    unsigned lines = 0;
    for (size_t i = 0; i < whole.len; i++) {
        lines += whole.bytes[i] == '\n';
    }
    CHECK_U64(lines, 300 + 15 * 30);
    const size_t rooms[] = {1, 64, 500, 3000};
    for (unsigned i = 0; i < COUNT_OF(rooms); i++) {
        CHECK_TEXT(walk_all(&(struct sorted_options){.names_bytes_max = rooms[i]}),
                   text_str(&whole));
    }
}

/* Links are told, not followed: the tree is all that is walked. */
static void
nothing_but_files_and_folders_is_entered(void **state)
{
    (void)state;
    (void)folder_make(&folder, "d");
    (void)folder_write(&folder, "d/x", "", 0);
    CHECK_I64(symlink("/etc", folder_join(&folder, "link")), 0);
    CHECK_I64(symlink("d", folder_join(&folder, "d2")), 0);
    CHECK_I64(mkfifo(folder_join(&folder, "pipe"), 0600), 0);
    CHECK_TEXT(walk_all(&(struct sorted_options){0}),
               "file d/x\nspecial d2\nspecial link\nspecial pipe\n");
}

/* What is added or removed meanwhile would be missing from the list without a word. */
static void
a_folder_that_changes_is_told(void **state)
{
    (void)state;
    struct sorted_entry entry;
    (void)folder_make(&folder, "d");
    (void)folder_write(&folder, "d/x", "", 0);
    struct sorted_walk *walk = begin(&(struct sorted_options){0});
    CHECK(sorted_walk_next(walk, &entry));
    CHECK_TEXT(entry.path, "d/x");
    /* A time that the kernel's clock cannot have given the folder before. */
    CHECK_I64(chmod(folder_join(&folder, "d"), 0700), 0);
    struct stat st;
    struct timespec before;
    CHECK_I64(stat(folder_join(&folder, "d"), &st), 0);
    before = st.st_ctim;
    do {
        CHECK_I64(chmod(folder_join(&folder, "d"), 0711), 0);
        CHECK_I64(stat(folder_join(&folder, "d"), &st), 0);
    } while (st.st_ctim.tv_nsec == before.tv_nsec && st.st_ctim.tv_sec == before.tv_sec);
    CHECK(sorted_walk_next(walk, &entry));
    CHECK_U64(entry.kind, SORTED_FAILED);
    CHECK_U64(entry.code, ERR_ITEM_CHANGED);
    CHECK_TEXT(entry.path, "d");
    CHECK(!sorted_walk_next(walk, &entry));
    sorted_walk_free(walk);
}

/* Depth is bounded by the length of a path, and that is told. */
static void
a_tree_too_deep_is_told(void **state)
{
    (void)state;
    char name[201];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    int at = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < 42; i++) {
        CHECK_I64(mkdirat(at, name, 0700), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_I64(close(at), 0);
        at = next;
    }
    CHECK_I64(close(at), 0);
    const char *got = walk_all(&(struct sorted_options){0});
    CHECK_HAS(got, "failed nnn");
    CHECK(strchr(got, '\n') == got + strlen(got) - 1);
}

static void
the_folder_of_the_manifests_is_not_walked(void **state)
{
    (void)state;
    struct stat st;
    (void)folder_make(&folder, "d");
    (void)folder_write(&folder, "d/x", "", 0);
    CHECK_I64(stat(folder_join(&folder, "d"), &st), 0);
    const struct sorted_options options = {.avoid_dev = &st.st_dev, .avoid_ino = &st.st_ino};
    CHECK_TEXT(walk_all(&options), "failed d\n");
}

static void
a_signal_ends_the_walk(void **state)
{
    (void)state;
    (void)folder_write(&folder, "a", "", 0);
    atomic_store(&signal_seen, 2);
    CHECK_TEXT(walk_all(&(struct sorted_options){.signal = &signal_seen}), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_come_in_the_order_of_their_bytes),
        TEST(little_memory_gives_the_same_order),
        TEST(nothing_but_files_and_folders_is_entered),
        TEST(a_folder_that_changes_is_told),
        TEST(a_tree_too_deep_is_told),
        TEST(the_folder_of_the_manifests_is_not_walked),
        TEST(a_signal_ends_the_walk),
    };
    return cmocka_run_group_tests_name("sorted_walk", tests, NULL, NULL);
}
