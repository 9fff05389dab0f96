#include "base/arena.h"
#include "base/crc64.h"
#include "storage/wrap/unzstd_frames.h"
#include "tests/support/memory_end.h"

#include <stdio.h>
#include <string.h>

#define BLOBS_FIRST 64U

static uint64_t
hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    }
    return hash;
}

void
memory_store_init(struct memory_store *store, uint64_t seed)
{
    *store = (struct memory_store){.room = BLOBS_FIRST};
    store->blobs = mem_take(store->room * sizeof *store->blobs);
    list_init(&store->staged);
    chance_init(&store->chance, seed);
}

void
memory_store_free_staged(struct memory_staged *staged)
{
    list_remove(&staged->link);
    mem_give(staged->name);
    mem_give(staged->bytes);
    mem_give(staged);
}

void
memory_store_done(struct memory_store *store)
{
    for (unsigned i = 0; i < store->count; i++) {
        mem_give(store->blobs[i]->name);
        mem_give(store->blobs[i]->bytes);
        mem_give(store->blobs[i]);
    }
    store->blobs = mem_give(store->blobs);
    while (!list_is_empty(&store->staged)) {
        memory_store_free_staged(CONTAINER_OF(store->staged.next, struct memory_staged, link));
    }
}

/* Also finds what was removed. */
static struct memory_blob *
find_any(const struct memory_store *store, const char *name)
{
    uint64_t hash = hash_of(name);
    for (unsigned i = 0; i < store->count; i++) {
        struct memory_blob *blob = store->blobs[i];
        if (blob->hash == hash && strcmp(blob->name, name) == 0) {
            return blob;
        }
    }
    return NULL;
}

struct memory_blob *
memory_store_find(const struct memory_store *store, const char *name)
{
    struct memory_blob *blob = find_any(store, name);
    return blob != NULL && blob->exists ? blob : NULL;
}

static struct memory_blob *
add_blob(struct memory_store *store, const char *name)
{
    if (store->count == store->room) {
        size_t old_bytes = store->room * sizeof *store->blobs;
        store->blobs = mem_resize(store->blobs, old_bytes, old_bytes * 2);
        store->room *= 2;
    }
    struct memory_blob *blob = mem_take(sizeof *blob);
    *blob = (struct memory_blob){.name = mem_text(name), .hash = hash_of(name), .kind = ENTRY_ITEM};
    store->blobs[store->count++] = blob;
    return blob;
}

struct memory_blob *
memory_store_set(struct memory_store *store, const char *name, uint8_t *bytes, uint64_t len,
                 const struct blob_props *props)
{
    struct memory_blob *blob = find_any(store, name);
    blob = blob == NULL ? add_blob(store, name) : blob;
    mem_give(blob->bytes);
    blob->bytes = bytes;
    blob->exists = true;
    blob->stage_id = 0;
    blob->is_recorded = false;
    blob->props = *props;
    bool is_packed = props->content_encoding != NULL && props->original_bytes != len;
    blob->props.size_bytes = len;
    blob->props.original_bytes = is_packed ? props->original_bytes : len;
    blob->props.modified_ns = props->mtime_ns;
    blob->props.crc64 = is_packed ? props->crc64 : crc64(CRC64_EMPTY, bytes, len);
    blob->props.content_type = NULL;
    blob->props.content_encoding = is_packed ? "zstd" : NULL;
    blob->props.extra_metadata = NULL;
    blob->props.extra_metadata_len = 0;
    (void)snprintf(blob->props.etag, sizeof blob->props.etag, "\"0x%llX\"",
                   (unsigned long long)++store->last_etag);
    return blob;
}

uint8_t *
memory_store_original(const struct memory_blob *blob)
{
    uint64_t len = blob->props.original_bytes;
    uint8_t *bytes = mem_take(len + 1);
    struct err err = ERR_NONE;
    if (!blob_is_packed(&blob->props)) {
        memcpy(bytes, blob->bytes, len);
        return bytes;
    }
    struct frames *frames = frames_new();
    enum err_code code =
        frames_decode(frames, blob->bytes, blob->props.size_bytes, bytes, len, &err);
    frames_free(frames);
    return code == ERR_OK ? bytes : mem_give(bytes);
}

