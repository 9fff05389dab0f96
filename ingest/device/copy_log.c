#include "ingest/device/copy_log.h"

#include "base/digest.h"
#include "base/utf8.h"

#include <string.h>

// clang-format off
static const char *const formats[SHARE_KIND_COUNT] = {
    [SHARE_BLOCK] = "BlockBlob", [SHARE_PAGE] = "PageBlob", [SHARE_FILES] = "AzureFile",
    [SHARE_DISKS] = "ManagedDisk",
};
// clang-format on

/* Bytes of the character that XML 1.0 can hold at str, or 0. */
static unsigned
xml_length(const char *str)
{
    unsigned char c = (unsigned char)*str;
    if (c < 0x80) {
        return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    }
    bool is_none = strncmp(str, "\xef\xbf\xbe", 3) == 0 || strncmp(str, "\xef\xbf\xbf", 3) == 0;
    return is_none ? 0 : utf8_length(str);
}

static bool
fits_xml(const char *text)
{
    while (*text != '\0') {
        unsigned len = xml_length(text);
        if (len == 0) {
            return false;
        }
        text += len;
    }
    return true;
}

/* As content or attribute. White space other than blanks is referred to, or a parser would make
 * blanks of it; what XML cannot hold becomes U+FFFD. */
static void
put_text(struct text *out, const char *text)
{
    const char *run = text;
    while (*text != '\0') {
        unsigned len = xml_length(text);
        if (len > 0 && strchr("&<>\"'\t\n\r", *text) == NULL) {
            text += len;
            continue;
        }
        text_add(out, run, (size_t)(text - run));
        if (len == 0) {
            text_add_str(out, "\xef\xbf\xbd");
        } else {
            text_addf(out, "&#%d;", *text);
        }
        text++;
        run = text;
    }
    text_add(out, run, (size_t)(text - run));
}

static void
put_base64(struct text *out, const struct text *text)
{
    /* In pieces of whole groups of three, so that no buffer as long as the path is needed. */
    for (size_t at = 0; at < text->len;) {
        char piece[BASE64_ROOM(96)];
        size_t len = MIN_OF(text->len - at, 96);
        text_add_str(out, base64_encode(text->bytes + at, len, piece));
        at += len;
    }
}

/* The path as the log has it; true: it has to be written as Base64. */
static bool
form_path(const char *path, bool is_error_xml, struct text *form)
{
    if (strchr(path, '\\') != NULL || path[0] == '/') {
        text_addf(form, "/%s", path);
        return true;
    }
    text_addf(form, "%s%s", is_error_xml ? "\\" : "", path);
    for (size_t i = 0; i < form->len; i++) {
        if (form->bytes[i] == '/') {
            form->bytes[i] = '\\';
            i = is_error_xml ? i : form->len - 1; /* else only after the container */
        }
    }
    return !fits_xml(text_str(form));
}

static void
put_path(struct text *out, const struct text *form, bool is_base64)
{
    if (is_base64) {
        put_base64(out, form);
    } else {
        put_text(out, text_str(form));
    }
}

/* ` Path="..."`, after what tells how it is to be read. */
static void
put_path_attribute(struct text *out, const char *path)
{
    AUTO_TEXT form = TEXT_INIT;
    bool is_base64 = form_path(path, false, &form);
    text_add_str(out, is_base64 ? " name_encoding=\"Base64\" Path=\"" : " Path=\"");
    put_path(out, &form, is_base64);
    text_add_char(out, '"');
    out->is_broken = out->is_broken || form.is_broken;
}

static void
put_attribute(struct text *out, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        text_addf(out, " %s=\"", name);
        put_text(out, value);
        text_add_char(out, '"');
    }
}

static void
put_element(struct text *out, const char *name, const char *value)
{
    text_addf(out, "  <%s>", name);
    put_text(out, value);
    text_addf(out, "</%s>\n", name);
}

