/* bench/dataset.h: what was made is removed, and nothing else. */
#include "base/fd.h"
#include "bench/dataset.h"
#include "tests/support/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[64];
static atomic_int go_on;

static int
set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/sallyport-dataset.XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    bench_folder_remove(folder);
    return 0;
}

static bool
is_there(const char *name)
{
    struct stat info;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return lstat(path, &info) == 0;
}

static void
put(const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
}

static void
make(uint64_t files, uint64_t bytes)
{
    const struct dataset dataset = {.files = files, .file_bytes = bytes};
    struct err err = ERR_NONE;
    AUTO_TEXT name = TEXT_INIT;
    CHECK_OK(dataset_make(folder, &dataset, &go_on, &name, &err), &err);
    CHECK(is_there(text_str(&name)));
}

/* A second benchmark must not wait for the files of the first to be written again. */
static void
a_dataset_is_made_once(void **state)
{
    struct dataset_cleaned cleaned;
    struct err err = ERR_NONE;
    (void)state;
    make(1001, 10);
    CHECK(is_there("set-1001x10/00001/1000"));
    put("set-1001x10/00001/mine");
    make(1001, 10);
    CHECK(is_there("set-1001x10/00001/mine"));
    CHECK_OK(dataset_clean(folder, &go_on, &cleaned, &err), &err);
    CHECK_U64(cleaned.files, 1001);
    CHECK_U64(cleaned.bytes, 10010);
    CHECK_U64(cleaned.kept, 1);
    CHECK(is_there("set-1001x10/00001/mine"));
    CHECK(!is_there("set-1001x10/00000"));
}

/* The clean-up looks at marks; a name that only resembles one has to be left alone. */
static void
what_has_no_mark_of_ours_stays(void **state)
{
    static const char *const strange[] = {"set-.mark",
                                          "set-x.mark",
                                          "set-1.mark",
                                          "set-1x1x1.mark",
                                          "set--1x1.mark",
                                          "my-1x1.mark",
                                          "set-99999999999x1.mark"};
    struct dataset_cleaned cleaned;
    struct err err = ERR_NONE;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        put(strange[i]);
    }
    make(2, 0);
    CHECK_OK(dataset_clean(folder, &go_on, &cleaned, &err), &err);
    CHECK_U64(cleaned.sets, 1);
    CHECK(!is_there("set-2x0") && !is_there("set-2x0.mark"));
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        print_message("%s\n", strange[i]);
        CHECK(is_there(strange[i]));
    }
}

/* A half-made dataset would be a benchmark of something else. */
static void
an_interrupted_dataset_is_not_taken_for_whole(void **state)
{
    const struct dataset dataset = {.files = 3, .file_bytes = 100};
    struct err err = ERR_NONE;
    AUTO_TEXT name = TEXT_INIT;
    (void)state;
    atomic_store(&go_on, 2);
    CHECK_ERR(dataset_make(folder, &dataset, &go_on, &name, &err), &err, ERR_INTERRUPTED);
    atomic_store(&go_on, 0);
    CHECK(!is_there("set-3x100/00000/2"));
    make(3, 100);
    CHECK(is_there("set-3x100/00000/2"));
}

/* Better said at once than after an hour. */
static void
too_little_space_is_said_before_anything_is_written(void **state)
{
    const struct dataset dataset = {.files = 1000000, .file_bytes = UINT64_C(1) << 40};
    struct err err = ERR_NONE;
    AUTO_TEXT name = TEXT_INIT;
    (void)state;
    CHECK_ERR(dataset_make(folder, &dataset, &go_on, &name, &err), &err, ERR_STATE_FULL);
    CHECK(!is_there(text_str(&name)));
}

/* Two at a time would measure each other. */
static void
the_folder_belongs_to_one_benchmark(void **state)
{
    struct err err = ERR_NONE;
    AUTO_TEXT first = TEXT_INIT;
    AUTO_TEXT second = TEXT_INIT;
    AUTO_FD lock = -1;
    AUTO_FD other = -1;
    (void)state;
    CHECK_OK(bench_folder_open(folder, &first, &lock, &err), &err);
    CHECK_ERR(bench_folder_open(folder, &second, &other, &err), &err, ERR_RUNNING);
    fd_close(&lock);
    text_clear(&second);
    CHECK_OK(bench_folder_open(folder, &second, &other, &err), &err);
    CHECK_TEXT(text_str(&second), text_str(&first));
}

/* What an interrupt left is removed by the next one. */
static void
an_interrupted_cleaning_goes_on_later(void **state)
{
    atomic_int interrupted = 2;
    struct dataset_cleaned cleaned;
    struct err err = ERR_NONE;
    (void)state;
    make(20, 10);
    CHECK_ERR(dataset_clean(folder, &interrupted, &cleaned, &err), &err, ERR_INTERRUPTED);
    CHECK(is_there("set-20x10.mark"));
    CHECK_OK(dataset_clean(folder, &go_on, &cleaned, &err), &err);
    CHECK_U64(cleaned.files, 20);
    CHECK(!is_there("set-20x10"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dataset_is_made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_mark_of_ours_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_dataset_is_not_taken_for_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_little_space_is_said_before_anything_is_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_cleaning_goes_on_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_folder_belongs_to_one_benchmark, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
