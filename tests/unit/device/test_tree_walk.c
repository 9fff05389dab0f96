/* Every entry once, whatever the tree. */
#include "ingest/device/tree_walk.h"
#include "tests/support/tree.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

struct seen {
    pthread_mutex_t mutex;
    struct text lines; /* "FILE path size", in any order */
    unsigned folders, files, others, unreadable;
    uint64_t entries;
    bool is_wrong; /* told in the events' threads, checked in the test's */
    bool stop_at_first;
    atomic_int signal;
};

static bool
on_folder(void *seen_, unsigned thread, const struct tree_entry *folder, void **tag)
{
    struct seen *seen = seen_;
    (void)thread;
    (void)pthread_mutex_lock(&seen->mutex);
    seen->folders++;
    *tag = (char *)*tag + 1; /* counts the depth */
    seen->is_wrong = seen->is_wrong || (uintptr_t)*tag != folder->depth;
    (void)pthread_mutex_unlock(&seen->mutex);
    return strcmp(folder->name, "left-out") != 0;
}

static void
on_entry(void *seen_, unsigned thread, const struct tree_entry *entry)
{
    static const char *const words[] = {"file", "folder", "special", "unreadable"};
    struct seen *seen = seen_;
    (void)thread;
    (void)pthread_mutex_lock(&seen->mutex);
    seen->files += entry->what == WHAT_FILE;
    seen->others += entry->what == WHAT_SPECIAL;
    seen->unreadable += entry->what == WHAT_UNREADABLE;
    text_addf(&seen->lines, "%s %s %u\n", words[entry->what], entry->path,
              (unsigned)entry->size_bytes);
    if (seen->stop_at_first) {
        atomic_store(&seen->signal, 2);
    }
    const char *slash = strrchr(entry->path, '/');
    seen->is_wrong = seen->is_wrong || entry->path_len != strlen(entry->path) ||
                     strcmp(entry->name, slash == NULL ? entry->path : slash + 1) != 0;
    (void)pthread_mutex_unlock(&seen->mutex);
}

static void
on_read(void *seen_, unsigned thread, const struct tree_entry *folder, uint64_t entries)
{
    struct seen *seen = seen_;
    (void)thread;
    (void)folder;
    (void)pthread_mutex_lock(&seen->mutex);
    seen->entries += entries;
    (void)pthread_mutex_unlock(&seen->mutex);
}

static enum err_code
walk(const char *path, unsigned threads, struct seen *seen, struct err *err)
{
    struct tree_events events = {
        .user = seen, .folder = on_folder, .entry = on_entry, .read = on_read};
    struct tree_options options = {.threads = threads, .signal = &seen->signal};
    (void)pthread_mutex_init(&seen->mutex, NULL);
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    enum err_code code = tree_walk(root, &options, &events, err);
    (void)close(root);
    CHECK(!seen->is_wrong);
    return code;
}

/* However many threads there are, each entry is told once. */
static void
every_entry_is_told_once(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = ERR_NONE;
    char name[64];
    folder_init(&folder);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof name, "a%d/b%d/f%d", i % 7, i % 31, i);
        tree_file(&folder, name, (uint64_t)i);
    }
    tree_folder(&folder, "empty");
    for (unsigned threads = 1; threads <= TREE_THREADS_MAX; threads *= 2) {
        struct seen seen = {.lines = TEXT_INIT};
        CHECK_OK(walk(folder.path, threads, &seen, &err), &err);
        CHECK_U64(seen.files, 300);
        CHECK_U64(seen.folders, 7 + 7 * 31 + 1);
        CHECK_U64(seen.entries, 300 + 7 + 7 * 31 + 1);
        CHECK_HAS(text_str(&seen.lines), "file a5/b20/f299 299\n");
        text_done(&seen.lines);
    }
    folder_done(&folder);
}

