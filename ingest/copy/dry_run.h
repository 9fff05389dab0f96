/*
 * ingest/copy/dry_run.h - what a copy would do, told without doing it.
 *
 *   shape    every entry of the source is looked at; nothing is read, nothing is stored
 *   thread   one; blocks in the listing
 *   errors   what ended the listing; a target without room for all of it is the result's stop
 */
#ifndef INGEST_COPY_DRY_RUN_H
#define INGEST_COPY_DRY_RUN_H

#include "ingest/copy/copy.h"

struct dry_run {
    const struct copy_options *options;
    const struct copy_events *events;
    const struct copy_control *control;
    struct end *source;
    struct end *target;
    size_t block_largest; /* what a buffer can hold */
    uint64_t free_bytes;  /* at the target; UINT64_MAX: unknown */
};

MUST_USE enum err_code dry_run(const struct dry_run *dry, struct copy_result *result,
                               struct err *err);

#endif
