#include "ingest/device/log_record.h"

#include <string.h>
#include <strings.h>

#define ARENA_CHUNK ((size_t)16 * 1024)

enum context { ROW_RECORD, ROW_DRIVE, ROW_ERROR, ROW_AROUND };

// clang-format off
static const struct { const char *name; enum context context; enum log_kind kind; } starts[] = {
    {"ErroredEntity", ROW_RECORD, LOG_ENTITY},
    {"CopyLog",       ROW_RECORD, LOG_SUMMARY},
    {"File",          ROW_RECORD, LOG_FILE},
    {"Blob",          ROW_RECORD, LOG_FILE},
    {"Container",     ROW_RECORD, LOG_FILE},
    {"DriveLog",      ROW_DRIVE,  LOG_NONE},
    {"Error",         ROW_ERROR,  LOG_NONE},
    {"Warning",       ROW_ERROR,  LOG_NONE},
    {"ErrorLog",      ROW_AROUND, LOG_NONE},
};
static const struct { const char *name; enum log_field field; } attribute_fields[] = {
    {"Path",   LOG_PATH}, {"Name", LOG_PATH},  {"Size",   LOG_SIZE},   {"crc64", LOG_CRC},
    {"ETag",   LOG_ETAG}, {"error", LOG_CODE}, {"Status", LOG_STATUS},
};
static const struct { enum log_kind kind; const char *name; enum log_field field; } children[] = {
    {LOG_ENTITY,  "Category",         LOG_CATEGORY},
    {LOG_ENTITY,  "ErrorCode",        LOG_NUMBER},
    {LOG_ENTITY,  "ErrorMessage",     LOG_MESSAGE},
    {LOG_ENTITY,  "Type",             LOG_TYPE},
    {LOG_ENTITY,  "ETag",             LOG_ETAG},
    {LOG_SUMMARY, "DriveId",          LOG_DRIVE},
    {LOG_SUMMARY, "Status",           LOG_STATUS},
    {LOG_SUMMARY, "TotalFiles",       LOG_TOTAL},
    {LOG_SUMMARY, "TotalFiles_Blobs", LOG_TOTAL},
    {LOG_SUMMARY, "FilesErrored",     LOG_ERRORED},
    {LOG_FILE,    "BlobPath",         LOG_PATH},
    {LOG_FILE,    "FileStoragePath",  LOG_PATH},
    {LOG_FILE,    "FilePath",         LOG_SOURCE},
    {LOG_FILE,    "OriginalFilePath", LOG_SOURCE},
};
static const struct { const char *name; enum share_kind share; } formats[] = {
    {"BlockBlob", SHARE_BLOCK}, {"PageBlob",    SHARE_PAGE},
    {"AzureFile", SHARE_FILES}, {"ManagedDisk", SHARE_DISKS},
};
// clang-format on

static bool
is_called(const char *name, const char *wanted)
{
    return strcasecmp(name, wanted) == 0;
}

/* ---- records that are complete ---- */

static const char *
end_entity(struct log_record *r)
{
    struct copy_log_entry entry = {.path = "", .kind = r->share};
    const char *damage = log_value_path(&r->values[LOG_PATH], r->is_base64, false, &r->path);
    if (damage != NULL) {
        return damage;
    }
    const char *number = log_value_trimmed(&r->values[LOG_NUMBER]);
    if (number[0] != '\0' && !log_value_code(number, &entry.error_code)) {
        damage = "an ErrorCode is no number"; /* what failed is worth more than its number */
    }
    entry.path = text_str(&r->path);
    entry.category = log_value_trimmed(&r->values[LOG_CATEGORY]);
    entry.message = log_value_words(&r->values[LOG_MESSAGE]);
    entry.is_container = is_called(log_value_trimmed(&r->values[LOG_TYPE]), "Container");
    entry.etag = r->values[LOG_ETAG].is_there ? log_value_words(&r->values[LOG_ETAG]) : NULL;
    if (r->events->entry != NULL) {
        r->events->entry(r->events->user, &entry);
    }
    return damage;
}

static bool
is_failure(const char *status)
{
    return is_called(status, "Failed") || is_called(status, "CompletedWithErrors") ||
           is_called(status, "Aborted");
}

