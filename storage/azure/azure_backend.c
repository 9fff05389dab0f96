/*
 * The verbs as requests of a lane's transport. An op that the store answers with something that can
 * be put right at once (credentials renewed meanwhile, a checksum header it does not know, bytes
 * damaged on their way) is sent again here; waiting and trying again is the retry wrapper's.
 */
#include "base/crc64.h"
#include "storage/azure/azure_lane.h"
#include "storage/sparse.h"

#include <stdio.h>
#include <string.h>

#define OPS_AT_ONCE 16U
#define RESEND_MAX  2U
#define RANGE_CRC64_MAX                                                                            \
    ((uint32_t)4 << 20) /* the store computes checksums of ranges up to this                       \
                         */

struct ops_block {
    struct list link;
    struct azure_op ops[OPS_AT_ONCE];
};

static const char *const verb_words[BLOB_VERB_COUNT] = {
    [BLOB_STAT] = "look at",  [BLOB_READ] = "read",
    [BLOB_PUT] = "store",     [BLOB_WRITE] = "send a block of",
    [BLOB_COMMIT] = "commit", [BLOB_BLOCKS] = "list the blocks of",
    [BLOB_REMOVE] = "remove", [BLOB_DISCARD] = "forget",
};

static struct azure_op *
take_op(struct azure_backend *b, struct blob_op *op)
{
    if (list_is_empty(&b->free_ops)) {
        struct ops_block *block = mem_take(sizeof *block);
        list_push(&b->all_blocks, &block->link);
        for (unsigned i = 0; i < OPS_AT_ONCE; i++) {
            list_push(&b->free_ops, &block->ops[i].link);
        }
    }
    struct azure_op *azure = CONTAINER_OF(list_pop(&b->free_ops), struct azure_op, link);
    azure->backend = b;
    azure->op = op;
    azure->resent = 0;
    azure->was_refreshed = false;
    azure->step = AZURE_STEP_VERB;
    op->backend_data = azure;
    return azure;
}

void
azure_complete(struct azure_op *azure)
{
    struct azure_backend *b = azure->backend;
    struct blob_op *op = azure->op;
    list_remove(&azure->link);
    list_push_front(&b->free_ops, &azure->link);
    op->backend_data = NULL;
    backend_complete(op);
}

/* ---- requests ---- */

static void
add_condition(struct azure_request *request, const struct blob_op *op)
{
    if (op->cond == BLOB_COND_ABSENT) {
        azure_request_header(request, "If-None-Match", "*");
    } else if (op->cond == BLOB_COND_ETAG) {
        azure_request_header(request, "If-Match", op->cond_etag);
    }
}

static enum err_code
ask_stat(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    (void)err;
    azure_request_begin(request, azure->backend->end, HTTP_HEAD, azure->op->name);
    request->props = azure->op->ret_props;
    if (request->props != NULL) {
        *request->props =
            (struct blob_props){.mtime_ns = BLOB_TIME_NONE, .modified_ns = BLOB_TIME_NONE};
    }
    return ERR_OK;
}

/* What is no success: the words of a refusal. */
static bool
on_read_refused(struct http_request *http, const void *bytes, size_t len)
{
    struct azure_request *request = CONTAINER_OF(http, struct azure_request, http);
    bool fits = request->body.len + len <= (size_t)AZURE_WORDS_BYTES * 64;
    if (fits) {
        text_add(&request->body, bytes, len);
    }
    return fits;
}

static enum err_code
ask_read(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    struct blob_op *op = azure->op;
    (void)err;
    azure_request_begin(request, azure->backend->end, HTTP_GET, op->name);
    request->http.on_body = on_read_refused;
    request->http.body_buf = op->buf;
    request->http.body_room = op->len_bytes;
    op->moved_bytes = 0;
    if (op->len_bytes > 0) {
        azure_request_headerf(request, "x-ms-range", "bytes=%llu-%llu",
                              (unsigned long long)op->offset_bytes,
                              (unsigned long long)(op->offset_bytes + op->len_bytes - 1));
        if (op->len_bytes <= RANGE_CRC64_MAX &&
            !atomic_load_explicit(&azure->backend->end->refuses_crc64, memory_order_relaxed)) {
            azure_request_header(request, "x-ms-range-get-content-crc64", "true");
        }
    }
    if (op->props != NULL && op->props->etag[0] != '\0') {
        azure_request_header(request, "If-Match", op->props->etag);
    }
    return ERR_OK;
}

