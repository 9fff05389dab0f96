/* What a check does with each entry of a tree, on the threads of the walk. */
#include "ingest/device/check_state.h"
#include "ingest/device/layout.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SPOTS_STEP     64U
#define PROGRESS_EVERY 1024U

/* ---- findings ---- */

void
check_add(struct check *check, struct check_thread *thread, const struct finding *finding)
{
    struct finding shown = *finding;
    if (check->options->path_count > 1 && finding->path != NULL) {
        text_clear(&thread->shown);
        text_add_str(&thread->shown, check->options->paths[check->tree]);
        text_add_char(&thread->shown, '/');
        text_add_str(&thread->shown, finding->path);
        shown.path = text_str(&thread->shown);
    }
    finding_add(&thread->findings, &shown);
    if (check->options->tell != NULL) {
        check->options->tell(check->options->tell_user, &shown);
    }
}

void
check_add_spot(struct check *check, const struct check_spot *spot)
{
    ASSERT(spot->path != NULL);
    (void)pthread_mutex_lock(&check->mutex);
    if (check->spot_count == FIX_STEPS_MAX || strlen(spot->path) > FIX_PATH_BYTES_MAX) {
        check->spots_lost[spot->code]++;
    } else {
        if (check->spot_count == check->spot_room) {
            unsigned room = check->spot_room == 0 ? SPOTS_STEP : check->spot_room * 2;
            check->spots = mem_resize(check->spots, check->spot_room * sizeof *check->spots,
                                      room * sizeof *check->spots);
            check->spot_room = room;
        }
        struct check_spot *own = &check->spots[check->spot_count++];
        *own = *spot;
        own->path = arena_text(&check->arena, spot->path);
    }
    (void)pthread_mutex_unlock(&check->mutex);
}

/* Told of a folder, and again of all that lies in it. */
static bool
is_of_folder(enum finding_code code)
{
    switch (code) {
    case FINDING_CONTAINER_LENGTH:
    case FINDING_CONTAINER_CHARACTERS:
    case FINDING_CONTAINER_DASH:
    case FINDING_CONTAINER_UPPER_CASE:
    case FINDING_ROOT_FOLDER_UNKNOWN:
    case FINDING_TIER_CASE_VARIANT:
    case FINDING_FOLDER_DISALLOWED:
    case FINDING_DIRECTORY_DISALLOWED:
    case FINDING_DISK_TIER_MISSING: return true;
    default: return false;
    }
}

static struct check_mark *
find_mark(struct check_mark *mark, enum finding_code code)
{
    while (mark != NULL && mark->code != code) {
        mark = mark->outer;
    }
    return mark;
}

static struct check_share *
share_of(const struct check_mark *mark)
{
    return mark == NULL ? NULL : mark->share;
}

/* A new mark within outer; outer itself if there are too many. */
static struct check_mark *
add_mark(struct check *check, struct check_mark *outer, const struct check_mark *like)
{
    struct check_mark *mark = outer;
    (void)pthread_mutex_lock(&check->mutex);
    if (check->mark_count < CHECK_MARKS_MAX) {
        mark = arena_take(&check->arena, sizeof *mark);
        mark->outer = outer;
        mark->share = like->share != NULL ? like->share : share_of(outer);
        mark->code = like->code;
        mark->tree = check->tree;
        mark->path = like->path == NULL ? NULL : arena_text(&check->arena, like->path);
        mark->is_settled = like->is_settled;
        mark->next = check->marks;
        check->marks = mark;
        check->mark_count++;
    }
    (void)pthread_mutex_unlock(&check->mutex);
    return mark;
}

/* ---- folders ---- */

static struct check_mark *
mark_folder(struct check *check, struct check_thread *thread, struct check_mark *mark,
            const char *path, const struct judgement *judgement)
{
    for (unsigned i = 0; i < judgement->finding_count; i++) {
        enum finding_code code = judgement->findings[i];
        struct check_mark like = {
            .code = code, .path = path, .is_settled = judgement->is_settled[i]};
        if (!is_of_folder(code) || find_mark(mark, code) != NULL) {
            continue;
        }
        struct check_mark *own = add_mark(check, mark, &like);
        if (own == mark) {
            check_add(check, thread,
                      &(struct finding){
                          .code = code, .is_settled = judgement->is_settled[i], .path = path});
        }
        mark = own;
    }
    return mark;
}

/* Where the plan, if there is one, has the path lie. */
static void
place_of(const struct check *check, struct check_thread *thread, const char *path,
         struct place *ret_place)
{
    const struct judge_rules *rules = &check->options->rules;
    if (fix_plan_rewrite(rules->plan, path, &thread->key)) {
        path = text_str(&thread->key);
    }
    layout_place(&rules->device, path, WHAT_FOLDER, ret_place);
}

