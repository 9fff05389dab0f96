/* What only whole trees tell: how many, how much, and what becomes the same. */
#include "base/fd.h"
#include "ingest/device/check_state.h"
#include "storage/local/places.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define ACCOUNTS_MAX 1024U
#define RESOLVE      (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static void
add(struct check *check, enum finding_code code, unsigned tree, const char *path)
{
    check->tree = tree;
    check_add(check, &check->threads[0], &(struct finding){.code = code, .path = path});
}

/* ---- marks ---- */

static bool
is_of_container_name(enum finding_code code)
{
    return code == FINDING_CONTAINER_LENGTH || code == FINDING_CONTAINER_CHARACTERS ||
           code == FINDING_CONTAINER_DASH || code == FINDING_CONTAINER_UPPER_CASE;
}

/* A folder halts if anything in it does; an empty one, if nothing has settled it. What an empty
 * folder is called does not matter, because nothing is made of it. */
static void
count_marks(struct check *check)
{
    for (struct check_mark *mark = check->marks; mark != NULL; mark = mark->next) {
        uint64_t settled = atomic_load(&mark->files_settled);
        uint64_t halting = atomic_load(&mark->files_halting);
        if (mark->code == FINDING_NONE ||
            (settled + halting == 0 && is_of_container_name(mark->code))) {
            continue;
        }
        bool is_settled = halting == 0 && (settled > 0 || mark->is_settled);
        check->tree = mark->tree;
        check_add(check, &check->threads[0],
                  &(struct finding){.code = mark->code,
                                    .is_settled = is_settled,
                                    .path = mark->path,
                                    .bytes = atomic_load(&mark->bytes)});
        enum fix_kind fix = catalogue_row(mark->code)->fix;
        if (!is_settled && (fix == FIX_MAP || fix == FIX_TIER)) {
            check_add_spot(check, &(struct check_spot){
                                      .code = mark->code, .path = mark->path, .files = halting});
        }
    }
}

/* ---- containers ---- */

static int
compare_sources(const void *a_, const void *b_)
{
    const struct container_source *a = a_;
    const struct container_source *b = b_;
    return a->tree != b->tree ? (a->tree < b->tree ? -1 : 1) : strcmp(a->path, b->path);
}

/* Whose name the container has by right: the folder that is called so, else the first. */
static const char *
owner_of(const struct container *container)
{
    for (unsigned i = 0; i < container->source_count; i++) {
        if (strcmp(container->sources[i].original, container->name) == 0) {
            return container->name;
        }
    }
    return container->sources[0].original;
}

struct overlap {
    struct check *check;
    const struct container *container;
    const struct container_source *source; /* that is walked */
    int others[CONTAINER_SOURCES_MAX];     /* those before it, open */
    const struct container_source *other_of[CONTAINER_SOURCES_MAX];
    unsigned other_count;
    struct text path;
    uint64_t found;
    atomic_int is_found;
};

/* Does this path become a blob of the container? */
static bool
is_in_container(const struct overlap *overlap, const char *folder, const char *below)
{
    struct check *check = overlap->check;
    struct judgement judgement;
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/%s", folder, below);
    struct judge_entry entry = {.path = text_str(&path), .what = WHAT_FILE};
    judge_entry(&check->options->rules, &entry, &check->threads[0].scratch, &judgement);
    return judgement.verdict != ENTRY_SKIP && judgement.verdict != ENTRY_IS_NO_DATA &&
           strcmp(judgement.container, overlap->container->name) == 0;
}

static void
on_overlap_entry(void *overlap_, unsigned thread, const struct tree_entry *entry)
{
    struct overlap *overlap = overlap_;
    (void)thread;
    for (unsigned i = 0; i < overlap->other_count && entry->what == WHAT_FILE; i++) {
        struct stat st;
        AUTO_FD fd = places_open(overlap->others[i], entry->path, O_PATH | O_NOFOLLOW, RESOLVE);
        if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
            !is_in_container(overlap, overlap->other_of[i]->path, entry->path) ||
            !is_in_container(overlap, overlap->source->path, entry->path)) {
            continue;
        }
        text_clear(&overlap->path);
        text_addf(&overlap->path, "%s/%s", overlap->source->path, entry->path);
        add(overlap->check, FINDING_CONTAINER_COLLISION, overlap->source->tree,
            text_str(&overlap->path));
        overlap->found++;
        return;
    }
}

static bool
take_folder(void *overlap, unsigned thread, const struct tree_entry *folder, void **tag)
{
    (void)overlap;
    (void)thread;
    (void)folder;
    (void)tag;
    return true;
}

