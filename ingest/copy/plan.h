/*
 * ingest/copy/plan.h - what a copy has achieved, in plan.db: facts are appended, never updated.
 *
 * The file belongs to one copy (its identity is its folder). While the copy is unfinished a later
 * run continues from the facts: names already stored, and blocks of large items already stored. A
 * finished plan is history: the next run starts a new one and compares with the target instead.
 *
 *   shape    one writer connection (struct plan) and any number of readers (struct plan_reader)
 *   owner    each struct belongs to the thread that opened it
 *   durable  a commit survives SIGKILL; power loss may take the newest commits, whose work is then
 *            done again: a fact is never older than what it tells of
 *   errors   ERR_STATE_INVALID (damaged, other version), ERR_STATE_FULL, ERR_SYSTEM
 */
#ifndef INGEST_COPY_PLAN_H
#define INGEST_COPY_PLAN_H

#include "base/sql.h"
#include "base/text.h"
#include "ingest/copy/item.h"

#define PLAN_COMMIT_NS (200 * NS_PER_MS)
#define PLAN_VERSION   3

struct plan {
    struct sql sql;
    char nonce[BLOB_JOB_BYTES];
    bool is_resumed;
    bool is_open_transaction;
    uint64_t next_stage_id;
    uint64_t run; /* how many runs this plan has seen, this one included */
    struct sql_stmt add_done, forget_done, add_large, add_block;
};

/* What an earlier run has recorded of one name. */
struct plan_done {
    struct item item; /* name is not set; texts in the arena given */
};

struct plan_reader {
    struct sql sql;
    struct sql_stmt find_done, find_target, find_size, find_large, blocks;
    struct text name; /* of the row found last */
};

/* Open or begin the plan at path. A finished or (with restart) any plan is begun anew. */
MUST_USE enum err_code plan_open(const char *path, bool restart, struct plan *ret_plan,
                                 struct err *err);
void plan_close(struct plan *plan);
/* Facts; each begins a transaction if none is open. */
MUST_USE enum err_code plan_add_item(struct plan *plan, const struct item *item, struct err *err);
MUST_USE enum err_code plan_add_large(struct plan *plan, const struct item *item, uint64_t stage_id,
                                      struct err *err);
MUST_USE enum err_code plan_add_block(struct plan *plan, uint64_t stage_id,
                                      const struct order *order, struct err *err);
/* The blocks of this stage are not to be used again. */
MUST_USE enum err_code plan_forget_large(struct plan *plan, uint64_t stage_id, struct err *err);
MUST_USE enum err_code plan_commit(struct plan *plan, struct err *err);
/* Items that turned out not to be at the target as they were stored (bit per row): the next run
 * copies them again. Committed when it returns. */
MUST_USE enum err_code plan_forget_rows(struct plan *plan, const uint8_t *bits, uint64_t rows,
                                        struct err *err);
/* Everything was done: the next run starts anew. */
MUST_USE enum err_code plan_finish(struct plan *plan, struct err *err);

MUST_USE enum err_code plan_reader_open(const char *path, struct plan_reader *ret_reader,
                                        struct err *err);
void plan_reader_close(struct plan_reader *reader);
/* Was an item of this name, size and time stored? Then the facts are put into item. */
MUST_USE enum err_code plan_find_done(struct plan_reader *reader, struct arena *arena,
                                      struct item *item, bool *ret_found, struct err *err);
/* The size of the blocks of which an earlier run has stored some; 0: of none. */
MUST_USE enum err_code plan_find_block_bytes(struct plan_reader *reader, const struct item *item,
                                             uint32_t *ret_block_bytes, struct err *err);
/* The stage of a large item of this name, size, time and block size, and its blocks into large;
 * into item, whether they are compressed. */
MUST_USE enum err_code plan_find_large(struct plan_reader *reader, struct item *item,
                                       struct large *large, bool *ret_found, struct err *err);

/* Every stored item in the order of storing; name and texts are borrowed for the call. */
typedef enum err_code(plan_item_fn)(void *user, const struct item *item, uint64_t row,
                                    struct err *err);
MUST_USE enum err_code plan_each(const char *path, plan_item_fn *fn, void *user, struct err *err);
/* The same, folder by folder, sorted by names as bytes. scratch is a file of the caller's choice
 * that is made and removed: memory does not grow with the plan. */
MUST_USE enum err_code plan_each_by_name(const char *path, const char *scratch, plan_item_fn *fn,
                                         void *user, struct err *err);
MUST_USE enum err_code plan_last_row(struct plan_reader *reader, uint64_t *ret_row,
                                     struct err *err);
/* Random access by the name at the target, for verifying. Row 0: none. item->name lives until the
 * next call. */
MUST_USE enum err_code plan_index_names(struct plan *plan, const atomic_int *signal,
                                        struct err *err);
MUST_USE enum err_code plan_find_row(struct plan_reader *reader, const char *target,
                                     uint64_t *ret_row, struct item *item, struct err *err);

#endif
