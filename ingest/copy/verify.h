/*
 * ingest/copy/verify.h - does the target have what the plan says was stored?
 *
 * Listing compares names, sizes and, where the target keeps them, checksums. Reading back reads
 * every byte again and compares the CRC that was computed when it was sent.
 *
 *   owner    verify_result_done() frees the bits; a result of zeros may be given to it
 *   thread   control's; blocks
 *   errors   what the walk itself met; differences are counted and told, not errors
 */
#ifndef INGEST_COPY_VERIFY_H
#define INGEST_COPY_VERIFY_H

#include "ingest/copy/copy.h"
#include "ingest/copy/plan.h"

struct verify_options {
    const struct copy_options *copy;
    const struct copy_events *events;
    struct copy_control *control;
    struct end *target;
    struct plan *plan;
    const char *plan_path;
};

struct verify_result {
    uint64_t checked;
    uint64_t missing;
    uint64_t different;
    uint64_t read_back;
    uint64_t rows;           /* of the plan that the bits speak of, from 1 */
    uint8_t *wrong_bits;     /* a bit per row: missing or different; NULL: not verified */
    uint8_t *read_back_bits; /* a bit per row: read again and equal */
};

/* Is this row of the plan not at the target as it was stored? */
static inline bool
verify_is_wrong(const struct verify_result *verified, uint64_t row)
{
    return row <= verified->rows && verified->wrong_bits != NULL &&
           (verified->wrong_bits[row >> 3] >> (row & 7) & 1) != 0;
}

MUST_USE enum err_code verify_run(const struct verify_options *options,
                                  struct verify_result *ret_result, struct err *err);
void verify_result_done(struct verify_result *result);

#endif
