/*
 * Whatever the disk refuses and whenever: nothing crashes, the error says that it was the state,
 * and what was committed before is there afterwards. That is all that resuming stands on.
 */
#include "ingest/copy/plan.h"
#include "storage/local/index.h"
#include "tests/support/failing_vfs.h"
#include "tests/support/folder.h"

enum { COMMITS = 6, ITEMS_EACH = 40 };

static const struct {
    int code;
    bool stays;
} ways[] = {{SQLITE_FULL, true}, {SQLITE_FULL, false}, {SQLITE_IOERR, false}, {SQLITE_IOERR, true}};

static struct folder folder;

static void
name_of(unsigned commit, unsigned number, char out[static 64])
{
    (void)snprintf(out, 64, "folder-%u/an item with a name of some length-%u", commit, number);
}

/* Commits that succeeded, until the first error. */
static unsigned
write_plan(const char *path, struct err *err)
{
    struct plan plan;
    unsigned done = 0;
    if (plan_open(path, false, &plan, err) != ERR_OK) {
        return 0;
    }
    enum err_code code = ERR_OK;
    while (done < COMMITS && code == ERR_OK) {
        for (unsigned i = 0; i < ITEMS_EACH && code == ERR_OK; i++) {
            char name[64];
            name_of(done, i, name);
            const struct item item = {
                .name = name, .size_bytes = i, .mtime_ns = done, .state = ITEM_COPIED};
            code = plan_add_item(&plan, &item, err);
        }
        code = code == ERR_OK ? plan_commit(&plan, err) : code;
        done += code == ERR_OK;
    }
    plan_close(&plan);
    return done;
}

/* On a disk that works again. */
static void
check_plan(const char *path, unsigned commits)
{
    struct plan plan;
    struct plan_reader reader;
    struct arena arena;
    struct err err = ERR_NONE;
    arena_init(&arena, 4096);
    CHECK_OK(plan_open(path, false, &plan, &err), &err);
    CHECK(commits == 0 || plan.is_resumed);
    CHECK_OK(plan_reader_open(path, &reader, &err), &err);
    for (unsigned c = 0; c < commits; c++) {
        for (unsigned i = 0; i < ITEMS_EACH; i++) {
            char name[64];
            bool is_found = false;
            name_of(c, i, name);
            struct item item = {.name = name, .size_bytes = i, .mtime_ns = c};
            CHECK_OK(plan_find_done(&reader, &arena, &item, &is_found, &err), &err);
            CHECK(is_found);
        }
    }
    plan_reader_close(&reader);
    plan_close(&plan);
    arena_done(&arena);
}

static bool
is_of_the_state(enum err_code code)
{
    return code == ERR_STATE_FULL || code == ERR_SYSTEM || code == ERR_STATE_INVALID;
}

static void
a_plan_keeps_what_it_promised_on_a_failing_disk(void **state)
{
    struct err err = ERR_NONE;
    unsigned tried = 0;
    (void)state;
    failing_vfs_arm(0, SQLITE_OK, false);
    folder_init(&folder);
    CHECK_U64(write_plan(folder_join(&folder, "plan.db"), &err), COMMITS);
    folder_done(&folder);
    unsigned total = failing_vfs_count();
    CHECK(total > 50);
    for (unsigned way = 0; way < COUNT_OF(ways); way++) {
        for (unsigned n = 1; n <= total; n++, tried++) {
            char path[128];
            folder_init(&folder);
            (void)snprintf(path, sizeof path, "%s", folder_join(&folder, "plan.db"));
            err = ERR_NONE;
            failing_vfs_arm(n, ways[way].code, ways[way].stays);
            unsigned commits = write_plan(path, &err);
            CHECK(commits == COMMITS || is_of_the_state(err.code));
            failing_vfs_arm(0, SQLITE_OK, false);
            check_plan(path, commits);
            folder_done(&folder);
        }
    }
    print_message("%u failures\n", tried);
}

static unsigned
write_index(const char *path, struct err *err)
{
    const struct blob_props props = {.crc64 = 7, .has_crc64 = true, .content_type = "text/plain"};
    const struct stat st = {.st_ino = 1, .st_size = 5};
    struct index index;
    unsigned done = 0;
    if (index_open(&index, path, err) != ERR_OK) {
        return 0;
    }
    enum err_code code = ERR_OK;
    while (done < COMMITS && code == ERR_OK) {
        code = index_begin(&index, err);
        for (unsigned i = 0; i < ITEMS_EACH && code == ERR_OK; i++) {
            char name[64];
            name_of(done, i, name);
            code = index_put(&index, name, "", &props, &st, err);
        }
        code = code == ERR_OK ? index_commit(&index, err) : code;
        done += code == ERR_OK;
    }
    index_close(&index);
    return done;
}

static unsigned
count_group(struct index *index, unsigned commit)
{
    unsigned found = 0;
    for (unsigned i = 0; i < ITEMS_EACH; i++) {
        struct index_row row = {0};
        struct err err = ERR_NONE;
        char name[64];
        bool is_found = false;
        name_of(commit, i, name);
        CHECK_OK(index_find(index, name, NULL, &row, &is_found, &err), &err);
        found += is_found;
        index_row_done(&row);
    }
    return found;
}

static void
check_index(const char *path, unsigned commits)
{
    struct index index;
    struct err err = ERR_NONE;
    CHECK_OK(index_open(&index, path, &err), &err);
    for (unsigned c = 0; c < COMMITS; c++) {
        unsigned found = count_group(&index, c);
        CHECK(found == ITEMS_EACH || (found == 0 && c >= commits));
    }
    index_close(&index);
}

/* The local store's index: a group that was answered as stored is there, and is there wholly. */
static void
an_index_keeps_what_it_promised_on_a_failing_disk(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    failing_vfs_arm(0, SQLITE_OK, false);
    folder_init(&folder);
    CHECK_U64(write_index(folder_join(&folder, "blobs.db"), &err), COMMITS);
    folder_done(&folder);
    unsigned total = failing_vfs_count();
    for (unsigned way = 0; way < COUNT_OF(ways); way++) {
        for (unsigned n = 1; n <= total; n++) {
            char path[128];
            folder_init(&folder);
            (void)snprintf(path, sizeof path, "%s", folder_join(&folder, "blobs.db"));
            err = ERR_NONE;
            failing_vfs_arm(n, ways[way].code, ways[way].stays);
            unsigned commits = write_index(path, &err);
            CHECK(commits == COMMITS || is_of_the_state(err.code));
            failing_vfs_arm(0, SQLITE_OK, false);
            check_index(path, commits);
            folder_done(&folder);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_keeps_what_it_promised_on_a_failing_disk),
        cmocka_unit_test(an_index_keeps_what_it_promised_on_a_failing_disk),
    };
    failing_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
