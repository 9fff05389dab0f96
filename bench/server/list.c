/* List Blobs and List Containers. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/units.h"
#include "bench/server/request.h"
#include "bench/server/xml.h"

#include <string.h>
#include <strings.h>

struct page {
    struct text prefix;
    struct text delimiter;
    struct text marker; /* the name that comes first, decoded */
    uint64_t most;
    bool has_metadata;
    bool has_uncommitted;
};

static void
page_done(struct page *page)
{
    text_done(&page->prefix);
    text_done(&page->delimiter);
    text_done(&page->marker);
}

static bool
has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; *at != '\0';) {
        size_t step = strcspn(at, ",");
        if (step == len && strncmp(at, word, len) == 0) {
            return true;
        }
        at += step + (at[step] == ',' ? 1 : 0);
    }
    return false;
}

static bool
refuse_query(struct request *request, const char *name)
{
    AUTO_TEXT text = TEXT_INIT;
    text_addf(&text,
              "Value for one of the query parameters specified in the request URI is invalid: %s.",
              name);
    answer_error(request, 400, "InvalidQueryParameterValue", text_str(&text));
    return false;
}

/* Markers are opaque: the Base64 of a name, which a client must hand back encoded for a query. */
static bool
read_marker(struct request *request, struct page *page)
{
    const char *text = text_str(&request->value);
    size_t room = strlen(text) + 1;
    char *name = mem_take(room);
    long len = base64_decode(text, name, room);
    if (len > 0) {
        text_add(&page->marker, name, (size_t)len);
    }
    mem_give(name);
    return len >= 0 || refuse_query(request, "marker");
}

static bool
page_read(struct request *request, struct page *page)
{
    const char *query = request->head.query;
    struct err err = ERR_NONE;
    page->most = SERVER_RESULTS_MAX;
    (void)query_find(query, "prefix", &page->prefix);
    (void)query_find(query, "delimiter", &page->delimiter);
    if (query_find(query, "include", &request->value)) {
        page->has_metadata = has_word(text_str(&request->value), "metadata");
        page->has_uncommitted = has_word(text_str(&request->value), "uncommittedblobs");
    }
    if (query_find(query, "maxresults", &request->value)) {
        if (units_parse_u64(text_str(&request->value), &page->most, &err) != ERR_OK ||
            page->most == 0) {
            return refuse_query(request, "maxresults");
        }
        page->most = MIN_OF(page->most, SERVER_RESULTS_MAX);
    }
    return !query_find(query, "marker", &request->value) || read_marker(request, page);
}

static void
add_times(struct text *out, int64_t modified_ns, uint64_t etag)
{
    char when[CLOCK_TEXT_BYTES];
    char etag_text[32];
    etag_format(etag, etag_text);
    /* A listing shows etags without their quotes. */
    etag_text[strlen(etag_text) - 1] = '\0';
    text_addf(out, "<Last-Modified>%s</Last-Modified><Etag>%s</Etag>",
              clock_format_http(modified_ns, when), etag_text + 1);
}

static void
add_metadata(struct text *out, const struct props *props)
{
    const char *value = NULL;
    text_add_str(out, "<Metadata>");
    for (const char *at = NULL; (at = props_next(props, at, &value)) != NULL;) {
        if (strncasecmp(at, "x-ms-meta-", 10) == 0) {
            xml_add(out, at + 10, value);
        }
    }
    text_add_str(out, "</Metadata>");
}

static void
add_blob(struct text *out, const struct blob *blob, const struct page *page)
{
    char when[CLOCK_TEXT_BYTES];
    const char *value = NULL;
    bool has_tier = false;
    text_add_str(out, "<Blob>");
    xml_add_name(out, "Name", blob->node.key);
    text_addf(out, "<Properties><Creation-Time>%s</Creation-Time>",
              clock_format_http(blob->created_ns, when));
    add_times(out, blob->modified_ns, blob->etag);
    text_addf(out, "<Content-Length>%llu</Content-Length>", (unsigned long long)blob->size_bytes);
    for (const char *at = NULL; (at = props_next(&blob->props, at, &value)) != NULL;) {
        if (strcmp(at, "x-ms-access-tier") == 0) {
            xml_add(out, "AccessTier", value);
            has_tier = true;
        } else if (strncasecmp(at, "x-ms-", 5) != 0) {
            xml_add(out, at, value);
        }
    }
    if (!has_tier && !blob->is_page) {
        text_add_str(out, "<AccessTier>Hot</AccessTier>"
                          "<AccessTierInferred>true</AccessTierInferred>");
    }
    text_addf(out, "<BlobType>%s</BlobType>", blob->is_page ? "PageBlob" : "BlockBlob");
    text_add_str(out, "<LeaseStatus>unlocked</LeaseStatus>"
                      "<LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>"
                      "</Properties>");
    if (page->has_metadata) {
        add_metadata(out, &blob->props);
    }
    text_add_str(out, "</Blob>");
}

