/* The requests that ops on page blobs are made of, and the stretches of pages that are sent. */
#include "base/crc64.h"
#include "storage/azure/azure_lane.h"
#include "storage/sparse.h"

#include <string.h>

/* ---- stretches of pages ---- */

bool
pageblob_next_stretch(struct azure_op *azure)
{
    struct pageblob *pages = &azure->pages;
    const struct blob_op *op = azure->op;
    size_t at = pages->end;
    size_t begin = op->len_bytes;
    size_t end = op->len_bytes;
    if (!op->is_zero && !sparse_next(op->buf, op->len_bytes, at, &begin, &end)) {
        begin = op->len_bytes;
    }
    /* Pages that an earlier run has written may hold something else than zeros. */
    pages->is_clearing = !pages->is_fresh && begin > at;
    if (pages->is_clearing) {
        pages->begin = (uint32_t)at;
        pages->end = (uint32_t)begin;
        return true;
    }
    pages->crc64 = crc64_combine(pages->crc64, crc64_zeros(begin - at), begin - at);
    pages->begin = (uint32_t)begin;
    pages->end = (uint32_t)MIN_OF(end, begin + AZURE_PAGES_MAX);
    return begin < op->len_bytes;
}

void
pageblob_finish_stretches(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    const struct pageblob *pages = &azure->pages;
    if (pages->crc64 != op->crc64) {
        (void)err_set(&op->err, ERR_DIGEST,
                      "'%s' changed in memory on its way: it was read as %016llx and sent as "
                      "%016llx",
                      op->name, (unsigned long long)op->crc64, (unsigned long long)pages->crc64);
        return;
    }
    /* Of pages that were not sent nothing can be damaged on its way. */
    op->checked = pages->is_unchecked               ? BLOB_CHECKED_NO
                  : op->checked == BLOB_CHECKED_MD5 ? BLOB_CHECKED_MD5
                                                    : BLOB_CHECKED_CRC64;
    op->moved_bytes = op->len_bytes;
}

bool
pageblob_is_all_zero(const struct blob_op *op)
{
    return op->is_zero || sparse_is_zero(op->buf, op->len_bytes);
}

/* ---- requests ---- */

static void
begin_request(struct azure_op *azure, enum http_method method, const char *comp)
{
    azure_request_begin(&azure->request, azure->backend->end, method, azure->op->name);
    if (comp != NULL) {
        azure_request_query(&azure->request, "comp", comp);
    }
}

static enum err_code
ask_look(struct azure_op *azure, struct err *err)
{
    struct pageblob *pages = &azure->pages;
    (void)err;
    begin_request(azure, HTTP_HEAD, NULL);
    pages->look_count++;
    pages->found = (struct blob_props){.mtime_ns = BLOB_TIME_NONE, .modified_ns = BLOB_TIME_NONE};
    azure->request.props = &pages->found;
    return ERR_OK;
}

static void
add_partial_metadata(struct azure_op *azure)
{
    const struct blob_op *op = azure->op;
    char stage[AZURE_STAGE_BYTES];
    azure_stage_text(op->stage_id, azure->backend->end->session, stage);
    azure_request_header(&azure->request, "x-ms-meta-sallyport_state", AZURE_PARTIAL);
    azure_request_header(&azure->request, "x-ms-meta-sallyport_job", op->nonce);
    azure_request_header(&azure->request, "x-ms-meta-sallyport_stage", stage);
}

/* On the condition of what was seen; a PUT that has not looked goes by its own. */
static void
add_condition(struct azure_op *azure)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    const struct pageblob *pages = &azure->pages;
    bool goes_by_own = pages->look_count == 0;
    if (goes_by_own ? op->cond == BLOB_COND_ABSENT : !pages->is_found) {
        azure_request_header(request, "If-None-Match", "*");
    } else if (!goes_by_own || op->cond == BLOB_COND_ETAG) {
        azure_request_header(request, "If-Match", goes_by_own ? op->cond_etag : pages->etag);
    }
}

static enum err_code
ask_create(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    begin_request(azure, HTTP_PUT, NULL);
    azure_request_header(request, "x-ms-blob-type", blob_type_names[BLOB_TYPE_PAGE]);
    azure_request_headerf(request, "x-ms-blob-content-length", "%llu",
                          (unsigned long long)op->props->size_bytes);
    add_condition(azure);
    azure_request_properties(request, op->props);
    if (op->verb == BLOB_PUT && pageblob_is_all_zero(op)) {
        return azure_request_metadata(request, op->props, err); /* there is nothing to wait for */
    }
    if (op->verb == BLOB_WRITE) {
        azure_request_headerf(request, "x-ms-blob-sequence-number", "%llu",
                              (unsigned long long)azure_sequence(op->nonce, op->stage_id));
    }
    add_partial_metadata(azure);
    return ERR_OK;
}

