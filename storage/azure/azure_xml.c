/* The four documents a store answers with, read by expat as a stream. */
#include "base/show.h"
#include "base/utf8.h"
#include "storage/azure/azure_text.h"
#include "storage/http/url.h"

#include <expat.h>

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX      16U
#define ELEMENT_BYTES  64U
#define VALUE_BYTES    8192U
#define PAGE_ARENA     ((size_t)256 * 1024)
#define ERROR_BODY_MAX ((size_t)64 * 1024)

/* What all have in common: a path of element names and the text of the innermost one. */
struct reader {
    XML_Parser parser;
    const char *root; /* the outermost element has to be called so; NULL: as it likes */
    unsigned depth;
    char path[DEPTH_MAX][ELEMENT_BYTES];
    bool is_encoded; /* the innermost element carries Encoded="true" */
    struct text value;
    struct err err;
    void (*begin)(struct reader *reader, const char *name);
    void (*end)(struct reader *reader, const char *name);
};

static void
stop(struct reader *r, const char *why)
{
    if (r->err.code == ERR_OK) {
        (void)err_set(&r->err, ERR_FORMAT, "the store's XML answer is not valid: %s", why);
    }
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL
on_begin(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = user;
    if (r->depth == DEPTH_MAX) {
        stop(r, "it is nested too deeply");
        return;
    }
    /* What a proxy says in XML of its own, with status 200, is no empty container. */
    if (r->depth == 0 && r->root != NULL && strcmp(name, r->root) != 0) {
        stop(r, "it is another document than was asked for");
        return;
    }
    (void)snprintf(r->path[r->depth], ELEMENT_BYTES, "%s", name);
    r->depth++;
    r->is_encoded = false;
    for (; attributes[0] != NULL; attributes += 2) {
        r->is_encoded = r->is_encoded || (strcmp(attributes[0], "Encoded") == 0 &&
                                          strcmp(attributes[1], "true") == 0);
    }
    text_clear(&r->value);
    if (r->begin != NULL) {
        r->begin(r, name);
    }
}

static void XMLCALL
on_end(void *user, const XML_Char *name)
{
    struct reader *r = user;
    r->end(r, name);
    r->depth--;
    r->is_encoded = false;
    text_clear(&r->value);
}

static void XMLCALL
on_text(void *user, const XML_Char *bytes, int len)
{
    struct reader *r = user;
    if (r->value.len + (size_t)len > VALUE_BYTES) {
        stop(r, "a value is longer than 8192 bytes");
        return;
    }
    text_add(&r->value, bytes, (size_t)len);
}

static void XMLCALL
on_doctype(void *user, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
           int has_subset)
{
    (void)name;
    (void)sysid;
    (void)pubid;
    (void)has_subset;
    stop(user, "it has a document type declaration");
}

static void
reader_begin(struct reader *r)
{
    if (r->parser == NULL) {
        r->parser = XML_ParserCreate(NULL);
        ASSERT(r->parser != NULL);
    } else {
        ASSERT(XML_ParserReset(r->parser, NULL) == XML_TRUE);
    }
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    r->depth = 0;
    r->err = ERR_NONE;
    text_clear(&r->value);
}

static enum err_code
reader_add(struct reader *r, const void *bytes, size_t len, bool is_last, struct err *err)
{
    if (r->err.code == ERR_OK && len <= INT32_MAX &&
        XML_Parse(r->parser, bytes, (int)len, is_last) != XML_STATUS_OK) {
        char why[128];
        (void)snprintf(why, sizeof why, "%s in line %lu",
                       XML_ErrorString(XML_GetErrorCode(r->parser)),
                       (unsigned long)XML_GetCurrentLineNumber(r->parser));
        stop(r, why);
    }
    if (r->err.code != ERR_OK) {
        *err = r->err;
    }
    return r->err.code;
}

static void
reader_done(struct reader *r)
{
    if (r->parser != NULL) {
        XML_ParserFree(r->parser);
    }
    text_done(&r->value);
}

static bool
is_in(const struct reader *r, unsigned level, const char *name)
{
    return r->depth > level && strcmp(r->path[level], name) == 0;
}

/* ---- List Blobs ---- */

struct azure_page {
    struct reader reader;
    struct arena arena;
    struct azure_blob *blobs;
    unsigned count;
    struct azure_blob *blob; /* the one being read */
    bool has_resource_folder;
    char marker[AZURE_MARKER_BYTES_MAX + 1];
};

static struct azure_page *
page_of(struct reader *r)
{
    return CONTAINER_OF(r, struct azure_page, reader);
}

static bool
is_in_blob(const struct reader *r)
{
    return is_in(r, 0, "EnumerationResults") && is_in(r, 1, "Blobs") && is_in(r, 2, "Blob");
}

static void
page_begin_element(struct reader *r, const char *name)
{
    struct azure_page *page = page_of(r);
    if (r->depth != 3 || !is_in_blob(r)) {
        return;
    }
    (void)name;
    if (page->count == AZURE_PAGE_BLOBS_MAX) {
        stop(r, "it lists more than 5000 blobs");
        return;
    }
    page->blob = &page->blobs[page->count];
    *page->blob =
        (struct azure_blob){.props = {.mtime_ns = BLOB_TIME_NONE, .modified_ns = BLOB_TIME_NONE}};
    page->has_resource_folder = false;
}

static void
take_name(struct reader *r)
{
    struct azure_blob *blob = page_of(r)->blob;
    char *name = arena_bytes(&page_of(r)->arena, text_str(&r->value), r->value.len);
    if (r->value.len == 0 || r->value.len > AZURE_NAME_BYTES_MAX ||
        (r->is_encoded && !url_decode(name))) {
        stop(r, "a blob's name is empty, longer than 4096 bytes or badly encoded");
        return;
    }
    blob->name = name;
}

static void
end_blob(struct reader *r)
{
    struct azure_page *page = page_of(r);
    struct azure_blob *blob = page->blob;
    if (blob->name == NULL) {
        stop(r, "a blob has no name");
        return;
    }
    azure_props_finish(&blob->props);
    size_t len = strlen(blob->name);
    blob->is_folder_mark =
        blob->props.size_bytes == 0 && (page->has_resource_folder || blob->name[len - 1] == '/');
    page->blob = NULL;
    page->count++;
}

static void
page_end_element(struct reader *r, const char *name)
{
    struct azure_page *page = page_of(r);
    if (r->depth == 2 && is_in(r, 0, "EnumerationResults") && strcmp(name, "NextMarker") == 0) {
        if (r->value.len > AZURE_MARKER_BYTES_MAX) {
            stop(r, "the marker of the next page is too long");
            return;
        }
        memcpy(page->marker, text_str(&r->value), r->value.len + 1);
    }
    if (page->blob == NULL || !is_in_blob(r)) {
        return;
    }
    const char *value = text_str(&r->value);
    if (r->depth == 3) {
        end_blob(r);
    } else if (r->depth == 4 && strcmp(name, "Name") == 0) {
        take_name(r);
    } else if (r->depth == 5 && is_in(r, 3, "Properties")) {
        page->has_resource_folder =
            page->has_resource_folder ||
            (strcmp(name, "ResourceType") == 0 && strcmp(value, "directory") == 0);
        azure_props_take(&page->blob->props, &page->arena, false, name, strlen(name), value,
                         r->value.len);
    } else if (r->depth == 5 && is_in(r, 3, "Metadata")) {
        page->has_resource_folder =
            page->has_resource_folder ||
            (strcmp(name, "hdi_isfolder") == 0 && strcmp(value, "true") == 0);
        azure_props_take_metadata(&page->blob->props, &page->arena, name, strlen(name), value,
                                  r->value.len);
    }
}

struct azure_page *
azure_page_new(void)
{
    struct azure_page *page = mem_take(sizeof *page);
    page->reader.root = "EnumerationResults";
    page->reader.begin = page_begin_element;
    page->reader.end = page_end_element;
    page->blobs = mem_take(AZURE_PAGE_BLOBS_MAX * sizeof *page->blobs);
    arena_init(&page->arena, PAGE_ARENA);
    return page;
}

struct azure_page *
azure_page_free(struct azure_page *page)
{
    if (page == NULL) {
        return NULL;
    }
    reader_done(&page->reader);
    arena_done(&page->arena);
    mem_give(page->blobs);
    return mem_give(page);
}

void
azure_page_begin(struct azure_page *page)
{
    arena_reset(&page->arena);
    page->count = 0;
    page->blob = NULL;
    page->marker[0] = '\0';
    reader_begin(&page->reader);
}

enum err_code
azure_page_add(struct azure_page *page, const void *bytes, size_t len, struct err *err)
{
    return reader_add(&page->reader, bytes, len, false, err);
}

enum err_code
azure_page_end(struct azure_page *page, struct err *err)
{
    return reader_add(&page->reader, "", 0, true, err);
}

unsigned
azure_page_count(const struct azure_page *page)
{
    return page->count;
}

const struct azure_blob *
azure_page_blob(const struct azure_page *page, unsigned index)
{
    ASSERT(index < page->count);
    return &page->blobs[index];
}

const char *
azure_page_marker(const struct azure_page *page)
{
    return page->marker;
}

/* ---- Get Block List ---- */

/* Digits beyond what 64 bits can hold are left out. */
static uint64_t
leading_number(const char *at)
{
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number > UINT64_MAX / 16 ? number : number * 10 + (uint64_t)(*at - '0');
    }
    return number;
}

