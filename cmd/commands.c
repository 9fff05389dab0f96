/* The tables themselves: the common options, and the list of all commands. */
#include "cmd/commands.h"

// clang-format off
#define AT(field) offsetof(struct common, field)
const struct option common_options[] = {
    {.name = "state",     .kind = OPTION_TEXT,   .offset = AT(state),        .value = "DIR",   .help = "where state is kept between runs"},
    {.name = "json",      .kind = OPTION_FLAG,   .offset = AT(is_json),                        .help = "JSON Lines on standard output, and nothing else there"},
    {.name = "quiet",     .kind = OPTION_FLAG,   .offset = AT(is_quiet),     .letter = 'q',    .help = "no messages but errors"},
    {.name = "verbose",   .kind = OPTION_FLAG,   .offset = AT(is_verbose),   .letter = 'v',    .help = "log what is done"},
    {.name = "no-color",  .kind = OPTION_FLAG,   .offset = AT(has_no_color),                   .help = "no colour on a terminal; NO_COLOR does the same"},
    {.name = "yes",       .kind = OPTION_FLAG,   .offset = AT(is_yes),                         .help = "do not ask before something is destroyed"},
    {.name = "config",    .kind = OPTION_TEXT,   .offset = AT(config_path),  .value = "FILE",  .help = "settings, read after those of the system"},
    {.name = "log-level", .kind = OPTION_TEXT,   .offset = AT(log_level),    .value = "LEVEL", .help = "error, warn, info or debug", .initial = "warn"},
};
// clang-format on
const unsigned common_option_count = COUNT_OF(common_options);

#define COMMAND_AS_ROW(name) &command_##name,
const struct command *const commands[] = {COMMAND_MAP(COMMAND_AS_ROW)};
const unsigned command_count = COUNT_OF(commands);
