/* Facts in the plan are there after a crash, and nothing else is. */
#include "ingest/copy/plan.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct plan plan;
static struct plan_reader reader;
static struct arena arena;
static struct err err;
static char *path;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    path = mem_text(folder_join(&folder, "plan.db"));
    plan = (struct plan){0};
    reader = (struct plan_reader){0};
    arena_init(&arena, 4096);
    return plan_open(path, false, &plan, &err) == ERR_OK ? 0 : -1;
}

static int
unmake(void **state)
{
    (void)state;
    plan_reader_close(&reader);
    plan_close(&plan);
    arena_done(&arena);
    path = mem_give(path);
    folder_done(&folder);
    return 0;
}

static void
reopen(bool restart)
{
    plan_reader_close(&reader);
    plan_close(&plan);
    CHECK_OK(plan_open(path, restart, &plan, &err), &err);
    CHECK_OK(plan_reader_open(path, &reader, &err), &err);
}

static const struct item full_item = {
    .name = "folder/na\xffme",
    .size_bytes = UINT64_C(5) << 30,
    .mtime_ns = -5,
    .crc64 = UINT64_MAX,
    .has_crc64 = true,
    .has_xxh3 = true,
    .xxh3 = "0123456789abcdef",
    .md5 = (const uint8_t *)"fedcba9876543210",
    .sha256 = (const uint8_t *)"0123456789abcdef0123456789abcdef",
    .etag = "\"0x1\"",
    .block_bytes = 8U << 20,
    .state = ITEM_COPIED,
    .verdict = VERDICT_IN_TRANSIT,
    .type = BLOB_TYPE_PAGE,
};

static bool
find(const struct item *like, struct item *item)
{
    bool is_found = false;
    *item = (struct item){
        .name = like->name, .size_bytes = like->size_bytes, .mtime_ns = like->mtime_ns};
    CHECK_OK(plan_find_done(&reader, &arena, item, &is_found, &err), &err);
    return is_found;
}

