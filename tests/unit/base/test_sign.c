/* Keys in files and what is signed with them. */
#include "base/sign.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char keys[96];

static int
make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/sallyport-sign.XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(keys, sizeof keys, "%s/keys", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/site.key", keys);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/site.pub", keys);
    (void)unlink(path);
    (void)rmdir(keys);
    return rmdir(folder);
}

/* What one run signs, a later one and whoever has the public file can check. */
static void
a_signature_outlives_the_process(void **state)
{
    struct sign_key *first = NULL;
    struct sign_key *again = NULL;
    struct sign_key *public = NULL;
    struct err err = ERR_NONE;
    uint8_t signature[SIGN_BYTES];
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/site.pub", keys);
    CHECK_OK(sign_open_site(keys, &first, &err), &err);
    CHECK_OK(sign_bytes(first, "words", 5, signature, &err), &err);
    CHECK_OK(sign_open_site(keys, &again, &err), &err);
    CHECK_OK(sign_load_public(path, &public, &err), &err);
    CHECK(sign_is_valid(again, "words", 5, signature));
    CHECK(sign_is_valid(public, "words", 5, signature));
    CHECK(!sign_is_valid(public, "wordz", 5, signature));
    signature[7] ^= 1;
    CHECK(!sign_is_valid(public, "words", 5, signature));
    sign_key_free(first);
    sign_key_free(again);
    sign_key_free(public);
}

/* The private key is nobody else's to read, and one that others can read is not used. */
static void
the_private_key_is_private(void **state)
{
    struct sign_key *key = NULL;
    struct err err = ERR_NONE;
    struct stat st;
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/site.key", keys);
    CHECK_OK(sign_open_site(keys, &key, &err), &err);
    key = sign_key_free(key);
    CHECK(stat(path, &st) == 0);
    CHECK_U64(st.st_mode & 07777U, 0600);
    CHECK(chmod(path, 0644) == 0);
    CHECK_ERR(sign_open_site(keys, &key, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "chmod 0600");
}

/* A public file that was lost comes back; a key of another kind or none is refused by name. */
static void
files_are_repaired_or_refused(void **state)
{
    struct sign_key *key = NULL;
    struct err err = ERR_NONE;
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/site.pub", keys);
    CHECK_OK(sign_open_site(keys, &key, &err), &err);
    key = sign_key_free(key);
    CHECK(unlink(path) == 0);
    CHECK_OK(sign_open_site(keys, &key, &err), &err);
    key = sign_key_free(key);
    CHECK(access(path, R_OK) == 0);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("nothing\n", file) >= 0 && fclose(file) == 0);
    CHECK_ERR(sign_load_public(path, &key, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "holds no Ed25519 key");
    CHECK_ERR(sign_load_public("/nonexistent/x.pub", &key, &err), &err, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signature_outlives_the_process, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_private_key_is_private, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_are_repaired_or_refused, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
