/* Lines of receipts as strangers may write them. The whole file is tests/e2e/receipt.sh's. */
#include "ingest/copy/receipt.h"
#include "tests/support/folder.h"

#include <string.h>

#define KEY   "\"MCowBQYDK2VwAyEAbUlQQJAMxGnX2E5WnBZjnBOlZkAXbI93tDQiQiptlPo=\""
#define HEX64 "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""
#define SIGNATURE                                                                                  \
    "\"EswWcL97jZCgX8TnwCvtKay8SMKVXsSVHdBhGbD2lOQtxTqrpRuaGKcSY0mnmJPdNVJ9nPsEjDQKlwcXEGy8CQ==\""

static enum err_code
parse(const char *text, struct receipt_line *line, struct err *err)
{
    *err = ERR_NONE;
    return receipt_parse(text, strlen(text), line, err);
}

/* The three kinds of lines are told apart by what they have. */
static void
each_kind_of_line_is_read(void **state)
{
    struct receipt_line line = {0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(parse("{\"schema\":\"sallyport.receipt/1\",\"key\":" KEY "}", &line, &err), &err);
    CHECK_U64(line.kind, RECEIPT_HEADER);
    CHECK_U64(line.der[0], 0x30);
    CHECK_OK(parse("{\"path\":\"a/b\",\"size\":7,\"crc64\":\"258c302288b43ee1\"}", &line, &err),
             &err);
    CHECK_U64(line.kind, RECEIPT_ITEM);
    CHECK_TEXT(line.item.path, "a/b");
    CHECK_U64(line.item.size_bytes, 7);
    CHECK(line.item.has_crc64);
    CHECK_U64(line.item.crc64, UINT64_C(0x258c302288b43ee1));
    CHECK(!line.item.has_md5);
    CHECK_OK(parse("{\"count\":2,\"sha256\":" HEX64 ",\"signature\":" SIGNATURE "}", &line, &err),
             &err);
    CHECK_U64(line.kind, RECEIPT_END);
    CHECK_U64(line.count, 2);
    CHECK_U64(line.sha256[1], 0x11);
    receipt_line_done(&line);
}

/* A name that is not UTF-8 travels as Base64, and comes back byte for byte. */
static void
names_of_any_bytes_come_back(void **state)
{
    struct receipt_line line = {0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(parse("{\"path\":{\"b64\":\"Zf8=\"},\"size\":0}", &line, &err), &err);
    CHECK_TEXT(line.item.path, "e\xff");
    receipt_line_done(&line);
}

/* A device's items are called as they are stored: by account, container and blob. */
static void
items_of_a_device_are_called_by_their_blobs(void **state)
{
    struct receipt_line line = {0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(parse("{\"path\":\"d/a\",\"blob\":\"p/a\",\"size\":1}", &line, &err), &err);
    CHECK_TEXT(line.item.name, "d/a");
    CHECK(!line.item.is_of_device);
    CHECK_OK(parse("{\"schema\":\"sallyport.receipt/1\",\"device\":\"box\",\"key\":" KEY "}", &line,
                   &err),
             &err);
    CHECK_ERR(parse("{\"path\":\"d/a\",\"blob\":{\"b64\":\"\"},\"size\":1}", &line, &err), &err,
              ERR_RECEIPT);
    CHECK_OK(parse("{\"path\":\"d/a\",\"blob\":\"acct/c/a\",\"size\":1}", &line, &err), &err);
    CHECK_TEXT(line.item.name, "acct/c/a");
    CHECK_TEXT(line.item.path, "d/a");
    CHECK(line.item.is_of_device);
    CHECK_ERR(parse("{\"path\":\"d/a\",\"size\":1}", &line, &err), &err, ERR_RECEIPT);
    receipt_line_done(&line);
}

/* Fields of later versions are no reason to refuse. */
static void
unknown_fields_are_passed_over(void **state)
{
    struct receipt_line line = {0};
    struct err err = ERR_NONE;
    (void)state;
    CHECK_OK(parse("{\"path\":\"a\",\"size\":1,\"colour\":[1,{\"x\":null}]}", &line, &err), &err);
    receipt_line_done(&line);
}

/* Whatever does not have its form is refused with ERR_RECEIPT, and nothing is read half. */
static void
lines_without_their_form_are_refused(void **state)
{
    // NOLINTBEGIN(bugprone-suspicious-missing-comma): pieces of one line each
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "null",
        "{",
        "{}",
        // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): KEY stands within the line
        "{\"schema\":\"sallyport.receipt/2\",\"key\":" KEY "}",
        "{\"schema\":\"sallyport.receipt/1\"}",
        "{\"schema\":\"sallyport.receipt/1\",\"key\":\"MCow\"}",
        "{\"schema\":7,\"key\":" KEY "}",
        "{\"path\":\"a\"}",
        "{\"path\":\"\",\"size\":1}",
        "{\"path\":7,\"size\":1}",
        "{\"path\":null,\"size\":1}",
        "{\"path\":{\"b64\":\"AA==\"},\"size\":1}",
        "{\"path\":{\"b64\":\"?\"},\"size\":1}",
        "{\"path\":{},\"size\":1}",
        "{\"path\":\"a\\u0000b\",\"size\":1}",
        "{\"path\":\"a\",\"size\":-1}",
        "{\"path\":\"a\",\"size\":1.5}",
        "{\"path\":\"a\",\"size\":\"1\"}",
        "{\"path\":\"a\",\"size\":99999999999999999999999}",
        "{\"path\":\"a\",\"size\":1,\"crc64\":\"12\"}",
        "{\"path\":\"a\",\"size\":1,\"crc64\":17}",
        "{\"path\":\"a\",\"size\":1,\"md5\":\"zz\"}",
        "{\"path\":\"a\",\"path\":\"b\",\"size\":1}",
        "{\"count\":2,\"sha256\":" HEX64 "}",
        "{\"count\":2,\"sha256\":\"00\",\"signature\":" SIGNATURE "}",
        "{\"count\":-2,\"sha256\":" HEX64 ",\"signature\":" SIGNATURE "}",
    };
    // NOLINTEND(bugprone-suspicious-missing-comma)
    struct receipt_line line = {0};
    struct err err = ERR_NONE;
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(bad); i++) {
        if (parse(bad[i], &line, &err) != ERR_RECEIPT) {
            print_message("taken: %s\n", bad[i]);
            fail();
        }
    }
    receipt_line_done(&line);
}

/* A receipt of millions of lines does not keep a process that was told to end, and half of one is
 * not left under its name. */
static void
writing_ends_with_the_signal(void **state)
{
    static const struct item item = {.name = "a", .size_bytes = 1, .state = ITEM_COPIED};
    const struct verify_result verified = {0};
    atomic_int signal = 15;
    struct folder folder;
    struct plan plan = {0};
    struct sign_key *key = NULL;
    struct err err = ERR_NONE;
    (void)state;
    folder_init(&folder);
    char *plan_path = mem_text(folder_join(&folder, "plan.db"));
    CHECK_OK(plan_open(plan_path, false, &plan, &err), &err);
    CHECK_OK(plan_add_item(&plan, &item, &err), &err);
    CHECK_OK(plan_commit(&plan, &err), &err);
    CHECK_OK(sign_open_site(folder_join(&folder, "keys"), &key, &err), &err);
    struct receipt_job job = {.job = plan.nonce,
                              .source = "a",
                              .target = "b",
                              .plan_path = plan_path,
                              .clock = &clock_system,
                              .verified = &verified,
                              .signal = &signal};
    const char *path = folder_join(&folder, "receipt");
    CHECK_ERR(receipt_write(path, &job, key, &err), &err, ERR_INTERRUPTED);
    CHECK(!folder_has(&folder, "receipt"));
    CHECK(!folder_has(&folder, "receipt.partial"));
    atomic_store(&signal, 0);
    CHECK_OK(receipt_write(folder_join(&folder, "receipt"), &job, key, &err), &err);
    CHECK(folder_has(&folder, "receipt"));
    sign_key_free(key);
    plan_close(&plan);
    mem_give(plan_path);
    folder_done(&folder);
}

/* Told before anything moves, not after all of it did. */
static void
a_place_for_the_receipt_is_looked_at_first(void **state)
{
    struct folder folder;
    struct err err = ERR_NONE;
    (void)state;
    folder_init(&folder);
    (void)folder_make(&folder, "sub");
    (void)folder_write(&folder, "file", "x", 1);
    CHECK_OK(receipt_check_place("receipt", &err), &err);
    CHECK_OK(receipt_check_place(folder_join(&folder, "receipt"), &err), &err);
    CHECK_OK(receipt_check_place(folder_join(&folder, "file"), &err), &err);
    CHECK(!folder_has(&folder, "receipt"));
    CHECK_ERR(receipt_check_place(folder_join(&folder, "none/receipt"), &err), &err, ERR_CONFIG);
    CHECK_ERR(receipt_check_place(folder_join(&folder, "file/receipt"), &err), &err, ERR_CONFIG);
    CHECK_ERR(receipt_check_place(folder_join(&folder, "sub"), &err), &err, ERR_CONFIG);
    CHECK_ERR(receipt_check_place(folder_join(&folder, "sub/"), &err), &err, ERR_CONFIG);
    CHECK_ERR(receipt_check_place("", &err), &err, ERR_CONFIG);
    folder_done(&folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_line_is_read),
        cmocka_unit_test(names_of_any_bytes_come_back),
        cmocka_unit_test(items_of_a_device_are_called_by_their_blobs),
        cmocka_unit_test(unknown_fields_are_passed_over),
        cmocka_unit_test(writing_ends_with_the_signal),
        cmocka_unit_test(a_place_for_the_receipt_is_looked_at_first),
        cmocka_unit_test(lines_without_their_form_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
