#include "storage/local/store.h"

#include "storage/local/local.h"
#include "storage/local/single.h"
#include "storage/local/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Files first, each with its row's properties if the row is still true; then what lies under by-id.
 */
struct store_lister {
    struct lister lister;
    struct local_end *end;
    struct lister *files;
    bool files_are_done;
    struct index index;
    bool has_index;
    struct sql_stmt by_id;
    struct index_row row;
    struct text key;
    struct text name;
};

static enum err_code
add_props(struct store_lister *l, struct entry *entry, struct err *err)
{
    bool is_found = false;
    if (!l->has_index || entry->kind != ENTRY_ITEM) {
        return ERR_OK;
    }
    text_clear(&l->key);
    local_key(l->end, entry->name, &l->key);
    enum err_code code = index_find(&l->index, text_str(&l->key), &l->row, &is_found, err);
    if (code == ERR_OK && is_found && l->row.file.len == 0 &&
        l->row.stored_bytes == entry->props.size_bytes &&
        l->row.stored_ns == entry->props.mtime_ns) {
        entry->props = l->row.props;
    }
    return code;
}

static enum err_code
next_by_id(struct store_lister *l, struct entry *entry, bool *ret_more, struct err *err)
{
    bool is_found = false;
    size_t prefix_len = strlen(l->end->key_prefix);
    while (l->has_index) {
        enum err_code code = sql_step(&l->by_id, ret_more, err);
        if (code != ERR_OK || !*ret_more) {
            return code;
        }
        size_t len = 0;
        const char *key = sql_col_blob(&l->by_id, 0, &len);
        if (len <= prefix_len || memcmp(key, l->end->key_prefix, prefix_len) != 0) {
            continue;
        }
        text_clear(&l->key);
        text_add(&l->key, key, len);
        code = index_find(&l->index, text_str(&l->key), &l->row, &is_found, err);
        if (code != ERR_OK) {
            return code;
        }
        if (is_found) {
            text_clear(&l->name);
            text_add_str(&l->name, text_str(&l->key) + prefix_len);
            *entry = (struct entry){
                .kind = ENTRY_ITEM, .name = text_str(&l->name), .props = l->row.props};
            return ERR_OK;
        }
    }
    *ret_more = false;
    return ERR_OK;
}

static enum err_code
store_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    struct store_lister *l = CONTAINER_OF(lister, struct store_lister, lister);
    if (!l->files_are_done) {
        enum err_code code = lister_next(l->files, entry, ret_more, err);
        if (code != ERR_OK || *ret_more) {
            return code != ERR_OK ? code : add_props(l, entry, err);
        }
        l->files_are_done = true;
    }
    return l->end->single_name != NULL ? ERR_OK : next_by_id(l, entry, ret_more, err);
}

static struct lister *
store_lister_close(struct lister *lister)
{
    struct store_lister *l = CONTAINER_OF(lister, struct store_lister, lister);
    lister_close(l->files);
    if (l->has_index) {
        sql_stmt_done(&l->by_id);
        index_close(&l->index);
    }
    index_row_done(&l->row);
    text_done(&l->key);
    text_done(&l->name);
    return mem_give(l);
}

static const struct lister_ops store_lister_ops = {.next = store_next, .close = store_lister_close};

