#include "storage/azure/signer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct fake_clock fake;
static struct config config;
static struct credential *credential;
static struct signer *signer;
static struct text value;
static struct err err;

static const char *const settings[] = {"AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_KEY",
                                       "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_TOKEN_FILE"};

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    fake_clock_init(&fake);
    config_init(&config);
    for (unsigned i = 0; i < COUNT_OF(settings); i++) {
        (void)unsetenv(settings[i]);
    }
    credential = NULL;
    signer = NULL;
    value = TEXT_INIT;
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    signer_free(signer);
    credential_free(credential);
    text_done(&value);
    config_done(&config);
    folder_done(&folder);
    return 0;
}

static void
open_signer(void)
{
    CHECK_OK(credential_find("acct", NULL, &config, &credential, &err), &err);
    CHECK_OK(signer_new(credential, &fake.clock, &signer, &err), &err);
}

/* Computed apart from this program, from the string that the store's documents say is signed. */
static void
a_request_is_signed_as_the_store_expects(void **state)
{
    static const struct http_header headers[] = {
        {"x-ms-version", "2021-12-02"}, {"x-ms-date", "Fri, 02 Jan 2026 03:04:05 GMT"},
        {"Content-Type", "text/plain"}, {"x-ms-blob-type", "BlockBlob"},
        {"If-Match", "\"0x1\""},        {"X-MS-Meta-A", "1"},
    };
    struct signer_input input = {.method = HTTP_PUT,
                                 .account = "acct",
                                 .encoded_path = "/cont/a%20b",
                                 .query = "comp=block&blockid=AAA%3D",
                                 .headers = headers,
                                 .header_count = COUNT_OF(headers),
                                 .body_len = 5};
    (void)state;
    CHECK_I64(setenv("AZURE_STORAGE_KEY", "a2V5LW9mLXRoZS1hY2NvdW50", 1), 0);
    open_signer();
    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
        CHECK_TEXT(text_str(&value), "SharedKey acct:YKN1TNvnPZWenQKYk1buQbQ9mMuZTnCxpPU3plZaxmI=");
    }
    CHECK_TEXT(signer_query(signer), "");
    /* Each part counts: another body length is another signature. */
    input.body_len = 6;
    CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
    CHECK(strstr(text_str(&value), "YKN1") == NULL);
}

/* Blobs of other clients bring their metadata along: as many headers as a request can have. */
static void
as_many_headers_as_there_can_be_are_signed(void **state)
{
    struct http_header headers[SIGNER_HEADERS_MAX];
    char names[SIGNER_HEADERS_MAX][16];
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(headers); i++) {
        (void)snprintf(names[i], sizeof names[i], "x-ms-meta-%u", (i * 7) % SIGNER_HEADERS_MAX);
        headers[i] = (struct http_header){.name = names[i], .value = "v"};
    }
    const struct signer_input input = {.method = HTTP_PUT,
                                       .account = "acct",
                                       .encoded_path = "/c",
                                       .query = "",
                                       .headers = headers,
                                       .header_count = COUNT_OF(headers)};
    CHECK_I64(setenv("AZURE_STORAGE_KEY", "a2V5", 1), 0);
    open_signer();
    CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
    CHECK(strncmp(text_str(&value), "SharedKey acct:", 15) == 0);
}

/* The date is written once a second, not once a request. */
static void
the_date_follows_the_clock(void **state)
{
    (void)state;
    open_signer();
    CHECK_TEXT(signer_date(signer), "Thu, 01 Jan 2026 00:00:01 GMT");
    fake_clock_add(&fake, 500 * NS_PER_MS);
    CHECK_TEXT(signer_date(signer), "Thu, 01 Jan 2026 00:00:01 GMT");
    fake_clock_add(&fake, 500 * NS_PER_MS);
    CHECK_TEXT(signer_date(signer), "Thu, 01 Jan 2026 00:00:02 GMT");
}

