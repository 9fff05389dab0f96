#include "ingest/device/check.h"

#include "base/clock.h"
#include "base/fd.h"
#include "ingest/device/check_state.h"
#include "ingest/device/propose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#define ARENA_CHUNK  ((size_t)64 << 10)
#define THREADS_MAX  4U
#define ROOT_FLAGS   (O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC)
#define ROUNDS_MAX   3
#define SCRATCH_ELSE "/var/tmp"

static const char *
scratch_of(const struct check_options *options)
{
    const char *folder = options->scratch_folder;
    if (folder == NULL) {
        folder = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): before the threads begin
    }
    return folder == NULL || folder[0] == '\0' ? SCRATCH_ELSE : folder;
}

static void
check_init(struct check *check, const struct check_options *options)
{
    *check = (struct check){.options = options, .mutex = PTHREAD_MUTEX_INITIALIZER};
    unsigned cores = (unsigned)MAX_OF(get_nprocs(), 1);
    check->thread_count = options->threads == 0 ? MIN_OF(cores, THREADS_MAX)
                                                : MIN_OF(options->threads, TREE_THREADS_MAX);
    check->started_ns = clock_wall_ns(&clock_system);
    arena_init(&check->arena, ARENA_CHUNK);
    containers_init(&check->containers);
    name_set_init(&check->disks);
    for (unsigned i = 0; i < check->thread_count; i++) {
        finding_set_init(&check->threads[i].findings);
        name_set_init(&check->threads[i].names);
    }
    for (unsigned i = 0; i < CHECK_TREES_MAX; i++) {
        check->roots[i] = -1;
    }
}

static void
check_done(struct check *check)
{
    for (unsigned i = 0; i < check->thread_count; i++) {
        struct check_thread *thread = &check->threads[i];
        judge_scratch_done(&thread->scratch);
        finding_set_done(&thread->findings);
        name_set_done(&thread->names);
        text_done(&thread->shown);
        text_done(&thread->key);
    }
    for (unsigned i = 0; i < CHECK_TREES_MAX; i++) {
        fd_close(&check->roots[i]);
    }
    manifest_set_free(check->manifest);
    manifest_set_free(check->targets);
    name_set_done(&check->disks);
    containers_done(&check->containers);
    mem_give(check->shares);
    mem_give(check->spots);
    arena_done(&check->arena);
}

static enum err_code
open_tree(struct check *check, unsigned index, struct err *err)
{
    const char *path = check->options->paths[index];
    check->roots[index] = open(path, ROOT_FLAGS);
    if (check->roots[index] < 0) {
        enum err_code code =
            errno == ENOENT || errno == ENOTDIR ? ERR_STORE_GONE : err_from_source_errno(errno);
        return err_set_sys(err, code, errno, "cannot read the device tree '%s'", path);
    }
    return ERR_OK;
}

static void
note_groups(struct check *check)
{
    for (unsigned i = 0; i < check->share_count; i++) {
        const struct check_share *share = check->shares[i];
        if (share->kind == SHARE_DISKS && atomic_load(&share->files) > 0 &&
            check->group_count < CHECK_GROUPS_MAX) {
            check->groups[check->group_count++] = share->account;
        }
    }
}

static enum err_code
check_tree(struct check *check, unsigned index, struct err *err)
{
    struct tree_events events = check_events;
    struct tree_options options = {.threads = check->thread_count,
                                   .signal = check->options->signal};
    check->tree = index;
    events.user = check;
    check_look_at_root(check);
    check_list_shares(check);
    check_read_scan_log(check);
    enum err_code code = check_read_manifests(check, err);
    if (code == ERR_OK && tree_walk(check->roots[index], &options, &events, err) != ERR_OK) {
        code = err_wrap(err, "'%s'", check->options->paths[index]);
    }
    if (code == ERR_OK && check->err.code != ERR_OK) {
        *err = check->err;
        code = err->code;
    }
    code = code == ERR_OK ? check_unseen(check, err) : code;
    if (check->options->path_count > 1) {
        check->manifest = manifest_set_free(check->manifest);
    }
    note_groups(check);
    return code;
}

static enum err_code
check_trees(struct check *check, struct check_result *result, struct err *err)
{
    enum err_code code = ERR_OK;
    unsigned count = check->options->path_count;
    for (unsigned i = 0; i < count && code == ERR_OK; i++) {
        code = open_tree(check, i, err);
    }
    check->has_targets = count > 1;
    if (code == ERR_OK) {
        code = manifest_set_new(check->options->scratch_folder, &check->targets, err);
    }
    for (unsigned i = 0; i < count && code == ERR_OK; i++) {
        code = check_tree(check, i, err);
    }
    return code == ERR_OK ? check_whole(check, result, err) : code;
}