static const char *
end_summary(struct log_record *r)
{
    struct copy_log_summary summary = {
        .drive_id = r->values[LOG_DRIVE].is_there ? log_value_trimmed(&r->values[LOG_DRIVE]) : NULL,
        .is_failed = is_failure(log_value_trimmed(&r->values[LOG_STATUS])),
        .valid = r->valid,
        .validation = r->counts[0],
        .validation_count = r->count[0],
        .copy = r->counts[1],
        .copy_count = r->count[1],
    };
    const char *total = log_value_trimmed(&r->values[LOG_TOTAL]);
    const char *errored = log_value_trimmed(&r->values[LOG_ERRORED]);
    if ((total[0] != '\0' && !log_value_number(total, false, &summary.total)) ||
        (errored[0] != '\0' && !log_value_number(errored, false, &summary.errored))) {
        return "a summary's count is no number";
    }
    if (r->events->summary != NULL) {
        r->events->summary(r->events->user, &summary);
    }
    return NULL;
}

/* An entry of a DriveLog: its status is its category. */
static void
tell_drive_entry(struct log_record *r)
{
    const char *status = log_value_trimmed(&r->values[LOG_STATUS]);
    bool is_good = status[0] == '\0' || is_called(status, "None") || is_called(status, "Completed");
    size_t len = strlen(status);
    bool is_renamed = len >= 7 && is_called(status + len - 7, "Renamed");
    const struct copy_log_entry entry = {
        .path = text_str(&r->path),
        .kind = r->share != SHARE_NONE ? r->share
                : r->is_blob           ? SHARE_BLOCK
                                       : SHARE_FILES,
        .category = status[0] == '\0' ? "None" : status,
        .message = "",
    };
    r->drive_total++;
    r->drive_errored += !is_good && !is_renamed;
    if (r->events->entry != NULL) {
        r->events->entry(r->events->user, &entry);
    }
}

static void
tell_error(struct log_record *r, struct log_value *code)
{
    const struct error_xml_entry entry = {.path = text_str(&r->path),
                                          .code = log_value_trimmed(code)};
    if (r->events->error != NULL) {
        r->events->error(r->events->user, &entry);
    }
}

static const char *
tell_file(struct log_record *r)
{
    struct verbose_log_entry entry = {.path = text_str(&r->path), .kind = r->share};
    const char *crc = log_value_trimmed(&r->values[LOG_CRC]);
    if (!log_value_number(log_value_trimmed(&r->values[LOG_SIZE]), false, &entry.size_bytes)) {
        return "a file's size is no number";
    }
    if (crc[0] != '\0' && !log_value_number(crc, true, &entry.crc64)) {
        return "a file's checksum is no number";
    }
    entry.etag = r->values[LOG_ETAG].is_there ? log_value_words(&r->values[LOG_ETAG]) : NULL;
    if (r->events->file != NULL) {
        r->events->file(r->events->user, &entry);
    }
    return NULL;
}

/* File is the name of four things; its attributes and children tell which. */
static const char *
end_file(struct log_record *r)
{
    bool is_drive = r->drive_depth > 0 || r->is_blob || r->values[LOG_SOURCE].is_there;
    const struct log_value *path = &r->values[LOG_PATH];
    bool is_own = !path->is_there && !r->values[LOG_SOURCE].is_there;
    if (!path->is_there) {
        path = is_own ? &r->values[LOG_OWN] : &r->values[LOG_SOURCE];
    }
    const char *damage = log_value_path(path, r->is_base64, is_own, &r->path);
    if (damage != NULL) {
        return damage;
    }
    if (r->values[LOG_CODE].is_there) {
        tell_error(r, &r->values[LOG_CODE]);
    } else if (is_drive) {
        tell_drive_entry(r);
    } else if (r->error_depth > 0 && r->error_code.is_there) {
        tell_error(r, &r->error_code);
    } else {
        return tell_file(r);
    }
    return NULL;
}

static void
end_drive(struct log_record *r)
{
    const char *status = log_value_trimmed(&r->drive_status);
    const struct copy_log_summary summary = {
        .drive_id = r->drive_id.is_there ? log_value_trimmed(&r->drive_id) : NULL,
        .is_failed = is_failure(status),
        .total = r->drive_total,
        .errored = r->drive_errored,
    };
    if (r->events->summary != NULL && status[0] != '\0') {
        r->events->summary(r->events->user, &summary);
    }
}

