/* Shares against their lists of files (BOM). */
#include "base/fd.h"
#include "ingest/device/check_state.h"
#include "ingest/device/layout.h"
#include "storage/local/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BOM_FOLDER      "BOM"
#define BOM_FOLDERS_MAX 64U
#define SHARES_MAX      16384U
#define FOLDER_FLAGS    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* A file may be newer than the list by this much and still be what was listed: FAT and SMB keep
 * times to two seconds, and what copied the tree may have rounded one time and not the other. */
#define STALE_NS (2 * NS_PER_S)

/* Where lists lie: BOM itself, and one folder in it for each node of a Heavy. */
struct boms {
    int folders[BOM_FOLDERS_MAX];
    char *names[BOM_FOLDERS_MAX]; /* for messages: "BOM", "BOM/node1" */
    unsigned count;
};

static void
boms_done(struct boms *boms)
{
    for (unsigned i = 0; i < boms->count; i++) {
        fd_close(&boms->folders[i]);
        mem_give(boms->names[i]);
    }
    boms->count = 0;
}

static bool
is_stopped(const struct check *check)
{
    return check->options->signal != NULL && atomic_load(check->options->signal) != 0;
}

typedef void(name_fn)(void *user, int folder, const char *name);

/* All sub-folders, or all else, of an open folder. */
static void
each_name(const struct check *check, int folder, bool wants_folders, name_fn *tell, void *user)
{
    int again = openat(folder, ".", FOLDER_FLAGS);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    if (dir == NULL) {
        fd_close(&again);
        return;
    }
    const struct dirent *dirent;
    while ((dirent = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): a DIR of our own
        bool is_wanted =
            dirent->d_type == DT_UNKNOWN || (dirent->d_type == DT_DIR) == wants_folders;
        if (is_stopped(check)) {
            break;
        }
        if (is_wanted && strcmp(dirent->d_name, ".") != 0 && strcmp(dirent->d_name, "..") != 0) {
            tell(user, folder, dirent->d_name);
        }
    }
    (void)closedir(dir);
}

static void
add_bom_folder(void *boms_, int folder, const char *name)
{
    struct boms *boms = boms_;
    if (boms->count == BOM_FOLDERS_MAX) {
        return;
    }
    int fd = openat(folder, name, FOLDER_FLAGS);
    if (fd >= 0) {
        AUTO_TEXT shown = TEXT_INIT;
        text_addf(&shown, boms->count == 0 ? "%s" : BOM_FOLDER "/%s", name);
        boms->folders[boms->count] = fd;
        boms->names[boms->count++] = mem_text(text_str(&shown));
    }
}

static void
open_boms(const struct check *check, struct boms *boms)
{
    *boms = (struct boms){0};
    add_bom_folder(boms, check->roots[check->tree], BOM_FOLDER);
    if (boms->count > 0) {
        each_name(check, boms->folders[0], true, add_bom_folder, boms);
    }
}

/* ---- shares ---- */

static bool
is_settled(const struct check *check, const char *share)
{
    return check->options->manifest != MANIFEST_REQUIRE ||
           fix_plan_has(check->options->rules.plan, FIX_BUILD, share, FINDING_NONE);
}

static void
add_share(struct check *check, const char *name, bool is_gone)
{
    struct place place;
    layout_place(&check->options->rules.device, name, WHAT_FOLDER, &place);
    if (place.kind == SHARE_NONE || check->share_count == SHARES_MAX) {
        return;
    }
    if (check->share_count == check->share_room) {
        unsigned room = check->share_room == 0 ? 16 : check->share_room * 2;
        check->shares =
            mem_resize(check->shares, check->share_room * sizeof(void *), room * sizeof(void *));
        check->share_room = room;
    }
    struct check_share *share = arena_take(&check->arena, sizeof *share);
    share->name = arena_text(&check->arena, name);
    share->account = arena_bytes(&check->arena, place.account.at, place.account.len);
    share->kind = place.kind;
    share->tree = check->tree;
    share->is_gone = is_gone;
    share->is_settled = is_settled(check, name);
    share->manifest_mtime_ns = INT64_MIN;
    check->shares[check->share_count++] = share;
}

static int
compare_shares(const void *a, const void *b)
{
    const struct check_share *const *left = a;
    const struct check_share *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

struct check_share *
check_find_share(const struct check *check, const char *name)
{
    struct check_share like = {.name = name};
    struct check_share *key = &like;
    struct check_share **found =
        check->share_count == 0
            ? NULL
            : bsearch(&key, check->shares, check->share_count, sizeof(void *), compare_shares);
    return found == NULL || (*found)->is_gone ? NULL : *found;
}

static void
add_folder(void *check, int root, const char *name)
{
    struct stat st;
    if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
        add_share(check, name, false);
    }
}

