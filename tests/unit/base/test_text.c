#include "base/text.h"
#include "tests/support/check.h"

/* Whatever was added, the bytes end with a NUL and the length does not count it. */
static void
a_text_is_always_ended(void **state)
{
    AUTO_TEXT text = TEXT_INIT;
    (void)state;
    CHECK_TEXT(text_str(&text), "");
    text_add(&text, NULL, 0);
    CHECK_TEXT(text_str(&text), "");
    for (unsigned i = 0; i < 1000; i++) {
        text_add_char(&text, (char)('a' + i % 26));
        CHECK_U64(text.len, i + 1);
        CHECK_U64(text.bytes[text.len], 0);
    }
    text_addf(&text, "-%d-%s", 42, "end");
    CHECK_U64(text.len, 1007);
    CHECK_TEXT(text_str(&text) + 1000, "-42-end");
}

/* Bytes after a NUL belong to the text too: names from databases may hold one. */
static void
a_nul_is_a_byte_as_any_other(void **state)
{
    AUTO_TEXT text = TEXT_INIT;
    (void)state;
    text_add(&text, "a\0b", 3);
    text_add_str(&text, "c");
    CHECK_U64(text.len, 4);
    CHECK_BYTES(text.bytes, "a\0bc", 5);
}

/* A text that is too long is broken as a whole: half of one must not pass for the whole. */
static void
what_does_not_fit_breaks_the_text_until_it_is_cleared(void **state)
{
    AUTO_TEXT text = TEXT_INIT;
    (void)state;
    text_add_str(&text, "kept");
    text_add(&text, "never read", TEXT_BYTES_MAX);
    CHECK(text.is_broken);
    text_add_str(&text, "more");
    CHECK_TEXT(text_str(&text), "kept");
    text_clear(&text);
    CHECK(!text.is_broken);
    text_add_str(&text, "anew");
    CHECK_TEXT(text_str(&text), "anew");
}

/* Warm paths clear and fill again: that must not allocate each time. */
static void
clearing_keeps_the_memory(void **state)
{
    AUTO_TEXT text = TEXT_INIT;
    (void)state;
    text_addf(&text, "%*s", 500, "");
    const char *before = text.bytes;
    size_t room = text.room;
    text_clear(&text);
    text_addf(&text, "%*s", 500, "");
    CHECK(text.bytes == before);
    CHECK_U64(text.room, room);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_always_ended),
        cmocka_unit_test(a_nul_is_a_byte_as_any_other),
        cmocka_unit_test(what_does_not_fit_breaks_the_text_until_it_is_cleared),
        cmocka_unit_test(clearing_keeps_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
