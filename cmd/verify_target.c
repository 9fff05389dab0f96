#include "cmd/verify_target.h"

#include "base/show.h"
#include "base/text.h"
#include "ingest/copy/ends.h"
#include "ingest/copy/receipt.h"
#include "ingest/device/account_ends.h"

#include <string.h>

struct listing {
    const struct verify_place *place;
    const struct end_options *options;
    struct arena arena;
    struct device_account accounts[DEVICE_ACCOUNTS_MAX];
    unsigned account_count;
    struct account_parts parts;
    struct text account;
    struct text container;
    bool is_of_device;
};

/* TARGET file:DIR has all accounts: one is made of it for each that the receipt names. */
static enum err_code
add_account(struct listing *listing, const char *name, struct err *err)
{
    const char *target = listing->place->target;
    AUTO_TEXT end = TEXT_INIT;
    size_t len = target == NULL ? 0 : strlen(target);
    if (target == NULL) {
        return err_set(err, ERR_USAGE,
                       "the receipt has items of account '%s'; name its end with --account %s=END",
                       name, name);
    }
    if (listing->account_count == DEVICE_ACCOUNTS_MAX) {
        return err_set(err, ERR_UNSUPPORTED, "the receipt names more than %u accounts",
                       DEVICE_ACCOUNTS_MAX);
    }
    while (len > 0 && target[len - 1] == '/') {
        len--;
    }
    text_add(&end, target, len);
    text_addf(&end, "//%s", name);
    listing->accounts[listing->account_count++] =
        (struct device_account){.name = arena_text(&listing->arena, name),
                                .end = arena_text(&listing->arena, text_str(&end))};
    return ERR_OK;
}

static const struct device_account *
find_account(const struct listing *listing, const char *name)
{
    for (unsigned i = 0; i < listing->account_count; i++) {
        if (strcmp(listing->accounts[i].name, name) == 0) {
            return &listing->accounts[i];
        }
    }
    return NULL;
}

static enum err_code
interrupted(const struct listing *listing, struct err *err)
{
    const atomic_int *signal = listing->options->signal;
    return signal != NULL && atomic_load(signal) != 0
               ? err_set(err, ERR_INTERRUPTED, "interrupted while the receipt was read")
               : ERR_OK;
}

/* ACCOUNT/CONTAINER/BLOB: which part of the target has it? */
static enum err_code
on_item(void *user, const struct receipt_item *item, struct err *err)
{
    struct listing *listing = user;
    const char *blob = item->name;
    listing->is_of_device = item->is_of_device;
    if (!item->is_of_device) {
        return interrupted(listing, err);
    }
    const char *slash = strchr(blob, '/');
    const char *second = slash == NULL ? NULL : strchr(slash + 1, '/');
    if (second == NULL || slash == blob || second == slash + 1) {
        return err_set(err, ERR_RECEIPT, "an item of a device is no ACCOUNT/CONTAINER/BLOB");
    }
    text_clear(&listing->account);
    text_add(&listing->account, blob, (size_t)(slash - blob));
    text_clear(&listing->container);
    text_add(&listing->container, slash + 1, (size_t)(second - slash - 1));
    const char *name = text_str(&listing->account);
    enum err_code code = interrupted(listing, err);
    if (code == ERR_OK && find_account(listing, name) == NULL) {
        code = add_account(listing, name, err);
    }
    return code == ERR_OK ? account_parts_add(&listing->parts, find_account(listing, name),
                                              text_str(&listing->container), err)
                          : code;
}

static enum err_code
open_one(const struct listing *listing, struct end **ret_end, struct err *err)
{
    const struct verify_place *place = listing->place;
    if (place->accounts->count > 0) {
        return err_set(err, ERR_USAGE,
                       "the receipt is not of a device: name TARGET instead of --account");
    }
    if (place->target == NULL) {
        return err_set(err, ERR_USAGE, "TARGET is missing: where the items should be");
    }
    return end_open(place->target, listing->options, ret_end, err);
}

/* Only a store of accounts has a common TARGET. */
static enum err_code
check_common(const struct listing *listing, struct err *err)
{
    char shown[SHOW_BYTES];
    const char *target = listing->place->target;
    return target == NULL || strncmp(target, "file:", 5) == 0
               ? ERR_OK
               : err_set(err, ERR_USAGE,
                         "the receipt is of a device, whose accounts '%s' does not have: name "
                         "each with --account ACCT=END, or file:DIR as TARGET",
                         show_typed(target, shown));
}

static enum err_code
open_it(struct listing *listing, struct end **ret_end, struct err *err)
{
    const struct verify_place *place = listing->place;
    enum err_code code = ERR_OK;
    if (place->accounts->count > 0 && place->target != NULL) {
        return err_set(err, ERR_USAGE, "name TARGET or accounts, not both");
    }
    if (place->accounts->count > 0) {
        code = accounts_parse(place->accounts->values, place->accounts->count, &listing->arena,
                              listing->accounts, err);
        listing->account_count = code == ERR_OK ? place->accounts->count : 0;
    }
    code = code == ERR_OK ? receipt_read(place->receipt, place->key, on_item, listing, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    if (!listing->is_of_device || listing->parts.count == 0) {
        return open_one(listing, ret_end, err);
    }
    code = check_common(listing, err);
    return code == ERR_OK ? ends_open_parts(listing->parts.parts, listing->parts.count,
                                            listing->options, NULL, ret_end, err)
                          : code;
}

enum err_code
verify_open_target(const struct verify_place *place, const struct end_options *options,
                   struct end **ret_end, struct err *err)
{
    struct listing listing = {.place = place, .options = options};
    arena_init(&listing.arena, 1024);
    account_parts_init(&listing.parts);
    enum err_code code = open_it(&listing, ret_end, err);
    account_parts_done(&listing.parts);
    arena_done(&listing.arena);
    text_done(&listing.account);
    text_done(&listing.container);
    return code;
}
