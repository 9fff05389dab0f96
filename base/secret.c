#include "base/secret.h"

#include "base/fd.h"
#include "base/show.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void
secret_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}

/* Whole pages of its own, so that locking and leaving out of dumps concern nothing else. */
static enum err_code
make_room(struct secret *secret, size_t len, struct err *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (len + 1 + page - 1) / page * page;
    void *bytes = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not map memory for a secret");
    }
    /* Where the limit of locked memory forbids it, swap is the operator's concern (doctor says so).
     */
    (void)mlock(bytes, room);
    (void)madvise(bytes, room, MADV_DONTDUMP);
    secret_done(secret);
    *secret = (struct secret){.bytes = bytes, .room = room};
    return ERR_OK;
}

enum err_code
secret_set(struct secret *secret, const void *bytes, size_t len, struct err *err)
{
    if (len > SECRET_BYTES_MAX) {
        return err_set(err, ERR_CONFIG, "a secret of %zu bytes is too long; at most %d", len,
                       SECRET_BYTES_MAX);
    }
    enum err_code code = make_room(secret, len, err);
    if (code == ERR_OK) {
        memcpy(secret->bytes, bytes, len);
        secret->len = len;
    }
    return code;
}

static enum err_code
check_file(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not look at '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_CONFIG, "'%s' is not a regular file", path);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return err_set(err, ERR_CONFIG, "'%s' belongs to user %u; it must be yours or root's", path,
                       (unsigned)st.st_uid);
    }
    if ((st.st_mode & 077) != 0) {
        return err_set(err, ERR_CONFIG, "'%s' is open to others (mode %04o); run chmod 0600 on it",
                       path, (unsigned)st.st_mode & 07777U);
    }
    if (st.st_size > SECRET_BYTES_MAX) {
        return err_set(err, ERR_CONFIG, "'%s' has %lld bytes; a secret has at most %d", path,
                       (long long)st.st_size, SECRET_BYTES_MAX);
    }
    return ERR_OK;
}

enum err_code
secret_read_file(struct secret *secret, const char *path, struct err *err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        char shown[SHOW_BYTES]; /* the setting may hold the secret where a file's name should be */
        return err_set_sys(err, ERR_CONFIG, errno, "could not open '%s'", show_typed(path, shown));
    }
    enum err_code code = check_file(fd, path, err);
    code = code == ERR_OK ? make_room(secret, SECRET_BYTES_MAX, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    while (secret->len < SECRET_BYTES_MAX) {
        ssize_t got = read(fd, secret->bytes + secret->len, SECRET_BYTES_MAX - secret->len);
        if (got < 0) {
            code = err_set_sys(err, ERR_CONFIG, errno, "could not read '%s'", path);
            secret_done(secret);
            return code;
        }
        if (got == 0) {
            break;
        }
        secret->len += (size_t)got;
    }
    while (secret->len > 0 &&
           (secret->bytes[secret->len - 1] == '\n' || secret->bytes[secret->len - 1] == '\r')) {
        secret->bytes[--secret->len] = '\0';
    }
    return ERR_OK;
}

void
secret_done(struct secret *secret)
{
    if (secret->bytes != NULL) {
        secret_wipe(secret->bytes, secret->room);
        (void)munmap(secret->bytes, secret->room);
    }
    *secret = (struct secret){0};
}
