#include "base/err.h"

#include "base/show.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WORDS_BYTES 8192 /* a name of 4,096 bytes and what is said of it */

struct row {
    const char *wire;
    enum err_class cls;
    enum exit_code exit;
    const char *who;
    const char *sentence;
    const char *hint;
};

#define ERR_AS_ROW(id, wire, cls, exit, who, text, hint)                                           \
    [ERR_##id] = {wire, ERR_CLASS_##cls, EXIT_##exit, who, text, hint},
static const struct row rows[ERR_CODE_COUNT] = {ERR_MAP(ERR_AS_ROW)};

static const char *const class_names[ERR_CLASS_COUNT] = {"none", "wait", "retry",
                                                         "item", "halt", "fail"};

/* Of a text that is too long the middle gives way: at its end stands the reason. */
static void
format(struct err *err, const char *fmt, va_list args, const char *tail)
{
    char words[WORDS_BYTES];
    size_t most = sizeof words - strlen(tail);
    int len = vsnprintf(words, most, fmt, args);
    size_t used = len < 0 ? 0 : MIN_OF((size_t)len, most - 1);
    memcpy(words + used, tail, strlen(tail) + 1);
    show_middle(words, err->text, sizeof err->text);
}

enum err_code
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list args;
    *err = (struct err){.code = code};
    va_start(args, fmt);
    format(err, fmt, args, "");
    va_end(args);
    return code;
}

enum err_code
err_set_sys(struct err *err, enum err_code code, int sys, const char *fmt, ...)
{
    char tail[128];
    const char *words = strerrordesc_np(sys);
    va_list args;
    *err = (struct err){.code = code, .sys = sys};
    (void)snprintf(tail, sizeof tail, ": %s", words == NULL ? "unknown error" : words);
    va_start(args, fmt);
    format(err, fmt, args, tail);
    va_end(args);
    return code;
}

enum err_code
err_wrap(struct err *err, const char *fmt, ...)
{
    char tail[ERR_TEXT_BYTES_MAX + 2];
    va_list args;
    (void)snprintf(tail, sizeof tail, ": %s", err->text);
    va_start(args, fmt);
    format(err, fmt, args, tail);
    va_end(args);
    return err->code;
}

struct errno_row {
    int sys;
    enum err_code code;
};

static enum err_code
find_errno(const struct errno_row *table, unsigned count, int sys, enum err_code otherwise)
{
    for (unsigned i = 0; i < count; i++) {
        if (table[i].sys == sys) {
            return table[i].code;
        }
    }
    return otherwise;
}

enum err_code
err_from_source_errno(int sys)
{
    static const struct errno_row table[] = {
        {ENOENT, ERR_ITEM_GONE},    {ESTALE, ERR_ITEM_GONE},   {ENOTDIR, ERR_ITEM_GONE},
        {EACCES, ERR_ITEM_ACCESS},  {EPERM, ERR_ITEM_ACCESS},  {ENOKEY, ERR_ITEM_ACCESS},
        {ELOOP, ERR_ITEM_CHANGED},  {EXDEV, ERR_ITEM_CHANGED}, {ENXIO, ERR_ITEM_SPECIAL},
        {EISDIR, ERR_ITEM_CHANGED}, {EMFILE, ERR_SYSTEM},      {ENFILE, ERR_SYSTEM},
        {ENOMEM, ERR_SYSTEM},
    };
    return find_errno(table, COUNT_OF(table), sys, ERR_ITEM_IO);
}

enum err_code
err_from_target_errno(int sys)
{
    static const struct errno_row table[] = {
        {ENOSPC, ERR_STORE_FULL},         {EDQUOT, ERR_STORE_FULL},
        {EROFS, ERR_STORE_READ_ONLY},     {EACCES, ERR_STORE_READ_ONLY},
        {EPERM, ERR_STORE_READ_ONLY},     {EEXIST, ERR_OTHER_WRITER},
        {ENAMETOOLONG, ERR_NAME_ILLEGAL}, {EINVAL, ERR_NAME_ILLEGAL},
        {EILSEQ, ERR_NAME_ILLEGAL},       {ENOTDIR, ERR_NAME_ILLEGAL},
        {EISDIR, ERR_NAME_ILLEGAL},       {ELOOP, ERR_NAME_ILLEGAL},
        {ENOTEMPTY, ERR_NAME_ILLEGAL},    {EXDEV, ERR_NAME_ILLEGAL},
        {EFBIG, ERR_ITEM_TOO_LARGE},
    };
    return find_errno(table, COUNT_OF(table), sys, ERR_SYSTEM);
}

const char *
err_name(enum err_code code)
{
    return rows[code].wire;
}

const char *
err_who(enum err_code code)
{
    return rows[code].who;
}

const char *
err_sentence(enum err_code code)
{
    return rows[code].sentence;
}

const char *
err_hint(enum err_code code)
{
    return rows[code].hint;
}

enum err_class
err_class(enum err_code code)
{
    return rows[code].cls;
}

enum exit_code
err_exit(enum err_code code)
{
    return rows[code].exit;
}

enum exit_code
err_exit_after(enum err_code code, int signal)
{
    return code == ERR_INTERRUPTED && signal == SIGTERM ? EXIT_SIGTERM : err_exit(code);
}

const char *
err_class_name(enum err_class cls)
{
    return class_names[cls];
}

bool
err_find(const char *wire_name, enum err_code *ret_code)
{
    for (unsigned i = 0; i < ERR_CODE_COUNT; i++) {
        if (strcmp(rows[i].wire, wire_name) == 0) {
            *ret_code = (enum err_code)i;
            return true;
        }
    }
    return false;
}
