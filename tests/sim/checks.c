#include "tests/sim/checks.h"

#include <string.h>

static unsigned
length_of(const struct list *list)
{
    unsigned count = 0;
    for (const struct list *at = list->next; at != list; at = at->next) {
        count++;
    }
    return count;
}

static unsigned
mail_count(const struct mailbox *box)
{
    unsigned count = 0;
    for (const struct mail *mail = atomic_load(&box->head); mail != NULL; mail = mail->next) {
        count += mail->kind == MAIL_BATCH;
    }
    return count;
}

static void
check_zero(struct world *world, const char *words, size_t value)
{
    if (value != 0) {
        world_fail(world, "%s: %zu are left at the end", words, value);
    }
}

static void
check_lane(struct world *world, const struct lane *lane)
{
    check_zero(world, "blocks in use", lane->used_blocks);
    check_zero(world, "blocks in the window", lane->active);
    check_zero(world, "bytes of buffers", pool_used(lane->pool));
    check_zero(world, "batches of a lane", lane->out_batches + length_of(&lane->batches));
    check_zero(world, "orders of a lane", length_of(&lane->orders));
    check_zero(world, "ops in flight", length_of(&lane->in_flight));
    check_zero(world, "ops to submit", length_of(&lane->to_submit));
    check_zero(world, "blocks lost", lane->options.block_count - length_of(&lane->free_blocks));
}

void
checks_after_run(struct world *world, const struct engine *engine, struct scan *scan,
                 const struct lane *lanes)
{
    unsigned batches = length_of(&scan->free_batches) + length_of(&scan->held) +
                       (scan->filling != NULL) + mail_count(&scan->mailbox);
    if (engine->is_abandoned) {
        world_fail(world, "lanes were left behind: they did not stop in time");
    }
    check_zero(world, "batches out", engine->batches_out);
    check_zero(world, "orders out", ORDER_COUNT - length_of(&engine->free_orders));
    check_zero(world, "batches lost", engine->options.batch_count - batches);
    for (unsigned i = 0; i < engine->options.lane_count; i++) {
        check_lane(world, &lanes[i]);
        check_zero(world, "batches that a lane is said to have", engine->lane_batches[i]);
        check_zero(world, "orders that a lane is said to have", engine->lane_orders[i]);
    }
}

/* ---- what the plan says ---- */

struct rows {
    struct world *world;
    const char *nonce;
    struct item *items; /* [source.count]: state, size, mtime and crc of the row, NONE if none */
    uint64_t copied;
    uint64_t unchanged;
};

static unsigned
index_of(const struct world *world, const char *name)
{
    for (unsigned i = 0; i < world->source.count; i++) {
        if (strcmp(world->source.blobs[i]->name, name) == 0) {
            return i;
        }
    }
    return world->source.count;
}

static enum err_code
add_row(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct rows *rows = user;
    struct world *world = rows->world;
    unsigned index = index_of(world, item->name);
    (void)row;
    (void)err;
    if (index == world->source.count) {
        world_fail(world, "the plan has '%s', which the source never had", item->name);
        return ERR_OK;
    }
    if (rows->items[index].state != ITEM_NONE) {
        world_fail(world, "the plan has '%s' twice", item->name);
    }
    rows->items[index] = *item;
    rows->items[index].name = world->source.blobs[index]->name;
    rows->copied += item->state == ITEM_RESUMED;
    rows->unchanged += item->state == ITEM_UNCHANGED;
    return ERR_OK;
}

static void
read_rows(struct world *world, const char *plan_path, struct rows *ret_rows)
{
    struct err err = ERR_NONE;
    *ret_rows = (struct rows){.world = world};
    ret_rows->items = mem_take((world->source.count + 1) * sizeof *ret_rows->items);
    if (plan_each(plan_path, add_row, ret_rows, &err) != ERR_OK) {
        world_fail(world, "the plan cannot be read: %s", err.text);
    }
}

/* What the plan calls copied is there, as it says, unless someone else or a later run came after.
 */
