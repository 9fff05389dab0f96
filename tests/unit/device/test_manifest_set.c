#include "ingest/device/manifest_set.h"
#include "tests/support/folder.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#define MANY    20000U /* more than four doublings */
#define THREADS 4U

static struct folder folder;
static struct manifest_set *set;
static struct err err;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    return manifest_set_new(folder.path, &set, &err) == ERR_OK ? 0 : -1;
}

static int
unmake(void **state)
{
    (void)state;
    set = manifest_set_free(set);
    folder_done(&folder);
    return 0;
}

static bool
add(const char *path, uint64_t size, uint64_t crc, bool has_crc)
{
    bool is_new = false;
    const struct manifest_entry entry = {.path = path,
                                         .path_len = strlen(path),
                                         .size_bytes = size,
                                         .crc64 = crc,
                                         .has_crc64 = has_crc};
    CHECK_OK(manifest_set_add(set, &entry, &is_new, &err), &err);
    return is_new;
}

static const char *
number(unsigned i)
{
    static _Thread_local char path[32];
    (void)snprintf(path, sizeof path, "c1/file%u", i);
    return path;
}

/* What was added is found as it was, also after the table has grown. */
static void
facts_survive_growth(void **state)
{
    (void)state;
    struct manifest_fact fact = {0};
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(add(number(i), i, ~(uint64_t)i, i % 3 != 0));
    }
    CHECK_U64(manifest_set_count(set), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(manifest_set_find(set, number(i), strlen(number(i)), &fact));
        CHECK_U64(fact.size_bytes, i);
        CHECK_U64(fact.crc64, ~(uint64_t)i);
        CHECK_U64(fact.has_crc64, i % 3 != 0);
        CHECK(!manifest_set_find(set, number(MANY + i), strlen(number(MANY + i)), &fact));
    }
}

/* A path listed twice keeps what was said first, and the caller learns of it. */
static void
the_first_of_two_counts(void **state)
{
    (void)state;
    struct manifest_fact fact = {0};
    CHECK(add("a", INT64_MAX, UINT64_MAX, true));
    CHECK(!add("a", 2, 2, false));
    CHECK(add("A", 3, 3, true));
    CHECK(manifest_set_find(set, "a", 1, &fact));
    CHECK_U64(fact.size_bytes, INT64_MAX);
    CHECK_U64(fact.crc64, UINT64_MAX);
    CHECK(fact.has_crc64);
    CHECK_U64(manifest_set_count(set), 2);
}

/* What nobody looked for is missing from the tree. */
static void
only_what_was_found_is_seen(void **state)
{
    (void)state;
    struct manifest_fact fact;
    CHECK(add("a", 1, 1, true));
    CHECK(add("b", 1, 1, true));
    CHECK(!manifest_set_was_seen(set, "a", 1));
    CHECK(manifest_set_find(set, "a", 1, &fact));
    CHECK(manifest_set_find(set, "a", 1, &fact));
    CHECK(!manifest_set_find(set, "c", 1, &fact));
    CHECK(manifest_set_was_seen(set, "a", 1));
    CHECK(!manifest_set_was_seen(set, "b", 1));
    CHECK(!manifest_set_was_seen(set, "c", 1));
    CHECK_U64(manifest_set_seen_count(set), 1);
    /* Marks outlast growth. */
    for (unsigned i = 0; i < MANY; i++) {
        (void)add(number(i), i, i, true);
    }
    CHECK(manifest_set_was_seen(set, "a", 1));
    CHECK(!manifest_set_was_seen(set, "b", 1));
}

static void *
find_all(void *unused)
{
    struct manifest_fact fact;
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(manifest_set_find(set, number(i), strlen(number(i)), &fact));
    }
    return unused;
}

/* Lanes look up at the same time; each path is counted once. */
static void
threads_mark_without_losing_count(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < MANY; i++) {
        (void)add(number(i), i, i, true);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_I64(pthread_create(&threads[i], NULL, find_all, NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_I64(pthread_join(threads[i], NULL), 0);
    }
    CHECK_U64(manifest_set_seen_count(set), MANY);
}

/* Nothing is left behind, whatever ends the program. */
static void
the_table_has_no_name(void **state)
{
    (void)state;
    (void)add("a", 1, 1, true);
    CHECK_I64(rmdir(folder.path), 0);
    CHECK_I64(mkdir(folder.path, 0700), 0);
}

/* A full disk is an error of ours before it is a signal from the kernel. */
static void
no_room_is_an_error(void **state)
{
    (void)state;
    struct rlimit old;
    struct rlimit small = {.rlim_cur = (rlim_t)256 * 1024};
    bool is_new = false;
    enum err_code code = ERR_OK;
    CHECK_I64(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_I64(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned i = 0; i < MANY && code == ERR_OK; i++) {
        const struct manifest_entry entry = {.path = number(i), .path_len = strlen(number(i))};
        code = manifest_set_add(set, &entry, &is_new, &err);
    }
    CHECK_I64(setrlimit(RLIMIT_FSIZE, &old), 0);
    CHECK_ERR(code, &err, ERR_STATE_FULL);
    struct manifest_fact fact;
    CHECK(manifest_set_find(set, number(0), strlen(number(0)), &fact));
    struct manifest_set *other = NULL;
    CHECK_ERR(manifest_set_new("/nonexistent", &other, &err), &err, ERR_CONFIG);
    CHECK(other == NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(facts_survive_growth),        TEST(the_first_of_two_counts),
        TEST(only_what_was_found_is_seen), TEST(threads_mark_without_losing_count),
        TEST(the_table_has_no_name),       TEST(no_room_is_an_error),
    };
    return cmocka_run_group_tests_name("manifest_set", tests, NULL, NULL);
}