struct block_reader {
    struct reader reader;
    azure_block_fn *fn;
    void *user;
    char id[128];
    uint64_t size_bytes;
};

static void
block_end_element(struct reader *r, const char *name)
{
    struct block_reader *blocks = CONTAINER_OF(r, struct block_reader, reader);
    bool is_block = is_in(r, 0, "BlockList") && is_in(r, 2, "Block");
    if (!is_block) {
        return;
    }
    if (r->depth == 4 && strcmp(name, "Name") == 0) {
        (void)snprintf(blocks->id, sizeof blocks->id, "%s", text_str(&r->value));
    } else if (r->depth == 4 && strcmp(name, "Size") == 0) {
        blocks->size_bytes = leading_number(text_str(&r->value));
    } else if (r->depth == 3) {
        blocks->fn(blocks->user, blocks->id, blocks->size_bytes);
        blocks->id[0] = '\0';
        blocks->size_bytes = 0;
    }
}

enum err_code
azure_parse_blocks(const void *bytes, size_t len, azure_block_fn *fn, void *user, struct err *err)
{
    struct block_reader blocks = {.fn = fn, .user = user};
    blocks.reader.root = "BlockList";
    blocks.reader.end = block_end_element;
    reader_begin(&blocks.reader);
    enum err_code code = reader_add(&blocks.reader, bytes, len, true, err);
    reader_done(&blocks.reader);
    return code;
}