static void
check_stored(struct world *world, const struct item *row, const char *nonce)
{
    const struct memory_blob *blob = memory_store_find(&world->target, row->name);
    bool is_ours = blob != NULL && strcmp(blob->props.job, nonce) == 0;
    if (!is_ours) {
        if (!world->has_foreign) {
            world_fail(world, "'%s' is recorded as stored, but is not there", row->name);
        }
        return;
    }
    if (!world->is_stable && blob->props.mtime_ns > row->mtime_ns) {
        return;
    }
    bool is_same_time = blob->props.mtime_ns == row->mtime_ns;
    if (!is_same_time && !world->is_stable && world->options.overwrite == OVERWRITE_IF_DIFFERENT) {
        is_same_time = true; /* an older version of ours with the same bytes was left alone */
    }
    if (blob->props.original_bytes != row->size_bytes || !is_same_time ||
        (row->has_crc64 && blob->props.crc64 != row->crc64)) {
        world_fail(world, "'%s' is not stored as it is recorded", row->name);
    } else if (!world_is_right(world, blob)) {
        world_fail(world, "'%s' is recorded as stored, but its bytes are wrong", row->name);
    }
}

static void
check_figures(struct world *world, const struct run_report *report, const struct rows *rows)
{
    const struct copy_figures *figures = &report->figures;
    uint64_t ended = figures->items_copied + figures->items_unchanged + figures->items_skipped +
                     figures->items_failed;
    /* Rows of earlier runs may come besides, of items that this one did not get to. */
    if (!report->has_lost_rows && rows->copied < figures->items_copied) {
        world_fail(world, "%llu items are counted as copied, but only %llu are recorded",
                   (unsigned long long)figures->items_copied, (unsigned long long)rows->copied);
    }
    if (report->stop.code != ERR_OK) {
        if (ended > figures->items_total) {
            world_fail(world, "%llu items ended, of %llu", (unsigned long long)ended,
                       (unsigned long long)figures->items_total);
        }
        return;
    }
    if (ended != figures->items_total || !figures->is_scan_done) {
        world_fail(
            world, "figures: %llu copied, %llu unchanged, %llu skipped, %llu failed of %llu",
            (unsigned long long)figures->items_copied, (unsigned long long)figures->items_unchanged,
            (unsigned long long)figures->items_skipped, (unsigned long long)figures->items_failed,
            (unsigned long long)figures->items_total);
    }
    if (figures->bytes_done != figures->bytes_total) {
        world_fail(world, "figures: %llu bytes are done, of %llu",
                   (unsigned long long)figures->bytes_done,
                   (unsigned long long)figures->bytes_total);
    }
    if (world->is_stable &&
        (rows->copied != figures->items_copied || rows->unchanged != figures->items_unchanged)) {
        world_fail(world, "the plan has %llu copied and %llu unchanged; counted are %llu and %llu",
                   (unsigned long long)rows->copied, (unsigned long long)rows->unchanged,
                   (unsigned long long)figures->items_copied,
                   (unsigned long long)figures->items_unchanged);
    }
}

/* What no trouble that this simulation makes can explain; least of all once there is none. */
static void
check_code(struct world *world, const struct run_report *report, const char *name,
           enum err_code code)
{
    bool is_others = code == ERR_OTHER_WRITER || code == ERR_ITEM_REFUSED;
    bool is_moving = code == ERR_ITEM_CHANGED || code == ERR_ITEM_GONE || code == ERR_DIGEST;
    if (err_class(code) != ERR_CLASS_ITEM || (is_others && !world->has_foreign) ||
        (is_moving && world->is_stable) || ((is_others || is_moving) && report->is_calm)) {
        world_fail(world, "'%s' failed with %s, for which there is no reason", name,
                   err_name(code));
    }
}

/* What nobody had a reason to leave out is at the target as it is in the source now. */
static void
check_arrived(struct world *world, const struct memory_blob *source)
{
    const struct memory_blob *target = memory_store_find(&world->target, source->name);
    bool is_foreign = target != NULL && target->props.job[0] == '\0' && world->has_foreign;
    if (!source->exists || source->kind != ENTRY_ITEM || is_foreign) {
        return;
    }
    uint64_t len = source->props.original_bytes;
    uint8_t *want = memory_store_original(source);
    uint8_t *got = target == NULL ? NULL : memory_store_original(target);
    if (want == NULL || got == NULL || target->props.original_bytes != len ||
        memcmp(got, want, len) != 0) {
        world_fail(world, "'%s' has not arrived as it is in the source", source->name);
    }
    mem_give(want);
    mem_give(got);
}

