#include "ingest/device/manifest.h"
#include "tests/support/folder.h"

#include <stdlib.h>
#include <sys/mman.h>

static struct text seen; /* one line per answer */
static struct text bytes;
static struct err err;

static int
make(void **state)
{
    (void)state;
    seen = TEXT_INIT;
    bytes = TEXT_INIT;
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    text_done(&seen);
    text_done(&bytes);
    return 0;
}

static int
file_of(const char *at, size_t len)
{
    int fd = memfd_create("manifest", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, at, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Everything that is read of these bytes: "SIZE CRC PATH", and "! words" for damage. */
static const char *
read_bytes(const char *at, size_t len)
{
    struct manifest_reader *reader = NULL;
    int fd = file_of(at, len);
    bool more = true;
    text_clear(&seen);
    CHECK_OK(manifest_reader_new(fd, "m", &reader, &err), &err);
    while (more) {
        struct manifest_entry entry;
        enum err_code code = manifest_read(reader, &entry, &more, &err);
        if (code == ERR_FORMAT) {
            text_addf(&seen, "! %s\n", err.text);
        } else if (code != ERR_OK) {
            CHECK_OK(code, &err);
        } else if (more) {
            text_addf(&seen, "%llu %llx%s %s\n", (unsigned long long)entry.size_bytes,
                      (unsigned long long)entry.crc64, entry.has_crc64 ? "" : "?", entry.path);
            CHECK_U64(strlen(entry.path), entry.path_len);
        }
    }
    /* The end stays the end. */
    CHECK_OK(manifest_read(reader, &(struct manifest_entry){0}, &more, &err), &err);
    CHECK(!more);
    manifest_reader_free(reader);
    CHECK_I64(close(fd), 0);
    return text_str(&seen);
}

static const char *
read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

/* As the documentation shows it. */
static void
lines_of_a_device_are_read(void **state)
{
    (void)state;
    CHECK_TEXT(
        read_text("<file size=\"11\" crc64=\"0x659632cb7e4be261\">\\r\\2024\\hello.txt</file>\n"
                  "<file size=\"0\" crc64=\"0x0000000000000000\">\\r\\a &amp; co.txt</file>\n"),
        "11 659632cb7e4be261 r/2024/hello.txt\n0 0 r/a & co.txt\n");
    CHECK_TEXT(read_text(""), "");
    CHECK_TEXT(read_text("\n \r\n\t"), "");
}

/* Others write as they like, and mean the same. */
static void
foreign_habits_are_tolerated(void **state)
{
    (void)state;
    CHECK_TEXT(read_text("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- a > list --><BOM><FILE\n"
                         " CRC64 = '1'\n\tSize\n=\n'5' >\n  \\a\\b  \n</File  ></BOM>\r\n"
                         "<files><file other='x&gt;y>' size='5' crc64='0X0aF'>/c/d</file></files>"),
               "5 1 a/b  \n5 af c/d\n");
    CHECK_TEXT(read_text("<file size='1' crc64='18446744073709551615'>no\\lead</file>"
                         "<file crc64='2' size=' 1 '>\\m/i\\x</file>"),
               "1 ffffffffffffffff no/lead\n1 2 m/i/x\n");
    CHECK_TEXT(
        read_text("<file size='1' crc64='2'>\\a<!-- b -->c<![CDATA[ <d> ]] &amp;]]>e</file>"),
        "1 2 ac <d> ]] &amp;e\n");
    CHECK_TEXT(
        read_text("<file size='1' crc64='2'>\\&lt;&gt;&quot;&apos;&#65;&#x20aC;&#x1F600;</file>"),
        "1 2 <>\"'A\xe2\x82\xac\xf0\x9f\x98\x80\n");
}

/* A device of which no checksums were taken has none to compare with; an empty file's is zero. */
static void
a_checksum_may_be_missing(void **state)
{
    (void)state;
    CHECK_TEXT(read_text("<file size='5'>\\a</file><file size='5' crc64=''>\\b</file>"
                         "<file size='5' crc64='0x0'>\\c</file><file size='0' crc64='0'>\\d</file>"
                         "<file size='0'>\\e</file>"),
               "5 0? a\n5 0? b\n5 0? c\n0 0 d\n0 0? e\n");
}

/* One complaint with the line, and what is behind the damage is read. */
static void
damage_is_told_once_and_left_behind(void **state)
{
    (void)state;
    static const struct {
        const char *bad;
        const char *words;
    } rows[] = {
        {"<file size='-1' crc64='0'>\\a</file>", "size '-1' is not 0 to 9223372036854775807"},
        {"<file size='9223372036854775808'>\\a</file>", "size '9223372036854775808' is not"},
        {"<file size='99999999999999999999999999'>\\a</file>", "size '99999999"},
        {"<file size=''>\\a</file>", "size '' is not"},
        {"<file size='0x10'>\\a</file>", "size '0x10' is not"},
        {"<file size='1 2'>\\a</file>", "size '1 2' is not"},
        {"<file crc64='1'>\\a</file>", "an entry has no size"},
        {"<file>\\a</file>", "an entry has no size"},
        {"<file size='1' crc64='18446744073709551616'>\\a</file>", "crc64 '18446744073709551616'"},
        {"<file size='1' crc64='0x12345678901234567'>\\a</file>", "crc64 '0x12345678901234567'"},
        {"<file size='1' crc64='0x'>\\a</file>", "crc64 '0x'"},
        {"<file size='1' crc64='-5'>\\a</file>", "crc64 '-5'"},
        {"<file size='1' size='1'>\\a</file>", "two attributes size"},
        {"<file size='1' SIZE='2'>\\a</file>", "two attributes size"},
        {"<file size='1' crc64='1' CRC64='1'>\\a</file>", "two attributes crc64"},
        {"<file size=1>\\a</file>", "attributes are damaged near 'size=1'"},
        {"<file size>\\a</file>", "attributes are damaged near 'size'"},
        {"<file ='1'>\\a</file>", "attributes are damaged near"},
        {"<file size='1' name_encoding='rot13'>\\a</file>", "name_encoding 'rot13' is not Base64"},
        {"<file size='1' name_encoding='Base64'>L2</file>", "not Base64"},
        {"<file size='1' name_encoding='Base64'>!!!!</file>", "not Base64"},
        {"<file size='1' name_encoding='Base64'>L2EA</file>", "holds a zero byte"},
        {"<file size='1'>\\</file>", "an entry has no path"},
        {"<file size='1'></file>", "an entry has no path"},
        {"<file size='1'/>", "an entry has no path"},
        {"<file size='1'>\\a &lol; b</file>", "none of XML's own references"},
        {"<file size='1'>\\a & b</file>", "none of XML's own references"},
        {"<file size='1'>\\a&#0;</file>", "none of XML's own references"},
        {"<file size='1'>\\a&#xd800;</file>", "none of XML's own references"},
        {"<file size='1'>\\a&#x110000;</file>", "none of XML's own references"},
        {"<file size='1'>\\a&#;</file>", "none of XML's own references"},
        {"<file size='1'>\\a<b>c</b></file>", "not closed before the next element"},
        {"<file size='1'>\\a", "not closed before the next element"},
        {"<file size='1'>\\a</files>", "not closed before the next element"},
        {"<file size='1", "a tag is not closed before the next one"},
        {"</file>", "ends that has not begun"},
        {"stray", "text that belongs to no entry"},
        {"<![CDATA[stray]]>", "text that belongs to no entry"},
        {"<!DOCTYPE x>", "are refused"},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        AUTO_TEXT text = TEXT_INIT;
        text_addf(&text,
                  "<file size='3' crc64='3'>\\good</file>\n%s\n<file size='4' "
                  "crc64='4'>\\other</file>\n",
                  rows[i].bad);
        const char *got = read_text(text_str(&text));
        CHECK_HAS(got, rows[i].words);
        CHECK_HAS(got, "3 3 good\n! manifest 'm', line 2: ");
        CHECK_HAS(got, "\n4 4 other\n");
        const char *mark = strchr(got, '!');
        CHECK(mark != NULL && strstr(mark + 1, "\n! ") == NULL);
    }
}

/* What was being written when the device lost its power. */
static void
an_end_too_early_is_told(void **state)
{
    (void)state;
    const char *whole = "<file size='3' crc64='3'>\\a</file>";
    for (size_t len = 1; len < strlen(whole); len++) {
        const char *got = read_bytes(whole, len);
        CHECK_HAS(got, "! manifest 'm', line 1: ");
        CHECK(strchr(got, '\n') == got + strlen(got) - 1);
    }
    CHECK_HAS(read_text("<!-- never"), "a comment never ends");
    CHECK_HAS(read_text("<?never"), "an instruction never ends");
    CHECK_HAS(read_bytes("\0\0\0\0", 4), "text that belongs to no entry");
    CHECK_HAS(read_bytes("\xff\xfe<\0f\0", 6), "UTF-16");
}

/* Entities are neither defined nor followed, so nothing grows. */
static void
bombs_do_nothing(void **state)
{
    (void)state;
    const char *got = read_text("<!DOCTYPE lolz [\n<!ENTITY lol \"lol\">\n"
                                "<!ENTITY a \"&lol;&lol;<file size='1'>\\x</file>\">\n"
                                "<!ENTITY f SYSTEM 'file:///etc/passwd'>]>\n"
                                "<file size='1' crc64='1'>\\&a;</file>\n"
                                "<file size='1' crc64='1'>\\b</file>");
    CHECK_TEXT(got, "! manifest 'm', line 1: declarations (DOCTYPE, ENTITY) are refused\n"
                    "! manifest 'm', line 5: a '&' begins none of XML's own references\n"
                    "1 1 b\n");
    /* What stands within a declaration is part of it. */
    CHECK_TEXT(read_text("<!DOCTYPE x [<!ENTITY a 'b'><file size='9'>\\in</file>]><file size='1' "
                         "crc64='1'>\\b</file>"),
               "! manifest 'm', line 1: declarations (DOCTYPE, ENTITY) are refused\n1 1 b\n");
    /* Nesting and quotes that never close end with the file. */
    for (unsigned i = 0; i < 100000; i++) {
        text_add_str(&bytes, "<!x '<!y ");
    }
    CHECK_HAS(read_bytes(bytes.bytes, bytes.len), "are refused");
    CHECK(strchr(seen.bytes, '\n') == seen.bytes + seen.len - 1);
}

/* More than a window of anything is refused or passed by, in the same memory. */
static void
what_is_too_long_is_refused_or_skipped(void **state)
{
    (void)state;
    const size_t big = 300000;
    const struct {
        const char *before;
        const char *after;
        const char *words; /* NULL: nothing is wrong */
    } rows[] = {
        {"<file size='1'>\\", "</file>", "a path is longer than 8192 bytes"},
        {"<file size='1'><![CDATA[\\", "]]></file>", "longer than a path"},
        {"<file size='1' x='", "'>\\a</file>", "longer than 65536 bytes"},
        {"<!--", "-->", NULL},
        {"<?", "?>", NULL},
        {"", "", "text that belongs to no entry"},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        text_clear(&bytes);
        text_add_str(&bytes, rows[i].before);
        for (size_t k = 0; k < big; k++) {
            text_add_char(&bytes, 'x');
        }
        text_add_str(&bytes, rows[i].after);
        text_add_str(&bytes, "<file size='4' crc64='4'>\\other</file>");
        const char *got = read_bytes(bytes.bytes, bytes.len);
        CHECK_HAS(got, rows[i].words == NULL ? "4 4 other" : rows[i].words);
        CHECK_HAS(got, "4 4 other");
        CHECK(rows[i].words != NULL || strchr(got, '!') == NULL);
    }
}

/* Wherever the end of the window falls, entries are whole. */
static void
entries_lie_across_windows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        AUTO_TEXT path = TEXT_INIT;
        text_addf(
            &path, "c/%u&%.*s", i, (int)(i % 97),
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxx");
        manifest_write_line(&bytes, path.bytes, path.len, i, i + 1);
    }
    int fd = file_of(bytes.bytes, bytes.len);
    struct manifest_reader *reader = NULL;
    CHECK_OK(manifest_reader_new(fd, "m", &reader, &err), &err);
    bool more = true;
    for (unsigned i = 0; i < 20000; i++) {
        struct manifest_entry entry = {0};
        CHECK_OK(manifest_read(reader, &entry, &more, &err), &err);
        CHECK(more);
        CHECK_U64(entry.size_bytes, i);
        CHECK_U64(entry.crc64, i + 1);
        CHECK_U64(strtoul(entry.path + 2, NULL, 10), i);
    }
    struct manifest_entry entry = {0};
    CHECK_OK(manifest_read(reader, &entry, &more, &err), &err);
    CHECK(!more);
    manifest_reader_free(reader);
    CHECK_I64(close(fd), 0);
}

/* Reading fails for good, and is not taken for the end. */
static void
a_disk_that_fails_is_no_end(void **state)
{
    (void)state;
    struct manifest_reader *reader = NULL;
    struct manifest_entry entry;
    bool more = true;
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_OK(manifest_reader_new(fd, "m", &reader, &err), &err);
    CHECK_ERR(manifest_read(reader, &entry, &more, &err), &err, ERR_ITEM_CHANGED);
    CHECK_HAS(err.text, "could not read manifest 'm'");
    CHECK_ERR(manifest_read(reader, &entry, &more, &err), &err, ERR_ITEM_CHANGED);
    manifest_reader_free(reader);
    CHECK_I64(close(fd), 0);
}

static void
check_round_trip(const char *path, size_t len)
{
    struct manifest_reader *reader = NULL;
    struct manifest_entry entry = {0};
    bool more = false;
    text_clear(&bytes);
    manifest_write_line(&bytes, path, len, 7, 9);
    CHECK(memchr(bytes.bytes, '\n', bytes.len) == bytes.bytes + bytes.len - 1);
    int fd = file_of(bytes.bytes, bytes.len);
    CHECK_OK(manifest_reader_new(fd, "m", &reader, &err), &err);
    CHECK_OK(manifest_read(reader, &entry, &more, &err), &err);
    CHECK(more);
    CHECK_U64(entry.path_len, len);
    CHECK_BYTES(entry.path, path, len);
    CHECK_U64(entry.size_bytes, 7);
    CHECK_U64(entry.crc64, 9);
    CHECK_OK(manifest_read(reader, &entry, &more, &err), &err);
    CHECK(!more);
    manifest_reader_free(reader);
    CHECK_I64(close(fd), 0);
}

/* The line is the only thing that is kept of a name. */
static void
every_name_comes_back(void **state)
{
    (void)state;
    uint32_t seed = 1;
    static char path[MANIFEST_NAME_BYTES_MAX];
    for (unsigned round = 0; round < 20000; round++) {
        seed = seed * 1664525 + 1013904223;
        size_t len = 1 + (seed >> 8) % 24;
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            static const char likely[] = "/\\&<>\"';# \n\r\t\x7f\xc2\x85\xef\xbf\xbe\xff=aL";
            uint32_t c = 1 + (seed >> 8) % 255;
            path[i] = (char)((seed >> 30) != 0 ? (uint8_t)likely[c % (sizeof likely - 1)] : c);
        }
        check_round_trip(path, len);
    }
    memset(path, '&', sizeof path);
    check_round_trip(path, sizeof path);
    memset(path, '\\', sizeof path);
    check_round_trip(path, sizeof path);
}

