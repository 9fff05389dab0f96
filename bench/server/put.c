/* Put Blob, Put Block, properties, tier, metadata, delete. */
#include "base/arena.h"
#include "base/crc64.h"
#include "bench/server/request.h"

#include <string.h>
#include <strings.h>

static bool
refuse_header(struct request *request, const char *name)
{
    AUTO_TEXT text = TEXT_INIT;
    text_addf(&text, "The value for the HTTP header %s is not in the correct format.", name);
    answer_error(request, 400, "InvalidHeaderValue", text_str(&text));
    return false;
}

static bool
is_identifier(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return len > 0;
}

bool
props_collect_metadata(struct request *request, struct props *ret_props)
{
    const struct head *head = &request->head;
    size_t total = 0;
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct head_field *field = &head->fields[i];
        if (strncasecmp(field->name, "x-ms-meta-", 10) != 0) {
            continue;
        }
        total += field->name_len - 10 + strlen(field->value);
        if (!is_identifier(field->name + 10, field->name_len - 10)) {
            answer_error(request, 400, "InvalidMetadata",
                         "The specified metadata is invalid. It includes characters that are not "
                         "permitted.");
            return false;
        }
        props_add(ret_props, field->name, field->value);
    }
    if (total > SERVER_METADATA_MAX) {
        answer_error(request, 400, "MetadataTooLarge",
                     "The size of the specified metadata exceeds the maximum size permitted.");
        return false;
    }
    return true;
}

