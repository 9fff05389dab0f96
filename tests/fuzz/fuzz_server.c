/*
 * The bench server's request: its head, its query and range, and the body of Put Block List. It
 * listens on this machine alone, and still must not fall over.
 */
#include "base/arena.h"
#include "bench/server/block_list.h"
#include "bench/server/head.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_head(const uint8_t *data, size_t size)
{
    static struct head head;
    AUTO_TEXT value = TEXT_INIT;
    char *bytes = fuzz_text(data, size);
    long len = head_parse(bytes, size, &head);
    FUZZ_MUST(len <= (long)size);
    if (len > 0) {
        uint64_t first = 0;
        uint64_t range_len = 0;
        const char *range = head_find(&head, "Range");
        FUZZ_MUST(head.field_count <= HEAD_FIELDS_MAX);
        FUZZ_MUST(head.path[0] == '/');
        (void)query_find(head.query, "comp", &value);
        if (range != NULL && range_parse(range, 1000, &first, &range_len)) {
            FUZZ_MUST(range_len > 0);
            FUZZ_MUST(first < 1000);
            FUZZ_MUST(first + range_len <= 1000);
        }
    }
    mem_give(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block_list list = {0};
    char *text = fuzz_text(data, size);
    check_head(data, size);
    if (block_list_parse(text, size, &list)) {
        FUZZ_MUST(list.count <= list.room);
    }
    block_list_done(&list);
    (void)percent_decode(text);
    mem_give(text);
    return 0;
}
