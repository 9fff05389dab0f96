/*
 * ingest/copy/job_folder.h - where a copy keeps its state, found again by what the copy is.
 *
 * The same copy means the same canonical source, target, filters, block size and compression: their
 * digest names the folder STATE/jobs/copy-DIGEST. A lock on it keeps a second process out for as
 * long as we live.
 *
 *   owner    job_folder_close() lets go of the lock
 *   errors   ERR_RUNNING: another process has the lock; ERR_CONFIG: the state folder cannot be used
 */
#ifndef INGEST_COPY_JOB_FOLDER_H
#define INGEST_COPY_JOB_FOLDER_H

#include "ingest/copy/copy.h"

struct job_folder {
    char *path;
    char *plan_path;
    char *known_path;
    int lock;
};

MUST_USE enum err_code job_folder_open(const struct copy_options *options, const struct end *source,
                                       const struct end *target, struct job_folder *ret_folder,
                                       struct err *err);
void job_folder_close(struct job_folder *folder);

#endif
