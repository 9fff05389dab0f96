/* Frames as zstd itself reads them. */
#include "base/arena.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/unzstd_frames.h"
#include "tests/support/check.h"

#include <zstd.h>

static struct packer *packer;
static struct err err;

static int
make(void **state)
{
    (void)state;
    CHECK_OK(packer_new(PACKER_LEVEL_DEFAULT, SIZE_MAX, &packer, &err), &err);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    packer = packer_free(packer);
    return 0;
}

static void
fill(uint8_t *bytes, size_t len, bool is_random)
{
    uint64_t random = 88172645463325252U + len;
    for (size_t i = 0; i < len; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        bytes[i] = is_random ? (uint8_t)random : "the quick brown fox "[(random >> 8) % 4 + i % 16];
    }
}

/* As one frame, in a buffer that is no larger than promised; true if it got shorter. */
static bool
check_frame(size_t len, bool is_random, bool is_odd)
{
    size_t room = packer_room_bytes(len);
    uint8_t *buf = mem_take(room); /* the sanitizer sees one byte too many */
    uint8_t *want = mem_take(len);
    uint8_t *got = mem_take(len);
    void *frame = NULL;
    fill(buf, len, is_random);
    memcpy(want, buf, len);
    size_t made = packer_frame(packer, buf, len, is_odd, &frame);
    CHECK((uint8_t *)frame >= buf);
    CHECK((uint8_t *)frame + made <= buf + room);
    CHECK_U64(made & 1, is_odd);
    CHECK(made <= len + 3 * (len / 131072 + 1) + 19);
    CHECK_U64(ZSTD_decompress(got, len, frame, made), len);
    CHECK_BYTES(got, want, len);
    mem_give(buf);
    mem_give(want);
    mem_give(got);
    return made < len;
}

/* Whatever the bytes, they come back, and the frame's length is as odd as was asked for. */
static void
every_block_becomes_a_frame_in_its_own_buffer(void **state)
{
    static const size_t lens[] = {1,       2,       7,       255,    256,    2047,
                                  2048,    2049,    65536,   131071, 131072, 131073,
                                  1000001, 1048576, 4194304, 4194305};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        for (unsigned odd = 0; odd < 2; odd++) {
            CHECK(!check_frame(lens[i], true, odd != 0));
            CHECK(check_frame(lens[i], false, odd != 0) || lens[i] < 2000);
        }
    }
}

/* A window that does not fit into what readers give it would make the frame unreadable. */
static void
no_frame_has_a_larger_window_than_is_read_back(void **state)
{
    enum { LEN = 6 << 20 };
    static const int levels[] = {1, 3, 12, 19};
    uint8_t *buf = mem_take(packer_room_bytes(LEN));
    uint8_t *got = mem_take(LEN);
    struct frames *frames = frames_new();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        for (unsigned is_random = 0; is_random < 2; is_random++) {
            void *frame = NULL;
            struct packer *one = NULL;
            memset(buf, 0, LEN);
            fill(buf, is_random != 0 ? (size_t)LEN : 100000, is_random != 0);
            CHECK_OK(packer_new(levels[i], SIZE_MAX, &one, &err), &err);
            size_t made = packer_frame(one, buf, LEN, false, &frame);
            struct frames_io io = {.in = frame, .in_len = made, .out = got, .out_len = LEN};
            frames_reset(frames);
            CHECK_OK(frames_add(frames, &io, &err), &err);
            CHECK_U64(io.out_at, LEN);
            packer_free(one);
        }
    }
    frames_free(frames);
    mem_give(buf);
    mem_give(got);
}

static void
trying_tells_whether_a_twentieth_is_saved(void **state)
{
    enum { LEN = 100000 };
    uint8_t *bytes = mem_take(LEN);
    uint8_t *frame = mem_take(LEN);
    uint8_t *got = mem_take(LEN);
    (void)state;
    fill(bytes, LEN, true);
    CHECK_U64(packer_try(packer, bytes, LEN, frame), 0);
    memset(bytes, 'a', LEN / 25); /* four hundredths are not enough, six are */
    CHECK_U64(packer_try(packer, bytes, LEN, frame), 0);
    memset(bytes, 'a', LEN / 16);
    size_t made = packer_try(packer, bytes, LEN, frame);
    CHECK(made > 0);
    CHECK(made <= LEN - LEN / 20);
    CHECK_U64(ZSTD_decompress(got, LEN, frame, made), LEN);
    CHECK_BYTES(got, bytes, LEN);
    mem_give(bytes);
    mem_give(frame);
    mem_give(got);
}

/* --memory goes before the level: the window shrinks, and what still does not fit is refused. */
static void
the_context_stays_within_its_memory(void **state)
{
    struct packer *one = NULL;
    (void)state;
    CHECK_OK(packer_new(PACKER_LEVEL_MAX, (size_t)4 << 20, &one, &err), &err);
    CHECK(packer_bytes(one) <= (size_t)4 << 20);
    packer_free(one);
    CHECK_ERR(packer_new(PACKER_LEVEL_MAX, 1000, &one, &err), &err, ERR_USAGE);
    CHECK_HAS(err.text, "zstd:19");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_block_becomes_a_frame_in_its_own_buffer),
        TEST(no_frame_has_a_larger_window_than_is_read_back),
        TEST(trying_tells_whether_a_twentieth_is_saved),
        TEST(the_context_stays_within_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
