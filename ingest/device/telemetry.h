/*
 * ingest/device/telemetry.h - what of a finding may be shown before the customer has consented:
 * codes, counts, shapes of names, salted hashes. No name, and no piece of one.
 *
 * A shape tells what goes wrong with a name and not what it says: "Bericht 2024.txt" is
 * "Aaaaaaa 0000.aaa", runs longer than TELEMETRY_RUN_MAX are cut with their length
 * ("aaaaaaaa[23]"), and every byte is in it as a class: letters a and A, digits 0, ASCII
 * punctuation as it is, control characters "c", what is not ASCII "u". A hash lets two reports of
 * the same run be compared; its salt is thrown away with the run, so that nobody can try names.
 *
 *   shape    salt: TELEMETRY_SALT_BYTES random bytes per run
 *   thread   any
 *   source   docs/DEVICES.md, "Before consent"
 */
#ifndef INGEST_DEVICE_TELEMETRY_H
#define INGEST_DEVICE_TELEMETRY_H

#include "ingest/device/finding.h"

#define TELEMETRY_SALT_BYTES 32
#define TELEMETRY_RUN_MAX    8U
#define TELEMETRY_SHAPE_MAX  512U

/* Append the shape of a path. */
void telemetry_shape(const char *path, struct text *out);
/* 64 hex digits: SHA-256 over salt and path; "" if the library cannot. */
#define TELEMETRY_HASH_BYTES 65
const char *telemetry_hash(const uint8_t salt[static TELEMETRY_SALT_BYTES], const char *path,
                           char out[static TELEMETRY_HASH_BYTES]);
/* As finding_json(), with shapes and hashes in place of examples, and of a fix its kind alone. */
void telemetry_json(const struct finding_group *group, const struct fix_step *fix,
                    const uint8_t salt[static TELEMETRY_SALT_BYTES], struct json *json);
/* A step as an object: kind, code, count, shapes. */
void telemetry_step_json(const struct fix_step *step, struct json *json);

#endif