/* ---- staged blocks ---- */

struct memory_staged *
memory_store_find_staged(const struct memory_store *store, const char *name, const char *nonce,
                         uint64_t stage_id, uint32_t index)
{
    for (struct list *at = store->staged.next; at != &store->staged; at = at->next) {
        struct memory_staged *staged = CONTAINER_OF(at, struct memory_staged, link);
        if (staged->stage_id == stage_id && staged->index == index &&
            strcmp(staged->nonce, nonce) == 0 && strcmp(staged->name, name) == 0) {
            return staged;
        }
    }
    return NULL;
}

/* NULL stands for any. */
void
memory_store_drop_staged(struct memory_store *store, const char *name, const char *nonce,
                         uint64_t stage_id)
{
    struct list *next = NULL;
    for (struct list *at = store->staged.next; at != &store->staged; at = next) {
        struct memory_staged *staged = CONTAINER_OF(at, struct memory_staged, link);
        next = at->next;
        if ((name == NULL || strcmp(staged->name, name) == 0) &&
            (nonce == NULL || strcmp(staged->nonce, nonce) == 0) &&
            (stage_id == 0 || staged->stage_id == stage_id)) {
            memory_store_free_staged(staged);
        }
    }
}

void
memory_store_sync(struct memory_store *store)
{
    for (struct list *at = store->staged.next; at != &store->staged; at = at->next) {
        CONTAINER_OF(at, struct memory_staged, link)->is_synced = true;
    }
}

void
memory_store_lose(struct memory_store *store)
{
    struct list *next = NULL;
    for (struct list *at = store->staged.next; at != &store->staged; at = next) {
        struct memory_staged *staged = CONTAINER_OF(at, struct memory_staged, link);
        next = at->next;
        uint64_t fate = staged->is_synced ? 0 : chance_below(&store->chance, 3);
        if (fate == 1) {
            memory_store_free_staged(staged);
        } else if (fate == 2) {
            staged->len_bytes = (uint32_t)chance_below(&store->chance, staged->len_bytes + 1);
        }
    }
}

/* ---- what the verbs do ---- */

static void
tell_broken(const struct memory_store *store, const struct blob_op *op, const char *words)
{
    char text[512];
    if (store->hooks.broken != NULL) {
        (void)snprintf(text, sizeof text, "%s of '%s'", words, op->name);
        store->hooks.broken(store->hooks.user, text);
    }
}

static void
check_bytes(const struct memory_store *store, const struct blob_op *op)
{
    uint8_t md5[MD5_BYTES];
    struct err err = ERR_NONE;
    if (crc64(CRC64_EMPTY, op->buf, op->len_bytes) != op->crc64) {
        tell_broken(store, op, "bytes were sent that do not match their CRC");
    }
    if (op->md5 != NULL && (digest_md5(op->buf, op->len_bytes, md5, &err) != ERR_OK ||
                            memcmp(md5, op->md5, sizeof md5) != 0)) {
        tell_broken(store, op, "bytes were sent that do not match their MD5");
    }
}

static bool
may_replace(const struct memory_store *store, struct blob_op *op)
{
    const struct memory_blob *blob = memory_store_find(store, op->name);
    bool may = true;
    if (op->cond == BLOB_COND_ABSENT) {
        may = blob == NULL;
    } else if (op->cond == BLOB_COND_ETAG) {
        may = blob != NULL && strcmp(blob->props.etag, op->cond_etag) == 0;
    }
    if (!may) {
        (void)err_set(&op->err, ERR_OTHER_WRITER, "the condition on '%s' is not met", op->name);
    }
    return may;
}

