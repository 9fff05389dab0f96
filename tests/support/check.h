/*
 * tests/support/check.h - assertions that print both values, on top of cmocka.
 *
 * A test's name is the rule in words; the comment above it is the reason.
 *
 *   thread   that of the test: a failed check leaves it by a jump
 */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H

#include "base/err.h"

/* cmocka.h needs the headers before it, in this order. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
// clang-format on

#define CHECK(fact)                 assert_true(fact)
#define CHECK_U64(got, want)        assert_int_equal((uint64_t)(got), (uint64_t)(want))
#define CHECK_I64(got, want)        assert_true(check_i64((int64_t)(got), (int64_t)(want)))
#define CHECK_TEXT(got, want)       assert_string_equal((got), (want))
#define CHECK_BYTES(got, want, len) assert_memory_equal((got), (want), (len))
/* The call succeeds; otherwise its error's text is shown. */
#define CHECK_OK(call, err)         assert_true(check_ok((call), (err)))
/* The call fails with this code. */
#define CHECK_ERR(call, err, want)  assert_true(check_err((call), (err), (want)))
/* A text contains a piece. */
#define CHECK_HAS(text, piece)      assert_true(check_has((text), (piece)))

static inline bool
check_i64(int64_t got, int64_t want)
{
    if (got != want) {
        print_error("got %lld, want %lld\n", (long long)got, (long long)want);
    }
    return got == want;
}

static inline bool
check_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK) {
        print_error("failed: %s: %s\n", err_name(code), err->text);
    }
    return code == ERR_OK;
}

static inline bool
check_err(enum err_code code, const struct err *err, enum err_code want)
{
    if (code != want) {
        print_error("got %s (%s), want %s\n", err_name(code), code == ERR_OK ? "" : err->text,
                    err_name(want));
    }
    return code == want;
}

static inline bool
check_has(const char *text, const char *piece)
{
    if (strstr(text, piece) == NULL) {
        print_error("'%s' does not contain '%s'\n", text, piece);
        return false;
    }
    return true;
}

#endif
