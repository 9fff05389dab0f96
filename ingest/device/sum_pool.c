#include "ingest/device/sum_pool.h"

#include "base/arena.h"
#include "base/crc64.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define HANDFUL          8U
#define PATHS_BYTES      ((size_t)256 * 1024) /* of a batch, about */
#define STAT_BLOCK_BYTES 512U
#define OPEN_FLAGS       (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

#define READ_BYTES        ((size_t)256 * 1024) /* stays in the cache of a core */
#define READ_BYTES_DIRECT ((size_t)2 << 20)
#define DIRECT_ALIGN      ((size_t)4096)

/* A file of a batch. */
struct job {
    struct sum_file file;
    struct sorted_folder *folder; /* NULL: nothing to open */
    size_t path_at;               /* in the batch's paths */
    size_t name_at;
};

struct batch {
    struct text paths;
    struct job jobs[SUM_FILES];
    struct sorted_folder *folders[SUM_FOLDERS];
    unsigned folder_count;
    unsigned count;
    unsigned taken; /* by threads */
    unsigned ready;
};

/* A file that is read in pieces. All under the pool's lock but the reading itself. */
struct large {
    struct large *next;
    struct batch *batch;
    struct job *job;
    int fd;
    int direct_fd; /* -1: none */
    struct stat st;
    bool is_sparse;
    uint64_t offset; /* pieces below it are taken */
    unsigned busy;
    uint64_t crc64; /* of what is done, each moved to its place */
};

struct piece {
    struct large *large;
    uint64_t offset;
    uint64_t len;
};

struct sum_pool {
    struct sum_options options;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    pthread_cond_t has_result;
    struct batch *batches; /* SUM_BATCHES, a ring */
    uint64_t first;        /* the oldest in flight */
    uint64_t dealt;        /* the oldest with files that nobody has taken */
    uint64_t filled;       /* behind the newest in flight; the one being filled */
    struct large *larges;  /* oldest first */
    atomic_bool is_over;
    unsigned thread_count;
    pthread_t threads[SUM_THREADS_MAX];
};

static bool
is_interrupted(const struct sum_pool *pool)
{
    return atomic_load_explicit(&pool->is_over, memory_order_relaxed) ||
           (pool->options.signal != NULL &&
            atomic_load_explicit(pool->options.signal, memory_order_relaxed) != 0);
}

/* ---- One file ---- */

static void
fail(struct job *job, enum err_code code, int sys, const char *words)
{
    if (job->file.code == ERR_OK) {
        job->file.code = code;
        job->file.sys = sys;
        job->file.words = words;
    }
}

static void
fail_sys(struct job *job, int sys, const char *words)
{
    fail(job, err_from_source_errno(sys), sys, words);
}

static void
fail_changed(struct job *job)
{
    fail(job, ERR_ITEM_CHANGED, 0, "changed while it was read");
}

/* What to read, and how. */
struct source {
    int fd;
    char *buf;
    size_t read_bytes;
    uint64_t align; /* of a read; a power of 2 */
};

/* The CRC of the bytes from offset on. What goes wrong is the job's under the pool's lock, so here
 * it is only told: 0, an errno, or -1 for a file that is too short. */