/* A list whose share is not there: all that it lists is missing. */
static void
add_listed(void *check_, int folder, const char *file)
{
    struct check *check = check_;
    AUTO_TEXT name = TEXT_INIT;
    AUTO_TEXT wanted = TEXT_INIT;
    struct place place;
    (void)folder;
    const char *end = strstr(file, "-BOM.txt");
    end = end == NULL ? strstr(file, ".txt") : end;
    if (end == NULL || end == file) {
        return;
    }
    text_add(&name, file, (size_t)(end - file));
    layout_place(&check->options->rules.device, text_str(&name), WHAT_FOLDER, &place);
    manifest_file_name(text_str(&name), place.kind, &wanted);
    if (place.kind == SHARE_NONE || strcmp(text_str(&wanted), file) != 0) {
        return;
    }
    for (unsigned i = 0; i < check->share_count; i++) {
        if (strcmp(check->shares[i]->name, text_str(&name)) == 0) {
            return;
        }
    }
    add_share(check, text_str(&name), true);
}

static void
choose_targets(struct check *check)
{
    for (unsigned i = 0; i < check->share_count; i++) {
        const struct check_share *share = check->shares[i];
        bool is_block = share->kind == SHARE_BLOCK;
        if (share->is_gone || share->kind == SHARE_DISKS) {
            continue;
        }
        if (is_block &&
            (check->block_share == NULL || strcmp(share->name, check->block_share) < 0)) {
            check->block_share = share->name;
        }
        check->any_share = check->any_share == NULL ? share->account : check->any_share;
    }
}

void
check_list_shares(struct check *check)
{
    struct boms boms;
    check->share_count = 0;
    each_name(check, check->roots[check->tree], true, add_folder, check);
    open_boms(check, &boms);
    for (unsigned i = 0; i < boms.count && check->options->manifest != MANIFEST_IGNORE; i++) {
        each_name(check, boms.folders[i], false, add_listed, check);
    }
    boms_done(&boms);
    if (check->share_count > 0) {
        qsort(check->shares, check->share_count, sizeof(void *), compare_shares);
    }
    choose_targets(check);
}

/* ---- reading lists ---- */

/* One list, twice: before the walk to remember what it says, afterwards to find what is not there.
 */
struct bom_read {
    struct check *check;
    struct check_share *share;
    const char *shown; /* "BOM/acct_BlockBlob.txt" */
    bool is_second;
    /* An entry is added when the next one is read; by then its slot is there. */
    struct text keys[2];
    struct manifest_entry waiting;
    bool has_waiting;
    unsigned at; /* the key to use next */
};

static void
differ(struct check *check, struct check_thread *thread, struct check_share *share,
       const struct finding *like)
{
    struct finding finding = *like;
    finding.is_settled = share->is_settled;
    check_add(check, thread, &finding);
    if (!share->is_settled && catalogue_row(finding.code)->fix == FIX_BUILD) {
        atomic_fetch_or(&share->different, CHECK_BIT(finding.code));
    }
}

static enum err_code
add_waiting(struct bom_read *read, struct err *err)
{
    bool is_new = false;
    bool had_waiting = read->has_waiting;
    read->has_waiting = false;
    return had_waiting ? manifest_set_add(read->check->manifest, &read->waiting, &is_new, err)
                       : ERR_OK;
}

static enum err_code
take_entry(struct bom_read *read, const struct manifest_entry *entry, struct err *err)
{
    struct check *check = read->check;
    struct manifest_entry keyed = *entry;
    struct manifest_fact fact;
    struct text *key = &read->keys[read->at];
    text_clear(key);
    text_add_str(key, read->share->name);
    text_add_char(key, '/');
    text_add(key, entry->path, entry->path_len);
    keyed.path = text_str(key);
    keyed.path_len = key->len;
    /* Whoever goes by what is there does not hold its bytes against an old list. */
    keyed.has_crc64 = keyed.has_crc64 && !read->share->is_settled;
    if (!read->is_second) {
        manifest_set_prefetch(check->manifest, keyed.path, keyed.path_len);
        enum err_code code = add_waiting(read, err);
        read->waiting = keyed;
        read->has_waiting = true;
        read->at = 1 - read->at;
        return code;
    }
    if (!manifest_set_was_seen(check->manifest, keyed.path, keyed.path_len)) {
        differ(check, &check->threads[0], read->share,
               &(struct finding){.code = FINDING_MANIFEST_FILE_MISSING,
                                 .path = keyed.path,
                                 .bytes = entry->size_bytes});
        (void)manifest_set_find(check->manifest, keyed.path, keyed.path_len, &fact);
    }
    return ERR_OK;
}

static void
tell_damage(struct bom_read *read)
{
    if (!read->is_second) {
        differ(read->check, &read->check->threads[0], read->share,
               &(struct finding){.code = FINDING_MANIFEST_DAMAGED, .path = read->shown});
    }
}

static enum err_code
read_list(struct bom_read *read, int fd, struct err *err)
{
    struct manifest_reader *reader = NULL;
    struct manifest_entry entry;
    struct err damage = ERR_NONE;
    bool has_more = true;
    enum err_code code = manifest_reader_new(fd, read->shown, &reader, err);
    if (code == ERR_OK) {
        manifest_reader_stop_on(reader, read->check->options->signal);
    }
    while (code == ERR_OK) {
        enum err_code line = manifest_read(reader, &entry, &has_more, &damage);
        if (line == ERR_OK && !has_more) {
            break;
        }
        if (is_stopped(read->check)) {
            code = err_set(err, ERR_INTERRUPTED, "stopped by a signal");
        } else if (line == ERR_OK) {
            code = take_entry(read, &entry, err);
        } else {
            tell_damage(read);
        }
        if (line != ERR_OK && line != ERR_FORMAT) {
            break;
        }
    }
    manifest_reader_free(reader);
    return code == ERR_OK ? add_waiting(read, err) : code;
}

