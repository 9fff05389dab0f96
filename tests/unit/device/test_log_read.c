#include "ingest/device/copy_log.h"
#include "ingest/device/log_read.h"
#include "tests/support/check.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static struct text seen; /* what was told, a line each */
static struct text log_text;
static struct err err;

static void
see_entry(void *user, const struct copy_log_entry *e)
{
    (void)user;
    text_addf(&seen, "entry %s|%d|%s|%u|%s|%s|%s\n", e->path, (int)e->kind, e->category,
              e->error_code, e->message, e->is_container ? "Container" : "File",
              e->etag == NULL ? "-" : e->etag);
}

static void
see_summary(void *user, const struct copy_log_summary *s)
{
    (void)user;
    text_addf(&seen, "summary %s|%s|%llu|%llu|%llu\n", s->drive_id == NULL ? "-" : s->drive_id,
              s->is_failed ? "failed" : "succeeded", (unsigned long long)s->total,
              (unsigned long long)s->errored, (unsigned long long)s->valid);
    for (unsigned i = 0; i < s->validation_count + s->copy_count; i++) {
        bool is_copy = i >= s->validation_count;
        const struct copy_log_count *c =
            is_copy ? &s->copy[i - s->validation_count] : &s->validation[i];
        text_addf(&seen, "  %s %s %llu %s\n", is_copy ? "copy" : "validation", c->category,
                  (unsigned long long)c->count, c->description == NULL ? "-" : c->description);
    }
}

static void
see_file(void *user, const struct verbose_log_entry *f)
{
    (void)user;
    text_addf(&seen, "file %s|%d|%llu|%llx|%s\n", f->path, (int)f->kind,
              (unsigned long long)f->size_bytes, (unsigned long long)f->crc64,
              f->etag == NULL ? "-" : f->etag);
}

static void
see_error(void *user, const struct error_xml_entry *e)
{
    (void)user;
    text_addf(&seen, "error %s|%s\n", e->path, e->code);
}

static void
see_damage(void *user, uint64_t line, const char *words)
{
    (void)user;
    text_addf(&seen, "damage %llu %s\n", (unsigned long long)line, words);
}

static const struct log_reader_events events = {
    .entry = see_entry,
    .summary = see_summary,
    .file = see_file,
    .error = see_error,
    .damage = see_damage,
};

static enum err_code
read_bytes(const char *bytes, size_t len)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    CHECK_U64(write(fd, bytes, len), len);
    CHECK_U64(lseek(fd, 0, SEEK_SET), 0);
    text_clear(&seen);
    enum err_code code = log_read(fd, "x.xml", &events, &err);
    CHECK_U64(close(fd), 0);
    return code;
}

static enum err_code
read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static int
clear(void **state)
{
    (void)state;
    text_clear(&seen);
    text_clear(&log_text);
    return 0;
}

static int
done(void **state)
{
    (void)state;
    text_done(&seen);
    text_done(&log_text);
    return 0;
}

/* The forms of copy log: 2019 without CloudFormat, 2021-08-01 with nested counts. */
static void
copy_logs_of_all_versions_are_read(void **state)
{
    (void)state;
    CHECK_OK(
        read_text(
            "<ErroredEntity Path=\"New Folder\">\r\n  <Category>ContainerRenamed</Category>\r\n"
            "  <ErrorCode>1</ErrorCode><ErrorMessage>The &amp; name\r\nx</ErrorMessage>\r\n"
            "  <Type>Container</Type></ErroredEntity><ErroredEntity CloudFormat=\"PageBlob\" "
            "Path=\"c1/a.bin\"><Category> X </Category><ErrorCode>-2147024713</ErrorCode>"
            "<ErrorMessage/><Type>File</Type><ETag>\"0x8D\"</ETag></ErroredEntity>"
            "<CopyLog Summary=\"Summary\"><Status>Succeeded</Status><TotalFiles>21</TotalFiles>"
            "<FilesErrored>0</FilesErrored></CopyLog>\n<CopyLog Summary=\"Summary\">"
            "<DriveLogVersion>2021-08-01</DriveLogVersion><DriveId>d-1</DriveId>"
            "<Status>Failed</Status><TotalFiles_Blobs>60</TotalFiles_Blobs>"
            "<FilesErrored>1</FilesErrored><Summary><ValidationErrors><None Count=\"3\" />"
            "<File Count=\"4\"/></ValidationErrors><CopyErrors>"
            "<None Count=\"2\" Description=\"No errors encountered\" />"
            "<ContainerRenamed Count=\"57\" Description=\"Renamed\"/></CopyErrors></Summary></CopyLog>"),
        &err);
    CHECK_TEXT(text_str(&seen), "entry New Folder|0|ContainerRenamed|1|The & name\nx|Container|-\n"
                                "entry c1/a.bin|2|X|2147942583||File|\"0x8D\"\n"
                                "summary -|succeeded|21|0|0\n"
                                "summary d-1|failed|60|1|3\n"
                                "  validation File 4 -\n"
                                "  copy None 2 No errors encountered\n"
                                "  copy ContainerRenamed 57 Renamed\n");
}

