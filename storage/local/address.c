#include "storage/local/address.h"

#include "base/arena.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- paths ---- */

/* Drop the last part of a resolved path. */
static void
cut_last(struct text *path)
{
    while (path->len > 0 && path->bytes[path->len - 1] != '/') {
        path->len--;
    }
    path->len -= path->len > 0;
    path->bytes[path->len] = '\0';
}

/* What does not exist yet holds no links: "." and ".." mean there what they say. */
static void
add_parts(struct text *path, const char *rest)
{
    for (const char *at = rest; *at != '\0';) {
        size_t len = strcspn(at, "/");
        if (len == 2 && memcmp(at, "..", 2) == 0) {
            cut_last(path);
        } else if (len > 0 && (len != 1 || at[0] != '.')) {
            text_add_char(path, '/');
            text_add(path, at, len);
        }
        at += len + (at[len] == '/');
    }
}

enum err_code
path_resolve(const char *path, struct text *out, struct err *err)
{
    char real[PATH_MAX];
    char *head = mem_text(path);
    size_t len = strlen(head);
    const char *shown = head[0] == '\0' ? "." : head;
    while (realpath(shown, real) == NULL && len > 0) {
        while (len > 0 && head[len - 1] == '/') {
            len--;
        }
        while (len > 0 && head[len - 1] != '/') {
            len--;
        }
        head[len] = '\0';
        shown = len > 0 ? head : ".";
    }
    mem_give(head);
    if (len == 0 && realpath(".", real) == NULL) {
        return err_set_sys(err, ERR_SYSTEM, errno, "cannot resolve the current folder");
    }
    text_add_str(out, strcmp(real, "/") == 0 ? "" : real);
    add_parts(out, path + len);
    if (out->len == 0) {
        text_add_char(out, '/');
    }
    return ERR_OK;
}

bool
path_is_within(const char *inner, const char *outer)
{
    size_t len = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
    return strncmp(inner, outer, len) == 0 && (inner[len] == '/' || inner[len] == '\0');
}

bool
store_key_is_path(const char *key)
{
    const char *at = key;
    do {
        size_t len = strcspn(at, "/");
        bool is_dots = (len == 1 && at[0] == '.') || (len == 2 && memcmp(at, "..", 2) == 0);
        bool is_ours = len == strlen(STORE_FOLDER) && memcmp(at, STORE_FOLDER, len) == 0;
        if (len == 0 || len > NAME_MAX || is_dots || is_ours) {
            return false;
        }
        at += len;
    } while (*at++ == '/');
    return true;
}

/* ---- addresses ---- */

/* DIR is the nearest ancestor with an index of ours in it, if there is one. Its length in path. */
static size_t
find_dir(const char *path)
{
    AUTO_TEXT probe = TEXT_INIT;
    struct stat st;
    for (size_t len = strlen(path); len > 0;) {
        while (len > 0 && path[len - 1] != '/') {
            len--;
        }
        while (len > 1 && path[len - 1] == '/') {
            len--;
        }
        text_clear(&probe);
        text_add(&probe, path, len);
        text_add_str(&probe, "/" STORE_INDEX);
        if (stat(text_str(&probe), &st) == 0 && S_ISREG(st.st_mode)) {
            return len;
        }
        if (len <= 1) {
            return 0;
        }
    }
    return 0;
}

/* Where DIR ends when nothing on disk tells: before the last `parts` names of a resolved path. */
static size_t
cut_parts(const char *path, unsigned parts)
{
    size_t len = strlen(path);
    for (; parts > 0 && len > 0; parts--) {
        while (len > 0 && path[len - 1] != '/') {
            len--;
        }
        len -= len > 0;
    }
    return len;
}

/* What the current folder is called is no account: a name too few is one too few. */
static enum err_code
typed_floor(const char *typed, const char *resolved, size_t *ret_floor, struct err *err)
{
    AUTO_TEXT here = TEXT_INIT;
    enum err_code code = path_resolve(".", &here, err);
    *ret_floor = typed[0] != '/' && path_is_within(resolved, text_str(&here)) ? here.len : 0;
    return code;
}

static void
set(struct store_address *address, const char *dir, size_t dir_len, const char *key)
{
    text_clear(&address->dir);
    text_clear(&address->key);
    text_add(&address->dir, dir, dir_len);
    text_add_str(&address->key, key + strspn(key, "/"));
}

