/* The forms an address can have, in one table; the first that recognises it opens it. */
#include "base/arena.h"
#include "base/show.h"
#include "storage/azure/azure.h"
#include "storage/backend.h"
#include "storage/local/store.h"
#include "storage/local/tree.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef enum err_code(end_open_fn)(const char *address, const struct end_options *options,
                                   struct end **ret_end, struct err *err);

/* Forms of the contract that this version does not serve. */
static enum err_code
refuse(const char *address, const struct end_options *options, struct end **ret_end,
       struct err *err)
{
    (void)address;
    (void)options;
    (void)ret_end;
    return err_set(err, ERR_UNSUPPORTED,
                   "s3 addresses are not served by this version; name a folder, "
                   "file:DIR/ACCOUNT/CONTAINER or an https address");
}

static const struct {
    const char *prefix; /* in any case */
    end_open_fn *open;
    bool is_local;
} forms[] = {
    {"https://", azure_end_open, false},
    {"http://", azure_end_open, false},
    {"s3://", refuse, false},
    {"file:", store_end_open, true},
    {"", tree_end_open, true},
};

/* What looks like an address and has no form is not taken for the name of a folder: a signature in
 * it would stand on disk, in the state and in receipts. */
static enum err_code
check_path(const char *address, struct err *err)
{
    char shown[SHOW_BYTES];
    if (show_is_address(address)) {
        return err_set(err, ERR_USAGE,
                       "'%s' is no form of address; write './' before a folder of this name",
                       show_typed(address, shown));
    }
    return show_has_secret(address)
               ? err_set(err, ERR_USAGE,
                         "'%s' holds a credential and is no https address; it cannot be a folder",
                         show_typed(address, shown))
               : ERR_OK;
}

enum err_code
end_open(const char *address, const struct end_options *options, struct end **ret_end,
         struct err *err)
{
    if (address[0] == '\0') {
        return err_set(err, ERR_USAGE, "the %s is an empty address",
                       options->role == END_SOURCE ? "source" : "target");
    }
    for (unsigned i = 0;; i++) {
        size_t len = strlen(forms[i].prefix);
        if (strncasecmp(address, forms[i].prefix, len) != 0) {
            continue;
        }
        enum err_code code = forms[i].is_local ? check_path(address + len, err) : ERR_OK;
        code = code == ERR_OK ? forms[i].open(address, options, ret_end, err) : code;
        if (code == ERR_OK) {
            (*ret_end)->storm = options->storm;
        }
        return code;
    }
}

static bool
is_one(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The folder above path; false at the root. */
static bool
go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || path[1] == '\0') {
        return false;
    }
    slash[slash == path ? 1 : 0] = '\0';
    return true;
}

/* By inode, because one folder can be mounted at two places; what is missing has no items yet. */
static enum err_code
check_folders_apart(const struct end *source, const struct end *target, char *above,
                    struct err *err)
{
    struct stat from;
    struct stat at;
    if (stat(source->folder, &from) != 0) {
        return ERR_OK;
    }
    if (!S_ISDIR(from.st_mode)) { /* one file: only its own folder has it under its own name */
        char *home = mem_text(source->folder);
        bool is_home = go_up(home) && stat(home, &from) == 0 && stat(target->folder, &at) == 0 &&
                       is_one(&from, &at);
        mem_give(home);
        return is_home
                   ? err_set(err, ERR_USAGE, "'%s' would be copied onto itself", source->display)
                   : ERR_OK;
    }
    bool is_itself = true;
    do {
        if (stat(above, &at) == 0 && is_one(&from, &at)) {
            return is_itself
                       ? err_set(err, ERR_USAGE, "source and target are the same: '%s'",
                                 source->display)
                       : err_set(err, ERR_USAGE,
                                 "the target '%s' lies inside the source '%s' and would be copied "
                                 "into itself; name a target outside of it",
                                 target->display, source->display);
        }
        is_itself = false;
    } while (go_up(above));
    return ERR_OK;
}

enum err_code
end_check_apart(const struct end *source, const struct end *target, struct err *err)
{
    if (strcmp(source->display, target->display) == 0) {
        return err_set(err, ERR_USAGE, "source and target are the same: '%s'", source->display);
    }
    if (source->folder == NULL || target->folder == NULL) {
        return ERR_OK;
    }
    char *above = mem_text(target->folder);
    enum err_code code = check_folders_apart(source, target, above, err);
    mem_give(above);
    return code;
}
