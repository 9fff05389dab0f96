#include "base/option.h"
#include "tests/support/check.h"

struct values {
    const char *first;
    const char *second;
    bool flag;
    const char *text;
    struct option_list list;
    uint64_t number;
    uint64_t size;
    uint64_t rate;
    int64_t duration;
    int choice;
};
struct shared {
    bool quiet;
};

// clang-format off
#define AT(field) offsetof(struct values, field)
static const struct option options[] = {
    {.name = "flag",     .kind = OPTION_FLAG,     .offset = AT(flag),     .letter = 'f', .help = "a flag"},
    {.name = "text",     .kind = OPTION_TEXT,     .offset = AT(text),     .value = "TEXT", .help = "a text"},
    {.name = "file",     .kind = OPTION_TEXT,     .offset = AT(text),     .value = "FILE", .help = "a file"},
    {.name = "list",     .kind = OPTION_LIST,     .offset = AT(list),     .value = "ONE",  .help = "one of many"},
    {.name = "number",   .kind = OPTION_NUMBER,   .offset = AT(number),   .value = "N",    .help = "a number", .min = 2, .max = 9, .initial = "3"},
    {.name = "size",     .kind = OPTION_SIZE,     .offset = AT(size),     .value = "SIZE", .help = "a size", .min = 1024, .max = 1048576},
    {.name = "rate",     .kind = OPTION_RATE,     .offset = AT(rate),     .value = "RATE", .help = "a rate"},
    {.name = "duration", .kind = OPTION_DURATION, .offset = AT(duration), .value = "TIME", .help = "a time", .min = 1000000, .max = 5000000000, .letter = 'd'},
    {.name = "choice",   .kind = OPTION_CHOICE,   .offset = AT(choice),   .value = "red|green|blue", .help = "a colour", .initial = "green"},
};
static const struct operand operands[] = {
    {.name = "FIRST",  .offset = AT(first),  .help = "is needed"},
    {.name = "SECOND", .offset = AT(second), .help = "may be left out", .is_optional = true, .is_path = true},
};
static const struct option shared_options[] = {
    {.name = "quiet", .kind = OPTION_FLAG, .offset = offsetof(struct shared, quiet), .letter = 'q', .help = "no words"},
};
// clang-format on
static const struct command command = {
    .path = "try out",
    .summary = "Try the parser",
    .options = options,
    .option_count = COUNT_OF(options),
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct values),
};

static struct values values;
static struct shared shared;
static bool wants_help;
static struct err err;

