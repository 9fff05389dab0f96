#include "base/arena.h"
#include "base/crc64.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/wrap.h"
#include "tests/support/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_end.h"

#include <zstd.h>

#define BLOCK ((uint32_t)1 << 20)
#define SIZE  (9U * BLOCK + 777U)
#define PARTS 10U

static struct fake_clock fake;
static struct memory_store store;
static struct memory_options options;
static struct end *end;
static struct backend *backend;
static struct err err;
static uint8_t *original; /* [SIZE] */
static struct blob_props props;
static struct blob_op ops[PARTS];
static unsigned order[PARTS]; /* in which they ended */
static unsigned ended;

static void
on_done(struct blob_op *op)
{
    order[ended++] = (unsigned)(op - ops);
}

static void
open_backend(void)
{
    const struct lane_io io = {.clock = &fake.clock};
    struct backend *inner = NULL;
    end = memory_end_new(&store, &options);
    CHECK_OK(end_backend(end, &io, &inner, &err), &err);
    CHECK_OK(unzstd_new(inner, &backend, &err), &err);
}

static void
close_backend(void)
{
    backend = backend_free(backend);
    end = end_close(end);
}

/* The item "a": frames of BLOCK bytes each, of which about half shrink. */
static void
store_item(void)
{
    struct packer *packer = NULL;
    uint8_t *buf = mem_take(packer_room_bytes(BLOCK));
    uint8_t *stored = mem_take(2 * (size_t)SIZE);
    size_t len = 0;
    CHECK_OK(packer_new(1, SIZE_MAX, &packer, &err), &err);
    for (size_t at = 0; at < SIZE; at += BLOCK) {
        void *frame = NULL;
        size_t piece = MIN_OF(BLOCK, SIZE - at);
        memcpy(buf, original + at, piece);
        size_t made = packer_frame(packer, buf, piece, at == 0, &frame);
        memcpy(stored + len, frame, made);
        len += made;
    }
    const struct blob_props as = {.original_bytes = SIZE,
                                  .mtime_ns = 5,
                                  .content_encoding = "zstd",
                                  .has_crc64 = true,
                                  .crc64 = crc64(CRC64_EMPTY, original, SIZE)};
    props = memory_store_set(&store, "a", stored, len, &as)->props;
    packer_free(packer);
    mem_give(buf);
}

static int
make(void **state)
{
    uint64_t random = 7;
    (void)state;
    fake_clock_init(&fake);
    memory_store_init(&store, 1);
    options = (struct memory_options){.clock = &fake.clock,
                                      .caps = {.keeps_props = true, .checks_transit = true},
                                      .latency_max_ns = 20 * NS_PER_MS};
    original = mem_take(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        original[i] = i / 300000 % 2 == 0 ? (uint8_t)(random >> 56) : (uint8_t)(i / 1000);
    }
    store_item();
    ended = 0;
    open_backend();
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PARTS; i++) {
        ops[i].buf = mem_give(ops[i].buf);
    }
    close_backend();
    memory_store_done(&store);
    original = mem_give(original);
    return 0;
}

static void
submit(unsigned index, uint64_t offset, uint64_t len)
{
    mem_give(ops[index].buf);
    ops[index] = (struct blob_op){.verb = BLOB_READ,
                                  .name = "a",
                                  .item_id = 4,
                                  .offset_bytes = offset,
                                  .len_bytes = (uint32_t)len,
                                  .buf = mem_take(len),
                                  .props = &props,
                                  .done = on_done};
    CHECK_OK(backend_submit(backend, &ops[index], &err), &err);
}

static void
submit_part(unsigned index)
{
    submit(index, (uint64_t)index * BLOCK, MIN_OF(BLOCK, SIZE - index * BLOCK));
}

/* Sleeps only when nothing is to be done, as a lane does; a part that would sleep for ever is
 * found. */
static void
run_until(unsigned count)
{
    for (unsigned i = 0; i < 100000 && ended < count; i++) {
        if (backend_poll(backend) == 0) {
            int64_t at_ns = backend_next_timer_ns(backend);
            CHECK(at_ns != INT64_MAX);
            fake_clock_go_to(&fake, at_ns);
        }
    }
    CHECK_U64(ended, count);
}

static void
check_part(unsigned index)
{
    const struct blob_op *op = &ops[index];
    CHECK_TEXT(op->err.text, "");
    CHECK_U64(op->moved_bytes, op->len_bytes);
    CHECK_BYTES(op->buf, original + op->offset_bytes, op->len_bytes);
}

static void
an_item_is_read_in_parts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PARTS; i++) {
        submit_part(i);
    }
    run_until(PARTS);
    for (unsigned i = 0; i < PARTS; i++) {
        CHECK_U64(order[i], i);
        check_part(i);
    }
}

/* One op at a time: whoever has all his answers has nothing on its way that he does not know of. */
static void
nothing_is_read_ahead_of_the_last_op(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PARTS; i++) {
        submit_part(i);
        run_until(i + 1);
        check_part(i);
        if (i == 4) { /* the item failed meanwhile: freeing asserts that nothing is left */
            close_backend();
            open_backend();
        }
    }
}