static enum err_code
ask_put(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    azure_request_begin(request, azure->backend->end, HTTP_PUT, op->name);
    azure_request_body(request, op->buf, op->len_bytes);
    azure_request_header(request, "x-ms-blob-type", "BlockBlob");
    add_condition(request, op);
    enum err_code code = azure_request_checksum(request, op->crc64, op->md5, err);
    return code == ERR_OK ? azure_request_props(request, op->props, err) : code;
}

static enum err_code
ask_write(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    char id[AZURE_BLOCK_ID_BYTES];
    azure_request_begin(request, azure->backend->end, HTTP_PUT, op->name);
    azure_block_id(op->nonce, op->stage_id, op->block_index, id);
    azure_request_query(request, "comp", "block");
    azure_request_query_encoded(request, "blockid", id);
    azure_request_body(request, op->buf, op->len_bytes);
    return azure_request_checksum(request, op->crc64, op->md5, err);
}

static enum err_code
ask_commit(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    const struct blob_op *op = azure->op;
    azure_request_begin(request, azure->backend->end, HTTP_PUT, op->name);
    azure_request_query(request, "comp", "blocklist");
    text_clear(&azure->list);
    azure_block_list(&azure->list, op->nonce, op->stage_id, op->block_count);
    azure_request_body(request, azure->list.bytes, azure->list.len);
    add_condition(request, op);
    enum err_code code = azure_request_checksum(
        request, crc64(CRC64_EMPTY, azure->list.bytes, azure->list.len), NULL, err);
    return code == ERR_OK ? azure_request_props(request, op->props, err) : code;
}

static enum err_code
ask_blocks(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    (void)err;
    azure_request_begin(request, azure->backend->end, HTTP_GET, azure->op->name);
    azure_request_query(request, "comp", "blocklist");
    azure_request_query(request, "blocklisttype", "uncommitted");
    return ERR_OK;
}

static enum err_code
ask_remove(struct azure_op *azure, struct err *err)
{
    struct azure_request *request = &azure->request;
    (void)err;
    azure_request_begin(request, azure->backend->end, HTTP_DELETE, azure->op->name);
    return ERR_OK;
}

/* ---- answers ---- */

static void
take_stat(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    const struct azure_request *request = &azure->request;
    memcpy(op->etag, request->etag, sizeof op->etag);
    if (op->etag[0] == '\0') {
        (void)err_set(&op->err, ERR_FORMAT, "the store's answer about '%s' has no ETag", op->name);
    }
    if (op->ret_props != NULL) {
        azure_props_finish(op->ret_props);
        memcpy(op->ret_props->etag, op->etag, sizeof op->etag);
    }
}

static void
take_read(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    const struct azure_request *request = &azure->request;
    op->moved_bytes = (uint32_t)request->http.received_bytes;
    bool is_other_part = request->http.status == 206 && request->range_begin != UINT64_MAX
                             ? request->range_begin != op->offset_bytes
                             : op->offset_bytes > 0 && request->http.status == 200;
    bool is_other_blob = op->props != NULL && op->props->etag[0] != '\0' &&
                         request->etag[0] != '\0' &&
                         !azure_etag_equal(op->props->etag, request->etag);
    if (is_other_part) {
        (void)err_set(&op->err, ERR_ITEM_REFUSED,
                      "the store sent another part of '%s' than was asked for", op->name);
    } else if (is_other_blob || op->moved_bytes != op->len_bytes) {
        (void)err_set(&op->err, ERR_ITEM_CHANGED,
                      "'%s' changed while it was read: %lu bytes came, %lu were asked for",
                      op->name, (unsigned long)op->moved_bytes, (unsigned long)op->len_bytes);
    } else if (request->has_crc64) {
        if (request->crc64 == crc64(CRC64_EMPTY, op->buf, op->moved_bytes)) {
            op->checked = BLOB_CHECKED_CRC64;
        } else {
            (void)err_set(
                &op->err, ERR_DIGEST,
                "'%s' was damaged on its way: it does not match the checksum sent with it",
                op->name);
        }
    }
    if (op->err.code == ERR_OK && ranges_may_be_empty(op)) {
        op->is_zero = sparse_is_zero(op->buf, op->moved_bytes);
        ranges_remember(azure->backend, op);
    }
}

