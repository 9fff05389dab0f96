/* What a device says of itself, beside its data: was it formatted, was its metadata taken away, and
 * how did its own scan before shipping end? */
#include "base/fd.h"
#include "ingest/device/check_state.h"
#include "ingest/device/layout.h"
#include "ingest/device/log_read.h"
#include "storage/local/places.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER_FLAGS   (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define FILE_FLAGS     (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define RESOLVE        (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
/* Millions of issues; what is larger is not read but counts as one. */
#define SCAN_BYTES_MAX ((int64_t)256 << 20)

#define LISTS    "BOM"
#define IMPORT   "DataBoxDiskImport"
#define MANIFEST "DriveManifest.xml"

/* What stands at the root. */
struct root {
    bool has_any;      /* shares, data, and what else is not a file system's own */
    bool has_lists;    /* BOM */
    bool has_import;   /* a disk's folder of tools and logs */
    bool has_manifest; /* what Split Copy leaves on a disk */
};

static void
look_at_entry(const struct check *check, int folder, const char *name, struct root *root)
{
    struct stat st;
    struct place place;
    bool is_there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    enum entry_what what = !is_there             ? WHAT_UNREADABLE
                           : S_ISDIR(st.st_mode) ? WHAT_FOLDER
                           : S_ISREG(st.st_mode) ? WHAT_FILE
                                                 : WHAT_SPECIAL;
    layout_place(&check->options->rules.device, name, what, &place);
    root->has_any = root->has_any || !place.is_no_data;
    root->has_lists = root->has_lists || (place.is_no_data && strcmp(name, LISTS) == 0);
    root->has_import = root->has_import || (place.is_no_data && strcmp(name, IMPORT) == 0);
    root->has_manifest = root->has_manifest || (place.is_no_data && strcmp(name, MANIFEST) == 0);
}

void
check_look_at_root(struct check *check)
{
    struct root root = {0};
    int fd = openat(check->roots[check->tree], ".", FOLDER_FLAGS);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        fd_close(&fd);
        return; /* the walk tells it */
    }
    const struct dirent *dirent;
    while ((dirent = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): a DIR of our own
        if (strcmp(dirent->d_name, ".") != 0 && strcmp(dirent->d_name, "..") != 0) {
            look_at_entry(check, fd, dirent->d_name, &root);
        }
    }
    (void)closedir(dir);
    if (!root.has_any && !root.has_lists && !root.has_import && !root.has_manifest) {
        check_add(check, &check->threads[0], &(struct finding){.code = FINDING_DEVICE_FORMATTED});
    } else if (root.has_manifest && !root.has_import) {
        check_add(check, &check->threads[0],
                  &(struct finding){.code = FINDING_METADATA_REMOVED, .path = IMPORT});
    }
}

/* ---- the scan's own log ---- */

static void
add_issue(struct check *check, const char *path)
{
    struct finding_group *scan = &check->scan;
    scan->count++;
    if (scan->example_count < FINDING_EXAMPLES_MAX) {
        scan->examples[scan->example_count++] = arena_text(&check->arena, path);
    }
}

/* Names that the copy changes are no issues: the scan itself calls that success with warnings. */
static void
on_error(void *check, const struct error_xml_entry *entry)
{
    enum finding_code code = FINDING_NONE;
    bool is_ours = catalogue_find(entry->code, &code);
    if (strcmp(entry->code, "None") != 0 && (!is_ours || catalogue_row(code)->halt != HALT_NONE)) {
        add_issue(check, entry->path);
    }
}

void
check_read_scan_log(struct check *check)
{
    bool is_disk = check->options->rules.device.sku == SKU_DISK;
    const char *path = is_disk ? IMPORT "/logs/error.xml" : LISTS "/error.xml";
    struct log_reader_events events = {.user = check, .error = on_error};
    struct err err = ERR_NONE;
    struct stat st;
    check->scan = (struct finding_group){.code = FINDING_SCAN_ISSUES};
    if (check->options->manifest == MANIFEST_IGNORE) {
        return;
    }
    AUTO_FD fd = places_open(check->roots[check->tree], path, FILE_FLAGS, RESOLVE);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    /* What cannot be read says nothing but that there was something to say. */
    bool is_read = st.st_size <= SCAN_BYTES_MAX && log_read(fd, path, &events, &err) == ERR_OK;
    if (!is_read && check->scan.count == 0) {
        add_issue(check, path);
    }
}

/* Whoever goes by what is there, share by share, needs no scan of the device. */
void
check_settle_scan(struct check *check)
{
    struct finding finding = {.code = FINDING_SCAN_ISSUES, .is_settled = true};
    for (unsigned i = 0; i < check->share_count && check->scan.count > 0; i++) {
        struct check_share *share = check->shares[i];
        if (atomic_load(&share->files) > 0 && !share->is_settled) {
            finding.is_settled = false;
            atomic_fetch_or(&share->different, CHECK_BIT(FINDING_SCAN_ISSUES));
        }
    }
    for (uint64_t i = 0; i < check->scan.count; i++) {
        finding.path = i < check->scan.example_count ? check->scan.examples[i] : NULL;
        check_add(check, &check->threads[0], &finding);
    }
}