static int
sum_bytes(const struct sum_pool *pool, const struct source *source, const struct piece *piece,
          uint64_t *ret_crc)
{
    uint64_t crc = CRC64_EMPTY;
    uint64_t done = 0;
    while (done < piece->len) {
        /* A direct read takes whole sectors, past the file's end, too. */
        uint64_t left = (piece->len - done + source->align - 1) & ~(source->align - 1);
        size_t wanted = (size_t)MIN_OF(left, (uint64_t)source->read_bytes);
        ssize_t got = pread(source->fd, source->buf, wanted, (off_t)(piece->offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? errno : -1;
        }
        size_t used = (size_t)MIN_OF((uint64_t)got, piece->len - done);
        crc = crc64(crc, source->buf, used);
        done += used;
        if (is_interrupted(pool)) {
            return EINTR;
        }
    }
    *ret_crc = crc;
    return 0;
}

static void
fail_reading(struct job *job, int how)
{
    if (how == EINTR) {
        fail(job, ERR_INTERRUPTED, 0, "was not read to its end");
    } else if (how < 0) {
        fail_changed(job);
    } else if (how > 0) {
        fail_sys(job, how, "could not read");
    }
}

/* Was it the same file all the time? The kernel keeps the time of a change, which nobody can set.
 */
static void
check_unchanged(struct job *job, int fd, const struct stat *before)
{
    struct stat now;
    if (fstat(fd, &now) != 0) {
        fail_sys(job, errno, "could not look at");
    } else if (now.st_size != before->st_size || !sorted_is_unchanged(before, &now)) {
        fail_changed(job);
    }
}

static void
finish_job(struct sum_pool *pool, struct batch *batch)
{
    batch->ready++;
    if (batch->ready == batch->count) {
        (void)pthread_cond_signal(&pool->has_result);
    }
}

/* fd is taken. A second descriptor reads past the page cache, which is faster where the cache has
 * nothing, and leaves it to others; where that cannot be, there is none. */
static struct large *
open_large(struct job *job, const char *name, int fd, const struct stat *st)
{
    struct stat direct_st;
    struct large *large = mem_take(sizeof *large);
    *large = (struct large){.job = job, .fd = fd, .st = *st};
    large->is_sparse = (uint64_t)st->st_blocks * STAT_BLOCK_BYTES < (uint64_t)st->st_size;
    large->direct_fd = openat(job->folder->fd, name, OPEN_FLAGS | O_DIRECT);
    if (large->direct_fd >= 0 &&
        (fstat(large->direct_fd, &direct_st) != 0 || direct_st.st_ino != st->st_ino ||
         direct_st.st_dev != st->st_dev)) {
        fd_close(&large->direct_fd);
    }
    return large;
}

static void
add_large(struct sum_pool *pool, struct batch *batch, struct large *large)
{
    struct large **last = &pool->larges;
    large->batch = batch;
    (void)pthread_mutex_lock(&pool->lock);
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = large;
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->lock);
}

/* True: it is done. False: it is large, and others go on with it. */
static bool
sum_job(struct sum_pool *pool, struct batch *batch, struct job *job, char *buf)
{
    struct stat st;
    if (job->folder == NULL) {
        return true;
    }
    if (is_interrupted(pool)) {
        fail_reading(job, EINTR);
        return true;
    }
    const char *name = batch->paths.bytes + job->path_at + job->name_at;
    AUTO_FD fd = openat(job->folder->fd, name, OPEN_FLAGS);
    if (fd < 0) {
        fail_sys(job, errno, "could not open");
        return true;
    }
    if (fstat(fd, &st) != 0) {
        fail_sys(job, errno, "could not look at");
        return true;
    }
    if (!S_ISREG(st.st_mode)) {
        fail_changed(job);
        return true;
    }
    if (st.st_size < 0) {
        fail_sys(job, EFBIG, "could not look at");
        return true;
    }
    job->file.size_bytes = (uint64_t)st.st_size;
    if (job->file.size_bytes > SUM_PIECE_BYTES) {
        add_large(pool, batch, open_large(job, name, fd_take(&fd), &st));
        return false;
    }
    const struct piece whole = {.len = job->file.size_bytes};
    const struct source source = {.fd = fd, .buf = buf, .read_bytes = READ_BYTES, .align = 1};
    fail_reading(job, sum_bytes(pool, &source, &whole, &job->file.crc64));
    check_unchanged(job, fd, &st);
    return true;
}

/* ---- Pieces of large files; the lock is held ---- */

static void
add_sum(struct large *large, uint64_t crc, uint64_t offset, uint64_t len)
{
    large->crc64 ^= crc64_combine(crc, CRC64_EMPTY, (uint64_t)large->st.st_size - offset - len);
}

/* Where the next data is, and where it ends. Holes before it are added. */
static uint64_t
skip_hole(struct large *large)
{
    uint64_t size = (uint64_t)large->st.st_size;
    if (!large->is_sparse) {
        return size;
    }
    off_t data = lseek(large->fd, (off_t)large->offset, SEEK_DATA);
    if (data < 0 && errno != ENXIO) {
        large->is_sparse = false;
        return size;
    }
    /* A file system may answer nonsense; never go back. */
    uint64_t at = data < 0 ? size : MAX_OF(MIN_OF((uint64_t)data, size), large->offset);
    if (at > large->offset) {
        uint64_t len = at - large->offset;
        add_sum(large, crc64_zeros(len), large->offset, len);
        large->offset = at;
    }
    off_t hole = at < size ? lseek(large->fd, (off_t)at, SEEK_HOLE) : -1;
    return hole > (off_t)at ? MIN_OF((uint64_t)hole, size) : size;
}

static void
end_large(struct sum_pool *pool, struct large *large)
{
    struct large **at = &pool->larges;
    while (*at != large) {
        at = &(*at)->next;
    }
    *at = large->next;
    check_unchanged(large->job, large->fd, &large->st);
    large->job->file.crc64 = large->crc64;
    fd_close(&large->fd);
    fd_close(&large->direct_fd);
    finish_job(pool, large->batch);
    mem_give(large);
}

