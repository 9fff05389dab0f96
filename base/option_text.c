/* What the option tables say, as help, completion scripts and manual pages. */
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

/* ---- completion ---- */

static void
add_words(struct text *out, const struct option *options, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        text_addf(out, " --%s", options[i].name);
    }
}

static void
complete_bash(const char *program, const struct command *const *commands, unsigned count,
              const struct option *common, unsigned common_count, struct text *out)
{
    text_addf(out,
              "# bash completion for %s\n_%s() {\n    local cur words_=\"${COMP_WORDS[*]:1}\"\n",
              program, program);
    text_add_str(out, "    cur=\"${COMP_WORDS[COMP_CWORD]}\"\n    case \"$words_\" in\n");
    for (unsigned i = 0; i < count; i++) {
        text_addf(out, "    \"%s \"*) COMPREPLY=($(compgen -f -W \"--help", commands[i]->path);
        add_words(out, commands[i]->options, commands[i]->option_count);
        add_words(out, common, common_count);
        text_add_str(out, "\" -- \"$cur\")) ;;\n");
    }
    text_add_str(out, "    *) COMPREPLY=($(compgen -W \"");
    for (unsigned i = 0; i < count; i++) {
        text_addf(out, "%s%s", i == 0 ? "" : " ", commands[i]->path);
    }
    text_addf(out, "\" -- \"$cur\")) ;;\n    esac\n}\ncomplete -o filenames -F _%s %s\n", program,
              program);
}

/* Single quotes end at a quote; zsh and fish both take '\'' for one. */
static void
add_quoted(struct text *out, const char *words)
{
    for (; *words != '\0'; words++) {
        if (*words == '\'') {
            text_add_str(out, "'\\''");
        } else if (*words == '[' || *words == ']' || *words == ':') {
            text_addf(out, "\\%c", *words);
        } else {
            text_add_char(out, *words);
        }
    }
}

static void
complete_zsh(const char *program, const struct command *const *commands, unsigned count,
             const struct option *common, unsigned common_count, struct text *out)
{
    text_addf(out, "#compdef %s\n_%s() {\n    case \"${words[2]} ${words[3]}\" in\n", program,
              program);
    for (unsigned i = 0; i < count; i++) {
        text_addf(out, "    '%s'*) _arguments '--help[print help]'", commands[i]->path);
        for (unsigned j = 0; j < commands[i]->option_count + common_count; j++) {
            const struct option *option = j < commands[i]->option_count
                                              ? &commands[i]->options[j]
                                              : &common[j - commands[i]->option_count];
            text_addf(out, " '--%s%s[", option->name, option->kind == OPTION_FLAG ? "" : "=");
            add_quoted(out, option->help);
            text_add_str(out, "]'");
        }
        text_add_str(out, " '*:file:_files' ;;\n");
    }
    text_add_str(out, "    *) compadd");
    for (unsigned i = 0; i < count; i++) {
        text_addf(out, " %.*s", (int)strcspn(commands[i]->path, " "), commands[i]->path);
    }
    text_addf(out, " ;;\n    esac\n}\n_%s \"$@\"\n", program);
}

static void
complete_fish(const char *program, const struct command *const *commands, unsigned count,
              const struct option *common, unsigned common_count, struct text *out)
{
    for (unsigned i = 0; i < count; i++) {
        int first = (int)strcspn(commands[i]->path, " ");
        text_addf(out, "complete -c %s -n __fish_use_subcommand -a %.*s -d '", program, first,
                  commands[i]->path);
        add_quoted(out, commands[i]->summary);
        text_add_str(out, "'\n");
        for (unsigned j = 0; j < commands[i]->option_count; j++) {
            text_addf(out, "complete -c %s -n '__fish_seen_subcommand_from %.*s' -l %s -d '",
                      program, first, commands[i]->path, commands[i]->options[j].name);
            add_quoted(out, commands[i]->options[j].help);
            text_add_str(out, "'\n");
        }
    }
    for (unsigned j = 0; j < common_count; j++) {
        text_addf(out, "complete -c %s -l %s -d '", program, common[j].name);
        add_quoted(out, common[j].help);
        text_add_str(out, "'\n");
    }
}

void
// NOLINTNEXTLINE(readability-function-size): two tables of two parameters each
option_completion(enum option_shell shell, const char *program,
                  const struct command *const *commands, unsigned count,
                  const struct option *common_options, unsigned common_count, struct text *out)
{
    switch (shell) {
    case OPTION_BASH:
        complete_bash(program, commands, count, common_options, common_count, out);
        break;
    case OPTION_ZSH:
        complete_zsh(program, commands, count, common_options, common_count, out);
        break;
    case OPTION_FISH:
        complete_fish(program, commands, count, common_options, common_count, out);
        break;
    }
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
        text_addf(out, "%s%s\n", operand->is_optional ? ".Op Ar " : ".Ar ", operand->name);
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
