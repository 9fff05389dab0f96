/*
 * ingest/device/device_copy.h - a copy of a device tree: checked first, then every share to its
 * account's end.
 *
 * Nothing moves while the checks find what halts: the verdict comes back with its findings and the
 * plan that would help. Otherwise the engine copies, asking device_place.h for each entry. Logs
 * (log_job.h) are written beside the job and stored before its plan is finished.
 *
 *   shape    up to DEVICE_ACCOUNTS_MAX accounts
 *   owner    results are the caller's: check_result_done(), mem_give() for result.receipt
 *            and result.logs
 *   thread   blocks the caller
 *   errors   ERR_USAGE: an account without an end, or that the device does not have;
 *            ERR_UNSUPPORTED: a file share to an end that takes none; otherwise the checks' and the
 *            copy's. A halt is no error: ret_copy->exit is EXIT_HALTED and stop ERR_DEVICE
 */
#ifndef INGEST_DEVICE_DEVICE_COPY_H
#define INGEST_DEVICE_DEVICE_COPY_H

#include "ingest/device/account_ends.h"
#include "ingest/device/check.h"

struct device_copy_options {
    const struct copy_options *copy; /* its source is the device; target and parts are not set */
    struct judge_rules rules;
    enum manifest_policy manifest;
    bool wants_verbose_log;
    const struct device_account *accounts; /* each gets a copy log */
    unsigned account_count;
    const struct copy_events *events;
    struct copy_control *control;
};

MUST_USE enum err_code device_copy(const struct device_copy_options *options,
                                   struct check_result *ret_check, struct copy_result *ret_copy,
                                   struct err *err);

#endif
