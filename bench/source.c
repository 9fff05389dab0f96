#include "bench/source.h"

#include "base/arena.h"
#include "base/fd.h"
#include "base/mailbox.h"
#include "base/text.h"
#include "base/ticket.h"
#include "storage/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#define NO_NONCE    "00000000000000000000000000000000"
#define UNITS_FIRST 4096U
#define WAIT_MS     250
#define DISK_DEPTH  64U
#define CHUNK_BYTES ((size_t)1 << 20)

/* One request: a whole small file, or a block of a large one. */
struct unit {
    const char *name;
    uint64_t item_id;
    uint64_t size_bytes; /* of the file */
    int64_t mtime_ns;
    uint64_t offset_bytes;
    uint32_t len_bytes;
    bool is_last; /* of its file: counts the item */
};

struct reader;

struct slot {
    struct blob_op op;
    struct blob_props props;
    struct ticket ticket;
    struct reader *reader;
    const struct unit *unit; /* NULL: free */
    struct list link;        /* waits to be submitted */
};

struct reader {
    struct source *source;
    struct mailbox wake;
    bool has_wake;
    struct disk *disk;
    struct backend *backend;
    struct pool *pool;
    struct slot *slots;
    unsigned slot_count;
    unsigned busy_count;
    struct list ready; /* slots that have their buffer, or want to close their file */
    uint64_t bytes;
    uint64_t items;
    uint64_t failed;
    struct err failure;
    struct err err;
    pthread_t thread;
};

struct source {
    struct source_options options;
    struct end *end;
    struct arena names;
    struct unit *units;
    size_t unit_count;
    size_t unit_room;
    struct reader *readers;
    atomic_size_t next;
    struct err failure;
    const char *disk_name;
};

static void
add_unit(struct source *source, const struct unit *unit)
{
    if (source->unit_count == source->unit_room) {
        size_t room = source->unit_room == 0 ? UNITS_FIRST : source->unit_room * 2;
        source->units = mem_resize(source->units, source->unit_room * sizeof *source->units,
                                   room * sizeof *source->units);
        source->unit_room = room;
    }
    source->units[source->unit_count++] = *unit;
}

static void
note_failure(struct err *failure, const struct err *err)
{
    if (failure->code == ERR_OK) {
        *failure = *err;
    }
}

/* What was written and not yet synced stays in the cache whatever we ask; a benchmark of reading
 * says so in its help. */
