/*
 * cmd/commands.h - every command of the program, and what all of them are given.
 *
 * To add a command: one `const struct command command_x` in a file of its own, one row here.
 *
 *   source   interface: sallyport --help
 */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "base/config.h"
#include "base/option.h"
#include "cmd/output.h"

/* The options every command takes. */
struct common {
    const char *state;
    bool is_json;
    bool is_quiet;
    bool is_verbose;
    bool has_no_color;
    bool is_yes;
    const char *config_path;
    const char *log_level;
    struct config config; /* loaded before the command runs */
    struct output *output;
};

extern const struct option common_options[];
extern const unsigned common_option_count;

// clang-format off
#define COMMAND_MAP(X) \
    X(copy) X(verify) X(manifest) \
    X(bench_source) X(bench_hash) X(bench_send) X(bench_end_to_end) X(bench_clean) \
    X(error_list) X(error_explain) X(doctor) X(completion)
// clang-format on
#define COMMAND_AS_EXTERN(name) extern const struct command command_##name;
COMMAND_MAP(COMMAND_AS_EXTERN)

extern const struct command *const commands[];
extern const unsigned command_count;

#endif
