/* Frames of an item, each as long as it is, staged in any order and published as one file. */
#include "base/arena.h"
#include "storage/local/local.h"
#include "tests/support/folder.h"

#define BLOCKS      5U
#define BLOCK_BYTES 65536U
#define NONCE       "0123456789abcdef0123456789abcdef"

static struct folder folder;
static struct err err;
static struct end *end;
static struct disk *disk;
static struct mailbox wake;
static struct backend *backend;
static atomic_uint_least64_t moved;
static const uint32_t lens[BLOCKS] = {3, 65610, 1, 40000, 65536};
static struct blob_op op;
static bool has_ended;

static void
on_done(struct blob_op *ended)
{
    CHECK(ended == &op);
    has_ended = true;
}

static int
make(void **state)
{
    AUTO_TEXT address = TEXT_INIT;
    const struct end_options options = {.role = END_TARGET, .clock = &clock_system};
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    (void)state;
    folder_init(&folder);
    text_addf(&address, "file:%s/store/acct/cont", folder.path);
    CHECK_OK(end_open(text_str(&address), &options, &end, &err), &err);
    CHECK_OK(end_prepare(end, false, &free_bytes, &is_fresh, &err), &err);
    CHECK_OK(disk_new(DISK_AUTO, 8, &disk, &err), &err);
    CHECK_OK(mailbox_init(&wake, &err), &err);
    const struct lane_io io = {
        .disk = disk, .clock = &clock_system, .wake = &wake, .moved = &moved};
    CHECK_OK(end_backend(end, &io, &backend, &err), &err);
    atomic_store(&moved, 0);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    backend = backend_free(backend);
    disk = disk_free(disk);
    end = end_close(end);
    mailbox_done(&wake);
    folder_done(&folder);
    return 0;
}

static enum err_code
run(void)
{
    int64_t until_ns = clock_mono_ns(&clock_system) + 10 * NS_PER_S;
    has_ended = false;
    op.name = "folder/item";
    op.item_id = 1;
    op.nonce = NONCE;
    op.stage_id = 7;
    op.block_bytes = BLOCK_BYTES;
    op.is_packed = true;
    op.done = on_done;
    op.err = ERR_NONE;
    CHECK_OK(backend_submit(backend, &op, &err), &err);
    while (!has_ended) {
        CHECK(clock_mono_ns(&clock_system) < until_ns);
        if (disk_poll(disk) + backend_poll(backend) == 0 && backend_next_timer_ns(backend) != 0) {
            mailbox_wait(&wake, 1);
        }
    }
    err = op.err;
    return err.code;
}

static void
write_frame(uint32_t index, uint32_t len)
{
    char *bytes = mem_take(len);
    memset(bytes, (int)('a' + index), len);
    op = (struct blob_op){.verb = BLOB_WRITE, .block_index = index, .buf = bytes, .len_bytes = len};
    CHECK_OK(run(), &err);
    CHECK_U64(op.moved_bytes, len);
    mem_give(bytes);
}

static enum err_code
commit(bool is_cancelled)
{
    struct blob_props props = {.original_bytes = 300000,
                               .mtime_ns = 1000 * NS_PER_S,
                               .content_encoding = "zstd",
                               .type = BLOB_TYPE_BLOCK};
    for (unsigned i = 0; i < BLOCKS; i++) {
        props.size_bytes += lens[i];
    }
    op = (struct blob_op){.verb = BLOB_COMMIT,
                          .block_count = BLOCKS,
                          .block_lens = lens,
                          .is_cancelled = is_cancelled,
                          .props = &props};
    return run();
}

static void
check_item(void)
{
    struct blob_props found = {0};
    AUTO_TEXT want = TEXT_INIT;
    for (unsigned i = 0; i < BLOCKS; i++) {
        for (unsigned k = 0; k < lens[i]; k++) {
            text_add_char(&want, (char)('a' + i));
        }
    }
    char *got = mem_take(want.len + 1);
    int fd = open(folder_join(&folder, "store/acct/cont/folder/item"), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_I64(read(fd, got, want.len + 1), (int64_t)want.len);
    CHECK_BYTES(got, want.bytes, want.len);
    CHECK_I64(close(fd), 0);
    mem_give(got);
    op = (struct blob_op){.verb = BLOB_STAT, .ret_props = &found};
    CHECK_OK(run(), &err);
    CHECK(blob_is_packed(&found));
    CHECK_U64(found.size_bytes, want.len);
    CHECK_U64(found.original_bytes, 300000);
    CHECK_I64(found.mtime_ns, 1000 * NS_PER_S);
}

static void
frames_in_any_order_become_one_file(void **state)
{
    (void)state;
    write_frame(3, lens[3]);
    write_frame(0, 60000); /* torn: the answer was lost, and it was sent again */
    write_frame(4, lens[4]);
    write_frame(1, lens[1]);
    write_frame(0, lens[0]);
    write_frame(2, lens[2]);
    CHECK(!folder_has(&folder, "store/acct/cont/folder"));
    CHECK_OK(commit(false), &err);
    check_item();
    CHECK(atomic_load(&moved) > 0); /* or a long one would look like a stall */
    op = (struct blob_op){.verb = BLOB_DISCARD};
    CHECK_OK(run(), &err);
    CHECK(!folder_has(&folder, "store/.sallyport/partial/" NONCE "/0000000000000007"));
}

/* Killed in the middle of it, the next run finds the slots as they were, and joins them again. */
static void
joining_may_be_stopped_and_begun_again(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        write_frame(i, lens[i]);
    }
    CHECK_ERR(commit(true), &err, ERR_INTERRUPTED);
    CHECK(!folder_has(&folder, "store/acct/cont/folder"));
    CHECK_OK(commit(false), &err);
    check_item();
}

static void
a_frame_that_is_missing_is_said(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < BLOCKS - 1; i++) {
        write_frame(i, lens[i]);
    }
    CHECK_ERR(commit(false), &err, ERR_ITEM_REFUSED);
    CHECK_HAS(err.text, "block 4");
    CHECK(!folder_has(&folder, "store/acct/cont/folder"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_in_any_order_become_one_file),
        TEST(joining_may_be_stopped_and_begun_again),
        TEST(a_frame_that_is_missing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