static void
verbose_logs_and_error_lists_are_read(void **state)
{
    (void)state;
    CHECK_OK(read_text("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                       "<File CloudFormat=\"BlockBlob\" Path=\"dir\\Dir1/file\" Size=\"5\" "
                       "crc64=\"255\" ETag=\"e\"></File>"
                       "<file path=\"\\a\\b\" size=\"0x10\" CRC64=\"0x00000000000000ff\"/>"
                       "<File Path=\"a\" Size=\"0\" crc64=\"00000000000000ff\"/>"
                       "<file size=\"11\" crc64=\"0x1\">\\c1\\x</file>\n"
                       "<file error=\"ROOT_FILE\">\n  \\c1\\x &amp; y</file>\n"
                       "<File error=\"ROOT_FILE\" name_encoding=\"Base64\">\n XGE\n v/1xi </File>"),
             &err);
    CHECK_TEXT(text_str(&seen), "file dir/Dir1/file|1|5|ff|e\n"
                                "file a/b|0|16|ff|-\n"
                                "file a|0|0|ff|-\n"
                                "file c1/x|0|11|1|-\n"
                                "error c1/x & y|ROOT_FILE\n"
                                "error a/\xff/b|ROOT_FILE\n");
}

static void
drive_logs_tell_their_statuses(void **state)
{
    (void)state;
    CHECK_OK(
        read_text("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
                  "<DriveLog Version=\"2018-10-01\"><DriveId>d-2</DriveId>"
                  "<Blob Status=\"CompletedWithErrors\"><BlobPath>c1/a.vhd</BlobPath>"
                  "<FilePath>\\PageBlob\\c1\\a.vhd</FilePath><Length>512</Length>"
                  "<ImportDisposition Status=\"Created\">rename</ImportDisposition>"
                  "<PageRangeList><PageRange Offset=\"0\" Length=\"512\" Status=\"Corrupted\"/>"
                  "</PageRangeList></Blob>"
                  "<File Status=\"FileRenamed\"><FileStoragePath>s\\x</FileStoragePath>"
                  "<OriginalFilePath>\\AzureFile\\s\\y</OriginalFilePath></File>"
                  "<Status>CompletedWithErrors</Status></DriveLog>"
                  "<DriveLog Version=\"2014-11-01\"><DriveId>d-3</DriveId><BlobList>"
                  "<Blob><FilePath>\\b.txt</FilePath></Blob>"
                  "<Blob Status=\"Completed\"><BlobPath>c/d</BlobPath></Blob></BlobList>"
                  "<Status>Completed</Status></DriveLog>"),
        &err);
    CHECK_TEXT(text_str(&seen), "entry c1/a.vhd|2|CompletedWithErrors|0||File|-\n"
                                "entry s/x|3|FileRenamed|0||File|-\n"
                                "summary d-2|failed|2|1|0\n"
                                "entry b.txt|1|None|0||File|-\n"
                                "entry c/d|1|Completed|0||File|-\n"
                                "summary d-3|succeeded|2|0|0\n");
}

static void
the_validation_tool_s_list_is_read(void **state)
{
    (void)state;
    CHECK_OK(
        read_text("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ErrorLog Version=\"2018-10-01\">"
                  "<SessionId>s</SessionId><Errors><Error Code=\"Not512Aligned\">"
                  "<Description>d</Description><List><File Path=\"\\PageBlob\\c\\a\"/>"
                  "</List><Count>1</Count></Error></Errors><Warnings>"
                  "<Error Code=\"InvalidShareContainerFormat\"><List>"
                  "<Container Name=\"\\BlockBlob\\New Folder\"/></List></Error>"
                  "</Warnings></ErrorLog>"),
        &err);
    CHECK_TEXT(text_str(&seen), "error PageBlob/c/a|Not512Aligned\n"
                                "error BlockBlob/New Folder|InvalidShareContainerFormat\n");
}

