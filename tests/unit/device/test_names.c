#include "ingest/device/names.h"
#include "tests/support/check.h"

typedef enum finding_code(check_fn)(struct slice name);

struct row {
    const char *name;
    enum finding_code want;
};

static struct slice
slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void
check_rows(check_fn *check, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum finding_code got = check(slice(rows[i].name));
        if (got != rows[i].want) {
            print_error("'%s'\n", rows[i].name);
        }
        CHECK_TEXT(catalogue_row(got)->wire, catalogue_row(rows[i].want)->wire);
    }
}

/* count times a piece; static. */
static const char *
repeat(const char *piece, size_t count)
{
    static char text[8192];
    size_t len = strlen(piece);
    CHECK(count * len < sizeof text);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * len, piece, len);
    }
    text[count * len] = '\0';
    return text;
}

/* The samples of the published error.xml among them: length, then characters, then dashes. */
static void
containers_are_dns_labels_of_3_to_63(void **state)
{
    static const struct row rows[] = {
        {"abc", FINDING_NONE},
        {"a-b", FINDING_NONE},
        {"000", FINDING_NONE},
        {"$root", FINDING_NONE},
        {"", FINDING_CONTAINER_LENGTH},
        {"1", FINDING_CONTAINER_LENGTH},
        {"ab", FINDING_CONTAINER_LENGTH},
        {"CV", FINDING_CONTAINER_LENGTH},
        {"--", FINDING_CONTAINER_LENGTH},
        {"invalid dns name", FINDING_CONTAINER_CHARACTERS},
        {"test__doubleunderscore", FINDING_CONTAINER_CHARACTERS},
        {"_startingwith_underscore", FINDING_CONTAINER_CHARACTERS},
        {"11111111-_2222-_3333-_4444-_555555555555", FINDING_CONTAINER_CHARACTERS},
        {"testdirectory-~!@#$%^&()_+{}", FINDING_CONTAINER_CHARACTERS},
        {"Starting with Capital", FINDING_CONTAINER_CHARACTERS},
        {"New Folder", FINDING_CONTAINER_CHARACTERS},
        {"MyContainer", FINDING_CONTAINER_CHARACTERS},
        {"a.b", FINDING_CONTAINER_CHARACTERS},
        {"$web", FINDING_CONTAINER_CHARACTERS},
        {"$roots", FINDING_CONTAINER_CHARACTERS},
        {"caf\xc3\xa9", FINDING_CONTAINER_CHARACTERS},
        {"-A-", FINDING_CONTAINER_CHARACTERS},
        {"-startingwith-hyphen", FINDING_CONTAINER_DASH},
        {"endingwith-", FINDING_CONTAINER_DASH},
        {"test--doublehyphen", FINDING_CONTAINER_DASH},
        {"55555555--4444--3333", FINDING_CONTAINER_DASH},
    };
    (void)state;
    check_rows(names_check_container, rows, COUNT_OF(rows));
    CHECK_U64(names_check_container(slice(repeat("a", 63))), FINDING_NONE);
    CHECK_U64(names_check_container(slice(repeat("a", 64))), FINDING_CONTAINER_LENGTH);
    CHECK_U64(names_check_container(slice(repeat("_", 180))), FINDING_CONTAINER_LENGTH);
}

/* Only what lower-casing makes legal is lower-cased; the rest has another fault besides. */
static void
only_upper_case_is_what_lower_case_would_heal(void **state)
{
    static const char *const yes[] = {"MyContainer", "Hot", "ABC", "a-B"};
    static const char *const no[] = {"abc", "A",     "A b c",       "A--B",
                                     "-AB", "$ROOT", "CAF\xc3\x89", ""};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        CHECK(names_is_only_upper_case(slice(yes[i])));
    }
    for (size_t i = 0; i < COUNT_OF(no); i++) {
        CHECK(!names_is_only_upper_case(slice(no[i])));
    }
    CHECK(names_is_only_upper_case(slice(repeat("A", 63))));
    CHECK(!names_is_only_upper_case(slice(repeat("A", 64))));
}

