#include "storage/http/url.h"
#include "tests/support/check.h"

static struct err err;

static void
an_address_is_taken_apart(void **state)
{
    static const struct {
        const char *address;
        const char *scheme;
        const char *host;
        unsigned port;
        const char *path;
        const char *query;
        const char *shown;
    } rows[] = {
        {"https://Account.Blob.Core.Windows.Net/Cont/a%20b?sv=1&sig=x", "https",
         "account.blob.core.windows.net", 0, "/Cont/a b", "sv=1&sig=x",
         "https://account.blob.core.windows.net/Cont/a%20b"},
        {"HTTP://127.0.0.1:10000/dev/c", "http", "127.0.0.1", 10000, "/dev/c", NULL,
         "http://127.0.0.1:10000/dev/c"},
        {"http://[::1]:8443", "http", "[::1]", 8443, "", NULL, "http://[::1]:8443"},
        {"http://h?", "http", "h", 0, "", NULL, "http://h"},
        {"http://h/%E2%82%AC%ff", "http", "h", 0, "/\xe2\x82\xac\xff", NULL,
         "http://h/%E2%82%AC%FF"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct url url;
        AUTO_TEXT shown = TEXT_INIT;
        CHECK_OK(url_parse(rows[i].address, &url, &err), &err);
        CHECK_TEXT(url.scheme, rows[i].scheme);
        CHECK_TEXT(url.host, rows[i].host);
        CHECK_U64(url.port, rows[i].port);
        CHECK_TEXT(url.path, rows[i].path);
        CHECK((url.query == NULL) == (rows[i].query == NULL));
        CHECK_TEXT(url.query == NULL ? "" : url.query, rows[i].query == NULL ? "" : rows[i].query);
        url_display(&url, &shown);
        CHECK_TEXT(text_str(&shown), rows[i].shown);
        url_done(&url);
    }
}

/* A refusal says what is wrong and never repeats the query or a password. */
static void
what_is_no_address_is_refused_without_its_secrets(void **state)
{
    static const char *const rows[] = {
        "",
        "host/path",
        "://h/a?sig=hidden",
        "ftp://h/a?sig=hidden",
        "http://",
        "http:///a?sig=hidden",
        "http://user:hidden@h/a",
        "http://h:0/a?sig=hidden",
        "http://h:65536/",
        "http://h:/",
        "http://h:1x/",
        "http://[::1/a",
        "http://[]/a",
        "http://h h/a",
        "http://h/%zz?sig=hidden",
        "http://h/%",
        "http://h/%00",
        "http://h/a?b c&sig=hidden",
        "http://h/a?sig=hidden#x",
        "http://h/a#b",
        "http://h\xff/",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct url url;
        CHECK_ERR(url_parse(rows[i], &url, &err), &err, ERR_USAGE);
        CHECK(strstr(err.text, "hidden") == NULL);
    }
}

/* What was encoded is the same name again: every byte but NUL, in paths and in queries. */
static void
every_byte_survives_encoding(void **state)
{
    char bytes[256];
    (void)state;
    for (unsigned i = 1; i < 256; i++) {
        bytes[i - 1] = (char)(unsigned char)i;
    }
    bytes[255] = '\0';
    for (unsigned keep_slash = 0; keep_slash < 2; keep_slash++) {
        AUTO_TEXT out = TEXT_INIT;
        url_encode(&out, bytes, keep_slash == 1);
        for (const char *at = text_str(&out); *at != '\0'; at++) {
            CHECK((unsigned char)*at > ' ' && (unsigned char)*at < 0x7f);
            CHECK(strchr("?#&=+", *at) == NULL);
        }
        CHECK((strchr(text_str(&out), '/') != NULL) == (keep_slash == 1));
        CHECK(url_decode(out.bytes));
        CHECK_TEXT(text_str(&out), bytes);
    }
}

static void
a_bad_escape_is_told(void **state)
{
    static const char *const rows[] = {"%", "%4", "a%4gb", "%00", "%%41"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%s", rows[i]);
        CHECK(!url_decode(text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused_without_its_secrets),
        cmocka_unit_test(every_byte_survives_encoding),
        cmocka_unit_test(a_bad_escape_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
