#include "base/arena.h"
#include "ingest/copy/known.h"
#include "tests/support/folder.h"
#include "tests/support/memory_end.h"

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

/* What an unfinished blob is taken for decides whether the item is stored again. */
static void
the_list_tells_types_and_what_is_unfinished(void **state)
{
    struct memory_store store;
    const struct memory_options options = {.caps = {.keeps_props = true}, .clock = &clock_system};
    const struct blob_props partial = {.type = BLOB_TYPE_PAGE, .is_partial = true};
    const struct blob_props whole = {.type = BLOB_TYPE_BLOCK};
    struct known known;
    struct blob_props props = {0};
    bool is_found = false;
    (void)state;
    memory_store_init(&store, 1);
    (void)memory_store_set(&store, "half", mem_take(512), 512, &partial);
    (void)memory_store_set(&store, "whole", mem_take(1), 1, &whole);
    struct end *end = memory_end_new(&store, &options);
    CHECK_OK(known_open(&known, folder_join(&folder, "known.db"), end, &err), &err);
    CHECK_OK(known_find(&known, "half", &props, &is_found, &err), &err);
    CHECK(is_found);
    CHECK(props.is_partial);
    CHECK_U64(props.type, BLOB_TYPE_PAGE);
    CHECK_OK(known_find(&known, "whole", &props, &is_found, &err), &err);
    CHECK(!props.is_partial);
    CHECK_U64(props.type, BLOB_TYPE_BLOCK);
    known_close(&known);
    end_close(end);
    memory_store_done(&store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_listed_item_is_found_by_its_name),
        TEST(the_list_of_a_dead_run_is_not_believed),
        TEST(the_list_tells_types_and_what_is_unfinished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