/* Up to 8 words, NULL ends them. */
static enum err_code
parse(const char *const words[8])
{
    static char copies[8][64]; /* values point into them */
    char *argv[8];
    int argc = 0;
    for (; argc < 8 && words[argc] != NULL; argc++) {
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    values = (struct values){0};
    shared = (struct shared){0};
    wants_help = false;
    return option_parse(&command, shared_options, 1, argc, argv, &values, &shared, &wants_help,
                        &err);
}
#define PARSE(...) parse((const char *const[8]){__VA_ARGS__})

static void
what_is_not_named_has_its_default(void **state)
{
    (void)state;
    CHECK_OK(PARSE("a"), &err);
    CHECK_U64(values.number, 3);
    CHECK_I64(values.choice, 1);
    CHECK_U64(values.size, 0);
    CHECK(!values.flag);
    CHECK(values.second == NULL);
}

static void
values_may_stand_behind_or_after_an_equals_sign(void **state)
{
    (void)state;
    CHECK_OK(PARSE("a", "--number", "9", "--size=1KiB", "--choice=blue", "--text="), &err);
    CHECK_U64(values.number, 9);
    CHECK_U64(values.size, 1024);
    CHECK_I64(values.choice, 2);
    CHECK_TEXT(values.text, "");
    CHECK_OK(PARSE("a", "-f", "-d", "2s", "-q", "--rate", "1MiB/s"), &err);
    CHECK(values.flag);
    CHECK(shared.quiet);
    CHECK_I64(values.duration, 2000000000);
    CHECK_U64(values.rate, 1048576);
}

/* A row's limits hold to the last unit, and the refusal names value and range. */
static void
limits_are_those_of_the_row(void **state)
{
    (void)state;
    CHECK_OK(PARSE("a", "--number", "2"), &err);
    CHECK_ERR(PARSE("a", "--number", "1"), &err, ERR_USAGE);
    CHECK_TEXT(err.text, "--number: '1' is outside its limits 2 to 9");
    CHECK_ERR(PARSE("a", "--number", "10"), &err, ERR_USAGE);
    CHECK_ERR(PARSE("a", "--size", "1023"), &err, ERR_USAGE);
    CHECK_TEXT(err.text, "--size: '1023' is outside its limits 1.00 KiB to 1.00 MiB");
    CHECK_OK(PARSE("a", "--duration", "5s"), &err);
    CHECK_ERR(PARSE("a", "--duration", "5001ms"), &err, ERR_USAGE);
}

/* Operands may stand anywhere; after "--" nothing is an option; "-" alone is a name. */
static void
operands_stand_between_options(void **state)
{
    (void)state;
    CHECK_OK(PARSE("--flag", "-", "--number", "4", "--", "--text"), &err);
    CHECK_TEXT(values.first, "-");
    CHECK_TEXT(values.second, "--text");
    CHECK_ERR(PARSE("a", "b", "c"), &err, ERR_USAGE);
    CHECK_HAS(err.text, "'c' is one operand too many");
    CHECK_ERR(PARSE("--flag"), &err, ERR_USAGE);
    CHECK_HAS(err.text, "FIRST is missing");
}

/* The last operand may be a list: it takes all that follow, and at least one. */
static void
a_list_takes_all_operands(void **state)
{
    (void)state;
    struct {
        struct option_list paths;
    } all;
    static const struct operand paths = {.name = "PATH", .is_list = true, .help = "some"};
    static const struct command many = {.path = "many",
                                        .summary = "Try a list",
                                        .operands = &paths,
                                        .operand_count = 1,
                                        .values_bytes = sizeof all};
    char a[] = "a";
    char quiet[] = "--quiet";
    char b[] = "b";
    char *words[] = {a, quiet, b};
    AUTO_TEXT help = TEXT_INIT;
    memset(&all, 0, sizeof all);
    CHECK_OK(option_parse(&many, shared_options, COUNT_OF(shared_options), 3, words, &all, &shared,
                          &wants_help, &err),
             &err);
    CHECK_U64(all.paths.count, 2);
    CHECK_TEXT(all.paths.values[1], "b");
    memset(&all, 0, sizeof all);
    CHECK_ERR(option_parse(&many, shared_options, COUNT_OF(shared_options), 0, words, &all, &shared,
                           &wants_help, &err),
              &err, ERR_USAGE);
    CHECK_HAS(err.text, "PATH is missing");
    option_help(&many, shared_options, COUNT_OF(shared_options), &help);
    CHECK_HAS(text_str(&help), "many PATH...");
}

static void
a_slip_is_answered_with_what_was_meant(void **state)
{
    (void)state;
    CHECK_ERR(PARSE("a", "--nunber", "4"), &err, ERR_USAGE);
    CHECK_TEXT(err.text, "unknown option '--nunber'; did you mean '--number'?");
    CHECK_ERR(PARSE("a", "--quite"), &err, ERR_USAGE);
    CHECK_HAS(err.text, "'--quiet'");
    CHECK_ERR(PARSE("a", "--zzzzzzzzz"), &err, ERR_USAGE);
    CHECK_HAS(err.text, "--help");
    CHECK_ERR(PARSE("a", "-z"), &err, ERR_USAGE);
    CHECK_ERR(PARSE("a", "-fq"), &err, ERR_USAGE);
    CHECK_ERR(PARSE("a", "--flag=yes"), &err, ERR_USAGE);
    CHECK_ERR(PARSE("a", "--text"), &err, ERR_USAGE);
    CHECK_TEXT(err.text, "--text needs a value: TEXT");
    CHECK_ERR(PARSE("a", "--choice", "gree"), &err, ERR_USAGE);
    CHECK_HAS(err.text, "red|green|blue");
    CHECK_ERR(PARSE("a", "--choice="), &err, ERR_USAGE);
}

/* Nothing is made on disk under the name of an address, and no message quotes its signature. */
static void
an_address_is_no_file_and_is_not_quoted(void **state)
{
    static const char url[] = "https://x/a/c?sv=1&sig=SeCr3t";
    (void)state;
    CHECK_OK(PARSE("a", "--file", "plain"), &err);
    CHECK_TEXT(values.text, "plain");
    CHECK_OK(PARSE(url, "--text", url), &err); /* what takes addresses gets them whole */
    CHECK_TEXT(values.first, url);
    CHECK_ERR(PARSE("a", "--file", url), &err, ERR_USAGE);
    CHECK_HAS(err.text, "--file: 'https://x/a/c?REDACTED' is an address");
    CHECK_ERR(PARSE("a", url), &err, ERR_USAGE);
    CHECK_HAS(err.text, "SECOND: 'https://x/a/c?REDACTED' is an address");
    CHECK_ERR(PARSE("a", "b", url), &err, ERR_USAGE);
    CHECK(strstr(err.text, "SeCr3t") == NULL);
    CHECK_ERR(PARSE("a", "--number", url), &err, ERR_USAGE);
    CHECK(strstr(err.text, "SeCr3t") == NULL);
    CHECK_ERR(PARSE("a", "--choice", url), &err, ERR_USAGE);
    CHECK(strstr(err.text, "SeCr3t") == NULL);
    CHECK_ERR(PARSE("a", "--sig=SeCr3t"), &err, ERR_USAGE);
    CHECK(strstr(err.text, "SeCr3t") == NULL);
}

static void
a_list_has_an_end(void **state)
{
    char *argv[2 * OPTION_LIST_MAX + 2];
    char list[] = "--list";
    char one[] = "x";
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(argv); i++) {
        argv[i] = i % 2 == 0 ? list : one;
    }
    values = (struct values){0};
    CHECK_ERR(option_parse(&command, shared_options, 1, COUNT_OF(argv), argv, &values, &shared,
                           &wants_help, &err),
              &err, ERR_USAGE);
    CHECK_U64(values.list.count, OPTION_LIST_MAX);
}

