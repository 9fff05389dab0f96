/*
 * ingest/device/log_record.h - what the elements of a log mean. For log_read.c alone, which owns
 * the XML.
 *
 * A record is an element that makes an event: ErroredEntity, CopyLog, File, Blob, Container. What
 * stands around records (DriveLog, ErrorLog, whatever) is passed through, what stands in them and
 * is not known is passed over.
 *
 *   shape    constant memory: texts are cut as they come in
 *   owner    events are borrowed
 *   thread   one
 *   errors   words for a person, or NULL; the record concerned is not told
 */
#ifndef INGEST_DEVICE_LOG_RECORD_H
#define INGEST_DEVICE_LOG_RECORD_H

#include "base/arena.h"
#include "base/text.h"
#include "ingest/device/log_read.h"
#include "ingest/device/log_value.h"

enum log_kind {
    LOG_NONE,    /* outside of records */
    LOG_ENTITY,  /* ErroredEntity */
    LOG_SUMMARY, /* CopyLog */
    LOG_FILE,    /* File, file, Blob, Container */
};

enum log_field {
    LOG_NOTHING, /* text that nobody asked for */
    LOG_PATH,    /* as an attribute or BlobPath */
    LOG_SOURCE,  /* FilePath: where it lay on the disk */
    LOG_OWN,     /* the record's own text */
    LOG_CATEGORY,
    LOG_NUMBER,
    LOG_MESSAGE,
    LOG_TYPE,
    LOG_ETAG,
    LOG_STATUS,
    LOG_TOTAL,
    LOG_ERRORED,
    LOG_SIZE,
    LOG_CRC,
    LOG_CODE, /* error="..." */
    LOG_DRIVE,
    LOG_FIELD_COUNT
};

struct log_record {
    const struct log_reader_events *events;
    unsigned depth;  /* elements that are open */
    bool has_starts; /* something that a log is made of has been seen */

    /* The record that is open. */
    enum log_kind kind;
    unsigned record_depth;
    enum log_field field; /* where text goes */
    unsigned field_depth;
    struct log_value values[LOG_FIELD_COUNT];
    bool is_base64;
    bool is_blob; /* the element is called Blob */
    enum share_kind share;
    unsigned list; /* 0: none, 1: ValidationErrors, 2: CopyErrors, while it is open */
    struct copy_log_count counts[2][LOG_COUNTS_MAX];
    unsigned count[2];
    uint64_t valid;
    struct arena arena; /* the counts' texts */

    /* What stands around it. */
    unsigned drive_depth; /* of a DriveLog; 0: none is open */
    struct log_value drive_id;
    struct log_value drive_status;
    uint64_t drive_total;
    uint64_t drive_errored;
    unsigned error_depth; /* of an Error or Warning of an ErrorLog */
    struct log_value error_code;

    struct text path; /* the last one told */
};

void log_record_init(struct log_record *record, const struct log_reader_events *events);
void log_record_done(struct log_record *record);
/* An element begins; attributes as expat has them. *ret_is_lost: what was open lacks its end, and
 * this element has to be read again as the first of a new document. */
const char *log_record_begin(struct log_record *record, const char *name, const char **attributes,
                             bool *ret_is_lost);
void log_record_text(struct log_record *record, const char *bytes, size_t len);
const char *log_record_end(struct log_record *record);
/* Nothing is open any more. */
void log_record_forget(struct log_record *record);
/* Does a record, or what stands around records, begin with these bytes behind a '<'? */
bool log_record_starts(const char *name, size_t len);

#endif
