#include "ingest/device/layout.h"

#include <string.h>
#include <strings.h>

/* ---- tables ---- */

enum { BOXES = 1U << SKU_DATABOX | 1U << SKU_HEAVY, DISKS = 1U << SKU_DISK };

/* At the root, and no data. A link of such a name is none of them: it could lead anywhere. */
struct root_row {
    unsigned skus;
    const char *name;
    bool is_folder;
};

/* A box's share by the end of its name, a disk's by the whole. */
struct share_row {
    unsigned skus;
    const char *name;
    enum share_kind kind;
    enum blob_tier tier;
};

struct disk_folder_row {
    const char *folder;
    const char *container;
};

// clang-format off
static const struct root_row roots[] = {
    {BOXES | DISKS, "BOM",                       true},
    {BOXES | DISKS, "lost+found",                true},
    {BOXES | DISKS, "System Volume Information", true},
    {BOXES | DISKS, "$RECYCLE.BIN",              true},
    {DISKS,         "DataBoxDiskImport",         true},
    {DISKS,         "DriveManifest.xml",         false},
};

#define LAYOUT_AS_BOX(id, words, suffix, folder)  {BOXES, suffix, SHARE_##id, BLOB_TIER_NONE},
#define LAYOUT_AS_DISK(id, words, suffix, folder) {DISKS, folder, SHARE_##id, BLOB_TIER_NONE},
static const struct share_row shares[] = {
    SHARE_KIND_MAP(LAYOUT_AS_BOX) SHARE_KIND_MAP(LAYOUT_AS_DISK)
    {DISKS, "BlockBlob_Archive", SHARE_BLOCK, BLOB_TIER_ARCHIVE},
};

/* With a space as people write them down and, reading that, create them. */
static const struct disk_folder_row disk_folders[] = {
    {"PremiumSSD",  "premiumssd"},  {"Premium SSD",  "premiumssd"},
    {"StandardSSD", "standardssd"}, {"Standard SSD", "standardssd"},
    {"StandardHDD", "standardhdd"}, {"Standard HDD", "standardhdd"},
};
// clang-format on

/* ---- pieces of a path ---- */

/* The first component of a path; *ret_rest is what follows its slash, NULL without one. */
static struct slice
first_component(const char *path, const char **ret_rest)
{
    const char *slash = strchrnul(path, '/');
    *ret_rest = *slash == '\0' ? NULL : slash + 1;
    return (struct slice){path, (size_t)(slash - path)};
}

static bool
is_text(struct slice slice, const char *text)
{
    size_t len = strlen(text);
    return slice.len == len && memcmp(slice.at, text, len) == 0;
}

static bool
is_no_data(enum device_sku sku, struct slice first, bool has_rest, enum entry_what what)
{
    bool may_be_folder = has_rest || what == WHAT_FOLDER || what == WHAT_UNREADABLE;
    bool may_be_file = !has_rest && what == WHAT_FILE;
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        if ((roots[i].skus >> sku & 1U) != 0 && is_text(first, roots[i].name)) {
            return roots[i].is_folder ? may_be_folder : may_be_file;
        }
    }
    return false;
}

/* The share's name without "_202006051000", the time of its creation, which older devices put
 * there. An account's name has no '_', so nothing of it can be lost. */
static size_t
without_time(const char *name, size_t len)
{
    const size_t digits = 12;
    if (len <= digits + 1 || name[len - digits - 1] != '_') {
        return len;
    }
    for (size_t i = len - digits; i < len; i++) {
        if (name[i] < '0' || name[i] > '9') {
            return len;
        }
    }
    return len - digits - 1;
}

static bool
find_box_share(struct slice first, const struct share_row *row, struct place *place)
{
    size_t len = strlen(row->name);
    if (first.len <= len || memcmp(first.at + first.len - len, row->name, len) != 0) {
        return false;
    }
    size_t account = first.len - len;
    account = row->kind == SHARE_DISKS ? account : without_time(first.at, account);
    place->account = (struct slice){first.at, account};
    return true;
}

static bool
find_share(enum device_sku sku, struct slice first, struct place *place)
{
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        const struct share_row *row = &shares[i];
        bool is_found =
            row->kind != SHARE_NONE && (row->skus >> sku & 1U) != 0 &&
            (sku == SKU_DISK ? is_text(first, row->name) : find_box_share(first, row, place));
        if (is_found) {
            place->kind = row->kind;
            place->tier = row->tier;
            place->share = first;
            return true;
        }
    }
    return false;
}

const char *
layout_disk_container(struct slice folder)
{
    for (size_t i = 0; i < COUNT_OF(disk_folders); i++) {
        if (is_text(folder, disk_folders[i].folder)) {
            return disk_folders[i].container;
        }
    }
    return NULL;
}

