#include "tests/support/failing_vfs.h"

#include "base/attr.h"

#include <sqlite3.h>

#include <string.h>

static sqlite3_vfs *real;
static sqlite3_vfs failing;
static unsigned count;
static unsigned fails_at;
static int fails_with;
static bool fails_on;

/* The real file lies behind ours, in what SQLite has allocated for both. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_file *
real_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->real;
}

static int
next_result(void)
{
    count++;
    bool fails = fails_at != 0 && (count == fails_at || (fails_on && count > fails_at));
    return fails ? fails_with : SQLITE_OK;
}

static int
vfs_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int
vfs_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, len, offset);
}

/* Half of it reaches the disk: that is how a disk fails. */
static int
vfs_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    int result = next_result();
    if (result != SQLITE_OK) {
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, len / 2, offset);
        return result;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, offset);
}

static int
vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int result = next_result();
    return result != SQLITE_OK ? result : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int
vfs_sync(sqlite3_file *file, int flags)
{
    int result = next_result();
    return result != SQLITE_OK ? result : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int
vfs_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int
vfs_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int
vfs_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int
vfs_check_lock(sqlite3_file *file, int *ret_held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_held);
}

static int
vfs_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int
vfs_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
vfs_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int
vfs_shm_map(sqlite3_file *file, int page, int page_bytes, int extend, void volatile **ret_at)
{
    int result = next_result();
    return result != SQLITE_OK
               ? result
               : real_of(file)->pMethods->xShmMap(real_of(file), page, page_bytes, extend, ret_at);
}

static int
vfs_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void
vfs_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int
vfs_shm_unmap(sqlite3_file *file, int removes)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), removes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_lock,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_traits,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
    struct file *file = (struct file *)(void *)base;
    (void)vfs;
    base->pMethods = NULL;
    int result = next_result();
    if (result != SQLITE_OK) {
        return SQLITE_CANTOPEN;
    }
    file->real = (sqlite3_file *)(void *)(file + 1);
    result = real->xOpen(real, name, file->real, flags, ret_flags);
    if (file->real->pMethods != NULL) {
        base->pMethods = &methods;
    }
    return result;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    int result = next_result();
    (void)vfs;
    return result != SQLITE_OK ? result : real->xDelete(real, name, sync_folder);
}

void
failing_vfs_install(void)
{
    real = sqlite3_vfs_find(NULL);
    failing = *real;
    failing.pNext = NULL;
    failing.zName = "failing";
    failing.szOsFile = (int)sizeof(struct file) + real->szOsFile;
    failing.xOpen = vfs_open;
    failing.xDelete = vfs_delete;
    ASSERT(sqlite3_vfs_register(&failing, 1) == SQLITE_OK);
}

void
failing_vfs_arm(unsigned n, int code, bool stays)
{
    count = 0;
    fails_at = n;
    fails_with = code;
    fails_on = stays;
}

unsigned
failing_vfs_count(void)
{
    return count;
}