void
copy_log_write_entry(struct text *out, const struct copy_log_entry *entry)
{
    text_add_str(out, "<ErroredEntity");
    put_attribute(out, "CloudFormat", formats[entry->kind]);
    put_path_attribute(out, entry->path);
    text_add_str(out, ">\n");
    put_element(out, "Category", entry->category);
    text_addf(out, "  <ErrorCode>%u</ErrorCode>\n", entry->error_code);
    put_element(out, "ErrorMessage", entry->message == NULL ? "" : entry->message);
    put_element(out, "Type", entry->is_container ? "Container" : "File");
    if (entry->etag != NULL && entry->etag[0] != '\0') {
        put_element(out, "ETag", entry->etag);
    }
    text_add_str(out, "</ErroredEntity>\n");
}

/* A category as the name of an element. */
static void
put_name(struct text *out, const char *category)
{
    for (const char *at = category; *at != '\0'; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';
        bool is_other = (*at >= '0' && *at <= '9') || *at == '.' || *at == '-';
        bool is_kept = is_letter || (is_other && at > category);
        text_add(out, is_kept ? at : "_", 1);
    }
    text_add_str(out, category[0] == '\0' ? "_" : "");
}

static void
put_counts(struct text *out, const struct copy_log_count *counts, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        text_add_str(out, "      <");
        put_name(out, counts[i].category);
        text_addf(out, " Count=\"%llu\"", (unsigned long long)counts[i].count);
        put_attribute(out, "Description", counts[i].description);
        text_add_str(out, " />\n");
    }
}

void
copy_log_write_summary(struct text *out, const struct copy_log_summary *summary)
{
    bool is_failed = summary->is_failed && summary->errored > 0;
    text_add_str(out, "<CopyLog Summary=\"Summary\">\n"
                      "  <DriveLogVersion>2021-08-01</DriveLogVersion>\n");
    if (summary->drive_id != NULL && summary->drive_id[0] != '\0') {
        put_element(out, "DriveId", summary->drive_id);
    }
    put_element(out, "Status", is_failed ? "Failed" : "Succeeded");
    text_addf(out, "  <TotalFiles_Blobs>%llu</TotalFiles_Blobs>\n",
              (unsigned long long)summary->total);
    text_addf(out, "  <FilesErrored>%llu</FilesErrored>\n", (unsigned long long)summary->errored);
    text_addf(out, "  <Summary>\n    <ValidationErrors>\n      <None Count=\"%llu\" />\n",
              (unsigned long long)summary->valid);
    put_counts(out, summary->validation, summary->validation_count);
    text_add_str(out, "    </ValidationErrors>\n    <CopyErrors>\n");
    put_counts(out, summary->copy, summary->copy_count);
    text_add_str(out, "    </CopyErrors>\n  </Summary>\n</CopyLog>\n");
}

void
verbose_log_write(struct text *out, const struct verbose_log_entry *entry)
{
    text_add_str(out, "<File");
    put_attribute(out, "CloudFormat", formats[entry->kind]);
    put_path_attribute(out, entry->path);
    text_addf(out, " Size=\"%llu\" crc64=\"%llu\"", (unsigned long long)entry->size_bytes,
              (unsigned long long)entry->crc64);
    put_attribute(out, "ETag", entry->etag);
    text_add_str(out, "></File>\n");
}

void
error_xml_write(struct text *out, const struct error_xml_entry *entry)
{
    AUTO_TEXT form = TEXT_INIT;
    bool is_base64 = form_path(entry->path, true, &form);
    text_add_str(out, "<file error=\"");
    put_text(out, entry->code);
    text_add_str(out, is_base64 ? "\" name_encoding=\"Base64\">" : "\">");
    put_path(out, &form, is_base64);
    text_add_str(out, "</file>\n");
    out->is_broken = out->is_broken || form.is_broken;
}

void
copy_log_name(const char *order, const char *serial, const char *guid, struct text *out)
{
    text_addf(out, "%s_%s_CopyLog_%s.xml", order, serial, guid);
}

void
verbose_log_name(const char *order, const char *serial, const char *job, struct text *out)
{
    text_addf(out, "%s_%s_VerboseLog_%s.xml", order, serial, job);
}
