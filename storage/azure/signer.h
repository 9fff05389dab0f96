/*
 * storage/azure/signer.h - proves on every request who we are.
 *
 *   shape    one per thread; allocation free once warm
 *   owner    the credential is borrowed; texts it returns live until the next call
 *   errors   ERR_CONFIG when the changed secret cannot be used
 *   source   "Authorize with Shared Key", version 2021-12-02
 */
#ifndef STORAGE_AZURE_SIGNER_H
#define STORAGE_AZURE_SIGNER_H

#include "base/clock.h"
#include "base/text.h"
#include "storage/azure/credential.h"
#include "storage/http/transport.h"

#define SIGNER_HEADERS_MAX 32U

struct signer;

MUST_USE enum err_code signer_new(struct credential *credential, const struct clock *clock,
                                  struct signer **ret_signer, struct err *err);
struct signer *signer_free(struct signer *signer);

/* What is signed, before it is sent. headers are all that will go out but Authorization. */
struct signer_input {
    enum http_method method;
    const char *account;
    const char *encoded_path; /* as in the request line: "/acct/cont/a%20b" where the account is
                                 part of the path, "/cont/a" elsewhere */
    const char *query;        /* "comp=block&blockid=..." percent-encoded, or "" */
    const struct http_header *headers;
    unsigned header_count; /* at most SIGNER_HEADERS_MAX */
    size_t body_len;
};
/* The value for Authorization into out ("" if none is needed). */
MUST_USE enum err_code signer_authorize(struct signer *signer, const struct signer_input *input,
                                        struct text *out, struct err *err);
/* What to append to the query ("sv=..&sig=.."), "" if none. */
const char *signer_query(struct signer *signer);
/* The credential has a newer secret than the one signed with last. */
bool signer_is_old(const struct signer *signer);
/* The time now, for x-ms-date. */
const char *signer_date(struct signer *signer);

#endif