static void
a_stored_item_is_known_to_the_next_run(void **state)
{
    struct item item;
    (void)state;
    CHECK_OK(plan_add_item(&plan, &full_item, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    CHECK(plan.is_resumed);
    CHECK(find(&full_item, &item));
    CHECK_U64(item.state, ITEM_RESUMED);
    CHECK_U64(item.verdict, VERDICT_IN_TRANSIT);
    CHECK_U64(item.crc64, UINT64_MAX);
    CHECK_BYTES(item.xxh3, full_item.xxh3, XXH3_BYTES);
    CHECK_BYTES(item.md5, full_item.md5, MD5_BYTES);
    CHECK_U64(item.type, full_item.type);
    CHECK_BYTES(item.sha256, full_item.sha256, SHA256_BYTES);
    CHECK_TEXT(item.etag, full_item.etag);
    CHECK(item.is_recorded);
}

/* The source's file was changed between the runs: what was stored is not what is wanted. */
static void
another_size_or_time_is_another_item(void **state)
{
    struct item like = full_item;
    struct item item;
    (void)state;
    CHECK_OK(plan_add_item(&plan, &full_item, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    like.size_bytes++;
    CHECK(!find(&like, &item));
    like = full_item;
    like.mtime_ns++;
    CHECK(!find(&like, &item));
    like = full_item;
    like.name = "folder/na\xfeme";
    CHECK(!find(&like, &item));
}

/* A run that stored the item anew replaces the fact; two rows of one name would be two truths. */
static void
a_name_has_one_fact(void **state)
{
    struct item later = full_item;
    struct item item;
    uint64_t row = 0;
    (void)state;
    CHECK_OK(plan_add_item(&plan, &full_item, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    later.mtime_ns = 77;
    later.md5 = NULL;
    later.has_crc64 = false;
    CHECK_OK(plan_add_item(&plan, &later, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    CHECK(!find(&full_item, &item));
    CHECK(find(&later, &item));
    CHECK(item.md5 == NULL);
    CHECK(!item.has_crc64);
    CHECK_OK(plan_find_row(&reader, later.name, &row, &item, &err), &err);
    CHECK(row > 0);
    CHECK_I64(item.mtime_ns, 77);
    CHECK_OK(plan_find_row(&reader, "absent", &row, &item, &err), &err);
    CHECK_U64(row, 0);
}

/* What was not committed was not durable when the process died, so it is not a fact. */
static void
an_open_transaction_leaves_no_fact(void **state)
{
    struct item item;
    (void)state;
    CHECK_OK(plan_add_item(&plan, &full_item, &err), &err);
    reopen(false);
    CHECK(!find(&full_item, &item));
}

/* Names of staged files and ids of blocks are made of nonce and stage: both outlive the run. */
static void
an_unfinished_plan_keeps_its_nonce_and_never_repeats_a_stage(void **state)
{
    char nonce[BLOB_JOB_BYTES];
    (void)state;
    memcpy(nonce, plan.nonce, sizeof nonce);
    CHECK_U64(strlen(nonce), 32);
    uint64_t first = plan.next_stage_id;
    struct item large = full_item;
    CHECK_OK(plan_add_large(&plan, &large, first + 5, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    CHECK_TEXT(plan.nonce, nonce);
    CHECK(plan.next_stage_id > first + 5);
    /* Stages that were given out and never written down are not met again either. */
    CHECK(plan.next_stage_id - first > UINT32_MAX / 2);
    CHECK_U64(plan.run, 2);
}

static void
a_finished_plan_is_history(void **state)
{
    char nonce[BLOB_JOB_BYTES];
    struct item item;
    (void)state;
    memcpy(nonce, plan.nonce, sizeof nonce);
    CHECK_OK(plan_add_item(&plan, &full_item, &err), &err);
    CHECK_OK(plan_finish(&plan, &err), &err);
    reopen(false);
    CHECK(!plan.is_resumed);
    CHECK(strcmp(plan.nonce, nonce) != 0);
    CHECK(!find(&full_item, &item));
    memcpy(nonce, plan.nonce, sizeof nonce);
    CHECK_OK(plan_add_item(&plan, &full_item, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(true); /* --restart forgets an unfinished one too */
    CHECK(strcmp(plan.nonce, nonce) != 0);
    CHECK(!find(&full_item, &item));
}

enum { BLOCKS = 20 };

struct found {
    struct large large;
    uint64_t crcs[BLOCKS];
    uint8_t xxh3s[BLOCKS * XXH3_BYTES];
    uint8_t is_stored[BLOCKS / 8 + 1];
    uint32_t lens[BLOCKS];
};

static bool
find_large(struct item *item, struct found *found)
{
    bool is_found = false;
    *found = (struct found){0};
    found->large.crcs = found->crcs;
    found->large.xxh3s = found->xxh3s;
    found->large.is_stored = found->is_stored;
    found->large.lens = found->lens;
    found->large.is_checked = true;
    CHECK_OK(plan_find_large(&reader, item, &found->large, &is_found, &err), &err);
    return is_found;
}

static void
add_block(uint64_t stage, uint32_t index, enum blob_checked checked)
{
    const struct order order = {.block_index = index,
                                .crc64 = 100 + index,
                                .xxh3 = "0123456789abcdef",
                                .sent_bytes = 1000 + index,
                                .checked = checked};
    CHECK_OK(plan_add_block(&plan, stage, &order, &err), &err);
}

/* Inside a large file the copy goes on at the blocks that are missing. */
static void
stored_blocks_are_known_to_the_next_run(void **state)
{
    struct item item = full_item;
    struct found found;
    (void)state;
    item.block_count = BLOCKS;
    CHECK_OK(plan_add_large(&plan, &item, 7, &err), &err);
    add_block(7, 0, BLOB_CHECKED_CRC64);
    add_block(7, 9, BLOB_CHECKED_MD5);
    add_block(7, 9, BLOB_CHECKED_CRC64); /* stored twice after a doubtful answer */
    add_block(7, BLOCKS - 1, BLOB_CHECKED_CRC64);
    add_block(8, 3, BLOB_CHECKED_NO); /* another stage's */
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    CHECK(find_large(&item, &found));
    CHECK_U64(found.large.stage_id, 7);
    CHECK_U64(found.large.stored_count, 3);
    CHECK_U64(found.is_stored[0], 1);
    CHECK_U64(found.is_stored[1], 1U << 1);
    CHECK_U64(found.is_stored[2], 1U << 3);
    CHECK_U64(found.crcs[9], 109);
    CHECK(found.large.is_checked);
    CHECK(found.large.has_old_blocks);
    uint32_t block_bytes = 0;
    CHECK_OK(plan_find_block_bytes(&reader, &item, &block_bytes, &err), &err);
    CHECK_U64(block_bytes, item.block_bytes);
    /* Blocks of another size are other blocks. */
    item.block_bytes /= 2;
    CHECK(!find_large(&item, &found));
    CHECK_U64(found.large.stored_count, 0);
    /* Which size they had is told, so that a run with other buffers can go on with it. */
    CHECK_OK(plan_find_block_bytes(&reader, &item, &block_bytes, &err), &err);
    CHECK_U64(block_bytes, full_item.block_bytes);
    item.size_bytes++;
    CHECK_OK(plan_find_block_bytes(&reader, &item, &block_bytes, &err), &err);
    CHECK_U64(block_bytes, 0);
}

/* Frames are of use only to who still compresses, and then to all of the item. */
static void
whether_an_item_is_compressed_is_decided_once(void **state)
{
    struct item item = full_item;
    struct found found;
    (void)state;
    item.block_count = BLOCKS;
    item.pack = PACK_YES;
    CHECK_OK(plan_add_large(&plan, &item, 7, &err), &err);
    add_block(7, 2, BLOB_CHECKED_CRC64);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    item.pack = PACK_TRY;
    CHECK(find_large(&item, &found));
    CHECK_U64(item.pack, PACK_YES);
    CHECK_U64(found.lens[2], 1002);
    item.pack = PACK_NO;
    CHECK(!find_large(&item, &found));
    CHECK_U64(found.large.stage_id, 0);
    CHECK_U64(found.large.stored_count, 0);

    item.pack = PACK_NO;
    item.mtime_ns++;
    CHECK_OK(plan_add_large(&plan, &item, 9, &err), &err);
    add_block(9, 2, BLOB_CHECKED_CRC64);
    CHECK_OK(plan_commit(&plan, &err), &err);
    item.pack = PACK_TRY;
    CHECK(find_large(&item, &found));
    CHECK_U64(item.pack, PACK_NO);
}

/* One block that nobody checked makes the whole item unchecked. */
static void
an_unchecked_block_is_remembered_as_such(void **state)
{
    struct item item = full_item;
    struct found found;
    (void)state;
    item.block_count = BLOCKS;
    CHECK_OK(plan_add_large(&plan, &item, 7, &err), &err);
    add_block(7, 0, BLOB_CHECKED_CRC64);
    add_block(7, 1, BLOB_CHECKED_LOCAL);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    CHECK(find_large(&item, &found));
    CHECK(!found.large.is_checked);
}

/* A row that cannot be true must not become a wild write. */
static void
a_block_outside_its_item_is_damage(void **state)
{
    struct item item = full_item;
    struct found found = {0};
    bool is_found = false;
    (void)state;
    item.block_count = BLOCKS;
    CHECK_OK(plan_add_large(&plan, &item, 7, &err), &err);
    add_block(7, BLOCKS, BLOB_CHECKED_NO);
    CHECK_OK(plan_commit(&plan, &err), &err);
    reopen(false);
    found.large.crcs = found.crcs;
    found.large.xxh3s = found.xxh3s;
    found.large.is_stored = found.is_stored;
    CHECK_ERR(plan_find_large(&reader, &item, &found.large, &is_found, &err), &err,
              ERR_STATE_INVALID);
    CHECK_HAS(err.text, "plan.db");
}

static enum err_code
count_in_order(void *user, const struct item *item, uint64_t row, struct err *each_err)
{
    unsigned *count = user;
    char name[16];
    (void)row;
    (void)snprintf(name, sizeof name, "item-%u", (*count)++);
    CHECK_TEXT(item->name, name);
    return *count == 60 ? err_set(each_err, ERR_INTERRUPTED, "enough") : ERR_OK;
}

/* Verifying and receipts walk all facts in the order of storing, and stop when told to. */
static void
each_fact_is_told_in_order(void **state)
{
    unsigned count = 0;
    uint64_t last = 0;
    (void)state;
    for (unsigned i = 0; i < 59; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "item-%u", i);
        const struct item item = {.name = name, .state = ITEM_COPIED};
        CHECK_OK(plan_add_item(&plan, &item, &err), &err);
    }
    CHECK_OK(plan_commit(&plan, &err), &err);
    CHECK_OK(plan_each(path, count_in_order, &count, &err), &err);
    CHECK_U64(count, 59);
    reopen(false);
    CHECK_OK(plan_last_row(&reader, &last, &err), &err);
    CHECK_U64(last, 59);
    const struct item item = {.name = "item-59", .state = ITEM_COPIED};
    CHECK_OK(plan_add_item(&plan, &item, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    count = 0;
    CHECK_ERR(plan_each(path, count_in_order, &count, &err), &err, ERR_INTERRUPTED);
}

/* The state of a newer program, or of no program, is left as it is. */
static void
what_is_no_plan_is_refused_and_kept(void **state)
{
    static const char words[] = "no database at all, but long enough to be looked at as one ......";
    struct plan other = {0};
    struct stat st;
    (void)state;
    const char *file = folder_write(&folder, "words.db", words, sizeof words);
    CHECK_ERR(plan_open(file, false, &other, &err), &err, ERR_STATE_INVALID);
    CHECK_I64(stat(file, &st), 0);
    CHECK_I64(st.st_size, sizeof words);
    CHECK_OK(sql_exec(&plan.sql, "PRAGMA user_version=99", &err), &err);
    CHECK_ERR(plan_open(path, false, &other, &err), &err, ERR_STATE_INVALID);
    CHECK_HAS(err.text, "version 99");
    /* What --restart is for. */
    CHECK_OK(plan_open(file, true, &other, &err), &err);
    plan_close(&other);
}

static enum err_code
see_sorted(void *user, const struct item *item, uint64_t row, struct err *ret_err)
{
    static const char *const want[] = {"d",       "d/x",  "d/x/\x01", "d/x/y", "d/x\x01",
                                       "d/x-y/z", "d/x.", "d/x\xff",  "d-"};
    unsigned *seen = user;
    (void)row;
    (void)ret_err;
    CHECK(*seen < COUNT_OF(want));
    CHECK_TEXT(item->name, want[*seen]);
    (*seen)++;
    return ERR_OK;
}

/* Lists of files have this order too: whoever compares them sees what differs. */
static void
items_come_folder_by_folder_if_asked(void **state)
{
    static const char *const names[] = {"d/x\xff", "d-",      "d/x.",     "d/x-y/z", "d/x/y",
                                        "d/x",     "d/x\x01", "d/x/\x01", "d"};
    unsigned seen = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        struct item item = full_item;
        item.name = names[i];
        CHECK_OK(plan_add_item(&plan, &item, &err), &err);
    }
    CHECK_OK(plan_commit(&plan, &err), &err);
    const char *scratch = folder_write(&folder, "scratch", "what was there", 14);
    CHECK_OK(plan_each_by_name(path, scratch, see_sorted, &seen, &err), &err);
    CHECK_U64(seen, COUNT_OF(names));
    CHECK_I64(access(scratch, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stored_item_is_known_to_the_next_run),
        TEST(another_size_or_time_is_another_item),
        TEST(a_name_has_one_fact),
        TEST(an_open_transaction_leaves_no_fact),
        TEST(an_unfinished_plan_keeps_its_nonce_and_never_repeats_a_stage),
        TEST(a_finished_plan_is_history),
        TEST(stored_blocks_are_known_to_the_next_run),
        TEST(whether_an_item_is_compressed_is_decided_once),
        TEST(an_unchecked_block_is_remembered_as_such),
        TEST(a_block_outside_its_item_is_damage),
        TEST(each_fact_is_told_in_order),
        TEST(items_come_folder_by_folder_if_asked),
        TEST(what_is_no_plan_is_refused_and_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
