/*
 * ingest/device/propose.h - the fix plan that would let a halted device be copied.
 *
 * Nothing is lost by it where that can be avoided: folders and files at the wrong place are mapped
 * into containers that do not exist yet, what cannot be a page blob becomes a block blob, names are
 * changed by rule, lists are built anew. Left out is only what no store can hold. Where a machine
 * cannot tell what is meant, or nothing but a person can act, there is no step.
 *
 *   shape    up to FIX_STEPS_MAX steps; a cause that would need more gets none of them
 *   owner    the result's
 *   thread   one, after the walks
 *   source   docs/DEVICES.md, "What a machine may propose"
 */
#ifndef INGEST_DEVICE_PROPOSE_H
#define INGEST_DEVICE_PROPOSE_H

#include "ingest/device/check_state.h"

/* Fill in result's proposal and fixes from its findings. */
void propose(struct check *check, struct check_result *result);

/* A legal container name near to a folder's: "My Data" is "my-data". False: there is none. */
bool propose_container_name(struct slice folder, struct text *out);

#endif
