/* Get Blob, with ranges, and Get Blob Properties: from memory or from a file. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/crc64.h"
#include "base/fd.h"
#include "bench/server/request.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What is to be answered, wherever it comes from. */
struct found {
    uint64_t size_bytes;
    uint64_t etag;
    int64_t created_ns;
    int64_t modified_ns;
    struct props props;
    struct blob_data *data;
    int fd;
    bool is_page;
    uint64_t sequence;
};

void
props_answer(struct request *request, const struct props *props)
{
    const char *value = NULL;
    for (const char *at = NULL; (at = props_next(props, at, &value)) != NULL;) {
        answer_field(request, at, value);
    }
}

static bool
find_file(struct request *request, struct found *found)
{
    struct root_file file = {.fd = -1};
    if (!root_open(request, &file)) {
        return false;
    }
    found->fd = file.fd;
    found->size_bytes = file.size_bytes;
    found->etag = file.etag;
    found->created_ns = found->modified_ns = file.modified_ns;
    props_add(&found->props, "Content-Type", "application/octet-stream");
    return true;
}

static bool
find_blob(struct request *request, struct found *found)
{
    struct container *container = request_container(request);
    if (container == NULL) {
        return false;
    }
    struct blob *blob = container_find_committed(container, request->blob);
    if (blob != NULL) {
        const char *value = NULL;
        found->size_bytes = blob->size_bytes;
        found->etag = blob->etag;
        found->created_ns = blob->created_ns;
        found->modified_ns = blob->modified_ns;
        found->data = data_take(blob->data);
        found->is_page = blob->is_page;
        found->sequence = blob->sequence;
        for (const char *at = NULL; (at = props_next(&blob->props, at, &value)) != NULL;) {
            props_add(&found->props, at, value);
        }
    }
    store_unlock(container);
    if (blob == NULL) {
        answer_error(request, 404, "BlobNotFound", "The specified blob does not exist.");
    }
    return blob != NULL;
}

static void
answer_common(struct request *request, const struct found *found)
{
    char when[CLOCK_TEXT_BYTES];
    answer_etag(request, found->etag, found->modified_ns);
    props_answer(request, &found->props);
    if (found->is_page) {
        AUTO_TEXT number = TEXT_INIT;
        text_addf(&number, "%llu", (unsigned long long)found->sequence);
        answer_field(request, "x-ms-blob-sequence-number", text_str(&number));
    } else if (props_find(&found->props, "x-ms-access-tier") == NULL) {
        answer_field(request, "x-ms-access-tier", "Hot");
        answer_field(request, "x-ms-access-tier-inferred", "true");
    }
    answer_field(request, "x-ms-blob-type", found->is_page ? "PageBlob" : "BlockBlob");
    answer_field(request, "x-ms-creation-time", clock_format_http(found->created_ns, when));
    answer_field(request, "x-ms-lease-status", "unlocked");
    answer_field(request, "x-ms-lease-state", "available");
    answer_field(request, "x-ms-server-encrypted", "true");
    answer_field(request, "Accept-Ranges", "bytes");
}

/* Copy a range of what was found into out. */
static bool
copy_range(const struct found *found, uint64_t first, uint64_t len, char *out)
{
    if (found->fd >= 0) {
        return pread(found->fd, out, len, (off_t)first) == (ssize_t)len;
    }
    for (uint32_t i = 0; i < found->data->part_count && len > 0; i++) {
        const struct piece *piece = found->data->parts[i].piece;
        if (first < piece->len) {
            uint64_t step = MIN_OF(len, piece->len - first);
            (void)memcpy(out, piece->bytes + first, step);
            out += step;
            len -= step;
            first = 0;
        } else {
            first -= piece->len;
        }
    }
    return len == 0;
}

