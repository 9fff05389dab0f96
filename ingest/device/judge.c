#include "ingest/device/judge.h"

#include "base/digest.h"
#include "ingest/device/layout.h"
#include "ingest/device/names.h"
#include "ingest/device/rename.h"

#include <string.h>
#include <strings.h>

/* What one judgement is made of on its way. */
struct work {
    const struct judge_rules *rules;
    const struct judge_entry *entry;
    struct judge_scratch *scratch;
    struct judgement *ret;
    struct place place; /* after the plan's rewriting */
    bool wants_skip;    /* by policy */
    bool is_skipped;    /* by the plan */
};

/* ---- findings ---- */

static bool
has_step(const struct work *work, enum fix_kind kind, enum finding_code code)
{
    return work->rules->plan != NULL &&
           fix_plan_has(work->rules->plan, kind, work->entry->path, code);
}

static unsigned
badness(enum finding_code code, bool is_settled)
{
    return (is_settled ? 0U : (unsigned)FINDING_CLASS_COUNT) + catalogue_row(code)->cls;
}

/* Among the first `count` findings, which are in order: the worst stands first. Should there ever
 * be no room, the mildest is left out. */
static void
put_finding(struct judgement *ret, unsigned count, enum finding_code code, bool is_settled)
{
    unsigned at = count;
    while (at > 0 &&
           badness(ret->findings[at - 1], ret->is_settled[at - 1]) < badness(code, is_settled)) {
        at--;
    }
    for (unsigned i = MIN_OF(count, JUDGE_FINDINGS_MAX - 1); i > at; i--) {
        ret->findings[i] = ret->findings[i - 1];
        ret->is_settled[i] = ret->is_settled[i - 1];
    }
    if (at < JUDGE_FINDINGS_MAX) {
        ret->findings[at] = code;
        ret->is_settled[at] = is_settled;
    }
}

static void
add_finding(struct work *work, enum finding_code code, bool is_settled)
{
    struct judgement *ret = work->ret;
    is_settled = is_settled || catalogue_row(code)->halt == HALT_NONE;
    put_finding(ret, ret->finding_count, code, is_settled);
    ret->finding_count = MIN_OF(ret->finding_count + 1, JUDGE_FINDINGS_MAX);
    work->is_skipped = work->is_skipped || has_step(work, FIX_SKIP, code);
}

/* A name that cannot be: does the item get another one? Otherwise the finding halts, or the policy
 * leaves the item out. */
static bool
takes_new_name(struct work *work, enum finding_code code)
{
    bool is_critical = catalogue_row(code)->cls == FINDING_CRITICAL;
    bool is_planned = has_step(work, FIX_RENAME, code);
    enum bad_names policy = work->rules->bad_names;
    work->wants_skip = work->wants_skip || (policy == BAD_NAMES_SKIP && !is_planned);
    return is_planned || policy == BAD_NAMES_RENAME || (policy == BAD_NAMES_HALT && !is_critical);
}

/* ---- content and size ---- */

/* Findings of what a file is, not of what it is called: another kind of blob takes them away. */
static bool
is_of_format(enum finding_code code)
{
    switch (code) {
    case FINDING_SIZE_LIMIT:
    case FINDING_SIZE_ALIGNMENT:
    case FINDING_TYPE_UNSUPPORTED:
    case FINDING_NOT_A_VHD:
    case FINDING_DISK_CONVERSION:
    case FINDING_DIRECTORY_DISALLOWED:
    case FINDING_FOLDER_DISALLOWED:
    case FINDING_DISK_TIER_MISSING:
    case FINDING_PACKED_FILES: return true;
    default: return false;
    }
}

static bool
is_aligned(const struct work *work)
{
    return work->entry->size_bytes % work->rules->limits->page_alignment == 0;
}

static bool
is_called_vhd(const char *name)
{
    size_t len = strlen(name);
    return len >= 4 && strcasecmp(name + len - 4, ".vhd") == 0;
}

static bool
is_vhd_by_content(const struct vhd *vhd)
{
    return vhd != NULL &&
           (vhd->kind == VHD_FIXED || vhd->kind == VHD_DYNAMIC || vhd->kind == VHD_DIFFERENCING);
}

/* The blob a file becomes by where it lies. What a disk holds in no container goes by its content
 * (docs/DEVICES.md, C4): the documentation calls all of it block blobs and shows a page blob. */
