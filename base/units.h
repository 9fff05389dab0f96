/*
 * base/units.h - sizes, rates and durations as people write and read them.
 *
 *   shape    sizes "8MiB" "512" "1.5GiB" (KiB MiB GiB TiB, powers of 1024); rates "200MiB/s";
 *            durations "30s" "15m" "8h" "4d" "250ms"
 *   units    bytes, bytes per second, nanoseconds
 *   errors   ERR_USAGE with the text and the accepted forms
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

MUST_USE enum err_code units_parse_size(const char *text, uint64_t *ret_bytes, struct err *err);
MUST_USE enum err_code units_parse_rate(const char *text, uint64_t *ret_bytes_per_s,
                                        struct err *err);
MUST_USE enum err_code units_parse_duration(const char *text, int64_t *ret_ns, struct err *err);
MUST_USE enum err_code units_parse_u64(const char *text, uint64_t *ret_value, struct err *err);

#define UNITS_TEXT_BYTES 32
const char *units_format_size(uint64_t bytes, char out[static UNITS_TEXT_BYTES]);  /* "1.50 GiB" */
const char *units_format_count(uint64_t count, char out[static UNITS_TEXT_BYTES]); /* "20,000" */
const char *units_format_duration(int64_t ns,
                                  char out[static UNITS_TEXT_BYTES]); /* "1h 02m 03s", ">30d" */

#endif
