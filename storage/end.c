/* The forms an address can have, in one table; the first that recognises it opens it. */
#include "base/show.h"
#include "storage/azure/azure.h"
#include "storage/backend.h"
#include "storage/local/store.h"
#include "storage/local/tree.h"

#include <string.h>
#include <strings.h>

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