static enum blob_type
natural_type(const struct work *work)
{
    switch (work->place.kind) {
    case SHARE_BLOCK:
        return work->place.is_root && is_aligned(work) && is_vhd_by_content(work->entry->vhd)
                   ? BLOB_TYPE_PAGE
                   : BLOB_TYPE_BLOCK;
    case SHARE_PAGE:
        return work->place.is_root && !is_aligned(work) ? BLOB_TYPE_BLOCK : BLOB_TYPE_PAGE;
    case SHARE_DISKS: return BLOB_TYPE_PAGE;
    default: return BLOB_TYPE_NONE;
    }
}

static bool
is_within_limit(const struct work *work, enum blob_type type, bool is_disk)
{
    const struct device_limits *limits = work->rules->limits;
    uint64_t size_bytes = work->entry->size_bytes;
    if (is_disk) { /* the limit is the disk's; the file has a footer besides */
        return size_bytes <= limits->item_bytes_max[SHARE_DISKS] + VHD_SECTOR;
    }
    enum share_kind kind = type == BLOB_TYPE_BLOCK  ? SHARE_BLOCK
                           : type == BLOB_TYPE_PAGE ? SHARE_PAGE
                                                    : SHARE_FILES;
    return size_bytes <= limits->item_bytes_max[kind];
}

static void
look_at_disk(struct work *work)
{
    const struct vhd *vhd = work->entry->vhd;
    const struct device_limits *limits = work->rules->limits;
    uint64_t size_bytes = work->entry->size_bytes;
    bool is_disk = vhd == NULL || vhd->kind == VHD_FIXED;
    if (!is_disk) {
        bool is_no_vhd = work->rules->device.sku == SKU_DISK && vhd->kind == VHD_NONE &&
                         !is_called_vhd(work->place.item);
        add_finding(work, is_no_vhd ? FINDING_NOT_A_VHD : FINDING_TYPE_UNSUPPORTED, false);
    } else if (size_bytes < limits->disk_bytes_min || size_bytes > limits->disk_bytes_max) {
        add_finding(work, FINDING_DISK_CONVERSION, false);
    }
}

/* Does the plan store this item as another kind of blob? */
static bool
is_taken_as(const struct work *work, enum fix_kind kind)
{
    bool is_taken = has_step(work, kind, FINDING_NONE);
    for (unsigned i = 0; work->rules->plan != NULL && i < work->ret->finding_count; i++) {
        enum finding_code code = work->ret->findings[i];
        is_taken = is_taken || (is_of_format(code) && has_step(work, kind, code));
    }
    return is_taken;
}

static void
settle_format(struct work *work, enum blob_type type)
{
    struct judgement *ret = work->ret;
    bool has_size = false;
    bool has_alignment = false;
    bool fits = is_within_limit(work, type, false);
    bool is_right = type != BLOB_TYPE_PAGE || is_aligned(work);
    for (unsigned i = 0; i < ret->finding_count; i++) {
        enum finding_code code = ret->findings[i];
        has_size = has_size || code == FINDING_SIZE_LIMIT;
        has_alignment = has_alignment || code == FINDING_SIZE_ALIGNMENT;
        bool stays =
            (code == FINDING_SIZE_LIMIT && !fits) || (code == FINDING_SIZE_ALIGNMENT && !is_right);
        ret->is_settled[i] = ret->is_settled[i] || (is_of_format(code) && !stays);
    }
    if (!fits && !has_size) {
        add_finding(work, FINDING_SIZE_LIMIT, false);
    }
    if (!is_right && !has_alignment) {
        add_finding(work, FINDING_SIZE_ALIGNMENT, false);
    }
}

static void
judge_format(struct work *work)
{
    struct judgement *ret = work->ret;
    const struct place *place = &work->place;
    enum blob_type type = natural_type(work);
    bool is_disk =
        place->kind == SHARE_DISKS && place->is_disk_folder && place->finding == FINDING_NONE;
    if (is_disk) {
        look_at_disk(work);
    }
    if (type == BLOB_TYPE_PAGE && !is_aligned(work)) {
        add_finding(work, FINDING_SIZE_ALIGNMENT, false);
    }
    if (!is_within_limit(work, type, is_disk)) {
        add_finding(work, FINDING_SIZE_LIMIT, false);
    }
    /* Files of a file share stay files: a plan may map them elsewhere. */
    if (work->rules->plan != NULL && place->kind != SHARE_FILES) {
        bool as_block = is_taken_as(work, FIX_AS_BLOCK);
        if (as_block || is_taken_as(work, FIX_AS_PAGE)) {
            type = as_block ? BLOB_TYPE_BLOCK : BLOB_TYPE_PAGE;
            is_disk = false;
            settle_format(work, type);
        }
    }
    if (place->kind == SHARE_PAGE && place->is_root && type == BLOB_TYPE_BLOCK) {
        add_finding(work, FINDING_PAGE_AS_BLOCK, true);
    }
    ret->type = type;
    ret->tier = type == BLOB_TYPE_BLOCK ? place->tier : BLOB_TIER_NONE;
    ret->is_disk = is_disk;
}

