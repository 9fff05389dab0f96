#include "base/err.h"
#include "base/show.h"
#include "cmd/commands.h"

struct explain_values {
    const char *code;
};

static void
put_row(struct output *output, enum err_code code)
{
    output_begin(output, "error");
    json_key_str(&output->json, "code", err_name(code));
    json_key_str(&output->json, "class", err_class_name(err_class(code)));
    json_key_i64(&output->json, "exit", err_exit(code));
    json_key_str(&output->json, "who", err_who(code));
    json_key_str(&output->json, "sentence", err_sentence(code));
    json_key_str(&output->json, "hint", err_hint(code));
    output_end(output);
}

static int
run_list(const void *values, const void *common_values)
{
    const struct common *common = common_values;
    (void)values;
    output_text(common->output, "%-20s %-6s %4s  %s", "CODE", "CLASS", "EXIT", "MEANING");
    for (unsigned i = 1; i < ERR_CODE_COUNT; i++) {
        enum err_code code = (enum err_code)i;
        output_text(common->output, "%-20s %-6s %4d  %s", err_name(code),
                    err_class_name(err_class(code)), (int)err_exit(code), err_sentence(code));
        put_row(common->output, code);
    }
    output_exit(common->output, 0, NULL);
    return 0;
}

static int
run_explain(const void *values, const void *common_values)
{
    const struct explain_values *explain = values;
    const struct common *common = common_values;
    static const char *const class_words[ERR_CLASS_COUNT] = {
        [ERR_CLASS_WAIT] = "the work waits its turn",
        [ERR_CLASS_RETRY] = "tried again; if that does not help the copy stops and can be resumed",
        [ERR_CLASS_ITEM] = "this item fails and is recorded; the copy goes on",
        [ERR_CLASS_HALT] = "the copy stops and can be resumed once someone has acted",
        [ERR_CLASS_FAIL] = "the command is over",
    };
    enum err_code code = ERR_OK;
    if (!err_find(explain->code, &code) || code == ERR_OK) {
        struct err err = ERR_NONE;
        char shown[SHOW_BYTES];
        const char *names[ERR_CODE_COUNT];
        for (unsigned i = 0; i < ERR_CODE_COUNT; i++) {
            names[i] = err_name((enum err_code)i);
        }
        const char *nearest = option_nearest(explain->code, names, ERR_CODE_COUNT);
        if (nearest == NULL) {
            (void)err_set(&err, ERR_USAGE,
                          "there is no code '%s'; 'sallyport error list' lists them",
                          show_typed(explain->code, shown));
        } else {
            (void)err_set(&err, ERR_USAGE, "there is no code '%s'; did you mean '%s'?",
                          show_typed(explain->code, shown), nearest);
        }
        output_error(common->output, &err);
        output_exit(common->output, EXIT_USAGE, err.text);
        return EXIT_USAGE;
    }
    output_text(common->output, "%s: %s", err_name(code), err_sentence(code));
    output_text(common->output, "  what happens: %s", class_words[err_class(code)]);
    output_text(common->output, "  who can act:  %s", err_who(code));
    output_text(common->output, "  what to do:   %s", err_hint(code));
    output_text(common->output, "  exit code:    %d", (int)err_exit(code));
    put_row(common->output, code);
    output_exit(common->output, 0, NULL);
    return 0;
}

const struct command command_error_list = {
    .path = "error list",
    .summary = "List every error code",
    .run = run_list,
};

static const char *
code_choice(unsigned index)
{
    return index + 1 < ERR_CODE_COUNT ? err_name((enum err_code)(index + 1)) : NULL;
}

static const struct operand explain_operands[] = {
    {.name = "CODE",
     .offset = offsetof(struct explain_values, code),
     .choice = code_choice,
     .help = "as errors show it, e.g. store-auth"},
};
const struct command command_error_explain = {
    .path = "error explain",
    .summary = "Explain one error code and what to do about it",
    .operands = explain_operands,
    .operand_count = COUNT_OF(explain_operands),
    .values_bytes = sizeof(struct explain_values),
    .run = run_explain,
};
