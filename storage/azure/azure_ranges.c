/* Which pages of a page blob are in use, asked before a block of it is read. */
#include "storage/azure/azure_lane.h"

bool
ranges_may_be_empty(const struct blob_op *op)
{
    return op->verb == BLOB_READ && op->props != NULL && op->props->type == BLOB_TYPE_PAGE;
}

bool
ranges_are_worth_asking(const struct azure_backend *b, const struct blob_op *op)
{
    return ranges_may_be_empty(op) && !op->is_whole && op->len_bytes > 0 &&
           (b->sparse_item_id != op->item_id || b->is_sparse);
}

void
ranges_remember(struct azure_backend *b, const struct blob_op *op)
{
    b->sparse_item_id = op->item_id;
    b->is_sparse = op->is_zero;
}

enum err_code
ranges_ask(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    (void)err;
    azure_request_begin(request, azure->backend->end, HTTP_GET, op->name);
    azure_request_query(request, "comp", "pagelist");
    azure_request_query(request, "maxresults", "1");
    azure_request_headerf(request, "x-ms-range", "bytes=%llu-%llu",
                          (unsigned long long)op->offset_bytes,
                          (unsigned long long)(op->offset_bytes + op->len_bytes - 1));
    if (op->props->etag[0] != '\0') {
        azure_request_header(request, "If-Match", op->props->etag);
    }
    return ERR_OK;
}

static void
count_range(void *user, uint64_t first, uint64_t last)
{
    (void)first;
    (void)last;
    ++*(unsigned *)user;
}

enum err_code
ranges_take(struct azure_op *azure, bool *ret_is_empty)
{
    struct azure_request *request = &azure->request;
    struct blob_op *op = azure->op;
    unsigned count = 0;
    enum err_code code =
        azure_request_judge(request, BLOB_READ, "list the pages of", op->name, &op->err);
    op->retry_after_ns = request->retry_after_ns;
    code = code == ERR_OK ? azure_parse_ranges(text_str(&request->body), request->body.len,
                                               count_range, &count, &op->err)
                          : code;
    bool is_same = op->props->etag[0] == '\0' || azure_etag_equal(op->props->etag, request->etag);
    *ret_is_empty = code == ERR_OK && count == 0 && is_same;
    if (*ret_is_empty) {
        op->is_zero = true;
        op->moved_bytes = op->len_bytes;
        ranges_remember(azure->backend, op);
    }
    return code;
}
