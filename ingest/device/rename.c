#include "ingest/device/rename.h"

#include "base/digest.h"

#define CONTAINER_DIGITS                                                                           \
    32U /* all 64 would make the name longer than the 63 a container may have */

static enum err_code
digits_of(struct slice original, char digits[static 2 * SHA256_BYTES + 1], struct err *err)
{
    uint8_t bytes[SHA256_BYTES];
    enum err_code code = digest_sha256(original.at, original.len, bytes, err);
    if (code == ERR_OK) {
        (void)hex_encode(bytes, sizeof bytes, digits);
    }
    return code;
}

enum err_code
rename_container(struct slice original, struct text *out, struct err *err)
{
    char digits[2 * SHA256_BYTES + 1];
    enum err_code code = digits_of(original, digits, err);
    text_clear(out);
    if (code == ERR_OK) {
        text_add_str(out, "databox-");
        text_add(out, digits, CONTAINER_DIGITS);
    }
    return code;
}

enum err_code
rename_item(enum share_kind kind, struct slice original, struct text *out, struct err *err)
{
    static const char *const folders[SHARE_KIND_COUNT] = {
        [SHARE_BLOCK] = "BlockBlob",
        [SHARE_PAGE] = "PageBlob",
        [SHARE_FILES] = "AzureFile",
        [SHARE_DISKS] = "ManagedDisk",
    };
    ASSERT(kind > SHARE_NONE);
    ASSERT(kind < SHARE_KIND_COUNT);

    char digits[2 * SHA256_BYTES + 1];
    enum err_code code = digits_of(original, digits, err);
    text_clear(out);
    if (code == ERR_OK) {
        text_addf(out, "%s/DataBox-0x%s", folders[kind], digits);
    }
    return code;
}

void
rename_lower(struct slice original, struct text *out)
{
    text_clear(out);
    for (size_t i = 0; i < original.len; i++) {
        unsigned char c = (unsigned char)original.at[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        text_add_char(out, (char)(is_upper ? c | 0x20 : c));
    }
}
