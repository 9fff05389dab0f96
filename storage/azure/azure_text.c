/* Properties, errors and block ids: the parts that are tables and short texts. */
#include "storage/azure/azure_text.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CRC64_HEX      16U
#define NONCE_HEX      32U
#define NONCE_BYTES    16U
#define BLOCK_ID_RAW   28U
#define METADATA_NAMES "x-ms-meta-"

static bool
copy_text(char *out, size_t room, const char *value, size_t len)
{
    bool fits = len < room;
    len = fits ? len : room - 1;
    memcpy(out, value, len);
    out[len] = '\0';
    return fits;
}

static bool
parse_u64(const char *value, size_t len, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (len == 0 || len > 19) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(value[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* ---- properties ---- */

typedef void(take_fn)(struct blob_props *props, struct arena *arena, const char *value, size_t len);

static void
take_size(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    uint64_t size = 0;
    (void)arena;
    if (parse_u64(value, len, &size) && size <= INT64_MAX) {
        props->size_bytes = size;
    }
}

static void
take_modified(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    char text[CLOCK_TEXT_BYTES];
    (void)arena;
    if (copy_text(text, sizeof text, value, len)) {
        (void)clock_parse_http(text, &props->modified_ns);
    }
}

void
azure_etag_copy(char out[static BLOB_ETAG_BYTES], const char *value, size_t len)
{
    bool is_quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';
    if (len == 0 || len + 2 >= BLOB_ETAG_BYTES) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)value[i] <= ' ' || (unsigned char)value[i] >= 0x7f) {
            return;
        }
    }
    (void)snprintf(out, BLOB_ETAG_BYTES, is_quoted ? "%.*s" : "\"%.*s\"", (int)len, value);
}

bool
azure_etag_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void
take_etag(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    (void)arena;
    azure_etag_copy(props->etag, value, len);
}

static void
take_content_type(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    if (len > 0 && len < BLOB_TYPE_BYTES) {
        props->content_type = arena_bytes(arena, value, len);
    }
}

static void
take_content_encoding(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    if (len > 0 && len < BLOB_TYPE_BYTES) {
        props->content_encoding = arena_bytes(arena, value, len);
    }
}

static void
take_md5(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    char text[32];
    uint8_t md5[MD5_BYTES];
    (void)arena;
    if (copy_text(text, sizeof text, value, len) &&
        base64_decode(text, md5, sizeof md5) == MD5_BYTES) {
        memcpy(props->md5, md5, MD5_BYTES);
        props->has_md5 = true;
    }
}

static unsigned
find_name(const char *const *names, unsigned count, const char *value, size_t len)
{
    for (unsigned i = 1; i < count; i++) {
        if (strlen(names[i]) == len && strncasecmp(names[i], value, len) == 0) {
            return i;
        }
    }
    return 0;
}

static void
take_type(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    (void)arena;
    props->type = (enum blob_type)find_name(blob_type_names, BLOB_TYPE_COUNT, value, len);
}

static void
take_tier(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    (void)arena;
    props->tier = (enum blob_tier)find_name(blob_tier_names, BLOB_TIER_COUNT, value, len);
}

// clang-format off
static const struct {
    const char *header;
    const char *element;
    take_fn *take;
} properties[] = {
    {"Content-Length",   "Content-Length",   take_size},
    {"Last-Modified",    "Last-Modified",    take_modified},
    {"ETag",             "Etag",             take_etag},
    {"Content-Type",     "Content-Type",     take_content_type},
    {"Content-Encoding", "Content-Encoding", take_content_encoding},
    {"Content-MD5",      "Content-MD5",      take_md5},
    {"x-ms-blob-type",   "BlobType",         take_type},
    {"x-ms-access-tier", "AccessTier",       take_tier},
};
// clang-format on

void
// NOLINTNEXTLINE(readability-function-size): name and value are two parameters each
azure_props_take(struct blob_props *props, struct arena *arena, bool in_header, const char *name,
                 size_t name_len, const char *value, size_t value_len)
{
    size_t prefix = sizeof METADATA_NAMES - 1;
    if (in_header && name_len > prefix && strncasecmp(name, METADATA_NAMES, prefix) == 0) {
        azure_props_take_metadata(props, arena, name + prefix, name_len - prefix, value, value_len);
        return;
    }
    for (unsigned i = 0; i < COUNT_OF(properties); i++) {
        const char *known = in_header ? properties[i].header : properties[i].element;
        if (strlen(known) == name_len && strncasecmp(known, name, name_len) == 0) {
            properties[i].take(props, arena, value, value_len);
            return;
        }
    }
}

