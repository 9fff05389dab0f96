/*
 * storage/azure/azure.h - Azure Blob, and what speaks it, as an end.
 *
 * Addresses: https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX] where the host's second label
 * is "blob"; http(s)://HOST[:PORT]/ACCOUNT/CONTAINER[/PREFIX] elsewhere; either may end with a SAS
 * as its query. PREFIX is a folder; for a source it may also be the exact name of one blob.
 *
 * Integrity: every body goes out with x-ms-content-crc64, and counts as checked in transit when the
 * answer carries the same value. A store that refuses the header gets Content-MD5 from then on, and
 * so does every store if MD5 was asked for, because both together are not allowed.
 *
 *   shape    block blobs: up to 50,000 blocks of up to 4,000 MiB; page blobs: up to 8 TiB, see
 *            azure_lane.h; names as azure_check_name() says
 *   owner    the end owns the credential; backends and listers own a signer each
 *   thread   struct azure_end is constant after prepare but for its atomic
 *   errors   by azure_classify(): status and x-ms-error-code decide, in one table
 *   source   Blob service REST, version 2021-12-02
 */
#ifndef STORAGE_AZURE_AZURE_H
#define STORAGE_AZURE_AZURE_H

#include "storage/azure/azure_text.h"
#include "storage/azure/credential.h"
#include "storage/azure/signer.h"
#include "storage/backend.h"
#include "storage/http/transport.h"

#include <stdatomic.h>

#define AZURE_HEADERS_MAX SIGNER_HEADERS_MAX
#define AZURE_BODY_MAX    ((size_t)16 << 20) /* of an answer that is kept whole: 50,000 blocks */

struct azure_end {
    struct end end;
    struct end_options options;
    char *account;
    char *container;
    char *prefix;    /* "a/b"; "": none */
    char *single;    /* the end is this one blob below prefix; NULL: a folder */
    char *origin;    /* "https://host:port" */
    char *base_path; /* encoded, of the container: "/account/container" or "/container" */
    struct credential *credential;
    atomic_bool has_answered;  /* a request of a link had an answer, whatever it said */
    uint64_t session;          /* random; in the metadata of unfinished page blobs */
    atomic_bool refuses_crc64; /* this store does not take x-ms-content-crc64 */
};

MUST_USE enum err_code azure_end_open(const char *address, const struct end_options *options,
                                      struct end **ret_end, struct err *err);
MUST_USE enum err_code azure_check_name(const struct azure_end *end, const char *name,
                                        struct err *err);
MUST_USE enum err_code azure_backend_new(struct azure_end *end, const struct lane_io *io,
                                         struct backend **ret_backend, struct err *err);
MUST_USE enum err_code azure_lister_new(struct azure_end *end, struct lister **ret_lister,
                                        struct err *err);

/* ---- azure_request.c: one request, from its parts to what the answer said ---- */

struct azure_request {
    struct http_request http;
    const struct azure_end *end;
    struct arena arena; /* values of headers, until the next begin */
    struct http_header headers[AZURE_HEADERS_MAX];
    unsigned header_count;
    struct text path; /* encoded */
    struct text query;
    struct text url;
    struct text authorization;
    /* the answer */
    char code[AZURE_CODE_BYTES];
    char etag[BLOB_ETAG_BYTES];
    uint64_t crc64;
    bool has_crc64;
    bool has_md5;
    uint64_t sequence; /* of a page blob */
    int64_t retry_after_ns;
    uint64_t range_begin;     /* of Content-Range; UINT64_MAX: none */
    struct blob_props *props; /* filled from headers if not NULL */
    struct text body;         /* of errors, and of answers without an on_body of their own */
};

/* name NULL: the container itself. */
void azure_request_begin(struct azure_request *request, const struct azure_end *end,
                         enum http_method method, const char *name);
/* key=value is added to the query as it is: encoded by the caller. */
void azure_request_query(struct azure_request *request, const char *key, const char *value);
void azure_request_query_encoded(struct azure_request *request, const char *key, const char *value);
/* value is copied. */
void azure_request_header(struct azure_request *request, const char *name, const char *value);
void azure_request_headerf(struct azure_request *request, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void azure_request_body(struct azure_request *request, const void *bytes, size_t len);
/* x-ms-content-crc64, or Content-MD5 where that is wanted. md5 may be NULL. */
MUST_USE enum err_code azure_request_checksum(struct azure_request *request, uint64_t crc64,
                                              const uint8_t *md5, struct err *err);
/* Properties, tier and metadata of what is stored: all that a block blob has. */
MUST_USE enum err_code azure_request_props(struct azure_request *request,
                                           const struct blob_props *props, struct err *err);
void azure_request_properties(struct azure_request *request, const struct blob_props *props);
MUST_USE enum err_code azure_request_metadata(struct azure_request *request,
                                              const struct blob_props *props, struct err *err);
/* Version, date, signature, address: ready to be submitted. */
MUST_USE enum err_code azure_request_seal(struct azure_request *request, struct signer *signer,
                                          struct err *err);
void azure_request_done(struct azure_request *request);
/* What the answer means for verb; *err says it of `what` ("could not store 'a'"). */
enum err_code azure_request_judge(struct azure_request *request, enum blob_verb verb,
                                  const char *what, const char *name, struct err *err);

/* ---- azure_link.c: requests of threads that may block, with their own retries ---- */

struct azure_link {
    struct azure_end *end;
    struct transport *transport;
    struct signer *signer;
    struct azure_request request;
    int64_t good_ns; /* when it last had an answer that was no trouble of the moment */
};
typedef enum err_code(azure_ask_fn)(struct azure_request *request, void *user, struct err *err);

MUST_USE enum err_code azure_link_open(struct azure_end *end, struct azure_link *link,
                                       struct err *err);
void azure_link_close(struct azure_link *link);
/* Build with ask, perform, and try again on errors of class RETRY, with the patience that is
 * configured; with a store that has never answered for UNREACHED_NS at most. A status that is not
 * 2xx is an error by azure_classify(); link->request has the answer either way. */
MUST_USE enum err_code azure_link_ask(struct azure_link *link, azure_ask_fn *ask, void *user,
                                      const char *what, struct err *err);

#endif
