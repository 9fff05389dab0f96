#include "base/digest.h"
#include "base/json.h"
#include "base/utf8.h"
#include "tests/support/check.h"

static struct text out;
static struct json json;

static int
make(void **state)
{
    (void)state;
    out = TEXT_INIT;
    json_init(&json, &out);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    text_done(&out);
    return 0;
}

static void
commas_stand_between_values_at_every_depth(void **state)
{
    (void)state;
    json_array_begin(&json);
    json_array_begin(&json);
    json_array_end(&json);
    json_object_begin(&json);
    json_key_bool(&json, "a", false);
    json_key(&json, "b");
    json_array_begin(&json);
    json_put_null(&json);
    json_put_null(&json);
    json_array_end(&json);
    json_key_i64(&json, "c", INT64_MIN);
    json_object_end(&json);
    json_u64(&json, 0);
    json_array_end(&json);
    CHECK_TEXT(text_str(&out), "[[],{\"a\":false,\"b\":[null,null],\"c\":-9223372036854775808},0]");
}

/* A reader must take it: no bare word for what is not a number. */
static void
numbers_are_finite_or_null(void **state)
{
    (void)state;
    json_array_begin(&json);
    json_double(&json, 0.1);
    json_double(&json, 123456789.0);
    json_double(&json, -1.0 / 0.0);
    json_double(&json, 0.0 / 0.0);
    json_array_end(&json);
    CHECK_TEXT(text_str(&out), "[0.1,1.23457e+08,null,null]");
}

/* A text that must be JSON loses its bad bytes, each one visibly; a path loses nothing. */
static void
bad_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    json_array_begin(&json);
    json_str(&json, "a\xff\xc3"
                    "b\xe2\x82");
    json_str(&json, "\x7f\t");
    json_path(&json, "a\xff");
    json_path(&json, "");
    json_array_end(&json);
    CHECK_TEXT(text_str(&out),
               "[\"a\xef\xbf\xbd\xef\xbf\xbd"
               "b\xef\xbf\xbd\xef\xbf\xbd\",\"\\u007f\\u0009\",{\"b64\":\"Yf8=\"},\"\"]");
}

/* A path longer than the piece it is encoded in is one Base64 text without padding inside. */
static void
a_long_path_is_one_base64_text(void **state)
{
    char path[200];
    char want[BASE64_ROOM(sizeof path) + 16];
    char encoded[BASE64_ROOM(sizeof path)];
    (void)state;
    memset(path, 0xfe, sizeof path - 1);
    path[sizeof path - 1] = '\0';
    json_path(&json, path);
    (void)snprintf(want, sizeof want, "{\"b64\":\"%s\"}",
                   base64_encode(path, sizeof path - 1, encoded));
    CHECK_TEXT(text_str(&out), want);
}

static void
hex_is_lower_case_and_whole(void **state)
{
    (void)state;
    json_object_begin(&json);
    json_key_hex(&json, "h", "\x00\xab\x10", 3);
    json_key_hex(&json, "none", "", 0);
    json_object_end(&json);
    CHECK_TEXT(text_str(&out), "{\"h\":\"00ab10\",\"none\":\"\"}");
}

/* RFC 3629, section 4: what is well formed, at each border. */
static void
utf8_ends_where_the_standard_says(void **state)
{
    static const struct {
        const char *bytes;
        unsigned length;
    } rows[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\x80", 0},
        {"\xc1\xbf", 0}, /* overlong */
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\x9f\xbf", 0}, /* overlong */
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0}, /* surrogate */
        {"\xee\x80\x80", 3},
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xe2\x82", 0},         /* cut off */
        {"\xf0\x9f\x98", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_U64(utf8_length(rows[i].bytes), rows[i].length);
        CHECK(utf8_is_valid(rows[i].bytes) == (rows[i].length > 0));
    }
    CHECK(utf8_is_valid(""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commas_stand_between_values_at_every_depth),
        TEST(numbers_are_finite_or_null),
        TEST(bad_bytes_are_replaced_one_by_one),
        TEST(a_long_path_is_one_base64_text),
        TEST(hex_is_lower_case_and_whole),
        TEST(utf8_ends_where_the_standard_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
