#include "storage/local/store.h"

#include "storage/local/address.h"
#include "storage/local/local.h"
#include "storage/local/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Files first, each with its row's properties if the row is still true; then what lies under by-id.
 */
struct store_lister {
    struct lister lister;
    struct local_end *end;
    struct lister *files; /* NULL: there are none */
    struct places places;
    bool is_single_done;
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
    enum err_code code =
        index_find(&l->index, text_str(&l->key), entry->props.etag, &l->row, &is_found, err);
    if (code == ERR_OK && is_found) {
        entry->props = l->row.props;
    }
    return code;
}

/* The item of this name, which no walk has found. */
static enum err_code
add_named(struct store_lister *l, const struct stat *st, struct entry *entry, struct err *err)
{
    int64_t mtime_ns = clock_from_timespec(&st->st_mtim);
    *entry = (struct entry){.kind = ENTRY_ITEM, .name = text_str(&l->name)};
    entry->props = (struct blob_props){.size_bytes = (uint64_t)st->st_size,
                                       .original_bytes = (uint64_t)st->st_size,
                                       .mtime_ns = mtime_ns,
                                       .modified_ns = mtime_ns,
                                       .type = BLOB_TYPE_BLOCK};
    local_etag(st, entry->props.etag);
    return add_props(l, entry, err);
}

static enum err_code
next_by_id(struct store_lister *l, struct entry *entry, bool *ret_more, struct err *err)
{
    AUTO_TEXT by_id = TEXT_INIT;
    struct stat st;
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
        text_clear(&l->name);
        text_add(&l->name, key + prefix_len, len - prefix_len);
        /* A file that has got the name meanwhile was found by the walk. */
        if (local_find(l->end, &l->places, text_str(&l->name), &st, &by_id) == 0 && by_id.len > 0) {
            return add_named(l, &st, entry, err);
        }
    }
    *ret_more = false;
    return ERR_OK;
}

static enum err_code
next_single(struct store_lister *l, struct entry *entry, bool *ret_more, struct err *err)
{
    AUTO_TEXT by_id = TEXT_INIT;
    struct stat st;
    *ret_more = !l->is_single_done;
    if (l->is_single_done) {
        return ERR_OK;
    }
    l->is_single_done = true;
    text_add_str(&l->name, l->end->single_name);
    int result = local_find(l->end, &l->places, text_str(&l->name), &st, &by_id);
    if (result != 0) {
        return err_set_sys(err, err_from_source_errno(-result), -result, "could not look at '%s'",
                           text_str(&l->name));
    }
    return add_named(l, &st, entry, err);
}

static enum err_code
store_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    struct store_lister *l = CONTAINER_OF(lister, struct store_lister, lister);
    if (l->end->single_name != NULL) {
        return next_single(l, entry, ret_more, err);
    }
    if (l->files != NULL) {
        enum err_code code = lister_next(l->files, entry, ret_more, err);
        if (code != ERR_OK || *ret_more) {
            return code != ERR_OK ? code : add_props(l, entry, err);
        }
        l->files = lister_close(l->files);
    }
    return next_by_id(l, entry, ret_more, err);
}

