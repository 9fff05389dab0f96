/*
 * bench/dataset.h - files made for a benchmark, kept for the next one, and removed by name.
 *
 * A dataset is a folder below the benchmarks' folder with a mark beside it. Only what has a mark is
 * ever removed, and of it only the names that were made: a file that somebody else put there stays.
 *
 *   shape    DIR/set-FILESxBYTES/NNNNN/N, a thousand files to a folder; bytes do not compress
 *   durable  the mark is written before the first file, and says "complete" after the last
 *   errors   ERR_STATE_FULL before anything is written if the space does not suffice
 */
#ifndef BENCH_DATASET_H
#define BENCH_DATASET_H

#include "base/err.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdint.h>

/* The benchmarks' folder, made if it is missing, with its lock held until the descriptor closes. */
MUST_USE enum err_code bench_folder_open(const char *state, struct text *ret_path, int *ret_lock_fd,
                                         struct err *err);
/*
 * Make a folder whose sub-folders each begin in a part of the disk of their own.
 *
 * ext4 is slow (25 times, measured) to make files where many were removed in the last minutes,
 * because it looks for an inode that was not used lately. Runs that remove what the last one made
 * would measure that, unless each has another place: folders of this one are spread by their names.
 */
MUST_USE enum err_code bench_folder_make(const char *path, struct err *err);
/* Remove a folder below the benchmarks' folder and all that is in it; it need not be there. */
void bench_folder_remove(const char *path);

#define DATASET_FILES_MAX UINT64_C(10000000)

struct dataset {
    uint64_t files;
    uint64_t file_bytes;
    unsigned copies; /* how often its bytes will be stored besides */
};

/* Make it unless it is there. Ends early when *signal is not 0. */
MUST_USE enum err_code dataset_make(const char *folder, const struct dataset *dataset,
                                    const atomic_int *signal, struct text *ret_name,
                                    struct err *err);

struct dataset_cleaned {
    uint64_t sets;
    uint64_t files;
    uint64_t bytes;
    uint64_t kept; /* folders that hold something we did not make */
};
/* Ends early when *signal is not 0; the next one goes on. */
MUST_USE enum err_code dataset_clean(const char *folder, const atomic_int *signal,
                                     struct dataset_cleaned *ret_cleaned, struct err *err);

#endif
