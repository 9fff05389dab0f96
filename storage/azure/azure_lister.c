/* A flat listing, page by page; the next page is asked for when the last entry was taken. */
#include "storage/azure/azure.h"

#include <string.h>

struct azure_lister {
    struct lister lister;
    struct azure_end *end;
    struct azure_link link;
    struct azure_page *page;
    unsigned index;
    size_t prefix_len; /* of "PREFIX/" */
    char *marker;
    bool is_asked;
    struct blob_props single; /* of an end that is one blob */
};

static bool
on_page(struct http_request *http, const void *bytes, size_t len)
{
    struct azure_request *request = CONTAINER_OF(http, struct azure_request, http);
    struct azure_link *link = CONTAINER_OF(request, struct azure_link, request);
    struct azure_lister *l = CONTAINER_OF(link, struct azure_lister, link);
    struct err err = ERR_NONE;
    if (http->status != 200) {
        bool fits = request->body.len + len <= AZURE_BODY_MAX;
        if (fits) {
            text_add(&request->body, bytes, len);
        }
        return fits;
    }
    return azure_page_add(l->page, bytes, len, &err) == ERR_OK;
}

static enum err_code
ask_page(struct azure_request *request, void *user, struct err *err)
{
    struct azure_lister *l = user;
    (void)err;
    azure_page_begin(l->page);
    azure_request_begin(request, l->end, HTTP_GET, NULL);
    azure_request_query(request, "restype", "container");
    azure_request_query(request, "comp", "list");
    azure_request_query(request, "include", "metadata");
    azure_request_query(request, "maxresults", "5000");
    if (l->end->prefix[0] != '\0') {
        AUTO_TEXT prefix = TEXT_INIT;
        text_addf(&prefix, "%s/", l->end->prefix);
        azure_request_query_encoded(request, "prefix", text_str(&prefix));
    }
    if (l->marker != NULL) {
        azure_request_query_encoded(request, "marker", l->marker);
    }
    request->http.on_body = on_page;
    return ERR_OK;
}

static enum err_code
next_page(struct azure_lister *l, struct err *err)
{
    enum err_code code = azure_link_ask(&l->link, ask_page, l, "list", err);
    struct err why = ERR_NONE;
    if (code == ERR_FORMAT && azure_page_end(l->page, &why) == ERR_FORMAT) {
        *err = why; /* the parser knows better why the body was refused */
    }
    code = code == ERR_OK ? azure_page_end(l->page, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    const char *marker = azure_page_marker(l->page);
    if (l->marker != NULL && strcmp(l->marker, marker) == 0) {
        return err_set(err, ERR_FORMAT,
                       "the store's listing does not advance: the next page is "
                       "the same again");
    }
    mem_give(l->marker);
    l->marker = marker[0] == '\0' ? NULL : mem_text(marker);
    l->is_asked = true;
    l->index = 0;
    return ERR_OK;
}

static enum err_code
ask_single(struct azure_request *request, void *user, struct err *err)
{
    struct azure_lister *l = user;
    (void)err;
    azure_request_begin(request, l->end, HTTP_HEAD, l->end->single);
    l->single = (struct blob_props){.mtime_ns = BLOB_TIME_NONE, .modified_ns = BLOB_TIME_NONE};
    request->props = &l->single;
    return ERR_OK;
}

/* What is unfinished at a source would be copied half; at a target the engine has to know of it. */
static void
judge_entry(const struct azure_lister *l, struct entry *entry)
{
    if (entry->kind == ENTRY_ITEM && entry->props.is_partial &&
        l->end->options.role == END_SOURCE) {
        entry->kind = ENTRY_FAILED;
        (void)err_set(&entry->err, ERR_ITEM_CHANGED,
                      "'%s' is unfinished: the copy that stores it has not come to its end",
                      entry->name);
    }
}

static enum err_code
give_single(struct azure_lister *l, struct entry *entry, bool *ret_more, struct err *err)
{
    *ret_more = !l->is_asked;
    if (l->is_asked) {
        return ERR_OK;
    }
    enum err_code code = azure_link_ask(&l->link, ask_single, l, "look at", err);
    if (code != ERR_OK) {
        return code;
    }
    l->is_asked = true;
    azure_props_finish(&l->single);
    *entry = (struct entry){.kind = ENTRY_ITEM, .name = l->end->single, .props = l->single};
    judge_entry(l, entry);
    return ERR_OK;
}

static enum err_code
azure_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    struct azure_lister *l = CONTAINER_OF(lister, struct azure_lister, lister);
    if (l->end->single != NULL) {
        return give_single(l, entry, ret_more, err);
    }
    while (!l->is_asked || l->index == azure_page_count(l->page)) {
        if (l->is_asked && l->marker == NULL) {
            *ret_more = false;
            return ERR_OK;
        }
        enum err_code code = next_page(l, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    const struct azure_blob *blob = azure_page_blob(l->page, l->index++);
    size_t name_len = strlen(blob->name);
    if (name_len <= l->prefix_len ||
        (l->prefix_len > 0 && (strncmp(blob->name, l->end->prefix, l->prefix_len - 1) != 0 ||
                               blob->name[l->prefix_len - 1] != '/'))) {
        /* The mark of the folder itself; anything else was not asked for. */
        *entry = (struct entry){.kind = ENTRY_FOLDER, .name = ""};
    } else {
        *entry = (struct entry){.kind = blob->is_folder_mark ? ENTRY_FOLDER : ENTRY_ITEM,
                                .name = blob->name + l->prefix_len,
                                .props = blob->props};
    }
    judge_entry(l, entry);
    *ret_more = true;
    return ERR_OK;
}

static struct lister *
azure_lister_close(struct lister *lister)
{
    struct azure_lister *l = CONTAINER_OF(lister, struct azure_lister, lister);
    azure_link_close(&l->link);
    azure_page_free(l->page);
    mem_give(l->marker);
    return mem_give(l);
}

static const struct lister_ops azure_lister_ops = {.next = azure_next, .close = azure_lister_close};

enum err_code
azure_lister_new(struct azure_end *end, struct lister **ret_lister, struct err *err)
{
    struct azure_lister *l = mem_take(sizeof *l);
    l->lister.ops = &azure_lister_ops;
    l->end = end;
    l->prefix_len = end->prefix[0] == '\0' ? 0 : strlen(end->prefix) + 1;
    enum err_code code = azure_link_open(end, &l->link, err);
    if (code != ERR_OK) {
        mem_give(l);
        return code;
    }
    l->page = azure_page_new();
    *ret_lister = &l->lister;
    return ERR_OK;
}
