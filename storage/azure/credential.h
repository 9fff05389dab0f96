/*
 * storage/azure/credential.h - who we are for an Azure end, and proving it on every request.
 *
 * Found in this order: a SAS in the address; AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY,
 * AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_TOKEN_FILE; the files named in the configuration; else
 * anonymous. A token file is read again when it changed, before its expiry ("exp" of a JWT), and
 * after a 401.
 *
 *   owner    struct credential is the end's; one struct signer per thread
 *   errors   ERR_CONFIG: unusable setting; never shows a value
 *   source   Authorize with Shared Key, version 2021-12-02
 */
#ifndef STORAGE_AZURE_CREDENTIAL_H
#define STORAGE_AZURE_CREDENTIAL_H

#include "base/clock.h"
#include "base/config.h"
#include "base/err.h"
#include "base/text.h"
#include "storage/http/transport.h"

struct credential;
struct signer;

MUST_USE enum err_code credential_find(const char *account, const char *url_query,
                                       const struct config *config,
                                       struct credential **ret_credential, struct err *err);
struct credential *credential_free(struct credential *credential);
const char *credential_kind(
    const struct credential *credential); /* "shared key", "sas", "token", "anonymous" */
/* Read files again (after 401/403). True if something changed. Any thread. */
bool credential_refresh(struct credential *credential);

MUST_USE enum err_code signer_new(struct credential *credential, const struct clock *clock,
                                  struct signer **ret_signer, struct err *err);
struct signer *signer_free(struct signer *signer);

/* What is signed, before it is sent. headers are all request headers that will go out but
 * Authorization. */
struct signer_input {
    enum http_method method;
    const char *account;
    const char *encoded_path; /* as in the request line, e.g. "/acct/cont/a%20b" for path-style,
                                 "/cont/a" else */
    const char *query;        /* "comp=block&blockid=..." percent-encoded, or NULL */
    const struct http_header *headers;
    unsigned header_count;
    size_t body_len;
};
/* The value for Authorization into out ("" if none is needed). */
MUST_USE enum err_code signer_authorize(struct signer *signer, const struct signer_input *input,
                                        struct text *out, struct err *err);
/* What to append to the query ("sv=..&sig=.."), "" if none. */
const char *signer_query(struct signer *signer);

#endif
