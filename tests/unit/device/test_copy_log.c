#include "base/arena.h"
#include "ingest/device/copy_log.h"
#include "ingest/device/log_read.h"
#include "tests/support/folder.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define NAMES_MAX 1200

extern char **environ;

/* Names that make trouble: each byte there is, pieces of XML, what looks like a separator, noise.
 */
static char *names[NAMES_MAX];
static unsigned name_count;
static struct text text;
static struct err err;

static void
add_name(const void *bytes, size_t len)
{
    char *name = mem_take(len + 1);
    memcpy(name, bytes, len);
    assert_true(name_count < NAMES_MAX);
    names[name_count++] = name;
}

static int
make_names(void **state)
{
    static const char *const odd[] = {
        "c/a&b<c>\"d'e",
        "c/ leading",
        "c/trailing ",
        " c/x",
        "c/\xed\xa0\x80",
        "c/\xef\xbf\xbe",
        "c/\xef\xbf\xbd",
        "c/a\\b",
        "c\\d/x",
        "c//x",
        "c/x/",
        "/c/x",
        "c/]]>",
        "c/<!--",
        "c/&#65;",
        "c/\xf0\x9f\x92\xbe",
        "c/\xc2\x85\xe2\x80\xa8",
        "c/a\r\nb\tc",
        "c",
        "c/\xef\xbb\xbf",
        "c/\xf4\x90\x80\x80",
    };
    uint64_t noise = 88172645463325252ULL;
    char name[LOG_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        add_name(odd[i], strlen(odd[i]));
    }
    for (int c = 1; c < 256; c++) {
        const char bytes[] = {'c', '/', (char)c};
        add_name(bytes, sizeof bytes);
        add_name(bytes + 2, 1);
    }
    for (int i = 0; i < 300; i++) {
        size_t len = 1 + noise % 40;
        for (size_t j = 0; j < len; j++) {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            name[j] = (char)(noise % 255 + 1);
        }
        add_name(name, len);
    }
    memset(name, 'n', sizeof name);
    add_name(name, sizeof name);
    memset(name, 0xff, sizeof name);
    add_name(name, sizeof name);
    memset(name, '&', sizeof name);
    add_name(name, sizeof name);
    return 0;
}

static int
give_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < name_count; i++) {
        mem_give(names[i]);
    }
    name_count = 0;
    text_done(&text);
    return 0;
}

static int
clear(void **state)
{
    (void)state;
    text_clear(&text);
    return 0;
}

static void
write_all(unsigned i)
{
    const struct copy_log_entry entry = {.path = names[i],
                                         .kind = SHARE_PAGE,
                                         .category = "BlobRenamed",
                                         .error_code = 1,
                                         .message = names[i],
                                         .etag = names[i]};
    const struct verbose_log_entry file = {
        .path = names[i], .kind = SHARE_BLOCK, .size_bytes = i, .crc64 = UINT64_MAX - i};
    const struct error_xml_entry error = {.path = names[i], .code = "ROOT_FILE"};
    copy_log_write_entry(&text, &entry);
    verbose_log_write(&text, &file);
    error_xml_write(&text, &error);
}

struct seen {
    unsigned next;
    unsigned entries, files, errors;
};

static void
see_entry(void *user, const struct copy_log_entry *entry)
{
    struct seen *seen = user;
    CHECK_TEXT(entry->path, names[seen->next]);
    CHECK_U64(entry->kind, SHARE_PAGE);
    CHECK_TEXT(entry->category, "BlobRenamed");
    CHECK_U64(entry->error_code, 1);
    CHECK(!entry->is_container);
    seen->entries++;
}

static void
see_file(void *user, const struct verbose_log_entry *file)
{
    struct seen *seen = user;
    CHECK_TEXT(file->path, names[seen->next]);
    CHECK_U64(file->kind, SHARE_BLOCK);
    CHECK_U64(file->size_bytes, seen->next);
    CHECK_U64(file->crc64, UINT64_MAX - seen->next);
    CHECK(file->etag == NULL);
    seen->files++;
}

