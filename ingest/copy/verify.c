#include "ingest/copy/verify.h"

#include "ingest/copy/reader.h"

#include <string.h>

/* Items that a listing leaves out are asked for one by one; if the store has them all after so many
 * questions, its listings are not complete, and the rest is left unasked and said to be. */
#define UNLISTED_ASKED_MAX 64U

struct verify {
    const struct verify_options *options;
    struct verify_result result;
    struct plan_reader reader;
    uint8_t *seen;   /* bit per row of the plan */
    uint8_t *packed; /* likewise: it is compressed at the target */
    uint64_t rows;
    struct reader store;
    bool has_store;
    uint64_t unlisted; /* not in the listing, but there when asked for */
    uint64_t unasked;
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
set_bit(uint8_t *bits, uint64_t row)
{
    bits[row >> 3] |= (uint8_t)(1U << (row & 7));
}

static void
report(struct verify *v, const struct item *item, uint64_t row, const struct err *why)
{
    set_bit(v->result.wrong_bits, row);
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
    set_bit(v->seen, row);
    v->result.checked++;
    const struct blob_props *props = &entry->props;
    if (blob_is_packed(props)) {
        set_bit(v->packed, row);
    }
    if (props->original_bytes != item.size_bytes) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' has %llu bytes at the target; %llu were stored", item.name,
                      (unsigned long long)props->original_bytes,
                      (unsigned long long)item.size_bytes);
        report(v, &item, row, &why);
    } else if (props->has_crc64 && item.has_crc64 && props->crc64 != item.crc64) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH,
                      "'%s' has checksum %016llx at the target; %016llx was stored", item.name,
                      (unsigned long long)props->crc64, (unsigned long long)item.crc64);
        report(v, &item, row, &why);
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
        if (code == ERR_OK && more && entry.kind == ENTRY_ITEM && !entry.props.is_partial) {
            code = compare(v, &entry, err);
        }
        code = code == ERR_OK ? interrupted(v, err) : code;
    }
    lister_close(lister);
    return code;
}

static const atomic_int *
signal_of(const struct verify *v)
{
    return v->options->control == NULL ? NULL : &v->options->control->signal;
}

static enum err_code
need_store(struct verify *v, struct err *err)
{
    const struct copy_options *copy = v->options->copy;
    if (v->has_store) {
        return ERR_OK;
    }
    enum err_code code =
        reader_open(&v->store, v->options->target, copy->config, copy->clock, signal_of(v), err);
    v->has_store = code == ERR_OK;
    return code;
}

/* Not listed: is it really not there? */
static enum err_code
ask_for(struct verify *v, const struct item *item, uint64_t row, struct err *err)
{
    struct entry entry = {.name = item->target};
    struct err why = ERR_NONE;
    enum err_code code = need_store(v, err);
    if (code != ERR_OK) {
        return code;
    }
    code = reader_stat(&v->store, item->target, &entry.props, &why);
    if (code == ERR_OK) {
        v->unlisted++;
        return compare(v, &entry, err);
    }
    if (code != ERR_ITEM_GONE) {
        *err = why;
        return code;
    }
    why = ERR_NONE;
    (void)err_set(&why, ERR_VERIFY_MISSING, "'%s' was stored and is not at the target", item->name);
    report(v, item, row, &why);
    return ERR_OK;
}

static enum err_code
find_missing(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct verify *v = user;
    enum err_code code = ERR_OK;
    bool is_listed = row <= v->rows && (v->seen[row >> 3] >> (row & 7) & 1) != 0;
    if (!is_listed && v->unlisted >= UNLISTED_ASKED_MAX && v->result.missing == 0) {
        v->unasked++;
    } else if (!is_listed) {
        code = ask_for(v, item, row, err);
    }
    return code == ERR_OK ? interrupted(v, err) : code;
}

static void
tell_unlisted(const struct verify *v)
{
    const struct copy_events *events = v->options->events;
    struct err notice = ERR_NONE;
    if (v->unasked == 0 || events->notice == NULL) {
        return;
    }
    (void)err_set(&notice, ERR_FORMAT,
                  "the store's listing is not complete: it leaves out %llu items, of which %llu "
                  "were asked for one by one and are there; the others were not verified",
                  (unsigned long long)(v->unlisted + v->unasked), (unsigned long long)v->unlisted);
    events->notice(events->user, &notice);
}

/* ---- reading back ---- */

static enum err_code
read_back(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct verify *v = user;
    struct err why = ERR_NONE;
    uint64_t crc = 0;
    struct blob_props props = {.size_bytes = item->size_bytes,
                               .original_bytes = item->size_bytes,
                               .mtime_ns = item->mtime_ns};
    bool is_packed = row <= v->rows && (v->packed[row >> 3] >> (row & 7) & 1) != 0;
    /* How long it is at the target has to be asked for. */
    enum err_code code = is_packed ? reader_stat(&v->store, item->target, &props, &why) : ERR_OK;
    code = code == ERR_OK ? reader_crc64(&v->store, item->target, &props, &crc, &why) : code;
    if (interrupted(v, err) != ERR_OK) {
        return err->code;
    }
    if (code != ERR_OK && err_class(code) != ERR_CLASS_ITEM) {
        *err = why;
        return code;
    }
    if (code == ERR_OK && item->has_crc64 && crc != item->crc64) {
        (void)err_set(&why, ERR_VERIFY_MISMATCH, "'%s' reads back as %016llx; %016llx was stored",
                      item->name, (unsigned long long)crc, (unsigned long long)item->crc64);
    }
    if (why.code != ERR_OK) {
        report(v, item, row, &why);
    } else {
        v->result.read_back++;
        set_bit(v->result.read_back_bits, row);
    }
    return ERR_OK;
}

enum err_code
verify_run(const struct verify_options *options, struct verify_result *ret_result, struct err *err)
{
    struct verify v = {.options = options};
    enum err_code code = plan_index_names(options->plan, signal_of(&v), err);
    code = code == ERR_OK ? plan_reader_open(options->plan_path, &v.reader, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    code = plan_last_row(&v.reader, &v.rows, err);
    if (code == ERR_OK) {
        v.seen = mem_take(v.rows / 8 + 1);
        v.packed = mem_take(v.rows / 8 + 1);
        v.result.rows = v.rows;
        v.result.wrong_bits = mem_take(v.rows / 8 + 1);
        v.result.read_back_bits = mem_take(v.rows / 8 + 1);
        code = list(&v, err);
    }
    code = code == ERR_OK ? plan_each(options->plan_path, find_missing, &v, err) : code;
    tell_unlisted(&v);
    if (code == ERR_OK && options->copy->verify == VERIFY_READ_BACK) {
        code = need_store(&v, err);
        code = code == ERR_OK ? plan_each(options->plan_path, read_back, &v, err) : code;
    }
    if (v.has_store) {
        reader_close(&v.store);
    }
    mem_give(v.seen);
    mem_give(v.packed);
    plan_reader_close(&v.reader);
    *ret_result = v.result;
    return code;
}

void
verify_result_done(struct verify_result *result)
{
    result->wrong_bits = mem_give(result->wrong_bits);
    result->read_back_bits = mem_give(result->read_back_bits);
}
