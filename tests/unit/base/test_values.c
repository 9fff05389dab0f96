/* Texts and the values they stand for: clock, units, digests, JSON. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/units.h"
#include "tests/support/check.h"

static void
times_survive_writing_and_reading(void **state)
{
    static const int64_t times[] = {0, 1, -1, INT64_C(1767323045678901234),
                                    -INT64_C(86400000000001)};
    char text[CLOCK_TEXT_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        int64_t back = 0;
        CHECK_I64(clock_parse(clock_format_ns(times[i], text), &back), 0);
        CHECK_I64(back, times[i]);
    }
    CHECK_TEXT(clock_format_ms(INT64_C(1767323045678000000), text), "2026-01-02T03:04:05.678Z");
    CHECK_TEXT(clock_format_http(INT64_C(1767323045678000000), text),
               "Fri, 02 Jan 2026 03:04:05 GMT");
}

static void
times_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "2026-13-02T03:04:05Z",
                                      "2026-01-02T03:04:05",
                                      "2026-01-02T24:04:05Z",
                                      "9999-01-02T03:04:05Z",
                                      "2026-01-02T03:04:05.Z",
                                      "2026-01-02T03:04:05Zx"};
    int64_t ns = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK_I64(clock_parse(bad[i], &ns), -1);
    }
    CHECK_I64(clock_parse("2026-01-02T05:04:05+02:00", &ns), 0);
    CHECK_I64(ns, INT64_C(1767323045) * NS_PER_S);
}

static void
sizes_are_read_as_people_write_them(void **state)
{
    uint64_t bytes = 0;
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(units_parse_size("8MiB", &bytes, &err), &err);
    CHECK_U64(bytes, 8U << 20);
    CHECK_OK(units_parse_size("1.5GiB", &bytes, &err), &err);
    CHECK_U64(bytes, UINT64_C(3) << 29);
    CHECK_OK(units_parse_rate("200MiB/s", &bytes, &err), &err);
    CHECK_U64(bytes, 200U << 20);
    CHECK_ERR(units_parse_size("8MB", &bytes, &err), &err, ERR_USAGE);
    CHECK_ERR(units_parse_size("-1", &bytes, &err), &err, ERR_USAGE);
    CHECK_ERR(units_parse_size("99999999999TiB", &bytes, &err), &err, ERR_USAGE);
    CHECK_ERR(units_parse_rate("200MiB", &bytes, &err), &err, ERR_USAGE);
}

static void
digests_are_the_published_ones(void **state)
{
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(digest_md5("abc", 3, digest, &err), &err);
    CHECK_TEXT(hex_encode(digest, MD5_BYTES, hex), "900150983cd24fb0d6963f7d28e17f72");
    CHECK_OK(digest_sha256("abc", 3, digest, &err), &err);
    CHECK_TEXT(hex_encode(digest, SHA256_BYTES, hex),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_xxh3("", 0, digest);
    CHECK_TEXT(hex_encode(digest, XXH3_BYTES, hex), "99aa06d3014798d86001c324468d497f");
    struct hmac hmac;
    CHECK_OK(hmac_init(&hmac, "key", 3, &err), &err);
    for (unsigned i = 0; i < 2; i++) { /* the second time without setting the key again */
        CHECK_OK(hmac_sign(&hmac, "The quick brown fox jumps over the lazy dog", 43, digest, &err),
                 &err);
        CHECK_TEXT(hex_encode(digest, SHA256_BYTES, hex),
                   "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    }
    hmac_done(&hmac);
}

static void
base64_is_strict(void **state)
{
    char text[BASE64_ROOM(6)];
    char bytes[8];
    (void)state;
    CHECK_TEXT(base64_encode("foobar", 6, text), "Zm9vYmFy");
    CHECK_TEXT(base64_encode("fooba", 5, text), "Zm9vYmE=");
    CHECK_I64(base64_decode("Zm9vYg==", bytes, sizeof bytes), 4);
    CHECK_BYTES(bytes, "foob", 4);
    CHECK_I64(base64_decode("Zm9vYh==", bytes, sizeof bytes), -1); /* stray bits */
    CHECK_I64(base64_decode("Zm9v*g==", bytes, sizeof bytes), -1);
    CHECK_I64(base64_decode("Zm9", bytes, sizeof bytes), -1);
    CHECK_I64(base64_decode("Zm9vYmFy", bytes, 5), -1);
}

static void
json_says_what_a_name_is_whatever_its_bytes(void **state)
{
    AUTO_TEXT out = TEXT_INIT;
    struct json json;
    (void)state;
    json_init(&json, &out);
    json_object_begin(&json);
    json_key_path(&json, "a", "x\"\\\n\x01\xc3\xa9");
    json_key_path(&json, "b", "x\xff");
    json_key(&json, "c");
    json_array_begin(&json);
    json_u64(&json, UINT64_MAX);
    json_i64(&json, -1);
    json_double(&json, 1.0 / 0.0);
    json_bool(&json, true);
    json_array_end(&json);
    json_object_end(&json);
    CHECK_TEXT(text_str(&out), "{\"a\":\"x\\\"\\\\\\n\\u0001\xc3\xa9\",\"b\":{\"b64\":\"eP8=\"},"
                               "\"c\":[18446744073709551615,-1,null,true]}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_survive_writing_and_reading),
        cmocka_unit_test(times_that_are_none_are_refused),
        cmocka_unit_test(sizes_are_read_as_people_write_them),
        cmocka_unit_test(digests_are_the_published_ones),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(json_says_what_a_name_is_whatever_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