static void
drop_cache(const struct source *source, const char *name)
{
    AUTO_TEXT path = TEXT_INIT;
    text_add_str(&path, source->options.path);
    AUTO_FD single = open(text_str(&path), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (single >= 0) {
        text_addf(&path, "/%s", name);
    }
    AUTO_FD fd = open(text_str(&path), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
}

static void
add_item(struct source *source, const struct entry *entry, uint64_t item_id)
{
    uint64_t size = entry->props.size_bytes;
    struct unit unit = {
        .name = arena_text(&source->names, entry->name),
        .item_id = item_id,
        .size_bytes = size,
        .mtime_ns = entry->props.mtime_ns,
    };
    do {
        unit.len_bytes = (uint32_t)MIN_OF(source->options.block_bytes, size - unit.offset_bytes);
        unit.is_last = unit.offset_bytes + unit.len_bytes == size;
        add_unit(source, &unit);
        unit.offset_bytes += unit.len_bytes;
    } while (!unit.is_last);
}

static enum err_code
scan(struct source *source, struct figures *figures, struct err *err)
{
    struct lister *lister = NULL;
    struct entry entry;
    bool has_more = true;
    enum err_code code = end_lister(source->end, NULL, NULL, &lister, err);
    while (code == ERR_OK && (code = lister_next(lister, &entry, &has_more, err)) == ERR_OK &&
           has_more) {
        if (atomic_load(source->options.signal) != 0) {
            code = err_set(err, ERR_INTERRUPTED, "interrupted while listing");
        } else if (entry.kind == ENTRY_ITEM) {
            add_item(source, &entry, ++figures->items);
            figures->bytes += entry.props.size_bytes;
        } else if (entry.kind == ENTRY_FAILED) {
            figures->failed++;
            note_failure(&source->failure, &entry.err);
        }
    }
    (void)lister_close(lister);
    return code;
}

static void on_read(struct blob_op *op);

static void
on_buffer(struct ticket *ticket)
{
    struct slot *slot = CONTAINER_OF(ticket, struct slot, ticket);
    slot->op.buf = ticket->buf;
    list_push(&slot->reader->ready, &slot->link);
}

static void
begin_unit(struct slot *slot, const struct unit *unit)
{
    struct reader *reader = slot->reader;
    slot->unit = unit;
    reader->busy_count++;
    slot->props = (struct blob_props){.size_bytes = unit->size_bytes,
                                      .original_bytes = unit->size_bytes,
                                      .mtime_ns = unit->mtime_ns,
                                      .modified_ns = unit->mtime_ns};
    slot->op = (struct blob_op){
        .verb = BLOB_READ,
        .name = unit->name,
        .item_id = unit->item_id,
        .nonce = NO_NONCE,
        .offset_bytes = unit->offset_bytes,
        .len_bytes = unit->len_bytes,
        .is_whole = unit->len_bytes == unit->size_bytes,
        .props = &slot->props,
        .done = on_read,
    };
    enum err_code code = pool_take(reader->pool, &slot->ticket, MAX_OF(unit->len_bytes, 1U),
                                   on_buffer, &reader->err);
    if (code == ERR_OK) {
        on_buffer(&slot->ticket);
    }
    ASSERT(code == ERR_OK || code == ERR_BUSY);
}

static void
end_unit(struct slot *slot)
{
    slot->unit = NULL;
    slot->reader->busy_count--;
}

static void
on_closed(struct blob_op *op)
{
    end_unit(CONTAINER_OF(op, struct slot, op));
}

static bool
is_last_user(const struct reader *reader, const struct slot *slot)
{
    for (unsigned i = 0; i < reader->slot_count; i++) {
        const struct slot *other = &reader->slots[i];
        if (other != slot && other->unit != NULL && other->unit->item_id == slot->unit->item_id) {
            return false;
        }
    }
    return true;
}

static void
on_read(struct blob_op *op)
{
    struct slot *slot = CONTAINER_OF(op, struct slot, op);
    struct reader *reader = slot->reader;
    if (op->err.code == ERR_OK) {
        reader->bytes += op->moved_bytes;
        reader->items += slot->unit->is_last ? 1 : 0;
    } else {
        reader->failed++;
        note_failure(&reader->failure, &op->err);
    }
    pool_give(reader->pool, &slot->ticket);
    if (op->is_whole || !is_last_user(reader, slot)) {
        end_unit(slot);
        return;
    }
    /* Nothing more of this file is under way here: do not keep it open. */
    op->verb = BLOB_DISCARD;
    op->done = on_closed;
    list_push(&reader->ready, &slot->link);
}

static void
submit_ready(struct reader *reader)
{
    struct list waiting;
    list_init(&waiting);
    while (!list_is_empty(&reader->ready)) {
        struct slot *slot = CONTAINER_OF(list_pop(&reader->ready), struct slot, link);
        enum err_code code = backend_submit(reader->backend, &slot->op, &reader->err);
        if (code == ERR_BUSY) {
            list_push(&waiting, &slot->link);
        } else if (code != ERR_OK) {
            slot->op.err = reader->err;
            slot->op.done(&slot->op);
        }
    }
    while (!list_is_empty(&waiting)) {
        list_push(&reader->ready, list_pop(&waiting));
    }
}

static bool
begin_more(struct reader *reader)
{
    struct source *source = reader->source;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        if (reader->slots[i].unit == NULL) {
            size_t index = atomic_fetch_add(&source->next, 1);
            if (index >= source->unit_count || atomic_load(source->options.signal) != 0) {
                return false;
            }
            begin_unit(&reader->slots[i], &source->units[index]);
        }
    }
    return true;
}

static void
wait_a_little(struct reader *reader)
{
    struct pollfd fds[2] = {{.fd = mailbox_fd(&reader->wake), .events = POLLIN},
                            {.fd = disk_wake_fd(reader->disk), .events = POLLIN}};
    if (mailbox_arm(&reader->wake)) {
        (void)poll(fds, COUNT_OF(fds), WAIT_MS);
    }
    mailbox_disarm(&reader->wake);
}

static void *
reader_main(void *user)
{
    struct reader *reader = user;
    bool has_more = true;
    while (has_more || reader->busy_count > 0) {
        has_more = has_more && begin_more(reader);
        submit_ready(reader);
        disk_flush(reader->disk);
        unsigned ran = disk_poll(reader->disk) + backend_poll(reader->backend);
        if (ran == 0 && reader->busy_count > 0 && list_is_empty(&reader->ready)) {
            wait_a_little(reader);
        }
    }
    return NULL;
}

static enum err_code
open_reader(struct source *source, struct reader *reader, struct err *err)
{
    const struct source_options *options = &source->options;
    reader->source = source;
    list_init(&reader->ready);
    reader->slot_count = MAX_OF(options->in_flight / options->lanes, 1U);
    reader->slots = mem_take(reader->slot_count * sizeof *reader->slots);
    for (unsigned i = 0; i < reader->slot_count; i++) {
        reader->slots[i].reader = reader;
    }
    enum err_code code = mailbox_init(&reader->wake, err);
    reader->has_wake = code == ERR_OK;
    code = code == ERR_OK
               ? pool_new((size_t)(options->memory_bytes / options->lanes), &reader->pool, err)
               : code;
    code = code == ERR_OK ? disk_new(options->disk, DISK_DEPTH, &reader->disk, err) : code;
    struct lane_io io = {.disk = reader->disk, .clock = &clock_system, .wake = &reader->wake};
    code = code == ERR_OK ? end_backend(source->end, &io, &reader->backend, err) : code;
    if (code == ERR_OK && pool_largest(reader->pool) < options->block_bytes) {
        code = err_set(err, ERR_USAGE,
                       "--memory is too small for blocks of %llu bytes on %u lanes: a buffer of a "
                       "lane has at most %llu",
                       (unsigned long long)options->block_bytes, options->lanes,
                       (unsigned long long)pool_largest(reader->pool));
    }
    return code;
}

static void
close_reader(struct reader *reader)
{
    reader->backend = backend_free(reader->backend);
    reader->disk = reader->disk == NULL ? NULL : disk_free(reader->disk);
    reader->pool = reader->pool == NULL ? NULL : pool_free(reader->pool);
    if (reader->has_wake) {
        mailbox_done(&reader->wake);
    }
    mem_give(reader->slots);
}

enum err_code
source_open(const struct source_options *options, struct source **ret_source,
            struct figures *ret_scan, struct err *err)
{
    struct source *source = mem_take(sizeof *source);
    struct end_options end = {.role = END_SOURCE,
                              .links = END_LINKS_SKIP,
                              .config = options->config,
                              .clock = &clock_system};
    struct stopwatch watch;
    struct figures figures = {0};
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    source->options = *options;
    arena_init(&source->names, CHUNK_BYTES);
    stopwatch_begin(&watch);
    enum err_code code = end_open(options->path, &end, &source->end, err);
    if (code == ERR_OK && !source->end->caps.is_local) {
        code = err_set(err, ERR_USAGE, "'%s' is no folder and no file of this machine",
                       source->end->display);
    }
    code = code == ERR_OK ? end_prepare(source->end, true, &free_bytes, &is_fresh, err) : code;
    code = code == ERR_OK ? scan(source, &figures, err) : code;
    if (code == ERR_OK && source->unit_count == 0) {
        code = err_set(err, ERR_NOTHING, "'%s' holds no file", source->end->display);
    }
    stopwatch_end(&watch, &figures);
    if (code != ERR_OK) {
        (void)source_close(source);
        return code;
    }
    *ret_source = source;
    *ret_scan = figures;
    return ERR_OK;
}

static enum err_code
run_readers(struct source *source, struct figures *figures, struct err *err)
{
    struct stopwatch watch;
    enum err_code code = ERR_OK;
    unsigned started = 0;
    stopwatch_begin(&watch);
    for (; started < source->options.lanes && code == ERR_OK; started++) {
        struct reader *reader = &source->readers[started];
        int failed = pthread_create(&reader->thread, NULL, reader_main, reader);
        if (failed != 0) {
            code = err_set_sys(err, ERR_SYSTEM, failed, "could not start a thread");
            break;
        }
    }
    for (unsigned i = 0; i < started; i++) {
        struct reader *reader = &source->readers[i];
        (void)pthread_join(reader->thread, NULL);
        figures->bytes += reader->bytes;
        figures->items += reader->items;
        figures->failed += reader->failed;
        if (reader->failure.code != ERR_OK) {
            note_failure(&source->failure, &reader->failure);
        }
    }
    stopwatch_end(&watch, figures);
    return code;
}

enum err_code
source_read(struct source *source, struct figures *ret_figures, struct err *err)
{
    enum err_code code = ERR_OK;
    struct figures figures = {0};
    unsigned lanes = source->options.lanes;
    atomic_store(&source->next, 0);
    for (size_t i = 0; i < source->unit_count && source->options.is_cold; i++) {
        if (source->units[i].offset_bytes == 0) {
            drop_cache(source, source->units[i].name);
        }
    }
    source->readers = mem_take(lanes * sizeof *source->readers);
    unsigned opened = 0;
    for (; opened < lanes && code == ERR_OK; opened++) {
        code = open_reader(source, &source->readers[opened], err);
    }
    if (code == ERR_OK) {
        source->disk_name = disk_kind_name(source->readers[0].disk);
        code = run_readers(source, &figures, err);
    }
    for (unsigned i = 0; i < opened; i++) {
        close_reader(&source->readers[i]);
    }
    source->readers = mem_give(source->readers);
    if (code == ERR_OK && atomic_load(source->options.signal) != 0) {
        code = err_set(err, ERR_INTERRUPTED, "interrupted after %llu items",
                       (unsigned long long)figures.items);
    }
    *ret_figures = figures;
    return code;
}

const char *
source_disk_name(const struct source *source)
{
    return source->disk_name == NULL ? "" : source->disk_name;
}

const struct err *
source_failure(const struct source *source)
{
    return &source->failure;
}

struct source *
source_close(struct source *source)
{
    if (source != NULL) {
        source->end = source->end == NULL ? NULL : end_close(source->end);
        arena_done(&source->names);
        mem_give(source->units);
        mem_give(source);
    }
    return NULL;
}