/* Nothing is called checked that nobody could check. */
static void
check_verdicts(struct world *world, const struct run_report *report)
{
    const struct copy_figures *figures = &report->figures;
    bool can_check = world->target_caps.checks_transit || world->source_caps.keeps_props;
    if (figures->in_transit + figures->unverifiable != figures->items_copied ||
        (!can_check && figures->in_transit > 0)) {
        world_fail(world, "%llu items are said to be checked and %llu not, of %llu copied",
                   (unsigned long long)figures->in_transit,
                   (unsigned long long)figures->unverifiable,
                   (unsigned long long)figures->items_copied);
    }
}

void
checks_of_report(struct world *world, const char *plan_path, const struct run_report *report)
{
    struct rows rows;
    uint64_t failed = 0;
    uint64_t skipped = 0;
    read_rows(world, plan_path, &rows);
    for (unsigned i = 0; i < world->source.count; i++) {
        const char *name = world->source.blobs[i]->name;
        failed += report->failed[i];
        skipped += report->skipped[i];
        if (report->failed[i] + report->skipped[i] > 1) {
            world_fail(world, "'%s' ended more than once", name);
        }
        if (report->failed[i] + report->skipped[i] > 0) {
            check_code(world, report, name, report->codes[i]);
        } else if (report->is_calm) {
            check_arrived(world, world->source.blobs[i]);
        }
        if (rows.items[i].state == ITEM_RESUMED) {
            check_stored(world, &rows.items[i], report->nonce);
        }
    }
    if (failed != report->figures.items_failed || skipped != report->figures.items_skipped) {
        world_fail(world, "%llu failed and %llu skipped items were told of; counted are %llu, %llu",
                   (unsigned long long)failed, (unsigned long long)skipped,
                   (unsigned long long)report->figures.items_failed,
                   (unsigned long long)report->figures.items_skipped);
    }
    if (report->stop.code == ERR_STALLED) {
        world_fail(world, "the copy stalled: %s", report->stop.text);
    }
    check_verdicts(world, report);
    if (!report->is_crashed) {
        check_figures(world, report, &rows);
    }
    mem_give(rows.items);
}

static const char *
state_name(enum item_state state)
{
    static const char *const names[] = {
#define STATE_AS_NAME(id, name) #id,
        ITEM_STATE_MAP(STATE_AS_NAME)
#undef STATE_AS_NAME
    };
    return names[state];
}

void
checks_of_ends(struct world *world, const char *plan_path, const struct run_report *report,
               const enum item_state *expected)
{
    struct rows rows;
    read_rows(world, plan_path, &rows);
    for (unsigned i = 0; i < world->source.count; i++) {
        enum item_state got = report->failed[i] > 0    ? ITEM_FAILED
                              : report->skipped[i] > 0 ? ITEM_SKIPPED
                                                       : (enum item_state)rows.items[i].state;
        got = got == ITEM_RESUMED ? ITEM_COPIED : got;
        if (got != expected[i]) {
            world_fail(world, "'%s' ended as %s and not as %s", world->source.blobs[i]->name,
                       state_name(got), state_name(expected[i]));
        }
        if (report->failed[i] + report->skipped[i] > 0 && rows.items[i].state != ITEM_NONE) {
            world_fail(world, "'%s' is recorded as done, and reported besides",
                       world->source.blobs[i]->name);
        }
    }
    mem_give(rows.items);
}

static void
check_same(struct world *world, const char *words, uint64_t got, uint64_t want)
{
    if (got != want) {
        world_fail(world, "%s: %llu, but %llu in an undisturbed copy", words,
                   (unsigned long long)got, (unsigned long long)want);
    }
}

