/* A step as a sentence, for a person who decides about a device that nobody may look into. */
#include "base/units.h"
#include "base/utf8.h"
#include "ingest/device/fix_plan.h"

#include <string.h>

/* What a terminal obeys or a reader does not see: C1 controls, and the marks that turn the
 * direction of what follows. */
static bool
is_treacherous(const unsigned char *at, unsigned len)
{
    if (len == 2) {
        return at[0] == 0xc2 && at[1] < 0xa0;
    }
    if (len != 3 || at[0] != 0xe2) {
        return len == 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf;
    }
    bool is_mark = at[1] == 0x80 && (at[2] >= 0xa8 || (at[2] >= 0x8b && at[2] <= 0x8f));
    return (is_mark && at[2] <= 0xae) || (at[1] == 0x81 && at[2] >= 0xa0 && at[2] <= 0xaf);
}

/* In quotes; neither a quote nor a backslash within a name can be taken for ours. */
static void
put_name(struct text *out, const char *name, size_t len)
{
    const char *end = name + len;
    text_add_char(out, '\'');
    while (name < end) {
        unsigned char c = (unsigned char)*name;
        unsigned bytes = c < 0x80 ? 1 : utf8_length(name);
        bool is_shown = bytes > 0 && name + bytes <= end && c >= 0x20 && c != 0x7f && c != '\'' &&
                        c != '\\' && !is_treacherous((const unsigned char *)name, bytes);
        bytes = bytes == 0 || name + bytes > end ? 1 : bytes;
        for (unsigned i = 0; !is_shown && i < bytes; i++) {
            text_addf(out, "\\x%02x", (unsigned char)name[i]);
        }
        text_add(out, name, is_shown ? bytes : 0);
        name += bytes;
    }
    text_add_char(out, '\'');
}

static void
put_text(struct text *out, const char *name)
{
    put_name(out, name, strlen(name));
}

static void
put_count(struct text *out, uint64_t count, const char *one, const char *many)
{
    char words[UNITS_TEXT_BYTES];
    if (count > 0) {
        text_addf(out, " (%s %s)", units_format_count(count, words), count == 1 ? one : many);
    }
}

// clang-format off
#define AS_SUFFIX(id, words, suffix, folder) [SHARE_##id] = (suffix),
#define AS_FOLDER(id, words, suffix, folder) [SHARE_##id] = (folder),
#define AS_WORDS(id, words, suffix, folder) [SHARE_##id] = (words),
static const char *const suffixes[SHARE_KIND_COUNT] = {SHARE_KIND_MAP(AS_SUFFIX)};
static const char *const folders[SHARE_KIND_COUNT] = {SHARE_KIND_MAP(AS_FOLDER)};
static const char *const kind_words[SHARE_KIND_COUNT] = {SHARE_KIND_MAP(AS_WORDS)};
/* What the first folder of such a share is called, and whose it is. */
static const char *const parts[SHARE_KIND_COUNT] = {
    [SHARE_BLOCK] = "container", [SHARE_PAGE] = "container", [SHARE_FILES] = "share",
    [SHARE_DISKS] = "disk type",
};
// clang-format on

/* A path in a share: whose, what kind, and the components below. */
struct place {
    enum share_kind kind;
    struct slice account; /* empty on a disk, which has one account */
    struct slice tier;
    struct slice part; /* the container, or what is one there */
    struct slice rest;
};

static struct slice
next_part(const char **at)
{
    struct slice part = {.at = *at, .len = strcspn(*at, "/")};
    *at += part.len;
    *at += **at == '/';
    return part;
}

static bool
is_text(struct slice part, const char *text)
{
    return part.len == strlen(text) && memcmp(part.at, text, part.len) == 0;
}

static bool
is_tier(struct slice part)
{
    return is_text(part, "Hot") || is_text(part, "Cool") || is_text(part, "Cold") ||
           is_text(part, "Archive");
}

