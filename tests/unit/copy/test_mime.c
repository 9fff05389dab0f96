#include "ingest/copy/mime.h"
#include "tests/support/folder.h"

#define UNKNOWN "application/octet-stream"

static struct folder folder;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    mime_forget();
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    mime_forget();
    folder_done(&folder);
    return 0;
}

static void
load(const char *text)
{
    mime_load(folder_write(&folder, "types", text, strlen(text)));
}

static void
the_last_extension_of_the_last_part_decides(void **state)
{
    static const char *const rows[][2] = {
        {"a.txt", "text/plain"},
        {"a.b/c.TXT", "text/plain"},
        {"a.tar.gz", "application/gzip"},
        {"a.txt/b", UNKNOWN},
        {"noextension", UNKNOWN},
        {"a.", UNKNOWN},
        {".txt", "text/plain"},
        {"a.tx", UNKNOWN},
        {"a.txtt", UNKNOWN},
        {"a.xyz", UNKNOWN},
        {"", UNKNOWN},
        {"a/b/c.asc", "text/plain"},
    };
    (void)state;
    load("# comment txt\n\ntext/plain\t\ttxt asc\napplication/gzip gz\nmodel/none\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_TEXT(mime_of(rows[i][0]), rows[i][1]);
    }
}

/* A machine without the table copies all the same. */
static void
without_a_table_no_type_is_known(void **state)
{
    (void)state;
    mime_load(folder_join(&folder, "missing"));
    CHECK_TEXT(mime_of("a.txt"), UNKNOWN);
    load("");
    CHECK_TEXT(mime_of("a.txt"), UNKNOWN);
}

/* A type is sent as a header: nothing that could end the line, however the file came by it. */
static void
only_visible_characters_make_a_type(void **state)
{
    (void)state;
    load("text/x\x01y txt\ntext/\xff txt\ntext txt\na/ txt\n/b txt\r\n");
    CHECK_TEXT(mime_of("a.txt"), UNKNOWN);
    mime_forget();
    load("text/plain txt\r\ntext/html html\r\n");
    CHECK_TEXT(mime_of("a.txt"), "text/plain");
    CHECK_TEXT(mime_of("a.html"), "text/html");
}

/* The first table stays: lanes read it without a lock. */
static void
the_table_is_loaded_once(void **state)
{
    (void)state;
    load("text/plain txt\n");
    load("text/other txt\n");
    CHECK_TEXT(mime_of("a.txt"), "text/plain");
}

/* These are not even tried: it would only cost time. */
static void
compressed_types_are_known(void **state)
{
    static const char *const packed[] = {"image/jpeg",       "VIDEO/mp4",
                                         "application/zip",  "application/gzip",
                                         "application/zstd", "application/epub+zip"};
    static const char *const others[] = {"text/plain",  "image/bmp",     "application/octet-stream",
                                         "audio/x-wav", "image/svg+xml", "",
                                         "+zip"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(packed); i++) {
        CHECK(mime_is_packed(packed[i]));
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        CHECK(!mime_is_packed(others[i]));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_extension_of_the_last_part_decides),
        TEST(without_a_table_no_type_is_known),
        TEST(only_visible_characters_make_a_type),
        TEST(the_table_is_loaded_once),
        TEST(compressed_types_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
