#include "storage/azure/credential.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_BYTES_MAX 256

const char *const credential_kind_names[CREDENTIAL_KIND_COUNT] = {"anonymous", "shared key", "sas",
                                                                  "bearer token"};

struct credential {
    enum credential_kind kind;
    char *path;        /* of the file it came from; NULL: does not change */
    const char *named; /* the setting, for messages */
    pthread_mutex_t mutex;
    struct secret secret;
    struct stat seen; /* of the file, when it was read */
    atomic_uint_least64_t version;
};

static bool
is_printable(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)bytes[i] <= ' ' || (unsigned char)bytes[i] >= 0x7f) {
            return false;
        }
    }
    return len > 0;
}

static enum err_code
set_key(struct credential *c, const char *text, struct err *err)
{
    uint8_t key[KEY_BYTES_MAX];
    long len = base64_decode(text, key, sizeof key);
    if (len <= 0) {
        secret_wipe(key, sizeof key);
        return err_set(err, ERR_CONFIG, "%s is not an account key: it must be Base64", c->named);
    }
    enum err_code code = secret_set(&c->secret, key, (size_t)len, err);
    secret_wipe(key, sizeof key);
    return code;
}

/* A SAS goes into the address, a token into a header: nothing in them may break out of there. */
static enum err_code
set_words(struct credential *c, const char *bytes, size_t len, struct err *err)
{
    if (c->kind == CREDENTIAL_SAS && len > 0 && bytes[0] == '?') {
        bytes++;
        len--;
    }
    bool is_fine = is_printable(bytes, len) &&
                   (c->kind != CREDENTIAL_SAS ||
                    (memchr(bytes, '#', len) == NULL && memmem(bytes, len, "sig=", 4) != NULL));
    if (!is_fine) {
        return err_set(err, ERR_CONFIG, "%s is not %s", c->named,
                       c->kind == CREDENTIAL_SAS
                           ? "a shared access signature: it must have a 'sig=' and no spaces"
                           : "a bearer token: it must be one line without spaces");
    }
    return secret_set(&c->secret, bytes, len, err);
}

static enum err_code
set_value(struct credential *c, const char *bytes, size_t len, struct err *err)
{
    return c->kind == CREDENTIAL_SHARED_KEY ? set_key(c, bytes, err)
                                            : set_words(c, bytes, len, err);
}

static enum err_code
read_file(struct credential *c, struct err *err)
{
    struct secret raw = {0};
    struct stat st = {0};
    (void)stat(c->path, &st);
    enum err_code code = secret_read_file(&raw, c->path, err);
    if (code == ERR_OK) {
        struct secret old = c->secret;
        c->secret = (struct secret){0};
        code = set_value(c, raw.bytes, raw.len, err);
        if (code == ERR_OK) {
            secret_done(&old);
            c->seen = st;
        } else {
            c->secret = old;
        }
    }
    secret_done(&raw);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "%s", c->named);
}

static struct credential *
make(enum credential_kind kind, const char *named)
{
    struct credential *c = mem_take(sizeof *c);
    c->kind = kind;
    c->named = named;
    (void)pthread_mutex_init(&c->mutex, NULL);
    atomic_init(&c->version, 1);
    return c;
}

static enum err_code
from_value(enum credential_kind kind, const char *named, const char *value,
           struct credential **ret_credential, struct err *err)
{
    struct credential *c = make(kind, named);
    enum err_code code = set_value(c, value, strlen(value), err);
    if (code != ERR_OK) {
        credential_free(c);
        return code;
    }
    *ret_credential = c;
    return ERR_OK;
}

static enum err_code
from_file(enum credential_kind kind, const char *named, const char *path,
          struct credential **ret_credential, struct err *err)
{
    struct credential *c = make(kind, named);
    c->path = mem_text(path);
    enum err_code code = read_file(c, err);
    if (code != ERR_OK) {
        credential_free(c);
        return code;
    }
    *ret_credential = c;
    return ERR_OK;
}

/* The value of one "Key=value" of a connection string; NULL if it is not there. mem_give() it. */
static char *
connection_part(const char *string, const char *key)
{
    size_t key_len = strlen(key);
    while (*string != '\0') {
        size_t len = strcspn(string, ";");
        if (len > key_len && string[key_len] == '=' && strncmp(string, key, key_len) == 0) {
            AUTO_TEXT value = TEXT_INIT;
            text_add(&value, string + key_len + 1, len - key_len - 1);
            char *copy = mem_text(text_str(&value));
            secret_wipe(value.bytes, value.len);
            return copy;
        }
        string += len;
        string += *string == ';';
    }
    return NULL;
}

static void
give_secret(char *value)
{
    if (value != NULL) {
        secret_wipe(value, strlen(value));
        mem_give(value);
    }
}