static void
a_blob_may_be_called_nearly_anything(void **state)
{
    static const struct row rows[] = {
        {"a", FINDING_NONE},
        {"dir/sub/file.txt", FINDING_NONE},
        {".......txt", FINDING_NONE},
        {"test..txt", FINDING_NONE},
        {"helloEndWithDot..txt", FINDING_NONE},
        {"CON", FINDING_NONE},
        {"a:b?*<>|\"", FINDING_NONE},
        {" ", FINDING_NONE},
        {"%2e%2e", FINDING_NONE},
        {"gr\xc3\xbc\xc3\x9f/\xe6\x97\xa5\xe6\x9c\xac", FINDING_NONE},
        {"\xf0\x9f\x98\x80", FINDING_NONE},
        {"\xc2\xa0", FINDING_NONE},
        {"", FINDING_NAME_LENGTH},
        {"a\x01", FINDING_NAME_CONTROL},
        {"a\x1f", FINDING_NAME_CONTROL},
        {"a\x7f", FINDING_NAME_CONTROL},
        {"a\xc2\x80", FINDING_NAME_CONTROL}, /* U+0080 */
        {"a\xc2\x81", FINDING_NAME_CONTROL}, /* U+0081, which the rules name */
        {"a\xc2\x9f", FINDING_NAME_CONTROL},
        {"a\xed\x9f\xbf", FINDING_NONE},               /* U+D7FF */
        {"a\xed\xa0\x80", FINDING_NAME_CHARACTER},     /* U+D800 alone */
        {"a\xed\xbf\xbf", FINDING_NAME_CHARACTER},     /* U+DFFF */
        {"a\xee\x80\x80", FINDING_NAME_CHARACTER},     /* U+E000, which the rules name */
        {"a\xef\xa3\xbf", FINDING_NAME_CHARACTER},     /* U+F8FF */
        {"a\xef\xa4\x80", FINDING_NONE},               /* U+F900 */
        {"a\xef\xb7\x8f", FINDING_NONE},               /* U+FDCF */
        {"a\xef\xb7\x90", FINDING_NAME_CHARACTER},     /* U+FDD0 */
        {"a\xef\xb7\xaf", FINDING_NAME_CHARACTER},     /* U+FDEF */
        {"a\xef\xb7\xb0", FINDING_NONE},               /* U+FDF0 */
        {"a\xef\xbf\xaf", FINDING_NONE},               /* U+FFEF */
        {"a\xef\xbf\xb0", FINDING_NAME_CHARACTER},     /* U+FFF0 */
        {"a\xef\xbf\xbd", FINDING_NAME_CHARACTER},     /* U+FFFD */
        {"a\xef\xbf\xbf", FINDING_NAME_CHARACTER},     /* U+FFFF */
        {"a\xf0\x9f\xbf\xbd", FINDING_NONE},           /* U+1FFFD */
        {"a\xf0\x9f\xbf\xbe", FINDING_NAME_CHARACTER}, /* U+1FFFE */
        {"a\xf3\xb0\x80\x80", FINDING_NAME_CHARACTER}, /* U+F0000 */
        {"a\xf4\x8f\xbf\xbf", FINDING_NAME_CHARACTER}, /* U+10FFFF */
        {"a\xf4\x90\x80\x80", FINDING_NAME_CHARACTER}, /* beyond */
        {"a\x80", FINDING_NAME_CHARACTER},
        {"a\xff", FINDING_NAME_CHARACTER},
        {"a\xc3", FINDING_NAME_CHARACTER},
        {"a\xc0\xaf", FINDING_NAME_CHARACTER},     /* '/' in two bytes */
        {"a\xe0\x80\xaf", FINDING_NAME_CHARACTER}, /* in three */
        {"a\xf0\x80\x80\xaf", FINDING_NAME_CHARACTER},
        {"a\xe0\x82\x85", FINDING_NAME_CHARACTER}, /* U+0085 in three is no control character */
        {"a\\b", FINDING_NAME_BACKSLASH},
        {"a\\", FINDING_NAME_BACKSLASH},
        {"report.", FINDING_NAME_ENDING},
        {"dir./x", FINDING_NAME_ENDING},
        {"dir/", FINDING_NAME_ENDING},
        {"..", FINDING_NAME_ENDING},
        {"../x", FINDING_NAME_ENDING},
        {"a/../x", FINDING_NAME_ENDING},
        {"a/./x", FINDING_NAME_ENDING},
        /* which of several faults is told */
        {"\x01\xff\\.", FINDING_NAME_CONTROL},
        {"\xff\\.", FINDING_NAME_CHARACTER},
        {"\\.", FINDING_NAME_BACKSLASH},
    };
    (void)state;
    check_rows(names_check_blob, rows, COUNT_OF(rows));
}