bool
azure_take_checksum(struct azure_op *azure, uint64_t sent_crc64)
{
    struct blob_op *op = azure->op;
    const struct azure_request *request = &azure->request;
    if (request->has_md5) {
        op->checked = BLOB_CHECKED_MD5;
    } else if (request->has_crc64 && request->crc64 == sent_crc64) {
        op->checked = BLOB_CHECKED_CRC64;
    } else if (request->has_crc64) {
        (void)err_set(&op->err, ERR_DIGEST,
                      "the store has other bytes of '%s' than were sent: its checksum is %016llx, "
                      "ours is %016llx",
                      op->name, (unsigned long long)request->crc64, (unsigned long long)sent_crc64);
        return false;
    }
    return true;
}

static void
take_block(void *user, const char *id, uint64_t size_bytes)
{
    struct blob_op *op = user;
    uint32_t index = 0;
    if (!azure_block_index(id, op->nonce, op->stage_id, &index) || index >= op->block_count) {
        return;
    }
    if (size_bytes == blob_block_len(op, index)) {
        op->block_bits[index >> 3] |= (uint8_t)(1U << (index & 7));
    }
}

static void
take_blocks(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    memset(op->block_bits, 0, (op->block_count + 7) / 8);
    enum err_code code = azure_parse_blocks(text_str(&azure->request.body), azure->request.body.len,
                                            take_block, op, &op->err);
    ASSERT(code == op->err.code);
}

static enum err_code (*const ask[BLOB_VERB_COUNT])(struct azure_op *, struct err *) = {
    [BLOB_STAT] = ask_stat,     [BLOB_READ] = ask_read,     [BLOB_PUT] = ask_put,
    [BLOB_WRITE] = ask_write,   [BLOB_COMMIT] = ask_commit, [BLOB_BLOCKS] = ask_blocks,
    [BLOB_REMOVE] = ask_remove,
};

/* Bytes that the store says are not ours must not stay under the item's name. */
static void
remove_wrong(struct azure_op *azure)
{
    char etag[BLOB_ETAG_BYTES];
    memcpy(etag, azure->request.etag, sizeof etag);
    azure->step = AZURE_STEP_REMOVE;
    azure_request_begin(&azure->request, azure->backend->end, HTTP_DELETE, azure->op->name);
    azure_request_header(&azure->request, "If-Match", etag);
    if (!azure_start(azure)) {
        azure_complete(azure);
    }
}

static void
take_stored(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    uint64_t sent = op->verb == BLOB_COMMIT ? crc64(CRC64_EMPTY, azure->list.bytes, azure->list.len)
                                            : op->crc64;
    memcpy(op->etag, azure->request.etag, sizeof op->etag);
    if (!azure_take_checksum(azure, sent) && op->verb == BLOB_PUT && op->etag[0] != '\0') {
        remove_wrong(azure);
        return;
    }
    azure_complete(azure);
}

static void
take(struct azure_op *azure)
{
    switch (azure->op->verb) {
    case BLOB_STAT: take_stat(azure); break;
    case BLOB_READ: take_read(azure); break;
    case BLOB_BLOCKS: take_blocks(azure); break;
    case BLOB_PUT:
    case BLOB_WRITE:
    case BLOB_COMMIT: take_stored(azure); return;
    case BLOB_REMOVE:
    case BLOB_DISCARD:
    case BLOB_ADOPT:
    case BLOB_VERB_COUNT: break;
    }
    azure_complete(azure);
}