/* What a container's name comes to is told of what lies in it; so ask for a file that could. */
static struct check_mark *
look_at_container(struct check *check, struct check_thread *thread, struct check_mark *mark,
                  const struct tree_entry *folder)
{
    struct judgement judgement;
    text_clear(&thread->key);
    text_add(&thread->key, folder->path, folder->path_len);
    text_add_str(&thread->key, "/x");
    struct judge_entry file = {.path = text_str(&thread->key), .what = WHAT_FILE};
    judge_entry(&check->options->rules, &file, &thread->scratch, &judgement);
    if (judgement.verdict != ENTRY_SKIP) {
        struct container_source source = {.path = folder->path, .tree = check->tree};
        (void)containers_note(&check->containers, &judgement, &source);
    }
    return mark_folder(check, thread, mark, folder->path, &judgement);
}

static bool
on_folder(void *check_, unsigned thread_index, const struct tree_entry *folder, void **tag)
{
    struct check *check = check_;
    struct check_thread *thread = &check->threads[thread_index];
    struct check_mark *mark = *tag;
    struct judge_entry entry = {.path = folder->path, .what = WHAT_FOLDER};
    struct judgement judgement;
    struct place place;
    place_of(check, thread, folder->path, &place);
    if (folder->depth == 1) {
        struct check_mark like = {.share = check_find_share(check, folder->name)};
        if (place.is_no_data &&
            !fix_plan_rewrite(check->options->rules.plan, folder->path, &thread->key)) {
            return false;
        }
        mark = like.share == NULL ? mark : add_mark(check, mark, &like);
    }
    judge_entry(&check->options->rules, &entry, &thread->scratch, &judgement);
    mark = mark_folder(check, thread, mark, folder->path, &judgement);
    bool is_blobs_or_files = place.kind != SHARE_NONE && place.kind != SHARE_DISKS;
    if (place.container.len > 0 && place.item[0] == '\0' && !place.is_disk_folder) {
        mark = look_at_container(check, thread, mark, folder);
    }
    thread->names_of = is_blobs_or_files && place.container.len > 0 ? place.kind : SHARE_NONE;
    name_set_clear(&thread->names);
    *tag = mark;
    return true;
}

/* ---- names ---- */

static void
look_at_name(struct check *check, struct check_thread *thread, const struct tree_entry *entry)
{
    struct slice name = {.at = entry->name,
                         .len = entry->path_len - (size_t)(entry->name - entry->path)};
    if (thread->names_of == SHARE_NONE || !name_set_add(&thread->names, name)) {
        return;
    }
    /* A blob's name has a case; in a file share one of the two takes the other's place. */
    check_add(check, thread,
              &(struct finding){.code = FINDING_CASE_COLLISION,
                                .cls = thread->names_of == SHARE_FILES ? FINDING_CRITICAL
                                                                       : FINDING_CLASS_NONE,
                                .path = entry->path,
                                .bytes = entry->size_bytes});
}

static void
on_child(void *check_, unsigned thread_index, const struct tree_entry *child)
{
    struct check *check = check_;
    look_at_name(check, &check->threads[thread_index], child);
}

/* ---- files ---- */