static enum err_code
store_lister(struct end *base, end_wants_fn *wants, void *user, struct lister **ret_lister,
             struct err *err)
{
    struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    enum err_code code = local_open_root(end, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_lister *l = mem_take(sizeof *l);
    l->lister.ops = &store_lister_ops;
    l->end = end;
    if (access(end->index_path, R_OK) == 0) {
        code = index_open(&l->index, end->index_path, err);
        l->has_index = code == ERR_OK;
        code = code == ERR_OK
                   ? sql_prepare(&l->index.sql, &l->by_id,
                                 "SELECT key FROM blob WHERE file <> x'' ORDER BY key", err)
                   : code;
    }
    if (code == ERR_OK) {
        const struct walk_options walk = {
            .display = end->path, .links = END_LINKS_SKIP, .wants = wants, .user = user};
        code = end->single_name != NULL ? single_new(end, &l->files, err)
                                        : walk_new(end->root, &walk, &l->files, err);
    }
    if (code != ERR_OK) {
        store_lister_close(&l->lister);
        return code;
    }
    *ret_lister = &l->lister;
    return ERR_OK;
}

static enum err_code
store_check_name(const struct end *end, const char *name, struct err *err)
{
    (void)end;
    return name[0] == '\0' ? err_set(err, ERR_NAME_ILLEGAL, "an empty name cannot be stored")
                           : ERR_OK;
}

/* DIR is the nearest ancestor with .sallyport/ in it, if there is one. Length of it within path. */
static size_t
find_dir(const char *path)
{
    AUTO_TEXT probe = TEXT_INIT;
    for (size_t len = strlen(path); len > 0;) {
        while (len > 0 && path[len - 1] != '/') {
            len--;
        }
        while (len > 1 && path[len - 1] == '/') {
            len--;
        }
        if (len == 0) {
            return 0;
        }
        text_clear(&probe);
        text_add(&probe, path, len);
        text_add_str(&probe, "/.sallyport");
        if (access(text_str(&probe), F_OK) == 0) {
            return len;
        }
        if (len == 1) {
            return 0;
        }
    }
    return 0;
}

/* Where DIR ends when nothing on disk tells: before the last `parts` components. */
static size_t
cut_parts(const char *path, unsigned parts)
{
    size_t len = strlen(path);
    for (; parts > 0 && len > 0; parts--) {
        while (len > 0 && path[len - 1] != '/') {
            len--;
        }
        while (len > 0 && path[len - 1] == '/') {
            len--;
        }
    }
    return len;
}

/* typed_at: where what the user typed begins; before it stands the current folder. */
static void
split(const char *path, size_t typed_at, bool is_account, struct text *dir, struct text *rest)
{
    const char *mark = strstr(path + 1, "//");
    size_t len = mark != NULL ? (size_t)(mark - path) : find_dir(path);
    if (len == 0) {
        len = cut_parts(path, is_account ? 1 : 2);
        /* What the current folder is called is no account: a name too few is one too few. */
        len = len + 1 < typed_at ? 0 : len;
    }
    text_add(dir, path, len);
    const char *at = path + len;
    while (*at == '/') {
        at++;
    }
    text_add_str(rest, at);
    while (rest->len > 0 && rest->bytes[rest->len - 1] == '/') {
        rest->bytes[--rest->len] = '\0';
    }
}

static enum err_code
make_absolute(const char *path, struct text *out, struct err *err)
{
    if (path[0] != '/') {
        char *cwd = getcwd(NULL, 0);
        if (cwd == NULL) {
            return err_set(err, ERR_SYSTEM, "the current folder is gone");
        }
        text_addf(out, "%s/", cwd);
        mem_give(cwd);
    }
    text_add_str(out, path);
    return ERR_OK;
}

static const struct end_ops store_ops = {
    .name = "store",
    .backend = local_end_backend,
    .lister = store_lister,
    .prepare = local_end_prepare,
    .barrier = local_end_barrier,
    .make_folder = local_end_make_folder,
    .check_name = store_check_name,
    .tidy = local_end_tidy,
    .close = local_end_close,
};

/* What is left of "ACCOUNT/CONTAINER/PREFIX/" without its first two parts. */
static const char *
below_container(const char *key_prefix)
{
    const char *slash = strchr(key_prefix, '/');
    slash = slash == NULL ? NULL : strchr(slash + 1, '/');
    return slash == NULL ? "" : slash + 1;
}

enum err_code
store_end_open(const char *address, const struct end_options *options, struct end **ret_end,
               struct err *err)
{
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT dir = TEXT_INIT;
    AUTO_TEXT rest = TEXT_INIT;
    AUTO_TEXT full = TEXT_INIT;
    struct local_end *end = NULL;
    enum err_code code = make_absolute(address + strlen("file:"), &path, err);
    if (code != ERR_OK) {
        return code;
    }
    size_t typed_len = strlen(address + strlen("file:"));
    size_t typed_at = address[strlen("file:")] == '/' ? 0 : path.len - typed_len;
    while (path.len > 1 && path.bytes[path.len - 1] == '/') {
        path.bytes[--path.len] = '\0';
    }
    split(text_str(&path), typed_at, options->is_account, &dir, &rest);
    if (rest.len == 0 || dir.len == 0) {
        return err_set(err, ERR_USAGE,
                       "'%s' names no account; write file:DIR/ACCOUNT/CONTAINER[/PREFIX]", address);
    }
    text_addf(&full, "%s/%s", text_str(&dir), text_str(&rest));
    code = local_end_new(text_str(&full), &store_ops, options, &end, err);
    if (code != ERR_OK) {
        return code;
    }
    end->end.caps.keeps_props = true;
    end->end.caps.page_bytes_max = INT64_MAX;
    end->store_dir = mem_text(text_str(&dir));
    text_clear(&full);
    text_addf(&full, "%s/.sallyport/blobs.db", text_str(&dir));
    end->index_path = mem_text(text_str(&full));
    text_clear(&full);
    text_addf(&full, "%s/.sallyport/partial", text_str(&dir));
    end->stage_path = mem_text(text_str(&full));
    if (end->single_name != NULL) {
        rest.len -= strlen(end->single_name) + 1;
        rest.bytes[rest.len] = '\0';
    }
    text_add_char(&rest, '/');
    mem_give(end->key_prefix);
    end->key_prefix = mem_text(text_str(&rest));
    text_clear(&full);
    text_addf(&full, "file:%s//%s", text_str(&dir), text_str(&rest));
    mem_give(end->end.display);
    end->end.display = mem_text(text_str(&full));
    end->end.prefix = mem_text(below_container(end->key_prefix));
    *ret_end = &end->end;
    return ERR_OK;
}
