#include "bench/server/request.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crc64.h"
#include "base/fd.h"

#include <string.h>
#include <strings.h>

enum depth { DEPTH_ACCOUNT, DEPTH_CONTAINER, DEPTH_BLOB };

static void
account_info(struct request *request)
{
    answer_status(request, 200);
    answer_field(request, "x-ms-sku-name", "Standard_LRS");
    answer_field(request, "x-ms-account-kind", "StorageV2");
}

static void
refuse_other(struct request *request)
{
    answer_error(request, 405, "UnsupportedHttpVerb",
                 "The resource doesn't support the specified HTTP verb.");
}

// clang-format off
static const struct row {
    enum verb verb;
    const char *method;
    enum depth depth;
    const char *restype;
    const char *comp;
    enum body_kind body;
    void (*run)(struct request *request);
} rows[] = {
    {VERB_PUT_BLOB,         "PUT",    DEPTH_BLOB,      "",          "",           BODY_PIECE, put_blob},
    {VERB_PUT_BLOCK,        "PUT",    DEPTH_BLOB,      "",          "block",      BODY_PIECE, put_block},
    {VERB_PUT_BLOCK_LIST,   "PUT",    DEPTH_BLOB,      "",          "blocklist",  BODY_TEXT,  put_block_list},
    {VERB_GET_BLOCK_LIST,   "GET",    DEPTH_BLOB,      "",          "blocklist",  BODY_DROP,  get_block_list},
    {VERB_PUT_PAGE,         "PUT",    DEPTH_BLOB,      "",          "page",       BODY_PIECE, put_page},
    {VERB_GET_PAGE_RANGES,  "GET",    DEPTH_BLOB,      "",          "pagelist",   BODY_DROP,  get_page_ranges},
    {VERB_GET_BLOB,         "GET",    DEPTH_BLOB,      "",          "",           BODY_DROP,  get_blob},
    {VERB_HEAD_BLOB,        "HEAD",   DEPTH_BLOB,      "",          "",           BODY_DROP,  get_blob},
    {VERB_SET_BLOB,         "PUT",    DEPTH_BLOB,      "",          "metadata",   BODY_DROP,  set_blob},
    {VERB_SET_BLOB,         "PUT",    DEPTH_BLOB,      "",          "properties", BODY_DROP,  set_blob},
    {VERB_SET_BLOB,         "PUT",    DEPTH_BLOB,      "",          "tier",       BODY_DROP,  set_blob},
    {VERB_DELETE_BLOB,      "DELETE", DEPTH_BLOB,      "",          "",           BODY_DROP,  delete_blob},
    {VERB_LIST_BLOBS,       "GET",    DEPTH_CONTAINER, "container", "list",       BODY_DROP,  list_blobs},
    {VERB_PUT_CONTAINER,    "PUT",    DEPTH_CONTAINER, "container", "",           BODY_DROP,  put_container},
    {VERB_HEAD_CONTAINER,   "HEAD",   DEPTH_CONTAINER, "container", "",           BODY_DROP,  head_container},
    {VERB_HEAD_CONTAINER,   "GET",    DEPTH_CONTAINER, "container", "",           BODY_DROP,  head_container},
    {VERB_DELETE_CONTAINER, "DELETE", DEPTH_CONTAINER, "container", "",           BODY_DROP,  delete_container},
    {VERB_LIST_CONTAINERS,  "GET",    DEPTH_ACCOUNT,   "",          "list",       BODY_DROP,  list_containers},
    {VERB_ACCOUNT,          "GET",    DEPTH_ACCOUNT,   "account",   "properties", BODY_DROP,  account_info},
    {VERB_ACCOUNT,          "HEAD",   DEPTH_ACCOUNT,   "account",   "properties", BODY_DROP,  account_info},
    {VERB_ACCOUNT,          "GET",    DEPTH_CONTAINER, "account",   "properties", BODY_DROP,  account_info},
    {VERB_ACCOUNT,          "HEAD",   DEPTH_CONTAINER, "account",   "properties", BODY_DROP,  account_info},
};
/* Faults that are a status and words. */
static const struct {
    enum fault_kind kind;
    const char *code;
    const char *text;
} spoken[] = {
    {FAULT_BUSY,     "ServerBusy",           "The server is currently unable to receive requests. Please retry your request."},
    {FAULT_ERROR,    "InternalError",        "The server encountered an internal error. Please retry the request."},
    {FAULT_THROTTLE, "TooManyRequests",      "The number of requests has exceeded the maximum allowed."},
    {FAULT_EXPIRE,   "AuthenticationFailed", "Server failed to authenticate the request: the credentials have expired."},
    {FAULT_GONE,     "ContainerNotFound",    "The specified container does not exist."},
    {FAULT_FULL,     "InsufficientStorage",  "The account has no space left."},
};
// clang-format on

static const struct row row_other = {.verb = VERB_OTHER, .body = BODY_DROP, .run = refuse_other};

