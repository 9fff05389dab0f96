/* Base64 and hex: one value has one spelling, so what was decoded encodes to what was read. */
#include "base/arena.h"
#include "base/digest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

static void
check_base64(const char *text)
{
    size_t room = strlen(text) + 1;
    uint8_t *bytes = mem_take(room);
    long len = base64_decode(text, bytes, room);
    if (len >= 0) {
        char *again = mem_take(BASE64_ROOM((size_t)len));
        FUZZ_MUST(strcmp(base64_encode(bytes, (size_t)len, again), text) == 0);
        mem_give(again);
        /* Room for one byte less is not enough. */
        FUZZ_MUST(len == 0 || base64_decode(text, bytes, (size_t)len - 1) == -1);
    }
    mem_give(bytes);
}

static void
check_hex(const char *text)
{
    size_t len = strlen(text) / 2;
    uint8_t *bytes = mem_take(len + 1);
    if (hex_decode(text, bytes, len) == 0) {
        char *again = mem_take(2 * len + 1);
        FUZZ_MUST(strcasecmp(hex_encode(bytes, len, again), text) == 0);
        mem_give(again);
    }
    mem_give(bytes);
}

static void
check_bytes(const uint8_t *data, size_t size)
{
    char *text = mem_take(BASE64_ROOM(size) + 2 * size + 1);
    uint8_t *back = mem_take(size + 1);
    FUZZ_MUST(base64_decode(base64_encode(data, size, text), back, size) == (long)size);
    FUZZ_MUST(memcmp(back, data, size) == 0);
    FUZZ_MUST(hex_decode(hex_encode(data, size, text), back, size) == 0);
    FUZZ_MUST(memcmp(back, data, size) == 0);
    mem_give(text);
    mem_give(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_base64(text);
    check_hex(text);
    check_bytes(data, size);
    mem_give(text);
    return 0;
}
