/* The forms an address can have, in one table; the first that recognises it opens it. */
#include "storage/azure/azure.h"
#include "storage/backend.h"
#include "storage/local/store.h"
#include "storage/local/tree.h"

#include <string.h>

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
    const char *prefix;
    end_open_fn *open;
} forms[] = {
    {"file:", store_end_open}, {"https://", azure_end_open}, {"http://", azure_end_open},
    {"s3://", refuse},         {"", tree_end_open},
};

enum err_code
end_open(const char *address, const struct end_options *options, struct end **ret_end,
         struct err *err)
{
    if (address[0] == '\0') {
        return err_set(err, ERR_USAGE, "the %s is an empty address",
                       options->role == END_SOURCE ? "source" : "target");
    }
    for (unsigned i = 0;; i++) {
        if (strncmp(address, forms[i].prefix, strlen(forms[i].prefix)) == 0) {
            return forms[i].open(address, options, ret_end, err);
        }
    }
}