/* Stores say it in different words; what counts is that the request had the header. */
static bool
is_refusal_of_crc64(const struct azure_op *azure)
{
    static const char *const codes[] = {"UnsupportedHeader",   "InvalidHeaderValue",
                                        "InvalidInput",        "UnsupportedQueryParameter",
                                        "FeatureNotSupported", "NotImplemented"};
    bool has_code = azure->request.http.status == 501;
    for (unsigned i = 0; i < COUNT_OF(codes) && !has_code; i++) {
        has_code = strcmp(azure->request.code, codes[i]) == 0;
    }
    for (unsigned i = 0; i < azure->request.header_count && has_code; i++) {
        if (strstr(azure->request.headers[i].name, "content-crc64") != NULL) {
            return true;
        }
    }
    return false;
}

bool
azure_may_resend(struct azure_op *azure, enum err_code code)
{
    if (azure->resent >= RESEND_MAX || azure->op->is_cancelled) {
        return false;
    }
    if (is_refusal_of_crc64(azure)) {
        atomic_store(&azure->backend->end->refuses_crc64, true);
        azure->resent++;
        return true;
    }
    if (code == ERR_STORE_AUTH && !azure->was_refreshed) {
        /* Another lane may have read the file again already: then the secret is newer than ours. */
        azure->was_refreshed = true;
        azure->resent++;
        return credential_refresh(azure->backend->end->credential) ||
               signer_is_old(azure->backend->signer);
    }
    if (code == ERR_DIGEST) {
        azure->resent++;
        return true;
    }
    return false;
}

/* Empty: that is the answer. Anything else, and a store that does not know: then it is read. */
static void
on_ranges(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    bool is_empty = false;
    enum err_code code = ranges_take(azure, &is_empty);
    if (code == ERR_OK && is_empty) {
        azure_complete(azure);
        return;
    }
    bool is_told = code == ERR_OK || err_class(code) == ERR_CLASS_ITEM || code == ERR_FORMAT;
    if (is_told || azure_may_resend(azure, code)) {
        azure->step = is_told ? AZURE_STEP_VERB : AZURE_STEP_RANGES;
        op->err = ERR_NONE;
        code = is_told ? ask_read(azure, &op->err) : ranges_ask(azure, &op->err);
        if (code == ERR_OK && azure_start(azure)) {
            return;
        }
    }
    azure_complete(azure);
}

static void
on_done(struct http_request *http)
{
    struct azure_request *request = CONTAINER_OF(http, struct azure_request, http);
    struct azure_op *azure = CONTAINER_OF(request, struct azure_op, request);
    struct blob_op *op = azure->op;
    if (azure->step == AZURE_STEP_PAGEBLOB) {
        pageblob_on_done(azure);
        return;
    }
    if (azure->step == AZURE_STEP_RANGES) {
        on_ranges(azure);
        return;
    }
    if (azure->step == AZURE_STEP_REMOVE) {
        azure_complete(azure); /* the reason is in err already */
        return;
    }
    enum err_code code =
        azure_request_judge(request, op->verb, verb_words[op->verb], op->name, &op->err);
    op->retry_after_ns = request->retry_after_ns;
    op->sent_ns = http->body_sent_ns;
    if (code == ERR_OK) {
        op->err = ERR_NONE;
        take(azure);
        return;
    }
    if (code == ERR_FORMAT && op->verb == BLOB_READ && http->status != 0) {
        (void)err_set(&op->err, ERR_ITEM_CHANGED, "'%s' has more bytes than it was listed with",
                      op->name);
    }
    if (code == ERR_ITEM_GONE && op->verb == BLOB_BLOCKS) {
        op->err = ERR_NONE;
        memset(op->block_bits, 0, (op->block_count + 7) / 8);
        azure_complete(azure);
        return;
    }
    if (azure_may_resend(azure, code)) {
        op->err = ERR_NONE;
        if (ask[op->verb](azure, &op->err) == ERR_OK && azure_start(azure)) {
            return;
        }
    }
    azure_complete(azure);
}