static enum err_code
set_number(struct azure_op *azure, uint64_t number)
{
    struct azure_request *request = &azure->request;
    begin_request(azure, HTTP_PUT, "properties");
    azure_request_header(request, "x-ms-sequence-number-action", "update");
    azure_request_headerf(request, "x-ms-blob-sequence-number", "%llu", (unsigned long long)number);
    azure_request_header(request, "If-Match", azure->pages.etag);
    return ERR_OK;
}

static enum err_code
ask_number(struct azure_op *azure, struct err *err)
{
    (void)err;
    return set_number(azure, azure_sequence(azure->op->nonce, azure->op->stage_id));
}

static enum err_code
ask_reset(struct azure_op *azure, struct err *err)
{
    (void)err;
    return set_number(azure, 0);
}

/* Only the whole buffer's sums are known. */
static enum err_code
add_checksum(struct azure_op *azure, struct err *err)
{
    struct pageblob *pages = &azure->pages;
    const struct blob_op *op = azure->op;
    const char *bytes = (const char *)op->buf + pages->begin;
    uint32_t len = pages->end - pages->begin;
    uint8_t own[MD5_BYTES];
    const uint8_t *md5 = op->md5;
    pages->range_crc64 = len == op->len_bytes ? op->crc64 : crc64(CRC64_EMPTY, bytes, len);
    if (md5 != NULL && len < op->len_bytes) {
        if (digest_md5(bytes, len, own, err) != ERR_OK) {
            return err->code;
        }
        md5 = own;
    }
    azure_request_body(&azure->request, bytes, len);
    return azure_request_checksum(&azure->request, pages->range_crc64, md5, err);
}

static enum err_code
ask_write(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    const struct pageblob *pages = &azure->pages;
    uint64_t offset = op->verb == BLOB_PUT ? 0 : op->offset_bytes;
    begin_request(azure, HTTP_PUT, "page");
    azure_request_header(request, "x-ms-page-write", pages->is_clearing ? "clear" : "update");
    azure_request_headerf(request, "x-ms-range", "bytes=%llu-%llu",
                          (unsigned long long)(offset + pages->begin),
                          (unsigned long long)(offset + pages->end - 1));
    if (op->verb == BLOB_PUT) {
        azure_request_header(request, "If-Match", pages->etag);
    } else {
        azure_request_headerf(request, "x-ms-if-sequence-number-eq", "%llu",
                              (unsigned long long)azure_sequence(op->nonce, op->stage_id));
    }
    return pages->is_clearing ? ERR_OK : add_checksum(azure, err);
}

static enum err_code
ask_describe(struct azure_op *azure, struct err *err)
{
    (void)err;
    begin_request(azure, HTTP_PUT, "properties");
    azure_request_properties(&azure->request, azure->op->props);
    azure_request_header(&azure->request, "If-Match", azure->pages.etag);
    return ERR_OK;
}

static enum err_code
ask_seal(struct azure_op *azure, struct err *err)
{
    begin_request(azure, HTTP_PUT, "metadata");
    azure_request_header(&azure->request, "If-Match", azure->pages.etag);
    return azure_request_metadata(&azure->request, azure->op->props, err);
}

static enum err_code
ask_remove(struct azure_op *azure, struct err *err)
{
    (void)err;
    begin_request(azure, HTTP_DELETE, NULL);
    azure_request_header(&azure->request, "If-Match", azure->pages.etag);
    return ERR_OK;
}

const struct pageblob_request pageblob_requests[PAGEBLOB_STATE_COUNT] = {
    [PAGEBLOB_LOOKING] = {ask_look, BLOB_STAT, "look at"},
    [PAGEBLOB_CREATING] = {ask_create, BLOB_PUT, "make the page blob"},
    [PAGEBLOB_NUMBERING] = {ask_number, BLOB_COMMIT, "number"},
    [PAGEBLOB_WRITING] = {ask_write, BLOB_WRITE, "send pages of"},
    [PAGEBLOB_DESCRIBING] = {ask_describe, BLOB_COMMIT, "set the properties of"},
    [PAGEBLOB_RESETTING] = {ask_reset, BLOB_COMMIT, "number"},
    [PAGEBLOB_SEALING] = {ask_seal, BLOB_COMMIT, "set the metadata of"},
    [PAGEBLOB_REMOVING] = {ask_remove, BLOB_REMOVE, "remove the unfinished"},
};
