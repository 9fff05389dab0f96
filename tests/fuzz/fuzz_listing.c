/*
 * A page of a listing, from a store that may be anybody's: the limits hold, names and metadata are
 * whole, and it makes no difference in which pieces the bytes came.
 */
#include "storage/azure/azure_text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static enum err_code
read_page(struct azure_page *page, const uint8_t *data, size_t size, size_t step)
{
    struct err err = ERR_NONE;
    enum err_code code = ERR_OK;
    azure_page_begin(page);
    for (size_t at = 0; at < size && code == ERR_OK; at += step) {
        code = azure_page_add(page, data + at, MIN_OF(step, size - at), &err);
    }
    code = code == ERR_OK ? azure_page_end(page, &err) : code;
    FUZZ_MUST(code == ERR_OK || code == ERR_FORMAT);
    return code;
}

static void
check_blob(const struct azure_blob *blob)
{
    const struct blob_props *props = &blob->props;
    unsigned nuls = 0;
    FUZZ_MUST(blob->name != NULL);
    FUZZ_MUST(strlen(blob->name) <= AZURE_NAME_BYTES_MAX);
    FUZZ_MUST((unsigned)props->type < BLOB_TYPE_COUNT);
    FUZZ_MUST((unsigned)props->tier < BLOB_TIER_COUNT);
    FUZZ_MUST(strnlen(props->etag, sizeof props->etag) < sizeof props->etag);
    FUZZ_MUST(strnlen(props->job, sizeof props->job) < sizeof props->job);
    FUZZ_MUST(props->content_type == NULL || strlen(props->content_type) < BLOB_TYPE_BYTES);
    FUZZ_MUST(props->extra_metadata_len <= BLOB_METADATA_MAX);
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
    static const size_t steps[] = {1, 7, 4096};
    struct azure_page *whole = azure_page_new();
    struct azure_page *pieces = azure_page_new();
    enum err_code code = read_page(whole, data, size, size == 0 ? 1 : size);
    FUZZ_MUST(azure_page_count(whole) <= AZURE_PAGE_BLOBS_MAX);
    FUZZ_MUST(strlen(azure_page_marker(whole)) <= AZURE_MARKER_BYTES_MAX);
    for (unsigned i = 0; i < azure_page_count(whole); i++) {
        check_blob(azure_page_blob(whole, i));
    }
    for (unsigned s = 0; s < COUNT_OF(steps); s++) {
        enum err_code again = read_page(pieces, data, size, steps[s]);
        FUZZ_MUST(again == code);
        if (code == ERR_OK) {
            FUZZ_MUST(azure_page_count(pieces) == azure_page_count(whole));
            FUZZ_MUST(strcmp(azure_page_marker(pieces), azure_page_marker(whole)) == 0);
            for (unsigned i = 0; i < azure_page_count(whole); i++) {
                FUZZ_MUST(
                    strcmp(azure_page_blob(pieces, i)->name, azure_page_blob(whole, i)->name) == 0);
            }
        }
    }
    azure_page_free(whole);
    azure_page_free(pieces);
    return 0;
}