/* A resumed copy lacks blocks here and there, and reads the item once more for its digests. */
static void
gaps_are_dropped_and_what_is_behind_begins_anew(void **state)
{
    static const unsigned wanted[] = {1, 4, 9, 2};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(wanted); i++) {
        submit_part(wanted[i]);
        run_until(i + 1);
        check_part(wanted[i]);
    }
    ended = 0;
    submit_part(8);
    submit_part(5);
    submit_part(0);
    run_until(3);
    CHECK_U64(order[0], 0);
    CHECK_U64(order[1], 5);
    CHECK_U64(order[2], 8);
    check_part(0);
    check_part(5);
    check_part(8);
}

static void
an_inner_backend_without_room_only_delays(void **state)
{
    (void)state;
    close_backend();
    options.in_flight_max = 1;
    open_backend();
    for (unsigned i = 0; i < PARTS; i++) {
        submit_part(i);
    }
    run_until(PARTS);
    for (unsigned i = 0; i < PARTS; i++) {
        check_part(i);
    }
}

/* Two items at a time would each need a window. */
static void
another_item_waits_its_turn(void **state)
{
    (void)state;
    submit_part(0);
    ops[1] = (struct blob_op){.verb = BLOB_READ,
                              .name = "a",
                              .item_id = 5,
                              .len_bytes = 1,
                              .buf = mem_take(1),
                              .props = &props,
                              .done = on_done};
    CHECK_U64(backend_submit(backend, &ops[1], &err), ERR_BUSY);
    run_until(1);
    CHECK_OK(backend_submit(backend, &ops[1], &err), &err);
    run_until(2);
    check_part(1);
}

static void
small_items_are_read_whole(void **state)
{
    (void)state;
    mem_give(ops[0].buf);
    ops[0] = (struct blob_op){.verb = BLOB_READ,
                              .name = "a",
                              .len_bytes = SIZE,
                              .buf = mem_take(unzstd_room_bytes(&props)),
                              .is_whole = true,
                              .props = &props,
                              .done = on_done};
    CHECK_OK(backend_submit(backend, &ops[0], &err), &err);
    submit_part(1); /* in the middle of another item */
    run_until(2);
    check_part(0);
    check_part(1);
}

/* What nobody compressed passes as it is, whatever its encoding is called. */
static void
other_items_pass_through(void **state)
{
    uint8_t *bytes = mem_take(100);
    const struct blob_props as = {.mtime_ns = 5};
    (void)state;
    memset(bytes, 'x', 100);
    props = memory_store_set(&store, "a", bytes, 100, &as)->props;
    props.content_encoding = "zstd";
    submit(0, 40, 20);
    run_until(1);
    CHECK_U64(ops[0].moved_bytes, 20);
    CHECK_U64(*(uint8_t *)ops[0].buf, 'x');
}

static void
a_cancelled_op_ends_soon(void **state)
{
    (void)state;
    options.latency_max_ns = 100000 * NS_PER_S;
    close_backend();
    open_backend();
    submit_part(0);
    submit_part(1);
    CHECK(backend_poll(backend) > 0);
    backend_cancel(backend, &ops[0]);
    for (unsigned i = 0; i < 10 && ended < 2; i++) {
        (void)backend_poll(backend);
    }
    CHECK_U64(ended, 2);
    CHECK_U64(ops[0].err.code, ERR_INTERRUPTED);
    CHECK_U64(ops[1].err.code, ERR_INTERRUPTED);
    options.latency_max_ns = 0;
}

static void
an_error_below_ends_all_that_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PARTS; i++) {
        submit_part(i);
    }
    memory_store_find(&store, "a")->error = ERR_ITEM_IO;
    memory_store_find(&store, "a")->good_bytes = 3U << 20;
    run_until(PARTS);
    CHECK_U64(ops[0].err.code, ERR_OK);
    CHECK_U64(ops[PARTS - 1].err.code, ERR_ITEM_IO);
    memory_store_find(&store, "a")->error = ERR_OK; /* and it may be tried again */
    ended = 0;
    submit_part(3);
    run_until(1);
    check_part(3);
}

/* ---- what strangers may have stored ---- */

/* Both ways of reading say ERR_DIGEST, with these words. */
static void
check_refused(const void *bytes, size_t len, uint64_t size, const char *words)
{
    uint8_t *stored = mem_take(len);
    memcpy(stored, bytes, len);
    const struct blob_props as = {
        .original_bytes = size, .mtime_ns = 5, .content_encoding = "zstd"};
    props = memory_store_set(&store, "a", stored, len, &as)->props;
    CHECK(blob_is_packed(&props));
    for (unsigned is_whole = 0; is_whole < 2; is_whole++) {
        mem_give(ops[0].buf);
        ops[0] = (struct blob_op){.verb = BLOB_READ,
                                  .name = "a",
                                  .item_id = 6,
                                  .len_bytes = (uint32_t)size,
                                  .buf = mem_take(unzstd_room_bytes(&props)),
                                  .is_whole = is_whole != 0,
                                  .props = &props,
                                  .done = on_done};
        ended = 0;
        CHECK_OK(backend_submit(backend, &ops[0], &err), &err);
        run_until(1);
        CHECK_U64(ops[0].err.code, ERR_DIGEST);
        CHECK_U64(ops[0].moved_bytes, 0);
        CHECK_HAS(ops[0].err.text, "'a' cannot be decompressed");
        CHECK_HAS(ops[0].err.text, words);
    }
}

