#include "ingest/device/manifest_build.h"

#include "base/fd.h"
#include "ingest/device/layout.h"
#include "ingest/device/sum_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES ((size_t)1 << 20)

/* The share at hand and its manifest. */
struct share {
    const char *name;
    enum share_kind kind;
    int fd;             /* of the staged manifest; -1: not begun */
    struct text file;   /* name of the manifest */
    struct text staged; /* and as long as it is not whole */
    struct text lines;
    uint64_t items;
    uint64_t bytes;
    bool is_withheld; /* something of it cannot be listed */
};

struct build {
    const struct manifest_build_options *options;
    struct manifest_build_result *result;
    int root;
    int output; /* -1: not there yet */
    dev_t output_dev;
    ino_t output_ino;
    struct text output_path;
    struct share share;
    struct sum_pool *pool;
    struct text path; /* for messages */
    struct err err;   /* the first that ends the whole: the target cannot be written */
};

/* ---- Where manifests go ---- */

/* 0 or an errno; -1 as fd is no error: it is not there. */
static int
open_output(const struct build *build, int *ret_fd)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const char *output = build->options->output;
    /* What lies on a device must not lead elsewhere; what the caller names may. */
    *ret_fd = output == NULL ? openat(build->root, MANIFEST_FOLDER, flags | O_NOFOLLOW)
                             : open(output, flags);
    return *ret_fd < 0 && errno != ENOENT ? errno : 0;
}

static enum err_code
output_failed(const struct build *build, int sys, struct err *err)
{
    return err_set_sys(err, err_from_target_errno(sys), sys, "cannot write manifests in '%s'%s",
                       text_str(&build->output_path),
                       build->options->output == NULL ? "; name another folder with --output" : "");
}

static enum err_code
take_output(struct build *build, int fd, struct err *err)
{
    struct stat st;
    build->output = fd;
    if (fstat(fd, &st) != 0) {
        return output_failed(build, errno, err);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return err_set(err, ERR_RUNNING, "another run writes manifests in '%s'",
                       text_str(&build->output_path));
    }
    build->output_dev = st.st_dev;
    build->output_ino = st.st_ino;
    return ERR_OK;
}

/* A folder for manifests is made only when there is one to put into it. */
static enum err_code
make_output(struct build *build, struct err *err)
{
    int fd = -1;
    const char *output = build->options->output;
    int failed = output == NULL ? mkdirat(build->root, MANIFEST_FOLDER, 0777) : mkdir(output, 0777);
    if (failed != 0 && errno != EEXIST) {
        return output_failed(build, errno, err);
    }
    int sys = open_output(build, &fd);
    if (fd < 0) {
        return output_failed(build, sys == 0 ? ENOENT : sys, err);
    }
    return take_output(build, fd, err);
}

/* ---- A manifest ---- */

static enum err_code
write_failed(const struct build *build, struct err *err)
{
    return err_set_sys(err, err_from_target_errno(errno), errno, "could not write manifest '%s/%s'",
                       text_str(&build->output_path), text_str(&build->share.file));
}

static enum err_code
flush_lines(struct build *build, struct err *err)
{
    const char *at = text_str(&build->share.lines);
    size_t left = build->share.lines.len;
    if (build->share.lines.is_broken) {
        return err_set(err, ERR_SYSTEM, "no memory for the lines of a manifest");
    }
    while (left > 0) {
        ssize_t done = write(build->share.fd, at, left);
        if (done < 0 && errno != EINTR) {
            return write_failed(build, err);
        }
        at += done > 0 ? done : 0;
        left -= done > 0 ? (size_t)done : 0;
    }
    text_clear(&build->share.lines);
    return ERR_OK;
}

