/* A log has its name when it is whole, and leaves nothing behind when it is given up. */
#include "ingest/device/log_file.h"
#include "tests/support/folder.h"

#include <dirent.h>

static struct folder folder;
static struct log_file file;
static struct err err;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    log_file_init(&file, folder.path);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    log_file_done(&file);
    folder_done(&folder);
    return 0;
}

static unsigned
count_entries(void)
{
    unsigned count = 0;
    DIR *dir = opendir(folder.path);
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count - 2;
}

static void
it_has_no_name_until_it_is_published(void **state)
{
    struct stat st;
    AUTO_TEXT path = TEXT_INIT;
    (void)state;
    CHECK(log_file_is_empty(&file));
    for (unsigned i = 0; i < 3 * LOG_FILE_FLUSH; i++) {
        text_add_char(&file.lines, 'x');
        log_file_flush(&file);
    }
    CHECK(!log_file_is_empty(&file));
    CHECK(file.lines.len < LOG_FILE_FLUSH);
    CHECK_U64(count_entries(), 0);
    text_addf(&path, "%s/a/b/log.xml", folder.path);
    CHECK_OK(log_file_publish(&file, text_str(&path), &err), &err);
    CHECK_I64(stat(text_str(&path), &st), 0);
    CHECK_U64((uint64_t)st.st_size, 3 * LOG_FILE_FLUSH);
}

static void
one_of_that_name_is_replaced(void **state)
{
    struct stat st;
    (void)state;
    const char *path = folder_write(&folder, "log", "older and longer", 16);
    text_add_str(&file.lines, "new");
    CHECK_OK(log_file_publish(&file, path, &err), &err);
    CHECK_I64(stat(path, &st), 0);
    CHECK_U64((uint64_t)st.st_size, 3);
}

static void
one_that_is_given_up_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * LOG_FILE_FLUSH; i++) {
        text_add_char(&file.lines, 'x');
        log_file_flush(&file);
    }
    log_file_done(&file);
    CHECK_U64(count_entries(), 0);
    log_file_init(&file, folder.path);
}

/* Whoever collects lines does not ask each time: the first thing that went wrong is told at the
 * end. */
static void
what_went_wrong_is_told_when_it_is_published(void **state)
{
    AUTO_TEXT inside = TEXT_INIT;
    AUTO_TEXT path = TEXT_INIT;
    (void)state;
    text_addf(&inside, "%s/log", folder_write(&folder, "file", "", 0));
    text_addf(&path, "%s/log", folder.path);
    log_file_init(&file, text_str(&inside));
    for (unsigned i = 0; i < 2 * LOG_FILE_FLUSH; i++) {
        text_add_char(&file.lines, 'x');
        log_file_flush(&file);
    }
    CHECK_ERR(log_file_publish(&file, text_str(&path), &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "could not begin a log in");
    CHECK_I64(access(text_str(&path), F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_has_no_name_until_it_is_published),
        TEST(one_of_that_name_is_replaced),
        TEST(one_that_is_given_up_leaves_nothing),
        TEST(what_went_wrong_is_told_when_it_is_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