/* "Characters" are UTF-16 units: what lies beyond U+FFFF counts twice, a stray byte once. */
static void
a_blob_has_up_to_1024_characters_and_254_segments(void **state)
{
    (void)state;
    CHECK_U64(names_check_blob(slice(repeat("a", 1024))), FINDING_NONE);
    CHECK_U64(names_check_blob(slice(repeat("a", 1025))), FINDING_NAME_LENGTH);
    CHECK_U64(names_check_blob(slice(repeat("\xe6\x97\xa5", 1024))), FINDING_NONE);
    CHECK_U64(names_check_blob(slice(repeat("\xe6\x97\xa5", 1025))), FINDING_NAME_LENGTH);
    CHECK_U64(names_check_blob(slice(repeat("\xf0\x9f\x98\x80", 512))), FINDING_NONE);
    CHECK_U64(names_check_blob(slice(repeat("\xf0\x9f\x98\x80", 513))), FINDING_NAME_LENGTH);
    CHECK_U64(names_check_blob(slice(repeat("\xff", 1024))), FINDING_NAME_CHARACTER);
    CHECK_U64(names_check_blob(slice(repeat("\xff", 1025))), FINDING_NAME_LENGTH);
    CHECK_U64(names_check_blob((struct slice){repeat("a/", 254), 507}), FINDING_NONE);
    CHECK_U64(names_check_blob((struct slice){repeat("a/", 255), 509}), FINDING_NAME_SEGMENTS);
}

static void
a_file_of_a_share_obeys_windows(void **state)
{
    static const struct row rows[] = {
        {"a", FINDING_NONE},
        {"dir/Sub/file.txt", FINDING_NONE},
        {"console", FINDING_NONE},
        {"CON.txt", FINDING_NONE},
        {"LPT0", FINDING_NONE},
        {"LPT10", FINDING_NONE},
        {"", FINDING_NAME_LENGTH},
        {"a:b?.txt", FINDING_NAME_CHARACTER},
        {"a\"b", FINDING_NAME_CHARACTER},
        {"a|b", FINDING_NAME_CHARACTER},
        {"a<b", FINDING_NAME_CHARACTER},
        {"a>b", FINDING_NAME_CHARACTER},
        {"a*b", FINDING_NAME_CHARACTER},
        {"a\xff", FINDING_NAME_CHARACTER},
        {"a\\b", FINDING_NAME_BACKSLASH},
        {"a\x01", FINDING_NAME_CONTROL},
        {"a.", FINDING_NAME_ENDING},
        {"a./b", FINDING_NAME_ENDING},
        {"a//b", FINDING_NAME_ENDING},
        {"/a", FINDING_NAME_ENDING},
        {"a/", FINDING_NAME_ENDING},
        {"..", FINDING_NAME_ENDING},
        {"CON", FINDING_NAME_ILLEGAL},
        {"dir/con", FINDING_NAME_ILLEGAL},
        {"Aux/x", FINDING_NAME_ILLEGAL},
        {"nul", FINDING_NAME_ILLEGAL},
        {"prn", FINDING_NAME_ILLEGAL},
        {"CLOCK$", FINDING_NAME_ILLEGAL},
        {"LPT1", FINDING_NAME_ILLEGAL},
        {"lpt9", FINDING_NAME_ILLEGAL},
        {"COM1", FINDING_NAME_ILLEGAL},
        {"a/COM9/b", FINDING_NAME_ILLEGAL},
    };
    (void)state;
    check_rows(names_check_file, rows, COUNT_OF(rows));
}