static enum err_code
open_list(struct bom_read *read, const struct boms *boms, unsigned index, const char *file,
          struct err *err)
{
    AUTO_TEXT shown = TEXT_INIT;
    struct stat st;
    AUTO_FD fd = tree_open_file(boms->folders[index], file);
    if (fd == -ENOENT) {
        return ERR_OK;
    }
    text_addf(&shown, "%s/%s", boms->names[index], file);
    read->shown = text_str(&shown);
    read->share->has_manifest = true;
    if (fd < 0 || fstat(fd, &st) != 0) { /* a link, a pipe, or not for us to read */
        read->share->is_unusable = true;
        tell_damage(read);
        return ERR_OK;
    }
    int64_t mtime_ns = clock_from_timespec(&st.st_mtim);
    read->share->manifest_mtime_ns = MAX_OF(read->share->manifest_mtime_ns, mtime_ns);
    return read_list(read, fd, err);
}

static enum err_code
read_lists(struct check *check, bool is_second, struct err *err)
{
    struct boms boms;
    struct bom_read read = {.check = check, .is_second = is_second};
    enum err_code code = ERR_OK;
    AUTO_TEXT file = TEXT_INIT;
    open_boms(check, &boms);
    for (unsigned i = 0; i < check->share_count && code == ERR_OK; i++) {
        read.share = check->shares[i];
        text_clear(&file);
        manifest_file_name(read.share->name, read.share->kind, &file);
        for (unsigned j = 0; j < boms.count && code == ERR_OK; j++) {
            code = open_list(&read, &boms, j, text_str(&file), err);
        }
    }
    boms_done(&boms);
    text_done(&read.keys[0]);
    text_done(&read.keys[1]);
    return code;
}

enum err_code
check_read_manifests(struct check *check, struct err *err)
{
    if (check->options->manifest == MANIFEST_IGNORE) {
        return ERR_OK;
    }
    enum err_code code = manifest_set_new(check->options->scratch_folder, &check->manifest, err);
    return code == ERR_OK ? read_lists(check, false, err) : code;
}

/* ---- comparing ---- */

/* A time that is still to come was never that of a change. */
static bool
is_stale(const struct check *check, const struct check_share *share, int64_t mtime_ns)
{
    return share->manifest_mtime_ns < INT64_MAX - STALE_NS &&
           mtime_ns > share->manifest_mtime_ns + STALE_NS &&
           mtime_ns <= check->started_ns + STALE_NS;
}

void
check_compare(struct check *check, struct check_thread *thread, struct check_share *share,
              const struct tree_entry *entry, const struct judgement *judgement)
{
    struct manifest_fact fact;
    struct finding finding = {.path = entry->path, .bytes = entry->size_bytes};
    if (check->options->manifest == MANIFEST_IGNORE) {
        return;
    }
    bool is_left_out = judgement->verdict == ENTRY_SKIP;
    if (!share->has_manifest || share->is_unusable) {
        return;
    }
    bool is_listed = manifest_set_find(check->manifest, entry->path, entry->path_len, &fact);
    if (is_left_out) {
        return;
    }
    if (!is_listed) {
        finding.code = FINDING_MANIFEST_ADDED;
    } else if (fact.size_bytes != entry->size_bytes) {
        finding.code = FINDING_MANIFEST_SIZE;
    } else if (is_stale(check, share, entry->mtime_ns)) {
        finding.code = FINDING_MANIFEST_STALE;
    } else if (!fact.has_crc64 && entry->size_bytes > 0 && !share->is_settled) {
        finding.code = FINDING_MANIFEST_NO_CRC;
    } else {
        return;
    }
    differ(check, thread, share, &finding);
}

enum err_code
check_unseen(struct check *check, struct err *err)
{
    enum err_code code = ERR_OK;
    if (check->manifest == NULL) {
        return ERR_OK;
    }
    check_settle_scan(check);
    if (manifest_set_seen_count(check->manifest) < manifest_set_count(check->manifest)) {
        code = read_lists(check, true, err);
    }
    for (unsigned i = 0; i < check->share_count; i++) {
        struct check_share *share = check->shares[i];
        uint64_t files = atomic_load(&share->files);
        if (files > 0 && !share->has_manifest) {
            differ(check, &check->threads[0], share,
                   &(struct finding){.code = FINDING_MANIFEST_MISSING, .path = share->name});
        }
        struct check_spot spot = {.code = FINDING_MANIFEST_MISSING,
                                  .path = share->name,
                                  .files = files,
                                  .also = atomic_load(&share->different)};
        if (spot.also != 0) {
            check_add_spot(check, &spot);
        }
    }
    return code;
}
