#include "storage/local/tree.h"

#include "storage/local/address.h"
#include "storage/local/local.h"
#include "storage/local/single.h"
#include "storage/local/walk.h"

#include <limits.h>
#include <string.h>

/* In a folder that is the target of an unfinished copy. */
static const struct walk_skip skip_staging = {
    .name = LOCAL_PARTIAL,
    .is_at_top = true,
    .words = "holds the staged files of an unfinished copy",
};

static enum err_code
tree_lister(struct end *base, end_wants_fn *wants, void *user, struct lister **ret_lister,
            struct err *err)
{
    struct local_end *end = CONTAINER_OF(base, struct local_end, end);
    enum err_code code = local_open_root(end, err);
    if (code != ERR_OK) {
        return code;
    }
    if (end->single_name != NULL) {
        return single_new(end, ret_lister, err);
    }
    const struct walk_options options = {.display = end->path,
                                         .skip = &skip_staging,
                                         .links = end->options.links,
                                         .wants = wants,
                                         .user = user};
    return walk_new(end->root, &options, ret_lister, err);
}

/* A folder takes what the kernel takes below it. */
static enum err_code
tree_check_name(const struct end *end, const char *name, struct err *err)
{
    const char *at = name;
    size_t first_len = strcspn(name, "/");
    (void)end;
    if (first_len == strlen(LOCAL_PARTIAL) && memcmp(name, LOCAL_PARTIAL, first_len) == 0) {
        return err_set(err, ERR_NAME_ILLEGAL,
                       "'%s' cannot be stored: '" LOCAL_PARTIAL
                       "' is where a folder has its staged "
                       "files",
                       name);
    }
    do {
        size_t len = strcspn(at, "/");
        if (len == 0) {
            return err_set(err, ERR_NAME_ILLEGAL, "'%s' has an empty part; a folder cannot hold it",
                           name);
        }
        if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.')) {
            return err_set(err, ERR_NAME_ILLEGAL, "'%s' has a part '.' or '..'", name);
        }
        if (len > NAME_MAX) {
            return err_set(err, ERR_NAME_ILLEGAL, "'%s' has a part of %zu bytes; at most %d", name,
                           len, NAME_MAX);
        }
        at += len;
    } while (*at++ == '/');
    return ERR_OK;
}

static const struct end_ops tree_ops = {
    .name = "folder",
    .backend = local_end_backend,
    .lister = tree_lister,
    .prepare = local_end_prepare,
    .begin = local_end_begin,
    .barrier = local_end_barrier,
    .make_folder = local_end_make_folder,
    .check_name = tree_check_name,
    .tidy = local_end_tidy,
    .close = local_end_close,
};

enum err_code
tree_end_open(const char *address, const struct end_options *options, struct end **ret_end,
              struct err *err)
{
    struct local_end *end = NULL;
    struct stat st;
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT stage = TEXT_INIT;
    enum err_code code = path_resolve(address, &path, err);
    code = code == ERR_OK ? local_end_new(text_str(&path), &tree_ops, options, &end, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    if (options->role == END_SOURCE && stat(end->path, &st) == 0 && S_ISREG(st.st_mode)) {
        char *slash = strrchr(end->path, '/');
        end->single_name = mem_text(slash + 1);
        slash[slash == end->path ? 1 : 0] = '\0';
    }
    text_addf(&stage, "%s/" LOCAL_PARTIAL, end->path);
    end->stage_path = mem_text(text_str(&stage));
    *ret_end = &end->end;
    return ERR_OK;
}
