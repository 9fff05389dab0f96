#include "ingest/copy/scan.h"

#include "ingest/copy/compare.h"
#include "ingest/copy/mime.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/wrap.h"

#include <pthread.h>
#include <string.h>

#define PACK_BYTES_MIN 256U /* less is not worth the decompressing */

enum err_code
scan_init(struct scan *scan, const struct scan_options *options, struct err *err)
{
    *scan = (struct scan){.options = *options};
    list_init(&scan->free_batches);
    list_init(&scan->held);
    enum err_code code = mailbox_init(&scan->mailbox, err);
    if (code == ERR_OK && options->is_resumed) {
        code = plan_reader_open(options->plan_path, &scan->reader, err);
        scan->has_reader = code == ERR_OK;
    }
    bool needs_target =
        !options->is_fresh && (options->copy->overwrite != OVERWRITE_ALWAYS || options->is_resumed);
    scan->asks_each = needs_target && options->target->caps.is_local;
    scan->is_deciding = needs_target && !options->target->caps.is_local;
    return code;
}

void
scan_done(struct scan *scan)
{
    scan->lister = lister_close(scan->lister);
    if (scan->has_reader) {
        plan_reader_close(&scan->reader);
    }
    if (scan->has_known) {
        known_close(&scan->known);
    }
    mailbox_done(&scan->mailbox);
}

static bool
wants_folder(void *user, const char *folder)
{
    const struct scan *scan = user;
    return filter_walks(&scan->options.copy->filter, folder);
}

static void
post(struct scan *scan, struct batch *batch)
{
    batch->mail.kind = MAIL_BATCH;
    mailbox_post(scan->options.control, &batch->mail);
}

/* Apply what is known of the target to an item that was listed before it was known. */
static enum err_code
ask_known(struct scan *scan, struct batch *batch, struct item *item, struct err *err)
{
    struct blob_props found;
    bool is_found = false;
    if (item->state != ITEM_PENDING) {
        return ERR_OK;
    }
    enum err_code code = known_find(&scan->known, item->target, &found, &is_found, err);
    if (code != ERR_OK || !is_found) {
        return code;
    }
    enum target_says says = item_compare(scan->options.copy, scan->options.nonce, item, &found);
    if (says != TARGET_SAME && says != TARGET_KEEP) {
        item->needs_stat = true; /* the lane asks again: it needs the etag of that moment */
        return ERR_OK;
    }
    item_settle(batch, item, says, &found, found.etag, scan->options.nonce);
    return ERR_OK;
}

static enum err_code
ask_all(struct scan *scan, struct batch *batch, struct err *err)
{
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < batch->count && code == ERR_OK; i++) {
        struct item *item = &batch->items[i];
        if (scan->has_known) {
            code = ask_known(scan, batch, item, err);
        } else {
            item->needs_stat = item->state == ITEM_PENDING;
        }
    }
    return code;
}

