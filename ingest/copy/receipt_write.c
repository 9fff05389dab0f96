#include "base/fd.h"
#include "base/json.h"
#include "ingest/copy/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES ((size_t)256 * 1024)

struct writer {
    int fd;
    const char *path;
    const struct receipt_job *job;
    struct text out;
    struct text blob; /* the name at the target */
    struct digest sha256;
    uint64_t count;
};

static enum err_code
write_failed(const char *path, struct err *err)
{
    return err_set_sys(err, errno == ENOSPC || errno == EDQUOT ? ERR_STATE_FULL : ERR_CONFIG, errno,
                       "could not write the receipt '%s'", path);
}

static enum err_code
write_all(int fd, const void *bytes, size_t len, const char *path, struct err *err)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t done = write(fd, at, len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return write_failed(path, err);
        }
        at += done;
        len -= (size_t)done;
    }
    return ERR_OK;
}

static enum err_code
flush(struct writer *w, struct err *err)
{
    enum err_code code = write_all(w->fd, text_str(&w->out), w->out.len, w->path, err);
    text_clear(&w->out);
    return code;
}

static void
put_header(struct writer *w, const struct sign_key *key)
{
    struct json json;
    uint8_t der[SIGN_DER_BYTES];
    char base64[SIGN_DER_BYTES * 2];
    char time[CLOCK_TEXT_BYTES];
    sign_public_der(key, der);
    json_init(&json, &w->out);
    json_object_begin(&json);
    json_key_str(&json, "schema", RECEIPT_SCHEMA);
    json_key_str(&json, "job", w->job->job);
    json_key(&json, "device");
    if (w->job->device == NULL) {
        json_put_null(&json);
    } else {
        json_path(&json, w->job->device);
    }
    json_key_path(&json, "source", w->job->source);
    json_key_path(&json, "target", w->job->target);
    json_key_str(&json, "tool", "sallyport " SALLYPORT_VERSION);
    json_key_str(&json, "time", clock_format_ms(clock_wall_ns(w->job->clock), time));
    json_key_str(&json, "key", base64_encode(der, sizeof der, base64));
    json_object_end(&json);
    text_add_char(&w->out, '\n');
}

static bool
bit(const uint8_t *bits, uint64_t index)
{
    return bits != NULL && (bits[index >> 3] >> (index & 7) & 1) != 0;
}

static enum err_code
put_item(void *user, const struct item *item, uint64_t row, struct err *err)
{
    struct writer *w = user;
    struct json json;
    const struct verify_result *verified = w->job->verified;
    bool is_known = row <= verified->rows;
    if (w->job->signal != NULL && atomic_load(w->job->signal) != 0) {
        return err_set(err, ERR_INTERRUPTED, "interrupted while the receipt was written");
    }
    if (verify_is_wrong(verified, row)) {
        return ERR_OK; /* the target does not have it as it was stored */
    }
    size_t begin = w->out.len;
    char crc64[17];
    json_init(&json, &w->out);
    json_object_begin(&json);
    json_key_path(&json, "path", item->name);
    text_clear(&w->blob);
    text_addf(&w->blob, "%s%s", w->job->prefix == NULL ? "" : w->job->prefix, item->target);
    json_key_path(&json, "blob", text_str(&w->blob));
    json_key_str(&json, "type", blob_type_names[item->type]);
    json_key_u64(&json, "size", item->size_bytes);
    if (item->has_crc64) {
        (void)snprintf(crc64, sizeof crc64, "%016llx", (unsigned long long)item->crc64);
        json_key_str(&json, "crc64", crc64);
    }
    json_key_u64(&json, "block_size", item->block_bytes);
    if (item->has_xxh3) {
        json_key_hex(&json, "xxh3", item->xxh3, XXH3_BYTES);
    }
    if (item->md5 != NULL) {
        json_key_hex(&json, "md5", item->md5, MD5_BYTES);
    }
    if (item->sha256 != NULL) {
        json_key_hex(&json, "sha256", item->sha256, SHA256_BYTES);
    }
    json_key_str(&json, "etag", item->etag == NULL ? "" : item->etag);
    bool is_read_back = is_known && bit(verified->read_back_bits, row);
    json_key_str(&json, "verdict",
                 item_verdict_names[is_read_back ? VERDICT_READ_BACK : item->verdict]);
    json_object_end(&json);
    text_add_char(&w->out, '\n');
    digest_add(&w->sha256, w->out.bytes + begin, w->out.len - begin);
    w->count++;
    return w->out.len >= FLUSH_BYTES ? flush(w, err) : ERR_OK;
}

