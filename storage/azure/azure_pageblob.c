/*
 * Page blobs: what one op on one of them asks of the store, request by request. Which may follow
 * which is the table at the top; what follows is decided where an answer is taken.
 */
#include "base/crc64.h"
#include "storage/azure/azure_lane.h"

#include <string.h>

/* Another lane, or an earlier try of ours, may come between a look and what is done about it. */
#define LOOKS_MAX 8U

#define AS_NAME(id) #id,
static const char *const state_names[] = {PAGEBLOB_STATE_MAP(AS_NAME)};
static const char *const event_names[] = {PAGEBLOB_EVENT_MAP(AS_NAME)};

// clang-format off
static const uint8_t next_state[PAGEBLOB_STATE_COUNT][PAGEBLOB_EVENT_COUNT] = {
    [PAGEBLOB_NONE]       = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_CREATE] = PAGEBLOB_CREATING, [PAGEBLOB_EV_WRITE] = PAGEBLOB_WRITING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_LOOKING]    = {[PAGEBLOB_EV_CREATE] = PAGEBLOB_CREATING, [PAGEBLOB_EV_NUMBER] = PAGEBLOB_NUMBERING, [PAGEBLOB_EV_WRITE] = PAGEBLOB_WRITING, [PAGEBLOB_EV_DESCRIBE] = PAGEBLOB_DESCRIBING,
                             [PAGEBLOB_EV_RESET] = PAGEBLOB_RESETTING, [PAGEBLOB_EV_REMOVE] = PAGEBLOB_REMOVING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_CREATING]   = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_WRITE] = PAGEBLOB_WRITING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_NUMBERING]  = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_WRITE] = PAGEBLOB_WRITING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_WRITING]    = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_WRITE] = PAGEBLOB_WRITING, [PAGEBLOB_EV_SEAL] = PAGEBLOB_SEALING, [PAGEBLOB_EV_REMOVE] = PAGEBLOB_REMOVING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_DESCRIBING] = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_RESET] = PAGEBLOB_RESETTING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_RESETTING]  = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_SEAL]  = PAGEBLOB_SEALING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_SEALING]    = {[PAGEBLOB_EV_LOOK]  = PAGEBLOB_LOOKING, [PAGEBLOB_EV_REMOVE] = PAGEBLOB_REMOVING, [PAGEBLOB_EV_END] = PAGEBLOB_ENDED},
    [PAGEBLOB_REMOVING]   = {[PAGEBLOB_EV_END]   = PAGEBLOB_ENDED},
};
// clang-format on

const struct fsm pageblob_fsm = {
    .name = "pageblob",
    .state_names = state_names,
    .event_names = event_names,
    .state_count = PAGEBLOB_STATE_COUNT,
    .event_count = PAGEBLOB_EVENT_COUNT,
    .next = &next_state[0][0],
    .initial = PAGEBLOB_NONE,
    .final_states = UINT64_C(1) << PAGEBLOB_ENDED,
};

/* ---- what this lane knows of unfinished ones ---- */

struct pageblob_known {
    struct list link;
    uint64_t item_id;
    bool is_fresh;
};

static struct pageblob_known *
find_known(const struct azure_backend *b, uint64_t item_id)
{
    for (struct list *at = b->pageblobs.next; at != &b->pageblobs; at = at->next) {
        struct pageblob_known *known = CONTAINER_OF(at, struct pageblob_known, link);
        if (known->item_id == item_id) {
            return known;
        }
    }
    return NULL;
}

static void
know(struct azure_op *azure, bool is_fresh)
{
    struct azure_backend *b = azure->backend;
    struct pageblob_known *known = find_known(b, azure->op->item_id);
    if (known == NULL) {
        known = mem_take(sizeof *known);
        known->item_id = azure->op->item_id;
        list_push(&b->pageblobs, &known->link);
    }
    known->is_fresh = is_fresh;
    azure->pages.is_fresh = is_fresh;
}

static void
forget(struct azure_backend *b, uint64_t item_id)
{
    struct pageblob_known *known = find_known(b, item_id);
    if (known != NULL) {
        list_remove(&known->link);
        mem_give(known);
    }
}

