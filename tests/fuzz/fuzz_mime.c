/* The table of types: what is found for a name can stand in a request's header as it is. */
#include "ingest/copy/mime.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a.txt", "b/c.tar.gz", "noextension", ".hidden",
                                        "x.",    "d.b/e",      "f.TXT"};
    mime_forget();
    mime_load(fuzz_file(data, size));
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        const char *type = mime_of(names[i]);
        FUZZ_MUST(strlen(type) > 2);
        FUZZ_MUST(strlen(type) < 128);
        for (; *type != '\0'; type++) {
            FUZZ_MUST(*type > 0x20);
            FUZZ_MUST(*type < 0x7f);
        }
    }
    fuzz_file_done();
    return 0;
}
