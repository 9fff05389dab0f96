/* A configuration: whatever it says is taken within its limits, or refused naming file and line. */
#include "base/config.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    struct err err = ERR_NONE;
    config_init(&config);
    enum err_code code = config_read_text(&config, "fuzz.conf", (const char *)data, size, &err);
    if (code != ERR_OK) {
        FUZZ_MUST(code == ERR_CONFIG);
        FUZZ_MUST(strstr(err.text, "fuzz.conf") != NULL);
    }
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        const void *field = (const char *)&config + row->offset;
        if (!row->is_text) {
            FUZZ_MUST(*(const int64_t *)field >= row->min);
            FUZZ_MUST(*(const int64_t *)field <= row->max);
        }
    }
    config_done(&config);
    return 0;
}