/* x-ms-range-get-content-crc64 and -md5: sums of a short range. */
static bool
answer_range_sums(struct request *request, const struct found *found, uint64_t first, uint64_t len)
{
    const char *crc = head_find(&request->head, "x-ms-range-get-content-crc64");
    const char *md5 = head_find(&request->head, "x-ms-range-get-content-md5");
    bool wants_crc = crc != NULL && strcasecmp(crc, "true") == 0;
    bool wants_md5 = md5 != NULL && strcasecmp(md5, "true") == 0;
    struct err err = ERR_NONE;
    if (!wants_crc && !wants_md5) {
        return true;
    }
    if ((wants_crc && wants_md5) || len > SERVER_SUM_BYTES_MAX) {
        answer_error(request, 400, len > SERVER_SUM_BYTES_MAX ? "OutOfRangeInput" : "InvalidInput",
                     "One of the two sums, of at most 4 MiB, can be asked for.");
        return false;
    }
    char *bytes = mem_take(len + 1);
    bool is_read = copy_range(found, first, len, bytes);
    uint8_t sum[MD5_BYTES] = {0};
    char text[BASE64_ROOM(MD5_BYTES)];
    if (is_read && wants_crc) {
        uint64_t value = crc64(CRC64_EMPTY, bytes, len);
        for (unsigned i = 0; i < 8; i++) {
            sum[i] = (uint8_t)(value >> (8 * i));
        }
        answer_field(request, "x-ms-content-crc64", base64_encode(sum, 8, text));
    } else if (is_read && digest_md5(bytes, len, sum, &err) == ERR_OK) {
        answer_field(request, "Content-MD5", base64_encode(sum, sizeof sum, text));
    }
    mem_give(bytes);
    return true;
}

static bool
find_range(struct request *request, const struct found *found, uint64_t *ret_first,
           uint64_t *ret_len, bool *ret_has_range)
{
    const char *range = head_find(&request->head, "x-ms-range");
    range = range == NULL ? head_find(&request->head, "range") : range;
    *ret_first = 0;
    *ret_len = found->size_bytes;
    *ret_has_range = range != NULL && !request->is_head;
    if (!*ret_has_range || range_parse(range, found->size_bytes, ret_first, ret_len)) {
        return true;
    }
    answer_error(request, 416, "InvalidRange",
                 "The range specified is invalid for the current size of the resource.");
    return false;
}

/* Content-MD5 of the whole blob is called x-ms-blob-content-md5 beside a range. */
static void
rename_md5(struct props *props)
{
    struct props renamed = {0};
    const char *value = NULL;
    for (const char *at = NULL; (at = props_next(props, at, &value)) != NULL;) {
        bool is_md5 = strcmp(at, "Content-MD5") == 0;
        props_add(&renamed, is_md5 ? "x-ms-blob-content-md5" : at, value);
    }
    props_done(props);
    *props = renamed;
}

static void
answer_found(struct request *request, struct found *found)
{
    uint64_t first = 0;
    uint64_t len = 0;
    bool has_range = false;
    if (!cond_allows_read(request, found->etag, found->modified_ns) ||
        !find_range(request, found, &first, &len, &has_range)) {
        return;
    }
    if (!request->is_head && found->fd < 0 && !found->data->has_bytes && len > 0) {
        answer_error(request, 409, "BodyDiscarded", "This server keeps no bytes.");
        return;
    }
    answer_status(request, has_range ? 206 : 200);
    if (has_range) {
        AUTO_TEXT range = TEXT_INIT;
        text_addf(&range, "bytes %llu-%llu/%llu", (unsigned long long)first,
                  (unsigned long long)(first + len - 1), (unsigned long long)found->size_bytes);
        answer_field(request, "Content-Range", text_str(&range));
        rename_md5(&found->props);
    }
    answer_common(request, found);
    if (!request->is_head && !answer_range_sums(request, found, first, len)) {
        return;
    }
    struct answer *answer = &request->answer;
    answer->len = len;
    answer->first = first;
    answer->has_length_only = request->is_head;
    if (!request->is_head) {
        answer->data = found->data;
        answer->fd = fd_take(&found->fd);
        found->data = NULL;
    }
}

void
get_blob(struct request *request)
{
    struct found found = {.fd = -1};
    bool is_found =
        request->site->root != NULL ? find_file(request, &found) : find_blob(request, &found);
    if (is_found) {
        answer_found(request, &found);
    }
    props_done(&found.props);
    data_give(found.data);
    fd_close(&found.fd);
}
