/*
 * storage/azure/credential.h - who we are for an Azure end.
 *
 * Found in this order: a SAS in the address; AZURE_STORAGE_CONNECTION_STRING (if it is this
 * account's), AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_TOKEN_FILE; the files named
 * in the configuration; else anonymous. Files are read again when they changed: looked at every few
 * seconds and after the store refused, so that a token or SAS that is renewed in time is never used
 * beyond its end.
 *
 *   shape    a key has up to 256 bytes; SAS and token up to 8 KiB
 *   owner    struct credential is the end's and outlives its signers
 *   thread   any; a mutex inside guards what files bring
 *   errors   ERR_CONFIG: unusable setting; never shows a value
 *   source   "Configure connection strings"; "Create a service SAS"; OAuth bearer tokens
 */
#ifndef STORAGE_AZURE_CREDENTIAL_H
#define STORAGE_AZURE_CREDENTIAL_H

#include "base/config.h"
#include "base/err.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum credential_kind {
    CREDENTIAL_ANONYMOUS,
    CREDENTIAL_SHARED_KEY,
    CREDENTIAL_SAS,
    CREDENTIAL_TOKEN,
    CREDENTIAL_KIND_COUNT
};
extern const char *const credential_kind_names[CREDENTIAL_KIND_COUNT];

struct credential;

MUST_USE enum err_code credential_find(const char *account, const char *url_query,
                                       const struct config *config,
                                       struct credential **ret_credential, struct err *err);
struct credential *credential_free(struct credential *credential);
enum credential_kind credential_kind(const struct credential *credential);
/* Read its file again if that changed. True if the secret is another one now. */
bool credential_refresh(struct credential *credential);
/* Grows with every change of the secret. */
uint64_t credential_version(const struct credential *credential);
/* A copy of the secret as of now: the key's bytes, the SAS without '?', or the token. */
MUST_USE enum err_code credential_secret(struct credential *credential, struct secret *ret_secret,
                                         struct err *err);

#endif