void
request_init(struct request *request, struct site *site, struct hmac *hmac)
{
    *request = (struct request){.site = site, .hmac = hmac, .answer = {.fd = -1}};
}

void
request_done(struct request *request)
{
    text_done(&request->path);
    text_done(&request->comp);
    text_done(&request->restype);
    text_done(&request->value);
    text_done(&request->body.text);
    text_done(&request->answer.fields);
    text_done(&request->answer.body);
    digest_done(&request->body.md5);
    request->body.piece = piece_give(request->body.piece);
    request->answer.data = data_give(request->answer.data);
    fd_close(&request->answer.fd);
}

void
answer_status(struct request *request, unsigned status)
{
    struct answer *answer = &request->answer;
    text_clear(&answer->fields);
    text_clear(&answer->body);
    answer->data = data_give(answer->data);
    fd_close(&answer->fd);
    answer->status = status;
    answer->len = 0;
    answer->has_length_only = false;
}

void
answer_field(struct request *request, const char *name, const char *value)
{
    struct text *fields = &request->answer.fields;
    text_add_str(fields, name);
    text_add(fields, ": ", 2);
    text_add_str(fields, value);
    text_add(fields, "\r\n", 2);
}

void
etag_format(uint64_t etag, char out[static 32])
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = out;
    *at++ = '"';
    *at++ = '0';
    *at++ = 'x';
    for (int shift = 60; shift >= 0; shift -= 4) {
        *at++ = digits[etag >> shift & 15];
    }
    *at++ = '"';
    *at = '\0';
}

void
answer_etag(struct request *request, uint64_t etag, int64_t modified_ns)
{
    char text[32];
    char when[CLOCK_TEXT_BYTES];
    etag_format(etag, text);
    answer_field(request, "ETag", text);
    answer_field(request, "Last-Modified", clock_format_http(modified_ns, when));
}

void
answer_xml(struct request *request)
{
    answer_field(request, "Content-Type", "application/xml");
    request->answer.len = request->answer.body.len;
}

void
answer_error(struct request *request, unsigned status, const char *code, const char *text)
{
    struct answer *answer = &request->answer;
    answer_status(request, status);
    answer_field(request, "x-ms-error-code", code);
    if (!request->is_head && status != 304) {
        text_addf(&answer->body,
                  "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code>"
                  "<Message>%s</Message></Error>",
                  code, text);
        answer_xml(request);
    }
}

/* Account, container and blob of the path; false if it is not well encoded. */
static bool
split_path(struct request *request, enum depth *ret_depth)
{
    struct text *path = &request->path;
    text_clear(path);
    text_add_str(path, request->head.path + 1);
    text_add_char(path, '\0');
    request->account = path->bytes;
    request->container = path->bytes + strcspn(path->bytes, "/");
    if (*request->container == '/') {
        *request->container++ = '\0';
    }
    request->blob = request->container + strcspn(request->container, "/");
    if (*request->blob == '/') {
        *request->blob++ = '\0';
    }
    *ret_depth = request->blob[0] != '\0'        ? DEPTH_BLOB
                 : request->container[0] != '\0' ? DEPTH_CONTAINER
                                                 : DEPTH_ACCOUNT;
    if (!percent_decode(request->account) || !percent_decode(request->container) ||
        !percent_decode(request->blob)) {
        return false;
    }
    /* The service reads a backslash as a slash. */
    for (char *at = request->blob; (at = strchr(at, '\\')) != NULL;) {
        *at = '/';
    }
    return true;
}

static const struct row *
find_row(struct request *request, enum depth depth)
{
    const struct head *head = &request->head;
    text_clear(&request->comp);
    text_clear(&request->restype);
    if (head->query[0] != '\0') {
        (void)query_find(head->query, "comp", &request->comp);
        (void)query_find(head->query, "restype", &request->restype);
    }
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        if (row->depth == depth && strcmp(row->method, head->method) == 0 &&
            strcmp(row->comp, text_str(&request->comp)) == 0 &&
            strcmp(row->restype, text_str(&request->restype)) == 0) {
            return row;
        }
    }
    return &row_other;
}

/* The faults that answer instead of the verb. */
static bool
speak_fault(struct request *request)
{
    for (unsigned i = 0; i < COUNT_OF(spoken); i++) {
        const struct fault_rule *rule = request->faults.rules[spoken[i].kind];
        if (!fault_has(&request->faults, spoken[i].kind)) {
            continue;
        }
        answer_error(request, rule->status, spoken[i].code, spoken[i].text);
        if (spoken[i].kind == FAULT_BUSY || spoken[i].kind == FAULT_THROTTLE) {
            AUTO_TEXT seconds = TEXT_INIT;
            text_addf(&seconds, "%u", rule->seconds);
            answer_field(request, "Retry-After", text_str(&seconds));
        }
        return true;
    }
    if (fault_has(&request->faults, FAULT_REFUSE_CRC) &&
        head_find(&request->head, "x-ms-content-crc64") != NULL) {
        answer_error(request, 400, "UnsupportedHeader",
                     "One of the HTTP headers specified in the request is not supported.");
        return true;
    }
    return false;
}