/* Links below DIR that lead to another place below it are that place. */
static enum err_code
resolve_key(struct store_address *address, struct err *err)
{
    AUTO_TEXT full = TEXT_INIT;
    AUTO_TEXT real = TEXT_INIT;
    const char *dir = text_str(&address->dir);
    if (!store_key_is_path(text_str(&address->key))) {
        return ERR_OK;
    }
    text_addf(&full, "%s/%s", dir, text_str(&address->key));
    enum err_code code = path_resolve(text_str(&full), &real, err);
    size_t dir_len = strcmp(dir, "/") == 0 ? 0 : address->dir.len;
    if (code == ERR_OK && real.len > dir_len + 1 && path_is_within(text_str(&real), dir)) {
        text_clear(&address->key);
        text_add_str(&address->key, text_str(&real) + dir_len + 1);
    }
    return code;
}

/* "DIR//KEY": what stands before the mark is DIR. */
static enum err_code
split_at(const char *typed, size_t len, struct store_address *address, struct err *err)
{
    AUTO_TEXT above = TEXT_INIT;
    AUTO_TEXT dir = TEXT_INIT;
    text_add(&above, typed, len);
    enum err_code code = path_resolve(text_str(&above), &dir, err);
    set(address, text_str(&dir), dir.len, typed + len);
    return code == ERR_OK ? resolve_key(address, err) : code;
}

/* Nothing is marked: an index above the path tells, or one above what was typed (a link leads out
 * of the store, whose account it is all the same), or else names are counted. */
static enum err_code
split_by_index(const char *typed, bool is_account, struct store_address *address, struct err *err)
{
    AUTO_TEXT real = TEXT_INIT;
    AUTO_TEXT full = TEXT_INIT;
    size_t floor = 0;
    enum err_code code = path_resolve(typed, &real, err);
    code = code == ERR_OK ? typed_floor(typed, text_str(&real), &floor, err) : code;
    code = code == ERR_OK && typed[0] != '/' ? path_resolve(".", &full, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    size_t len = find_dir(text_str(&real));
    if (len == 0 && store_key_is_path(typed + strspn(typed, "/"))) {
        text_addf(&full, "%s%s", typed[0] == '/' ? "" : "/", typed);
        size_t full_len = find_dir(text_str(&full));
        if (full_len > 0) {
            return split_at(text_str(&full), full_len, address, err);
        }
    }
    if (len == 0) {
        len = cut_parts(text_str(&real), is_account ? 1 : 2);
        len = len < floor ? 0 : len;
    }
    set(address, text_str(&real), len, text_str(&real) + len);
    return ERR_OK;
}

/* Names of folders of their own: blobs called so lie under by-id, but these two are on the way. */
static enum err_code
check_names(const struct store_address *address, const char *typed, struct err *err)
{
    static const char *const words[] = {"an account", "a container"};
    const char *at = text_str(&address->key);
    if (address->dir.len == 0 || address->key.len == 0) {
        return err_set(err, ERR_USAGE,
                       "'%s' names no account; write file:DIR/ACCOUNT/CONTAINER[/PREFIX]", typed);
    }
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        AUTO_TEXT name = TEXT_INIT;
        size_t len = strcspn(at, "/");
        text_add(&name, at, len);
        if (!store_key_is_path(text_str(&name))) {
            return err_set(err, ERR_USAGE, "'%s' has '%.60s' where the name of %s belongs", typed,
                           text_str(&name), words[i]);
        }
        if (at[len] == '\0') {
            return ERR_OK;
        }
        at += len + 1;
    }
    return ERR_OK;
}

enum err_code
store_address_parse(const char *address, bool is_account, struct store_address *ret_address,
                    struct err *err)
{
    const char *rest = address + strlen("file:");
    AUTO_TEXT typed = TEXT_INIT;
    struct store_address parsed = {.dir = TEXT_INIT, .key = TEXT_INIT};
    size_t slashes = strspn(rest, "/");
    /* "file:///x" is how other programs write file:/x. */
    text_add_str(&typed, slashes > 1 ? rest + slashes - 1 : rest);
    while (typed.len > 1 && typed.bytes[typed.len - 1] == '/') {
        typed.bytes[--typed.len] = '\0';
    }
    const char *path = text_str(&typed);
    const char *mark = strstr(path + strspn(path, "/"), "//");
    enum err_code code = ERR_OK;
    if (mark != NULL) {
        code = split_at(path, (size_t)(mark - path), &parsed, err);
    } else if (typed.len > 0) {
        code = split_by_index(path, is_account, &parsed, err);
    }
    code = code == ERR_OK ? check_names(&parsed, address, err) : code;
    if (code != ERR_OK) {
        store_address_done(&parsed);
        return code;
    }
    *ret_address = parsed;
    return ERR_OK;
}

void
store_address_done(struct store_address *address)
{
    text_done(&address->dir);
    text_done(&address->key);
}
