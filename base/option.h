/*
 * base/option.h - commands and options as one table: parser, help, completion and man page read it.
 *
 * An option writes into a struct of the command's own through its offset; limits and defaults live
 * in the row and nowhere else.
 *
 *   shape    long options only (--name VALUE, --name=VALUE), plus -h and -q/-v where in the table;
 *            operands may stand between options; "--" ends options
 *   owner    strings point into argv and live as long as it does
 *   errors   ERR_USAGE: unknown option (with the nearest name), missing value, value outside its
 *            limits, missing or surplus operand, an address where a FILE or DIR is wanted - always
 *            names the option, the value (without credentials), what is right
 *   source   interface: `sallyport COMMAND --help`
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char * */
    OPTION_LIST,     /* struct option_list: may be repeated */
    OPTION_NUMBER,   /* uint64_t within min..max */
    OPTION_SIZE,     /* uint64_t bytes within min..max */
    OPTION_RATE,     /* uint64_t bytes per second within min..max */
    OPTION_DURATION, /* int64_t ns within min..max (ns) */
    OPTION_CHOICE,   /* int: index into choices "a|b|c" */
};

#define OPTION_LIST_MAX 64
struct option_list {
    const char *values[OPTION_LIST_MAX];
    unsigned count;
};

struct option {
    const char *name; /* "block-size" */
    char letter;      /* 0 if none */
    enum option_kind kind;
    size_t offset;       /* into the command's struct */
    const char *value;   /* as help shows it: "SIZE", or for OPTION_CHOICE "never|always" */
    const char *initial; /* default as text, parsed like a value; NULL: zero */
    uint64_t min;        /* 0,0: no limits */
    uint64_t max;
    const char *help;
};

struct operand {
    const char *name; /* "SOURCE" */
    size_t offset;    /* const char *; of a list, struct option_list */
    bool is_optional;
    bool is_path; /* of this machine: an address is refused */
    /* For completion: what it may be, by index, NULL behind the last one. NULL: anything. */
    const char *(*choice)(unsigned index);
    bool is_list; /* takes all that follow, at least one; the last operand */
    const char *help;
};

struct command {
    const char *path; /* "copy", "bench source", "error explain" */
    const char *summary;
    const char *details; /* paragraphs for --help and the man page; may be NULL */
    const struct option *options;
    unsigned option_count;
    const struct operand *operands;
    unsigned operand_count;
    size_t values_bytes;                                /* sizeof the command's struct */
    int (*run)(const void *values, const void *common); /* exit code */
};

/* Two tables are consulted: the command's own, then the common one (values in common). */
MUST_USE enum err_code option_parse(const struct command *command,
                                    const struct option *common_options, unsigned common_count,
                                    int argc, char **argv, void *values, void *common,
                                    bool *ret_wants_help, struct err *err);
void option_help(const struct command *command, const struct option *common_options,
                 unsigned common_count, struct text *out);
/* The nearest command or option name to what was typed, or NULL. */
const char *option_nearest(const char *typed, const char *const *names, unsigned count);
enum option_shell { OPTION_BASH, OPTION_ZSH, OPTION_FISH };
void option_completion(enum option_shell shell, const char *program,
                       const struct command *const *commands, unsigned count,
                       const struct option *common_options, unsigned common_count,
                       struct text *out);
/* For the command's man page (mdoc): the list of its operands and options, and how it is called. */
void option_mdoc(const struct command *command, struct text *out);
void option_mdoc_synopsis(const struct command *command, const char *program, struct text *out);

#endif