/* A token is renewed by others, in its file; a copy of days must not notice. */
static void
a_renewed_token_is_used_without_being_told(void **state)
{
    const struct signer_input input = {
        .method = HTTP_GET, .account = "acct", .encoded_path = "/c", .query = ""};
    (void)state;
    const char *path = folder_write(&folder, "token", "first\n", 6);
    CHECK_I64(chmod(path, 0600), 0);
    CHECK_I64(setenv("AZURE_STORAGE_TOKEN_FILE", path, 1), 0);
    open_signer();
    CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
    CHECK_TEXT(text_str(&value), "Bearer first");
    (void)folder_write(&folder, "token", "second!\n", 8);
    fake_clock_add(&fake, 6 * NS_PER_S);
    CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
    CHECK_TEXT(text_str(&value), "Bearer second!");
    /* A file that is broken for a moment keeps the token that worked. */
    (void)folder_write(&folder, "token", "two words\n", 10);
    fake_clock_add(&fake, 6 * NS_PER_S);
    CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
    CHECK_TEXT(text_str(&value), "Bearer second!");
}

static void
a_signature_of_others_goes_into_the_query(void **state)
{
    const struct signer_input input = {
        .method = HTTP_GET, .account = "acct", .encoded_path = "/c", .query = ""};
    (void)state;
    CHECK_I64(setenv("AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=abc%3D", 1), 0);
    open_signer();
    CHECK_OK(signer_authorize(signer, &input, &value, &err), &err);
    CHECK_TEXT(text_str(&value), "");
    CHECK_TEXT(signer_query(signer), "sv=1&sig=abc%3D");
}

/* The order in which credentials are looked for is documented; another account's do not count. */
static void
the_first_credential_of_this_account_is_taken(void **state)
{
    static const struct {
        const char *connection;
        const char *key;
        const char *query;
        enum credential_kind kind;
    } rows[] = {
        {NULL, NULL, NULL, CREDENTIAL_ANONYMOUS},
        {NULL, "a2V5", NULL, CREDENTIAL_SHARED_KEY},
        {"AccountName=acct;AccountKey=a2V5", NULL, NULL, CREDENTIAL_SHARED_KEY},
        {"AccountName=acct;SharedAccessSignature=sig=x", "a2V5", NULL, CREDENTIAL_SAS},
        {"AccountName=other;SharedAccessSignature=sig=x", "a2V5", NULL, CREDENTIAL_SHARED_KEY},
        {NULL, "a2V5", "sv=1&sig=x", CREDENTIAL_SAS},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)unsetenv(settings[0]);
        (void)unsetenv(settings[1]);
        if (rows[i].connection != NULL) {
            CHECK_I64(setenv(settings[0], rows[i].connection, 1), 0);
        }
        if (rows[i].key != NULL) {
            CHECK_I64(setenv(settings[1], rows[i].key, 1), 0);
        }
        CHECK_OK(credential_find("acct", rows[i].query, &config, &credential, &err), &err);
        CHECK_U64(credential_kind(credential), rows[i].kind);
        credential = credential_free(credential);
    }
}

/* What cannot be a credential is said at once, by the setting's name and without its value. */
static void
a_credential_that_cannot_be_one_is_refused_unseen(void **state)
{
    static const char *const rows[][2] = {
        {"AZURE_STORAGE_KEY", "this-is-hidden"},
        {"AZURE_STORAGE_SAS_TOKEN", "sv=hidden"},
        {"AZURE_STORAGE_SAS_TOKEN", "sig=hid den"},
        {"AZURE_STORAGE_SAS_TOKEN", "sig=hidden#"},
        {"AZURE_STORAGE_CONNECTION_STRING", "AccountName=acct;Other=hidden"},
        {"AZURE_STORAGE_CONNECTION_STRING", "AccountName=acct;AccountKey=hidden!"},
        {"AZURE_STORAGE_TOKEN_FILE", "/missing-folder/token"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_I64(setenv(rows[i][0], rows[i][1], 1), 0);
        CHECK_ERR(credential_find("acct", NULL, &config, &credential, &err), &err, ERR_CONFIG);
        CHECK_HAS(err.text, rows[i][0]);
        CHECK(strstr(err.text, "hidden") == NULL);
        (void)unsetenv(rows[i][0]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_signed_as_the_store_expects),
        TEST(as_many_headers_as_there_can_be_are_signed),
        TEST(the_date_follows_the_clock),
        TEST(a_renewed_token_is_used_without_being_told),
        TEST(a_signature_of_others_goes_into_the_query),
        TEST(the_first_credential_of_this_account_is_taken),
        TEST(a_credential_that_cannot_be_one_is_refused_unseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
