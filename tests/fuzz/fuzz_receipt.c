/* Lines of receipts: read into fields that fit, or refused as a receipt. */
#include "base/arena.h"
#include "ingest/copy/receipt.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct receipt_line line;
    struct err err = ERR_NONE;
    const char *at = (const char *)data;
    const char *end = at + size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline == NULL ? end : newline) - at);
        err = ERR_NONE;
        enum err_code code = receipt_parse(at, len, &line, &err);
        FUZZ_MUST(code == ERR_OK || code == ERR_RECEIPT);
        FUZZ_MUST(code == err.code);
        if (code == ERR_OK && line.kind == RECEIPT_ITEM) {
            FUZZ_MUST(line.item.path[0] != '\0');
            FUZZ_MUST(line.item.size_bytes <= INT64_MAX);
        }
        at += len + 1;
    }
    return 0;
}