static void
forget_folder(void *overlap, unsigned thread, const struct tree_entry *folder, uint64_t entries)
{
    (void)overlap;
    (void)thread;
    (void)folder;
    (void)entries;
}

/* Walk one of the container's folders. What is gone meanwhile is no error here. */
static enum err_code
walk_source(struct overlap *overlap,
            void (*entry)(void *user, unsigned thread, const struct tree_entry *entry),
            const atomic_int *signal, struct err *err)
{
    struct tree_events events = {
        .user = overlap, .folder = take_folder, .entry = entry, .read = forget_folder};
    struct tree_options options = {.threads = 1, .signal = signal};
    int root = overlap->check->roots[overlap->source->tree];
    AUTO_FD fd = places_open(root, overlap->source->path, FOLDER_FLAGS, RESOLVE);
    enum err_code code = fd < 0 ? ERR_OK : tree_walk(fd, &options, &events, err);
    return code == ERR_INTERRUPTED ? code : ERR_OK;
}

static void
on_data_entry(void *overlap_, unsigned thread, const struct tree_entry *entry)
{
    struct overlap *overlap = overlap_;
    (void)thread;
    if (entry->what == WHAT_FILE && is_in_container(overlap, overlap->source->path, entry->path)) {
        atomic_store(&overlap->is_found, 1);
    }
}

/* Does anything of this folder go into the container? The first file tells. */
static bool
holds_data(struct check *check, const struct container *container,
           const struct container_source *source)
{
    struct err err = ERR_NONE;
    struct overlap overlap = {.check = check, .container = container, .source = source};
    (void)walk_source(&overlap, on_data_entry, &overlap.is_found, &err);
    return atomic_load(&overlap.is_found) != 0;
}

/* The same path in two folders of one container would be the same blob. No table: each path of one
 * folder is looked for in those before it that are called as it is; the others are told as a whole.
 */
static enum err_code
find_overlaps(struct check *check, const struct container *container, unsigned index,
              struct err *err)
{
    struct overlap overlap = {.check = check,
                              .container = container,
                              .source = &container->sources[index],
                              .path = TEXT_INIT};
    for (unsigned i = 0; i < index; i++) {
        const struct container_source *other = &container->sources[i];
        bool is_alike = other->tree == overlap.source->tree &&
                        strcmp(other->original, overlap.source->original) == 0;
        int fd = is_alike
                     ? places_open(check->roots[other->tree], other->path, FOLDER_FLAGS, RESOLVE)
                     : -1;
        if (fd >= 0) {
            overlap.other_of[overlap.other_count] = other;
            overlap.others[overlap.other_count++] = fd;
        }
    }
    enum err_code code = overlap.other_count == 0
                             ? ERR_OK
                             : walk_source(&overlap, on_overlap_entry, check->options->signal, err);
    for (unsigned i = 0; i < overlap.other_count; i++) {
        fd_close(&overlap.others[i]);
    }
    text_done(&overlap.path);
    if (overlap.found > 0) {
        check_add_spot(check, &(struct check_spot){.code = FINDING_CONTAINER_COLLISION,
                                                   .path = overlap.source->path,
                                                   .files = overlap.found});
    }
    return code;
}

/* Where names differ, folders that put nothing into the container take no part. */
static void
drop_empty_sources(struct check *check, struct container *container)
{
    bool is_mixed = false;
    unsigned count = 0;
    for (unsigned i = 1; i < container->source_count; i++) {
        is_mixed =
            is_mixed || strcmp(container->sources[i].original, container->sources[0].original) != 0;
    }
    for (unsigned i = 0; is_mixed && i < container->source_count; i++) {
        if (holds_data(check, container, &container->sources[i])) {
            container->sources[count++] = container->sources[i];
        }
    }
    container->source_count = is_mixed ? count : container->source_count;
}