/* The first blob whose name is not before name. */
static size_t
lower_bound(const struct container *container, const char *name)
{
    size_t low = 0;
    size_t high = container->sorted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(container->sorted[middle]->node.key, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
add_next_marker(struct text *out, const char *name)
{
    char *marker = mem_take(BASE64_ROOM(strlen(name)));
    base64_encode(name, strlen(name), marker);
    xml_add(out, "NextMarker", marker);
    mem_give(marker);
}

/* With a delimiter: the common beginning of this and the following names, or false. */
static bool
fold(const struct page *page, const char *name, struct text *folder)
{
    if (page->delimiter.len == 0) {
        return false;
    }
    const char *rest = name + page->prefix.len;
    const char *end = strstr(rest, text_str(&page->delimiter));
    if (end == NULL) {
        return false;
    }
    text_clear(folder);
    text_add(folder, name, (size_t)(end - name) + page->delimiter.len);
    return true;
}

static void
add_entries(struct text *out, struct container *container, const struct page *page)
{
    AUTO_TEXT folder = TEXT_INIT;
    const char *start = page->marker.len > 0 ? text_str(&page->marker) : text_str(&page->prefix);
    size_t i = lower_bound(container, start);
    uint64_t count = 0;
    text_add_str(out, "<Blobs>");
    while (i < container->sorted_count && count < page->most) {
        const struct blob *blob = container->sorted[i];
        if (strncmp(blob->node.key, text_str(&page->prefix), page->prefix.len) != 0) {
            i = container->sorted_count;
        } else if (!blob->is_committed && !page->has_uncommitted) {
            i++;
        } else if (fold(page, blob->node.key, &folder)) {
            text_add_str(out, "<BlobPrefix>");
            xml_add_name(out, "Name", text_str(&folder));
            text_add_str(out, "</BlobPrefix>");
            while (i < container->sorted_count &&
                   strncmp(container->sorted[i]->node.key, text_str(&folder), folder.len) == 0) {
                i++;
            }
            count++;
        } else {
            add_blob(out, blob, page);
            i++;
            count++;
        }
    }
    text_add_str(out, "</Blobs>");
    bool has_more =
        i < container->sorted_count &&
        strncmp(container->sorted[i]->node.key, text_str(&page->prefix), page->prefix.len) == 0;
    if (has_more) {
        add_next_marker(out, container->sorted[i]->node.key);
    } else {
        text_add_str(out, "<NextMarker />");
    }
}

void
list_blobs(struct request *request)
{
    struct page page = {0};
    struct site *site = request->site;
    struct text *out = &request->answer.body;
    struct container *container = NULL;
    if (page_read(request, &page) && (container = request_container(request)) != NULL) {
        if (site->root != NULL && page.marker.len == 0) {
            root_load(site, container, request->container);
        }
        container_sort(container);
        answer_status(request, 200);
        text_add_str(out, XML_DECLARATION "<EnumerationResults>");
        xml_add_name(out, "Prefix", text_str(&page.prefix));
        text_addf(out, "<MaxResults>%llu</MaxResults>", (unsigned long long)page.most);
        if (page.delimiter.len > 0) {
            xml_add(out, "Delimiter", text_str(&page.delimiter));
        }
        add_entries(out, container, &page);
        text_add_str(out, "</EnumerationResults>");
        answer_xml(request);
        store_unlock(container);
    }
    page_done(&page);
}

void
list_containers(struct request *request)
{
    struct store *store = &request->site->store;
    struct text *out = &request->answer.body;
    AUTO_TEXT prefix = TEXT_INIT;
    size_t skip = strlen(request->account) + 1;
    (void)query_find(request->head.query, "prefix", &prefix);
    answer_status(request, 200);
    text_add_str(out, XML_DECLARATION "<EnumerationResults><Containers>");
    (void)pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->containers.slot_count; i++) {
        for (struct table_node *at = store->containers.slots[i]; at != NULL; at = at->next) {
            struct container *container = CONTAINER_OF(at, struct container, node);
            bool is_ours = strncmp(at->key, request->account, skip - 1) == 0 &&
                           at->key[skip - 1] == '/' &&
                           strncmp(at->key + skip, text_str(&prefix), prefix.len) == 0;
            (void)pthread_mutex_lock(&container->lock);
            if (is_ours && container->is_there) {
                text_add_str(out, "<Container>");
                xml_add(out, "Name", at->key + skip);
                text_add_str(out, "<Properties>");
                add_times(out, container->modified_ns, container->etag);
                text_add_str(out, "</Properties></Container>");
            }
            store_unlock(container);
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
    text_add_str(out, "</Containers><NextMarker /></EnumerationResults>");
    answer_xml(request);
}
