/*
 * ingest/copy/mime.h - Content-Type by a name's extension, from the system's table.
 *
 *   owner    texts live as long as the process
 *   thread   mime_load() once, before the lanes start; mime_of() any
 *   source   /etc/mime.types (package media-types)
 */
#ifndef INGEST_COPY_MIME_H
#define INGEST_COPY_MIME_H

#include <stdbool.h>

void mime_load(const char *path); /* a missing file means: no type is known */
void mime_forget(void);           /* what mime_of() returned before is gone: for tests */
/* Never NULL: "application/octet-stream" if nothing is known of the extension. */
const char *mime_of(const char *name);
/* Is what is of this type compressed already? */
bool mime_is_packed(const char *type);

#endif
