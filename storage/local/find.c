/* Where the file of a name is: below the root, or by its key's hash. */
#include "base/crc64.h"
#include "base/fd.h"
#include "storage/local/address.h"
#include "storage/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#define CRC_PIECE_BYTES 65536U

void
local_key(const struct local_end *end, const char *name, struct text *out)
{
    text_add_str(out, end->key_prefix);
    text_add_str(out, name);
}

void
local_by_id(const char *key, struct text *out)
{
    uint8_t digest[XXH3_BYTES];
    char hex[2 * XXH3_BYTES + 1];
    digest_xxh3(key, strlen(key), digest);
    text_addf(out, STORE_BY_ID "/%s", hex_encode(digest, sizeof digest, hex));
}

bool
local_may_be_file(const struct local_end *end, const char *name)
{
    return end->store_dir == NULL || (!end->is_by_id && store_key_is_path(name));
}

static int
stat_file(struct places *places, const char *name, struct stat *st)
{
    const char *base = NULL;
    int folder = places_parent(places, name, false, &base);
    if (folder < 0) {
        return folder;
    }
    if (fstatat(folder, base, st, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    return S_ISREG(st->st_mode) ? 0 : -ENOENT;
}

static void
by_id_of_name(const struct local_end *end, const char *name, struct text *out)
{
    AUTO_TEXT key = TEXT_INIT;
    local_key(end, name, &key);
    local_by_id(text_str(&key), out);
}

int
local_find(const struct local_end *end, struct places *places, const char *name, struct stat *st,
           struct text *ret_by_id)
{
    AUTO_TEXT path = TEXT_INIT;
    int result = local_may_be_file(end, name) ? stat_file(places, name, st) : -ENOENT;
    text_clear(ret_by_id);
    if (result == 0 || end->store_dir == NULL) {
        return result;
    }
    by_id_of_name(end, name, ret_by_id);
    text_addf(&path, "%s/%s", end->store_dir, text_str(ret_by_id));
    if (fstatat(AT_FDCWD, text_str(&path), st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode)) {
        return 0;
    }
    text_clear(ret_by_id);
    return result;
}

static bool
is_folder(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int
local_open_by_id(const struct local_end *end, const char *name, int fd, int flags)
{
    AUTO_TEXT by_id = TEXT_INIT;
    if (end->store_dir == NULL || (fd >= 0 && !is_folder(fd))) {
        return fd;
    }
    by_id_of_name(end, name, &by_id);
    AUTO_FD dir = open(end->store_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int found = dir < 0
                    ? -errno
                    : places_open(dir, text_str(&by_id), flags,
                                  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (found < 0) {
        return fd;
    }
    fd_close(&fd);
    return found;
}

int
local_open(const struct local_end *end, struct places *places, const char *name)
{
    const char *base = NULL;
    int flags =
        O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (places->resolve == 0 ? 0 : O_NOFOLLOW);
    int fd = -ENOENT;
    if (local_may_be_file(end, name)) {
        int folder = places_parent(places, name, false, &base);
        fd = folder < 0 ? folder : openat(folder, base, flags);
        fd = folder >= 0 && fd < 0 ? -errno : fd;
    }
    return local_open_by_id(end, name, fd, flags);
}

static bool
is_of_etag(int fd, const char *etag)
{
    struct stat st;
    char now[BLOB_ETAG_BYTES];
    if (fstat(fd, &st) != 0) {
        return false;
    }
    local_etag(&st, now);
    return strcmp(now, etag) == 0;
}

bool
local_has_crc64(const struct local_end *end, struct places *places, const char *name,
                const char *etag, uint64_t crc)
{
    AUTO_FD fd = local_open(end, places, name);
    if (fd < 0) {
        return false;
    }
    uint8_t *buf = mem_take(CRC_PIECE_BYTES);
    uint64_t got = CRC64_EMPTY;
    ssize_t len = 0;
    while ((len = read(fd, buf, CRC_PIECE_BYTES)) > 0) {
        got = crc64(got, buf, (size_t)len);
    }
    mem_give(buf);
    /* Still the same afterwards: what was read is what the etag stands for. */
    return len == 0 && got == crc && is_of_etag(fd, etag);
}