/* ---- Get Page Ranges ---- */

struct range_reader {
    struct reader reader;
    azure_range_fn *fn;
    void *user;
    uint64_t first;
    uint64_t last;
};

static void
range_end_element(struct reader *r, const char *name)
{
    struct range_reader *ranges = CONTAINER_OF(r, struct range_reader, reader);
    if (!is_in(r, 1, "PageRange")) {
        return;
    }
    if (r->depth == 3 && strcmp(name, "Start") == 0) {
        ranges->first = leading_number(text_str(&r->value));
    } else if (r->depth == 3 && strcmp(name, "End") == 0) {
        ranges->last = leading_number(text_str(&r->value));
    } else if (r->depth == 2) {
        ranges->fn(ranges->user, ranges->first, ranges->last);
        ranges->first = 0;
        ranges->last = 0;
    }
}

enum err_code
azure_parse_ranges(const void *bytes, size_t len, azure_range_fn *fn, void *user, struct err *err)
{
    struct range_reader ranges = {.fn = fn, .user = user};
    ranges.reader.root = "PageList";
    ranges.reader.end = range_end_element;
    reader_begin(&ranges.reader);
    enum err_code code = reader_add(&ranges.reader, bytes, len, true, err);
    reader_done(&ranges.reader);
    return code;
}

/* ---- errors ---- */

struct error_reader {
    struct reader reader;
    char *code;
    char *words;
};

static void
error_end_element(struct reader *r, const char *name)
{
    struct error_reader *error = CONTAINER_OF(r, struct error_reader, reader);
    if (r->depth != 2) {
        return;
    }
    const char *value = text_str(&r->value);
    if (strcmp(name, "Code") == 0) {
        (void)snprintf(error->code, AZURE_CODE_BYTES, "%s", value);
    } else if (strcmp(name, "Message") == 0) {
        (void)snprintf(error->words, AZURE_WORDS_BYTES, "%.*s", (int)strcspn(value, "\r\n"), value);
    }
}

void
azure_parse_error(const void *bytes, size_t len, char code[static AZURE_CODE_BYTES],
                  char words[static AZURE_WORDS_BYTES])
{
    struct error_reader error = {.code = code, .words = words};
    struct err err = ERR_NONE;
    code[0] = '\0';
    words[0] = '\0';
    error.reader.end = error_end_element;
    reader_begin(&error.reader);
    (void)reader_add(&error.reader, bytes, MIN_OF(len, ERROR_BODY_MAX), true, &err);
    reader_done(&error.reader);
    if (!utf8_is_valid(words)) {
        words[0] = '\0'; /* cut off in the middle of a character */
    }
    /* A store may quote the address it was asked by. */
    AUTO_TEXT clean = TEXT_INIT;
    show_redacted(words, &clean);
    show_middle(text_str(&clean), words, AZURE_WORDS_BYTES);
}