/* Logs of several disks are put behind one another, declarations and all. */
static void
declarations_between_fragments_are_no_damage(void **state)
{
    (void)state;
    CHECK_OK(read_text("<?xml version=\"1.0\"?><file error=\"A\">\\a</file>\n"
                       "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<file error=\"B\">\\b</file>\n"),
             &err);
    CHECK_TEXT(text_str(&seen), "error a|A\nerror b|B\n");
}

#define GOOD(name) "<file error=\"E\">\\" name "</file>\n"

/* One bad name must not hide what comes after it. */
static void
damage_costs_the_entry_it_is_in(void **state)
{
    static const struct {
        const char *bad;
        const char *words;
    } rows[] = {
        {"<file error=\"E\">\\a&b</file>", "damage 2 not well-formed (invalid token)\n"},
        {"<file error=\"E\">\\a<b</file>", "damage 2 not well-formed (invalid token)\n"},
        {"<file error=\"E\">\\a&nbsp;b</file>", "damage 2 undefined entity\n"},
        {"<file error=\"E\">\\a\001b</file>", "damage 2 not well-formed (invalid token)\n"},
        {"<file error=\"E\">\\a\xff</file>", "damage 2 not well-formed (invalid token)\n"},
        {"<file error=\"E>\\a</file>", "damage 2 not well-formed (invalid token)\n"},
        {"<file error=\"E\">\\a", "damage 3 an entry lacks its end\n"},
        {"<ErroredEntity Path=\"a\"><Category>x", "damage 3 an entry lacks its end\n"},
        {"<CopyLog><Summary><CopyErrors>", "damage 3 an entry lacks its end\n"},
        {"</file>", "damage 2 mismatched tag\n"},
        {"</sallyport-fragments>", "damage 3 junk after document element\n"},
        {"<file error=\"E\"></file>", "damage 2 a name is missing\n"},
        {"<file error=\"E\" name_encoding=\"Base64\">?</file>",
         "damage 2 a name is not valid Base64\n"},
        {"<file error=\"E\" name_encoding=\"Base64\">YQBi</file>",
         "damage 2 a name is not valid Base64\n"},
        {"<File Path=\"a\" Size=\"-1\" crc64=\"0\"/>", "damage 2 a file's size is no number\n"},
        {"<File Path=\"a\" Size=\"99999999999999999999\" crc64=\"0\"/>",
         "damage 2 a file's size is no number\n"},
        {"<File Path=\"a\" Size=\"1\" crc64=\"0x11112222333344445\"/>",
         "damage 2 a file's checksum is no number\n"},
        {"<CopyLog><TotalFiles>many</TotalFiles></CopyLog>",
         "damage 2 a summary's count is no number\n"},
        {"<ErroredEntity Path=\"a\"><Category>C</Category><ErrorCode>x</ErrorCode>"
         "</ErroredEntity>",
         "entry a|0|C|0||File|-\ndamage 2 an ErrorCode is no number\n"},
    };
    AUTO_TEXT want = TEXT_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        text_clear(&log_text);
        text_clear(&want);
        text_addf(&log_text, "%s%s\n%s", GOOD("before"), rows[i].bad, GOOD("after"));
        text_addf(&want, "error before|E\n%serror after|E\n", rows[i].words);
        CHECK_ERR(read_text(text_str(&log_text)), &err, ERR_FORMAT);
        CHECK_TEXT(text_str(&seen), text_str(&want));
        CHECK_HAS(err.text, "log 'x.xml': line ");
    }
}

static void
the_error_names_the_first_line_and_the_number_of_places(void **state)
{
    (void)state;
    CHECK_ERR(read_text("\n\n<file error=\"E\">&</file>\n" GOOD("a") "<file error=\"E\">&</file>"),
              &err, ERR_FORMAT);
    CHECK_TEXT(err.text,
               "log 'x.xml': line 3: not well-formed (invalid token); 2 places are damaged");
    CHECK_ERR(read_text(GOOD("a") "<file error=\"E\">\\b"), &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "log 'x.xml': line 2: it ends within an element");
    CHECK_TEXT(text_str(&seen), "error a|E\ndamage 2 it ends within an element\n");
}

