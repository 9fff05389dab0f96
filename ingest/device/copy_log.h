/*
 * ingest/device/copy_log.h - the XML that a copy leaves for the customer: copy log, verbose log,
 * error.xml; written, and read back.
 *
 * All three are fragment streams: many roots, no declaration. Names that XML cannot hold are
 * written as Base64 with name_encoding="Base64". What is written is the newer grammar; what is read
 * is every published one (upper- and lower-case element names, TotalFiles and TotalFiles_Blobs,
 * decimal and 0x checksums, mixed separators, DriveLog).
 *
 *   shape    a reader holds one entry; texts of at most COPY_LOG_TEXT_MAX bytes, longer are cut
 *   owner    out is the caller's text; an entry's texts live until the next read
 *   thread   one
 *   errors   ERR_FORMAT with the line's number
 *   source   Data Box logs, copy log (DriveLogVersion 2021-08-01), verbose log, error.xml
 */
#ifndef INGEST_DEVICE_COPY_LOG_H
#define INGEST_DEVICE_COPY_LOG_H

#include "base/err.h"
#include "base/text.h"
#include "ingest/device/device.h"

#include <stdint.h>

#define COPY_LOG_TEXT_MAX 16384

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
    const char *category;
    uint64_t count;
    const char *description;
};

struct copy_log_summary {
    const char *drive_id;
    bool is_failed; /* Status Failed; Succeeded otherwise */
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

struct log_reader_events {
    void *user;
    /* each may be NULL */
    void (*entry)(void *user, const struct copy_log_entry *entry);
    void (*summary)(void *user, const struct copy_log_summary *summary);
    void (*file)(void *user, const struct verbose_log_entry *entry);
    void (*error)(void *user, const struct error_xml_entry *entry);
};
/* Read any of the three, streaming, in constant memory. */
MUST_USE enum err_code log_read(int fd, const char *name, const struct log_reader_events *events,
                                struct err *err);

#endif