static void
see_error(void *user, const struct error_xml_entry *error)
{
    struct seen *seen = user;
    CHECK_TEXT(error->path, names[seen->next]);
    CHECK_TEXT(error->code, "ROOT_FILE");
    seen->errors++;
    seen->next++;
}

static void
every_name_is_read_back_as_it_was(void **state)
{
    struct seen seen = {0};
    const struct log_reader_events events = {
        .user = &seen, .entry = see_entry, .file = see_file, .error = see_error};
    (void)state;
    for (unsigned i = 0; i < name_count; i++) {
        write_all(i);
    }
    CHECK(!text.is_broken);
    int fd = memfd_create("log", MFD_CLOEXEC);
    CHECK_U64(write(fd, text.bytes, text.len), text.len);
    CHECK_U64(lseek(fd, 0, SEEK_SET), 0);
    CHECK_OK(log_read(fd, "log", &events, &err), &err);
    CHECK_U64(close(fd), 0);
    CHECK_U64(seen.entries, name_count);
    CHECK_U64(seen.files, name_count);
    CHECK_U64(seen.errors, name_count);
}

/* Customers read these with whatever reads XML: each fragment is a document without fault. */
static void
another_reader_of_xml_finds_no_fault(void **state)
{
    struct folder folder;
    char *argv[NAMES_MAX + 3] = {mem_text("xmllint"), mem_text("--noout")};
    unsigned count = 2;
    int status = -1;
    pid_t pid;
    (void)state;
    folder_init(&folder);
    for (unsigned i = 0; i < name_count; i++) {
        char name[32];
        text_clear(&text);
        text_add_str(&text, "<all>"); /* three fragments, each of them complete */
        write_all(i);
        text_add_str(&text, "</all>");
        (void)snprintf(name, sizeof name, "%u.xml", i);
        argv[count++] = mem_text(folder_write(&folder, name, text.bytes, text.len));
    }
    CHECK_U64(posix_spawnp(&pid, "xmllint", NULL, NULL, argv, environ), 0);
    CHECK_U64(waitpid(pid, &status, 0), pid);
    CHECK_U64(status, 0);
    while (count > 0) {
        mem_give(argv[--count]);
    }
    folder_done(&folder);
}

static void
an_entry_is_written_as_it_is_published(void **state)
{
    const struct copy_log_entry entry = {.path = "New Folder",
                                         .kind = SHARE_BLOCK,
                                         .category = "ContainerRenamed",
                                         .error_code = 1,
                                         .message = "a & b",
                                         .is_container = true};
    const struct copy_log_entry other = {.path = "c1/dir/a.bin",
                                         .category = "UploadErrorCloudHttp",
                                         .error_code = 409,
                                         .message = "lease",
                                         .etag = "\"0x8D\""};
    (void)state;
    copy_log_write_entry(&text, &entry);
    copy_log_write_entry(&text, &other);
    CHECK_TEXT(text_str(&text), "<ErroredEntity CloudFormat=\"BlockBlob\" Path=\"New Folder\">\n"
                                "  <Category>ContainerRenamed</Category>\n"
                                "  <ErrorCode>1</ErrorCode>\n"
                                "  <ErrorMessage>a &#38; b</ErrorMessage>\n"
                                "  <Type>Container</Type>\n"
                                "</ErroredEntity>\n"
                                "<ErroredEntity Path=\"c1\\dir/a.bin\">\n"
                                "  <Category>UploadErrorCloudHttp</Category>\n"
                                "  <ErrorCode>409</ErrorCode>\n"
                                "  <ErrorMessage>lease</ErrorMessage>\n"
                                "  <Type>File</Type>\n"
                                "  <ETag>&#34;0x8D&#34;</ETag>\n"
                                "</ErroredEntity>\n");
}

