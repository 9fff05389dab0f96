/*
 * base/attr.h - compiler attributes, small macros and the one assertion.
 *
 * ASSERT is for our own bugs and is compiled into every build; conditions of the outside world are
 * struct err (base/err.h). One fact per line, so that the message says which fact was wrong.
 *
 *   thread   any
 *   errors   a fact that is not true ends the process, with the fact and its place on stderr
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NO_RETURN              __attribute__((noreturn))
#define CLEANUP(fn)            __attribute__((cleanup(fn)))
#define UNUSED                 __attribute__((unused))

#define COUNT_OF(array)                 (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define MIN_OF(a, b)                    ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)                    ((a) > (b) ? (a) : (b))

#define ASSERT(fact)                                                                               \
    (__builtin_expect(!!(fact), 1) ? (void)0 : assert_failed(#fact, __FILE__, __LINE__))

/* Print the fact and the place to stderr and abort. Never returns. */
NO_RETURN void assert_failed(const char *fact, const char *file, int line);

#endif
