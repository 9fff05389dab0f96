/*
 * ingest/device/check_state.h - what the parts of a check have in common; for check*.c and
 * propose.c alone.
 *
 * A finding about a folder (a container's name, a folder at the wrong place) is told by the judge
 * for the folder and again for everything in it. It is one thing to mend, so it is counted once: a
 * *mark* hangs on the folder, and what lies below adds to the mark instead. Whether it halts is
 * known when the walk is over: a folder whose files a plan has settled one by one does not.
 *
 *   owner    struct check; shares, marks and spots lie in its arena
 *   thread   regions of struct check say whose they are
 */
#ifndef INGEST_DEVICE_CHECK_STATE_H
#define INGEST_DEVICE_CHECK_STATE_H

#include "ingest/device/check.h"
#include "ingest/device/containers.h"
#include "ingest/device/manifest_set.h"
#include "ingest/device/name_set.h"
#include "ingest/device/tree_walk.h"

#define CHECK_MARKS_MAX  65536U
#define CHECK_GROUPS_MAX 1024U
#define CHECK_BIT(code)  (UINT64_C(1) << ((code)-FINDING_MANIFEST_MISSING))

/* A folder at the root that is a share. Constant during a walk but for what is counted. */
struct check_share {
    const char *name;
    const char *account;
    enum share_kind kind;
    unsigned tree;
    bool has_manifest;
    bool is_unusable;            /* the manifest is there and cannot be opened */
    bool is_gone;                /* a manifest lists it, the tree does not have it */
    bool is_settled;             /* by policy or plan: nothing about its manifest halts */
    int64_t manifest_mtime_ns;   /* of the newest */
    _Atomic(uint64_t) files;     /* that a manifest would list */
    _Atomic(uint64_t) different; /* bits by CHECK_BIT: what halts and building the list mends */
};

struct check_mark {
    struct check_mark *outer; /* of the folder above; NULL: none */
    struct check_mark *next;  /* of all */
    struct check_share *share;
    enum finding_code code; /* NONE: it only leads to the share */
    unsigned tree;
    const char *path;
    bool is_settled;
    _Atomic(uint64_t) files_settled, files_halting, bytes;
};

/* A path that needs a repair step of its own. */
struct check_spot {
    enum finding_code code;
    const char *path;
    uint64_t files;
    uint64_t also; /* bits by CHECK_BIT: other findings that the same step mends */
};

struct check_thread {
    struct judge_scratch scratch;
    struct finding_set findings;
    struct name_set names; /* of the folder at hand */
    struct text shown;     /* a path with its tree's */
    struct text key;
    struct container *container; /* of the last file */
    enum share_kind names_of;    /* NONE: names of this folder may be equal */
    _Atomic(uint64_t) items, bytes;
    uint64_t files_ignored, folders_empty;
};

struct check {
    const struct check_options *options;
    unsigned tree;             /* that is being walked */
    struct finding_group scan; /* SCAN_ISSUES of this tree, until it is known whether they halt */
    int roots[CHECK_TREES_MAX];
    int64_t started_ns; /* wall clock */
    unsigned thread_count;
    struct check_thread threads[TREE_THREADS_MAX];
    struct containers containers;
    /* Constant during a walk: */
    struct check_share **shares; /* of this tree, by name */
    unsigned share_count, share_room;
    struct manifest_set *manifest;        /* keys: share/path; NULL: nothing is listed */
    const char *groups[CHECK_GROUPS_MAX]; /* resource groups with data, of all trees */
    unsigned group_count;
    const char *block_share; /* of all trees, the first by name; NULL: none */
    const char *any_share;   /* likewise, of blobs or files */
    /* With the mutex held: */
    pthread_mutex_t mutex;
    struct arena arena;
    struct check_mark *marks;
    unsigned mark_count;
    struct check_spot *spots;
    unsigned spot_count, spot_room;
    unsigned spots_lost[FINDING_COUNT]; /* no room: their code gets no proposal */
    bool has_targets;                   /* several trees: all items are in targets */
    struct name_set disks;              /* names of managed disks */
    struct err err;                     /* the first that ends the check */
    struct manifest_set *targets;       /* of all items of several trees; of one tree, see
                                           check_target.c */
    /* After the walks: */
    struct finding_set findings;
};

/* check_entry.c: one tree's walk. */
extern const struct tree_events check_events; /* user: the struct check */
/* Add a finding to a thread's set; entry's path is shown with its tree's if there are several. */
void check_add(struct check *check, struct check_thread *thread, const struct finding *finding);
void check_add_spot(struct check *check, const struct check_spot *spot);

/* Sums of a device's own numbers: a tree may tell of more bytes than a counter holds. */
static inline uint64_t
check_sum(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* check_device.c: what the device itself says of what became of it. Before the walk. */
void check_look_at_root(struct check *check);
void check_read_scan_log(struct check *check);
/* After it, when it is known which shares hold files. */
void check_settle_scan(struct check *check);

/* check_target.c: does what this entry becomes stand there already? */
void check_look_at_target(struct check *check, struct check_thread *thread,
                          const struct tree_entry *entry, const struct judgement *judgement);

/* check_manifest.c: shares, and their lists of files. */
MUST_USE enum err_code check_read_manifests(struct check *check, struct err *err);
void check_compare(struct check *check, struct check_thread *thread, struct check_share *share,
                   const struct tree_entry *entry, const struct judgement *judgement);
MUST_USE enum err_code check_unseen(struct check *check, struct err *err);

void check_list_shares(struct check *check);
struct check_share *check_find_share(const struct check *check, const char *name);

/* check_whole.c: what only the whole tree tells, after the walks. */
MUST_USE enum err_code check_whole(struct check *check, struct check_result *result,
                                   struct err *err);

#endif
