/*
 * ingest/device/log_state.h - what the parts of log_job.h have in common; for log_job.c and
 * log_write.c alone.
 *
 *   owner    struct log_job; texts of what was written lie in its arena
 *   thread   error.xml with the mutex held; everything else by one thread at a time
 */
#ifndef INGEST_DEVICE_LOG_STATE_H
#define INGEST_DEVICE_LOG_STATE_H

#include "ingest/device/copy_log.h"
#include "ingest/device/device_place.h"
#include "ingest/device/log_file.h"
#include "ingest/device/log_job.h"

#include <pthread.h>

/* One account's log, and what its summary will say. */
struct log_account {
    const char *name;
    struct log_file copy_log;
    struct log_file verbose;
    uint64_t total;
    uint64_t errored;
    uint64_t valid; /* without any finding about its place, name or form */
    uint64_t validation[FINDING_COUNT];
    uint64_t copy[FINDING_COUNT];
};

/* A file that was written, to be stored. */
struct log_written {
    struct log_written *next;
    const char *path;
    const char *name; /* ACCOUNT/CONTAINER/BLOB */
    const char *content_type;
};

struct log_job {
    const struct log_job_options *options;
    struct device_place place; /* of our own: the scan has another */
    struct log_account *accounts;
    pthread_mutex_t mutex;
    struct log_file findings;
    struct arena arena;
    struct log_written *written;
    struct text path; /* of an entry, as the logs have it */
};

/* The account that an entry belongs to; what belongs to none is in the log of the first. */
struct log_account *log_find_account(struct log_job *job, const char *name);
/* Count an entry and what the judge found about it. */
void log_count(struct log_account *account, const struct judgement *judgement);
/* An entry's path below its account, as it is on the device, to job->path. */
const char *log_path(struct log_job *job, const struct judgement *judgement, const char *name);
enum share_kind log_kind(const struct judgement *judgement);

#endif
