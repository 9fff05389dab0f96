#include "base/config.h"
#include "tests/support/check.h"

static struct config config;

static enum err_code
read(const char *text, struct err *err)
{
    config_init(&config);
    return config_read_text(&config, "test.conf", text, strlen(text), err);
}

static void
a_setting_replaces_its_default_and_tells_where_from(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(read("# a comment\n[retry]\ngive-up-after = 3s\ndelay-min = 100ms\n", &err), &err);
    CHECK_I64(config.retry_give_up_ns, 3000000000);
    CHECK_I64(config.retry_delay_min_ns, 100000000);
    CHECK_I64(config.connect_timeout_ns, INT64_C(10000000000));
    CHECK_TEXT(config.origin[CONFIG_ID_retry_give_up_ns], "test.conf:3");
    CHECK(config.origin[CONFIG_ID_connect_timeout_ns] == NULL);
    config_done(&config);
}

static void
a_wrong_setting_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *piece;
    } rows[] = {
        {"[retry]\nattemps = 3\n", "line 2: there is no setting 'retry.attemps'"},
        {"[copy]\n\nfailures-max = many\n",
         "line 3: copy.failures-max: 'many' is not a whole number"},
        {"[retry]\ngive-up-after = 25h\n", "outside its limits 0s to 1d"},
        {"[retry]\nnonsense\n", "line 2"},
        {"[retry]\ngive-up-after = \xff\n", "not UTF-8"},
        {"delay-min = 1s\n", "line 1: 'delay-min' stands before any [section]"},
        {"[azure]\nkey-file = /a\n  /b\n", "line 3"},
        {"[azure]\nkey-file =\n", "line 2: azure.key-file: there is no value"},
        {"[retry]\ndelay-min = 0s\nnonsense\n", "line 2"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = ERR_NONE;
        CHECK_ERR(read(rows[i].text, &err), &err, ERR_CONFIG);
        CHECK_HAS(err.text, rows[i].piece);
        config_done(&config);
    }
}

/* Half a path would be another path, and what is left of the line another setting. */
static void
a_line_is_never_cut_in_two(void **state)
{
    struct err err = ERR_NONE;
    char text[600];
    (void)state;
    (void)snprintf(text, sizeof text, "[azure]\nkey-file = /%0*d\n", 187, 5);
    CHECK_ERR(read(text, &err), &err, ERR_CONFIG);
    CHECK_TEXT(err.text, "'test.conf' line 2 has 199 bytes; a line has at most 198");
    config_done(&config);
    (void)snprintf(text, sizeof text, "[azure]\nkey-file = /%0*d\n", 186, 5);
    CHECK_OK(read(text, &err), &err);
    CHECK_U64(strlen(config.azure_key_file), 187);
    config_done(&config);
    /* Of a comment nothing is read, however long it is; the lines behind it keep their numbers. */
    (void)snprintf(text, sizeof text, "  # %0*d delay-min = 9s\n[retry]\n  delay-min = 0s\n", 500,
                   5);
    CHECK_ERR(read(text, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "line 3: retry.delay-min");
    config_done(&config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_replaces_its_default_and_tells_where_from),
        cmocka_unit_test(a_wrong_setting_is_named_with_its_line),
        cmocka_unit_test(a_line_is_never_cut_in_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