/* ---- elements ---- */

static void
open_record(struct log_record *r, enum log_kind kind, const char *name)
{
    for (unsigned i = 0; i < LOG_FIELD_COUNT; i++) {
        log_value_clear(&r->values[i]);
    }
    r->kind = kind;
    r->record_depth = r->depth;
    r->is_base64 = false;
    r->is_blob = is_called(name, "Blob");
    r->share = SHARE_NONE;
    r->field = kind == LOG_FILE ? LOG_OWN : LOG_NOTHING;
    r->field_depth = r->depth;
    r->list = 0;
    r->count[0] = 0;
    r->count[1] = 0;
    r->valid = 0;
    arena_reset(&r->arena);
}

static void
take_attributes(struct log_record *r, const char **attributes)
{
    for (; attributes[0] != NULL; attributes += 2) {
        for (unsigned i = 0; i < COUNT_OF(attribute_fields); i++) {
            if (is_called(attributes[0], attribute_fields[i].name)) {
                log_value_set(&r->values[attribute_fields[i].field], attributes[1]);
            }
        }
        for (unsigned i = 0; i < COUNT_OF(formats); i++) {
            if (is_called(attributes[0], "CloudFormat") &&
                is_called(attributes[1], formats[i].name)) {
                r->share = formats[i].share;
            }
        }
        r->is_base64 = r->is_base64 || (is_called(attributes[0], "name_encoding") &&
                                        is_called(attributes[1], "Base64"));
    }
}

/* <Category Count=".." Description=".."> of a summary. */
static const char *
take_count(struct log_record *r, const char *name, const char **attributes)
{
    AUTO_TEXT words = TEXT_INIT;
    struct log_value description = {0};
    uint64_t number = 0;
    bool has_number = false;
    unsigned list = r->list - 1;
    for (; attributes[0] != NULL; attributes += 2) {
        if (is_called(attributes[0], "Count")) {
            has_number = log_value_number(attributes[1], false, &number);
        } else if (is_called(attributes[0], "Description")) {
            log_value_set(&description, attributes[1]);
        }
    }
    if (has_number && list == 0 && is_called(name, "None")) {
        r->valid = number;
    } else if (has_number && r->count[list] < LOG_COUNTS_MAX) {
        r->counts[list][r->count[list]++] = (struct copy_log_count){
            .category = arena_bytes(&r->arena, name, strnlen(name, LOG_TEXT_MAX)),
            .count = number,
            .description =
                description.is_there ? arena_text(&r->arena, log_value_words(&description)) : NULL,
        };
    }
    text_done(&description.text);
    return has_number ? NULL : "a summary's count is no number";
}

static const char *
begin_child(struct log_record *r, const char *name, const char **attributes)
{
    unsigned level = r->depth - r->record_depth;
    if (r->kind == LOG_SUMMARY && level == 2) {
        r->list = is_called(name, "ValidationErrors") ? 1 : is_called(name, "CopyErrors") ? 2 : 0;
    }
    if (r->kind == LOG_SUMMARY && level == 3 && r->list > 0) {
        return take_count(r, name, attributes);
    }
    if (r->kind == LOG_FILE && is_called(name, "PageRangeList")) {
        r->share = SHARE_PAGE;
    }
    r->field = LOG_NOTHING;
    for (unsigned i = 0; level == 1 && i < COUNT_OF(children); i++) {
        if (children[i].kind == r->kind && is_called(name, children[i].name)) {
            r->field = children[i].field;
            log_value_clear(&r->values[r->field]);
            r->values[r->field].is_there = true;
        }
    }
    r->field_depth = r->depth;
    return NULL;
}

static void
begin_around(struct log_record *r, enum context context, const char **attributes)
{
    if (context == ROW_DRIVE) {
        r->drive_depth = r->depth;
        log_value_clear(&r->drive_id);
        log_value_clear(&r->drive_status);
        r->drive_total = 0;
        r->drive_errored = 0;
    } else if (context == ROW_ERROR) {
        r->error_depth = r->depth;
        log_value_clear(&r->error_code);
        for (; attributes[0] != NULL; attributes += 2) {
            if (is_called(attributes[0], "Code")) {
                log_value_set(&r->error_code, attributes[1]);
            }
        }
    }
}