static enum err_code
put_end(struct writer *w, const struct sign_key *key, struct err *err)
{
    struct json json;
    uint8_t sha256[SHA256_BYTES];
    uint8_t signature[SIGN_BYTES];
    char base64[SIGN_BYTES * 2];
    digest_end(&w->sha256, sha256);
    enum err_code code = sign_bytes(key, sha256, sizeof sha256, signature, err);
    if (code != ERR_OK) {
        return code;
    }
    json_init(&json, &w->out);
    json_object_begin(&json);
    json_key_u64(&json, "count", w->count);
    json_key_hex(&json, "sha256", sha256, sizeof sha256);
    json_key_str(&json, "signature", base64_encode(signature, sizeof signature, base64));
    json_object_end(&json);
    text_add_char(&w->out, '\n');
    return flush(w, err);
}

static enum err_code
write_lines(struct writer *w, const struct sign_key *key, struct err *err)
{
    enum err_code code = digest_init(&w->sha256, DIGEST_SHA256, err);
    if (code != ERR_OK) {
        return code;
    }
    put_header(w, key);
    digest_add(&w->sha256, w->out.bytes, w->out.len);
    code = plan_each(w->job->plan_path, put_item, w, err);
    code = code == ERR_OK ? put_end(w, key, err) : code;
    digest_done(&w->sha256);
    return code;
}

/* Synced under another name, then renamed: nobody ever sees half a receipt. */
static enum err_code
publish(int fd, const char *staged, const char *path, struct err *err)
{
    if (fsync(fd) != 0 || rename(staged, path) != 0 || fd_sync_folder_of(path) != 0) {
        return write_failed(path, err);
    }
    return ERR_OK;
}

static int
open_staged(const char *path, struct text *staged)
{
    text_addf(staged, "%s.partial", path);
    return open(text_str(staged), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
}

enum err_code
receipt_write(const char *path, const struct receipt_job *job, const struct sign_key *key,
              struct err *err)
{
    AUTO_TEXT staged = TEXT_INIT;
    AUTO_FD fd = open_staged(path, &staged);
    if (fd < 0) {
        return write_failed(text_str(&staged), err);
    }
    struct writer w = {.fd = fd, .path = path, .job = job};
    enum err_code code = write_lines(&w, key, err);
    text_done(&w.out);
    text_done(&w.blob);
    code = code == ERR_OK ? publish(fd, text_str(&staged), path, err) : code;
    if (code != ERR_OK) {
        (void)unlink(text_str(&staged));
    }
    return code;
}

enum err_code
receipt_check_place(const char *path, struct err *err)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    AUTO_TEXT folder = TEXT_INIT;
    text_add(&folder, path, slash == NULL ? 0 : (size_t)(slash - path) + (slash == path ? 1 : 0));
    const char *shown = slash == NULL ? "." : text_str(&folder);
    if (path[0] == '\0' || (slash != NULL && slash[1] == '\0') ||
        (stat(path, &st) == 0 && S_ISDIR(st.st_mode))) {
        return err_set(err, ERR_CONFIG, "the receipt '%s' cannot be written: it names a folder",
                       path);
    }
    if (access(shown, W_OK | X_OK) != 0) {
        return err_set_sys(err, ERR_CONFIG, errno,
                           "the receipt '%s' cannot be written into folder '%s'", path, shown);
    }
    return stat(shown, &st) == 0 && S_ISDIR(st.st_mode)
               ? ERR_OK
               : err_set(err, ERR_CONFIG, "the receipt '%s' cannot be written: '%s' is no folder",
                         path, shown);
}

enum err_code
receipt_copy(const char *from, const char *to, struct err *err)
{
    char bytes[16384];
    AUTO_TEXT staged = TEXT_INIT;
    AUTO_FD in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not read the receipt '%s'", from);
    }
    AUTO_FD out = open_staged(to, &staged);
    if (out < 0) {
        return write_failed(text_str(&staged), err);
    }
    enum err_code code = ERR_OK;
    ssize_t got = 0;
    while (code == ERR_OK && (got = read(in, bytes, sizeof bytes)) > 0) {
        code = write_all(out, bytes, (size_t)got, to, err);
    }
    code = code == ERR_OK && got < 0 ? write_failed(to, err) : code;
    code = code == ERR_OK ? publish(out, text_str(&staged), to, err) : code;
    if (code != ERR_OK) {
        (void)unlink(text_str(&staged));
    }
    return code;
}
