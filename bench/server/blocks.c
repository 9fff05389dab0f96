/* Put Block List and Get Block List: blocks become a blob. */
#include "base/arena.h"
#include "bench/server/block_list.h"
#include "bench/server/request.h"
#include "bench/server/xml.h"

#include <stdlib.h>
#include <string.h>

/* The piece an entry means, or NULL. committed is sorted by id. */
static struct piece *
find_piece(const struct blob *blob, const struct block_entry *entry)
{
    struct table_node *node = table_find(&blob->blocks, entry->id);
    if (node != NULL && entry->from != BLOCK_COMMITTED) {
        return CONTAINER_OF(node, struct block, node)->piece;
    }
    if (entry->from == BLOCK_UNCOMMITTED || blob->data == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < blob->data->part_count; i++) {
        const struct part *part = &blob->data->parts[i];
        if (part->id != NULL && strcmp(part->id, entry->id) == 0) {
            return part->piece;
        }
    }
    return NULL;
}

static struct blob_data *
gather(const struct blob *blob, const struct block_list *list)
{
    struct blob_data *data = data_new((uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct piece *piece = find_piece(blob, &list->entries[i]);
        if (piece == NULL) {
            return data_give(data);
        }
        data->parts[i].piece = piece_take(piece);
        data->parts[i].id = mem_text(list->entries[i].id);
        data->len += piece->len;
        data->has_bytes = data->has_bytes && piece->has_bytes;
    }
    return data;
}

static void
commit(struct request *request, struct container *container, const struct block_list *list,
       struct props *props)
{
    struct blob *blob = container_find(container, request->blob);
    struct blob nothing = {0};
    if (!cond_allows_write(request, blob != NULL && blob->is_committed ? blob : NULL)) {
        return;
    }
    struct blob_data *data = gather(blob == NULL ? &nothing : blob, list);
    if (data == NULL) {
        answer_error(request, 400, "InvalidBlockList", "The specified block list is invalid.");
        return;
    }
    blob = blob == NULL ? container_add(container, request->blob) : blob;
    blob_commit(&request->site->store, blob, data, props);
    answer_status(request, 201);
    answer_etag(request, blob->etag, blob->modified_ns);
    body_answer_sums(request);
}

void
put_block_list(struct request *request)
{
    struct block_list list = {0};
    struct props props = {0};
    struct container *container = NULL;
    const struct text *body = &request->body.text;
    if (!block_list_parse(text_str(body), body->len, &list)) {
        answer_error(request, 400, "InvalidXmlDocument", "XML specified is not valid.");
    } else if (list.count > SERVER_BLOCKS_MAX) {
        answer_error(request, 400, "BlockListTooLong",
                     "The block list may not contain more than 50,000 blocks.");
    } else if (props_collect(request, &props) && (container = request_container(request)) != NULL) {
        steal(request, container);
        commit(request, container, &list, &props);
        store_unlock(container);
    }
    props_done(&props);
    block_list_done(&list);
}

static int
by_order(const void *a, const void *b)
{
    const struct block *const *left = a;
    const struct block *const *right = b;
    return (*left)->order < (*right)->order ? -1 : (*left)->order > (*right)->order;
}

static void
add_block(struct text *out, const char *id, uint64_t len)
{
    text_addf(out, "<Block><Name>%s</Name><Size>%llu</Size></Block>", id, (unsigned long long)len);
}

static void
add_uncommitted(struct text *out, const struct blob *blob)
{
    size_t count = 0;
    struct block **blocks = mem_take((blob->blocks.count + 1) * sizeof *blocks);
    for (size_t i = 0; i < blob->blocks.slot_count; i++) {
        for (struct table_node *at = blob->blocks.slots[i]; at != NULL; at = at->next) {
            blocks[count++] = CONTAINER_OF(at, struct block, node);
        }
    }
    qsort(blocks, count, sizeof *blocks, by_order);
    text_add_str(out, "<UncommittedBlocks>");
    for (size_t i = 0; i < count; i++) {
        add_block(out, blocks[i]->node.key, blocks[i]->piece->len);
    }
    text_add_str(out, "</UncommittedBlocks>");
    mem_give(blocks);
}

static void
add_committed(struct text *out, const struct blob *blob)
{
    text_add_str(out, "<CommittedBlocks>");
    for (uint32_t i = 0; blob->data != NULL && i < blob->data->part_count; i++) {
        const struct part *part = &blob->data->parts[i];
        if (part->id != NULL) {
            add_block(out, part->id, part->piece->len);
        }
    }
    text_add_str(out, "</CommittedBlocks>");
}

void
get_block_list(struct request *request)
{
    struct container *container = request_container(request);
    const char *type = "committed";
    if (container == NULL) {
        return;
    }
    if (query_find(request->head.query, "blocklisttype", &request->value)) {
        type = text_str(&request->value);
    }
    bool wants_all = strcmp(type, "all") == 0;
    bool wants_loose = wants_all || strcmp(type, "uncommitted") == 0;
    bool wants_committed = wants_all || strcmp(type, "committed") == 0;
    struct blob *blob = container_find(container, request->blob);
    if (!wants_loose && !wants_committed) {
        answer_error(request, 400, "InvalidQueryParameterValue",
                     "Value for one of the query parameters specified in the request URI is "
                     "invalid: blocklisttype.");
    } else if (blob == NULL || (!blob->is_committed && !wants_loose)) {
        answer_error(request, 404, "BlobNotFound", "The specified blob does not exist.");
    } else {
        struct text *out = &request->answer.body;
        AUTO_TEXT size = TEXT_INIT;
        answer_status(request, 200);
        if (blob->is_committed) {
            answer_etag(request, blob->etag, blob->modified_ns);
        }
        text_addf(&size, "%llu", (unsigned long long)blob->size_bytes);
        answer_field(request, "x-ms-blob-content-length", text_str(&size));
        text_add_str(out, XML_DECLARATION "<BlockList>");
        if (wants_committed) {
            add_committed(out, blob);
        }
        if (wants_loose) {
            add_uncommitted(out, blob);
        }
        text_add_str(out, "</BlockList>");
        answer_xml(request);
    }
    store_unlock(container);
}