/* Is the component a tier's name? *ret_is_exact: letter by letter. */
static enum blob_tier
find_tier(struct slice component, bool *ret_is_exact)
{
    for (unsigned i = BLOB_TIER_NONE + 1; i < BLOB_TIER_COUNT; i++) {
        const char *name = blob_tier_names[i];
        if (component.len == strlen(name) && strncasecmp(component.at, name, component.len) == 0) {
            *ret_is_exact = is_text(component, name);
            return (enum blob_tier)i;
        }
    }
    return BLOB_TIER_NONE;
}

/* ---- places ---- */

/* A file where only folders belong. */
static void
place_file_without_folder(enum device_sku sku, const char *name, struct place *place)
{
    place->item = name;
    if (sku != SKU_DISK) {
        place->finding = FINDING_SHARE_ROOT_FILE;
    } else if (place->kind == SHARE_FILES) {
        place->is_default_share = true;
        place->finding = FINDING_NOT_IN_FILE_SHARE;
    } else {
        place->is_root = true;
        place->finding = place->kind == SHARE_DISKS ? FINDING_DISK_TIER_MISSING : FINDING_NONE;
    }
}

static void
place_in_disks(enum device_sku sku, enum entry_what what, struct place *place)
{
    const char *rest = NULL;
    struct slice folder = first_component(place->below, &rest);
    if (rest == NULL && what == WHAT_FILE) {
        place_file_without_folder(sku, place->below, place);
        return;
    }
    if (rest == NULL && what != WHAT_FOLDER) {
        return;
    }
    bool is_tier = layout_disk_container(folder) != NULL;
    place->container = folder;
    place->is_disk_folder = is_tier;
    place->item = rest == NULL ? "" : rest;
    /* A folder tells of what begins with it, a file of what it lies in. */
    bool is_file = what != WHAT_FOLDER;
    bool has_folders = strchr(place->item, '/') != NULL;
    if (is_tier && (is_file ? has_folders : rest != NULL && !has_folders)) {
        place->finding = FINDING_DIRECTORY_DISALLOWED;
    } else if (!is_tier && (is_file || rest == NULL)) {
        place->finding = sku == SKU_DISK ? FINDING_DISK_TIER_MISSING : FINDING_FOLDER_DISALLOWED;
    }
}

static void
place_in_share(const struct device_options *options, enum entry_what what, struct place *place)
{
    const char *rest = NULL;
    const char *at = place->below;
    struct slice folder = first_component(at, &rest);
    bool is_folder = rest != NULL || what == WHAT_FOLDER;
    bool is_exact = false;
    enum blob_tier tier = BLOB_TIER_NONE;
    if (place->kind == SHARE_BLOCK && place->tier == BLOB_TIER_NONE && options->has_tiers &&
        is_folder) {
        tier = find_tier(folder, &is_exact);
    }
    if (tier != BLOB_TIER_NONE && !is_exact) {
        place->finding =
            what != WHAT_FOLDER || rest == NULL ? FINDING_TIER_CASE_VARIANT : FINDING_NONE;
    } else if (tier != BLOB_TIER_NONE) {
        place->tier = tier;
        if (rest == NULL) {
            return; /* the tier folder itself */
        }
        at = rest;
        folder = first_component(at, &rest);
    }
    if (rest != NULL || what == WHAT_FOLDER) {
        place->container = folder;
        place->item = rest == NULL ? "" : rest;
    } else if (what == WHAT_FILE) {
        place_file_without_folder(options->sku, at, place);
    }
}

static enum finding_code
root_finding(bool has_rest, enum entry_what what)
{
    if (has_rest) {
        return what == WHAT_FOLDER ? FINDING_NONE : FINDING_ROOT_FOLDER_UNKNOWN;
    }
    if (what == WHAT_FOLDER) {
        return FINDING_ROOT_FOLDER_UNKNOWN;
    }
    return what == WHAT_FILE ? FINDING_ROOT_FILE : FINDING_NONE;
}

void
layout_place(const struct device_options *options, const char *path, enum entry_what what,
             struct place *ret_place)
{
    const char *rest = NULL;
    struct slice first = first_component(path, &rest);
    const struct slice none = {"", 0}; /* no NULL: what takes bytes takes none of these */
    struct place place = {
        .share = none, .account = none, .container = none, .below = "", .item = ""};
    bool is_folder = rest != NULL || what == WHAT_FOLDER;
    bool is_device = first.len == 0 && rest == NULL;
    if (is_device || is_no_data(options->sku, first, rest != NULL, what)) {
        place.is_no_data = true;
    } else if (!is_folder || !find_share(options->sku, first, &place)) {
        place.finding = root_finding(rest != NULL, what);
    } else if (rest != NULL) {
        place.below = rest;
        if (place.kind == SHARE_DISKS) {
            place_in_disks(options->sku, what, &place);
        } else {
            place_in_share(options, what, &place);
        }
    }
    *ret_place = place;
}