static enum err_code
release_held(struct scan *scan, struct err *err)
{
    while (!list_is_empty(&scan->held)) {
        struct batch *batch = CONTAINER_OF(list_pop(&scan->held), struct batch, link);
        scan->held_count--;
        enum err_code code = ask_all(scan, batch, err);
        post(scan, batch);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

/* The first batches are full: list the target. The source has ended before: ask for each item. */
static enum err_code
decide(struct scan *scan, bool is_end, struct err *err)
{
    scan->is_deciding = false;
    if (!is_end) {
        enum err_code code =
            known_open(&scan->known, scan->options.known_path, scan->options.target, err);
        if (code != ERR_OK) {
            return err_wrap(err, "could not list the target");
        }
        scan->has_known = true;
    } else {
        scan->asks_each = true;
    }
    return release_held(scan, err);
}

static enum err_code
flush(struct scan *scan, bool is_last, struct err *err)
{
    struct batch *batch = scan->filling;
    scan->filling = NULL;
    batch->is_last = is_last;
    if (!scan->is_deciding) {
        post(scan, batch);
        return ERR_OK;
    }
    list_push(&scan->held, &batch->link);
    scan->held_count++;
    return is_last || scan->held_count >= SCAN_HELD_MAX ? decide(scan, is_last, err) : ERR_OK;
}

static const struct blob_props *
keep_props(struct arena *arena, const struct blob_props *props)
{
    struct blob_props *kept = arena_take(arena, sizeof *kept);
    *kept = *props;
    kept->content_type =
        props->content_type == NULL ? NULL : arena_text(arena, props->content_type);
    kept->content_encoding =
        props->content_encoding == NULL ? NULL : arena_text(arena, props->content_encoding);
    kept->extra_metadata =
        props->extra_metadata_len == 0
            ? NULL
            : arena_bytes(arena, props->extra_metadata, props->extra_metadata_len);
    return kept;
}

static enum err_code
look_up(struct scan *scan, struct batch *batch, struct item *item, struct err *err)
{
    bool is_found = false;
    /* An empty target has nothing of what the plan remembers, whoever emptied it. */
    if (scan->has_reader && !scan->options.is_fresh) {
        enum err_code code = plan_find_done(&scan->reader, &batch->arena, item, &is_found, err);
        if (code != ERR_OK || is_found) {
            return code;
        }
    }
    item->needs_stat = scan->asks_each;
    return scan->has_known ? ask_known(scan, batch, item, err) : ERR_OK;
}

/* What an earlier run, with another --memory, has begun goes on with the blocks it has. */
static enum err_code
keep_blocks(struct scan *scan, struct item *item, struct err *err)
{
    uint32_t block_bytes = 0;
    uint64_t blocks_max = scan->options.target->caps.blocks_max;
    if (!scan->has_reader ||
        plan_find_block_bytes(&scan->reader, item, &block_bytes, err) != ERR_OK) {
        return scan->has_reader ? err->code : ERR_OK;
    }
    uint64_t count = block_bytes == 0 ? 0 : (item->size_bytes + block_bytes - 1) / block_bytes;
    if (count > 1 && count <= (blocks_max == 0 ? UINT32_MAX : blocks_max) &&
        block_bytes <= scan->options.block_largest) {
        item->block_bytes = block_bytes;
        item->block_count = (uint32_t)count;
    }
    return ERR_OK;
}

static enum err_code
make_large(struct scan *scan, struct batch *batch, struct item *item, struct err *err)
{
    struct arena *arena = &batch->arena;
    enum err_code code = keep_blocks(scan, item, err);
    if (code != ERR_OK) {
        return code;
    }
    struct large *large = arena_take(arena, sizeof *large);
    large->crcs = arena_take(arena, item->block_count * sizeof *large->crcs);
    large->xxh3s = arena_take(arena, (size_t)item->block_count * XXH3_BYTES);
    large->is_stored = arena_take(arena, (item->block_count + 7) / 8);
    large->has_crc = arena_take(arena, (item->block_count + 7) / 8);
    large->is_there = arena_take(arena, (item->block_count + 7) / 8);
    large->is_checked = true;
    if (item->pack != PACK_NO) {
        large->lens = arena_take(arena, item->block_count * sizeof *large->lens);
    }
    batch->large = large;
    bool is_found = false;
    return scan->has_reader ? plan_find_large(&scan->reader, item, large, &is_found, err) : ERR_OK;
}

/* Not what is compressed already, by its encoding or by what it is said to be. */
static enum item_pack
choose_pack(const struct scan *scan, const struct item *item)
{
    const struct blob_props *source = item->source;
    if (scan->options.copy->compress_level == 0 || item->size_bytes < PACK_BYTES_MIN ||
        item->block_bytes > PACKER_BLOCK_MAX || item->type != BLOB_TYPE_BLOCK) {
        return PACK_NO;
    }
    if (item_unpacks(item)) {
        return item->block_count > 1 ? PACK_YES : PACK_TRY;
    }
    if (source != NULL && source->content_encoding != NULL) {
        return PACK_NO;
    }
    bool is_typed = source != NULL && source->content_type != NULL;
    return mime_is_packed(is_typed ? source->content_type : mime_of(item->name)) ? PACK_NO
                                                                                 : PACK_TRY;
}

static void
count_encoded(struct scan *scan, const struct blob_props *props)
{
    bool is_encoded = props->content_encoding != NULL &&
                      strcmp(props->content_encoding, "zstd") == 0 && !blob_is_packed(props);
    if (is_encoded && !scan->options.target->caps.keeps_props) {
        atomic_fetch_add_explicit(&scan->encoded, 1, memory_order_relaxed);
    }
}

/* Can it be copied at all, and in blocks of what size? */
static enum err_code
check_item(const struct scan *scan, const struct entry *entry, const struct item *item,
           uint32_t *ret_block_bytes, struct err *err)
{
    const struct end *target = scan->options.target;
    if (entry->props.is_archived) {
        return err_set(err, ERR_BLOB_ARCHIVED, "'%s' is in the archive tier", item->name);
    }
    enum err_code code = end_check_name(target, item->target, err);
    if (code == ERR_OK && item_unpacks(item)) {
        code = unzstd_check(item->source, item->name, err);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = scan_check_type((enum blob_type)item->type, &target->caps, item->size_bytes, err);
    if (code != ERR_OK) {
        return err_wrap(err, "'%s'", item->name);
    }
    code = scan_block_bytes(scan->options.copy, &target->caps, scan->options.block_largest,
                            item->size_bytes, ret_block_bytes, err);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "'%s'", item->name);
}

static enum err_code
add_item(struct scan *scan, const struct entry *entry, struct item *item, struct err *err)
{
    struct batch *batch = scan->filling;
    struct err why = ERR_NONE;
    uint32_t block_bytes = 0;
    item->state = ITEM_PENDING;
    item->size_bytes = entry->props.original_bytes;
    item->mtime_ns =
        entry->props.mtime_ns != BLOB_TIME_NONE ? entry->props.mtime_ns : entry->props.modified_ns;
    if (scan->options.source->caps.keeps_props) {
        item->source = keep_props(&batch->arena, &entry->props);
    }
    if (item->type == BLOB_TYPE_NONE) {
        item->type = (uint8_t)scan_type(scan->options.source, scan->options.target, &entry->props);
    }
    batch->bytes += item->size_bytes;
    atomic_fetch_add_explicit(&scan->bytes, item->size_bytes, memory_order_relaxed);
    if (check_item(scan, entry, item, &block_bytes, &why) != ERR_OK) {
        item_fail(batch, item, ITEM_FAILED, &why);
        return ERR_OK;
    }
    ASSERT(block_bytes > 0);
    if (item->type == BLOB_TYPE_PAGE) {
        block_bytes = (block_bytes + BLOB_PAGE_BYTES - 1) / BLOB_PAGE_BYTES * BLOB_PAGE_BYTES;
    }
    item->block_bytes = block_bytes;
    item->block_count = (uint32_t)((item->size_bytes + block_bytes - 1) / block_bytes);
    item->pack = (uint8_t)choose_pack(scan, item);
    count_encoded(scan, &entry->props);
    return look_up(scan, batch, item, err);
}

static struct item *
new_item(struct scan *scan, const struct entry *entry)
{
    struct batch *batch = scan->filling;
    struct item *item = &batch->items[batch->count++];
    *item = (struct item){.id = ++scan->next_item_id};
    item->name = arena_text(&batch->arena, entry->name);
    item->target = item->name;
    atomic_fetch_add_explicit(&scan->items, 1, memory_order_relaxed);
    return item;
}

static void
take_batch(struct scan *scan)
{
    scan->filling = CONTAINER_OF(list_pop(&scan->free_batches), struct batch, link);
    batch_clear(scan->filling);
}

/* Where does the entry go? Kept in the item, whose batch has the texts. */
static void
put_place(struct batch *batch, struct item *item, const struct copy_place *place)
{
    item->type = (uint8_t)place->type;
    item->tier = (uint8_t)place->tier;
    item->is_renamed = place->is_renamed;
    item->has_manifest_crc64 = place->has_crc64;
    item->manifest_crc64 = place->crc64;
    if (place->target != NULL && strcmp(place->target, item->name) != 0) {
        item->target = arena_text(&batch->arena, place->target);
    }
}

/* An empty folder is kept where the target has folders; elsewhere it is only counted. One whose
 * name something else has is an item that failed: it is not lost in silence. */
static enum err_code
add_folder(struct scan *scan, const struct entry *entry, struct err *err)
{
    struct copy_place place = {0};
    struct err why = ERR_NONE;
    bool is_made = false;
    const struct copy_options *copy = scan->options.copy;
    if (!filter_takes(&copy->filter, entry->name)) {
        return ERR_OK;
    }
    atomic_fetch_add_explicit(&scan->folders_empty, 1, memory_order_relaxed);
    if (copy->place == NULL) {
        return ERR_OK;
    }
    copy->place(copy->place_user, entry, &place);
    if (place.verdict != PLACE_TAKE || place.target == NULL) {
        return ERR_OK;
    }
    enum err_code code = end_make_folder(scan->options.target, place.target, &is_made, &why);
    atomic_fetch_add_explicit(&scan->folders_kept, is_made, memory_order_relaxed);
    if (err_class(code) == ERR_CLASS_ITEM) {
        item_fail(scan->filling, new_item(scan, entry), ITEM_FAILED, &why);
        return ERR_OK;
    }
    *err = code == ERR_OK ? *err : why;
    return code;
}

/* An entry that cannot be copied, whatever it is, or that is not to be. */
static bool
ends_here(struct batch *batch, struct item *item, const struct entry *entry,
          const struct copy_place *place)
{
    if (place->verdict == PLACE_SKIP || place->verdict == PLACE_FAIL) {
        item_fail(batch, item, place->verdict == PLACE_SKIP ? ITEM_SKIPPED : ITEM_FAILED,
                  &place->err);
        return true;
    }
    if (entry->kind != ENTRY_ITEM) {
        item_fail(batch, item, entry->kind == ENTRY_SKIPPED ? ITEM_SKIPPED : ITEM_FAILED,
                  &entry->err);
    }
    return entry->kind != ENTRY_ITEM;
}

/* A large item travels alone; what was collected before it goes first. Needs one free batch. */
static enum err_code
add_entry(struct scan *scan, const struct entry *entry, struct err *err)
{
    const struct copy_options *copy = scan->options.copy;
    struct copy_place place = {0};
    if (entry->kind == ENTRY_FOLDER) {
        return add_folder(scan, entry, err);
    }
    if (!filter_takes(&copy->filter, entry->name)) {
        return ERR_OK;
    }
    if (copy->place != NULL) {
        copy->place(copy->place_user, entry, &place);
        if (place.verdict == PLACE_IGNORE) {
            return ERR_OK;
        }
    }
    bool is_large = entry->kind == ENTRY_ITEM && entry->props.original_bytes > copy->block_bytes;
    if (is_large && scan->filling->count > 0) {
        enum err_code code = flush(scan, false, err);
        if (code != ERR_OK) {
            return code;
        }
        take_batch(scan);
    }
    struct batch *batch = scan->filling;
    struct item *item = new_item(scan, entry);
    put_place(batch, item, &place);
    if (ends_here(batch, item, entry, &place)) {
        return ERR_OK;
    }
    enum err_code code = add_item(scan, entry, item, err);
    if (code != ERR_OK || !is_large) {
        return code;
    }
    if (item->state == ITEM_PENDING && item->block_count > 1) {
        code = make_large(scan, batch, item, err);
    }
    return code == ERR_OK ? flush(scan, false, err) : code;
}

static void
drain_mailbox(struct scan *scan)
{
    struct mail *next = NULL;
    for (struct mail *mail = mailbox_take(&scan->mailbox); mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == MAIL_STOP) {
            scan->is_stopping = true;
        } else {
            list_push(&scan->free_batches, &CONTAINER_OF(mail, struct batch, mail)->link);
        }
    }
}

static void
stop(struct scan *scan)
{
    scan->is_stopped = true;
    scan->stopped.kind = MAIL_STOPPED;
    mailbox_post(scan->options.control, &scan->stopped);
}

static bool
has_room(const struct scan *scan)
{
    /* One batch is being filled, another may be needed in the middle of an entry. */
    return !list_is_empty(&scan->free_batches) &&
           scan->free_batches.next->next != &scan->free_batches;
}

/* One entry; true in *ret_is_end at the end of the source. */
static enum err_code
step(struct scan *scan, bool *ret_is_end, struct err *err)
{
    struct entry entry = {0};
    bool more = false;
    if (scan->filling == NULL) {
        take_batch(scan);
    }
    enum err_code code = ERR_OK;
    if (scan->lister == NULL) {
        code = end_lister(scan->options.source, wants_folder, scan, &scan->lister, err);
    }
    code = code == ERR_OK ? lister_next(scan->lister, &entry, &more, err) : code;
    if (code != ERR_OK) {
        return err_wrap(err, "could not list the source");
    }
    if (!more) {
        *ret_is_end = true;
        return flush(scan, true, err);
    }
    code = add_entry(scan, &entry, err);
    if (code == ERR_OK && scan->filling != NULL &&
        (scan->filling->count == BATCH_ITEMS_MAX || scan->filling->bytes >= BATCH_BYTES_MAX)) {
        code = flush(scan, false, err);
    }
    return code;
}

bool
scan_turn(struct scan *scan)
{
    bool is_end = false;
    bool did = false;
    drain_mailbox(scan);
    while (!scan->is_stopped && !scan->is_stopping && has_room(scan)) {
        did = true;
        enum err_code code = step(scan, &is_end, &scan->err);
        if (code != ERR_OK || is_end) {
            stop(scan);
        }
    }
    if (scan->is_stopping && !scan->is_stopped) {
        stop(scan);
    }
    return did;
}

void *
scan_run(void *user)
{
    struct scan *scan = user;
    (void)pthread_setname_np(pthread_self(), "scan");
    while (!scan->is_stopped) {
        if (!scan_turn(scan) && !scan->is_stopped) {
            mailbox_wait(&scan->mailbox, -1);
        }
    }
    return NULL;
}