static struct place
place_of(const char *path)
{
    struct place place = {.kind = SHARE_NONE};
    struct slice share = next_part(&path);
    for (int i = SHARE_NONE + 1; i < SHARE_KIND_COUNT; i++) {
        size_t len = strlen(suffixes[i]);
        if (share.len > len && memcmp(share.at + share.len - len, suffixes[i], len) == 0) {
            place.kind = (enum share_kind)i;
            place.account = (struct slice){.at = share.at, .len = share.len - len};
        } else if (is_text(share, folders[i])) {
            place.kind = (enum share_kind)i;
        }
    }
    place.part = next_part(&path);
    if (place.kind == SHARE_BLOCK && is_tier(place.part)) {
        place.tier = place.part;
        place.part = next_part(&path);
    }
    place.rest = (struct slice){.at = path, .len = strlen(path)};
    return place;
}

static void
put_map(const struct fix_step *step, struct text *out)
{
    struct place place = place_of(step->to);
    text_add_str(out, "Copy ");
    put_text(out, step->from);
    if (place.kind == SHARE_NONE || (place.part.len == 0 && place.tier.len == 0)) {
        text_add_str(out, " to ");
        put_text(out, step->to);
        return;
    }
    text_add_str(out, place.rest.len > 0 ? " to " : " into");
    if (place.rest.len > 0) {
        put_name(out, place.rest.at, place.rest.len);
        text_add_str(out, " in");
    }
    if (place.part.len > 0) {
        text_addf(out, " %s ", parts[place.kind]);
        put_name(out, place.part.at, place.part.len);
    }
    if (place.tier.len > 0) {
        text_add_str(out, place.part.len > 0 ? " of access tier " : " access tier ");
        put_name(out, place.tier.at, place.tier.len);
    }
    if (place.account.len > 0) {
        text_add_str(out, place.kind == SHARE_DISKS ? " of resource group " : " of account ");
        put_name(out, place.account.at, place.account.len);
    }
    text_addf(out, ", as %s", place.kind == SHARE_FILES ? "files" : kind_words[place.kind]);
}

/* "Store every file with X as a block blob", "Store all below 'a/' as block blobs". */
static void
put_type(const struct fix_step *step, struct text *out)
{
    bool is_block = step->kind == FIX_AS_BLOCK;
    const char *one = is_block ? " as a block blob" : " as a page blob";
    text_add_str(out, "Store ");
    if (step->from == NULL) {
        text_addf(out, "each file with %s%s", catalogue_row(step->code)->wire, one);
    } else if (step->from[strlen(step->from) - 1] == '/') {
        text_add_str(out, "all files below ");
        put_text(out, step->from);
        text_add_str(out, is_block ? " as block blobs" : " as page blobs");
    } else {
        put_text(out, step->from);
        text_add_str(out, one);
    }
}

static void
put_skip(const struct fix_step *step, struct text *out)
{
    text_add_str(out, "Leave out ");
    if (step->from == NULL) {
        text_addf(out, "everything with %s", catalogue_row(step->code)->wire);
        return;
    }
    put_text(out, step->from);
    if (step->from[strlen(step->from) - 1] == '/') {
        text_add_str(out, " with all that is in it");
    }
}

void
fix_step_words(const struct fix_step *step, struct text *out)
{
    ASSERT(step->kind > FIX_NONE);
    ASSERT(step->kind < FIX_COUNT);
    const char *one = "file";
    switch (step->kind) {
    case FIX_MAP: put_map(step, out); break;
    case FIX_TIER:
        text_add_str(out, "Take folder ");
        put_text(out, step->from);
        text_addf(out, " for the access tier '%s'", strrchr(step->to, '/') + 1);
        break;
    case FIX_AS_BLOCK:
    case FIX_AS_PAGE: put_type(step, out); break;
    case FIX_RENAME:
        text_addf(out, "Rename, by a fixed rule, everything with %s",
                  catalogue_row(step->code)->wire);
        one = "name";
        break;
    case FIX_BUILD:
        text_add_str(out, "Build the missing manifest of share ");
        put_text(out, step->from);
        text_add_str(out, " from what lies there now");
        break;
    default:
        put_skip(step, out);
        one = step->from == NULL ? "entry" : "file";
        break;
    }
    put_count(out, step->count, one, one[0] == 'n' ? "names" : one[0] == 'e' ? "entries" : "files");
    text_add_char(out, '.');
}
