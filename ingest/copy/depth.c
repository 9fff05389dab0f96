#include "ingest/copy/depth.h"

#include <dirent.h>
#include <sys/resource.h>

/* Measured with strings of large and small items to a folder, a store and a server, with resuming
 * and reading back: 29 at most without lanes. The walk holds one for each level of folders. */
#define FILES_FIXED 34U
#define FILES_LANE  8U /* ring, mailbox, epoll, index */
#define FILES_OP    3U /* source and staged file, or source and connection; one while resolving */

#define BATCHES_MIN 12U
#define WINDOW_FEW  4U

uint64_t
depth_files(const struct depth *depth)
{
    uint64_t lanes = depth->lanes;
    uint64_t requests = MAX_OF(depth->in_flight / depth->lanes, 1) * lanes;
    /* A batch may be one large item, whose file every lane has open. */
    return FILES_FIXED + lanes * FILES_LANE + requests * FILES_OP + lanes * depth->batches;
}

/* One step; false: there is none left. */
static bool
reduce(struct depth *depth)
{
    if (depth->in_flight > WINDOW_FEW * depth->lanes) {
        depth->in_flight = MAX_OF(depth->in_flight / 2, WINDOW_FEW * depth->lanes);
    } else if (depth->batches > BATCHES_MIN) {
        depth->batches = MAX_OF(depth->batches / 2, BATCHES_MIN);
    } else if (depth->lanes > 1) {
        depth->lanes--;
    } else if (depth->in_flight > 1) {
        depth->in_flight--;
    } else {
        return false;
    }
    return true;
}

enum err_code
depth_fit(struct depth *depth, uint64_t limit, uint64_t used, struct err *err)
{
    while (used + depth_files(depth) > limit) {
        if (!reduce(depth)) {
            unsigned long long needed = used + depth_files(depth);
            return err_set(err, ERR_CONFIG,
                           "the limit of open files is %llu, and a copy needs %llu; raise it with "
                           "'ulimit -n %llu' or more",
                           (unsigned long long)limit, needed, needed);
        }
    }
    return ERR_OK;
}

static uint64_t
count_open(void)
{
    uint64_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL) { // NOLINT(concurrency-mt-unsafe): ours alone
        count++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return count > 3 ? count - 3 : 0; /* without '.', '..' and its own */
}

enum err_code
depth_fit_process(struct depth *depth, struct err *err)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
        return ERR_OK;
    }
    return depth_fit(depth, files.rlim_cur, count_open(), err);
}