/* Entities that are declared can be made to fill any memory. */
static void
a_document_type_is_refused(void **state)
{
    (void)state;
    CHECK_ERR(read_text("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"c\">]>" GOOD("x")),
              &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "log 'x.xml': line 2: it has a document type declaration");
    CHECK_ERR(read_text(GOOD("x") "<!doctype a SYSTEM \"file:///etc/passwd\">"), &err, ERR_FORMAT);
    CHECK_HAS(err.text, "document type");
    CHECK_TEXT(text_str(&seen), "error x|E\n");
}

static void
what_is_no_log_is_said_to_be_none(void **state)
{
    (void)state;
    CHECK_OK(read_text(""), &err);
    CHECK_OK(read_text(" \n"), &err);
    CHECK_ERR(read_text("{\"a\":1}"), &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "log 'x.xml': line 1: it is no log");
    CHECK_ERR(read_text("<html><body/></html>"), &err, ERR_FORMAT);
}

/* Wherever the pieces end that are read, the same is told. */
static void
ends_of_pieces_do_not_matter(void **state)
{
    static const char entry[] = "<ErroredEntity CloudFormat=\"BlockBlob\" Path=\"c\\\xc3\xa4.x\">"
                                "<Category>C</Category><ErrorCode>7</ErrorCode></ErroredEntity>\n";
    static const char broken[] = "<ErroredEntity Path=\"b\"><Category>\n";
    (void)state;
    for (size_t shift = 0; shift < sizeof entry + sizeof broken; shift++) {
        unsigned count = 0;
        text_clear(&log_text);
        text_add(&log_text,
                 "<!--                                                                "
                 "                                                                    "
                 "                                                                    "
                 "                  ",
                 shift + 4);
        text_add_str(&log_text, "-->");
        while (log_text.len < (size_t)128 * 1024) {
            text_add_str(&log_text, entry);
            text_add_str(&log_text, broken);
            count++;
        }
        text_add_str(&log_text, entry);
        CHECK_ERR(read_text(text_str(&log_text)), &err, ERR_FORMAT);
        unsigned entries = 0;
        unsigned damages = 0;
        for (const char *at = text_str(&seen); *at != '\0'; at = strchr(at, '\n') + 1) {
            bool is_entry = strncmp(at, "entry c/\xc3\xa4.x|1|C|7||File|-\n", 27) == 0;
            entries += is_entry;
            damages += strncmp(at, "damage ", 7) == 0;
        }
        CHECK_U64(entries, count + 1);
        CHECK_U64(damages, count);
        text_clear(&log_text);
        text_addf(&log_text, "damage %u an entry lacks its end\n", count * 2 + 1);
        CHECK_HAS(text_str(&seen), text_str(&log_text));
    }
}

/* A tag without end would be kept in memory whole. */
static void
a_tag_of_any_length_costs_no_more_than_the_window(void **state)
{
    (void)state;
    text_add_str(&log_text, GOOD("before") "<file error=\"");
    for (unsigned i = 0; i < 100000; i++) {
        text_add_str(&log_text, "0123456789");
    }
    text_add_str(&log_text, "\">\\x</file>\n" GOOD("after"));
    CHECK_ERR(read_text(text_str(&log_text)), &err, ERR_FORMAT);
    CHECK_TEXT(text_str(&seen), "error before|E\ndamage 2 a tag is too long\nerror after|E\n");
}

/* What nests costs a parser memory that grows with the file. */
static void
depth_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        text_add_str(&log_text, "<a>");
    }
    text_add_str(&log_text, GOOD("after"));
    CHECK_ERR(read_text(text_str(&log_text)), &err, ERR_FORMAT);
    CHECK_TEXT(text_str(&seen), "damage 1 elements are nested too deeply\nerror after|E\n");
}

static void
long_texts_are_cut_at_a_character_and_long_names_refused(void **state)
{
    struct copy_log_entry entry = {.path = "c/x", .category = "C"};
    AUTO_TEXT message = TEXT_INIT;
    (void)state;
    text_add_str(&message, "x");
    while (message.len < LOG_TEXT_MAX + 1) {
        text_add_str(&message, "\xc3\xa4");
    }
    entry.message = text_str(&message);
    copy_log_write_entry(&log_text, &entry);
    entry.path = text_str(&message);
    entry.message = "";
    copy_log_write_entry(&log_text, &entry);
    CHECK_ERR(read_text(text_str(&log_text)), &err, ERR_FORMAT);
    message.bytes[LOG_TEXT_MAX - 1] = '\0';
    text_clear(&log_text);
    text_addf(&log_text, "entry c/x|0|C|0|%s|File|-\ndamage 12 a name is too long\n",
              text_str(&message));
    CHECK_TEXT(text_str(&seen), text_str(&log_text));
}