static void
files_and_errors_are_written_as_they_are_published(void **state)
{
    const struct verbose_log_entry file = {
        .path = "c1/d/a", .kind = SHARE_FILES, .size_bytes = 5, .crc64 = 255, .etag = "e"};
    const struct error_xml_entry error = {.path = "c1/d/a", .code = "ROOT_FILE"};
    const struct error_xml_entry odd = {.path = "a\xff/b", .code = "ROOT_FILE"};
    (void)state;
    verbose_log_write(&text, &file);
    error_xml_write(&text, &error);
    error_xml_write(&text, &odd);
    CHECK_TEXT(text_str(&text),
               "<File CloudFormat=\"AzureFile\" Path=\"c1\\d/a\" Size=\"5\" crc64=\"255\" "
               "ETag=\"e\"></File>\n"
               "<file error=\"ROOT_FILE\">\\c1\\d\\a</file>\n"
               "<file error=\"ROOT_FILE\" name_encoding=\"Base64\">XGH/XGI=</file>\n");
}

static const struct copy_log_count validation[] = {{"ROOT_FILE", 2, NULL}};
static const struct copy_log_count copies[] = {
    {"None", 7, "No error"}, {"UploadErrorCloudHttp", 1, "a \"b\""}, {"9 odd&name", 1, NULL}};

static void
a_summary_is_written_as_it_is_published(void **state)
{
    const struct copy_log_summary summary = {.drive_id = "S1",
                                             .is_failed = true,
                                             .total = 9,
                                             .errored = 1,
                                             .valid = 7,
                                             .validation = validation,
                                             .validation_count = COUNT_OF(validation),
                                             .copy = copies,
                                             .copy_count = COUNT_OF(copies)};
    (void)state;
    copy_log_write_summary(&text, &summary);
    CHECK_TEXT(text_str(&text),
               "<CopyLog Summary=\"Summary\">\n"
               "  <DriveLogVersion>2021-08-01</DriveLogVersion>\n"
               "  <DriveId>S1</DriveId>\n"
               "  <Status>Failed</Status>\n"
               "  <TotalFiles_Blobs>9</TotalFiles_Blobs>\n"
               "  <FilesErrored>1</FilesErrored>\n"
               "  <Summary>\n"
               "    <ValidationErrors>\n"
               "      <None Count=\"7\" />\n"
               "      <ROOT_FILE Count=\"2\" />\n"
               "    </ValidationErrors>\n"
               "    <CopyErrors>\n"
               "      <None Count=\"7\" Description=\"No error\" />\n"
               "      <UploadErrorCloudHttp Count=\"1\" Description=\"a &#34;b&#34;\" />\n"
               "      <__odd_name Count=\"1\" />\n"
               "    </CopyErrors>\n"
               "  </Summary>\n"
               "</CopyLog>\n");
}

/* Renames alone are warnings: a log that says Failed and counts no failure helps nobody. */
static void
a_copy_without_errors_did_not_fail(void **state)
{
    const struct copy_log_summary summary = {.is_failed = true, .total = 9};
    (void)state;
    copy_log_write_summary(&text, &summary);
    CHECK_HAS(text_str(&text), "<Status>Succeeded</Status>");
    CHECK(strstr(text_str(&text), "DriveId") == NULL);
}

static void
logs_are_named_as_they_are_published(void **state)
{
    (void)state;
    copy_log_name("order-1", "SERIAL", "0123456789abcdef0123456789abcdef", &text);
    CHECK_TEXT(text_str(&text), "order-1_SERIAL_CopyLog_0123456789abcdef0123456789abcdef.xml");
    text_clear(&text);
    verbose_log_name("order-1", "SERIAL", "job-7", &text);
    CHECK_TEXT(text_str(&text), "order-1_SERIAL_VerboseLog_job-7.xml");
}

int
main(void)
{
#define RULE(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        RULE(every_name_is_read_back_as_it_was),
        RULE(another_reader_of_xml_finds_no_fault),
        RULE(an_entry_is_written_as_it_is_published),
        RULE(files_and_errors_are_written_as_they_are_published),
        RULE(a_summary_is_written_as_it_is_published),
        RULE(a_copy_without_errors_did_not_fail),
        RULE(logs_are_named_as_they_are_published),
    };
    return cmocka_run_group_tests(tests, make_names, give_names);
}
