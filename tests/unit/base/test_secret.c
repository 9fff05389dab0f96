#include "base/secret.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct secret secret;
static struct err err;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    secret = (struct secret){0};
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    secret_done(&secret);
    folder_done(&folder);
    return 0;
}

static const char *
write_file(const char *bytes, size_t len, mode_t mode)
{
    const char *path = folder_write(&folder, "secret", bytes, len);
    CHECK_I64(chmod(path, mode), 0);
    return path;
}

/* Editors end a file with a line end; no key has one. */
static void
line_ends_at_the_end_do_not_belong_to_it(void **state)
{
    (void)state;
    const char *path = write_file("key\r\n\n", 6, 0600);
    CHECK_OK(secret_read_file(&secret, path, &err), &err);
    CHECK_U64(secret.len, 3);
    CHECK_TEXT(secret.bytes, "key");
    path = write_file("\n\n", 2, 0400);
    CHECK_OK(secret_read_file(&secret, path, &err), &err);
    CHECK_U64(secret.len, 0);
    CHECK_TEXT(secret.bytes, "");
}

/* What others can read is no secret; the remedy stands in the message, the secret does not. */
static void
a_file_open_to_others_is_refused(void **state)
{
    static const mode_t modes[] = {0604, 0640, 0644, 0610, 0602};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        const char *path = write_file("hidden", 6, modes[i]);
        CHECK_ERR(secret_read_file(&secret, path, &err), &err, ERR_CONFIG);
        CHECK_HAS(err.text, "chmod 0600");
        CHECK(strstr(err.text, "hidden") == NULL);
        CHECK(secret.bytes == NULL);
    }
}

static void
only_a_regular_file_is_read(void **state)
{
    (void)state;
    CHECK_ERR(secret_read_file(&secret, folder.path, &err), &err, ERR_CONFIG);
    const char *pipe = folder_join(&folder, "pipe");
    CHECK_I64(mkfifo(pipe, 0600), 0);
    CHECK_ERR(secret_read_file(&secret, pipe, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "not a regular file");
    CHECK_ERR(secret_read_file(&secret, folder_join(&folder, "missing"), &err), &err, ERR_CONFIG);
}

static void
a_secret_has_an_end(void **state)
{
    static char bytes[SECRET_BYTES_MAX + 1];
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    CHECK_ERR(secret_set(&secret, bytes, sizeof bytes, &err), &err, ERR_CONFIG);
    CHECK_OK(secret_set(&secret, bytes, SECRET_BYTES_MAX, &err), &err);
    CHECK_U64(secret.bytes[SECRET_BYTES_MAX], 0);
    const char *path = write_file(bytes, sizeof bytes, 0600);
    CHECK_ERR(secret_read_file(&secret, path, &err), &err, ERR_CONFIG);
    /* The one before is still there: a failed read changes nothing. */
    CHECK_U64(secret.len, SECRET_BYTES_MAX);
    path = write_file(bytes, SECRET_BYTES_MAX, 0600);
    CHECK_OK(secret_read_file(&secret, path, &err), &err);
    CHECK_U64(secret.len, SECRET_BYTES_MAX);
}

/* Keys are bytes: one with a NUL inside is kept whole. */
static void
a_new_value_replaces_the_old(void **state)
{
    (void)state;
    CHECK_OK(secret_set(&secret, "first", 5, &err), &err);
    CHECK_OK(secret_set(&secret, "a\0b", 3, &err), &err);
    CHECK_U64(secret.len, 3);
    CHECK_BYTES(secret.bytes, "a\0b", 4);
    secret_done(&secret);
    CHECK(secret.bytes == NULL);
    secret_done(&secret);
    char key[] = "wiped";
    secret_wipe(key, sizeof key);
    CHECK_BYTES(key, "\0\0\0\0\0", sizeof key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_ends_at_the_end_do_not_belong_to_it),
        TEST(a_file_open_to_others_is_refused),
        TEST(only_a_regular_file_is_read),
        TEST(a_secret_has_an_end),
        TEST(a_new_value_replaces_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
