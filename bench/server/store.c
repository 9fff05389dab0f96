#include "bench/server/store.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct piece *
piece_new(uint64_t len, bool has_bytes)
{
    struct piece *piece = mem_take(sizeof *piece + (has_bytes ? len : 0));
    atomic_init(&piece->refs, 1);
    piece->has_bytes = has_bytes;
    piece->len = len;
    return piece;
}

struct piece *
piece_take(struct piece *piece)
{
    atomic_fetch_add(&piece->refs, 1);
    return piece;
}

struct piece *
piece_give(struct piece *piece)
{
    if (piece != NULL && atomic_fetch_sub(&piece->refs, 1) == 1) {
        mem_give(piece);
    }
    return NULL;
}

struct blob_data *
data_new(uint32_t part_count)
{
    struct blob_data *data = mem_take(sizeof *data + part_count * sizeof data->parts[0]);
    atomic_init(&data->refs, 1);
    data->part_count = part_count;
    data->has_bytes = true;
    return data;
}

struct blob_data *
data_take(struct blob_data *data)
{
    if (data != NULL) {
        atomic_fetch_add(&data->refs, 1);
    }
    return data;
}

struct blob_data *
data_give(struct blob_data *data)
{
    if (data != NULL && atomic_fetch_sub(&data->refs, 1) == 1) {
        for (uint32_t i = 0; i < data->part_count; i++) {
            piece_give(data->parts[i].piece);
            mem_give(data->parts[i].id);
        }
        mem_give(data);
    }
    return NULL;
}

void
props_add(struct props *props, const char *name, const char *value)
{
    size_t name_len = strlen(name) + 1;
    size_t value_len = strlen(value) + 1;
    props->bytes = mem_resize(props->bytes, props->len, props->len + name_len + value_len);
    (void)memcpy(props->bytes + props->len, name, name_len);
    (void)memcpy(props->bytes + props->len + name_len, value, value_len);
    props->len += name_len + value_len;
}

const char *
props_next(const struct props *props, const char *at, const char **ret_value)
{
    const char *end = props->bytes + props->len;
    if (props->len == 0) {
        return NULL;
    }
    if (at == NULL) {
        at = props->bytes;
    } else {
        at += strlen(at) + 1;
        at += strlen(at) + 1;
    }
    if (at >= end) {
        return NULL;
    }
    *ret_value = at + strlen(at) + 1;
    return at;
}

const char *
props_find(const struct props *props, const char *name)
{
    const char *value = NULL;
    for (const char *at = NULL; (at = props_next(props, at, &value)) != NULL;) {
        if (strcasecmp(at, name) == 0) {
            return value;
        }
    }
    return NULL;
}

void
props_done(struct props *props)
{
    mem_give(props->bytes);
    *props = (struct props){0};
}

static void
block_free(struct table_node *node)
{
    struct block *block = CONTAINER_OF(node, struct block, node);
    piece_give(block->piece);
    mem_give(node->key);
    mem_give(block);
}

static void
blob_free(struct table_node *node)
{
    struct blob *blob = CONTAINER_OF(node, struct blob, node);
    table_clear(&blob->blocks, block_free);
    data_give(blob->data);
    props_done(&blob->props);
    mem_give(blob->page_bits);
    mem_give(node->key);
    mem_give(blob);
}

static void
container_free(struct table_node *node)
{
    struct container *container = CONTAINER_OF(node, struct container, node);
    container_clear(container);
    props_done(&container->props);
    (void)pthread_mutex_destroy(&container->lock);
    mem_give(node->key);
    mem_give(container);
}

void
store_init(struct store *store, enum store_mode mode)
{
    *store = (struct store){.mode = mode};
    /* Etags differ between two servers, so that a client that mixes them up is found out. */
    atomic_init(&store->etag, (uint64_t)clock_wall_ns(&clock_system) >> 10);
    (void)pthread_mutex_init(&store->lock, NULL);
}

void
store_done(struct store *store)
{
    table_clear(&store->containers, container_free);
    (void)pthread_mutex_destroy(&store->lock);
}

uint64_t
store_next_etag(struct store *store)
{
    return atomic_fetch_add(&store->etag, 1);
}

static struct container *
container_new(struct store *store, const char *key)
{
    struct container *container = mem_take(sizeof *container);
    (void)pthread_mutex_init(&container->lock, NULL);
    table_add(&store->containers, &container->node, key);
    return container;
}

