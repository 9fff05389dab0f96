#include "ingest/device/propose.h"

#include "ingest/device/layout.h"
#include "ingest/device/names.h"
#include "ingest/device/rename.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ROOT_FILES          "root-files"
#define SHARE_FILES_OF_ROOT "share-root-files" /* a local store has both kinds in one folder */

struct proposer {
    struct check *check;
    struct check_result *result;
    char **taken; /* containers that this plan makes, and files at roots: ACCOUNT/CONTAINER/NAME */
    unsigned taken_count;
};

/* ---- names of containers ---- */

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
propose_container_name(struct slice folder, struct text *out)
{
    AUTO_TEXT lower = TEXT_INIT;
    rename_lower(folder, &lower);
    text_clear(out);
    bool is_dash = false;
    for (size_t i = 0; i < lower.len; i++) {
        char c = lower.bytes[i];
        if (!is_letter_or_digit(c)) {
            is_dash = out->len > 0;
            continue;
        }
        if (is_dash) {
            text_add_char(out, '-');
        }
        is_dash = false;
        text_add_char(out, c);
    }
    struct slice name = {.at = text_str(out), .len = out->len};
    return out->len > 0 && names_check_container(name) == FINDING_NONE;
}

static bool
is_chosen(const struct proposer *self, const char *name)
{
    for (unsigned i = 0; i < self->taken_count; i++) {
        if (strcmp(self->taken[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* By a container or a file share: a local store cannot keep the two apart. */
static bool
is_taken(struct proposer *self, struct slice account, const char *name)
{
    AUTO_TEXT of = TEXT_INIT;
    text_add(&of, account.at, account.len);
    bool is_there = containers_has(&self->check->containers, text_str(&of), false, name) ||
                    containers_has(&self->check->containers, text_str(&of), true, name);
    return is_there || is_chosen(self, name);
}

static void
take(struct proposer *self, const char *name)
{
    self->taken = mem_resize(self->taken, self->taken_count * sizeof(char *),
                             (self->taken_count + 1) * sizeof(char *));
    self->taken[self->taken_count++] = mem_text(name);
}

/* A container that nothing else becomes: near to the folder's own name, else by the rule of what
 * is renamed, applied to the whole path because the same name may lie in several places. */
static bool
choose_container(struct proposer *self, struct slice account, const char *path, struct text *out)
{
    struct err err = ERR_NONE;
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    struct slice name = {.at = last, .len = strlen(last)};
    struct slice whole = {.at = path, .len = strlen(path)};
    if (!propose_container_name(name, out) || is_taken(self, account, text_str(out))) {
        text_clear(out);
        if (rename_container(whole, out, &err) != ERR_OK ||
            is_taken(self, account, text_str(out))) {
            return false;
        }
    }
    take(self, text_str(out));
    return true;
}

/* ---- steps ---- */

static void
add_step(struct proposer *self, const struct fix_step *step, enum finding_code code)
{
    struct err err = ERR_NONE;
    struct fix_plan *plan = &self->result->proposal;
    /* What the plan refuses (no room, a path that no plan can hold) stays unproposed. */
    if (fix_plan_add(plan, step, &err) == ERR_OK && self->result->fixes[code] == 0) {
        self->result->fixes[code] = plan->count;
    }
}

static void
add_by_code(struct proposer *self, const struct finding_group *group)
{
    struct fix_step step = {
        .kind = catalogue_row(group->code)->fix, .code = group->code, .count = group->count};
    if (step.kind == FIX_AS_BLOCK || step.kind == FIX_AS_PAGE || step.kind == FIX_RENAME ||
        step.kind == FIX_SKIP) {
        add_step(self, &step, group->code);
    }
}

/* The block blob share that takes what lies in none; with its slash. False: no account is known. */
static bool
target_share(const struct check *check, struct text *out, struct slice *ret_account)
{
    struct place place;
    text_clear(out);
    if (check->options->rules.device.sku == SKU_DISK) {
        text_add_str(out, "BlockBlob/");
        *ret_account = (struct slice){.at = "", .len = 0};
        return true;
    }
    if (check->block_share != NULL) {
        text_add_str(out, check->block_share);
        layout_place(&check->options->rules.device, check->block_share, WHAT_FOLDER, &place);
        *ret_account = place.account;
    } else if (check->any_share != NULL) {
        text_addf(out, "%s_BlockBlob", check->any_share);
        *ret_account = (struct slice){.at = check->any_share, .len = strlen(check->any_share)};
    } else {
        return false;
    }
    text_add_char(out, '/');
    return true;
}

static void
map(struct proposer *self, const struct check_spot *spot, const char *to)
{
    struct fix_step step = {.kind = FIX_MAP, .from = spot->path, .to = to, .count = spot->files};
    add_step(self, &step, spot->code);
}

/* "acct_blockblob" is taken for the share that was meant, unless that one is there. */
static bool
map_to_share(struct proposer *self, const struct check_spot *spot)
{
    // clang-format off
#define PROPOSE_AS_SUFFIX(id, words, suffix, folder) suffix,
#define PROPOSE_AS_FOLDER(id, words, suffix, folder) folder,
    static const char *const suffixes[SHARE_KIND_COUNT] = {SHARE_KIND_MAP(PROPOSE_AS_SUFFIX)};
    static const char *const folders[SHARE_KIND_COUNT] = {SHARE_KIND_MAP(PROPOSE_AS_FOLDER)};
    // clang-format on
    bool is_disk = self->check->options->rules.device.sku == SKU_DISK;
    size_t len = strlen(spot->path);
    AUTO_TEXT to = TEXT_INIT;
    for (int i = SHARE_NONE + 1; i < SHARE_KIND_COUNT; i++) {
        const char *end = is_disk ? folders[i] : suffixes[i];
        size_t end_len = strlen(end);
        bool is_meant = (is_disk ? len == end_len : len > end_len) &&
                        strcasecmp(spot->path + len - end_len, end) == 0;
        if (!is_meant) {
            continue;
        }
        text_add(&to, spot->path, len - end_len);
        text_add_str(&to, end);
        if (check_find_share(self->check, text_str(&to)) != NULL) {
            return false;
        }
        map(self, spot, text_str(&to));
        return true;
    }
    return false;
}

static void
map_root(struct proposer *self, const struct check_spot *spot)
{
    struct slice account;
    AUTO_TEXT to = TEXT_INIT;
    AUTO_TEXT name = TEXT_INIT;
    bool is_folder = spot->code == FINDING_ROOT_FOLDER_UNKNOWN;
    if ((is_folder && map_to_share(self, spot)) || !target_share(self->check, &to, &account)) {
        return;
    }
    if (!is_folder) {
        /* "$root" would be legal too, but not in every account, and it mixes what strayed with
         * what was put there on purpose. */
        text_addf(&to, ROOT_FILES "/%s", spot->path);
    } else if (choose_container(self, account, spot->path, &name)) {
        text_add_str(&to, text_str(&name));
    } else {
        return;
    }
    map(self, spot, text_str(&to));
}

/* A file directly in a share: blobs have a root container for that, as disks document it; file
 * shares have not. The shares of an account have one such container in common, so the second file
 * of a name gets another. */
static void
map_share_root(struct proposer *self, const struct check_spot *spot)
{
    struct place place;
    struct err err = ERR_NONE;
    AUTO_TEXT to = TEXT_INIT;
    AUTO_TEXT key = TEXT_INIT;
    AUTO_TEXT name = TEXT_INIT;
    const char *slash = strchr(spot->path, '/');
    if (slash == NULL) {
        return;
    }
    const char *base = strrchr(spot->path, '/') + 1;
    layout_place(&self->check->options->rules.device, spot->path, WHAT_FILE, &place);
    const char *folder = place.kind == SHARE_FILES ? SHARE_FILES_OF_ROOT : "$root";
    text_add(&key, place.account.at, place.account.len);
    text_addf(&key, "/%s/%s", folder, base);
    struct slice whole = {.at = spot->path, .len = strlen(spot->path)};
    if (is_chosen(self, text_str(&key)) && rename_container(whole, &name, &err) != ERR_OK) {
        return;
    }
    take(self, text_str(&key));
    /* What lies in a tier folder keeps its tier. */
    text_add(&to, spot->path, (size_t)(base - spot->path));
    text_addf(&to, "%s/%s", folder, name.len > 0 ? text_str(&name) : base);
    map(self, spot, text_str(&to));
}

static void
map_tier(struct proposer *self, const struct check_spot *spot)
{
    AUTO_TEXT to = TEXT_INIT;
    const char *slash = strrchr(spot->path, '/');
    for (unsigned i = BLOB_TIER_NONE + 1; slash != NULL && i < BLOB_TIER_COUNT; i++) {
        if (strcasecmp(slash + 1, blob_tier_names[i]) == 0) {
            text_add(&to, spot->path, (size_t)(slash + 1 - spot->path));
            text_add_str(&to, blob_tier_names[i]);
            struct fix_step step = {
                .kind = FIX_TIER, .from = spot->path, .to = text_str(&to), .count = spot->files};
            add_step(self, &step, spot->code);
        }
    }
}

/* Two folders that would become one container, or files that would become one blob: this one gets a
 * name of its own beside the other, and so stays in its tier. */
static void
map_apart(struct proposer *self, const struct check_spot *spot)
{
    AUTO_TEXT place = TEXT_INIT;
    AUTO_TEXT to = TEXT_INIT;
    AUTO_TEXT name = TEXT_INIT;
    struct err err = ERR_NONE;
    struct slice whole = {.at = spot->path, .len = strlen(spot->path)};
    if (!fix_plan_rewrite(self->check->options->rules.plan, spot->path, &place)) {
        text_add_str(&place, spot->path);
    }
    const char *slash = strrchr(text_str(&place), '/');
    if (slash == NULL || rename_container(whole, &name, &err) != ERR_OK) {
        return;
    }
    text_add(&to, text_str(&place), (size_t)(slash + 1 - text_str(&place)));
    text_add_str(&to, text_str(&name));
    map(self, spot, text_str(&to));
}

static void
build(struct proposer *self, const struct check_spot *spot)
{
    struct err err = ERR_NONE;
    struct fix_plan *plan = &self->result->proposal;
    struct fix_step step = {.kind = FIX_BUILD, .from = spot->path, .count = spot->files};
    if (fix_plan_add(plan, &step, &err) != ERR_OK) {
        return;
    }
    for (int code = FINDING_MANIFEST_MISSING; code <= FINDING_MANIFEST_NO_CRC; code++) {
        unsigned *fix = &self->result->fixes[code];
        *fix = *fix == 0 && (spot->also & CHECK_BIT(code)) != 0 ? plan->count : *fix;
    }
}

static void
add_for_spot(struct proposer *self, const struct check_spot *spot)
{
    if (self->check->spots_lost[spot->code] > 0) {
        return; /* half a repair is none */
    }
    switch (spot->code) {
    case FINDING_ROOT_FOLDER_UNKNOWN:
    case FINDING_ROOT_FILE: map_root(self, spot); break;
    case FINDING_SHARE_ROOT_FILE: map_share_root(self, spot); break;
    case FINDING_TIER_CASE_VARIANT: map_tier(self, spot); break;
    case FINDING_BLOB_COLLISION:
    case FINDING_CONTAINER_COLLISION: map_apart(self, spot); break;
    case FINDING_MANIFEST_MISSING: build(self, spot); break;
    default: break;
    }
}

static int
compare_spots(const void *a_, const void *b_)
{
    const struct check_spot *a = a_;
    const struct check_spot *b = b_;
    return a->code != b->code ? (int)a->code - (int)b->code : strcmp(a->path, b->path);
}

void
propose(struct check *check, struct check_result *result)
{
    struct proposer self = {.check = check, .result = result};
    const struct fix_plan *given = check->options->rules.plan;
    struct err err = ERR_NONE;
    for (unsigned i = 0; given != NULL && i < given->count; i++) {
        if (fix_plan_add(&result->proposal, &given->steps[i], &err) != ERR_OK) {
            return; /* what was a plan does not fit into one: out of memory, no less */
        }
    }
    if (check->spot_count > 0) {
        qsort(check->spots, check->spot_count, sizeof *check->spots, compare_spots);
    }
    for (unsigned i = 0; i < check->spot_count; i++) {
        add_for_spot(&self, &check->spots[i]);
    }
    for (unsigned i = 0; i < result->findings.group_count; i++) {
        const struct finding_group *group = &result->findings.groups[i];
        if (group->halt != HALT_NONE) {
            add_by_code(&self, group);
        }
    }
    for (unsigned i = 0; i < self.taken_count; i++) {
        mem_give(self.taken[i]);
    }
    mem_give(self.taken);
}
