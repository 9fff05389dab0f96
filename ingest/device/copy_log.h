/*
 * ingest/device/copy_log.h - the XML that a copy leaves for the customer: copy log, verbose log,
 * error.xml. log_read.h reads it back.
 *
 * All three are fragment streams: many roots, no declaration. Names that XML cannot hold are
 * written as Base64 with name_encoding="Base64": those that are not UTF-8, and those with
 * characters that XML 1.0 forbids. The separators are the published ones, '\' after the container
 * (error.xml: everywhere); a name with a '\' of its own is written as Base64 of '/' and the path as
 * it is, so that no name is taken for two. Texts that are no names lose what XML cannot hold.
 *
 *   shape    a path is relative and not empty, of any bytes
 *   owner    out is the caller's text, appended to; the rest is borrowed for the call
 *   thread   any
 *   source   Data Box logs, copy log (DriveLogVersion 2021-08-01), verbose log, error.xml
 */
#ifndef INGEST_DEVICE_COPY_LOG_H
#define INGEST_DEVICE_COPY_LOG_H

#include "base/text.h"
#include "ingest/device/device.h"

#include <stdint.h>

/* ErroredEntity: something failed, or was renamed. */
struct copy_log_entry {
    const char *path;     /* "container/rest", '/' between; written with '\' after the container */
    enum share_kind kind; /* CloudFormat; SHARE_NONE: not said */
    const char *category; /* "UploadErrorDataValidationError", "ContainerRenamed", ... */
    uint32_t error_code;
    const char *message;
    bool is_container; /* Type Container, else File */
    const char *etag;  /* NULL: none */
};

struct copy_log_count {
    const char *category; /* written as an element's name */
    uint64_t count;
    const char *description; /* NULL: none */
};

struct copy_log_summary {
    const char *drive_id; /* NULL: none */
    bool is_failed;       /* Status Failed; written only where something errored, else Succeeded */
    uint64_t total;
    uint64_t errored;
    uint64_t valid; /* <None Count=..> of ValidationErrors */
    const struct copy_log_count *validation;
    unsigned validation_count;
    const struct copy_log_count *copy;
    unsigned copy_count;
};

/* File of the verbose log. */
struct verbose_log_entry {
    const char *path;
    enum share_kind kind;
    uint64_t size_bytes;
    uint64_t crc64;
    const char *etag; /* NULL: none */
};

/* file of error.xml */
struct error_xml_entry {
    const char *path; /* below the share's account, '/' between */
    const char *code; /* wire name of a finding */
};

void copy_log_write_entry(struct text *out, const struct copy_log_entry *entry);
void copy_log_write_summary(struct text *out, const struct copy_log_summary *summary);
void verbose_log_write(struct text *out, const struct verbose_log_entry *entry);
void error_xml_write(struct text *out, const struct error_xml_entry *entry);
/* "ORDER_SERIAL_CopyLog_GUID.xml"; guid is 32 hex digits. */
void copy_log_name(const char *order, const char *serial, const char *guid, struct text *out);
void verbose_log_name(const char *order, const char *serial, const char *job, struct text *out);

#endif
