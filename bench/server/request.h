/*
 * bench/server/request.h - one request on its way: from its head, through its body, to its answer.
 *
 * A connection parses the head, calls request_begin(), feeds the body, calls request_end() and
 * sends the answer. Whatever is refused is refused with a whole answer; the body that was announced
 * is read all the same, so that the connection lives on.
 *
 *   owner    a request belongs to its connection and is used again; texts keep their memory
 *   thread   the connection's worker; what several share is in struct site
 */
#ifndef BENCH_SERVER_REQUEST_H
#define BENCH_SERVER_REQUEST_H

#include "base/digest.h"
#include "base/secret.h"
#include "base/text.h"
#include "bench/server/fault.h"
#include "bench/server/head.h"
#include "bench/server/store.h"

#define SERVER_BLOCKS_MAX      50000U
#define SERVER_BODY_BYTES_MAX  (UINT64_C(5000) << 20) /* Put Blob, version 2019-12-12 and later */
#define SERVER_BLOCK_BYTES_MAX (UINT64_C(4000) << 20)
#define SERVER_LIST_BYTES_MAX  (UINT64_C(16) << 20)
#define SERVER_PAGES_MAX       (UINT64_C(4) << 20) /* one Put Page */
#define SERVER_PAGE_BLOB_MAX   (UINT64_C(8) << 40)
#define SERVER_KEPT_MAX        (UINT64_C(4) << 30) /* a page blob of which bytes are kept */
#define SERVER_SUM_BYTES_MAX   (UINT64_C(4) << 20)
#define SERVER_RESULTS_MAX     5000U
#define SERVER_METADATA_MAX    8192U

/* What all workers share. */
struct site {
    struct store store;
    struct faults faults;
    const char *root; /* NULL: what was put is served; otherwise files below it */
    int root_fd;
    struct secret key;   /* decoded account key; empty: nothing is checked */
    struct secret token; /* of "Authorization: Bearer" */
    struct secret sas;   /* the sig of a SAS */
    atomic_uint_least64_t request_id;
};

enum body_kind {
    BODY_DROP, /* only counted and summed */
    BODY_PIECE,
    BODY_TEXT,
};

struct body {
    enum body_kind kind;
    uint64_t left_bytes;
    uint64_t got_bytes;
    uint64_t crc64;
    bool is_summed;
    bool has_md5;
    struct digest md5;
    struct piece *piece;
    struct text text;
};

struct answer {
    unsigned status;
    struct text fields; /* header lines, each with CRLF */
    struct text body;
    struct blob_data *data; /* or a file, or neither: body */
    int fd;
    uint64_t first;
    uint64_t len;         /* Content-Length */
    bool has_length_only; /* HEAD: the length is said, nothing follows */
};

struct request {
    struct site *site;
    struct hmac *hmac; /* keyed with the site's key; NULL: nothing is checked */
    struct head head;
    enum verb verb;
    bool is_refused;
    bool is_head;
    struct text path;
    char *account; /* decoded, in path; "" if the path ends before */
    char *container;
    char *blob;
    struct text comp;
    struct text restype;
    struct text value; /* scratch for one query value or header */
    struct fault_hits faults;
    struct body body;
    struct answer answer;
};

void request_init(struct request *request, struct site *site, struct hmac *hmac);
void request_done(struct request *request);

/* head is filled: find the verb, authorise, prepare for the body. */
void request_begin(struct request *request);
/* Where the next bytes of the body want to be received, or NULL: anywhere. */
char *request_body_room(struct request *request, size_t *ret_len);
/* Bytes of the body arrived; in the room of request_body_room() or anywhere. */
void request_body_add(struct request *request, const char *bytes, size_t len);
/* The body is complete: do the work, fill the answer. */
void request_end(struct request *request);

/* ---- for the verbs --------------------------------------------------------------------------- */

void answer_status(struct request *request, unsigned status);
void answer_field(struct request *request, const char *name, const char *value);
void answer_etag(struct request *request, uint64_t etag, int64_t modified_ns);
void answer_error(struct request *request, unsigned status, const char *code, const char *text);
/* The body is text/xml, already in answer.body. */
void answer_xml(struct request *request);
void etag_format(uint64_t etag, char out[static 32]);

/* auth.c: is the request allowed? Answers if not. */
bool auth_check(struct request *request);
/* Signed bytes of SharedKey for this request. */
void auth_string_to_sign(const struct request *request, struct text *out);

/* cond.c: may the blob (NULL: there is none) be replaced, or read? Answers if not. */
bool cond_allows_write(struct request *request, const struct blob *blob);
bool cond_allows_read(struct request *request, uint64_t etag, int64_t modified_ns);

/* Likewise Put Page, by x-ms-if-sequence-number-eq. */
bool cond_allows_pages(struct request *request, const struct blob *blob);

/* put.c, blocks.c, pages.c, get.c, list.c, container.c */
/* Put Blob, Put Block and Put Page: are the head's fields good? */
bool put_begin(struct request *request);
bool put_is_page_blob(const struct request *request);
void put_blob(struct request *request);
void put_block(struct request *request);
void put_block_list(struct request *request);
void get_block_list(struct request *request);
void put_page(struct request *request);
void get_page_ranges(struct request *request);
/* The number a header says, digits alone; false, and answered, if it is none. */
bool head_number(struct request *request, const char *name, uint64_t *ret_number);
void set_blob(struct request *request);
void delete_blob(struct request *request);
void get_blob(struct request *request);
void list_blobs(struct request *request);
void list_containers(struct request *request);
void put_container(struct request *request);
void head_container(struct request *request);
void delete_container(struct request *request);

/* Properties and metadata of the request's head; false if they are not legal, answered. */
bool props_collect(struct request *request, struct props *ret_props);
bool props_collect_metadata(struct request *request, struct props *ret_props);
/* The header fields of a blob's properties and metadata. */
void props_answer(struct request *request, const struct props *props);
/* Compare what came with what the head says; answers if they differ. Adds what was computed. */
bool body_check(struct request *request);
void body_answer_sums(struct request *request);
/* Another writer comes just before. */
void steal(struct request *request, struct container *container);
struct container *request_container(struct request *request); /* locked, or NULL and answered */

/* root.c: files as blobs */
struct root_file {
    int fd;
    uint64_t size_bytes;
    int64_t modified_ns;
    uint64_t etag;
};
/* The file the request names; answers if there is none. */
bool root_open(struct request *request, struct root_file *ret_file);
bool root_has(struct site *site, const char *container);
/* Fill the container with what the folder holds now. Locked. */
void root_load(struct site *site, struct container *container, const char *name);

#endif
