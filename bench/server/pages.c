/* Put Page and Get Page Ranges. */
#include "base/arena.h"
#include "base/units.h"
#include "bench/server/request.h"
#include "bench/server/xml.h"

#include <string.h>

bool
head_number(struct request *request, const char *name, uint64_t *ret_number)
{
    const char *value = head_find(&request->head, name);
    struct err err = ERR_NONE;
    AUTO_TEXT text = TEXT_INIT;
    if (value != NULL && units_parse_u64(value, ret_number, &err) == ERR_OK &&
        *ret_number <= INT64_MAX) {
        return true;
    }
    text_addf(&text, "The value for the HTTP header %s is not in the correct format.", name);
    answer_error(request, 400, "InvalidHeaderValue", text_str(&text));
    return false;
}

/* Whole pages within size; answers if it is something else. */
static bool
find_pages(struct request *request, uint64_t size, uint64_t *ret_first, uint64_t *ret_len)
{
    const char *range = head_find(&request->head, "x-ms-range");
    range = range == NULL ? head_find(&request->head, "range") : range;
    if (range == NULL || !range_parse(range, UINT64_MAX, ret_first, ret_len) ||
        *ret_first % STORE_PAGE_BYTES != 0 || *ret_len % STORE_PAGE_BYTES != 0 ||
        *ret_first >= size || *ret_len > size - *ret_first) {
        answer_error(request, 416, "InvalidPageRange", "The page range specified is invalid.");
        return false;
    }
    return true;
}

/* The page blob named, or NULL and answered. */
static struct blob *
find_page_blob(struct request *request, struct container *container)
{
    struct blob *blob = container_find_committed(container, request->blob);
    if (blob == NULL) {
        answer_error(request, 404, "BlobNotFound", "The specified blob does not exist.");
        return NULL;
    }
    if (!blob->is_page) {
        answer_error(request, 409, "InvalidBlobType",
                     "The blob type is invalid for this operation.");
        return NULL;
    }
    return blob;
}

static void
write_pages(struct request *request, struct blob *blob)
{
    const char *how = head_find(&request->head, "x-ms-page-write");
    const struct body *body = &request->body;
    bool is_clear = how != NULL && strcmp(how, "clear") == 0;
    uint64_t first = 0;
    uint64_t len = 0;
    if (!is_clear && (how == NULL || strcmp(how, "update") != 0)) {
        answer_error(request, 400, "InvalidHeaderValue",
                     "The value for the HTTP header x-ms-page-write is not in the correct format.");
        return;
    }
    if (!find_pages(request, blob->size_bytes, &first, &len)) {
        return;
    }
    if (body->got_bytes != (is_clear ? 0 : len)) {
        answer_error(request, 400, "InvalidPageRange", "The body is not as long as the range.");
        return;
    }
    blob_write_pages(blob, first, is_clear ? NULL : body->piece->bytes, len);
    blob_touch(&request->site->store, blob);
    answer_status(request, 201);
    answer_etag(request, blob->etag, blob->modified_ns);
    body_answer_sums(request);
}

void
put_page(struct request *request)
{
    struct container *container = request_container(request);
    if (container == NULL) {
        return;
    }
    steal(request, container);
    struct blob *blob = find_page_blob(request, container);
    if (blob != NULL && cond_allows_pages(request, blob) && cond_allows_write(request, blob)) {
        write_pages(request, blob);
    }
    store_unlock(container);
}

static void
list_pages(struct request *request, const struct blob *blob)
{
    struct text *out = &request->answer.body;
    AUTO_TEXT size = TEXT_INIT;
    uint64_t first = 0;
    uint64_t len = blob->size_bytes;
    bool has_range = head_find(&request->head, "x-ms-range") != NULL ||
                     head_find(&request->head, "range") != NULL;
    if (!cond_allows_read(request, blob->etag, blob->modified_ns) ||
        (has_range && !find_pages(request, blob->size_bytes, &first, &len))) {
        return;
    }
    answer_status(request, 200);
    answer_etag(request, blob->etag, blob->modified_ns);
    text_addf(&size, "%llu", (unsigned long long)blob->size_bytes);
    answer_field(request, "x-ms-blob-content-length", text_str(&size));
    text_add_str(out, XML_DECLARATION "<PageList>");
    uint64_t begin = first;
    uint64_t end = first;
    while (blob_next_pages(blob, end, first + len, &begin, &end)) {
        text_addf(out, "<PageRange><Start>%llu</Start><End>%llu</End></PageRange>",
                  (unsigned long long)begin, (unsigned long long)(end - 1));
    }
    text_add_str(out, "</PageList>");
    answer_xml(request);
}

void
get_page_ranges(struct request *request)
{
    struct container *container = request_container(request);
    if (container == NULL) {
        return;
    }
    const struct blob *blob = find_page_blob(request, container);
    if (blob != NULL) {
        list_pages(request, blob);
    }
    store_unlock(container);
}
