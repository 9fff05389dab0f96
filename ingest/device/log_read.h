/*
 * ingest/device/log_read.h - read the logs that a copy, a device or a disk leaves.
 *
 * All published forms are taken, by what the elements are and not by the file's name: copy log,
 * verbose log, error.xml, the validation tool's ErrorLog, and DriveLog of 2014-11-01 and
 * 2018-10-01, whose Blob and File elements become entries with their status as the category.
 * Names of elements and attributes in either case, TotalFiles and TotalFiles_Blobs, decimal and 0x
 * checksums, '/' and '\' mixed, declarations between fragments.
 *
 * Logs are made by many hands, so a place that is no XML, or an entry that says nothing sensible,
 * costs that entry: reading goes on with the next element that a log is made of.
 *
 *   shape    streaming; an entry's texts are at most LOG_TEXT_MAX bytes: longer names are damage,
 *            longer texts are cut; at most LOG_COUNTS_MAX categories of a summary are told
 *   owner    an entry and its texts live until the event's function returns
 *   thread   one
 *   errors   ERR_FORMAT: something is damaged; names the first line and how many places; all that
 *            could be read has been told. A document type, or more than LOG_DAMAGE_MAX places:
 *            not read to its end. ERR_SYSTEM: reading failed.
 *   source   Data Box logs (2019 to 2021-08-01), Data Box Disk logs and validation tool,
 *            Import/Export log file format
 */
#ifndef INGEST_DEVICE_LOG_READ_H
#define INGEST_DEVICE_LOG_READ_H

#include "base/err.h"
#include "ingest/device/copy_log.h"

#define LOG_TEXT_MAX   16384
#define LOG_COUNTS_MAX 128
#define LOG_DAMAGE_MAX 10000

struct log_reader_events {
    void *user;
    /* each may be NULL */
    void (*entry)(void *user, const struct copy_log_entry *entry);
    void (*summary)(void *user, const struct copy_log_summary *summary); /* as it is said there */
    void (*file)(void *user, const struct verbose_log_entry *entry);
    void (*error)(void *user, const struct error_xml_entry *entry);
    void (*damage)(void *user, uint64_t line, const char *words);
};

/* Read any log from where fd stands; name is for messages. */
MUST_USE enum err_code log_read(int fd, const char *name, const struct log_reader_events *events,
                                struct err *err);

#endif
