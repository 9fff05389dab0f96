#include "base/show.h"
#include "base/utf8.h"
#include "storage/azure/azure.h"
#include "storage/http/url.h"

#include <string.h>

#define NAME_CHARS_MAX    1024U
#define NAME_SEGMENTS_MAX 254U
#define BLOCK_BYTES_MAX   ((uint64_t)4000 << 20)
#define BLOCKS_MAX        50000U
#define PUT_BYTES_MAX     ((uint64_t)5000 << 20)
#define PAGE_BYTES_MAX    ((uint64_t)8 << 40)
#define PROBE_NAME        ".sallyport-probe"

/* ---- the address ---- */

/* The next component of a path; *path moves behind it. mem_give() it. */
static char *
take_component(const char **path)
{
    AUTO_TEXT out = TEXT_INIT;
    while (**path == '/') {
        (*path)++;
    }
    size_t len = strcspn(*path, "/");
    text_add(&out, *path, len);
    *path += len;
    return mem_text(text_str(&out));
}

/* "acct.blob.core.windows.net": the account is the host's first label. */
static bool
has_account_in_host(const char *host)
{
    size_t len = strcspn(host, ".");
    return len > 0 && strncmp(host + len, ".blob.", 6) == 0;
}

static enum err_code
check_container(const char *name, bool is_strict, struct err *err)
{
    size_t len = strlen(name);
    char shown[SHOW_BYTES];
    bool is_special =
        strcmp(name, "$root") == 0 || strcmp(name, "$web") == 0 || strcmp(name, "$logs") == 0;
    bool is_fine = len <= 63 && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
    is_fine = is_fine && (!is_strict || (len >= 3 && name[0] != '-' && name[len - 1] != '-' &&
                                         strstr(name, "--") == NULL));
    if (is_special || is_fine) {
        return ERR_OK;
    }
    return err_set(err, ERR_USAGE,
                   "'%s' cannot be a container: its name must have 3 to 63 lower-case letters, "
                   "digits and single dashes",
                   show_typed(name, shown));
}