/* Whatever has the staged name is ours or a trap; both go, and neither is written through. */
static enum err_code
begin_manifest(struct build *build, struct err *err)
{
    struct share *share = &build->share;
    enum err_code code = build->output < 0 ? make_output(build, err) : ERR_OK;
    if (code != ERR_OK) {
        return code;
    }
    manifest_file_name(share->name, share->kind, &share->file);
    text_clear(&share->staged);
    text_addf(&share->staged, "%s.partial", text_str(&share->file));
    (void)unlinkat(build->output, text_str(&share->staged), 0);
    share->fd = openat(build->output, text_str(&share->staged),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return share->fd < 0 ? write_failed(build, err) : ERR_OK;
}

static void
drop_manifest(struct build *build)
{
    if (build->share.fd >= 0) {
        fd_close(&build->share.fd);
        (void)unlinkat(build->output, text_str(&build->share.staged), 0);
    }
    text_clear(&build->share.lines);
}

static enum err_code
publish_manifest(struct build *build, struct err *err)
{
    struct share *share = &build->share;
    const char *file = text_str(&share->file);
    enum err_code code = flush_lines(build, err);
    if (code != ERR_OK) {
        return code;
    }
    if (fsync(share->fd) != 0 ||
        renameat(build->output, text_str(&share->staged), build->output, file) != 0) {
        return write_failed(build, err);
    }
    fd_close(&share->fd);
    if (fsync(build->output) != 0 || (build->options->output == NULL && fsync(build->root) != 0)) {
        return write_failed(build, err);
    }
    build->result->files_written++;
    build->result->items += share->items;
    build->result->bytes += share->bytes;
    text_clear(&build->path);
    text_addf(&build->path, "%s/%s", text_str(&build->output_path), file);
    const struct manifest_written written = {.path = text_str(&build->path),
                                             .share = share->name,
                                             .items = share->items,
                                             .bytes = share->bytes};
    build->options->tell_written(build->options->user, &written);
    return ERR_OK;
}

/* ---- Files ---- */

/* Tell what is in no manifest. name: below the share, or NULL for the entry at the root itself. */
static void
tell(struct build *build, const char *top, const char *name, const struct sum_file *file)
{
    struct err err = ERR_NONE;
    text_clear(&build->path);
    text_addf(&build->path, name == NULL || name[0] == '\0' ? "%s%s" : "%s/%s", top,
              name == NULL ? "" : name);
    const char *path = text_str(&build->path);
    if (file->sys != 0) {
        (void)err_set_sys(&err, file->code, file->sys, "%s '%s'", file->words, path);
    } else {
        (void)err_set(&err, file->code, "'%s' %s", path, file->words);
    }
    build->options->tell(build->options->user, path, &err);
}

static void
fail(struct build *build, const struct err *err)
{
    if (build->err.code == ERR_OK) {
        build->err = *err;
    }
}

static void
add_line(struct build *build, const struct sum_file *file)
{
    struct share *share = &build->share;
    struct err err = ERR_NONE;
    enum err_code code = share->fd < 0 ? begin_manifest(build, &err) : ERR_OK;
    if (code == ERR_OK) {
        manifest_write_line(&share->lines, file->path, file->path_len, file->size_bytes,
                            file->crc64);
        share->items++;
        share->bytes += file->size_bytes;
        code = share->lines.len >= FLUSH_BYTES ? flush_lines(build, &err) : ERR_OK;
    }
    if (code != ERR_OK) {
        fail(build, &err);
    }
}

static void
on_file(void *user, const struct sum_file *file)
{
    struct build *build = user;
    if (file->code == ERR_INTERRUPTED || build->err.code != ERR_OK) {
        return;
    }
    if (file->code == ERR_OK) {
        if (!build->share.is_withheld) {
            add_line(build, file);
        }
        return;
    }
    tell(build, build->share.name, file->path, file);
    if (file->code == ERR_ITEM_SPECIAL) {
        build->result->special++;
    } else {
        build->result->failed++;
        build->share.is_withheld = true;
        drop_manifest(build);
    }
}

static bool
is_interrupted(const struct build *build)
{
    return build->options->signal != NULL && atomic_load(build->options->signal) != 0;
}

static enum err_code
interrupted(struct err *err)
{
    return err_set(err, ERR_INTERRUPTED, "interrupted; manifests that were whole stay");
}

/* ---- The tree ---- */

static void
add_files(struct build *build, struct sorted_walk *walk)
{
    struct sorted_entry entry;
    while (build->err.code == ERR_OK && sorted_walk_next(walk, &entry)) {
        sum_pool_add(build->pool, &entry);
    }
    sum_pool_flush(build->pool);
}

static enum err_code
walk_share(struct build *build, int fd, struct err *err)
{
    struct sorted_walk *walk = NULL;
    const struct sorted_options options = {.avoid_ino = &build->output_ino,
                                           .avoid_dev = &build->output_dev,
                                           .signal = build->options->signal};
    enum err_code code = sorted_walk_new(fd, &options, &walk, err);
    if (code != ERR_OK) {
        return code;
    }
    add_files(build, walk);
    sorted_walk_free(walk);
    if (build->err.code != ERR_OK) {
        *err = build->err;
        return err->code;
    }
    if (is_interrupted(build)) {
        return interrupted(err);
    }
    build->result->files_withheld += build->share.is_withheld ? 1 : 0;
    return build->share.fd >= 0 ? publish_manifest(build, err) : ERR_OK;
}

static enum err_code
build_share(struct build *build, const char *name, enum share_kind kind, struct err *err)
{
    int fd = openat(build->root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        const struct sum_file file = {
            .code = err_from_source_errno(errno), .sys = errno, .words = "could not open folder"};
        tell(build, name, NULL, &file);
        build->result->failed++;
        build->result->files_withheld++;
        return ERR_OK;
    }
    struct share *share = &build->share;
    share->name = name;
    share->kind = kind;
    share->items = share->bytes = 0;
    share->is_withheld = false;
    enum err_code code = walk_share(build, fd, err);
    drop_manifest(build);
    return code;
}

static enum err_code
build_entry(struct build *build, const struct sorted_entry *entry, struct err *err)
{
    static const enum entry_what whats[] = {[SORTED_FILE] = WHAT_FILE,
                                            [SORTED_FOLDER] = WHAT_FOLDER,
                                            [SORTED_SPECIAL] = WHAT_SPECIAL,
                                            [SORTED_FAILED] = WHAT_UNREADABLE};
    struct place place;
    struct place as_folder;
    layout_place(&build->options->device, entry->path, whats[entry->kind], &place);
    layout_place(&build->options->device, entry->path, WHAT_FOLDER, &as_folder);
    enum share_kind kind = as_folder.kind;
    struct sum_file file = {.code = entry->code, .sys = entry->sys, .words = entry->words};
    if (entry->kind == SORTED_FOLDER && kind != SHARE_NONE) {
        return build_share(build, entry->path, kind, err);
    }
    if (place.is_no_data) {
        return ERR_OK;
    }
    if (entry->kind == SORTED_FOLDER || entry->kind == SORTED_FILE) {
        file.words = kind == SHARE_NONE ? "is no share; it is in no manifest"
                                        : "has the name of a share and is no folder";
        build->result->outside++;
    } else if (entry->kind == SORTED_SPECIAL) {
        build->result->special++;
    } else {
        build->result->failed++;
    }
    tell(build, entry->path, NULL, &file);
    return ERR_OK;
}

static enum err_code
build_tree(struct build *build, struct err *err)
{
    struct sorted_walk *walk = NULL;
    struct sorted_entry entry;
    const struct sorted_options options = {.is_flat = true, .signal = build->options->signal};
    int root = openat(build->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return err_set_sys(err, err_from_source_errno(errno), errno, "cannot read folder '%s'",
                           build->options->root);
    }
    enum err_code code = sorted_walk_new(root, &options, &walk, err);
    while (code == ERR_OK && sorted_walk_next(walk, &entry)) {
        code = build_entry(build, &entry, err);
    }
    sorted_walk_free(walk);
    if (code == ERR_OK && is_interrupted(build)) {
        return interrupted(err);
    }
    const struct manifest_build_result *result = build->result;
    if (code == ERR_OK && result->files_written + result->failed + result->special == 0) {
        return err_set(err, ERR_NOTHING, "there is no file in any share of '%s'",
                       build->options->root);
    }
    return code;
}

static enum err_code
open_tree(struct build *build, struct err *err)
{
    const struct manifest_build_options *options = build->options;
    int fd = -1;
    build->root = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (build->root < 0) {
        return err_set_sys(err, ERR_STORE_GONE, errno, "cannot open folder '%s'", options->root);
    }
    if (options->output != NULL) {
        text_add_str(&build->output_path, options->output);
    } else {
        text_addf(&build->output_path, "%s/" MANIFEST_FOLDER, options->root);
    }
    int sys = open_output(build, &fd);
    if (sys != 0) {
        return output_failed(build, sys, err);
    }
    return fd < 0 ? ERR_OK : take_output(build, fd, err);
}

enum err_code
manifest_build(const struct manifest_build_options *options,
               struct manifest_build_result *ret_result, struct err *err)
{
    struct build build = {
        .options = options, .result = ret_result, .root = -1, .output = -1, .share = {.fd = -1}};
    const struct sum_options sums = {
        .threads = options->threads, .signal = options->signal, .told = on_file, .user = &build};
    int64_t began_ns = clock_mono_ns(options->clock);
    *ret_result = (struct manifest_build_result){0};
    enum err_code code = open_tree(&build, err);
    code = code == ERR_OK ? sum_pool_new(&sums, &build.pool, err) : code;
    code = code == ERR_OK ? build_tree(&build, err) : code;
    ret_result->ns = clock_mono_ns(options->clock) - began_ns;
    sum_pool_free(build.pool);
    fd_close(&build.output);
    fd_close(&build.root);
    text_done(&build.output_path);
    text_done(&build.path);
    text_done(&build.share.file);
    text_done(&build.share.staged);
    text_done(&build.share.lines);
    return code;
}
