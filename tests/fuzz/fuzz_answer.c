/*
 * What else a store answers: header fields ("Name: value" lines), a list of blocks or of pages, an
 * error's body. Whatever they say is cut to its field or ignored.
 */
#include "base/arena.h"
#include "storage/azure/azure_text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define NONCE "0123456789abcdef0123456789abcdef"

static void
on_block(void *user, const char *id, uint64_t size_bytes)
{
    uint32_t index = 0;
    char again[AZURE_BLOCK_ID_BYTES];
    (void)user;
    (void)size_bytes;
    if (azure_block_index(id, NONCE, 7, &index)) {
        azure_block_id(NONCE, 7, index, again);
        FUZZ_MUST(strcmp(again, id) == 0);
    }
}

static void
on_range(void *user, uint64_t first, uint64_t last)
{
    (void)first;
    (void)last;
    ++*(unsigned *)user;
}

static void
check_fields(char *text)
{
    struct arena arena;
    struct blob_props props = {0};
    arena_init(&arena, 4096);
    while (text != NULL) {
        char *line = strsep(&text, "\n");
        char *value = strstr(line, ": ");
        if (value != NULL) {
            azure_props_take(&props, &arena, true, line, (size_t)(value - line), value + 2,
                             strlen(value + 2));
            azure_props_take(&props, &arena, false, line, (size_t)(value - line), value + 2,
                             strlen(value + 2));
        }
    }
    azure_props_finish(&props);
    FUZZ_MUST((unsigned)props.type < BLOB_TYPE_COUNT);
    FUZZ_MUST((unsigned)props.tier < BLOB_TIER_COUNT);
    FUZZ_MUST(strnlen(props.etag, sizeof props.etag) < sizeof props.etag);
    FUZZ_MUST(strnlen(props.job, sizeof props.job) < sizeof props.job);
    FUZZ_MUST(props.extra_metadata_len <= BLOB_METADATA_MAX);
    arena_done(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_NONE;
    char code[AZURE_CODE_BYTES];
    char words[AZURE_WORDS_BYTES];
    uint32_t index = 0;
    char *text = fuzz_text(data, size);
    enum err_code parsed = azure_parse_blocks(data, size, on_block, NULL, &err);
    FUZZ_MUST(parsed == ERR_OK || parsed == ERR_FORMAT);
    unsigned ranges = 0;
    parsed = azure_parse_ranges(data, size, on_range, &ranges, &err);
    FUZZ_MUST(parsed == ERR_OK || parsed == ERR_FORMAT);
    FUZZ_MUST(ranges <= size);
    azure_parse_error(data, size, code, words);
    FUZZ_MUST(strnlen(code, sizeof code) < sizeof code);
    FUZZ_MUST(strnlen(words, sizeof words) < sizeof words);
    for (int status = 100; status < 600; status += 1) {
        (void)azure_classify(BLOB_PUT, status, code);
    }
    (void)azure_block_index(text, NONCE, 7, &index);
    check_fields(text);
    mem_give(text);
    return 0;
}
