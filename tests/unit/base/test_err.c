#include "base/err.h"
#include "tests/support/check.h"

#include <errno.h>
#include <signal.h>

static void
every_code_has_its_words_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ERR_CODE_COUNT; i++) {
        enum err_code found = ERR_CODE_COUNT;
        CHECK(err_sentence((enum err_code)i)[0] != '\0');
        CHECK(err_hint((enum err_code)i)[0] != '\0');
        CHECK(err_who((enum err_code)i)[0] != '\0');
        CHECK(err_find(err_name((enum err_code)i), &found));
        CHECK_U64(found, i); /* a second row of the same name would be found here */
    }
}

/* A file called "x\nlevel=error ..." must not be able to forge a line of the log. */
static void
control_bytes_are_shown_not_sent(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    (void)err_set(&err, ERR_ITEM_GONE, "could not open '%s'", "a\nb\033[1mc");
    CHECK_TEXT(err.text, "could not open 'a\\x0ab\\x1b[1mc'");
}

static void
a_long_text_is_cut_and_ended(void **state)
{
    struct err err = ERR_NONE;
    char longer[2 * ERR_TEXT_BYTES_MAX];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    (void)err_set(&err, ERR_SYSTEM, "%s", longer);
    CHECK_U64(strlen(err.text), ERR_TEXT_BYTES_MAX - 1);
    (void)err_wrap(&err, "%s", longer);
    CHECK_U64(strlen(err.text), ERR_TEXT_BYTES_MAX - 1);
}

/* A name of 4,096 bytes does not push the reason out of the message. */
static void
the_reason_stands_behind_any_name(void **state)
{
    struct err err = ERR_NONE;
    char name[4097];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)err_set(&err, ERR_NAME_ILLEGAL, "'%s' cannot be stored: its name is too long", name);
    CHECK_HAS(err.text, "nnn...nnn");
    CHECK_HAS(err.text, "n' cannot be stored: its name is too long");
    (void)err_set_sys(&err, ERR_ITEM_ACCESS, EACCES, "could not open '%s'", name);
    CHECK_HAS(err.text, "could not open 'nnn");
    CHECK_HAS(err.text, "n': Permission denied");
    (void)err_wrap(&err, "'%s'", name);
    CHECK_HAS(err.text, ": Permission denied");
}

static void
wrapping_prepends_and_keeps_the_code(void **state)
{
    struct err err = ERR_NONE;
    (void)state;
    (void)err_set_sys(&err, ERR_ITEM_ACCESS, EACCES, "could not open '%s'", "a");
    CHECK_U64(err_wrap(&err, "source"), ERR_ITEM_ACCESS);
    CHECK_TEXT(err.text, "source: could not open 'a': Permission denied");
    CHECK_I64(err.sys, EACCES);
}

static void
a_full_disk_halts_and_a_missing_file_fails_its_item(void **state)
{
    (void)state;
    CHECK_U64(err_class(err_from_target_errno(ENOSPC)), ERR_CLASS_HALT);
    CHECK_U64(err_from_target_errno(EROFS), ERR_STORE_READ_ONLY);
    CHECK_U64(err_from_source_errno(ENOENT), ERR_ITEM_GONE);
    CHECK_U64(err_from_source_errno(EIO), ERR_ITEM_IO);
    CHECK_U64(err_from_source_errno(EACCES), ERR_ITEM_ACCESS);
}

/* Whoever asks a program to end by SIGTERM sees by the code that it did. */
static void
an_interrupt_has_the_exit_code_of_its_signal(void **state)
{
    (void)state;
    CHECK_U64(err_exit_after(ERR_INTERRUPTED, SIGINT), 130);
    CHECK_U64(err_exit_after(ERR_INTERRUPTED, SIGTERM), 143);
    CHECK_U64(err_exit_after(ERR_STORE_AUTH, SIGTERM), 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_words_and_a_name_of_its_own),
        cmocka_unit_test(control_bytes_are_shown_not_sent),
        cmocka_unit_test(a_long_text_is_cut_and_ended),
        cmocka_unit_test(the_reason_stands_behind_any_name),
        cmocka_unit_test(wrapping_prepends_and_keeps_the_code),
        cmocka_unit_test(an_interrupt_has_the_exit_code_of_its_signal),
        cmocka_unit_test(a_full_disk_halts_and_a_missing_file_fails_its_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
