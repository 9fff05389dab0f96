/*
 * cmd/state.h - where state lies when --state does not say.
 *
 *   source   interface: $XDG_STATE_HOME/sallyport, else ~/.local/state/sallyport
 */
#ifndef CMD_STATE_H
#define CMD_STATE_H

#include "base/err.h"
#include "base/text.h"

/* The absolute path of the state folder. ERR_CONFIG: neither named nor a home folder known. */
MUST_USE enum err_code state_folder(const char *named, struct text *out, struct err *err);

#endif
