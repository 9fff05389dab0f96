#include "ingest/copy/verify.h"

#include "base/crc64.h"
#include "storage/disk.h"

#include <poll.h>
#include <string.h>

#define READ_BYTES ((uint32_t)4 << 20)

struct verify {
    const struct verify_options *options;
    struct verify_result result;
    struct plan_reader reader;
    uint8_t *seen; /* bit per row of the plan */
    uint64_t rows;
    /* reading back */
    struct disk *disk;
    struct backend *backend;
    void *buf;
    struct blob_op op;
    bool is_done;
};

static enum err_code
interrupted(const struct verify *v, struct err *err)
{
    const struct copy_control *control = v->options->control;
    if (control != NULL && atomic_load(&control->signal) != 0) {
        return err_set(err, ERR_INTERRUPTED, "interrupted while verifying");
    }
    return ERR_OK;
}

static void
report(struct verify *v, const struct item *item, const struct err *why)
{
    const struct copy_events *events = v->options->events;
    struct item told = *item;
    told.state = ITEM_FAILED;
    told.err_code = why->code;
    told.err_text = why->text;
    if (why->code == ERR_VERIFY_MISSING) {
        v->result.missing++;
    } else {
        v->result.different++;
    }
    if (events->item != NULL) {
        events->item(events->user, &told);
    }
}

static enum err_code
compare(struct verify *v, const struct entry *entry, struct err *err)
{
    struct item item;
    uint64_t row = 0;
    struct err why = ERR_NONE;
    enum err_code code = plan_find_row(&v->reader, entry->name, &row, &item, err);
    if (code != ERR_OK || row == 0 || row > v->rows) {
        return code;
    }
    v->seen[row >> 3] |= (uint8_t)(1U << (row & 7));
    v->result.checked++;
    const struct blob_props *props = &entry->props;
    if (props->original_bytes != item.size_bytes) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' has %llu bytes at the target; %llu were stored", item.name,
                      (unsigned long long)props->original_bytes,
                      (unsigned long long)item.size_bytes);
        report(v, &item, &why);
    } else if (props->has_crc64 && item.has_crc64 && props->crc64 != item.crc64) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' has checksum %016llx at the target; %016llx was stored", item.name,
                      (unsigned long long)props->crc64, (unsigned long long)item.crc64);
        report(v, &item, &why);
    }
    return ERR_OK;
}

static enum err_code
list(struct verify *v, struct err *err)
{
    struct lister *lister = NULL;
    bool more = true;
    enum err_code code = end_lister(v->options->target, NULL, NULL, &lister, err);
    while (code == ERR_OK && more) {
        struct entry entry = {0};
        code = lister_next(lister, &entry, &more, err);
        if (code == ERR_OK && more && entry.kind == ENTRY_ITEM) {
            code = compare(v, &entry, err);
        }
        code = code == ERR_OK ? interrupted(v, err) : code;
    }
    lister_close(lister);
    return code;
}

static enum err_code
find_missing(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct verify *v = user;
    struct err why = ERR_NONE;
    if (row > v->rows || (v->seen[row >> 3] >> (row & 7) & 1) == 0) {
        (void)err_set(&why, ERR_VERIFY_MISSING, "'%s' was stored and is not at the target",
                      item->name);
        report(v, item, &why);
    }
    return interrupted(v, err);
}

/* ---- reading back ---- */

static void
on_read(struct blob_op *op)
{
    CONTAINER_OF(op, struct verify, op)->is_done = true;
}

static void
wait_for_read(struct verify *v)
{
    while (!v->is_done) {
        unsigned ran = disk_poll(v->disk) + backend_poll(v->backend);
        if (ran == 0 && !v->is_done) {
            struct pollfd fd = {.fd = disk_wake_fd(v->disk), .events = POLLIN};
            (void)poll(&fd, 1, 1000);
        }
    }
}

static enum err_code
read_range(struct verify *v, const struct item *item, uint64_t offset, uint32_t len,
           struct err *err)
{
    struct blob_props props = {.size_bytes = item->size_bytes,
                               .original_bytes = item->size_bytes,
                               .mtime_ns = item->mtime_ns};
    v->is_done = false;
    v->op = (struct blob_op){.verb = BLOB_READ,
                             .name = item->name,
                             .item_id = 1,
                             .nonce = v->options->plan->nonce,
                             .offset_bytes = offset,
                             .len_bytes = len,
                             .is_whole = true,
                             .buf = v->buf,
                             .props = &props,
                             .done = on_read};
    enum err_code code = backend_submit(v->backend, &v->op, err);
    if (code != ERR_OK) {
        return code;
    }
    wait_for_read(v);
    if (v->op.err.code == ERR_OK && v->op.is_zero) {
        memset(v->buf, 0, len);
    }
    return ERR_OK;
}

static enum err_code
read_back(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct verify *v = user;
    struct err why = ERR_NONE;
    uint64_t crc = CRC64_EMPTY;
    (void)row;
    for (uint64_t offset = 0; offset < item->size_bytes && why.code == ERR_OK;
         offset += READ_BYTES) {
        uint32_t len = (uint32_t)MIN_OF(item->size_bytes - offset, READ_BYTES);
        enum err_code code = read_range(v, item, offset, len, err);
        code = code == ERR_OK ? interrupted(v, err) : code;
        if (code != ERR_OK) {
            return code;
        }
        why = v->op.err;
        crc = crc64(crc, v->buf, len);
    }
    if (why.code != ERR_OK && err_class(why.code) != ERR_CLASS_ITEM) {
        *err = why;
        return why.code;
    }
    if (why.code == ERR_OK && item->has_crc64 && crc != item->crc64) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH, "'%s' reads back as %016llx; %016llx was stored",
                      item->name, (unsigned long long)crc, (unsigned long long)item->crc64);
    }
    if (why.code != ERR_OK) {
        report(v, item, &why);
    } else {
        v->result.read_back++;
    }
    return ERR_OK;
}

static enum err_code
read_all_back(struct verify *v, struct err *err)
{
    enum err_code code = disk_new(DISK_AUTO, 8, &v->disk, err);
    if (code != ERR_OK) {
        return code;
    }
    struct lane_io io = {.disk = v->disk, .clock = v->options->copy->clock};
    code = end_backend(v->options->target, &io, &v->backend, err);
    if (code == ERR_OK) {
        v->buf = mem_take(READ_BYTES);
        code = plan_each(v->options->plan_path, read_back, v, err);
    }
    v->backend = backend_free(v->backend);
    v->buf = mem_give(v->buf);
    disk_free(v->disk);
    return code;
}

enum err_code
verify_run(const struct verify_options *options, struct verify_result *ret_result, struct err *err)
{
    struct verify v = {.options = options};
    enum err_code code = plan_index_names(options->plan, err);
    code = code == ERR_OK ? plan_reader_open(options->plan_path, &v.reader, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    code = plan_last_row(&v.reader, &v.rows, err);
    if (code == ERR_OK) {
        v.seen = mem_take(v.rows / 8 + 1);
        code = list(&v, err);
    }
    code = code == ERR_OK ? plan_each(options->plan_path, find_missing, &v, err) : code;
    if (code == ERR_OK && options->copy->verify == VERIFY_READ_BACK) {
        code = read_all_back(&v, err);
    }
    mem_give(v.seen);
    plan_reader_close(&v.reader);
    *ret_result = v.result;
    return code;
}