/* ---- names ---- */

/* A share for a disk's files that lie in none: always the same one, by what is known here of where
 * they were. */
static void
name_default_share(struct work *work)
{
    struct text *out = &work->scratch->container;
    uint8_t digest[SHA256_BYTES] = {0};
    char hex[2 * SHA256_BYTES + 1];
    struct err err = ERR_NONE;
    text_clear(out);
    text_add(out, work->place.account.at, work->place.account.len);
    text_add_char(out, '/');
    text_add(out, work->place.share.at, work->place.share.len);
    if (digest_sha256(out->bytes, out->len, digest, &err) != ERR_OK) {
        add_finding(work, FINDING_GENERAL, false);
    }
    text_clear(out);
    text_add_str(out, "databox-azurefile-");
    text_add(out, hex_encode(digest, sizeof digest, hex), 40);
}

static void
judge_container(struct work *work)
{
    struct judgement *ret = work->ret;
    struct text *out = &work->scratch->container;
    struct slice original = work->place.container;
    struct err err = ERR_NONE;
    ret->container_original = original;
    if (work->place.is_root) {
        ret->container = "$root";
        return;
    }
    if (work->place.is_disk_folder) {
        ret->container = layout_disk_container(original);
        return;
    }
    if (work->place.is_default_share) {
        name_default_share(work);
        ret->container = text_str(out);
        return;
    }
    text_clear(out);
    text_add(out, original.at, original.len);
    enum finding_code code = names_check_container(original);
    if (code == FINDING_NONE && work->place.kind == SHARE_FILES && original.at[0] == '$') {
        code = FINDING_CONTAINER_CHARACTERS; /* blobs alone have a root */
    }
    if (code != FINDING_NONE && names_is_only_upper_case(original)) {
        rename_lower(original, out);
        add_finding(work, FINDING_CONTAINER_UPPER_CASE, true);
        ret->is_container_renamed = true;
    } else if (code != FINDING_NONE) {
        ret->is_container_renamed =
            takes_new_name(work, code) && rename_container(original, out, &err) == ERR_OK;
        add_finding(work, code, ret->is_container_renamed);
    }
    ret->container = text_str(out);
}

static void
judge_item(struct work *work)
{
    struct judgement *ret = work->ret;
    struct text *out = &work->scratch->name;
    struct slice original = {work->place.item, strlen(work->place.item)};
    struct err err = ERR_NONE;
    ret->name = original.at;
    ret->name_original = original.at;
    enum finding_code code = work->place.kind == SHARE_FILES ? names_check_file(original)
                             : ret->is_disk                  ? names_check_disk(original)
                                                             : names_check_blob(original);
    if (code == FINDING_NONE) {
        return;
    }
    ret->is_item_renamed =
        takes_new_name(work, code) && rename_item(work->place.kind, original, out, &err) == ERR_OK;
    add_finding(work, code, ret->is_item_renamed);
    if (ret->is_item_renamed) {
        ret->name = text_str(out);
    }
}

/* The copy service of a device packs small files: not into file shares. */
static bool
is_packed(const struct place *place)
{
    static const char mark[] = "ADB_PACK_";
    if (place->kind != SHARE_BLOCK && place->kind != SHARE_PAGE) {
        return false;
    }
    for (const char *at = strstr(place->below, mark); at != NULL; at = strstr(at + 1, mark)) {
        if (at == place->below || at[-1] == '/') {
            return true;
        }
    }
    return false;
}

/* ---- entries ---- */

static void
judge_file(struct work *work)
{
    const struct place *place = &work->place;
    if (place->kind == SHARE_NONE || place->finding == FINDING_SHARE_ROOT_FILE) {
        work->ret->name = place->item;
        work->ret->name_original = place->item;
        return; /* it goes nowhere, so nothing more can be said */
    }
    if (is_packed(place)) { /* what is in it has other names, which only its maker knows */
        add_finding(work, FINDING_PACKED_FILES, false);
        if (!is_taken_as(work, FIX_AS_BLOCK) && !is_taken_as(work, FIX_AS_PAGE)) {
            work->ret->name = place->item;
            work->ret->name_original = place->item;
            return;
        }
    }
    judge_format(work);
    if (place->kind == SHARE_FILES &&
        (work->entry->mtime_ns == INT64_MAX || work->entry->mtime_ns == -INT64_MAX)) {
        add_finding(work, FINDING_TIMESTAMP_RANGE, true);
    }
    judge_container(work);
    judge_item(work);
}