static void
a_file_has_up_to_255_characters_a_component_and_2048_in_250_of_them(void **state)
{
    char long_path[2 * 256];
    (void)state;
    CHECK_U64(names_check_file(slice(repeat("a", 255))), FINDING_NONE);
    CHECK_U64(names_check_file(slice(repeat("a", 256))), FINDING_NAME_COMPONENT);
    CHECK_U64(names_check_file(slice(repeat("\xe6\x97\xa5", 255))), FINDING_NONE);
    CHECK_U64(names_check_file(slice(repeat("\xf0\x9f\x98\x80", 127))), FINDING_NONE);
    CHECK_U64(names_check_file(slice(repeat("\xf0\x9f\x98\x80", 128))), FINDING_NAME_COMPONENT);
    memset(long_path, 'a', sizeof long_path);
    long_path[255] = '/';
    CHECK_U64(names_check_file((struct slice){long_path, 511}), FINDING_NONE);
    CHECK_U64(names_check_file((struct slice){long_path, 512}), FINDING_NAME_COMPONENT);
    CHECK_U64(names_check_file((struct slice){repeat("aaaaaaa/", 257), 2047}),
              FINDING_NAME_SEGMENTS);
    CHECK_U64(names_check_file((struct slice){repeat("aaaaaaaaaaaaaaa/", 129), 2048}),
              FINDING_NAME_ENDING);
    CHECK_U64(names_check_file((struct slice){repeat("aaaaaaaaaaaaaaa/", 129), 2047}),
              FINDING_NONE);
    CHECK_U64(names_check_file((struct slice){repeat("aaaaaaaaaaaaaaa/", 129), 2049}),
              FINDING_NAME_LENGTH);
    CHECK_U64(names_check_file((struct slice){repeat("a/", 250), 499}), FINDING_NONE);
    CHECK_U64(names_check_file((struct slice){repeat("a/", 251), 501}), FINDING_NAME_SEGMENTS);
}

static void
a_disk_is_called_by_its_file_with_and_without_extension(void **state)
{
    static const struct row rows[] = {
        {"os.vhd", FINDING_NONE},
        {"OS-disk_1.v2.VHD", FINDING_NONE},
        {"a_.vhd", FINDING_NONE},
        {"9", FINDING_NONE},
        {"", FINDING_DISK_NAME},
        {".vhd", FINDING_DISK_NAME},
        {"_a.vhd", FINDING_DISK_NAME},
        {"-a.vhd", FINDING_DISK_NAME},
        {"my disk.vhd", FINDING_DISK_NAME},
        {"a/b.vhd", FINDING_DISK_NAME},
        {"a-.vhd", FINDING_DISK_NAME},
        {"a..vhd", FINDING_DISK_NAME},
        {"a-", FINDING_DISK_NAME},
        {"a.", FINDING_DISK_NAME},
        {"caf\xc3\xa9.vhd", FINDING_DISK_NAME},
    };
    (void)state;
    check_rows(names_check_disk, rows, COUNT_OF(rows));
    CHECK_U64(names_check_disk(slice(repeat("a", 80))), FINDING_NONE);
    CHECK_U64(names_check_disk(slice(repeat("a", 81))), FINDING_DISK_NAME);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_are_dns_labels_of_3_to_63),
        cmocka_unit_test(only_upper_case_is_what_lower_case_would_heal),
        cmocka_unit_test(a_blob_may_be_called_nearly_anything),
        cmocka_unit_test(a_blob_has_up_to_1024_characters_and_254_segments),
        cmocka_unit_test(a_file_of_a_share_obeys_windows),
        cmocka_unit_test(a_file_has_up_to_255_characters_a_component_and_2048_in_250_of_them),
        cmocka_unit_test(a_disk_is_called_by_its_file_with_and_without_extension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
