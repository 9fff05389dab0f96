#include "base/digest.h"
#include "tests/support/check.h"

static struct err err;

/* Blocks come in pieces of any length; the digest does not tell which. */
static void
pieces_give_the_digest_of_the_whole(void **state)
{
    static const enum digest_kind kinds[] = {DIGEST_MD5, DIGEST_SHA256};
    uint8_t bytes[1000];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        struct digest digest = {0};
        uint8_t whole[DIGEST_BYTES_MAX] = {0};
        uint8_t pieces[DIGEST_BYTES_MAX] = {0};
        CHECK_OK(kinds[k] == DIGEST_MD5 ? digest_md5(bytes, sizeof bytes, whole, &err)
                                        : digest_sha256(bytes, sizeof bytes, whole, &err),
                 &err);
        for (size_t step = 1; step < 300; step += 37) {
            /* The same context again and again: an item's digest costs no allocation. */
            CHECK_OK(digest_init(&digest, kinds[k], &err), &err);
            for (size_t at = 0; at < sizeof bytes; at += step) {
                digest_add(&digest, bytes + at, MIN_OF(step, sizeof bytes - at));
            }
            digest_end(&digest, pieces);
            CHECK_BYTES(pieces, whole, DIGEST_BYTES_MAX);
        }
        digest_done(&digest);
        digest_done(&digest);
    }
}

/* RFC 4231, test cases 2 and 6: a short key, and one longer than the hash's block. */
static void
hmac_is_the_published_one(void **state)
{
    static uint8_t long_key[131];
    static const char long_words[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t mac[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct hmac hmac;
    (void)state;
    CHECK_OK(hmac_init(&hmac, "Jefe", 4, &err), &err);
    CHECK_OK(hmac_sign(&hmac, "what do ya want for nothing?", 28, mac, &err), &err);
    CHECK_TEXT(hex_encode(mac, sizeof mac, hex),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_done(&hmac);
    memset(long_key, 0xaa, sizeof long_key);
    CHECK_OK(hmac_init(&hmac, long_key, sizeof long_key, &err), &err);
    CHECK_OK(hmac_sign(&hmac, long_words, strlen(long_words), mac, &err), &err);
    CHECK_TEXT(hex_encode(mac, sizeof mac, hex),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hmac_done(&hmac);
}

static void
hex_is_taken_in_either_case_and_only_whole(void **state)
{
    uint8_t bytes[2];
    (void)state;
    CHECK_I64(hex_decode("aBCd", bytes, 2), 0);
    CHECK_BYTES(bytes, "\xab\xcd", 2);
    CHECK_I64(hex_decode("abc", bytes, 2), -1);
    CHECK_I64(hex_decode("abcde", bytes, 2), -1);
    CHECK_I64(hex_decode("abcg", bytes, 2), -1);
    CHECK_I64(hex_decode("", bytes, 1), -1);
    CHECK_I64(hex_decode("", bytes, 0), 0);
}

/* RFC 4648, section 10. */
static void
base64_is_the_published_one_for_every_padding(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char text[16];
    char bytes[16];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t len = strlen(rows[i][0]);
        CHECK_TEXT(base64_encode(rows[i][0], len, text), rows[i][1]);
        CHECK_I64(base64_decode(rows[i][1], bytes, len), (int64_t)len);
        CHECK_BYTES(bytes, rows[i][0], len);
    }
    CHECK_I64(base64_decode("====", bytes, sizeof bytes), -1);
    CHECK_I64(base64_decode("Zg==Zg==", bytes, sizeof bytes), -1);
    CHECK_I64(base64_decode("Zg=a", bytes, sizeof bytes), -1);
    CHECK_I64(base64_decode("Zm-_", bytes, sizeof bytes), -1);
}

/* Two draws of 32 bytes that agree would be a broken source, not chance. */
static void
random_bytes_differ_each_time(void **state)
{
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    (void)state;
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(hmac_is_the_published_one),
        cmocka_unit_test(hex_is_taken_in_either_case_and_only_whole),
        cmocka_unit_test(base64_is_the_published_one_for_every_padding),
        cmocka_unit_test(random_bytes_differ_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
