#include "ingest/device/device_place.h"

#include "base/fd.h"
#include "storage/local/places.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

enum err_code
device_place_open(struct device_place *place, const char *path, struct err *err)
{
    place->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code code =
        errno == ENOENT || errno == ENOTDIR ? ERR_STORE_GONE : err_from_source_errno(errno);
    return place->root >= 0
               ? ERR_OK
               : err_set_sys(err, code, errno, "cannot read the device tree '%s'", path);
}

void
device_place_close(struct device_place *place)
{
    fd_close(&place->root);
    judge_scratch_done(&place->scratch);
    text_done(&place->target);
    text_done(&place->key);
}

static enum entry_what
what_of(const struct entry *entry)
{
    switch (entry->kind) {
    case ENTRY_ITEM: return WHAT_FILE;
    case ENTRY_FOLDER: return WHAT_FOLDER;
    case ENTRY_SKIPPED: return WHAT_SPECIAL;
    case ENTRY_FAILED: break;
    }
    return entry->err.code == ERR_ITEM_SPECIAL ? WHAT_SPECIAL : WHAT_UNREADABLE;
}

/* What the file is by its content, where that decides; false: it could not be looked at. */
static bool
look(const struct device_place *place, const struct entry *entry, struct vhd *vhd)
{
    struct err err = ERR_NONE;
    AUTO_FD fd = places_open(place->root, entry->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    return fd >= 0 && vhd_look(fd, entry->props.size_bytes, vhd, &err) == ERR_OK;
}

static const char *
finding_that_halts(const struct judgement *judgement)
{
    for (unsigned i = 0; i < judgement->finding_count; i++) {
        if (!judgement->is_settled[i]) {
            return catalogue_row(judgement->findings[i])->wire;
        }
    }
    return catalogue_row(FINDING_GENERAL)->wire;
}

/* The target's name, and what the manifest wants of the bytes. */
static void
take(struct device_place *place, const struct judgement *judgement, struct copy_place *ret)
{
    struct manifest_fact fact;
    text_clear(&place->target);
    text_addf(&place->target, "%s/%s/%s", judgement->account, judgement->container,
              judgement->name);
    ret->verdict = PLACE_TAKE;
    ret->target = text_str(&place->target);
    ret->type = judgement->share == SHARE_FILES ? BLOB_TYPE_FILE : judgement->type;
    ret->tier = judgement->tier;
    ret->is_renamed = judgement->verdict == ENTRY_COPY_RENAMED;
    if (place->manifest == NULL || judgement->is_mapped || judgement->manifest_path[0] == '\0') {
        return;
    }
    text_clear(&place->key);
    text_add(&place->key, judgement->share_name.at, judgement->share_name.len);
    if (fix_plan_has(place->rules->plan, FIX_BUILD, text_str(&place->key), FINDING_NONE)) {
        return; /* its list is to be made anew, so the old one says nothing */
    }
    text_addf(&place->key, "/%s", judgement->manifest_path);
    if (manifest_set_find(place->manifest, text_str(&place->key), place->key.len, &fact)) {
        ret->has_crc64 = fact.has_crc64;
        ret->crc64 = fact.crc64;
    }
}

void
device_place_judge(struct device_place *place, const struct entry *entry, struct judgement *ret)
{
    struct vhd vhd = {0};
    struct judge_entry asked = {.path = entry->name,
                                .what = what_of(entry),
                                .size_bytes = entry->props.size_bytes,
                                .mtime_ns = entry->props.mtime_ns};
    if (asked.what == WHAT_FILE && judge_wants_content(place->rules, entry->name) &&
        look(place, entry, &vhd)) {
        asked.vhd = &vhd;
    }
    judge_entry(place->rules, &asked, &place->scratch, ret);
    ret->account = place->only_account != NULL ? place->only_account : ret->account;
}

/* A folder of a file share goes where a file of its name would; the share itself has no name of its
 * own, and is found by a file in it. One that would need another name is not kept: who looks for it
 * would not find it. */
static void
take_folder(struct device_place *place, const struct entry *entry, struct copy_place *ret)
{
    AUTO_TEXT inside = TEXT_INIT;
    struct judgement judgement;
    struct entry as_file = {.kind = ENTRY_ITEM, .name = entry->name};
    text_addf(&inside, "%s/-", entry->name);
    device_place_judge(place, &as_file, &judgement);
    bool is_share = judgement.name_original[0] == '\0' || judgement.container_original.len == 0;
    if (is_share) {
        as_file.name = text_str(&inside);
        device_place_judge(place, &as_file, &judgement);
    }
    if (judgement.share != SHARE_FILES || judgement.is_item_renamed ||
        judgement.container[0] == '\0' || judgement.container_original.len == 0 ||
        (judgement.verdict != ENTRY_COPY && judgement.verdict != ENTRY_COPY_RENAMED)) {
        return;
    }
    ret->verdict = PLACE_TAKE;
    text_clear(&place->target);
    text_addf(&place->target, "%s/%s", judgement.account, judgement.container);
    if (!is_share) {
        text_addf(&place->target, "/%s", judgement.name);
    }
    ret->target = text_str(&place->target);
}

void
device_place_ask(void *place_, const struct entry *entry, struct copy_place *ret_place)
{
    struct device_place *place = place_;
    struct judgement judgement;
    *ret_place = (struct copy_place){0};
    device_place_judge(place, entry, &judgement);
    switch (judgement.verdict) {
    case ENTRY_IS_NO_DATA:
        ret_place->verdict = PLACE_IGNORE;
        if (entry->kind == ENTRY_FOLDER && judgement.share == SHARE_FILES) {
            take_folder(place, entry, ret_place);
        }
        break;
    case ENTRY_COPY:
    case ENTRY_COPY_RENAMED: take(place, &judgement, ret_place); break;
    case ENTRY_SKIP:
        ret_place->verdict = PLACE_SKIP;
        (void)err_set(&ret_place->err, ERR_LEFT_OUT, "'%s' is left out by rule", entry->name);
        break;
    case ENTRY_HALT:
        ret_place->verdict = PLACE_FAIL;
        (void)err_set(&ret_place->err, ERR_FINDING, "%s: '%s'", finding_that_halts(&judgement),
                      entry->name);
        break;
    }
}
