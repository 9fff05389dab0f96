#include "ingest/copy/job_folder.h"

#include "base/fd.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

/* As JSON, so that no two different copies can have the same text. */
static void
describe(const struct copy_options *options, const struct end *source, const struct end *target,
         struct text *out)
{
    struct json json;
    json_init(&json, out);
    json_object_begin(&json);
    json_key_path(&json, "source", source->display);
    json_key_path(&json, "target", target->display);
    json_key_u64(&json, "block_size", options->has_block_bytes ? options->block_bytes : 0);
    if (options->compress_level != 0) {
        json_key_str(&json, "compress", "zstd");
        json_key_u64(&json, "level", (uint64_t)options->compress_level);
    }
    json_key(&json, "include");
    json_array_begin(&json);
    for (unsigned i = 0; i < options->filter.include_count; i++) {
        json_path(&json, options->filter.includes[i]);
    }
    json_array_end(&json);
    json_key(&json, "exclude");
    json_array_begin(&json);
    for (unsigned i = 0; i < options->filter.exclude_count; i++) {
        json_path(&json, options->filter.excludes[i]);
    }
    json_array_end(&json);
    if (options->identity != NULL) {
        json_key_str(&json, "device", options->identity);
    }
    json_object_end(&json);
}

enum err_code
job_folder_open(const struct copy_options *options, const struct end *source,
                const struct end *target, struct job_folder *ret_folder, struct err *err)
{
    AUTO_TEXT identity = TEXT_INIT;
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT file = TEXT_INIT;
    uint8_t digest[XXH3_BYTES];
    char hex[2 * XXH3_BYTES + 1];
    describe(options, source, target, &identity);
    digest_xxh3(text_str(&identity), identity.len, digest);
    text_addf(&path, "%s/jobs/copy-%s", options->state, hex_encode(digest, 8, hex));
    size_t len = 0;
    int sys = fd_make_folders(text_str(&path), 0700, &len);
    if (sys != 0) {
        return err_set_sys(err, ERR_CONFIG, sys,
                           "cannot make the state folder '%.*s'; name another with --state",
                           (int)len, text_str(&path));
    }
    text_addf(&file, "%s/lock", text_str(&path));
    AUTO_FD lock = open(text_str(&file), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "cannot use the state folder '%s'",
                           text_str(&path));
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        return err_set(err, ERR_RUNNING, "another process is running this copy (lock '%s')",
                       text_str(&file));
    }
    *ret_folder = (struct job_folder){.path = mem_text(text_str(&path)), .lock = fd_take(&lock)};
    text_clear(&file);
    text_addf(&file, "%s/plan.db", text_str(&path));
    ret_folder->plan_path = mem_text(text_str(&file));
    text_clear(&file);
    text_addf(&file, "%s/known.db", text_str(&path));
    ret_folder->known_path = mem_text(text_str(&file));
    return ERR_OK;
}

void
job_folder_close(struct job_folder *folder)
{
    mem_give(folder->path);
    mem_give(folder->plan_path);
    mem_give(folder->known_path);
    fd_close(&folder->lock);
    *folder = (struct job_folder){.lock = -1};
}
