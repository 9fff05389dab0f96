/*
 * ingest/device/names.h - may an object of the store have this name?
 *
 * Pure functions over bytes. They answer with the first rule that is broken, in the order the
 * device itself reports them: length, then characters, then dashes or endings.
 *
 *   shape    names are slices; a blob's name is its path below the container, with '/'
 *   thread   any
 *   errors   none: FINDING_NONE if the name is legal
 *   source   Data Box limits and troubleshooting pages; blob and file naming rules
 */
#ifndef INGEST_DEVICE_NAMES_H
#define INGEST_DEVICE_NAMES_H

#include "ingest/device/catalogue.h"
#include "ingest/device/device.h"

enum finding_code names_check_container(struct slice name); /* and file shares; "$root" is legal */
enum finding_code names_check_blob(struct slice name);
enum finding_code names_check_file(struct slice path); /* below a file share */
enum finding_code names_check_disk(struct slice name); /* a VHD's file name, with its extension */
/* Would lower-casing make this container's name legal? */
bool names_is_only_upper_case(struct slice container);

#endif