void
pageblob_free(struct azure_backend *b)
{
    while (!list_is_empty(&b->pageblobs)) {
        mem_give(CONTAINER_OF(list_pop(&b->pageblobs), struct pageblob_known, link));
    }
}

/* ---- from one request to the next ---- */

/* False: the op has ended, for which op->err says the reason if there is one. */
static bool
go(struct azure_op *azure, enum pageblob_event event)
{
    struct blob_op *op = azure->op;
    struct pageblob *pages = &azure->pages;
    if (op->is_cancelled && event != PAGEBLOB_EV_END && op->err.code == ERR_OK) {
        (void)err_set(&op->err, ERR_INTERRUPTED, "stopped before '%s' was stored", op->name);
        event = PAGEBLOB_EV_END;
    }
    unsigned next = fsm_next(&pageblob_fsm, pages->state, event);
    ASSERT(next != PAGEBLOB_NONE);
    pages->state = next;
    azure->resent = 0;
    if (event == PAGEBLOB_EV_END) {
        return false;
    }
    struct err err = ERR_NONE;
    if (pageblob_requests[next].ask(azure, &err) != ERR_OK) {
        op->err = err;
        return false;
    }
    return azure_start(azure);
}

static bool
end_with_other_writer(struct azure_op *azure)
{
    (void)err_set(&azure->op->err, ERR_OTHER_WRITER, "another writer changed '%s' meanwhile",
                  azure->op->name);
    return go(azure, PAGEBLOB_EV_END);
}

/* Send what is left to send, and what follows then. */
static bool
go_on_writing(struct azure_op *azure)
{
    if (pageblob_next_stretch(azure)) {
        return go(azure, PAGEBLOB_EV_WRITE);
    }
    pageblob_finish_stretches(azure);
    bool is_put = azure->op->verb == BLOB_PUT;
    if (azure->op->err.code != ERR_OK) {
        return go(azure, is_put ? PAGEBLOB_EV_REMOVE : PAGEBLOB_EV_END);
    }
    return go(azure, is_put ? PAGEBLOB_EV_SEAL : PAGEBLOB_EV_END);
}

/* Made by this job, whichever run and item it was for. */
static bool
is_our_jobs(const struct azure_op *azure)
{
    const struct pageblob *pages = &azure->pages;
    return pages->is_found && pages->found.is_partial && pages->found.type == BLOB_TYPE_PAGE &&
           strcmp(pages->found.job, azure->op->nonce) == 0;
}

static bool
is_ours(const struct azure_op *azure)
{
    const struct blob_op *op = azure->op;
    const struct blob_props *found = &azure->pages.found;
    return is_our_jobs(azure) && found->stage_id == op->stage_id &&
           (op->props == NULL || found->size_bytes == op->props->size_bytes);
}

static bool
may_replace(const struct azure_op *azure)
{
    const struct blob_op *op = azure->op;
    const struct pageblob *pages = &azure->pages;
    switch (op->cond) {
    case BLOB_COND_ANY: return true;
    case BLOB_COND_ABSENT: return !pages->is_found || is_our_jobs(azure);
    case BLOB_COND_ETAG:
        return pages->is_found &&
               (azure_etag_equal(pages->etag, op->cond_etag) || is_our_jobs(azure));
    }
    return false;
}

static bool
looked_for_write(struct azure_op *azure)
{
    const struct blob_op *op = azure->op;
    if (!is_ours(azure)) {
        return may_replace(azure) ? go(azure, PAGEBLOB_EV_CREATE) : end_with_other_writer(azure);
    }
    if (azure->request.sequence != azure_sequence(op->nonce, op->stage_id)) {
        return go(azure, PAGEBLOB_EV_NUMBER); /* a commit was begun and not ended */
    }
    know(azure, azure->pages.found.stage_session == azure->backend->end->session);
    return go_on_writing(azure);
}

/* Blocks are written whole before they are recorded: with the blob they are all there. */
static bool
looked_for_blocks(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    uint8_t bits = is_ours(azure) ? 0xff : 0;
    memset(op->block_bits, bits, op->block_count / 8);
    if (op->block_count % 8 != 0) {
        op->block_bits[op->block_count / 8] = (uint8_t)(bits & ((1U << (op->block_count % 8)) - 1));
    }
    return go(azure, PAGEBLOB_EV_END);
}

