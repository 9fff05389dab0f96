/*
 * blobs.db of the local store, which other programs may have written: rows are read within their
 * limits, or the store says that the index cannot be used.
 */
#include "storage/local/index.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_row(const struct index_row *row)
{
    const struct blob_props *props = &row->props;
    FUZZ_MUST((unsigned)props->type < BLOB_TYPE_COUNT);
    FUZZ_MUST((unsigned)props->tier < BLOB_TIER_COUNT);
    FUZZ_MUST(strnlen(props->job, sizeof props->job) < sizeof props->job);
    FUZZ_MUST(strnlen(props->etag, sizeof props->etag) < sizeof props->etag);
    FUZZ_MUST(props->extra_metadata_len <= BLOB_METADATA_MAX);
    FUZZ_MUST(!blob_is_packed(props) || strcmp(props->content_encoding, "zstd") == 0);
    /* Whole pairs only: each key and each value ends with a NUL of its own. */
    unsigned nuls = 0;
    for (uint32_t i = 0; i < props->extra_metadata_len; i++) {
        nuls += props->extra_metadata[i] == '\0';
    }
    FUZZ_MUST(nuls % 2 == 0);
    FUZZ_MUST(props->extra_metadata_len == 0 ||
              props->extra_metadata[props->extra_metadata_len - 1] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct index index;
    struct err err = ERR_NONE;
    enum err_code code = index_open(&index, fuzz_file(data, size), &err);
    FUZZ_MUST(code == ERR_OK || code == ERR_STATE_INVALID || code == ERR_SYSTEM ||
              code == ERR_RUNNING);
    if (code == ERR_OK) {
        static const char *const keys[] = {"account/container/small", "account/container/props"};
        for (unsigned i = 0; i < COUNT_OF(keys); i++) {
            struct index_row row = {0};
            bool is_found = false;
            if (index_find(&index, keys[i], NULL, &row, &is_found, &err) == ERR_OK && is_found) {
                check_row(&row);
            }
            index_row_done(&row);
        }
        index_close(&index);
    }
    fuzz_file_done();
    return 0;
}