void
checks_of_twins(struct world *disturbed, const struct run_report *report, const struct world *calm,
                const struct run_report *calm_report)
{
    const struct copy_figures *got = &report->figures;
    const struct copy_figures *want = &calm_report->figures;
    check_same(disturbed, "items", got->items_total, want->items_total);
    check_same(disturbed, "items copied", got->items_copied, want->items_copied);
    check_same(disturbed, "items unchanged", got->items_unchanged, want->items_unchanged);
    check_same(disturbed, "items skipped", got->items_skipped, want->items_skipped);
    check_same(disturbed, "items failed", got->items_failed, want->items_failed);
    check_same(disturbed, "bytes", got->bytes_total, want->bytes_total);
    check_same(disturbed, "bytes copied", got->bytes_copied, want->bytes_copied);
    check_same(disturbed, "blobs at the target", disturbed->target.count, calm->target.count);
    for (unsigned i = 0; i < calm->target.count; i++) {
        const struct memory_blob *a = calm->target.blobs[i];
        const struct memory_blob *b = memory_store_find(&disturbed->target, a->name);
        if (b == NULL || b->props.size_bytes != a->props.size_bytes ||
            b->props.mtime_ns != a->props.mtime_ns ||
            memcmp(a->bytes, b->bytes, a->props.size_bytes) != 0) {
            world_fail(disturbed, "'%s' is not as an undisturbed copy leaves it", a->name);
        }
    }
}

/* ---- what must not be sent again ---- */

static void
mark_block(struct world *world, const char *name, const char *nonce, struct sql_stmt *row)
{
    uint64_t stage_id = (uint64_t)sql_col_i64(row, 1);
    uint32_t index = (uint32_t)sql_col_i64(row, 2);
    uint64_t len_bytes = (uint64_t)sql_col_i64(row, 3);
    struct memory_staged *staged =
        memory_store_find_staged(&world->target, name, nonce, stage_id, index);
    const struct memory_blob *blob = memory_store_find(&world->target, name);
    const struct memory_blob *source = memory_store_find(&world->source, name);
    bool has_failed = source != NULL && source->error != ERR_OK; /* and was discarded */
    if (staged != NULL && staged->len_bytes == len_bytes) {
        staged->is_recorded = true;
    } else if (world->is_stable && !world->has_expired && !has_failed &&
               (blob == NULL || blob->stage_id != stage_id)) {
        world_fail(world, "block %u of '%s' is recorded as stored, but is not there", index, name);
    }
}

static enum err_code
mark_blocks(struct world *world, const char *plan_path, const char *nonce, struct err *err)
{
    struct sql sql = {0};
    struct sql_stmt stmt = {0};
    bool has_row = false;
    AUTO_TEXT name = TEXT_INIT;
    enum err_code code = sql_open(&sql, plan_path, SQL_SYNC_OFF, 1 << 20, err);
    code = code == ERR_OK ? sql_prepare(&sql, &stmt,
                                        "SELECT large.name,large.stage,block.number,"
                                        "block.stored FROM block"
                                        " JOIN large ON block.stage=large.stage",
                                        err)
                          : code;
    code = code == ERR_OK ? sql_step(&stmt, &has_row, err) : code;
    while (code == ERR_OK && has_row) {
        size_t len = 0;
        const void *bytes = sql_col_blob(&stmt, 0, &len);
        text_clear(&name);
        text_add(&name, bytes, len);
        mark_block(world, text_str(&name), nonce, &stmt);
        code = sql_step(&stmt, &has_row, err);
    }
    sql_stmt_done(&stmt);
    sql_close(&sql);
    return code;
}

void
checks_mark_recorded(struct world *world, const char *plan_path, const char *nonce)
{
    struct rows rows;
    struct err err = ERR_NONE;
    read_rows(world, plan_path, &rows);
    for (unsigned i = 0; i < world->source.count; i++) {
        struct memory_blob *blob = world->source.blobs[i];
        blob->is_recorded = rows.items[i].state != ITEM_NONE &&
                            rows.items[i].size_bytes == blob->props.original_bytes &&
                            rows.items[i].mtime_ns == blob->props.mtime_ns;
    }
    for (struct list *at = world->target.staged.next; at != &world->target.staged; at = at->next) {
        CONTAINER_OF(at, struct memory_staged, link)->is_recorded = false;
    }
    if (mark_blocks(world, plan_path, nonce, &err) != ERR_OK) {
        world_fail(world, "the plan's blocks cannot be read: %s", err.text);
    }
    mem_give(rows.items);
}