/* Children of a DriveLog that are no records. */
static void
begin_drive_child(struct log_record *r, const char *name)
{
    r->field = LOG_NOTHING;
    if (r->drive_depth > 0 && r->depth == r->drive_depth + 1) {
        r->field = is_called(name, "DriveId")  ? LOG_DRIVE
                   : is_called(name, "Status") ? LOG_STATUS
                                               : LOG_NOTHING;
    }
    r->field_depth = r->depth;
}

/* What is counted in a summary may be called as it likes. */
static bool
has_count(const char **attributes)
{
    while (attributes[0] != NULL && !is_called(attributes[0], "Count")) {
        attributes += 2;
    }
    return attributes[0] != NULL;
}

const char *
log_record_begin(struct log_record *r, const char *name, const char **attributes, bool *ret_is_lost)
{
    unsigned row = 0;
    r->depth++;
    while (row < COUNT_OF(starts) && !is_called(name, starts[row].name)) {
        row++;
    }
    r->has_starts = r->has_starts || row < COUNT_OF(starts);
    enum context context = row < COUNT_OF(starts) ? starts[row].context : ROW_AROUND;
    *ret_is_lost =
        r->kind != LOG_NONE && context == ROW_RECORD && !(r->list > 0 && has_count(attributes));
    if (*ret_is_lost) {
        return "an entry lacks its end";
    }
    if (r->kind != LOG_NONE) {
        return begin_child(r, name, attributes);
    }
    if (context == ROW_RECORD) {
        open_record(r, starts[row].kind, name);
        take_attributes(r, attributes);
        return NULL;
    }
    begin_around(r, context, attributes);
    begin_drive_child(r, name);
    return NULL;
}

void
log_record_text(struct log_record *r, const char *bytes, size_t len)
{
    if (r->field == LOG_NOTHING || r->depth != r->field_depth) {
        return;
    }
    if (r->kind != LOG_NONE) {
        log_value_add(&r->values[r->field], bytes, len);
    } else {
        log_value_add(r->field == LOG_DRIVE ? &r->drive_id : &r->drive_status, bytes, len);
    }
}

static const char *
end_record(struct log_record *r)
{
    enum log_kind kind = r->kind;
    r->kind = LOG_NONE;
    r->field = LOG_NOTHING;
    switch (kind) {
    case LOG_ENTITY: return end_entity(r);
    case LOG_SUMMARY: return end_summary(r);
    default: return end_file(r);
    }
}

const char *
log_record_end(struct log_record *r)
{
    const char *damage = NULL;
    if (r->kind != LOG_NONE && r->depth == r->record_depth) {
        damage = end_record(r);
    } else if (r->kind == LOG_SUMMARY && r->depth - r->record_depth == 2) {
        r->list = 0;
    }
    if (r->kind == LOG_NONE && r->depth == r->drive_depth) {
        end_drive(r);
        r->drive_depth = 0;
    }
    if (r->kind == LOG_NONE && r->depth == r->error_depth) {
        r->error_depth = 0;
    }
    if (r->field_depth == r->depth) {
        r->field = LOG_NOTHING;
    }
    r->depth--;
    return damage;
}

void
log_record_forget(struct log_record *r)
{
    r->depth = 0;
    r->kind = LOG_NONE;
    r->field = LOG_NOTHING;
    r->drive_depth = 0;
    r->error_depth = 0;
}

bool
log_record_starts(const char *name, size_t len)
{
    for (unsigned i = 0; i < COUNT_OF(starts); i++) {
        size_t want = strlen(starts[i].name);
        if (len > want && strncasecmp(name, starts[i].name, want) == 0 &&
            strchr(" \t\r\n/>", name[want]) != NULL && name[want] != '\0') {
            return true;
        }
    }
    return false;
}

void
log_record_init(struct log_record *r, const struct log_reader_events *events)
{
    *r = (struct log_record){.events = events};
    arena_init(&r->arena, ARENA_CHUNK);
}

void
log_record_done(struct log_record *r)
{
    for (unsigned i = 0; i < LOG_FIELD_COUNT; i++) {
        text_done(&r->values[i].text);
    }
    text_done(&r->drive_id.text);
    text_done(&r->drive_status.text);
    text_done(&r->error_code.text);
    text_done(&r->path);
    arena_done(&r->arena);
}