/* A piece of the oldest file that has one left. */
static bool
take_piece(struct sum_pool *pool, struct piece *piece)
{
    for (struct large *large = pool->larges; large != NULL; large = large->next) {
        uint64_t size = (uint64_t)large->st.st_size;
        if (large->offset >= size || large->job->file.code != ERR_OK) {
            continue;
        }
        uint64_t end = skip_hole(large);
        *piece = (struct piece){.large = large,
                                .offset = large->offset,
                                .len = MIN_OF(end - large->offset, SUM_PIECE_BYTES)};
        large->offset += piece->len;
        large->busy++;
        return true;
    }
    return false;
}

/* Without the lock. */
static int
read_piece(const struct sum_pool *pool, const struct piece *piece, char *buf, uint64_t *ret_crc)
{
    const struct large *large = piece->large;
    struct iovec first = {.iov_base = buf, .iov_len = 1};
    if (large->direct_fd >= 0 &&
        preadv2(large->fd, &first, 1, (off_t)piece->offset, RWF_NOWAIT) < 0 && errno == EAGAIN) {
        const struct source direct = {.fd = large->direct_fd,
                                      .buf = buf,
                                      .read_bytes = READ_BYTES_DIRECT,
                                      .align = DIRECT_ALIGN};
        int how = sum_bytes(pool, &direct, piece, ret_crc);
        if (how != EINVAL) {
            return how;
        }
    }
    const struct source source = {
        .fd = large->fd, .buf = buf, .read_bytes = READ_BYTES, .align = 1};
    (void)posix_fadvise(large->fd, (off_t)piece->offset, (off_t)MAX_OF(piece->len, UINT64_C(1)),
                        POSIX_FADV_WILLNEED);
    return sum_bytes(pool, &source, piece, ret_crc);
}

/* The lock is let go of while reading. An empty piece is what a file has that ends with a hole. */
static void
sum_piece(struct sum_pool *pool, const struct piece *piece, char *buf)
{
    struct large *large = piece->large;
    uint64_t crc = CRC64_EMPTY;
    (void)pthread_mutex_unlock(&pool->lock);
    int how = read_piece(pool, piece, buf, &crc);
    (void)pthread_mutex_lock(&pool->lock);
    fail_reading(large->job, how);
    if (how == 0) {
        add_sum(large, crc, piece->offset, piece->len);
    }
    large->busy--;
    bool is_read = large->offset >= (uint64_t)large->st.st_size;
    if (large->busy == 0 && (is_read || large->job->file.code != ERR_OK)) {
        end_large(pool, large);
    }
}

/* ---- Threads ---- */

/* A handful of files of the oldest batch that has some. */
static bool
take_jobs(struct sum_pool *pool, struct batch **ret_batch, unsigned *ret_from, unsigned *ret_count)
{
    while (pool->dealt < pool->filled) {
        struct batch *batch = &pool->batches[pool->dealt % SUM_BATCHES];
        if (batch->taken < batch->count) {
            *ret_batch = batch;
            *ret_from = batch->taken;
            *ret_count = MIN_OF(batch->count - batch->taken, HANDFUL);
            batch->taken += *ret_count;
            return true;
        }
        pool->dealt++;
    }
    return false;
}

static void
sum_jobs(struct sum_pool *pool, struct batch *batch, unsigned from, unsigned count, char *buf)
{
    unsigned done = 0;
    (void)pthread_mutex_unlock(&pool->lock);
    for (unsigned i = from; i < from + count; i++) {
        done += sum_job(pool, batch, &batch->jobs[i], buf) ? 1 : 0;
    }
    (void)pthread_mutex_lock(&pool->lock);
    while (done-- > 0) {
        finish_job(pool, batch);
    }
}

