/*
 * Two files that would become one: of several disks all are in a table. Of one device most need
 * none, because a folder becomes a container, and which folders become the same one is known
 * (containers.h). What is left are the loose items: those that lie in no folder that is their
 * container, because they lie at a root or because a plan takes them, or a folder of theirs, for
 * something inside a container.
 */
#include "base/fd.h"
#include "ingest/device/check_state.h"
#include "ingest/device/layout.h"
#include "storage/local/places.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#define RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* Is one of the folders above the item its container, as the plan has it? */
static bool
is_loose(const struct check *check, struct text *scratch, const char *path)
{
    const struct judge_rules *rules = &check->options->rules;
    AUTO_TEXT folder = TEXT_INIT;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        struct place place;
        text_clear(&folder);
        text_add(&folder, path, (size_t)(slash - path));
        const char *at = fix_plan_rewrite(rules->plan, text_str(&folder), scratch)
                             ? text_str(scratch)
                             : text_str(&folder);
        layout_place(&rules->device, at, WHAT_FOLDER, &place);
        if (place.container.len > 0 && place.item[0] == '\0') {
            return false;
        }
    }
    return true;
}

/* Does a file lie where the plan takes this one for, and stays there? */
static bool
is_there(const struct check *check, struct text *scratch, const char *path)
{
    const struct judge_rules *rules = &check->options->rules;
    struct judge_scratch judging = {0};
    struct judgement judgement;
    struct judge_entry entry = {.what = WHAT_FILE};
    struct stat st;
    if (!fix_plan_rewrite(rules->plan, path, scratch)) {
        return false;
    }
    AUTO_FD fd =
        places_open(check->roots[check->tree], text_str(scratch), O_PATH | O_NOFOLLOW, RESOLVE);
    AUTO_TEXT again = TEXT_INIT;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        fix_plan_rewrite(rules->plan, text_str(scratch), &again)) {
        return false;
    }
    entry.path = text_str(scratch);
    entry.size_bytes = (uint64_t)st.st_size;
    judge_entry(rules, &entry, &judging, &judgement);
    bool is_left_out = judgement.verdict == ENTRY_SKIP || judgement.verdict == ENTRY_IS_NO_DATA;
    judge_scratch_done(&judging);
    return !is_left_out;
}

static void
put_key(struct text *key, const struct judgement *judgement)
{
    text_clear(key);
    text_addf(key, "%s/%s/", judgement->share == SHARE_FILES ? "files" : "blobs",
              judgement->account);
    if (!judgement->is_disk) {
        text_addf(key, "%s/", judgement->container);
    }
    text_add_str(key, judgement->name);
}

/* Adds it; true: it was there. */
static bool
is_in_table(struct check *check, const struct text *key, bool is_disk)
{
    bool is_new = true;
    struct err err = ERR_NONE;
    (void)pthread_mutex_lock(&check->mutex);
    if (is_disk) {
        is_new = !name_set_add(&check->disks, (struct slice){.at = key->bytes, .len = key->len});
    } else {
        struct manifest_entry target = {.path = text_str(key), .path_len = key->len};
        if (manifest_set_add(check->targets, &target, &is_new, &err) != ERR_OK &&
            check->err.code == ERR_OK) {
            check->err = err;
        }
    }
    (void)pthread_mutex_unlock(&check->mutex);
    return !is_new;
}

void
check_look_at_target(struct check *check, struct check_thread *thread,
                     const struct tree_entry *entry, const struct judgement *judgement)
{
    bool is_disk = judgement->is_disk;
    bool is_root = strcmp(judgement->container, "$root") == 0;
    struct text *key = &thread->key;
    enum finding_code code = is_disk              ? FINDING_DISK_NAME_TWICE
                             : check->has_targets ? FINDING_PATH_TWICE
                                                  : FINDING_BLOB_COLLISION;
    bool is_alone = !is_disk && !check->has_targets && !is_root &&
                    (thread->scratch.rewritten.len == 0 || !is_loose(check, key, entry->path));
    if (is_alone) {
        return;
    }
    bool is_twice = code == FINDING_BLOB_COLLISION && !is_root && is_there(check, key, entry->path);
    put_key(key, judgement);
    is_twice = is_in_table(check, key, is_disk) || is_twice;
    if (!is_twice) {
        return;
    }
    check_add(check, thread,
              &(struct finding){.code = code, .path = entry->path, .bytes = entry->size_bytes});
    if (code == FINDING_BLOB_COLLISION) {
        check_add_spot(check, &(struct check_spot){.code = code, .path = entry->path, .files = 1});
    }
}