/* As a store does: whatever was staged under the name is forgotten with the new content. */
static void
publish(struct memory_store *store, struct blob_op *op, uint8_t *bytes, uint64_t len)
{
    if (len != op->props->size_bytes) {
        tell_broken(store, op, "an item was published that has not its size");
    }
    if (op->type != op->props->type || (op->type == BLOB_TYPE_PAGE && len % BLOB_PAGE_BYTES != 0)) {
        tell_broken(store, op, "an item was published that its type does not fit");
    }
    if (store->hooks.sent != NULL) {
        store->hooks.sent(store->hooks.user, op, NULL);
    }
    struct memory_blob *blob = memory_store_set(store, op->name, bytes, len, op->props);
    uint8_t *original = memory_store_original(blob);
    if (original == NULL ||
        (op->props->has_crc64 &&
         op->props->crc64 != crc64(CRC64_EMPTY, original, blob->props.original_bytes))) {
        tell_broken(store, op, "an item was published that does not match its CRC");
    }
    mem_give(original);
    blob->stage_id = op->verb == BLOB_COMMIT ? op->stage_id : 0;
    memcpy(op->etag, blob->props.etag, sizeof op->etag);
    if (store->hooks.visible != NULL) {
        store->hooks.visible(store->hooks.user, blob);
    }
}

static void
put(struct memory_store *store, const struct end_caps *caps, struct blob_op *op)
{
    check_bytes(store, op);
    if (may_replace(store, op)) {
        uint8_t *bytes = mem_take(op->len_bytes + 1);
        memcpy(bytes, op->buf, op->len_bytes);
        op->moved_bytes = op->len_bytes;
        op->checked = caps->checks_transit ? BLOB_CHECKED_CRC64 : BLOB_CHECKED_NO;
        publish(store, op, bytes, op->len_bytes);
        memory_store_drop_staged(store, op->name, NULL, 0);
    }
}

static void
write(struct memory_store *store, const struct end_caps *caps, struct blob_op *op)
{
    struct memory_staged *staged =
        memory_store_find_staged(store, op->name, op->nonce, op->stage_id, op->block_index);
    bool is_page = op->type == BLOB_TYPE_PAGE;
    if (is_page && (op->offset_bytes % BLOB_PAGE_BYTES != 0 || op->props->type != op->type)) {
        tell_broken(store, op, "a block was sent that does not begin with a page");
    }
    if (store->hooks.sent != NULL) {
        store->hooks.sent(store->hooks.user, op, staged);
    }
    if (staged == NULL) {
        staged = mem_take(sizeof *staged);
        *staged = (struct memory_staged){
            .name = mem_text(op->name), .stage_id = op->stage_id, .index = op->block_index};
        memcpy(staged->nonce, op->nonce, sizeof staged->nonce);
        list_push(&store->staged, &staged->link);
    }
    mem_give(staged->bytes);
    staged->bytes = mem_take(op->len_bytes + 1);
    if (!op->is_zero || caps->needs_zeros) {
        memcpy(staged->bytes, op->buf, op->len_bytes);
    }
    staged->len_bytes = op->len_bytes;
    staged->is_synced = false;
    op->moved_bytes = op->len_bytes;
    op->checked = caps->checks_transit ? BLOB_CHECKED_CRC64 : BLOB_CHECKED_NO;
}

/* A commit whose answer was lost may be said again: the blocks are in the item already. */
static bool
is_committed_already(const struct memory_blob *blob, const struct blob_op *op)
{
    return blob->stage_id == op->stage_id && strcmp(blob->props.job, op->nonce) == 0 &&
           blob->props.size_bytes == op->props->size_bytes;
}

static void
commit(struct memory_store *store, struct blob_op *op)
{
    uint64_t size_bytes = op->props->size_bytes;
    if (!may_replace(store, op)) {
        return;
    }
    const struct memory_blob *blob = memory_store_find(store, op->name);
    if (blob != NULL && is_committed_already(blob, op)) {
        memcpy(op->etag, blob->props.etag, sizeof op->etag);
        return;
    }
    uint8_t *bytes = mem_take(size_bytes + 1);
    uint64_t at = 0;
    for (uint32_t i = 0; i < op->block_count; i++) {
        const struct memory_staged *staged =
            memory_store_find_staged(store, op->name, op->nonce, op->stage_id, i);
        if (staged == NULL || staged->len_bytes != blob_block_len(op, i)) {
            mem_give(bytes);
            (void)err_set(&op->err, ERR_ITEM_REFUSED, "block %u of '%s' is not there", i, op->name);
            return;
        }
        memcpy(bytes + at, staged->bytes, staged->len_bytes);
        at += staged->len_bytes;
    }
    publish(store, op, bytes, at);
    memory_store_drop_staged(store, op->name, NULL, 0);
}