/* Whoever asks for help gets it, also where the rest of the line is wrong. */
static void
help_goes_before_what_is_missing(void **state)
{
    (void)state;
    CHECK_OK(PARSE("--help"), &err);
    CHECK(wants_help);
    CHECK_OK(PARSE("a", "-h", "--nonsense"), &err);
    CHECK(wants_help);
    CHECK_OK(PARSE("--", "--help"), &err);
    CHECK(!wants_help);
}

/* One table serves all: what the parser takes stands in help, completion and manual. */
static void
every_option_is_told_everywhere(void **state)
{
    const struct command *const commands[] = {&command};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(options); i++) {
        AUTO_TEXT help = TEXT_INIT;
        AUTO_TEXT mdoc = TEXT_INIT;
        AUTO_TEXT name = TEXT_INIT;
        option_help(&command, shared_options, 1, &help);
        option_mdoc(&command, &mdoc);
        text_addf(&name, "--%s", options[i].name);
        CHECK_HAS(text_str(&help), text_str(&name));
        CHECK_HAS(text_str(&mdoc), options[i].name);
        for (unsigned shell = 0; shell < 3; shell++) {
            AUTO_TEXT script = TEXT_INIT;
            option_completion((enum option_shell)shell, "program", commands, 1, shared_options, 1,
                              &script);
            CHECK_HAS(text_str(&script), options[i].name);
            CHECK_HAS(text_str(&script), "quiet");
        }
    }
}

static const char *
first_choice(unsigned index)
{
    static const char *const names[] = {"left", "right"};
    return index < COUNT_OF(names) ? names[index] : NULL;
}

/* What an operand may be is offered by every shell; in zsh an option that is not said to be
 * repeatable is offered once. */
static void
choices_and_repeated_options_are_completed(void **state)
{
    const struct operand one = {.name = "SIDE", .help = "which", .choice = first_choice};
    const struct command turn = {.path = "turn",
                                 .summary = "Turn",
                                 .options = options,
                                 .option_count = COUNT_OF(options),
                                 .operands = &one,
                                 .operand_count = 1};
    const struct command *const commands[] = {&turn};
    (void)state;
    for (unsigned shell = 0; shell < 3; shell++) {
        AUTO_TEXT script = TEXT_INIT;
        option_completion((enum option_shell)shell, "program", commands, 1, shared_options, 1,
                          &script);
        CHECK_HAS(text_str(&script), "left right");
        if (shell == OPTION_ZSH) {
            CHECK_HAS(text_str(&script), "'*--list=[");
            CHECK_HAS(text_str(&script), " '--text=[");
            CHECK_HAS(text_str(&script), "'1:SIDE:(left right)'");
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_named_has_its_default),
        cmocka_unit_test(values_may_stand_behind_or_after_an_equals_sign),
        cmocka_unit_test(limits_are_those_of_the_row),
        cmocka_unit_test(operands_stand_between_options),
        cmocka_unit_test(a_list_takes_all_operands),
        cmocka_unit_test(a_slip_is_answered_with_what_was_meant),
        cmocka_unit_test(an_address_is_no_file_and_is_not_quoted),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(help_goes_before_what_is_missing),
        cmocka_unit_test(choices_and_repeated_options_are_completed),
        cmocka_unit_test(every_option_is_told_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
