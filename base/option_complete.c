/* What the option tables say, as completion scripts: commands, their options, and values to choose.
 */
#include "base/option.h"

#include <string.h>

/* All that a script is made of. */
struct tables {
    const char *program;
    const struct command *const *commands;
    unsigned count;
    const struct option *common;
    unsigned common_count;
};

static unsigned
option_count(const struct tables *t, const struct command *command)
{
    return command->option_count + t->common_count;
}

/* A command's own options, then the common ones. */
static const struct option *
option_at(const struct tables *t, const struct command *command, unsigned index)
{
    return index < command->option_count ? &command->options[index]
                                         : &t->common[index - command->option_count];
}

static size_t
first_len(const struct command *command)
{
    return strcspn(command->path, " ");
}

static bool
has_same_first(const struct command *a, const struct command *b)
{
    return first_len(a) == first_len(b) && strncmp(a->path, b->path, first_len(a)) == 0;
}

/* Is it the first command that begins with its word? Of "error list", "error explain" one is. */
static bool
is_first(const struct tables *t, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (has_same_first(t->commands[i], t->commands[index])) {
            return false;
        }
    }
    return true;
}

static void
add_firsts(const struct tables *t, struct text *out)
{
    for (unsigned i = 0; i < t->count; i++) {
        if (is_first(t, i)) {
            text_addf(out, "%s%.*s", i == 0 ? "" : " ", (int)first_len(t->commands[i]),
                      t->commands[i]->path);
        }
    }
}

/* What may follow the first word of this command, "" if it is the whole command. */
static void
add_seconds(const struct tables *t, const struct command *command, struct text *out)
{
    size_t begin = out->len;
    for (unsigned i = 0; i < t->count; i++) {
        const char *second = t->commands[i]->path + first_len(t->commands[i]);
        if (has_same_first(t->commands[i], command) && *second == ' ') {
            text_addf(out, "%s%s", out->len == begin ? "" : " ", second + 1);
        }
    }
}

/* "a|b|c" as "a b c". */
static void
add_choices(const struct option *option, struct text *out)
{
    for (const char *at = option->value; *at != '\0'; at++) {
        text_add(out, *at == '|' ? " " : at, 1);
    }
}

/* What its value is: one of a few, a file, a folder, something else. */
static bool
takes_file(const struct option *option)
{
    return option->kind == OPTION_TEXT && strcmp(option->value, "FILE") == 0;
}

static bool
takes_folder(const struct option *option)
{
    return option->kind == OPTION_TEXT && strcmp(option->value, "DIR") == 0;
}

static bool
has_choices(const struct command *command)
{
    return command->operand_count > 0 && command->operands[0].choice != NULL;
}

static void
add_operand_choices(const struct command *command, struct text *out)
{
    const char *word = NULL;
    for (unsigned i = 0; (word = command->operands[0].choice(i)) != NULL; i++) {
        text_addf(out, "%s%s", i == 0 ? "" : " ", word);
    }
}

/* Within single quotes; zsh and fish both take '\'' for one, zsh wants brackets and colons escaped.
 */
static void
add_quoted(struct text *out, const char *words, const char *escaped)
{
    for (; *words != '\0'; words++) {
        if (*words == '\'') {
            text_add_str(out, "'\\''");
        } else if (strchr(escaped, *words) != NULL) {
            text_addf(out, "\\%c", *words);
        } else {
            text_add_char(out, *words);
        }
    }
}

/* ---- bash ---- */

static void
add_bash_command(const struct tables *t, const struct command *command, struct text *out)
{
    bool is_any = command->operand_count > 0 && !has_choices(command);
    text_addf(out, "    \"%s \"*)\n        files=%s words=\"", command->path, is_any ? "-f" : "");
    if (has_choices(command)) {
        add_operand_choices(command, out);
        text_add_str(out, "\"\n        [[ \"$cur\" != -* ]] || words=\"");
    }
    text_add_str(out, "--help");
    for (unsigned i = 0; i < option_count(t, command); i++) {
        text_addf(out, " --%s", option_at(t, command, i)->name);
    }
    text_add_str(out, "\"\n        case \"$prev\" in\n");
    for (unsigned i = 0; i < option_count(t, command); i++) {
        const struct option *option = option_at(t, command, i);
        if (option->kind == OPTION_CHOICE) {
            text_addf(out, "        --%s) files=\"\" words=\"", option->name);
            add_choices(option, out);
            text_add_str(out, "\" ;;\n");
        } else if (option->kind != OPTION_FLAG) {
            text_addf(out, "        --%s) files=%s words=\"\" ;;\n", option->name,
                      takes_file(option)     ? "-f"
                      : takes_folder(option) ? "-d"
                                             : "");
        }
    }
    text_add_str(out, "        esac ;;\n");
}

static void
complete_bash(const struct tables *t, struct text *out)
{
    text_addf(out, "# bash completion for %s\n_%s() {\n", t->program, t->program);
    text_add_str(out, "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\" files=\"\"\n"
                      "    local prev=\"${COMP_WORDS[COMP_CWORD - 1]}\"\n"
                      "    case \"${COMP_WORDS[*]:1}\" in\n");
    for (unsigned i = 0; i < t->count; i++) {
        add_bash_command(t, t->commands[i], out);
    }
    for (unsigned i = 0; i < t->count; i++) {
        if (is_first(t, i) && strchr(t->commands[i]->path, ' ') != NULL) {
            text_addf(out, "    \"%.*s \"*) words=\"", (int)first_len(t->commands[i]),
                      t->commands[i]->path);
            add_seconds(t, t->commands[i], out);
            text_add_str(out, "\" ;;\n");
        }
    }
    text_add_str(out, "    *) words=\"");
    add_firsts(t, out);
    text_addf(out,
              "\" ;;\n    esac\n    COMPREPLY=($(compgen $files -W \"$words\" -- \"$cur\"))\n}\n"
              "complete -o filenames -F _%s %s\n",
              t->program, t->program);
}