/* Places first: as it stands, then, if a plan says so, as it is taken for. */
static void
find_place(struct work *work)
{
    const struct judge_rules *rules = work->rules;
    const struct judge_entry *entry = work->entry;
    struct place own;
    layout_place(&rules->device, entry->path, entry->what, &own);
    work->place = own;
    work->ret->share_name = own.share;
    work->ret->manifest_path = own.below;
    text_clear(&work->scratch->rewritten);
    if (rules->plan != NULL &&
        fix_plan_rewrite(rules->plan, entry->path, &work->scratch->rewritten)) {
        layout_place(&rules->device, text_str(&work->scratch->rewritten), entry->what,
                     &work->place);
        work->ret->is_mapped = own.kind == SHARE_NONE;
        if (work->place.is_no_data) { /* a plan takes nothing away but by its skip steps */
            work->place.is_no_data = false;
            work->place.finding = FINDING_ROOT_FOLDER_UNKNOWN;
        }
        if (own.finding != FINDING_NONE && own.finding != work->place.finding) {
            add_finding(work, own.finding, true);
        }
    }
    if (work->place.finding != FINDING_NONE) {
        add_finding(work, work->place.finding, false);
    }
}

/* No memory for a name: better no item than one of another name. */
static bool
has_broken_text(const struct judge_scratch *scratch)
{
    return scratch->rewritten.is_broken || scratch->account.is_broken ||
           scratch->container.is_broken || scratch->name.is_broken;
}

static void
decide(struct work *work)
{
    struct judgement *ret = work->ret;
    bool is_left_out = work->wants_skip || work->is_skipped;
    bool halts = false;
    if (has_broken_text(work->scratch)) {
        add_finding(work, FINDING_GENERAL, false);
    }
    for (unsigned i = 0; i < ret->finding_count; i++) {
        ret->is_settled[i] = ret->is_settled[i] || is_left_out;
        halts = halts || !ret->is_settled[i];
        /* What was settled meanwhile is not the worst any more. */
        put_finding(ret, i, ret->findings[i], ret->is_settled[i]);
    }
    if (halts) {
        ret->verdict = ENTRY_HALT;
    } else if (work->entry->what == WHAT_FOLDER || work->place.is_no_data) {
        ret->verdict = ENTRY_IS_NO_DATA;
    } else if (is_left_out) {
        ret->verdict = ENTRY_SKIP;
    } else {
        ret->verdict =
            ret->is_container_renamed || ret->is_item_renamed ? ENTRY_COPY_RENAMED : ENTRY_COPY;
    }
}

void
judge_entry(const struct judge_rules *rules, const struct judge_entry *entry,
            struct judge_scratch *scratch, struct judgement *ret)
{
    struct work work = {.rules = rules, .entry = entry, .scratch = scratch, .ret = ret};
    *ret = (struct judgement){.account = "", .container = "", .name = "", .name_original = ""};
    find_place(&work);
    const struct place *place = &work.place;
    text_clear(&scratch->account);
    text_add(&scratch->account, place->account.at, place->account.len);
    ret->account = text_str(&scratch->account);
    ret->share = place->kind;
    if (!place->is_no_data) {
        work.is_skipped = work.is_skipped || has_step(&work, FIX_SKIP, FINDING_NONE);
        if (entry->what == WHAT_SPECIAL) {
            add_finding(&work, FINDING_REPARSE_POINT, false);
        } else if (entry->what == WHAT_UNREADABLE) {
            add_finding(&work, FINDING_GENERAL, false);
        } else if (entry->what == WHAT_FILE) {
            judge_file(&work);
        } else if (is_taken_as(&work, FIX_AS_PAGE) || is_taken_as(&work, FIX_AS_BLOCK)) {
            settle_format(&work, BLOB_TYPE_BLOCK);
        }
    }
    decide(&work);
}

bool
judge_wants_content(const struct judge_rules *rules, const char *path)
{
    AUTO_TEXT rewritten = TEXT_INIT;
    struct place place;
    if (rules->plan != NULL && fix_plan_rewrite(rules->plan, path, &rewritten)) {
        path = text_str(&rewritten);
    }
    layout_place(&rules->device, path, WHAT_FILE, &place);
    return (place.kind == SHARE_DISKS && place.is_disk_folder && place.finding == FINDING_NONE) ||
           (place.kind == SHARE_BLOCK && place.is_root);
}

void
judge_scratch_done(struct judge_scratch *scratch)
{
    text_done(&scratch->rewritten);
    text_done(&scratch->account);
    text_done(&scratch->container);
    text_done(&scratch->name);
}
