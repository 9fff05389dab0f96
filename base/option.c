#include "base/option.h"

#include "base/clock.h"
#include "base/show.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>

struct parse {
    const struct command *command;
    const struct option *common_options;
    unsigned common_count;
    void *values;
    void *common;
    unsigned operand_index;
};

/* ---- nearest name ---- */

/* Levenshtein distance, cut off at 64 bytes. */
static unsigned
distance(const char *a, const char *b)
{
    unsigned row[65];
    size_t a_len = strnlen(a, 64);
    size_t b_len = strnlen(b, 64);
    for (unsigned j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned above = row[j];
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            row[j] = MIN_OF(MIN_OF(above + 1, row[j - 1] + 1), change);
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *
option_nearest(const char *typed, const char *const *names, unsigned count)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)strlen(typed) / 3 + 2;
    for (unsigned i = 0; i < count; i++) {
        unsigned d = distance(typed, names[i]);
        if (d < best_distance) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

/* ---- parsing ---- */

static const struct option *
find(const struct option *options, unsigned count, const char *name, size_t len)
{
    for (unsigned i = 0; i < count; i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static const struct option *
find_letter(const struct option *options, unsigned count, char letter)
{
    for (unsigned i = 0; i < count; i++) {
        if (options[i].letter == letter) {
            return &options[i];
        }
    }
    return NULL;
}

static enum err_code
unknown(const struct parse *parse, const char *arg, struct err *err)
{
    const char *names[OPTION_LIST_MAX * 2];
    unsigned count = 0;
    const char *typed = arg + strspn(arg, "-");
    for (unsigned i = 0; i < parse->command->option_count && count < COUNT_OF(names); i++) {
        names[count++] = parse->command->options[i].name;
    }
    for (unsigned i = 0; i < parse->common_count && count < COUNT_OF(names); i++) {
        names[count++] = parse->common_options[i].name;
    }
    const char *nearest = option_nearest(typed, names, count);
    char shown[SHOW_BYTES];
    (void)show_typed(arg, shown);
    shown[strcspn(shown, "=")] = '\0';
    if (nearest != NULL) {
        return err_set(err, ERR_USAGE, "unknown option '%s'; did you mean '--%s'?", shown, nearest);
    }
    return err_set(err, ERR_USAGE, "unknown option '%s'; 'sallyport %s --help' lists them", shown,
                   parse->command->path);
}

static enum err_code
check_range(const struct option *option, uint64_t value, const char *text, struct err *err)
{
    char low[UNITS_TEXT_BYTES];
    char high[UNITS_TEXT_BYTES];
    char shown[SHOW_BYTES];
    if ((option->min == 0 && option->max == 0) || (value >= option->min && value <= option->max)) {
        return ERR_OK;
    }
    bool is_size = option->kind == OPTION_SIZE || option->kind == OPTION_RATE;
    if (option->kind == OPTION_DURATION) {
        (void)units_format_duration((int64_t)option->min, low);
        (void)units_format_duration((int64_t)option->max, high);
    } else if (is_size) {
        (void)units_format_size(option->min, low);
        (void)units_format_size(option->max, high);
    } else {
        (void)units_format_count(option->min, low);
        (void)units_format_count(option->max, high);
    }
    return err_set(err, ERR_USAGE, "--%s: '%s' is outside its limits %s to %s", option->name,
                   show_typed(text, shown), low, high);
}

static enum err_code
set_choice(const struct option *option, const char *text, int *ret_index, struct err *err)
{
    int index = 0;
    char shown[SHOW_BYTES];
    for (const char *at = option->value; *at != '\0'; index++) {
        size_t len = strcspn(at, "|");
        if (strlen(text) == len && strncmp(at, text, len) == 0) {
            *ret_index = index;
            return ERR_OK;
        }
        at += len + (at[len] == '|' ? 1 : 0);
    }
    return err_set(err, ERR_USAGE, "--%s: '%s' is none of %s", option->name,
                   show_typed(text, shown), option->value);
}

static enum err_code
add_to_list(const struct option *option, struct option_list *list, const char *text,
            struct err *err)
{
    if (list->count == OPTION_LIST_MAX) {
        return err_set(err, ERR_USAGE, "--%s: given more than %d times", option->name,
                       OPTION_LIST_MAX);
    }
    list->values[list->count++] = text;
    return ERR_OK;
}

/* A file or folder would be made of an address, with its signature in the name. */
static enum err_code
set_text(const struct option *option, const char *text, const char **field, struct err *err)
{
    bool is_path = strcmp(option->value, "FILE") == 0 || strcmp(option->value, "DIR") == 0;
    char shown[SHOW_BYTES];
    if (is_path && (show_is_address(text) || show_has_secret(text))) {
        return err_set(err, ERR_USAGE, "--%s: '%s' is an address; it must be a %s of this machine",
                       option->name, show_typed(text, shown),
                       strcmp(option->value, "DIR") == 0 ? "folder" : "file");
    }
    *field = text;
    return ERR_OK;
}

static enum err_code
set_value(const struct option *option, void *values, const char *text, struct err *err)
{
    void *field = (char *)values + option->offset;
    uint64_t number = 0;
    int64_t ns = 0;
    enum err_code code = ERR_OK;
    switch (option->kind) {
    case OPTION_FLAG: *(bool *)field = true; return ERR_OK;
    case OPTION_TEXT: return set_text(option, text, field, err);
    case OPTION_LIST: return add_to_list(option, field, text, err);
    case OPTION_CHOICE: return set_choice(option, text, field, err);
    case OPTION_NUMBER: code = units_parse_u64(text, &number, err); break;
    case OPTION_SIZE: code = units_parse_size(text, &number, err); break;
    case OPTION_RATE: code = units_parse_rate(text, &number, err); break;
    case OPTION_DURATION:
        code = units_parse_duration(text, &ns, err);
        number = (uint64_t)ns;
        break;
    }
    if (code != ERR_OK) {
        return err_wrap(err, "--%s", option->name);
    }
    code = check_range(option, number, text, err);
    if (code == ERR_OK && option->kind == OPTION_DURATION) {
        *(int64_t *)field = ns;
    } else if (code == ERR_OK) {
        *(uint64_t *)field = number;
    }
    return code;
}

static enum err_code
set_defaults(const struct option *options, unsigned count, void *values, struct err *err)
{
    for (unsigned i = 0; i < count; i++) {
        if (options[i].initial != NULL) {
            enum err_code code = set_value(&options[i], values, options[i].initial, err);
            if (code != ERR_OK) {
                return code;
            }
        }
    }
    return ERR_OK;
}

/* One option at argv[*index], with its value if it takes one. */
static enum err_code
take_option(struct parse *parse, int argc, char **argv, int *index, struct err *err)
{
    const struct command *command = parse->command;
    const char *arg = argv[*index];
    const char *name = arg + 2;
    bool is_long = arg[1] == '-';
    size_t len = strcspn(name, "=");
    void *values = parse->values;
    const struct option *option =
        is_long ? find(command->options, command->option_count, name, len)
                : find_letter(command->options, command->option_count, arg[1]);
    if (option == NULL) {
        option = is_long ? find(parse->common_options, parse->common_count, name, len)
                         : find_letter(parse->common_options, parse->common_count, arg[1]);
        values = parse->common;
    }
    if (option == NULL || (!is_long && arg[2] != '\0')) {
        return unknown(parse, arg, err);
    }
    bool has_value = is_long && name[len] == '=';
    if (option->kind == OPTION_FLAG) {
        return has_value ? err_set(err, ERR_USAGE, "--%s takes no value", option->name)
                         : set_value(option, values, NULL, err);
    }
    if (has_value) {
        return set_value(option, values, name + len + 1, err);
    }
    if (*index + 1 >= argc) {
        return err_set(err, ERR_USAGE, "--%s needs a value: %s", option->name, option->value);
    }
    (*index)++;
    return set_value(option, values, argv[*index], err);
}

static enum err_code
take_list_operand(struct parse *parse, const struct operand *operand, const char *text,
                  struct err *err)
{
    struct option_list *list = (void *)((char *)parse->values + operand->offset);
    if (list->count == OPTION_LIST_MAX) {
        return err_set(err, ERR_USAGE, "'%s' is one operand too many; %s takes %d", text,
                       operand->name, OPTION_LIST_MAX);
    }
    list->values[list->count++] = text;
    return ERR_OK;
}

/* A list that has none yet misses one. */
static bool
misses_operand(const struct parse *parse, const struct operand *operand)
{
    const struct option_list *list = (const void *)((const char *)parse->values + operand->offset);
    return !operand->is_optional && (!operand->is_list || list->count == 0);
}

static enum err_code
take_operand(struct parse *parse, const char *text, struct err *err)
{
    const struct command *command = parse->command;
    char shown[SHOW_BYTES];
    if (parse->operand_index == command->operand_count) {
        return err_set(err, ERR_USAGE, "'%s' is one operand too many; %s takes %u",
                       show_typed(text, shown), command->path, command->operand_count);
    }
    const struct operand *operand = &command->operands[parse->operand_index];
    if (operand->is_list) {
        return take_list_operand(parse, operand, text, err);
    }
    parse->operand_index++;
    if (operand->is_path && (show_is_address(text) || show_has_secret(text))) {
        return err_set(err, ERR_USAGE, "%s: '%s' is an address; it must be a path of this machine",
                       operand->name, show_typed(text, shown));
    }
    *(const char **)(void *)((char *)parse->values + operand->offset) = text;
    return ERR_OK;
}

enum err_code
// NOLINTNEXTLINE(readability-function-size): two tables, and the struct that each of them fills
option_parse(const struct command *command, const struct option *common_options,
             unsigned common_count, int argc, char **argv, void *values, void *common,
             bool *ret_wants_help, struct err *err)
{
    struct parse parse = {.command = command,
                          .common_options = common_options,
                          .common_count = common_count,
                          .values = values,
                          .common = common};
    bool are_operands = false;
    enum err_code code = set_defaults(command->options, command->option_count, values, err);
    code = code == ERR_OK ? set_defaults(common_options, common_count, common, err) : code;
    for (int i = 0; i < argc && code == ERR_OK; i++) {
        const char *arg = argv[i];
        if (!are_operands && strcmp(arg, "--") == 0) {
            are_operands = true;
        } else if (!are_operands && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            *ret_wants_help = true;
            return ERR_OK;
        } else if (!are_operands && arg[0] == '-' && arg[1] != '\0') {
            code = take_option(&parse, argc, argv, &i, err);
        } else {
            code = take_operand(&parse, arg, err);
        }
    }
    if (code == ERR_OK && parse.operand_index < command->operand_count &&
        misses_operand(&parse, &command->operands[parse.operand_index])) {
        const struct operand *missing = &command->operands[parse.operand_index];
        code = err_set(err, ERR_USAGE, "%s is missing: %s; 'sallyport %s --help' shows how",
                       missing->name, missing->help, command->path);
    }
    return code;
}