static void
add_bytes(_Atomic(uint64_t) *sum, uint64_t bytes)
{
    uint64_t before = atomic_load_explicit(sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(sum, &before, check_sum(before, bytes),
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

static void
count_in_container(struct check *check, struct check_thread *thread, const struct tree_entry *entry,
                   const struct judgement *judgement)
{
    struct container *last = thread->container;
    bool is_files = judgement->share == SHARE_FILES;
    if (last == NULL || last->is_files != is_files ||
        strcmp(last->name, judgement->container) != 0 ||
        strcmp(last->account, judgement->account) != 0) {
        thread->container = containers_note(&check->containers, judgement, NULL);
    }
    if (thread->container != NULL && is_files) {
        add_bytes(&thread->container->bytes, entry->size_bytes);
    }
}

static void
add_findings(struct check *check, struct check_thread *thread, const struct tree_entry *entry,
             const struct judgement *judgement)
{
    for (unsigned i = 0; i < judgement->finding_count; i++) {
        enum finding_code code = judgement->findings[i];
        bool is_settled = judgement->is_settled[i];
        struct check_mark *mark = is_of_folder(code) ? find_mark(entry->tag, code) : NULL;
        if (mark != NULL) {
            atomic_fetch_add(is_settled ? &mark->files_settled : &mark->files_halting, 1);
            add_bytes(&mark->bytes, entry->size_bytes);
            continue;
        }
        check_add(check, thread,
                  &(struct finding){.code = code,
                                    .is_settled = is_settled,
                                    .path = entry->path,
                                    .bytes = entry->size_bytes});
        if (!is_settled && catalogue_row(code)->fix == FIX_MAP) {
            check_add_spot(check,
                           &(struct check_spot){.code = code, .path = entry->path, .files = 1});
        }
    }
}

/* Those that are to become disks are looked into. What turns out to be no file any more, or not to
 * be readable, is judged as that. */
static const struct vhd *
look_into(struct check *check, const struct tree_entry *entry, struct judge_entry *judged,
          struct vhd *vhd)
{
    struct err err = ERR_NONE;
    if (judged->what != WHAT_FILE || !judge_wants_content(&check->options->rules, entry->path)) {
        return NULL;
    }
    int fd = tree_open_file(entry->folder, entry->name);
    enum err_code code = fd < 0 ? ERR_OK : vhd_look(fd, entry->size_bytes, vhd, &err);
    if (fd == -ENXIO) {
        judged->what = WHAT_SPECIAL;
    } else if (fd < 0 || code != ERR_OK) {
        judged->what = WHAT_UNREADABLE;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return judged->what == WHAT_FILE ? vhd : NULL;
}

static void
tell_progress(struct check *check)
{
    uint64_t items = 0;
    uint64_t bytes = 0;
    if (check->options->progress == NULL) {
        return;
    }
    for (unsigned i = 0; i < check->thread_count; i++) {
        items += atomic_load_explicit(&check->threads[i].items, memory_order_relaxed);
        bytes =
            check_sum(bytes, atomic_load_explicit(&check->threads[i].bytes, memory_order_relaxed));
    }
    check->options->progress(check->options->user, items, bytes);
}

static void
count_item(struct check *check, unsigned thread_index, uint64_t bytes)
{
    struct check_thread *thread = &check->threads[thread_index];
    /* Its own thread alone writes them. */
    uint64_t items = atomic_load_explicit(&thread->items, memory_order_relaxed) + 1;
    atomic_store_explicit(&thread->items, items, memory_order_relaxed);
    uint64_t sum = atomic_load_explicit(&thread->bytes, memory_order_relaxed);
    atomic_store_explicit(&thread->bytes, check_sum(sum, bytes), memory_order_relaxed);
    if (thread_index == 0 && items % PROGRESS_EVERY == 0) {
        tell_progress(check);
    }
}

static void
on_entry(void *check_, unsigned thread_index, const struct tree_entry *entry)
{
    struct check *check = check_;
    struct check_thread *thread = &check->threads[thread_index];
    struct judge_entry judged = {.path = entry->path,
                                 .what = entry->what,
                                 .size_bytes = entry->size_bytes,
                                 .mtime_ns = entry->mtime_ns};
    struct judgement judgement;
    struct vhd vhd;
    struct check_share *share = share_of(entry->tag);
    if (share != NULL && share->has_manifest && entry->what == WHAT_FILE) {
        manifest_set_prefetch(check->manifest, entry->path, entry->path_len);
    }
    judged.vhd = look_into(check, entry, &judged, &vhd);
    judge_entry(&check->options->rules, &judged, &thread->scratch, &judgement);
    add_findings(check, thread, entry, &judgement);
    if (entry->depth > 0 && entry->folder >= 0) {
        look_at_name(check, thread, entry);
    }
    if (judged.what != WHAT_FILE) {
        return;
    }
    if (judgement.verdict == ENTRY_IS_NO_DATA) {
        thread->files_ignored++;
        return;
    }
    count_item(check, thread_index, entry->size_bytes);
    if (share != NULL && judgement.verdict != ENTRY_SKIP) {
        atomic_fetch_add_explicit(&share->files, 1, memory_order_relaxed);
    }
    if (share != NULL) {
        check_compare(check, thread, share, entry, &judgement);
    }
    if (judgement.verdict != ENTRY_SKIP && judgement.container[0] != '\0') {
        count_in_container(check, thread, entry, &judgement);
    }
    if (judgement.verdict == ENTRY_COPY || judgement.verdict == ENTRY_COPY_RENAMED) {
        check_look_at_target(check, thread, entry, &judgement);
    }
}

static void
on_read(void *check_, unsigned thread_index, const struct tree_entry *folder, uint64_t entries)
{
    struct check *check = check_;
    struct check_thread *thread = &check->threads[thread_index];
    if (folder->depth > 0 && entries == 0 && thread->names_of == SHARE_FILES) {
        thread->folders_empty++;
    }
}

const struct tree_events check_events = {
    .folder = on_folder, .child = on_child, .entry = on_entry, .read = on_read};