static struct lister *
store_lister_close(struct lister *lister)
{
    struct store_lister *l = CONTAINER_OF(lister, struct store_lister, lister);
    lister_close(l->files);
    places_done(&l->places);
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

/* Keys of names that no file can have, below the end's prefix. */
static enum err_code
begin_by_id(struct store_lister *l, struct err *err)
{
    AUTO_TEXT beyond = TEXT_INIT;
    const char *prefix = l->end->key_prefix;
    size_t len = strlen(prefix);
    text_add(&beyond, prefix, len - 1);
    text_add_char(&beyond, '/' + 1);
    enum err_code code = sql_prepare(&l->index.sql, &l->by_id,
                                     "SELECT DISTINCT key FROM blob WHERE key>=?1 AND key<?2"
                                     " AND file<>x'' ORDER BY key",
                                     err);
    if (code == ERR_OK) {
        sql_bind_blob(&l->by_id, 1, prefix, len);
        sql_bind_blob(&l->by_id, 2, text_str(&beyond), beyond.len);
    }
    return code;
}

static enum err_code
store_lister(struct end *base, end_wants_fn *wants, void *user, struct lister **ret_lister,
             struct err *err)
{
    static const struct walk_skip skip_ours = {.name = STORE_FOLDER,
                                               .words = "holds a store's own files, no blobs"};
    struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    enum err_code code = local_open_root(end, err);
    if (code != ERR_OK) {
        return code;
    }
    struct store_lister *l = mem_take(sizeof *l);
    l->lister.ops = &store_lister_ops;
    l->end = end;
    places_init(&l->places, end->root, false);
    if (access(end->index_path, R_OK) == 0) {
        code = index_open(&l->index, end->index_path, err);
        l->has_index = code == ERR_OK;
        code = code == ERR_OK ? begin_by_id(l, err) : code;
    }
    if (code == ERR_OK && end->root >= 0 && end->single_name == NULL) {
        const struct walk_options walk = {.display = end->path,
                                          .skip = &skip_ours,
                                          .wants_etags = true,
                                          .links = END_LINKS_SKIP,
                                          .wants = wants,
                                          .user = user};
        code = walk_new(end->root, &walk, &l->files, err);
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

static const struct end_ops store_ops = {
    .name = "store",
    .backend = local_end_backend,
    .lister = store_lister,
    .prepare = local_end_prepare,
    .begin = local_end_begin,
    .barrier = local_end_barrier,
    .make_folder = local_end_make_folder,
    .check_name = store_check_name,
    .tidy = local_end_tidy,
    .close = local_end_close,
};

/* ---- what is there ---- */

/* "ACCOUNT/CONTAINER/PREFIX" without its first two parts; "" if it has no more. */
static const char *
below_container(const char *key)
{
    const char *slash = strchr(key, '/');
    slash = slash == NULL ? NULL : strchr(slash + 1, '/');
    return slash == NULL ? "" : slash + 1;
}

/* DIR with the first `parts` names of key. */
static void
add_path(const char *dir, const char *key, unsigned parts, struct text *out)
{
    const char *at = key;
    for (unsigned i = 0; i < parts && *at != '\0'; i++) {
        at += strcspn(at, "/");
        at += i + 1 < parts && *at == '/';
    }
    text_addf(out, "%s/%.*s", dir, (int)(at - key), key);
}

static bool
is_kind(const char *path, mode_t kind)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* Is there a blob of exactly this key? */
static bool
has_blob(const char *dir, const char *key)
{
    AUTO_TEXT path = TEXT_INIT;
    struct stat st;
    if (below_container(key)[0] == '\0') {
        return false;
    }
    text_addf(&path, "%s/%s", dir, key);
    if (store_key_is_path(key) && lstat(text_str(&path), &st) == 0 && S_ISREG(st.st_mode)) {
        return true;
    }
    text_clear(&path);
    text_addf(&path, "%s/", dir);
    local_by_id(key, &path);
    return is_kind(text_str(&path), S_IFREG);
}

bool
store_has_container(const struct local_end *end)
{
    AUTO_TEXT path = TEXT_INIT;
    if (strchr(end->key_prefix, '/')[1] == '\0') {
        return false; /* an account */
    }
    add_path(end->store_dir, end->key_prefix, 2, &path);
    return is_kind(text_str(&path), S_IFDIR);
}

bool
store_has_by_id(const struct local_end *end)
{
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/" STORE_BY_ID, end->store_dir);
    return access(text_str(&path), F_OK) == 0;
}

/* Everything below the prefix goes under by-id; the container is a folder all the same. */
static void
be_by_id(struct local_end *end)
{
    AUTO_TEXT path = TEXT_INIT;
    end->is_by_id = true;
    add_path(end->store_dir, end->key_prefix, 2, &path);
    mem_give(end->path);
    end->path = mem_text(text_str(&path));
}

enum err_code
store_look_at_target(struct local_end *end, struct err *err)
{
    AUTO_TEXT key = TEXT_INIT;
    struct stat st;
    text_add(&key, end->key_prefix, strlen(end->key_prefix) - 1);
    if (has_blob(end->store_dir, text_str(&key))) {
        const char *slash = strrchr(text_str(&key), '/');
        return err_set(err, ERR_USAGE,
                       "'%s' is a blob, and a target is what blobs are stored below; name "
                       "'file:%s//%.*s' to store beside it",
                       text_str(&key), end->store_dir, (int)(slash - text_str(&key)),
                       text_str(&key));
    }
    if (!end->is_by_id && stat(end->path, &st) != 0 &&
        (errno == ENOTDIR || errno == ENAMETOOLONG)) {
        be_by_id(end);
    }
    return ERR_OK;
}

/* A file is neither an account nor a container, and no blob either. */
static enum err_code
check_folders(const struct store_address *address, struct err *err)
{
    static const char *const words[] = {"an account", "a container"};
    const char *key = text_str(&address->key);
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        AUTO_TEXT path = TEXT_INIT;
        struct stat st;
        add_path(text_str(&address->dir), key, i + 1, &path);
        if (stat(text_str(&path), &st) == 0 && !S_ISDIR(st.st_mode)) {
            return err_set(err, ERR_USAGE,
                           "'%s' is no folder and cannot be %s; write "
                           "file:DIR/ACCOUNT/CONTAINER[/PREFIX]",
                           text_str(&path), words[i]);
        }
    }
    return ERR_OK;
}

static char *
join(const char *dir, const char *name)
{
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/%s", dir, name);
    return mem_text(text_str(&path));
}

/* An exact blob name is one item: what is before its last slash is the prefix then. */
static void
set_names(struct local_end *end, const char *key, bool is_single)
{
    AUTO_TEXT text = TEXT_INIT;
    const char *slash = strrchr(key, '/');
    text_addf(&text, "file:%s//%s%s", end->store_dir, key, is_single ? "" : "/");
    mem_give(end->end.display);
    end->end.display = mem_text(text_str(&text));
    text_clear(&text);
    text_add(&text, key, is_single ? (size_t)(slash - key) : strlen(key));
    bool is_path = store_key_is_path(text_str(&text));
    text_add_char(&text, '/');
    mem_give(end->key_prefix);
    end->key_prefix = mem_text(text_str(&text));
    end->end.prefix = mem_text(below_container(end->key_prefix));
    end->single_name = is_single ? mem_text(slash + 1) : NULL;
    if (!is_path) {
        end->end.folder = mem_give(end->end.folder);
        be_by_id(end);
    } else if (is_single) {
        *strrchr(end->path, '/') = '\0';
    }
}

enum err_code
store_end_open(const char *address, const struct end_options *options, struct end **ret_end,
               struct err *err)
{
    struct store_address parsed = {.dir = TEXT_INIT, .key = TEXT_INIT};
    struct local_end *end = NULL;
    AUTO_TEXT path = TEXT_INIT;
    enum err_code code = store_address_parse(address, options->is_account, &parsed, err);
    code = code == ERR_OK ? check_folders(&parsed, err) : code;
    text_addf(&path, "%s/%s", text_str(&parsed.dir), text_str(&parsed.key));
    code = code == ERR_OK ? local_end_new(text_str(&path), &store_ops, options, &end, err) : code;
    if (code == ERR_OK) {
        const char *dir = text_str(&parsed.dir);
        const char *key = text_str(&parsed.key);
        end->end.caps.keeps_props = true;
        end->end.caps.page_bytes_max = INT64_MAX;
        end->store_dir = mem_text(dir);
        end->index_path = join(dir, STORE_INDEX);
        end->stage_path = join(dir, STORE_FOLDER "/partial");
        set_names(end, key, options->role == END_SOURCE && has_blob(dir, key));
        *ret_end = &end->end;
    }
    store_address_done(&parsed);
    return code;
}
