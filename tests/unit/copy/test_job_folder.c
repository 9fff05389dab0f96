#include "ingest/copy/job_folder.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct err err;
static char source_name[] = "/source";
static char target_name[] = "/target";
static const struct end source = {.display = source_name};
static const struct end target = {.display = target_name};

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
open_path(const struct copy_options *options, const struct end *to, char out[256])
{
    struct job_folder job;
    CHECK_OK(job_folder_open(options, &source, to, &job, &err), &err);
    CHECK(strlen(job.path) < 256);
    (void)snprintf(out, 256, "%s", job.path);
    CHECK_I64(access(job.path, W_OK), 0);
    CHECK(strncmp(job.plan_path, job.path, strlen(job.path)) == 0);
    CHECK(strncmp(job.known_path, job.path, strlen(job.path)) == 0);
    job_folder_close(&job);
}

/* What changes the stored result makes another copy; what only changes the way does not. */
static void
the_same_copy_finds_its_folder_again(void **state)
{
    static const char *const one[] = {"a", "b"};
    static const char *const joined[] = {"a\",\"b"};
    static char other_name[] = "/other";
    const struct end other = {.display = other_name};
    const struct copy_options base = {
        .state = folder_join(&folder, "state/deep"), .block_bytes = 65536, .has_block_bytes = true};
    struct copy_options changed = base;
    char first[256];
    char again[256];
    (void)state;
    open_path(&base, &target, first);
    changed.lanes = 7;
    changed.bandwidth = 5;
    changed.memory_bytes = 9;
    changed.verify = VERIFY_READ_BACK;
    open_path(&changed, &target, again);
    CHECK_TEXT(again, first);
    open_path(&base, &other, again);
    CHECK(strcmp(again, first) != 0);
    changed = base;
    changed.block_bytes++;
    open_path(&changed, &target, again);
    CHECK(strcmp(again, first) != 0);
    changed = base;
    changed.filter = (struct filter){.includes = one, .include_count = 2};
    open_path(&changed, &target, first);
    changed.filter = (struct filter){.excludes = one, .exclude_count = 2};
    open_path(&changed, &target, again);
    CHECK(strcmp(again, first) != 0);
    changed = base;
    changed.compress_level = 3;
    open_path(&changed, &target, first);
    changed.compress_level = 4;
    open_path(&changed, &target, again);
    CHECK(strcmp(again, first) != 0);
    changed = base;
    open_path(&changed, &target, again);
    CHECK(strcmp(again, first) != 0);
    changed.filter = (struct filter){.excludes = one, .exclude_count = 2};
    open_path(&changed, &target, first);
    /* Patterns with quotes in them are not other patterns. */
    changed.filter = (struct filter){.includes = joined, .include_count = 1};
    open_path(&changed, &target, again);
    CHECK(strcmp(again, first) != 0);
}

/* Two processes that write one plan would ruin it. */
static void
a_copy_runs_once_at_a_time(void **state)
{
    const struct copy_options options = {.state = folder_join(&folder, "state")};
    struct job_folder first;
    struct job_folder second;
    (void)state;
    CHECK_OK(job_folder_open(&options, &source, &target, &first, &err), &err);
    CHECK_ERR(job_folder_open(&options, &source, &target, &second, &err), &err, ERR_RUNNING);
    job_folder_close(&first);
    CHECK_OK(job_folder_open(&options, &source, &target, &second, &err), &err);
    job_folder_close(&second);
}

/* State tells what was copied where: it is its owner's alone. */
static void
the_folder_is_closed_to_others(void **state)
{
    const struct copy_options options = {.state = folder_join(&folder, "state")};
    struct job_folder job;
    struct stat st;
    (void)state;
    CHECK_OK(job_folder_open(&options, &source, &target, &job, &err), &err);
    CHECK_I64(stat(job.path, &st), 0);
    CHECK_U64(st.st_mode & 077, 0);
    job_folder_close(&job);
}

static void
a_state_folder_that_cannot_be_is_a_setting_to_correct(void **state)
{
    struct job_folder job;
    (void)state;
    const struct copy_options options = {.state = folder_write(&folder, "file", "x", 1)};
    CHECK_ERR(job_folder_open(&options, &source, &target, &job, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "--state");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_copy_finds_its_folder_again),
        TEST(a_copy_runs_once_at_a_time),
        TEST(the_folder_is_closed_to_others),
        TEST(a_state_folder_that_cannot_be_is_a_setting_to_correct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
