/*
 * ingest/device/log_job.h - what a copy of a device leaves for the customer besides the data: copy
 * log, verbose log, list of files, error.xml.
 *
 * What failed or was left out is logged while it happens, what was stored is told by the plan at
 * the end, sorted by path; so a resumed copy's logs tell the whole job. Each account has its own
 * log; sums over all are those of the copy's summary. copy_log.h has the words.
 *
 *   shape    FOLDER/error.xml, and FOLDER/ACCOUNT/CONTAINER/BLOB as it is stored there; an account
 *            of which nothing was copied has a copy log too. Memory does not grow with the items
 *   owner    log_job_free(); options are borrowed until then
 *   thread   log_job_finding() any; the others one at a time
 *   durable  a log has its name when it is whole
 *   errors   ERR_STATE_FULL, ERR_CONFIG: a log could not be written, told when it is published;
 *            ERR_INTERRUPTED; storing: what the store said
 *   source   Data Box logs: copy log, verbose log, chain of custody, error.xml
 */
#ifndef INGEST_DEVICE_LOG_JOB_H
#define INGEST_DEVICE_LOG_JOB_H

#include "ingest/copy/copy.h"
#include "ingest/device/check.h"

#define LOG_CONTAINER     "databoxcopylog"
#define CUSTODY_CONTAINER "azuredatabox-chainofcustodylogs"

struct log_job_options {
    const struct copy_options *copy; /* the device, where state lies, clock, configuration */
    const struct judge_rules *rules;
    enum manifest_policy manifest; /* REQUIRE: the device's list is kept; BUILD: one is made */
    const char *const *accounts;
    unsigned account_count;
    const char *only_account; /* of a disk, whose shares name none; NULL otherwise */
    const char *order;        /* letters, digits, '-': parts of names */
    const char *serial;
    bool wants_verbose;
    const atomic_int *signal;
};

struct log_job;
MUST_USE enum err_code log_job_new(const struct log_job_options *options, struct log_job **ret_job,
                                   struct err *err);
struct log_job *log_job_free(struct log_job *job);
/* A line of error.xml. As check_options.tell; user is the job. */
void log_job_finding(void *job, const struct finding *finding);
/* An item that failed or was left out, as copy_events.item has it. */
void log_job_item(struct log_job *job, const struct item *item);
/* Write all logs of a copy that has ended below folder, in place of what is there. */
MUST_USE enum err_code log_job_write(struct log_job *job, const char *folder,
                                     const struct copy_ended *ended, struct err *err);
/* Of a device that was checked and not copied: error.xml alone. */
MUST_USE enum err_code log_job_write_findings(struct log_job *job, const char *folder,
                                              struct err *err);
/* What was written for the accounts goes to their ends. */
MUST_USE enum err_code log_job_store(struct log_job *job, const struct copy_ended *ended,
                                     struct err *err);

#endif
