/*
 * ingest/device/log_file.h - a file of lines that has no name until it is whole.
 *
 * What a copy meets is logged while it happens, and where the logs are to lie is known only at the
 * end. Nobody ever sees half a log, and one that is given up leaves nothing behind.
 *
 *   shape    lines are collected and written when there are LOG_FILE_FLUSH bytes
 *   owner    log_file_done() in any case; folder is borrowed until then
 *   thread   one at a time
 *   durable  synced, named, its folder synced when log_file_publish() returns
 *   errors   ERR_STATE_FULL, ERR_CONFIG: the folder cannot be written; the first stays
 */
#ifndef INGEST_DEVICE_LOG_FILE_H
#define INGEST_DEVICE_LOG_FILE_H

#include "base/err.h"
#include "base/text.h"

#define LOG_FILE_FLUSH ((size_t)256 << 10)

struct log_file {
    const char *folder; /* on the file system where it is to lie */
    int fd;             /* -1: nothing written yet */
    char *staged;       /* its name until then, where files without one are not to be had */
    struct text lines;  /* append here, then log_file_flush() */
    struct err err;
};

void log_file_init(struct log_file *file, const char *folder);
void log_file_done(struct log_file *file);
/* After each line. */
void log_file_flush(struct log_file *file);
bool log_file_is_empty(const struct log_file *file);
/* Folders on the way are made. What has the name is replaced. */
MUST_USE enum err_code log_file_publish(struct log_file *file, const char *path, struct err *err);

#endif