static void
frames_that_lie_are_refused(void **state)
{
    uint8_t frame[4096];
    char text[1000];
    (void)state;
    memset(text, 'b', sizeof text);
    size_t len = ZSTD_compress(frame, sizeof frame, text, sizeof text, 3);
    CHECK(!ZSTD_isError(len));
    check_refused(frame, len, 999, "");       /* holds more than it says */
    check_refused(frame, len, 1001, "1000 "); /* and less: both say how much */
    check_refused(frame, len - 1, 1000, "");  /* cut off */
    check_refused(frame, 3, 1000, "");        /* within the magic number */
    memset(frame + len, 'x', 8);
    check_refused(frame, len + 8, 1000, "something else");
    memcpy(frame + len, frame, len);
    check_refused(frame, 2 * len, 1000, ""); /* a second item behind it */
    check_refused("rubbish and more rubbish", 24, 1000, "something else");
    /* Magic numbers of before the standard: their decoders bring limits of their own. */
    for (uint8_t version = 0x22; version <= 0x27; version++) {
        const uint8_t old[] = {version, 0xb5, 0x2f, 0xfd, 0x20, 0x40, 1, 0, 0};
        check_refused(old, sizeof old, 1000, "something else");
    }
}

/* Sixteen mebibytes from a few hundred bytes, where a thousand were said. */
static void
a_bomb_ends_at_its_original_size(void **state)
{
    enum { BOMB = 16 << 20 };
    uint8_t *zeros = mem_take(BOMB);
    uint8_t *frame = mem_take(65536);
    (void)state;
    size_t len = ZSTD_compress(frame, 65536, zeros, BOMB, 3);
    CHECK(!ZSTD_isError(len));
    check_refused(frame, len, 1000, "");
    mem_give(zeros);
    mem_give(frame);
}

/* What needs more memory than a lane has for it is not decoded part by part. */
static void
large_windows_and_dictionaries_are_refused(void **state)
{
    enum { LEN = 5 << 20 };
    uint8_t *frame = mem_take(ZSTD_compressBound(LEN));
    uint8_t *stored = mem_take(ZSTD_compressBound(LEN));
    ZSTD_CCtx *context = ZSTD_createCCtx();
    (void)state;
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 22)));
    size_t len = ZSTD_compress2(context, frame, ZSTD_compressBound(LEN), original, LEN);
    CHECK(!ZSTD_isError(len));
    memcpy(stored, frame, len);
    const struct blob_props as = {.original_bytes = LEN, .mtime_ns = 5, .content_encoding = "zstd"};
    props = memory_store_set(&store, "a", stored, len, &as)->props;
    submit(0, 0, BLOCK);
    run_until(1);
    CHECK_U64(ops[0].err.code, ERR_DIGEST);
    CHECK_HAS(ops[0].err.text, "memory");

    const size_t dictionary_len = 5000;
    (void)ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    CHECK(!ZSTD_isError(ZSTD_CCtx_loadDictionary(context, original, dictionary_len)));
    len = ZSTD_compress2(context, frame, 65536, original, dictionary_len);
    CHECK(!ZSTD_isError(len));
    check_refused(frame, len, dictionary_len, "damaged");
    (void)ZSTD_freeCCtx(context);
    mem_give(frame);
}

/* Before a byte is read or a buffer is taken. */
static void
sizes_that_cannot_belong_together_are_refused(void **state)
{
    static const uint64_t bad[][2] = {
        {5, UINT64_C(1) << 40}, {UINT64_C(1) << 40, 5}, {UINT64_MAX, 1}, {100000, 200000}};
    static const uint64_t good[][2] = {{5, 14}, {1000, 1023}, {UINT64_C(1) << 30, 40000}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        props = (struct blob_props){.original_bytes = bad[i][0], .size_bytes = bad[i][1]};
        CHECK_ERR(unzstd_check(&props, "a", &err), &err, ERR_DIGEST);
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        props = (struct blob_props){.original_bytes = good[i][0], .size_bytes = good[i][1]};
        CHECK_OK(unzstd_check(&props, "a", &err), &err);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_item_is_read_in_parts),
        TEST(nothing_is_read_ahead_of_the_last_op),
        TEST(gaps_are_dropped_and_what_is_behind_begins_anew),
        TEST(an_inner_backend_without_room_only_delays),
        TEST(another_item_waits_its_turn),
        TEST(small_items_are_read_whole),
        TEST(other_items_pass_through),
        TEST(a_cancelled_op_ends_soon),
        TEST(an_error_below_ends_all_that_waits),
        TEST(frames_that_lie_are_refused),
        TEST(a_bomb_ends_at_its_original_size),
        TEST(large_windows_and_dictionaries_are_refused),
        TEST(sizes_that_cannot_belong_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
