/*
 * cmd/copy_device.h - what `copy` does with a device tree: options into a plan and accounts, and
 * the findings of the checks into events.
 *
 *   owner    values are the command's
 *   thread   main
 *   errors   ERR_USAGE: an account that is not ACCT=END, a target where accounts are wanted
 */
#ifndef CMD_COPY_DEVICE_H
#define CMD_COPY_DEVICE_H

#include "base/option.h"
#include "cmd/output.h"
#include "ingest/copy/copy.h"

struct copy_device_values {
    int sku; /* 0: no device, unless accounts are named */
    struct option_list accounts;
    const char *plan;
    int bad_names;
    int manifest;
    bool has_tiers;
    int model;
    int file_shares;
    bool wants_verbose_log;
};

/* Whom a copy tells, and who may stop it. */
struct copy_device_view {
    const struct copy_events *events;
    struct copy_control *control;
    struct output *output;
};

bool copy_device_is_wanted(const struct copy_device_values *values);
/* As copy_run(): fills *ret_result in any case. */
MUST_USE enum err_code copy_device_run(const struct copy_device_values *values,
                                       const struct copy_options *copy,
                                       const struct copy_device_view *view,
                                       struct copy_result *ret_result, struct err *err);

#endif
