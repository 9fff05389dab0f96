/*
 * bench/server/xml.h - the XML that the service answers with.
 *
 *   shape    a name that XML cannot hold (control bytes, not UTF-8) is percent-encoded and marked
 *            with Encoded="true", as the service does
 */
#ifndef BENCH_SERVER_XML_H
#define BENCH_SERVER_XML_H

#include "base/text.h"

#define XML_DECLARATION "<?xml version=\"1.0\" encoding=\"utf-8\"?>"

void xml_escape(struct text *out, const char *value);
/* <tag>value</tag>, escaped. */
void xml_add(struct text *out, const char *tag, const char *value);
/* The same for a blob's name, encoded where it has to be. */
void xml_add_name(struct text *out, const char *tag, const char *name);

#endif
