/*
 * plan.db as a crash, a disk or another version may have left it: the copy goes on from what can be
 * read, or says that the state cannot be used.
 */
#include "base/arena.h"
#include "ingest/copy/plan.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_code(enum err_code code)
{
    FUZZ_MUST(code == ERR_OK || code == ERR_STATE_INVALID || code == ERR_SYSTEM ||
              code == ERR_STATE_FULL || code == ERR_RUNNING);
}

static enum err_code
on_item(void *user, const struct item *item, uint64_t row, struct err *err)
{
    (void)row;
    (void)err;
    FUZZ_MUST(item->name != NULL);
    FUZZ_MUST(item->verdict < VERDICT_COUNT);
    FUZZ_MUST(item->state == ITEM_RESUMED || item->state == ITEM_UNCHANGED);
    return ++*(unsigned *)user > 10000 ? ERR_SYSTEM : ERR_OK;
}

static void
look_up(struct plan_reader *reader)
{
    enum { BLOCKS = 16 };
    uint64_t crcs[BLOCKS];
    uint8_t xxh3s[BLOCKS * XXH3_BYTES];
    uint8_t is_stored[BLOCKS / 8] = {0};
    struct large large = {.crcs = crcs, .xxh3s = xxh3s, .is_stored = is_stored};
    struct item item = {.name = "large",
                        .size_bytes = 1048576,
                        .mtime_ns = 1000,
                        .block_bytes = 65536,
                        .block_count = BLOCKS};
    struct arena arena;
    struct err err = ERR_NONE;
    bool is_found = false;
    uint64_t row = 0;
    check_code(plan_find_large(reader, &item, &large, &is_found, &err));
    FUZZ_MUST(large.stored_count <= BLOCKS);
    arena_init(&arena, 4096);
    item = (struct item){.name = "small", .size_bytes = 5, .mtime_ns = 1000};
    check_code(plan_find_done(reader, &arena, &item, &is_found, &err));
    FUZZ_MUST(!is_found || item.state == ITEM_RESUMED || item.state == ITEM_UNCHANGED);
    check_code(plan_find_row(reader, "small", &row, &item, &err));
    check_code(plan_last_row(reader, &row, &err));
    arena_done(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    struct plan plan;
    struct plan_reader reader;
    struct err err = ERR_NONE;
    unsigned count = 0;
    enum err_code code = plan_open(path, false, &plan, &err);
    check_code(code);
    if (code == ERR_OK) {
        const struct item item = {.name = "new", .size_bytes = 1, .state = ITEM_COPIED};
        FUZZ_MUST(strspn(plan.nonce, "0123456789abcdefABCDEF") == 32);
        check_code(plan_add_item(&plan, &item, &err));
        check_code(plan_commit(&plan, &err));
        code = plan_reader_open(path, &reader, &err);
        check_code(code);
        if (code == ERR_OK) {
            look_up(&reader);
            plan_reader_close(&reader);
        }
        check_code(plan_each(path, on_item, &count, &err));
        plan_close(&plan);
    }
    fuzz_file_done();
    return 0;
}
