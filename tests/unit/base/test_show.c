#include "base/show.h"
#include "tests/support/check.h"

#define CANARY "SeCr3tCaNaRy"

static const char key[] =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/* What people paste: in any case, encoded or not, whole or a part. */
static void
credentials_of_every_kind_are_left_out(void **state)
{
    static const char *const rows[] = {
        "https://x/acct/c?sv=1&sig=" CANARY,
        "HTTPS://x/acct/c?sv=1&SIG=" CANARY "&se=2",
        "'https://x/acct/c?x=" CANARY "'",
        "https://user:" CANARY "@host/a",
        "ftp://user:" CANARY "@host/a?b",
        "https:/x/acct/c?sv=1&sig=" CANARY,
        "https://x/acct/c%3Fsv%3D1%26sig%3D" CANARY,
        "?sig=" CANARY,
        "sv=1&sig=" CANARY,
        "AccountName=a;AccountKey=" CANARY ";EndpointSuffix=b",
        "SharedAccessSignature=sv=1&sig=" CANARY "&x=1",
        "Authorization: Bearer " CANARY,
        "eyJhbGciOiJIUzI1NiJ9." CANARY ".abc",
        key,
        "--x=eyJhbGciOiJIUzI1NiJ9." CANARY ".abc",
    };
    char shown[SHOW_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)show_typed(rows[i], shown);
        if (strstr(shown, CANARY) != NULL || strstr(shown, "REDACTED") == NULL) {
            print_error("'%s' is shown as '%s'\n", rows[i], shown);
        }
        CHECK(strstr(shown, CANARY) == NULL);
        CHECK(strstr(shown, "Eby8") == NULL);
        CHECK_HAS(shown, "REDACTED");
        CHECK(show_has_secret(rows[i]));
    }
}

/* A word without a credential is shown as it was typed: it has to be recognised. */
static void
other_words_stay_as_they_are(void **state)
{
    static const char *const rows[] = {
        "",
        "copi",
        "https://acct.blob.core.windows.net/cont/a@b",
        "http://127.0.0.1:10000/acct/cont",
        "file:store//acct/cont",
        "/data/design=new/what?",
        "a?b=c",
        "../folder/with a blank",
        "/data/warehouse/a/long/name/of/some/table/year=2026/month=01",
        "/AZaz09/AZaz09/AZaz09/AZaz09/AZaz09/AZaz09/AZaz09/AZaz09",
    };
    char shown[SHOW_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_TEXT(show_typed(rows[i], shown), rows[i]);
        CHECK(!show_has_secret(rows[i]));
    }
}

static void
an_address_is_known_by_its_scheme(void **state)
{
    static const char *const yes[] = {"https://x", "HTTP://x", " s3://b", "'ftp://x", "a+b.c-1://"};
    static const char *const no[] = {"", "a", "/a://b", "./https://x", "://", "file:x", "c:/x"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        CHECK(show_is_address(yes[i]));
    }
    for (size_t i = 0; i < COUNT_OF(no); i++) {
        CHECK(!show_is_address(no[i]));
    }
}

static void
the_middle_of_a_long_word_is_left_out(void **state)
{
    char out[24];
    char wide[15];
    (void)state;
    show_middle("just as long as it may ", out, sizeof out);
    CHECK_TEXT(out, "just as long as it may ");
    show_middle("one that is longer than it may be", out, sizeof out);
    CHECK_TEXT(out, "one that i... it may be");
    CHECK_U64(strlen(out), sizeof out - 1);
    /* No half of a character, on either side. */
    show_middle("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", wide,
                sizeof wide);
    CHECK_TEXT(wide, "\xe2\x82\xac...\xe2\x82\xac\xe2\x82\xac");
    show_middle("a\nb", out, sizeof out);
    CHECK_TEXT(out, "a\\x0ab");
    show_middle("\1\2\3\4\5\6\a\b", out, sizeof out);
    CHECK_TEXT(out, "\\x01\\x02...\\x06\\x07\\x08");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_of_every_kind_are_left_out),
        cmocka_unit_test(other_words_stay_as_they_are),
        cmocka_unit_test(an_address_is_known_by_its_scheme),
        cmocka_unit_test(the_middle_of_a_long_word_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