static bool
on_looked(struct azure_op *azure, bool is_found)
{
    struct blob_op *op = azure->op;
    struct pageblob *pages = &azure->pages;
    pages->is_found = is_found;
    memcpy(pages->etag, azure->request.etag, sizeof pages->etag);
    azure_props_finish(&pages->found);
    switch (op->verb) {
    case BLOB_WRITE: return looked_for_write(azure);
    case BLOB_BLOCKS: return looked_for_blocks(azure);
    case BLOB_DISCARD: return go(azure, is_ours(azure) ? PAGEBLOB_EV_REMOVE : PAGEBLOB_EV_END);
    case BLOB_COMMIT:
        if (!is_ours(azure)) {
            return end_with_other_writer(azure);
        }
        return go(azure, op->props->has_md5 ? PAGEBLOB_EV_DESCRIBE : PAGEBLOB_EV_RESET);
    default: break;
    }
    /* A PUT whose condition failed: on its own try before, perhaps. Then from the beginning. */
    return is_our_jobs(azure) ? go(azure, PAGEBLOB_EV_CREATE) : end_with_other_writer(azure);
}

static bool
on_created(struct azure_op *azure)
{
    if (azure->op->verb == BLOB_PUT && pageblob_is_all_zero(azure->op)) {
        azure->pages.is_fresh = true;
        (void)pageblob_next_stretch(azure); /* for the sums: there is none */
        pageblob_finish_stretches(azure);
        memcpy(azure->op->etag, azure->pages.etag, sizeof azure->op->etag);
        return go(azure, PAGEBLOB_EV_END);
    }
    if (azure->op->verb == BLOB_PUT) {
        azure->pages.is_fresh = true;
        azure->pages.end = 0;
        azure->pages.crc64 = CRC64_EMPTY;
        azure->pages.is_unchecked = false;
    } else {
        know(azure, true);
    }
    return go_on_writing(azure);
}

static bool
on_written(struct azure_op *azure)
{
    struct pageblob *pages = &azure->pages;
    struct blob_op *op = azure->op;
    uint32_t len = pages->end - pages->begin;
    if (pages->is_clearing) {
        pages->crc64 = crc64_combine(pages->crc64, crc64_zeros(len), len);
        return go_on_writing(azure);
    }
    op->checked = BLOB_CHECKED_NO;
    if (!azure_take_checksum(azure, pages->range_crc64)) {
        return go(azure, op->verb == BLOB_PUT ? PAGEBLOB_EV_REMOVE : PAGEBLOB_EV_END);
    }
    pages->is_unchecked = pages->is_unchecked || op->checked == BLOB_CHECKED_NO;
    pages->crc64 = crc64_combine(pages->crc64, pages->range_crc64, len);
    return go_on_writing(azure);
}

static bool
on_sealed(struct azure_op *azure)
{
    struct blob_op *op = azure->op;
    memcpy(op->etag, azure->pages.etag, sizeof op->etag);
    if (op->verb == BLOB_COMMIT) {
        forget(azure->backend, op->item_id);
    }
    return go(azure, PAGEBLOB_EV_END);
}

/* The request has done what it was for. */
static bool
on_answered(struct azure_op *azure)
{
    struct pageblob *pages = &azure->pages;
    if (pages->state != PAGEBLOB_LOOKING) {
        memcpy(pages->etag, azure->request.etag, sizeof pages->etag);
    }
    switch (pages->state) {
    case PAGEBLOB_LOOKING: return on_looked(azure, true);
    case PAGEBLOB_CREATING: return on_created(azure);
    case PAGEBLOB_WRITING: return on_written(azure);
    case PAGEBLOB_DESCRIBING: return go(azure, PAGEBLOB_EV_RESET);
    case PAGEBLOB_RESETTING: return go(azure, PAGEBLOB_EV_SEAL);
    case PAGEBLOB_SEALING: return on_sealed(azure);
    case PAGEBLOB_NUMBERING:
        know(azure, pages->found.stage_session == azure->backend->end->session);
        return go_on_writing(azure);
    case PAGEBLOB_NONE:
    case PAGEBLOB_REMOVING:
    case PAGEBLOB_ENDED:
    case PAGEBLOB_STATE_COUNT: break;
    }
    return go(azure, PAGEBLOB_EV_END);
}

