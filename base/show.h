/*
 * base/show.h - how foreign words stand in a message: short, printable, and without what is secret.
 *
 * A name may have 4,096 bytes and a message has few: the middle of a long word gives way, so that
 * what stands behind it, the reason, is still there. What was typed may hold a credential: a shared
 * access signature in an address, a connection string, a key pasted in the wrong place.
 *
 *   shape    control bytes are shown as \xNN; UTF-8 characters are left out whole or not at all
 *   thread   any
 */
#ifndef BASE_SHOW_H
#define BASE_SHOW_H

#include "base/attr.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define SHOW_BYTES 160 /* room for one word of a message */

/* As much of text as room holds, its middle left out ("ab...yz") where that is not all. */
void show_middle(const char *text, char *out, size_t room);
/* A word of the command line or of a configuration, with its credentials left out. Returns out. */
const char *show_typed(const char *typed, char out[static SHOW_BYTES]);
/* The same of any length. */
void show_redacted(const char *words, struct text *out);
/* Does the word hold something that show_typed() leaves out? */
bool show_has_secret(const char *word);
/* Does it begin as an address does: "scheme://", in any case, behind blanks and quotes? */
bool show_is_address(const char *word);

#endif
