#include "ingest/copy/known.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct err err;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    (void)folder_make(&folder, "target");
    (void)folder_make(&folder, "target/a");
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    folder_done(&folder);
    return 0;
}

static struct end *
open_target(void)
{
    const struct end_options options = {.role = END_SOURCE, .clock = &clock_system};
    struct end *end = NULL;
    CHECK_OK(end_open(folder_join(&folder, "target"), &options, &end, &err), &err);
    return end;
}

/* One listing answers for every name; what is no item is not in it. */
static void
every_listed_item_is_found_by_its_name(void **state)
{
    struct known known;
    struct blob_props props = {0};
    bool is_found = false;
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "target/a/file-\xff-%u", i);
        (void)folder_write(&folder, name, "0123456789", i % 10);
    }
    CHECK_I64(mkfifo(folder_join(&folder, "target/pipe"), 0600), 0);
    struct end *end = open_target();
    CHECK_OK(known_open(&known, folder_join(&folder, "known.db"), end, &err), &err);
    for (unsigned i = 0; i < 500; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "a/file-\xff-%u", i);
        CHECK_OK(known_find(&known, name, &props, &is_found, &err), &err);
        CHECK(is_found);
        CHECK_U64(props.size_bytes, i % 10);
        CHECK(!props.has_crc64);
        CHECK_TEXT(props.job, "");
        CHECK(props.mtime_ns > 0);
    }
    static const char *const absent[] = {"a/file-\xff-500", "pipe", "a", "", "A/file-\xff-1"};
    for (unsigned i = 0; i < COUNT_OF(absent); i++) {
        CHECK_OK(known_find(&known, absent[i], &props, &is_found, &err), &err);
        CHECK(!is_found);
    }
    known_close(&known);
    /* It is scratch: nothing of it outlives the run. */
    CHECK(!folder_has(&folder, "known.db"));
    CHECK(!folder_has(&folder, "known.db-wal"));
    end_close(end);
}

/* A run that was killed has left its list behind; it tells nothing about today. */
static void
the_list_of_a_dead_run_is_not_believed(void **state)
{
    struct known known;
    struct blob_props props = {0};
    bool is_found = true;
    (void)state;
    (void)folder_write(&folder, "known.db", "left over, and no database either", 33);
    struct end *end = open_target();
    CHECK_OK(known_open(&known, folder_join(&folder, "known.db"), end, &err), &err);
    CHECK_OK(known_find(&known, "a/x", &props, &is_found, &err), &err);
    CHECK(!is_found);
    known_close(&known);
    end_close(end);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_listed_item_is_found_by_its_name),
        TEST(the_list_of_a_dead_run_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
