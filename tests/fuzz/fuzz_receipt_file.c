/*
 * A receipt that somebody sends, and a public key, as whole files. Only what was signed by the key
 * is taken, and that is one file of the corpus, to the byte.
 */
#include "ingest/copy/receipt.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEAkbFeesWzF8Coo6/2H+oWDy20G+7MjJOp8/VyfRRZYRY=\n"
                                 "-----END PUBLIC KEY-----\n";

static void
check_item(const struct receipt_item *item)
{
    FUZZ_MUST(item->path != NULL);
    FUZZ_MUST(item->path[0] != '\0');
    FUZZ_MUST(strlen(item->path) <= 8192);
    FUZZ_MUST(item->name == (item->is_of_device ? item->blob : item->path));
    FUZZ_MUST(item->size_bytes <= INT64_MAX);
}

static enum err_code
on_item(void *user, const struct receipt_item *item, struct err *err)
{
    (void)err;
    check_item(item);
    ++*(unsigned *)user;
    return ERR_OK;
}

static struct sign_key *
load_key(void)
{
    static struct sign_key *key;
    struct err err = ERR_NONE;
    if (key == NULL) {
        const char *path = fuzz_file((const uint8_t *)public_key, sizeof public_key - 1);
        FUZZ_MUST(sign_load_public(path, &key, &err) == ERR_OK);
        fuzz_file_done();
    }
    return key;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sign_key *other = NULL;
    struct err err = ERR_NONE;
    unsigned count = 0;
    struct sign_key *key = load_key();
    const char *path = fuzz_file(data, size);
    enum err_code code = receipt_read(path, key, on_item, &count, &err);
    FUZZ_MUST(code == ERR_OK || code == ERR_RECEIPT);
    FUZZ_MUST(code != ERR_OK || count == 2);
    code = sign_load_public(path, &other, &err);
    FUZZ_MUST(code == ERR_OK || code == ERR_CONFIG);
    sign_key_free(other);
    fuzz_file_done();
    return 0;
}