/* ---- zsh ---- */

static void
add_zsh_command(const struct tables *t, const struct command *command, struct text *out)
{
    text_addf(out, "    '%s%s'*) _arguments '--help[print help]'", command->path,
              strchr(command->path, ' ') == NULL ? " " : "");
    for (unsigned i = 0; i < option_count(t, command); i++) {
        const struct option *option = option_at(t, command, i);
        text_addf(out, " '%s--%s%s[", option->kind == OPTION_LIST ? "*" : "", option->name,
                  option->kind == OPTION_FLAG ? "" : "=");
        add_quoted(out, option->help, "[]:");
        text_add_char(out, ']');
        if (option->kind == OPTION_CHOICE) {
            text_add_str(out, ":value:(");
            add_choices(option, out);
            text_add_char(out, ')');
        } else if (option->kind != OPTION_FLAG) {
            text_add_char(out, ':');
            add_quoted(out, option->value, ":");
            text_addf(out, ":%s",
                      takes_file(option)     ? "_files"
                      : takes_folder(option) ? "_files -/"
                                             : "");
        }
        text_add_char(out, '\'');
    }
    if (has_choices(command)) {
        text_addf(out, " '1:%s:(", command->operands[0].name);
        add_operand_choices(command, out);
        text_add_str(out, ")'");
    } else if (command->operand_count > 0) {
        text_add_str(out, " '*:file:_files'");
    }
    text_add_str(out, " ;;\n");
}

static void
complete_zsh(const struct tables *t, struct text *out)
{
    text_addf(out, "#compdef %s\n_%s() {\n    case \"${words[2]} ${words[3]}\" in\n", t->program,
              t->program);
    for (unsigned i = 0; i < t->count; i++) {
        add_zsh_command(t, t->commands[i], out);
    }
    for (unsigned i = 0; i < t->count; i++) {
        if (is_first(t, i) && strchr(t->commands[i]->path, ' ') != NULL) {
            text_addf(out, "    '%.*s '*) compadd ", (int)first_len(t->commands[i]),
                      t->commands[i]->path);
            add_seconds(t, t->commands[i], out);
            text_add_str(out, " ;;\n");
        }
    }
    text_add_str(out, "    *) compadd ");
    add_firsts(t, out);
    text_addf(out, " ;;\n    esac\n}\n_%s \"$@\"\n", t->program);
}

/* ---- fish ---- */

static void
add_fish_option(const struct option *option, const char *condition, const char *program,
                struct text *out)
{
    text_addf(out, "complete -c %s%s -l %s", program, condition, option->name);
    if (option->kind == OPTION_CHOICE) {
        text_add_str(out, " -x -a '");
        add_choices(option, out);
        text_add_char(out, '\'');
    } else if (option->kind != OPTION_FLAG) {
        text_addf(out, " -%s", takes_file(option) || takes_folder(option) ? "r" : "x");
    }
    text_add_str(out, " -d '");
    add_quoted(out, option->help, "\\");
    text_add_str(out, "'\n");
}

static void
add_fish_command(const struct tables *t, unsigned index, struct text *out)
{
    const struct command *command = t->commands[index];
    const char *second = command->path + first_len(command);
    AUTO_TEXT condition = TEXT_INIT;
    text_addf(&condition, " -n '__fish_seen_subcommand_from %.*s", (int)first_len(command),
              command->path);
    if (is_first(t, index)) {
        text_addf(out, "complete -c %s -n __fish_use_subcommand -a %.*s -d '", t->program,
                  (int)first_len(command), command->path);
        add_quoted(out, *second == '\0' ? command->summary : command->path, "\\");
        text_add_str(out, "'\n");
    }
    if (*second == ' ') {
        text_addf(out, "complete -c %s%s' -a %s -d '", t->program, text_str(&condition),
                  second + 1);
        add_quoted(out, command->summary, "\\");
        text_add_str(out, "'\n");
        text_addf(&condition, "; and __fish_seen_subcommand_from %s", second + 1);
    }
    text_add_char(&condition, '\'');
    if (has_choices(command)) {
        text_addf(out, "complete -c %s%s -f -a '", t->program, text_str(&condition));
        add_operand_choices(command, out);
        text_add_str(out, "'\n");
    } else if (command->operand_count == 0) {
        text_addf(out, "complete -c %s%s -f\n", t->program, text_str(&condition));
    }
    for (unsigned i = 0; i < command->option_count; i++) {
        add_fish_option(&command->options[i], text_str(&condition), t->program, out);
    }
}

static void
complete_fish(const struct tables *t, struct text *out)
{
    for (unsigned i = 0; i < t->count; i++) {
        add_fish_command(t, i, out);
    }
    for (unsigned i = 0; i < t->common_count; i++) {
        add_fish_option(&t->common[i], "", t->program, out);
    }
}

void
// NOLINTNEXTLINE(readability-function-size): two tables of two parameters each
option_completion(enum option_shell shell, const char *program,
                  const struct command *const *commands, unsigned count,
                  const struct option *common_options, unsigned common_count, struct text *out)
{
    const struct tables tables = {.program = program,
                                  .commands = commands,
                                  .count = count,
                                  .common = common_options,
                                  .common_count = common_count};
    switch (shell) {
    case OPTION_BASH: complete_bash(&tables, out); break;
    case OPTION_ZSH: complete_zsh(&tables, out); break;
    case OPTION_FISH: complete_fish(&tables, out); break;
    }
}