static void
list_stored(const struct check *check, struct check_result *result)
{
    unsigned at = 0;
    const struct container *container;
    while ((container = containers_next(&check->containers, &at)) != NULL) {
        if (!container->has_data) {
            continue;
        }
        size_t bytes = result->stored_count * sizeof *result->stored;
        result->stored = mem_resize(result->stored, bytes, bytes + sizeof *result->stored);
        result->stored[result->stored_count++] =
            (struct check_container){.account = mem_text(container->account),
                                     .name = mem_text(container->name),
                                     .is_files = container->is_files};
    }
}

static enum err_code
check_once(const struct check_options *options, struct check_result *ret_result, struct err *err)
{
    struct check_result result = {0};
    struct check *check = mem_take(sizeof *check);
    check_init(check, options);
    finding_set_init(&result.findings);
    fix_plan_init(&result.proposal);
    enum err_code code = check_trees(check, &result, err);
    if (code == ERR_OK) {
        finding_set_sort(&result.findings);
        result.verdict = finding_verdict(&result.findings);
        if (result.verdict == VERDICT_HALT) {
            propose(check, &result);
        }
        list_stored(check, &result);
        result.manifest = check->manifest;
        check->manifest = NULL;
        *ret_result = result;
    } else {
        check_result_done(&result);
    }
    check_done(check);
    mem_give(check);
    return code;
}

/* Steps by code or for a list take away what they are made for and move nothing. Where something
 * is taken for another place, it may meet there what nobody has seen before; of packs nothing else
 * was looked at. */
static bool
moves_anything(const struct fix_plan *plan)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct fix_step *step = &plan->steps[i];
        if (step->kind == FIX_MAP || step->kind == FIX_TIER || step->code == FINDING_PACKED_FILES) {
            return true;
        }
    }
    return false;
}

static enum verdict
verdict_by_codes(const struct check_result *result)
{
    for (unsigned i = 0; i < result->findings.group_count; i++) {
        const struct finding_group *group = &result->findings.groups[i];
        if (group->halt != HALT_NONE && result->fixes[group->code] == 0) {
            return VERDICT_HALT;
        }
    }
    return VERDICT_WARNINGS;
}

/* What the tree would come to with the proposed plan; while that shows something new to mend, the
 * plan gets steps for it. The steps that it had stay where they are. */
static enum err_code
try_proposal(const struct check_options *options, struct check_result *result, struct err *err)
{
    enum err_code code = ERR_OK;
    struct check_options with_plan = *options;
    with_plan.tell = NULL;
    result->proposal_verdict = verdict_by_codes(result);
    for (int round = 0; round < ROUNDS_MAX && moves_anything(&result->proposal); round++) {
        struct check_result next = {0};
        with_plan.rules.plan = &result->proposal;
        code = check_once(&with_plan, &next, err);
        if (code != ERR_OK) {
            return code;
        }
        result->proposal_verdict = next.verdict;
        bool has_more = next.proposal.count > result->proposal.count;
        if (has_more) {
            struct fix_plan longer = next.proposal;
            next.proposal = result->proposal;
            result->proposal = longer;
        }
        check_result_done(&next);
        if (!has_more) {
            break;
        }
    }
    return code;
}

enum err_code
check_run(const struct check_options *options, struct check_result *ret_result, struct err *err)
{
    struct check_options own = *options;
    struct check_result result = {0};
    ASSERT(options->path_count >= 1);
    ASSERT(options->path_count <= CHECK_TREES_MAX);
    own.scratch_folder = scratch_of(options);
    enum err_code code = check_once(&own, &result, err);
    if (code != ERR_OK) {
        return code;
    }
    result.proposal_verdict = result.verdict;
    code = result.verdict == VERDICT_HALT ? try_proposal(&own, &result, err) : ERR_OK;
    if (code != ERR_OK) {
        check_result_done(&result);
        return code;
    }
    *ret_result = result;
    return ERR_OK;
}

void
check_result_done(struct check_result *result)
{
    finding_set_done(&result->findings);
    fix_plan_done(&result->proposal);
    for (unsigned i = 0; i < result->accounts; i++) {
        mem_give(result->account_names[i]);
    }
    for (unsigned i = 0; i < result->stored_count; i++) {
        mem_give(result->stored[i].account);
        mem_give(result->stored[i].name);
    }
    result->stored = mem_give(result->stored);
    result->stored_count = 0;
    result->manifest = manifest_set_free(result->manifest);
    result->account_names = mem_give(result->account_names);
    result->accounts = 0;
}

const struct fix_step *
check_fix(const struct check_result *result, const struct finding_group *group)
{
    unsigned fix = result->fixes[group->code];
    return group->halt == HALT_NONE || fix == 0 ? NULL : &result->proposal.steps[fix - 1];
}