static bool
body_fits(struct request *request)
{
    static const uint64_t most[VERB_COUNT] = {
        [VERB_PUT_BLOB] = SERVER_BODY_BYTES_MAX,
        [VERB_PUT_BLOCK] = SERVER_BLOCK_BYTES_MAX,
        [VERB_PUT_BLOCK_LIST] = SERVER_LIST_BYTES_MAX,
        [VERB_PUT_PAGE] = SERVER_PAGES_MAX,
    };
    const struct head *head = &request->head;
    if (head->is_chunked || (!head->has_length && strcmp(head->method, "PUT") == 0)) {
        answer_error(request, 411, "MissingContentLengthHeader",
                     "The Content-Length header was not specified.");
        return false;
    }
    if (head->body_bytes > MAX_OF(most[request->verb], UINT64_C(65536))) {
        answer_error(request, 413, "RequestBodyTooLarge",
                     "The size of the request body exceeds the maximum size permitted.");
        return false;
    }
    return true;
}

static void
body_begin(struct request *request, enum body_kind kind)
{
    struct body *body = &request->body;
    struct err err = ERR_NONE;
    const struct head *head = &request->head;
    body->kind = kind;
    body->is_summed = kind != BODY_DROP;
    body->has_md5 = body->is_summed && (head_find(head, "content-md5") != NULL ||
                                        head_find(head, "x-ms-blob-content-md5") != NULL);
    if (body->has_md5) {
        enum err_code code = digest_init(&body->md5, DIGEST_MD5, &err);
        ASSERT(code == ERR_OK);
    }
    if (kind == BODY_PIECE) {
        bool has_bytes = request->site->store.mode == STORE_KEEP;
        body->piece = piece_new(head->body_bytes, has_bytes);
        body->kind = has_bytes ? BODY_PIECE : BODY_DROP;
    }
}

void
request_begin(struct request *request)
{
    enum depth depth = DEPTH_ACCOUNT;
    struct body *body = &request->body;
    answer_status(request, 200);
    text_clear(&body->text);
    body->piece = piece_give(body->piece);
    body->left_bytes = request->head.body_bytes;
    body->got_bytes = 0;
    body->crc64 = CRC64_EMPTY;
    body->has_md5 = body->is_summed = false;
    body->kind = BODY_DROP;
    request->is_head = strcmp(request->head.method, "HEAD") == 0;
    request->verb = VERB_OTHER;
    request->faults.kinds = 0;
    request->is_refused = true;
    if (!split_path(request, &depth)) {
        answer_error(request, 400, "InvalidUri", "The requested URI is not well encoded.");
        return;
    }
    const struct row *row = find_row(request, depth);
    request->verb = row->verb;
    faults_pick(&request->site->faults, request->verb, &request->faults);
    if (speak_fault(request) || !body_fits(request) || !auth_check(request)) {
        return;
    }
    if (request->site->root != NULL && (VERBS_WRITES & 1U << row->verb) != 0) {
        answer_error(request, 403, "AuthorizationPermissionMismatch",
                     "Files are served here, nothing is taken.");
        return;
    }
    request->is_refused =
        (row->verb == VERB_PUT_BLOB || row->verb == VERB_PUT_BLOCK || row->verb == VERB_PUT_PAGE) &&
        !put_begin(request);
    if (!request->is_refused) {
        body_begin(request, row->body);
    }
}

char *
request_body_room(struct request *request, size_t *ret_len)
{
    struct body *body = &request->body;
    *ret_len = (size_t)body->left_bytes;
    return body->kind == BODY_PIECE ? body->piece->bytes + body->got_bytes : NULL;
}

void
request_body_add(struct request *request, const char *bytes, size_t len)
{
    struct body *body = &request->body;
    ASSERT(len <= body->left_bytes);
    if (body->is_summed) {
        body->crc64 = crc64(body->crc64, bytes, len);
    }
    if (body->has_md5) {
        digest_add(&body->md5, bytes, len);
    }
    if (body->kind == BODY_PIECE && bytes != body->piece->bytes + body->got_bytes) {
        (void)memcpy(body->piece->bytes + body->got_bytes, bytes, len);
    } else if (body->kind == BODY_TEXT) {
        text_add(&body->text, bytes, len);
    }
    body->got_bytes += len;
    body->left_bytes -= len;
}

void
request_end(struct request *request)
{
    if (request->is_refused) {
        return;
    }
    if (request->body.piece != NULL) {
        request->body.piece->crc64 = request->body.crc64;
    }
    if (request->body.is_summed && !body_check(request)) {
        return;
    }
    enum depth depth = request->blob[0] != '\0'        ? DEPTH_BLOB
                       : request->container[0] != '\0' ? DEPTH_CONTAINER
                                                       : DEPTH_ACCOUNT;
    find_row(request, depth)->run(request);
    request->body.piece = piece_give(request->body.piece);
}
