/*
 * ingest/device/judge.h - one entry of a device tree: where it lies, where it goes, what is wrong.
 *
 * The one place that knows layouts, names, limits, policies and plans together. The checks and the
 * copy ask the same function, so what validate says is what copy does. It reads nothing: what only
 * content can tell (is it a fixed VHD?) comes in as an argument.
 *
 *   shape    an entry has at most JUDGE_FINDINGS_MAX findings; the first is the worst
 *   owner    texts of a struct judgement live in its scratch until the next call with it, or are
 *            pieces of the entry's path
 *   thread   rules are constant while anyone judges by them; a scratch belongs to one thread
 *   errors   none: what is wrong is in the judgement
 *   source   docs/DEVICES.md, which says for every rule where it comes from
 */
#ifndef INGEST_DEVICE_JUDGE_H
#define INGEST_DEVICE_JUDGE_H

#include "base/text.h"
#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"
#include "ingest/device/fix_plan.h"
#include "ingest/device/limits.h"
#include "ingest/device/vhd.h"
#include "storage/backend.h"

#define JUDGE_FINDINGS_MAX 8

enum bad_names { BAD_NAMES_HALT, BAD_NAMES_RENAME, BAD_NAMES_SKIP };

struct judge_rules {
    struct device_options device;
    const struct device_limits *limits;
    enum bad_names bad_names;
    const struct fix_plan *plan; /* NULL: none */
};

/* What the walk saw. */
struct judge_entry {
    const char *path; /* relative to the device's root */
    enum entry_what what;
    uint64_t size_bytes;
    int64_t mtime_ns;
    const struct vhd *vhd; /* NULL: content was not looked at; then no finding is about it */
};

enum verdict_of_entry {
    ENTRY_IS_NO_DATA, /* BOM, lost+found, a folder: nothing to copy */
    ENTRY_COPY,
    ENTRY_COPY_RENAMED,
    ENTRY_SKIP, /* left out by rule: policy or plan */
    ENTRY_HALT, /* some finding with a halt cause that no plan or policy takes away */
};

struct judgement {
    enum verdict_of_entry verdict;
    enum share_kind share;   /* after the plan's rewriting; NONE outside shares */
    struct slice share_name; /* "acct_BlockBlob"; of the entry's own path, not the rewritten one */
    const char *account;     /* account or resource group; "" on a disk */
    const char *container;   /* as stored: lower-cased, renamed; "$root" */
    const char *name;        /* of the blob below the container, as stored */
    struct slice container_original; /* as it stands in the tree; of length 0: none does */
    const char *name_original;       /* below it */
    const char *manifest_path; /* as the share's manifest has it: below the share, tier included;
                                  of the entry's own path; "" outside shares */
    enum blob_type type;       /* block or page; files of a file share are NONE */
    enum blob_tier tier;       /* NONE: the account's default */
    bool is_disk;              /* is to become a managed disk, not a mere page blob */
    bool is_container_renamed; /* also lower-cased */
    bool is_item_renamed;
    bool is_mapped; /* by the plan, from outside any share: no manifest knows it */
    enum finding_code findings[JUDGE_FINDINGS_MAX]; /* also those that policy or plan settled */
    bool is_settled[JUDGE_FINDINGS_MAX];            /* does not halt, or not any more */
    unsigned finding_count;
};

struct judge_scratch {
    struct text rewritten, account, container, name;
};

void judge_scratch_done(struct judge_scratch *scratch);
void judge_entry(const struct judge_rules *rules, const struct judge_entry *entry,
                 struct judge_scratch *scratch, struct judgement *ret);
/* Must the content of this file be looked at: is it to become a disk, or a page blob if it is one?
 * Cheap. */
bool judge_wants_content(const struct judge_rules *rules, const char *path);

#endif