/* Another account's connection string is not ours: the next way is tried. */
static enum err_code
from_connection(const char *account, const char *string, struct credential **ret_credential,
                struct err *err)
{
    static const char named[] = "AZURE_STORAGE_CONNECTION_STRING";
    char *name = connection_part(string, "AccountName");
    char *key = connection_part(string, "AccountKey");
    char *sas = connection_part(string, "SharedAccessSignature");
    enum err_code code = ERR_OK;
    if (key == NULL && sas == NULL) {
        code =
            err_set(err, ERR_CONFIG, "%s has neither AccountKey nor SharedAccessSignature", named);
    } else if (name != NULL && strcmp(name, account) != 0) {
        code = ERR_OK;
    } else {
        code = key != NULL ? from_value(CREDENTIAL_SHARED_KEY, named, key, ret_credential, err)
                           : from_value(CREDENTIAL_SAS, named, sas, ret_credential, err);
    }
    mem_give(name);
    give_secret(key);
    give_secret(sas);
    return code;
}

static const char *
setting(const char *name)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static enum err_code
from_environment(const char *account, struct credential **ret_credential, struct err *err)
{
    const char *value = setting("AZURE_STORAGE_CONNECTION_STRING");
    if (value != NULL) {
        enum err_code code = from_connection(account, value, ret_credential, err);
        if (code != ERR_OK || *ret_credential != NULL) {
            return code;
        }
    }
    if ((value = setting("AZURE_STORAGE_KEY")) != NULL) {
        return from_value(CREDENTIAL_SHARED_KEY, "AZURE_STORAGE_KEY", value, ret_credential, err);
    }
    if ((value = setting("AZURE_STORAGE_SAS_TOKEN")) != NULL) {
        return from_value(CREDENTIAL_SAS, "AZURE_STORAGE_SAS_TOKEN", value, ret_credential, err);
    }
    if ((value = setting("AZURE_STORAGE_TOKEN_FILE")) != NULL) {
        return from_file(CREDENTIAL_TOKEN, "AZURE_STORAGE_TOKEN_FILE", value, ret_credential, err);
    }
    return ERR_OK;
}

static enum err_code
from_config(const struct config *config, struct credential **ret_credential, struct err *err)
{
    if (config->azure_key_file != NULL) {
        return from_file(CREDENTIAL_SHARED_KEY, "azure.key-file", config->azure_key_file,
                         ret_credential, err);
    }
    if (config->azure_sas_file != NULL) {
        return from_file(CREDENTIAL_SAS, "azure.sas-file", config->azure_sas_file, ret_credential,
                         err);
    }
    if (config->azure_token_file != NULL) {
        return from_file(CREDENTIAL_TOKEN, "azure.token-file", config->azure_token_file,
                         ret_credential, err);
    }
    return ERR_OK;
}

enum err_code
credential_find(const char *account, const char *url_query, const struct config *config,
                struct credential **ret_credential, struct err *err)
{
    struct credential *found = NULL;
    enum err_code code = ERR_OK;
    if (url_query != NULL) {
        code = from_value(CREDENTIAL_SAS, "the query of the address", url_query, &found, err);
    } else {
        code = from_environment(account, &found, err);
        code = code == ERR_OK && found == NULL ? from_config(config, &found, err) : code;
    }
    if (code == ERR_OK) {
        *ret_credential = found != NULL ? found : make(CREDENTIAL_ANONYMOUS, "anonymous");
    }
    return code;
}

struct credential *
credential_free(struct credential *c)
{
    if (c == NULL) {
        return NULL;
    }
    secret_done(&c->secret);
    (void)pthread_mutex_destroy(&c->mutex);
    mem_give(c->path);
    return mem_give(c);
}

enum credential_kind
credential_kind(const struct credential *c)
{
    return c->kind;
}

uint64_t
credential_version(const struct credential *c)
{
    return atomic_load(&c->version);
}

static bool
has_changed(const struct credential *c)
{
    struct stat st;
    return stat(c->path, &st) == 0 &&
           (st.st_ino != c->seen.st_ino || st.st_size != c->seen.st_size ||
            st.st_mtim.tv_sec != c->seen.st_mtim.tv_sec ||
            st.st_mtim.tv_nsec != c->seen.st_mtim.tv_nsec);
}

/* A file that cannot be used now keeps the secret we have: the store has the last word. */
bool
credential_refresh(struct credential *c)
{
    struct err err = ERR_NONE;
    bool is_new = false;
    if (c->path == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&c->mutex);
    if (has_changed(c) && read_file(c, &err) == ERR_OK) {
        atomic_fetch_add(&c->version, 1);
        is_new = true;
    }
    (void)pthread_mutex_unlock(&c->mutex);
    return is_new;
}

enum err_code
credential_secret(struct credential *c, struct secret *ret_secret, struct err *err)
{
    (void)pthread_mutex_lock(&c->mutex);
    enum err_code code =
        secret_set(ret_secret, c->secret.bytes == NULL ? "" : c->secret.bytes, c->secret.len, err);
    (void)pthread_mutex_unlock(&c->mutex);
    return code;
}
