/*
 * A connection string or a SAS from the environment: used or refused, and never shown. The first
 * byte says which of them the rest is.
 */
#include "base/arena.h"
#include "storage/azure/credential.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING_BYTES_MAX 32768

static const char *const settings[] = {"AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_KEY",
                                       "AZURE_STORAGE_SAS_TOKEN"};

static void
find(const char *value, const char *query)
{
    struct config config;
    struct credential *credential = NULL;
    struct secret secret = {0};
    struct err err = ERR_NONE;
    config_init(&config);
    enum err_code code = credential_find("account", query, &config, &credential, &err);
    if (code == ERR_OK) {
        FUZZ_MUST((unsigned)credential_kind(credential) < CREDENTIAL_KIND_COUNT);
        FUZZ_MUST(!credential_refresh(credential));
        FUZZ_MUST(credential_secret(credential, &secret, &err) == ERR_OK);
        secret_done(&secret);
        credential_free(credential);
    } else {
        FUZZ_MUST(code == ERR_CONFIG);
        /* A value that is not one of our own words does not stand in the message. */
        FUZZ_MUST(strlen(value) < 12 || strstr(err.text, value) == NULL ||
                  strstr("AZURE_STORAGE_CONNECTION_STRING has neither AccountKey nor "
                         "SharedAccessSignature",
                         value) != NULL);
    }
    config_done(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *value = fuzz_text(data + 1, size - 1);
    unsigned which = data[0] % (COUNT_OF(settings) + 1);
    for (unsigned i = 0; i < COUNT_OF(settings); i++) {
        (void)unsetenv(settings[i]);
    }
    if (which < COUNT_OF(settings)) {
        /* setenv() keeps every value it was ever given: millions of runs would fill the memory. */
        static char line[SETTING_BYTES_MAX];
        (void)snprintf(line, sizeof line, "%s=%s", settings[which], value);
        (void)putenv(line);
        find(value, NULL);
        (void)unsetenv(settings[which]);
    } else {
        find(value, value);
    }
    mem_give(value);
    return 0;
}