/* op->err says what the store refused. */
static bool
on_refused(struct azure_op *azure, enum err_code code)
{
    struct pageblob *pages = &azure->pages;
    struct blob_op *op = azure->op;
    bool is_on_etag = pages->state != PAGEBLOB_LOOKING &&
                      (pages->state != PAGEBLOB_WRITING || op->verb == BLOB_PUT);
    if (pages->state == PAGEBLOB_LOOKING && code == ERR_ITEM_GONE) {
        op->err = ERR_NONE;
        return on_looked(azure, false);
    }
    /* The transport may have sent it twice, the first time with success; or another lane was here.
     */
    if (is_on_etag && code == ERR_OTHER_WRITER && pages->look_count < LOOKS_MAX) {
        op->err = ERR_NONE;
        return go(azure, PAGEBLOB_EV_LOOK);
    }
    bool is_half_done = pages->state == PAGEBLOB_WRITING || pages->state == PAGEBLOB_SEALING;
    if (op->verb == BLOB_PUT && is_half_done && err_class(code) == ERR_CLASS_ITEM &&
        code != ERR_OTHER_WRITER) {
        return go(azure, PAGEBLOB_EV_REMOVE);
    }
    return go(azure, PAGEBLOB_EV_END);
}

/* Ours has this size and type; what has another one has been put in its place. */
static bool
is_of_another(const struct azure_op *azure)
{
    const struct azure_request *request = &azure->request;
    return strcmp(request->code, "InvalidBlobType") == 0 ||
           (azure->pages.state == PAGEBLOB_WRITING && request->http.status == 416);
}

void
pageblob_on_done(struct azure_op *azure)
{
    struct azure_request *request = &azure->request;
    struct blob_op *op = azure->op;
    struct pageblob *pages = &azure->pages;
    struct err err = ERR_NONE;
    enum err_code code = azure_request_judge(request, pageblob_requests[pages->state].verb,
                                             pageblob_requests[pages->state].words, op->name, &err);
    if (is_of_another(azure)) {
        code = err.code = ERR_OTHER_WRITER;
    }
    op->retry_after_ns = request->retry_after_ns;
    op->sent_ns = request->http.body_sent_ns;
    bool goes_on = false;
    if (pages->state == PAGEBLOB_REMOVING) {
        goes_on = go(azure, PAGEBLOB_EV_END); /* the reason is in err already */
    } else if (code == ERR_OK) {
        goes_on = on_answered(azure);
    } else if (azure_may_resend(azure, code)) {
        goes_on =
            pageblob_requests[pages->state].ask(azure, &op->err) == ERR_OK && azure_start(azure);
    } else {
        op->err = err;
        goes_on = on_refused(azure, code);
    }
    if (!goes_on) {
        azure_complete(azure);
    }
}

/* ---- the op ---- */

bool
pageblob_serves(const struct blob_op *op)
{
    bool is_written = op->verb == BLOB_PUT || op->verb == BLOB_WRITE || op->verb == BLOB_COMMIT ||
                      op->verb == BLOB_BLOCKS || op->verb == BLOB_DISCARD;
    return is_written && op->type == BLOB_TYPE_PAGE;
}

bool
pageblob_begin(struct azure_op *azure)
{
    struct azure_backend *b = azure->backend;
    const struct blob_op *op = azure->op;
    azure->pages = (struct pageblob){.crc64 = CRC64_EMPTY};
    const struct pageblob_known *known = find_known(b, op->item_id);
    azure->pages.is_fresh = known != NULL && known->is_fresh;
    switch (op->verb) {
    case BLOB_PUT: return go(azure, PAGEBLOB_EV_CREATE);
    case BLOB_WRITE: return known != NULL ? go_on_writing(azure) : go(azure, PAGEBLOB_EV_LOOK);
    case BLOB_DISCARD:
        forget(b, op->item_id);
        return go(azure, known != NULL ? PAGEBLOB_EV_LOOK : PAGEBLOB_EV_END);
    default: return go(azure, PAGEBLOB_EV_LOOK);
    }
}