static void
list_blocks(const struct memory_store *store, struct blob_op *op)
{
    memset(op->block_bits, 0, (op->block_count + 7) / 8);
    for (uint32_t i = 0; i < op->block_count; i++) {
        const struct memory_staged *staged =
            memory_store_find_staged(store, op->name, op->nonce, op->stage_id, i);
        bool is_whole = staged != NULL && staged->len_bytes == blob_block_len(op, i);
        op->block_bits[i >> 3] |= (uint8_t)((unsigned)is_whole << (i & 7));
    }
}

static void
stat(const struct memory_store *store, struct blob_op *op)
{
    const struct memory_blob *blob = memory_store_find(store, op->name);
    if (blob == NULL) {
        (void)err_set(&op->err, ERR_ITEM_GONE, "there is no '%s'", op->name);
        return;
    }
    memcpy(op->etag, blob->props.etag, sizeof op->etag);
    if (op->ret_props != NULL) {
        *op->ret_props = blob->props;
    }
}

static bool
is_as_listed(const struct memory_blob *blob, const struct blob_props *listed)
{
    return listed == NULL ||
           (listed->size_bytes == blob->props.size_bytes &&
            listed->mtime_ns == blob->props.mtime_ns &&
            (listed->etag[0] == '\0' || strcmp(listed->etag, blob->props.etag) == 0));
}

/* A hole is told as such, with rubbish in the buffer, because that is allowed. */
static void
tell_hole(struct memory_store *store, struct blob_op *op)
{
    const uint8_t *bytes = op->buf;
    uint32_t i = 0;
    while (i < op->moved_bytes && bytes[i] == 0) {
        i++;
    }
    if (i == op->moved_bytes && i > 0 && chance_below(&store->chance, 2) == 0) {
        op->is_zero = true;
        memset(op->buf, 0xa5, op->moved_bytes);
    }
}

static void
read(struct memory_store *store, struct blob_op *op)
{
    const struct memory_blob *blob = memory_store_find(store, op->name);
    if (blob == NULL) {
        (void)err_set(&op->err, ERR_ITEM_GONE, "there is no '%s'", op->name);
    } else if (blob->error != ERR_OK &&
               (blob->good_bytes == 0 || op->offset_bytes + op->len_bytes > blob->good_bytes)) {
        (void)err_set(&op->err, blob->error, "'%s' cannot be read", op->name);
    } else if (!is_as_listed(blob, op->props)) {
        (void)err_set(&op->err, ERR_ITEM_CHANGED, "'%s' changed while it was read", op->name);
    } else if (op->offset_bytes + op->len_bytes > blob->props.size_bytes) {
        tell_broken(store, op, "a read goes beyond the end");
        (void)err_set(&op->err, ERR_ITEM_CHANGED, "'%s' is shorter", op->name);
    } else {
        memcpy(op->buf, blob->bytes + op->offset_bytes, op->len_bytes);
        op->moved_bytes = op->len_bytes;
        tell_hole(store, op);
    }
}

static void
remove_blob(struct memory_store *store, struct blob_op *op)
{
    struct memory_blob *blob = memory_store_find(store, op->name);
    if (blob == NULL) {
        (void)err_set(&op->err, ERR_ITEM_GONE, "there is no '%s'", op->name);
    } else {
        blob->exists = false;
    }
}

void
memory_store_apply(struct memory_store *store, const struct end_caps *caps, struct blob_op *op)
{
    switch (op->verb) {
    case BLOB_STAT: stat(store, op); break;
    case BLOB_READ: read(store, op); break;
    case BLOB_PUT: put(store, caps, op); break;
    case BLOB_WRITE: write(store, caps, op); break;
    case BLOB_COMMIT: commit(store, op); break;
    case BLOB_BLOCKS: list_blocks(store, op); break;
    case BLOB_REMOVE: remove_blob(store, op); break;
    case BLOB_DISCARD:
        if (caps->is_local) {
            memory_store_drop_staged(store, op->name, op->nonce, op->stage_id);
        }
        break;
    case BLOB_ADOPT:
    case BLOB_VERB_COUNT: break;
    }
}