static void *
work(void *pool_)
{
    struct sum_pool *pool = pool_;
    char *memory = mem_take(READ_BYTES_DIRECT + DIRECT_ALIGN);
    char *buf = memory + (DIRECT_ALIGN - (uintptr_t)memory % DIRECT_ALIGN);
    (void)pthread_mutex_lock(&pool->lock);
    while (true) {
        struct piece piece;
        struct batch *batch = NULL;
        unsigned from = 0;
        unsigned count = 0;
        if (take_piece(pool, &piece)) {
            sum_piece(pool, &piece, buf);
        } else if (take_jobs(pool, &batch, &from, &count)) {
            sum_jobs(pool, batch, from, count, buf);
        } else if (atomic_load(&pool->is_over)) {
            break;
        } else {
            (void)pthread_cond_wait(&pool->has_work, &pool->lock);
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    mem_give(memory);
    return NULL;
}

/* ---- The caller's side ---- */

static void
clear(struct batch *batch)
{
    for (unsigned i = 0; i < batch->folder_count; i++) {
        sorted_folder_put(batch->folders[i]);
    }
    batch->folder_count = batch->count = batch->taken = batch->ready = 0;
    text_clear(&batch->paths);
}

/* Wait for the oldest batch, and tell it. */
static void
tell_oldest(struct sum_pool *pool)
{
    struct batch *batch = &pool->batches[pool->first % SUM_BATCHES];
    (void)pthread_mutex_lock(&pool->lock);
    while (batch->ready < batch->count) {
        (void)pthread_cond_wait(&pool->has_result, &pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < batch->count; i++) {
        struct job *job = &batch->jobs[i];
        job->file.path = batch->paths.bytes + job->path_at;
        pool->options.told(pool->options.user, &job->file);
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->dealt = MAX_OF(pool->dealt, pool->first + 1);
    pool->first++;
    clear(batch);
    (void)pthread_mutex_unlock(&pool->lock);
}

static void
submit(struct sum_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->filled++;
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->lock);
    if (pool->filled - pool->first == SUM_BATCHES) {
        tell_oldest(pool);
    }
}

void
sum_pool_add(struct sum_pool *pool, const struct sorted_entry *entry)
{
    struct batch *batch = &pool->batches[pool->filled % SUM_BATCHES];
    struct job *job = &batch->jobs[batch->count++];
    *job = (struct job){.path_at = batch->paths.len,
                        .name_at = entry->name_at,
                        .file = {.path_len = entry->path_len,
                                 .code = entry->code,
                                 .sys = entry->sys,
                                 .words = entry->words}};
    text_add(&batch->paths, entry->path, entry->path_len);
    text_add_char(&batch->paths, '\0');
    ASSERT(!batch->paths.is_broken);
    if (entry->kind == SORTED_FILE) {
        job->folder = entry->folder;
        bool is_new =
            batch->folder_count == 0 || batch->folders[batch->folder_count - 1] != entry->folder;
        if (is_new) {
            batch->folders[batch->folder_count++] = sorted_folder_get(entry->folder);
        }
    }
    if (batch->count == SUM_FILES || batch->folder_count == SUM_FOLDERS ||
        batch->paths.len >= PATHS_BYTES) {
        submit(pool);
    }
}

void
sum_pool_flush(struct sum_pool *pool)
{
    if (pool->batches[pool->filled % SUM_BATCHES].count > 0) {
        submit(pool);
    }
    while (pool->first < pool->filled) {
        tell_oldest(pool);
    }
}

static unsigned
default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    /* More than cores: a thread that waits for the disk keeps no core busy. */
    return cores < 4                           ? 8
           : cores > (long)SUM_THREADS_MAX / 2 ? SUM_THREADS_MAX
                                               : (unsigned)cores * 2;
}

enum err_code
sum_pool_new(const struct sum_options *options, struct sum_pool **ret_pool, struct err *err)
{
    struct sum_pool *pool = mem_take(sizeof *pool);
    pool->options = *options;
    pool->batches = mem_take(SUM_BATCHES * sizeof *pool->batches);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->has_work, NULL);
    (void)pthread_cond_init(&pool->has_result, NULL);
    unsigned wanted = options->threads == 0 ? default_threads() : options->threads;
    int failed = 0;
    while (failed == 0 && pool->thread_count < MIN_OF(wanted, SUM_THREADS_MAX)) {
        failed = pthread_create(&pool->threads[pool->thread_count], NULL, work, pool);
        pool->thread_count += failed == 0 ? 1 : 0;
    }
    if (pool->thread_count == 0) {
        sum_pool_free(pool);
        return err_set_sys(err, ERR_SYSTEM, failed, "could not start a thread");
    }
    *ret_pool = pool;
    return ERR_OK;
}

struct sum_pool *
sum_pool_free(struct sum_pool *pool)
{
    if (pool == NULL) {
        return NULL;
    }
    /* What was dealt out is answered at once now, so that every large file is closed. */
    (void)pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->is_over, true);
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    for (unsigned i = 0; i < SUM_BATCHES; i++) {
        clear(&pool->batches[i]);
        text_done(&pool->batches[i].paths);
    }
    (void)pthread_cond_destroy(&pool->has_result);
    (void)pthread_cond_destroy(&pool->has_work);
    (void)pthread_mutex_destroy(&pool->lock);
    mem_give(pool->batches);
    return mem_give(pool);
}