struct container *
store_lock(struct store *store, const char *account, const char *name, bool create,
           bool *ret_is_new)
{
    AUTO_TEXT key = TEXT_INIT;
    text_add_str(&key, account);
    text_add_char(&key, '/');
    text_add_str(&key, name);
    (void)pthread_mutex_lock(&store->lock);
    struct table_node *node = table_find(&store->containers, text_str(&key));
    struct container *container = node == NULL ? NULL : CONTAINER_OF(node, struct container, node);
    if (container == NULL && create) {
        container = container_new(store, text_str(&key));
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (container == NULL) {
        return NULL;
    }
    (void)pthread_mutex_lock(&container->lock);
    bool is_new = !container->is_there;
    if (is_new && !create) {
        store_unlock(container);
        return NULL;
    }
    if (is_new) {
        container->is_there = true;
        container->etag = store_next_etag(store);
        container->modified_ns = clock_wall_ns(&clock_system);
    }
    if (ret_is_new != NULL) {
        *ret_is_new = is_new;
    }
    return container;
}

void
store_unlock(struct container *container)
{
    (void)pthread_mutex_unlock(&container->lock);
}

void
container_clear(struct container *container)
{
    table_clear(&container->blobs, blob_free);
    container->sorted = mem_give(container->sorted);
    container->sorted_count = 0;
    container->is_sorted = false;
}

struct blob *
container_find(struct container *container, const char *name)
{
    struct table_node *node = table_find(&container->blobs, name);
    return node == NULL ? NULL : CONTAINER_OF(node, struct blob, node);
}

struct blob *
container_find_committed(struct container *container, const char *name)
{
    struct blob *blob = container_find(container, name);
    return blob != NULL && blob->is_committed ? blob : NULL;
}

struct blob *
container_add(struct container *container, const char *name)
{
    struct blob *blob = mem_take(sizeof *blob);
    table_add(&container->blobs, &blob->node, name);
    container->is_sorted = false;
    return blob;
}

void
container_remove(struct container *container, const char *name)
{
    struct table_node *node = table_remove(&container->blobs, name);
    if (node != NULL) {
        blob_free(node);
        container->is_sorted = false;
    }
}

static int
by_name(const void *a, const void *b)
{
    const struct blob *const *left = a;
    const struct blob *const *right = b;
    return strcmp((*left)->node.key, (*right)->node.key);
}

void
container_sort(struct container *container)
{
    size_t count = 0;
    if (container->is_sorted) {
        return;
    }
    mem_give(container->sorted);
    container->sorted = mem_take((container->blobs.count + 1) * sizeof *container->sorted);
    for (size_t i = 0; i < container->blobs.slot_count; i++) {
        for (struct table_node *at = container->blobs.slots[i]; at != NULL; at = at->next) {
            container->sorted[count++] = CONTAINER_OF(at, struct blob, node);
        }
    }
    qsort(container->sorted, count, sizeof *container->sorted, by_name);
    container->sorted_count = count;
    container->is_sorted = true;
}

void
blob_touch(struct store *store, struct blob *blob)
{
    blob->etag = store_next_etag(store);
    blob->modified_ns = clock_wall_ns(&clock_system);
}

void
blob_commit(struct store *store, struct blob *blob, struct blob_data *data, struct props *props)
{
    data_give(blob->data);
    props_done(&blob->props);
    table_clear(&blob->blocks, block_free);
    blob->data = data;
    blob->size_bytes = data->len;
    blob->props = *props;
    blob->block_id_len = 0;
    blob->is_page = false;
    blob->sequence = 0;
    blob->page_bits = mem_give(blob->page_bits);
    *props = (struct props){0};
    blob_touch(store, blob);
    if (!blob->is_committed) {
        blob->created_ns = blob->modified_ns;
        blob->is_committed = true;
    }
}

void
blob_add_block(struct blob *blob, const char *id, struct piece *piece)
{
    struct table_node *node = table_find(&blob->blocks, id);
    struct block *block = node == NULL ? NULL : CONTAINER_OF(node, struct block, node);
    if (block == NULL) {
        block = mem_take(sizeof *block);
        block->order = blob->block_order++;
        table_add(&blob->blocks, &block->node, id);
    }
    piece_give(block->piece);
    block->piece = piece;
    blob->block_id_len = strlen(id);
}

void
blob_commit_pages(struct store *store, struct blob *blob, uint64_t len, struct props *props)
{
    bool has_bytes = store->mode == STORE_KEEP;
    struct blob_data *data = data_new(1);
    data->parts[0].piece = piece_new(len, has_bytes);
    data->has_bytes = has_bytes;
    data->len = len;
    blob_commit(store, blob, data, props);
    blob->is_page = true;
    blob->page_bits = mem_take(len / STORE_PAGE_BYTES / 8 + 1);
}

static bool
is_written(const struct blob *blob, uint64_t page)
{
    return (blob->page_bits[page >> 3] >> (page & 7) & 1) != 0;
}

/* An answer that is being sent keeps the bytes it began with. */
static char *
own_bytes(struct blob *blob)
{
    const struct piece *old = blob->data->parts[0].piece;
    if (atomic_load(&blob->data->refs) > 1) {
        struct blob_data *data = data_new(1);
        data->parts[0].piece = piece_new(old->len, true);
        data->len = old->len;
        (void)memcpy(data->parts[0].piece->bytes, old->bytes, old->len);
        data_give(blob->data);
        blob->data = data;
    }
    return blob->data->parts[0].piece->bytes;
}

void
blob_write_pages(struct blob *blob, uint64_t offset, const char *bytes, uint64_t len)
{
    if (blob->data->has_bytes) {
        char *own = own_bytes(blob);
        if (bytes == NULL) {
            memset(own + offset, 0, len);
        } else {
            (void)memcpy(own + offset, bytes, len);
        }
    }
    for (uint64_t page = offset / STORE_PAGE_BYTES; page * STORE_PAGE_BYTES < offset + len;
         page++) {
        uint8_t bit = (uint8_t)(1U << (page & 7));
        blob->page_bits[page >> 3] &= (uint8_t)~bit;
        blob->page_bits[page >> 3] |= bytes == NULL ? 0 : bit;
    }
}

bool
blob_next_pages(const struct blob *blob, uint64_t at, uint64_t end, uint64_t *ret_begin,
                uint64_t *ret_end)
{
    uint64_t page = at / STORE_PAGE_BYTES;
    while (page * STORE_PAGE_BYTES < end && !is_written(blob, page)) {
        page++;
    }
    *ret_begin = page * STORE_PAGE_BYTES;
    while (page * STORE_PAGE_BYTES < end && is_written(blob, page)) {
        page++;
    }
    *ret_end = page * STORE_PAGE_BYTES;
    return *ret_end > *ret_begin;
}