static enum err_code
read_path(struct azure_end *end, const struct url *url, struct err *err)
{
    const char *path = url->path;
    if (show_has_secret(path)) {
        /* It would be a part of names, receipts and the state. */
        return err_set(err, ERR_USAGE,
                       "the address has a signature in its path; it belongs behind a '?' that is "
                       "written as it is");
    }
    bool is_in_host = has_account_in_host(url->host);
    AUTO_TEXT base = TEXT_INIT;
    if (is_in_host) {
        AUTO_TEXT account = TEXT_INIT;
        text_add(&account, url->host, strcspn(url->host, "."));
        end->account = mem_text(text_str(&account));
    } else {
        end->account = take_component(&path);
        text_addf(&base, "/%s", end->account);
    }
    end->container = take_component(&path);
    if (end->account[0] == '\0' || end->container[0] == '\0') {
        return err_set(err, ERR_USAGE, "the address names no %s; it must be %s",
                       end->account[0] == '\0' ? "account" : "container",
                       is_in_host ? "https://ACCOUNT.blob.DOMAIN/CONTAINER[/PREFIX]"
                                  : "http://HOST:PORT/ACCOUNT/CONTAINER[/PREFIX]");
    }
    if (end->account[strspn(end->account, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0') {
        return err_set(err, ERR_USAGE,
                       "'%s' cannot be an account: lower-case letters and digits only",
                       show_typed(end->account, (char[SHOW_BYTES]){0}));
    }
    text_addf(&base, "/%s", end->container);
    end->base_path = mem_text(text_str(&base));
    while (*path == '/') {
        path++;
    }
    end->prefix = mem_text(path);
    for (size_t len = strlen(end->prefix); len > 0 && end->prefix[len - 1] == '/'; len--) {
        end->prefix[len - 1] = '\0';
    }
    return check_container(end->container, end->options.role == END_TARGET, err);
}

/* "127.example.org" is somebody else's name. */
static bool
is_loopback(const char *host)
{
    bool is_number = host[strspn(host, "0123456789.")] == '\0';
    return strcmp(host, "localhost") == 0 || (is_number && strncmp(host, "127.", 4) == 0) ||
           strcmp(host, "[::1]") == 0;
}

static void
set_names(struct azure_end *end, const struct url *url)
{
    AUTO_TEXT text = TEXT_INIT;
    text_addf(&text, "%s://%s", url->scheme, url->host);
    if (url->port != 0) {
        text_addf(&text, ":%u", url->port);
    }
    end->origin = mem_text(text_str(&text));
    text_add_str(&text, end->base_path);
    if (end->prefix[0] != '\0') {
        text_add_char(&text, '/');
        url_encode(&text, end->prefix, true);
    }
    end->end.display = mem_text(text_str(&text));
    text_clear(&text);
    text_addf(&text, "%s%s", end->prefix, end->prefix[0] == '\0' ? "" : "/");
    end->end.prefix = mem_text(text_str(&text));
}

/* ---- before the first byte ---- */

static enum err_code
ask_container(struct azure_request *request, void *user, struct err *err)
{
    (void)err;
    azure_request_begin(request, user, HTTP_HEAD, NULL);
    azure_request_query(request, "restype", "container");
    return ERR_OK;
}

static enum err_code
make_container(struct azure_request *request, void *user, struct err *err)
{
    (void)err;
    azure_request_begin(request, user, HTTP_PUT, NULL);
    azure_request_query(request, "restype", "container");
    return ERR_OK;
}

static enum err_code
ask_blob(struct azure_request *request, void *user, struct err *err)
{
    struct azure_end *end = user;
    (void)err;
    azure_request_begin(request, end, HTTP_HEAD, NULL);
    text_add_char(&request->path, '/');
    url_encode(&request->path, end->prefix, true);
    return ERR_OK;
}

/* A store on a condition that no blob meets: refused in every case, but how tells if we may. */
static enum err_code
ask_permission(struct azure_request *request, void *user, struct err *err)
{
    (void)err;
    azure_request_begin(request, user, HTTP_PUT, PROBE_NAME);
    azure_request_header(request, "x-ms-blob-type", "BlockBlob");
    azure_request_header(request, "If-Match", "\"0x0\"");
    return ERR_OK;
}

static enum err_code
remove_probe(struct azure_request *request, void *user, struct err *err)
{
    (void)err;
    azure_request_begin(request, user, HTTP_DELETE, PROBE_NAME);
    return ERR_OK;
}

static enum err_code
ask_if_empty(struct azure_request *request, void *user, struct err *err)
{
    struct azure_end *end = user;
    (void)err;
    azure_request_begin(request, end, HTTP_GET, NULL);
    azure_request_query(request, "restype", "container");
    azure_request_query(request, "comp", "list");
    azure_request_query(request, "maxresults", "1");
    if (end->prefix[0] != '\0') {
        AUTO_TEXT prefix = TEXT_INIT;
        text_addf(&prefix, "%s/", end->prefix);
        azure_request_query_encoded(request, "prefix", text_str(&prefix));
    }
    return ERR_OK;
}

/* A SAS or a role may allow to write blobs and nothing else; a key that is right allows all. */
static bool
is_just_not_allowed(const struct azure_link *link, enum err_code code)
{
    enum credential_kind kind = credential_kind(link->end->credential);
    return code == ERR_STORE_AUTH && link->request.http.status == 403 &&
           (kind == CREDENTIAL_SAS || kind == CREDENTIAL_TOKEN) &&
           strcmp(link->request.code, "AuthenticationFailed") != 0;
}

static enum err_code
find_source(struct azure_end *end, struct azure_link *link, struct err *err)
{
    if (end->prefix[0] != '\0') {
        enum err_code code = azure_link_ask(link, ask_blob, end, "look at", err);
        char *slash = strrchr(end->prefix, '/');
        if (code == ERR_OK) {
            end->single = mem_text(slash == NULL ? end->prefix : slash + 1);
            *(slash == NULL ? end->prefix : slash) = '\0';
            return ERR_OK;
        }
        if (code != ERR_ITEM_GONE && !is_just_not_allowed(link, code)) {
            return code;
        }
    }
    enum err_code code = azure_link_ask(link, ask_container, end, "look at", err);
    if (code == ERR_ITEM_GONE) {
        err->code = ERR_STORE_GONE;
        return ERR_STORE_GONE;
    }
    return is_just_not_allowed(link, code) ? ERR_OK : code;
}

static enum err_code
find_if_fresh(struct azure_end *end, struct azure_link *link, bool *ret_is_fresh, struct err *err)
{
    enum err_code code = azure_link_ask(link, ask_if_empty, end, "list", err);
    if (code != ERR_OK) {
        return is_just_not_allowed(link, code) ? ERR_OK : code;
    }
    struct azure_page *page = azure_page_new();
    azure_page_begin(page);
    code = azure_page_add(page, text_str(&link->request.body), link->request.body.len, err);
    code = code == ERR_OK ? azure_page_end(page, err) : code;
    *ret_is_fresh =
        code == ERR_OK && azure_page_count(page) == 0 && azure_page_marker(page)[0] == '\0';
    azure_page_free(page);
    return code;
}

static enum err_code
make_target(struct azure_end *end, struct azure_link *link, bool *ret_is_fresh, struct err *err)
{
    enum err_code code = azure_link_ask(link, make_container, end, "make the container of", err);
    if (code == ERR_OK) {
        *ret_is_fresh = true;
        return ERR_OK;
    }
    bool is_there = link->request.http.status == 409 && code != ERR_STORE_GONE;
    if (!is_there && !is_just_not_allowed(link, code)) {
        return code;
    }
    return find_if_fresh(end, link, ret_is_fresh, err);
}

static enum err_code
look_at_target(struct azure_end *end, struct azure_link *link, struct err *err)
{
    struct err dropped = ERR_NONE;
    enum err_code code = azure_link_ask(link, ask_permission, end, "write to", err);
    switch (code) {
    case ERR_OK: /* a store that knows no conditions */
        return azure_link_ask(link, remove_probe, end, "remove the probe of", &dropped);
    case ERR_OTHER_WRITER:
    case ERR_ITEM_GONE:
    case ERR_STORE_GONE: return ERR_OK; /* a missing container is made by the copy */
    default: return code;
    }
}

static enum err_code
azure_prepare(struct end *base, bool dry_run, uint64_t *ret_free_bytes, bool *ret_is_fresh,
              struct err *err)
{
    struct azure_end *end = CONTAINER_OF(base, struct azure_end, end);
    struct azure_link link;
    *ret_free_bytes = UINT64_MAX;
    *ret_is_fresh = false;
    enum err_code code = azure_link_open(end, &link, err);
    if (code != ERR_OK) {
        return code;
    }
    if (end->options.role == END_SOURCE) {
        code = find_source(end, &link, err);
    } else if (dry_run) {
        code = look_at_target(end, &link, err);
    } else {
        code = make_target(end, &link, ret_is_fresh, err);
    }
    azure_link_close(&link);
    return code;
}

/* ---- names ---- */

static enum err_code
illegal(const char *name, const char *why, struct err *err)
{
    return err_set(err, ERR_NAME_ILLEGAL, "'%s' cannot be the name of a blob: %s", name, why);
}

static enum err_code
check_segments(const char *name, const char *at, unsigned segments, struct err *err)
{
    while (true) {
        size_t len = strcspn(at, "/");
        if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.')) {
            return illegal(name, "it has '.' or '..' as a part of its path", err);
        }
        segments++;
        if (at[len] == '\0') {
            break;
        }
        at += len + 1;
    }
    return segments > NAME_SEGMENTS_MAX ? illegal(name, "its path has more than 254 parts", err)
                                        : ERR_OK;
}

enum err_code
azure_check_name(const struct azure_end *end, const char *name, struct err *err)
{
    unsigned chars = 0;
    unsigned segments = 0;
    for (const char *at = end->prefix; *at != '\0'; at++) {
        chars += ((unsigned char)*at & 0xc0U) != 0x80U;
        segments += *at == '/';
    }
    if (end->prefix[0] != '\0') {
        chars++;
        segments++;
    }
    for (const char *at = name; *at != '\0';) {
        unsigned len = utf8_length(at);
        if (len == 0) {
            return illegal(name, "it is not UTF-8", err);
        }
        if (*at == '\\') {
            return illegal(name, "it has a backslash, which the store reads as a slash", err);
        }
        bool is_control = (unsigned char)*at < ' ' || *at == 0x7f;
        /* U+FFFE and U+FFFF: XML, and with it a listing, cannot hold them. */
        bool is_no_character =
            len == 3 && (memcmp(at, "\xef\xbf\xbe", 3) == 0 || memcmp(at, "\xef\xbf\xbf", 3) == 0);
        if (is_control || is_no_character) {
            return illegal(name, "it has a control character", err);
        }
        chars += len == 4 ? 2 : 1;
        at += len;
    }
    if (chars > NAME_CHARS_MAX) {
        return illegal(name, "with its prefix it has more than 1024 characters", err);
    }
    return check_segments(name, name, segments, err);
}

static enum err_code
azure_end_check_name(const struct end *base, const char *name, struct err *err)
{
    const char *start = (const char *)base - offsetof(struct azure_end, end);
    return azure_check_name((const struct azure_end *)(const void *)start, name, err);
}

/* ---- the end ---- */

static enum err_code
azure_end_backend(struct end *base, const struct lane_io *io, struct backend **ret_backend,
                  struct err *err)
{
    return azure_backend_new(CONTAINER_OF(base, struct azure_end, end), io, ret_backend, err);
}

static enum err_code
azure_end_lister(struct end *base, end_wants_fn *wants, void *user, struct lister **ret_lister,
                 struct err *err)
{
    (void)wants;
    (void)user;
    return azure_lister_new(CONTAINER_OF(base, struct azure_end, end), ret_lister, err);
}

static struct end *
azure_end_close(struct end *base)
{
    struct azure_end *end = CONTAINER_OF(base, struct azure_end, end);
    end->credential = credential_free(end->credential);
    mem_give(end->account);
    mem_give(end->container);
    mem_give(end->prefix);
    mem_give(end->single);
    mem_give(end->origin);
    mem_give(end->base_path);
    mem_give(end->end.display);
    mem_give(end->end.prefix);
    return mem_give(end);
}

static const struct end_ops azure_end_ops = {
    .name = "azure",
    .backend = azure_end_backend,
    .lister = azure_end_lister,
    .prepare = azure_prepare,
    .check_name = azure_end_check_name,
    .close = azure_end_close,
};

static enum err_code
fill(struct azure_end *end, const struct url *url, struct err *err)
{
    enum err_code code = read_path(end, url, err);
    if (code != ERR_OK) {
        return code;
    }
    set_names(end, url);
    code = credential_find(end->account, url->query, end->options.config, &end->credential, err);
    if (code == ERR_OK && credential_kind(end->credential) == CREDENTIAL_TOKEN &&
        strcmp(url->scheme, "https") != 0 && !is_loopback(url->host)) {
        code = err_set(err, ERR_CONFIG, "a bearer token is not sent over http to '%s'; use https",
                       url->host);
    }
    return code;
}

enum err_code
azure_end_open(const char *address, const struct end_options *options, struct end **ret_end,
               struct err *err)
{
    struct url url = {0};
    enum err_code code = url_parse(address, &url, err);
    if (code != ERR_OK) {
        return code;
    }
    struct azure_end *end = mem_take(sizeof *end);
    end->end.ops = &azure_end_ops;
    end->end.caps = (struct end_caps){
        .needs_zeros = true,
        .keeps_props = true,
        .checks_transit = true,
        .block_order_free = true,
        .item_bytes_max = BLOCKS_MAX * BLOCK_BYTES_MAX,
        .blocks_max = BLOCKS_MAX,
        .block_bytes_max = BLOCK_BYTES_MAX,
        .put_bytes_max = PUT_BYTES_MAX,
        .page_bytes_max = PAGE_BYTES_MAX,
    };
    end->options = *options;
    random_bytes(&end->session, sizeof end->session);
    code = fill(end, &url, err);
    url_done(&url);
    if (code != ERR_OK) {
        azure_end_close(&end->end);
        return code;
    }
    *ret_end = &end->end;
    return ERR_OK;
}