static uint64_t
big_endian(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < sizeof number; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static void
take_mtime(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    char text[CLOCK_TEXT_BYTES];
    (void)arena;
    if (copy_text(text, sizeof text, value, len)) {
        (void)clock_parse(text, &props->mtime_ns);
    }
}

static void
take_crc64(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    char text[CRC64_HEX + 1];
    uint8_t bytes[sizeof(uint64_t)];
    (void)arena;
    if (len != CRC64_HEX || !copy_text(text, sizeof text, value, len) ||
        hex_decode(text, bytes, sizeof bytes) != 0) {
        return;
    }
    props->crc64 = big_endian(bytes);
    props->has_crc64 = true;
}

static void
take_job(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    (void)arena;
    (void)copy_text(props->job, sizeof props->job, value, len);
}

static void
take_state(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    (void)arena;
    props->is_partial = len == sizeof AZURE_PARTIAL - 1 && memcmp(value, AZURE_PARTIAL, len) == 0;
}

static void
take_stage(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    char text[AZURE_STAGE_BYTES];
    uint8_t bytes[2 * sizeof(uint64_t)];
    (void)arena;
    if (copy_text(text, sizeof text, value, len) && hex_decode(text, bytes, sizeof bytes) == 0) {
        props->stage_id = big_endian(bytes);
        props->stage_session = big_endian(bytes + sizeof(uint64_t));
    }
}

static void
take_original_size(struct blob_props *props, struct arena *arena, const char *value, size_t len)
{
    uint64_t size = 0;
    (void)arena;
    if (parse_u64(value, len, &size) && size <= INT64_MAX) {
        props->original_bytes = size;
    }
}

static const struct {
    const char *name;
    take_fn *take;
} own_metadata[] = {
    {"mtime", take_mtime},           {"sallyport_crc64", take_crc64},
    {"sallyport_job", take_job},     {"sallyport_size", take_original_size},
    {"sallyport_state", take_state}, {"sallyport_stage", take_stage},
};

void
azure_props_take_metadata(struct blob_props *props, struct arena *arena, const char *name,
                          size_t name_len, const char *value, size_t value_len)
{
    for (unsigned i = 0; i < COUNT_OF(own_metadata); i++) {
        if (strlen(own_metadata[i].name) == name_len &&
            strncasecmp(own_metadata[i].name, name, name_len) == 0) {
            own_metadata[i].take(props, arena, value, value_len);
            return;
        }
    }
    size_t more = name_len + value_len + 2;
    if (props->extra_metadata_len + more > BLOB_METADATA_MAX) {
        return;
    }
    char *all = arena_take(arena, props->extra_metadata_len + more);
    if (props->extra_metadata_len > 0) {
        memcpy(all, props->extra_metadata, props->extra_metadata_len);
    }
    memcpy(all + props->extra_metadata_len, name, name_len);
    memcpy(all + props->extra_metadata_len + name_len + 1, value, value_len);
    props->extra_metadata = all;
    props->extra_metadata_len += (uint32_t)more;
}

void
azure_props_finish(struct blob_props *props)
{
    /* Only what we compressed ourselves has another original size. */
    bool is_compressed =
        props->content_encoding != NULL && strcmp(props->content_encoding, "zstd") == 0;
    if (!is_compressed || props->original_bytes == 0) {
        props->original_bytes = props->size_bytes;
    }
    props->is_archived = props->tier == BLOB_TIER_ARCHIVE;
}

/* ---- errors ---- */

#define ANY_VERB (-1)
#define ANY_CODE NULL

/* The first row that fits counts. */
// clang-format off
static const struct {
    int status;
    const char *code;
    int verb;
    enum err_code err;
} answers[] = {
    {503, "ServerBusy",                ANY_VERB,    ERR_THROTTLED},
    {503, ANY_CODE,                    ANY_VERB,    ERR_STORE_BUSY},
    {429, ANY_CODE,                    ANY_VERB,    ERR_THROTTLED},
    {408, ANY_CODE,                    ANY_VERB,    ERR_TIMEOUT},
    {507, ANY_CODE,                    ANY_VERB,    ERR_STORE_FULL},
    {500, "FeatureNotSupported",       ANY_VERB,    ERR_ITEM_REFUSED},
    {501, ANY_CODE,                    ANY_VERB,    ERR_ITEM_REFUSED},
    {401, ANY_CODE,                    ANY_VERB,    ERR_STORE_AUTH},
    {403, "AccountIsDisabled",         ANY_VERB,    ERR_STORE_GONE},
    {403, ANY_CODE,                    ANY_VERB,    ERR_STORE_AUTH},
    {404, "ContainerNotFound",         ANY_VERB,    ERR_STORE_GONE},
    {404, "ResourceNotFound",          BLOB_WRITE,  ERR_STORE_GONE},
    {404, "BlobNotFound",              BLOB_WRITE,  ERR_OTHER_WRITER},
    {404, "BlobNotFound",              BLOB_COMMIT, ERR_OTHER_WRITER},
    {404, ANY_CODE,                    BLOB_PUT,    ERR_STORE_GONE},
    {404, ANY_CODE,                    BLOB_WRITE,  ERR_STORE_GONE},
    {404, ANY_CODE,                    BLOB_COMMIT, ERR_STORE_GONE},
    {404, ANY_CODE,                    ANY_VERB,    ERR_ITEM_GONE},
    {409, "ContainerBeingDeleted",     ANY_VERB,    ERR_STORE_GONE},
    {409, "ContainerDisabled",         ANY_VERB,    ERR_STORE_GONE},
    {409, "BlobArchived",              ANY_VERB,    ERR_BLOB_ARCHIVED},
    {409, "BlobBeingRehydrated",       ANY_VERB,    ERR_BLOB_ARCHIVED},
    {409, "AccountBeingCreated",       ANY_VERB,    ERR_STORE_BUSY},
    {409, "BlobAlreadyExists",         ANY_VERB,    ERR_OTHER_WRITER},
    {409, "InsufficientAccountStorage",ANY_VERB,    ERR_STORE_FULL},
    {409, "AccountQuotaExceeded",      ANY_VERB,    ERR_STORE_FULL},
    {412, ANY_CODE,                    BLOB_READ,   ERR_ITEM_CHANGED},
    {412, "LeaseIdMissing",            ANY_VERB,    ERR_ITEM_REFUSED},
    {412, ANY_CODE,                    ANY_VERB,    ERR_OTHER_WRITER},
    {416, ANY_CODE,                    ANY_VERB,    ERR_ITEM_CHANGED},
    {413, ANY_CODE,                    ANY_VERB,    ERR_ITEM_TOO_LARGE},
    {400, "Md5Mismatch",               ANY_VERB,    ERR_DIGEST},
    {400, "Crc64Mismatch",             ANY_VERB,    ERR_DIGEST},
    {400, "InvalidBlockList",          ANY_VERB,    ERR_OTHER_WRITER},
    {400, "InvalidAuthenticationInfo", ANY_VERB,    ERR_STORE_AUTH},
};
// clang-format on

enum err_code
azure_classify(enum blob_verb verb, int status, const char *code)
{
    for (unsigned i = 0; i < COUNT_OF(answers); i++) {
        if (answers[i].status == status &&
            (answers[i].code == ANY_CODE || strcmp(answers[i].code, code) == 0) &&
            (answers[i].verb == ANY_VERB || answers[i].verb == (int)verb)) {
            return answers[i].err;
        }
    }
    if (status >= 500) {
        return ERR_STORE_BUSY;
    }
    return status >= 400 ? ERR_ITEM_REFUSED : ERR_FORMAT;
}

/* ---- unfinished page blobs ---- */

void
azure_stage_text(uint64_t stage_id, uint64_t session, char out[static AZURE_STAGE_BYTES])
{
    (void)snprintf(out, AZURE_STAGE_BYTES, "%016llx%016llx", (unsigned long long)stage_id,
                   (unsigned long long)session);
}

uint64_t
azure_sequence(const char *nonce, uint64_t stage_id)
{
    char text[NONCE_HEX + AZURE_STAGE_BYTES];
    uint8_t digest[XXH3_BYTES];
    int len = snprintf(text, sizeof text, "%.32s%016llx", nonce, (unsigned long long)stage_id);
    digest_xxh3(text, (size_t)len, digest);
    /* Some stores reckon in floating point; and 0 is what everybody's blobs begin with. */
    return big_endian(digest) >> 11 | 1;
}

/* ---- blocks ---- */

static void
raw_block_id(const char *nonce, uint64_t stage_id, uint32_t index, uint8_t raw[BLOCK_ID_RAW])
{
    ASSERT(strlen(nonce) == NONCE_HEX);
    ASSERT(hex_decode(nonce, raw, NONCE_BYTES) == 0);
    for (unsigned i = 0; i < 8; i++) {
        raw[NONCE_BYTES + i] = (uint8_t)(stage_id >> (56 - 8 * i));
    }
    for (unsigned i = 0; i < 4; i++) {
        raw[NONCE_BYTES + 8 + i] = (uint8_t)(index >> (24 - 8 * i));
    }
}

void
azure_block_id(const char *nonce, uint64_t stage_id, uint32_t index,
               char out[static AZURE_BLOCK_ID_BYTES])
{
    uint8_t raw[BLOCK_ID_RAW];
    raw_block_id(nonce, stage_id, index, raw);
    (void)base64_encode(raw, sizeof raw, out);
}

bool
azure_block_index(const char *id, const char *nonce, uint64_t stage_id, uint32_t *ret_index)
{
    uint8_t got[BLOCK_ID_RAW];
    uint8_t want[BLOCK_ID_RAW];
    if (base64_decode(id, got, sizeof got) != (long)sizeof got) {
        return false;
    }
    raw_block_id(nonce, stage_id, 0, want);
    if (memcmp(got, want, BLOCK_ID_RAW - 4) != 0) {
        return false;
    }
    *ret_index = 0;
    for (unsigned i = BLOCK_ID_RAW - 4; i < BLOCK_ID_RAW; i++) {
        *ret_index = *ret_index << 8 | got[i];
    }
    return true;
}

/* "Latest" lets a list that is sent again after a lost answer find its blocks committed already. */
void
azure_block_list(struct text *out, const char *nonce, uint64_t stage_id, uint32_t count)
{
    char id[AZURE_BLOCK_ID_BYTES];
    text_add_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (uint32_t i = 0; i < count; i++) {
        azure_block_id(nonce, stage_id, i, id);
        text_add_str(out, "<Latest>");
        text_add_str(out, id);
        text_add_str(out, "</Latest>");
    }
    text_add_str(out, "</BlockList>");
}
