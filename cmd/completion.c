#include "base/show.h"
#include "cmd/commands.h"

#include <string.h>

struct completion_values {
    const char *shell;
};

static const char *const shells[] = {"bash", "zsh", "fish"};

static const char *
shell_choice(unsigned index)
{
    return index < COUNT_OF(shells) ? shells[index] : NULL;
}

static int
run_completion(const void *values, const void *common_values)
{
    const struct completion_values *completion = values;
    const struct common *common = common_values;
    for (unsigned i = 0; i < COUNT_OF(shells); i++) {
        if (strcmp(completion->shell, shells[i]) == 0) {
            AUTO_TEXT script = TEXT_INIT;
            option_completion((enum option_shell)i, "sallyport", commands, command_count,
                              common_options, common_option_count, &script);
            output_text(common->output, "%s", text_str(&script));
            output_exit(common->output, 0, NULL);
            return 0;
        }
    }
    struct err err = ERR_NONE;
    char shown[SHOW_BYTES];
    (void)err_set(&err, ERR_USAGE, "'%s' is none of bash, zsh, fish",
                  show_typed(completion->shell, shown));
    output_error(common->output, &err);
    output_exit(common->output, EXIT_USAGE, err.text);
    return EXIT_USAGE;
}

static const struct operand operands[] = {
    {.name = "SHELL",
     .offset = offsetof(struct completion_values, shell),
     .choice = shell_choice,
     .help = "bash, zsh or fish"},
};
const struct command command_completion = {
    .path = "completion",
    .summary = "Print a completion script for a shell",
    .details = "Load it with: source <(sallyport completion bash)",
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct completion_values),
    .run = run_completion,
};
