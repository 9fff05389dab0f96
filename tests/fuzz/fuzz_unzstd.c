/*
 * An item that says it was compressed by us, with any bytes whatever in it: it is read whole and in
 * parts, and both give the same bytes, or an error of the item.
 *
 * The first two bytes tell the original size, the third the number of parts.
 */
#include "base/arena.h"
#include "storage/wrap/wrap.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_end.h"

#include <string.h>

#define HEAD_BYTES 3U
#define PARTS_MAX  5U

static struct fake_clock fake;
static struct backend *backend;
static unsigned ended;

static void
on_done(struct blob_op *op)
{
    bool is_whole = op->err.code == ERR_OK;
    FUZZ_MUST(op->moved_bytes == (is_whole ? op->len_bytes : 0));
    FUZZ_MUST(is_whole || op->err.code == ERR_DIGEST);
    ended++;
}

static void
run(unsigned count)
{
    for (unsigned i = 0; i < 10000 && ended < count; i++) {
        if (backend_poll(backend) == 0) {
            int64_t at_ns = backend_next_timer_ns(backend);
            FUZZ_MUST(at_ns != INT64_MAX);
            fake_clock_go_to(&fake, at_ns);
        }
    }
    FUZZ_MUST(ended == count);
}

static void
submit(struct blob_op *op, const struct blob_props *props)
{
    struct err err = ERR_NONE;
    op->verb = BLOB_READ;
    op->name = "a";
    op->item_id = 1;
    op->props = props;
    op->done = on_done;
    enum err_code code = backend_submit(backend, op, &err);
    FUZZ_MUST(code == ERR_OK);
}

static bool
read_whole(const struct blob_props *props, uint8_t *out)
{
    struct blob_op op = {.len_bytes = (uint32_t)props->original_bytes, .is_whole = true};
    op.buf = mem_take(unzstd_room_bytes(props));
    ended = 0;
    submit(&op, props);
    run(1);
    memcpy(out, op.buf, op.len_bytes);
    mem_give(op.buf);
    return op.err.code == ERR_OK;
}

static bool
read_parts(const struct blob_props *props, unsigned parts, uint8_t *out)
{
    struct blob_op ops[PARTS_MAX];
    uint64_t size = props->original_bytes;
    uint64_t part = (size + parts - 1) / parts;
    unsigned count = 0;
    bool is_whole = true;
    memset(ops, 0, sizeof ops);
    ended = 0;
    for (uint64_t at = 0; at < size; at += part) {
        struct blob_op *op = &ops[count++];
        op->offset_bytes = at;
        op->len_bytes = (uint32_t)MIN_OF(part, size - at);
        op->buf = mem_take(op->len_bytes);
        submit(op, props);
    }
    run(count);
    for (unsigned i = 0; i < count; i++) {
        is_whole = is_whole && ops[i].err.code == ERR_OK;
        memcpy(out + ops[i].offset_bytes, ops[i].buf, ops[i].len_bytes);
        mem_give(ops[i].buf);
    }
    return is_whole;
}

static void
read_item(const struct blob_props *props, unsigned parts)
{
    uint8_t *whole = mem_take(props->original_bytes);
    uint8_t *joined = mem_take(props->original_bytes);
    struct err err = ERR_NONE;
    if (unzstd_check(props, "a", &err) == ERR_OK) {
        bool has_whole = read_whole(props, whole);
        bool has_parts = read_parts(props, parts, joined);
        FUZZ_MUST(!has_whole || !has_parts || memcmp(whole, joined, props->original_bytes) == 0);
    }
    mem_give(whole);
    mem_give(joined);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_store store;
    struct backend *inner = NULL;
    struct err err = ERR_NONE;
    if (size <= HEAD_BYTES) {
        return 0;
    }
    const struct blob_props as = {
        .original_bytes = data[0] + 256U * data[1], .mtime_ns = 5, .content_encoding = "zstd"};
    size_t len = size - HEAD_BYTES;
    fake_clock_init(&fake);
    memory_store_init(&store, 1);
    const struct memory_options options = {.clock = &fake.clock, .caps = {.keeps_props = true}};
    const struct lane_io io = {.clock = &fake.clock};
    uint8_t *bytes = mem_take(len);
    memcpy(bytes, data + HEAD_BYTES, len);
    struct blob_props props = memory_store_set(&store, "a", bytes, len, &as)->props;
    struct end *end = memory_end_new(&store, &options);
    enum err_code code = end_backend(end, &io, &inner, &err);
    code = code == ERR_OK ? unzstd_new(inner, &backend, &err) : code;
    FUZZ_MUST(code == ERR_OK);
    if (blob_is_packed(&props) && props.original_bytes > 0) {
        read_item(&props, 1 + data[2] % PARTS_MAX);
    }
    backend = backend_free(backend);
    end_close(end);
    memory_store_done(&store);
    return 0;
}