bool
azure_start(struct azure_op *azure)
{
    struct azure_backend *b = azure->backend;
    struct blob_op *op = azure->op;
    struct err err = ERR_NONE;
    azure->request.http.done = on_done;
    enum err_code code = azure_request_seal(&azure->request, b->signer, &err);
    if (code == ERR_OK && transport_submit(b->io.http, &azure->request.http) != ERR_OK) {
        code = err_set(&err, ERR_NETWORK, "no request can be begun now");
    }
    if (code != ERR_OK && op->err.code == ERR_OK) {
        op->err = err;
    }
    return code == ERR_OK;
}

/* False: the op has ended already. */
static bool
begin(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    if (pageblob_serves(op)) {
        azure->step = AZURE_STEP_PAGEBLOB;
        return pageblob_begin(azure);
    }
    if (op->verb == BLOB_DISCARD || (op->verb == BLOB_READ && op->len_bytes == 0)) {
        return false;
    }
    if (op->verb == BLOB_READ && ranges_are_worth_asking(azure->backend, op)) {
        azure->step = AZURE_STEP_RANGES;
        return ranges_ask(azure, &op->err) == ERR_OK && azure_start(azure);
    }
    return ask[op->verb](azure, &op->err) == ERR_OK && azure_start(azure);
}

static enum err_code
azure_submit(struct backend *backend, struct blob_op *op, struct err *err)
{
    struct azure_backend *b = CONTAINER_OF(backend, struct azure_backend, backend);
    struct azure_op *azure = take_op(b, op);
    (void)err;
    op->err = ERR_NONE;
    list_push(begin(azure) ? &b->in_flight : &b->ready, &azure->link);
    return ERR_OK;
}

static void
azure_cancel(struct backend *backend, struct blob_op *op)
{
    struct azure_backend *b = CONTAINER_OF(backend, struct azure_backend, backend);
    struct azure_op *azure = op->backend_data;
    if (azure != NULL) {
        op->is_cancelled = true;
        transport_cancel(b->io.http, &azure->request.http);
    }
}

static unsigned
azure_poll(struct backend *backend)
{
    struct azure_backend *b = CONTAINER_OF(backend, struct azure_backend, backend);
    unsigned ran = 0;
    while (!list_is_empty(&b->ready)) {
        azure_complete(CONTAINER_OF(b->ready.next, struct azure_op, link));
        ran++;
    }
    return ran;
}

static int64_t
azure_next_timer_ns(struct backend *backend)
{
    const struct azure_backend *b = CONTAINER_OF(backend, struct azure_backend, backend);
    return list_is_empty(&b->ready) ? INT64_MAX : 0;
}

static struct backend *
azure_free(struct backend *backend)
{
    struct azure_backend *b = CONTAINER_OF(backend, struct azure_backend, backend);
    while (!list_is_empty(&b->all_blocks)) {
        struct ops_block *block = CONTAINER_OF(list_pop(&b->all_blocks), struct ops_block, link);
        for (unsigned i = 0; i < OPS_AT_ONCE; i++) {
            azure_request_done(&block->ops[i].request);
            text_done(&block->ops[i].list);
        }
        mem_give(block);
    }
    pageblob_free(b);
    b->signer = signer_free(b->signer);
    return mem_give(b);
}

static const struct backend_ops azure_ops = {
    .name = "azure",
    .submit = azure_submit,
    .cancel = azure_cancel,
    .poll = azure_poll,
    .next_timer_ns = azure_next_timer_ns,
    .free = azure_free,
};

enum err_code
azure_backend_new(struct azure_end *end, const struct lane_io *io, struct backend **ret_backend,
                  struct err *err)
{
    struct azure_backend *b = mem_take(sizeof *b);
    ASSERT(io->http != NULL);
    enum err_code code = signer_new(end->credential, io->clock, &b->signer, err);
    if (code != ERR_OK) {
        mem_give(b);
        return code;
    }
    b->backend.ops = &azure_ops;
    b->end = end;
    b->io = *io;
    list_init(&b->free_ops);
    list_init(&b->ready);
    list_init(&b->in_flight);
    list_init(&b->all_blocks);
    list_init(&b->pageblobs);
    *ret_backend = &b->backend;
    return ERR_OK;
}