static void
endless_damage_ends(void **state)
{
    (void)state;
    while (log_text.len < (size_t)2 << 20) {
        text_add_str(&log_text, "<File &<file<Blob \xff");
    }
    CHECK_ERR(read_text(text_str(&log_text)), &err, ERR_FORMAT);
    CHECK_HAS(err.text, "; too many places are damaged");
}

static void
more_categories_than_are_kept_are_passed_over(void **state)
{
    (void)state;
    text_add_str(&log_text, "<CopyLog><Summary><CopyErrors>");
    for (unsigned i = 0; i < 2 * LOG_COUNTS_MAX; i++) {
        text_addf(&log_text, "<c%u Count=\"1\"/>", i);
    }
    text_add_str(&log_text, "</CopyErrors></Summary></CopyLog>");
    CHECK_OK(read_text(text_str(&log_text)), &err);
    CHECK_HAS(text_str(&seen), "  copy c127 1 -\n");
    CHECK(strstr(text_str(&seen), "c128") == NULL);
}

static void *
write_slowly(void *user)
{
    int fd = *(int *)user;
    for (size_t i = 0; i < log_text.len; i++) {
        CHECK_U64(write(fd, log_text.bytes + i, 1), 1);
    }
    CHECK_U64(close(fd), 0);
    return NULL;
}

static void
a_pipe_that_gives_little_at_a_time_is_read(void **state)
{
    int fds[2];
    pthread_t thread;
    (void)state;
    text_add_str(&log_text, "\xef\xbb\xbf<?xml version=\"1.0\"?>" GOOD("a") GOOD("b"));
    CHECK_U64(pipe(fds), 0);
    CHECK_U64(pthread_create(&thread, NULL, write_slowly, &fds[1]), 0);
    CHECK_OK(log_read(fds[0], "pipe", &events, &err), &err);
    CHECK_U64(pthread_join(thread, NULL), 0);
    CHECK_U64(close(fds[0]), 0);
    CHECK_TEXT(text_str(&seen), "error a|E\nerror b|E\n");
    CHECK_ERR(log_read(-1, "none", &events, &err), &err, ERR_SYSTEM);
    CHECK_TEXT(err.text, "could not read log 'none': Bad file descriptor");
}

static void
events_nobody_wants_may_be_missing(void **state)
{
    static const struct log_reader_events none = {0};
    int fd = memfd_create("log", MFD_CLOEXEC);
    static const char log[] = GOOD("a") "<ErroredEntity Path=\"a\"/><File Path=\"a\" Size=\"1\"/>"
                                        "<CopyLog/><DriveLog><Status>x</Status></DriveLog>&";
    (void)state;
    CHECK_U64(write(fd, log, sizeof log - 1), sizeof log - 1);
    CHECK_U64(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERR(log_read(fd, "x", &none, &err), &err, ERR_FORMAT);
    CHECK_U64(close(fd), 0);
}

int
main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, clear, done)
    const struct CMUnitTest tests[] = {
        RULE(copy_logs_of_all_versions_are_read),
        RULE(verbose_logs_and_error_lists_are_read),
        RULE(drive_logs_tell_their_statuses),
        RULE(the_validation_tool_s_list_is_read),
        RULE(declarations_between_fragments_are_no_damage),
        RULE(damage_costs_the_entry_it_is_in),
        RULE(the_error_names_the_first_line_and_the_number_of_places),
        RULE(a_document_type_is_refused),
        RULE(what_is_no_log_is_said_to_be_none),
        RULE(ends_of_pieces_do_not_matter),
        RULE(a_tag_of_any_length_costs_no_more_than_the_window),
        RULE(depth_is_bounded),
        RULE(long_texts_are_cut_at_a_character_and_long_names_refused),
        RULE(endless_damage_ends),
        RULE(more_categories_than_are_kept_are_passed_over),
        RULE(a_pipe_that_gives_little_at_a_time_is_read),
        RULE(events_nobody_wants_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
