/*
 * A command line of the real commands: one argument per line, the first byte says which command.
 * Whatever is typed, the values are within the limits of their rows, or the refusal is ERR_USAGE.
 */
#include "base/arena.h"
#include "cmd/commands.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define ARGS_MAX 128

static void
check_values(const struct command *command, const void *values)
{
    for (unsigned i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];
        const void *field = (const char *)values + option->offset;
        bool is_number = option->kind == OPTION_NUMBER || option->kind == OPTION_SIZE ||
                         option->kind == OPTION_RATE || option->kind == OPTION_DURATION;
        uint64_t number = is_number ? *(const uint64_t *)field : 0;
        if (number != 0 && option->max != 0) {
            FUZZ_MUST(number >= option->min);
            FUZZ_MUST(number <= option->max);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct command *command = commands[data[0] % command_count];
    char *text = fuzz_text(data + 1, size - 1);
    char *argv[ARGS_MAX + 1];
    int argc = 0;
    for (char *at = text; at != NULL && argc < ARGS_MAX;) {
        argv[argc++] = strsep(&at, "\n");
    }
    void *values = mem_take(command->values_bytes + 1);
    struct common common = {0};
    struct err err = ERR_NONE;
    bool wants_help = false;
    enum err_code code = option_parse(command, common_options, common_option_count, argc, argv,
                                      values, &common, &wants_help, &err);
    if (code == ERR_OK) {
        check_values(command, values);
    } else {
        FUZZ_MUST(code == ERR_USAGE);
    }
    mem_give(values);
    mem_give(text);
    return 0;
}
