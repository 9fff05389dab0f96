#include "ingest/device/account_ends.h"

#include "base/show.h"
#include "base/text.h"
#include "storage/many.h"

#include <string.h>

#define PARTS_STEP 64U

bool
account_is_local(const struct device_account *account)
{
    return strncmp(account->end, "file:", 5) == 0;
}

static enum err_code
parse(const char *text, struct arena *arena, struct device_account *ret, struct err *err)
{
    char shown[SHOW_BYTES];
    size_t len = strcspn(text, "=");
    if (len == 0 || text[len] == '\0' || text[len + 1] == '\0') {
        return err_set(err, ERR_USAGE, "--account: '%s' is not ACCT=END", show_typed(text, shown));
    }
    *ret = (struct device_account){.name = arena_bytes(arena, text, len), .end = text + len + 1};
    if (strchr(ret->name, '/') != NULL || strcmp(ret->name, ".") == 0 ||
        strcmp(ret->name, "..") == 0) {
        return err_set(err, ERR_USAGE, "--account: '%s' cannot be the name of an account",
                       show_typed(ret->name, shown));
    }
    if (!account_is_local(ret) && strncmp(ret->end, "https://", 8) != 0 &&
        strncmp(ret->end, "http://", 7) != 0) {
        return err_set(err, ERR_USAGE,
                       "--account %s: the end of an account is file:DIR/ACCOUNT or an http or "
                       "https address",
                       show_typed(ret->name, shown));
    }
    return ERR_OK;
}

enum err_code
accounts_parse(const char *const *texts, unsigned count, struct arena *arena,
               struct device_account accounts[DEVICE_ACCOUNTS_MAX], struct err *err)
{
    if (count == 0 || count > DEVICE_ACCOUNTS_MAX) {
        return err_set(err, ERR_USAGE,
                       "name 1 to %u accounts of the device with --account ACCT=END",
                       DEVICE_ACCOUNTS_MAX);
    }
    for (unsigned i = 0; i < count; i++) {
        enum err_code code = parse(texts[i], arena, &accounts[i], err);
        if (code != ERR_OK) {
            return code;
        }
        for (unsigned k = 0; k < i; k++) {
            if (strcmp(accounts[k].name, accounts[i].name) == 0) {
                return err_set(err, ERR_USAGE, "--account: '%s' is named twice", accounts[i].name);
            }
        }
    }
    return ERR_OK;
}

/* END/CONTAINER, before a SAS if there is one. */
static const char *
join(struct arena *arena, const char *end, const char *container)
{
    AUTO_TEXT out = TEXT_INIT;
    size_t len = strcspn(end, "?");
    const char *query = end + len;
    while (len > 0 && end[len - 1] == '/') {
        len--;
    }
    text_add(&out, end, len);
    text_addf(&out, "/%s%s", container, query);
    return arena_text(arena, text_str(&out));
}

void
account_parts_init(struct account_parts *parts)
{
    *parts = (struct account_parts){0};
    arena_init(&parts->arena, 4096);
}

void
account_parts_done(struct account_parts *parts)
{
    parts->parts = mem_give(parts->parts);
    parts->count = parts->room = 0;
    arena_done(&parts->arena);
}

/* Where a part of this key is, or belongs. */
static unsigned
find(const struct account_parts *parts, const char *key, bool *ret_found)
{
    unsigned from = 0;
    unsigned to = parts->count;
    while (from < to) {
        unsigned at = from + (to - from) / 2;
        int order = strcmp(key, parts->parts[at].key);
        if (order == 0) {
            *ret_found = true;
            return at;
        }
        from = order > 0 ? at + 1 : from;
        to = order > 0 ? to : at;
    }
    *ret_found = false;
    return from;
}

enum err_code
account_parts_add(struct account_parts *parts, const struct device_account *account,
                  const char *container, struct err *err)
{
    bool is_local = account_is_local(account);
    bool is_there = false;
    AUTO_TEXT key = TEXT_INIT;
    text_addf(&key, is_local ? "%s" : "%s/%s", account->name, container);
    unsigned at = find(parts, text_str(&key), &is_there);
    if (is_there) {
        return ERR_OK;
    }
    if (parts->count == MANY_PARTS_MAX) {
        return err_set(err, ERR_UNSUPPORTED, "there are more than %u containers", MANY_PARTS_MAX);
    }
    if (parts->count == parts->room) {
        size_t old_bytes = parts->room * sizeof *parts->parts;
        parts->room += PARTS_STEP;
        parts->parts = mem_resize(parts->parts, old_bytes, parts->room * sizeof *parts->parts);
    }
    memmove(parts->parts + at + 1, parts->parts + at, (parts->count - at) * sizeof *parts->parts);
    parts->parts[at] = (struct copy_part){
        .key = arena_text(&parts->arena, text_str(&key)),
        .address = is_local ? account->end : join(&parts->arena, account->end, container),
        .is_account = is_local};
    parts->count++;
    return ERR_OK;
}