/* A pipe without a writer would hang whoever opens it; a link would lead out. */
static void
what_is_no_file_is_told_and_not_opened(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = ERR_NONE;
    struct seen seen = {.lines = TEXT_INIT};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    folder_init(&folder);
    tree_file(&folder, "d/file", 1);
    assert_int_equal(mkfifo(folder_join(&folder, "d/pipe"), 0666), 0);
    assert_int_equal(symlink("/", folder_join(&folder, "d/link")), 0);
    assert_int_equal(symlink("..", folder_join(&folder, "d/up")), 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", folder_join(&folder, "d/sock"));
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(sock);
    CHECK_OK(walk(folder.path, 2, &seen, &err), &err);
    CHECK_U64(seen.files, 1);
    CHECK_U64(seen.others, 4);
    CHECK_U64(seen.folders, 1);
    int at = open(folder_join(&folder, "d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_I64(tree_open_file(at, "pipe"), -ENXIO);
    CHECK_I64(tree_open_file(at, "link"), -ENXIO);
    CHECK_I64(tree_open_file(at, "sock"), -ENXIO);
    CHECK_I64(tree_open_file(at, "nothing"), -ENOENT);
    int fd = tree_open_file(at, "file");
    CHECK(fd >= 0);
    (void)close(fd);
    (void)close(at);
    text_done(&seen.lines);
    folder_done(&folder);
}

static void
a_refused_folder_is_left_out(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = ERR_NONE;
    struct seen seen = {.lines = TEXT_INIT};
    folder_init(&folder);
    tree_file(&folder, "left-out/sub/file", 1);
    tree_file(&folder, "taken/file", 1);
    CHECK_OK(walk(folder.path, 2, &seen, &err), &err);
    CHECK_TEXT(text_str(&seen.lines), "file taken/file 1\n");
    CHECK_U64(seen.folders, 2);
    text_done(&seen.lines);
    folder_done(&folder);
}

/* Whoever interrupts does not want to wait for a million files. */
static void
a_signal_ends_the_walk(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = ERR_NONE;
    char name[64];
    struct seen seen = {.lines = TEXT_INIT, .stop_at_first = true};
    folder_init(&folder);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "d%d/f", i);
        tree_file(&folder, name, 0);
    }
    CHECK_ERR(walk(folder.path, 2, &seen, &err), &err, ERR_INTERRUPTED);
    CHECK(seen.files < 5);
    text_done(&seen.lines);
    folder_done(&folder);
}

/* Deeper than the kernel takes a path for; made and removed step by step for the same reason. */
static void
paths_longer_than_the_kernel_takes_are_walked(void **state)
{
    (void)state;
    enum { DEPTH = 2500 };
    struct folder folder;
    struct err err = ERR_NONE;
    struct seen seen = {.lines = TEXT_INIT};
    folder_init(&folder);
    int at = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "deep", 0777), 0);
        assert_int_equal(mkdirat(at, "beside", 0777), 0);
        int next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        (void)close(at);
        at = next;
    }
    int file = openat(at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(file >= 0);
    (void)close(file);
    CHECK_OK(walk(folder.path, 2, &seen, &err), &err);
    CHECK_U64(seen.files, 1);
    CHECK_U64(seen.unreadable, 0);
    CHECK_U64(seen.folders, 2 * DEPTH);
    (void)unlinkat(at, "file", 0);
    for (int i = 0; i < DEPTH; i++) {
        int up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void)close(at);
        at = up;
        assert_int_equal(unlinkat(at, "deep", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(at, "beside", AT_REMOVEDIR), 0);
    }
    (void)close(at);
    text_done(&seen.lines);
    folder_done(&folder);
}

/* Somebody moves folders about and swaps them for links to the outside while the tree is walked. */
struct mischief {
    struct folder *folder;
    atomic_bool is_over;
};

static void *
swap_folders(void *mischief_)
{
    struct mischief *mischief = mischief_;
    char a[128];
    char b[128];
    (void)snprintf(a, sizeof a, "%s/moving", mischief->folder->path);
    (void)snprintf(b, sizeof b, "%s/elsewhere", mischief->folder->path);
    while (!atomic_load(&mischief->is_over)) {
        (void)rename(a, b);
        (void)symlink("/proc", a);
        (void)unlink(a);
        (void)rename(b, a);
    }
    return NULL;
}

static void
a_folder_that_is_swapped_for_a_link_never_leads_out(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = ERR_NONE;
    pthread_t thread;
    char name[64];
    folder_init(&folder);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "moving/d%d/e/f", i);
        tree_file(&folder, name, 0);
    }
    struct mischief mischief = {.folder = &folder};
    assert_int_equal(pthread_create(&thread, NULL, swap_folders, &mischief), 0);
    for (int round = 0; round < 50; round++) {
        struct seen seen = {.lines = TEXT_INIT};
        CHECK_OK(walk(folder.path, 2, &seen, &err), &err);
        CHECK(strstr(text_str(&seen.lines), "cmdline") == NULL);
        CHECK(seen.files <= 80); /* under both names, should it be met twice */
        text_done(&seen.lines);
    }
    atomic_store(&mischief.is_over, true);
    (void)pthread_join(thread, NULL);
    folder_done(&folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_told_once),
        cmocka_unit_test(what_is_no_file_is_told_and_not_opened),
        cmocka_unit_test(a_refused_folder_is_left_out),
        cmocka_unit_test(a_signal_ends_the_walk),
        cmocka_unit_test(paths_longer_than_the_kernel_takes_are_walked),
        cmocka_unit_test(a_folder_that_is_swapped_for_a_link_never_leads_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