/* Names that any XML reader can read stay readable; the others are Base64. */
static void
only_what_must_be_is_base64(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_base64;
    } rows[] = {{"c/a.txt", false},        {"c/\xc3\xa4 \xe2\x82\xac", false},
                {"c/a&b<c>]]>\"'", false}, {" c/ ", false},
                {"c/a\\b", true},          {"c/a\nb", true},
                {"c/\xff", true},          {"c/\xc2\x85", true},
                {"c/\xef\xbf\xbf", true},  {"c/\xed\xa0\x80", true},
                {"c/\x7f", true},          {"c/\xe2\x82", true},
                {"c/\xef\xbf\xbd", false}};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        text_clear(&bytes);
        manifest_write_line(&bytes, rows[i].path, strlen(rows[i].path), 1, 2);
        CHECK_U64(strstr(bytes.bytes, "name_encoding=\"Base64\"") != NULL, rows[i].is_base64);
    }
    text_clear(&bytes);
    manifest_write_line(&bytes, "c/a&b", 5, 11, 0xab);
    CHECK_TEXT(bytes.bytes, "<file size=\"11\" crc64=\"0x00000000000000ab\">\\c\\a&amp;b</file>\n");
}

/* The names that the documentation has. */
static void
manifests_are_named_after_their_share(void **state)
{
    (void)state;
    manifest_file_name("acct_BlockBlob", SHARE_BLOCK, &bytes);
    CHECK_TEXT(text_str(&bytes), "acct_BlockBlob.txt");
    manifest_file_name("acct_PageBlob", SHARE_PAGE, &bytes);
    CHECK_TEXT(text_str(&bytes), "acct_PageBlob.txt");
    manifest_file_name("acct_AzFile", SHARE_FILES, &bytes);
    CHECK_TEXT(text_str(&bytes), "acct_AzFile-BOM.txt");
    manifest_file_name("rg_MDisk", SHARE_DISKS, &bytes);
    CHECK_TEXT(text_str(&bytes), "rg_MDisk-BOM.txt");
    manifest_file_name("BlockBlob", SHARE_BLOCK, &bytes);
    CHECK_TEXT(text_str(&bytes), "BlockBlob.txt");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_of_a_device_are_read),
        TEST(foreign_habits_are_tolerated),
        TEST(a_checksum_may_be_missing),
        TEST(damage_is_told_once_and_left_behind),
        TEST(an_end_too_early_is_told),
        TEST(bombs_do_nothing),
        TEST(what_is_too_long_is_refused_or_skipped),
        TEST(entries_lie_across_windows),
        TEST(a_disk_that_fails_is_no_end),
        TEST(every_name_comes_back),
        TEST(only_what_must_be_is_base64),
        TEST(manifests_are_named_after_their_share),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
