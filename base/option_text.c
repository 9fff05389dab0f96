/* What the option tables say, as help and manual pages. */
#include "base/option.h"

#include <string.h>

#define HELP_COLUMN 30U

static void
add_row(struct text *out, const char *left, const char *help, const char *initial)
{
    size_t len = strlen(left);
    text_addf(out, "  %s", left);
    if (len + 2 >= HELP_COLUMN) {
        text_add_char(out, '\n');
        text_addf(out, "%*s", (int)HELP_COLUMN, "");
    } else {
        text_addf(out, "%*s", (int)(HELP_COLUMN - len - 2), "");
    }
    text_add_str(out, help);
    if (initial != NULL) {
        text_addf(out, " (default %s)", initial);
    }
    text_add_char(out, '\n');
}

static void
add_options(struct text *out, const struct option *options, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct option *option = &options[i];
        AUTO_TEXT left = TEXT_INIT;
        if (option->letter != 0) {
            text_addf(&left, "-%c, ", option->letter);
        }
        text_addf(&left, "--%s", option->name);
        if (option->kind != OPTION_FLAG) {
            text_addf(&left, " %s", option->value);
        }
        add_row(out, text_str(&left), option->help, option->initial);
    }
}

void
option_help(const struct command *command, const struct option *common_options,
            unsigned common_count, struct text *out)
{
    text_addf(out, "usage: sallyport %s", command->path);
    for (unsigned i = 0; i < command->operand_count; i++) {
        const struct operand *operand = &command->operands[i];
        text_addf(out, operand->is_optional ? " [%s]" : " %s", operand->name);
        text_add_str(out, operand->is_list ? "..." : "");
    }
    text_addf(out, " [OPTION]...\n\n%s.\n", command->summary);
    if (command->details != NULL) {
        text_addf(out, "\n%s\n", command->details);
    }
    if (command->operand_count > 0) {
        text_add_char(out, '\n');
    }
    for (unsigned i = 0; i < command->operand_count; i++) {
        add_row(out, command->operands[i].name, command->operands[i].help, NULL);
    }
    if (command->option_count > 0) {
        text_add_str(out, "\nOptions:\n");
        add_options(out, command->options, command->option_count);
    }
    text_add_str(out, "\nCommon options:\n");
    add_options(out, common_options, common_count);
    add_row(out, "-h, --help", "print this and end", NULL);
}

/* mdoc reads a backslash as an escape, and a dot or a quote in front as a request. */
static void
add_mdoc(struct text *out, const char *words)
{
    if (*words == '.' || *words == '\'') {
        text_add_str(out, "\\&");
    }
    for (; *words != '\0'; words++) {
        if (*words == '\\') {
            text_add_str(out, "\\e");
        } else if (*words == '\n') {
            text_add_str(out, "\n.Pp\n");
            words += strspn(words + 1, "\n");
        } else {
            text_add_char(out, *words);
        }
    }
}

/* A sentence of its own: with a capital in front and a stop behind. */
static void
add_mdoc_sentence(struct text *out, const char *words, const char *initial)
{
    bool is_lower = words[0] >= 'a' && words[0] <= 'z';
    text_add_char(out, (char)((unsigned char)words[0] ^ (is_lower ? 0x20U : 0U)));
    add_mdoc(out, words + 1);
    if (initial != NULL) {
        text_addf(out, " (default %s)", initial);
    }
    text_add_str(out, ".\n");
}

void
option_mdoc(const struct command *command, struct text *out)
{
    if (command->operand_count + command->option_count == 0) {
        return;
    }
    text_add_str(out, ".Bl -tag -width Ds\n");
    for (unsigned i = 0; i < command->operand_count; i++) {
        text_addf(out, ".It Ar %s\n", command->operands[i].name);
        add_mdoc_sentence(out, command->operands[i].help, NULL);
    }
    for (unsigned i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];
        text_add_str(out, ".It ");
        if (option->letter != 0) {
            text_addf(out, "Fl %c , ", option->letter);
        }
        text_addf(out, "Fl -%s", option->name);
        if (option->kind != OPTION_FLAG) {
            text_addf(out, " Ar %s", option->value);
        }
        text_add_char(out, '\n');
        add_mdoc_sentence(out, option->help, option->initial);
    }
    text_add_str(out, ".El\n");
}

void
option_mdoc_synopsis(const struct command *command, const char *program, struct text *out)
{
    text_addf(out, ".Nm %s\n.Cm %s\n", program, command->path);
    for (unsigned i = 0; i < command->operand_count; i++) {
        const struct operand *operand = &command->operands[i];
        text_addf(out, "%s%s%s\n", operand->is_optional ? ".Op Ar " : ".Ar ", operand->name,
                  operand->is_list ? " ..." : "");
    }
    for (unsigned i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];
        text_addf(out, ".Op Fl -%s", option->name);
        if (option->kind != OPTION_FLAG) {
            text_addf(out, " Ar %s", option->value);
        }
        text_add_char(out, '\n');
    }
}