static bool
tier_is_known(const char *tier)
{
    static const char *const tiers[] = {"Hot", "Cool", "Cold", "Archive"};
    for (unsigned i = 0; i < COUNT_OF(tiers); i++) {
        if (strcmp(tier, tiers[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Fields of a commit that become a blob's; the plain form counts only where the body is the blob.
 */
static bool
collect_fields(struct request *request, bool takes_plain, struct props *ret_props)
{
    static const char *const fields[][2] = {
        {"x-ms-blob-content-type", "Content-Type"},
        {"x-ms-blob-content-encoding", "Content-Encoding"},
        {"x-ms-blob-content-language", "Content-Language"},
        {"x-ms-blob-content-md5", "Content-MD5"},
        {"x-ms-blob-cache-control", "Cache-Control"},
        {"x-ms-blob-content-disposition", "Content-Disposition"},
    };
    const struct head *head = &request->head;
    for (unsigned i = 0; i < COUNT_OF(fields); i++) {
        const char *value = head_find(head, fields[i][0]);
        value = value == NULL && takes_plain ? head_find(head, fields[i][1]) : value;
        if (value != NULL && value[0] != '\0') {
            props_add(ret_props, fields[i][1], value);
        }
    }
    if (props_find(ret_props, "Content-Type") == NULL) {
        props_add(ret_props, "Content-Type", "application/octet-stream");
    }
    const char *tier = head_find(head, "x-ms-access-tier");
    if (tier != NULL && !tier_is_known(tier)) {
        return refuse_header(request, "x-ms-access-tier");
    }
    if (tier != NULL) {
        props_add(ret_props, "x-ms-access-tier", tier);
    }
    return true;
}

bool
props_collect(struct request *request, struct props *ret_props)
{
    return collect_fields(request, request->verb == VERB_PUT_BLOB, ret_props) &&
           props_collect_metadata(request, ret_props);
}

bool
put_is_page_blob(const struct request *request)
{
    const char *type = head_find(&request->head, "x-ms-blob-type");
    return type != NULL && strcmp(type, "PageBlob") == 0;
}

/* A page blob is made without bytes; its length is a header's. */
static bool
page_blob_begins(struct request *request)
{
    uint64_t len = 0;
    if (!head_number(request, "x-ms-blob-content-length", &len)) {
        return false;
    }
    bool is_kept = request->site->store.mode == STORE_KEEP;
    if (len % STORE_PAGE_BYTES != 0 || len > (is_kept ? SERVER_KEPT_MAX : SERVER_PAGE_BLOB_MAX)) {
        return refuse_header(request, "x-ms-blob-content-length");
    }
    if (request->head.body_bytes != 0 || head_find(&request->head, "x-ms-access-tier") != NULL) {
        answer_error(request, 400, "InvalidInput", "A page blob begins without bytes and tier.");
        return false;
    }
    return true;
}

bool
put_begin(struct request *request)
{
    const struct head *head = &request->head;
    if (head_find(head, "content-md5") != NULL && head_find(head, "x-ms-content-crc64") != NULL) {
        answer_error(request, 400, "InvalidHeaderValue",
                     "Content-MD5 and x-ms-content-crc64 must not stand together.");
        return false;
    }
    if (head_find(head, "x-ms-copy-source") != NULL) {
        answer_error(request, 400, "UnsupportedHeader", "Nothing is copied here.");
        return false;
    }
    if (request->verb == VERB_PUT_BLOCK) {
        uint8_t id[64];
        long len = -1;
        if (query_find(head->query, "blockid", &request->value)) {
            len = base64_decode(text_str(&request->value), id, sizeof id);
        }
        if (len <= 0) {
            answer_error(request, 400, "InvalidQueryParameterValue",
                         "Value for one of the query parameters specified in the request URI is "
                         "invalid: blockid.");
        }
        return len > 0;
    }
    if (request->verb == VERB_PUT_PAGE) {
        return true;
    }
    const char *type = head_find(head, "x-ms-blob-type");
    if (put_is_page_blob(request)) {
        return page_blob_begins(request);
    }
    if (type == NULL) {
        answer_error(request, 400, "MissingRequiredHeader",
                     "An HTTP header that's mandatory for this request is not specified: "
                     "x-ms-blob-type.");
        return false;
    }
    return strcmp(type, "BlockBlob") == 0 || refuse_header(request, "x-ms-blob-type");
}

static bool
md5_is(struct request *request, const char *field, const uint8_t *computed)
{
    uint8_t given[MD5_BYTES + 2];
    const char *text = head_find(&request->head, field);
    if (text == NULL) {
        return true;
    }
    if (base64_decode(text, given, sizeof given) != MD5_BYTES) {
        answer_error(request, 400, "InvalidMd5", "The MD5 value specified is invalid.");
        return false;
    }
    if (memcmp(given, computed, MD5_BYTES) != 0) {
        answer_error(request, 400, "Md5Mismatch",
                     "The MD5 value specified in the request did not match with the MD5 value "
                     "calculated by the server.");
        return false;
    }
    return true;
}

static void
crc_format(uint64_t crc, char out[static BASE64_ROOM(8)])
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(crc >> (8 * i));
    }
    base64_encode(bytes, sizeof bytes, out);
}

bool
body_check(struct request *request)
{
    struct body *body = &request->body;
    const char *crc = head_find(&request->head, "x-ms-content-crc64");
    char computed[BASE64_ROOM(8)];
    if (body->has_md5) {
        uint8_t md5[MD5_BYTES];
        digest_end(&body->md5, md5);
        /* On a commit x-ms-blob-content-md5 is of the blob, which is not here. */
        if (!md5_is(request, "content-md5", md5) ||
            (request->verb == VERB_PUT_BLOB && !md5_is(request, "x-ms-blob-content-md5", md5))) {
            return false;
        }
    }
    crc_format(body->crc64, computed);
    if (crc != NULL && !fault_has(&request->faults, FAULT_NO_CRC) && strcmp(crc, computed) != 0) {
        answer_error(request, 400, "Crc64Mismatch",
                     "The CRC64 value specified in the request did not match with the CRC64 value "
                     "calculated by the server.");
        return false;
    }
    return true;
}

void
body_answer_sums(struct request *request)
{
    char text[BASE64_ROOM(8)];
    const char *md5 = head_find(&request->head, "content-md5");
    uint64_t wrong = fault_has(&request->faults, FAULT_WRONG_CRC) ? 1 : 0;
    if (md5 != NULL) {
        answer_field(request, "Content-MD5", md5);
    }
    if (!fault_has(&request->faults, FAULT_NO_CRC) && (md5 == NULL || wrong != 0)) {
        crc_format(request->body.crc64 ^ wrong, text);
        answer_field(request, "x-ms-content-crc64", text);
    }
    answer_field(request, "x-ms-request-server-encrypted", "true");
}

struct container *
request_container(struct request *request)
{
    struct site *site = request->site;
    bool is_made = site->root != NULL && root_has(site, request->container);
    struct container *container =
        store_lock(&site->store, request->account, request->container, is_made, NULL);
    if (container == NULL) {
        answer_error(request, 404, "ContainerNotFound", "The specified container does not exist.");
    }
    return container;
}

void
steal(struct request *request, struct container *container)
{
    struct blob *blob = container_find(container, request->blob);
    struct props props = {0};
    if (!fault_has(&request->faults, FAULT_STEAL)) {
        return;
    }
    if (blob != NULL && blob->is_page) {
        props_add(&props, "Content-Type", "text/plain");
        blob_commit_pages(&request->site->store, blob, blob->size_bytes, &props);
        return;
    }
    if (blob != NULL && blob->is_committed) {
        blob_touch(&request->site->store, blob);
        return;
    }
    if (blob == NULL) {
        blob = container_add(container, request->blob);
    }
    /* The other writer's blob is there, and our blocks still are too. */
    props_add(&props, "Content-Type", "text/plain");
    blob->props = props;
    blob->data = data_new(0);
    blob->size_bytes = 0;
    blob->is_committed = true;
    blob_touch(&request->site->store, blob);
    blob->created_ns = blob->modified_ns;
}

static void
commit_body(struct request *request, struct blob *blob, struct props *props)
{
    struct blob_data *data = data_new(1);
    data->parts[0].piece = piece_take(request->body.piece);
    data->len = request->body.got_bytes;
    data->has_bytes = request->body.piece->has_bytes;
    blob_commit(&request->site->store, blob, data, props);
}

void
put_blob(struct request *request)
{
    struct props props = {0};
    struct container *container = NULL;
    uint64_t len = 0;
    uint64_t sequence = 0;
    bool is_page = put_is_page_blob(request);
    bool has_sequence = head_find(&request->head, "x-ms-blob-sequence-number") != NULL;
    if (!props_collect(request, &props) ||
        (is_page && !head_number(request, "x-ms-blob-content-length", &len)) ||
        (has_sequence && !head_number(request, "x-ms-blob-sequence-number", &sequence)) ||
        (container = request_container(request)) == NULL) {
        props_done(&props);
        return;
    }
    steal(request, container);
    struct blob *blob = container_find(container, request->blob);
    if (cond_allows_write(request, blob != NULL && blob->is_committed ? blob : NULL)) {
        blob = blob == NULL ? container_add(container, request->blob) : blob;
        if (is_page) {
            blob_commit_pages(&request->site->store, blob, len, &props);
            blob->sequence = sequence;
        } else {
            commit_body(request, blob, &props);
        }
        answer_status(request, 201);
        answer_etag(request, blob->etag, blob->modified_ns);
        body_answer_sums(request);
    }
    store_unlock(container);
    props_done(&props);
}

void
put_block(struct request *request)
{
    struct container *container = request_container(request);
    if (container == NULL) {
        return;
    }
    (void)query_find(request->head.query, "blockid", &request->value);
    const char *id = text_str(&request->value);
    struct blob *blob = container_find(container, request->blob);
    if (blob != NULL && blob->is_page) {
        answer_error(request, 409, "InvalidBlobType",
                     "The blob type is invalid for this operation.");
    } else if (blob != NULL && blob->block_id_len != 0 && blob->block_id_len != strlen(id)) {
        answer_error(request, 400, "InvalidBlobOrBlock",
                     "The specified blob or block content is invalid: all block ids of a blob have "
                     "the same length.");
    } else {
        blob = blob == NULL ? container_add(container, request->blob) : blob;
        blob_add_block(blob, id, piece_take(request->body.piece));
        answer_status(request, 201);
        body_answer_sums(request);
    }
    store_unlock(container);
}

/* The properties a blob keeps when others are set: metadata, or everything else. */
static void
keep_props(const struct props *old, bool keeps_metadata, bool keeps_tier, struct props *out)
{
    const char *value = NULL;
    for (const char *at = NULL; (at = props_next(old, at, &value)) != NULL;) {
        bool is_metadata = strncasecmp(at, "x-ms-meta-", 10) == 0;
        bool is_tier = strcmp(at, "x-ms-access-tier") == 0;
        if (is_metadata ? keeps_metadata : is_tier ? keeps_tier : !keeps_metadata || !keeps_tier) {
            props_add(out, at, value);
        }
    }
}

void
set_blob(struct request *request)
{
    struct container *container = request_container(request);
    struct props props = {0};
    const char *comp = text_str(&request->comp);
    bool is_good = true;
    if (container == NULL) {
        return;
    }
    struct blob *blob = container_find_committed(container, request->blob);
    if (blob == NULL) {
        answer_error(request, 404, "BlobNotFound", "The specified blob does not exist.");
    } else if (cond_allows_write(request, blob)) {
        uint64_t sequence = blob->sequence;
        bool is_tier = strcmp(comp, "tier") == 0;
        if (strcmp(comp, "metadata") == 0) {
            keep_props(&blob->props, false, true, &props);
            is_good = props_collect_metadata(request, &props);
        } else if (is_tier) {
            keep_props(&blob->props, true, false, &props);
            const char *tier = head_find(&request->head, "x-ms-access-tier");
            is_good =
                (tier != NULL && tier_is_known(tier)) || refuse_header(request, "x-ms-access-tier");
            if (is_good) {
                props_add(&props, "x-ms-access-tier", tier);
            }
        } else if (head_find(&request->head, "x-ms-sequence-number-action") != NULL) {
            /* With nothing else set the other properties stay as they are. */
            is_good = head_number(request, "x-ms-blob-sequence-number", &sequence);
            keep_props(&blob->props, true, true, &props);
            keep_props(&blob->props, false, true, &props);
        } else {
            is_good = collect_fields(request, false, &props);
            keep_props(&blob->props, true, true, &props);
        }
        if (is_good) {
            props_done(&blob->props);
            blob->props = props;
            blob->sequence = sequence;
            props = (struct props){0};
            if (!is_tier) {
                blob_touch(&request->site->store, blob);
            }
            answer_status(request, 200);
            answer_etag(request, blob->etag, blob->modified_ns);
        }
    }
    store_unlock(container);
    props_done(&props);
}

void
delete_blob(struct request *request)
{
    struct container *container = request_container(request);
    if (container == NULL) {
        return;
    }
    struct blob *blob = container_find_committed(container, request->blob);
    if (blob == NULL) {
        answer_error(request, 404, "BlobNotFound", "The specified blob does not exist.");
    } else if (cond_allows_write(request, blob)) {
        container_remove(container, request->blob);
        answer_status(request, 202);
    }
    store_unlock(container);
}