static enum err_code
look_at_container(struct check *check, struct container *container, struct err *err)
{
    const struct device_limits *limits = check->options->rules.limits;
    enum err_code code = ERR_OK;
    if (container->source_count == 0 || !container->has_data) {
        return ERR_OK;
    }
    qsort(container->sources, container->source_count, sizeof container->sources[0],
          compare_sources);
    drop_empty_sources(check, container);
    if (container->source_count == 0) {
        return ERR_OK;
    }
    const char *owner = owner_of(container);
    const struct container_source *first = &container->sources[0];
    uint64_t share_max = check->options->rules.device.file_shares == FILE_SHARES_STANDARD
                             ? limits->share_bytes_max
                             : limits->share_bytes_max_large;
    if (container->is_files && share_max > 0 && atomic_load(&container->bytes) > share_max) {
        add(check, FINDING_CAPACITY, first->tree, first->path);
    }
    if (container->has_more_sources) {
        add(check, FINDING_CONTAINER_COLLISION, first->tree, first->path);
        check->spots_lost[FINDING_CONTAINER_COLLISION]++;
    }
    for (unsigned i = 0; i < container->source_count && code == ERR_OK; i++) {
        const struct container_source *source = &container->sources[i];
        if (strcmp(source->original, owner) != 0) {
            add(check, FINDING_CONTAINER_COLLISION, source->tree, source->path);
            check_add_spot(check, &(struct check_spot){.code = FINDING_CONTAINER_COLLISION,
                                                       .path = source->path});
        } else if (i > 0) {
            code = find_overlaps(check, container, i, err);
        }
    }
    return code;
}

/* ---- accounts and counts ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A disk's account has no name on it. More than any device may name are not told apart. */
static void
take_account(struct check_result *result, const char *account)
{
    if (account[0] == '\0' || result->accounts == ACCOUNTS_MAX) {
        return;
    }
    for (unsigned i = 0; i < result->accounts; i++) {
        if (strcmp(result->account_names[i], account) == 0) {
            return;
        }
    }
    result->account_names = mem_resize(result->account_names, result->accounts * sizeof(char *),
                                       (result->accounts + 1) * sizeof(char *));
    result->account_names[result->accounts++] = mem_text(account);
}

/* Resource groups of managed disks need an end as accounts do, and are not limited. */
static void
collect_accounts(struct check *check, struct check_result *result)
{
    unsigned at = 0;
    struct container *container;
    while ((container = containers_next(&check->containers, &at)) != NULL) {
        if (container->has_data && !container->is_disks) {
            take_account(result, container->account);
        }
    }
    if (result->accounts > check->options->rules.limits->accounts_max) {
        add(check, FINDING_ACCOUNT_COUNT, 0, NULL);
    }
    for (unsigned i = 0; i < check->group_count; i++) {
        take_account(result, check->groups[i]);
    }
    if (result->accounts > 0) {
        qsort(result->account_names, result->accounts, sizeof(char *), compare_texts);
    }
}

/* Premium accounts have a limit of their own besides each share's. */
static void
look_at_capacity(struct check *check, const struct check_result *result)
{
    uint64_t max = check->options->rules.limits->account_bytes_max;
    bool is_premium = check->options->rules.device.file_shares == FILE_SHARES_PREMIUM;
    for (unsigned i = 0; is_premium && max > 0 && i < result->accounts; i++) {
        uint64_t sum = 0;
        unsigned at = 0;
        const struct container *container;
        while ((container = containers_next(&check->containers, &at)) != NULL) {
            bool is_of_it = container->is_files && container->has_data &&
                            strcmp(container->account, result->account_names[i]) == 0;
            sum = is_of_it ? check_sum(sum, atomic_load(&container->bytes)) : sum;
        }
        if (sum > max) {
            add(check, FINDING_ACCOUNT_CAPACITY, 0, result->account_names[i]);
        }
    }
}

static void
look_at_counts(struct check *check, struct check_result *result)
{
    const struct device_limits *limits = check->options->rules.limits;
    result->containers = containers_count(&check->containers);
    if (result->containers > limits->containers_max) {
        add(check, FINDING_CONTAINER_COUNT, 0, NULL);
    }
    if (result->items > limits->files_max) {
        add(check, FINDING_FILE_COUNT, 0, NULL);
    }
}

static void
sum_threads(struct check *check, struct check_result *result)
{
    for (unsigned i = 0; i < check->thread_count; i++) {
        struct check_thread *thread = &check->threads[i];
        result->items += atomic_load(&thread->items);
        result->bytes = check_sum(result->bytes, atomic_load(&thread->bytes));
        result->files_ignored += thread->files_ignored;
        result->folders_empty += thread->folders_empty;
    }
}

enum err_code
check_whole(struct check *check, struct check_result *result, struct err *err)
{
    enum err_code code = ERR_OK;
    unsigned at = 0;
    sum_threads(check, result);
    count_marks(check);
    for (struct container *container;
         code == ERR_OK && (container = containers_next(&check->containers, &at)) != NULL;) {
        code = look_at_container(check, container, err);
    }
    collect_accounts(check, result);
    look_at_capacity(check, result);
    look_at_counts(check, result);
    for (unsigned i = 0; i < check->thread_count; i++) {
        finding_set_merge(&result->findings, &check->threads[i].findings);
    }
    return code;
}
