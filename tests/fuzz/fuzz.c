#include "tests/fuzz/fuzz.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];

char *
fuzz_text(const uint8_t *data, size_t size)
{
    char *text = mem_take(size + 1);
    if (size > 0) {
        memcpy(text, data, size);
    }
    return text;
}

const char *
fuzz_file(const uint8_t *data, size_t size)
{
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(path, sizeof path, "%s/sallyport-fuzz.%d", folder, (int)getpid());
    FILE *file = fopen(path, "we");
    FUZZ_MUST(file != NULL);
    size_t wrote = fwrite(data, 1, size, file);
    int failed = fclose(file);
    FUZZ_MUST(wrote == size);
    FUZZ_MUST(failed == 0);
    return path;
}

void
fuzz_file_done(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; i < COUNT_OF(suffixes); i++) {
        AUTO_TEXT name = TEXT_INIT;
        text_addf(&name, "%s%s", path, suffixes[i]);
        (void)unlink(text_str(&name));
    }
}
