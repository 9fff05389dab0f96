/* What the tables give to the manual: FOLDER/COMMAND.options, .synopsis, .summary, and
 * common.options. */
#include "cmd/commands.h"

#include <stdio.h>
#include <string.h>

static int
write_text(const char *folder, const char *name, const char *suffix, const struct text *text)
{
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/%s.%s", folder, name, suffix);
    FILE *file = fopen(text_str(&path), "we");
    if (file == NULL) {
        perror(text_str(&path));
        return 1;
    }
    int failed = fputs(text_str(text), file) < 0;
    return fclose(file) != 0 || failed;
}

static int
write_command(const char *folder, const struct command *command)
{
    AUTO_TEXT options = TEXT_INIT;
    AUTO_TEXT synopsis = TEXT_INIT;
    AUTO_TEXT summary = TEXT_INIT;
    option_mdoc(command, &options);
    option_mdoc_synopsis(command, "sallyport", &synopsis);
    text_addf(&summary, "%s\n%s\n", command->summary,
              command->details == NULL ? "" : command->details);
    return write_text(folder, command->path, "options", &options) |
           write_text(folder, command->path, "synopsis", &synopsis) |
           write_text(folder, command->path, "summary", &summary);
}

int
main(int argc, char **argv)
{
    const struct command common = {
        .path = "common", .options = common_options, .option_count = common_option_count};
    AUTO_TEXT options = TEXT_INIT;
    if (argc != 2) {
        (void)fputs("usage: print_mdoc FOLDER\n", stderr);
        return 2;
    }
    option_mdoc(&common, &options);
    int failed = write_text(argv[1], "common", "options", &options);
    for (unsigned i = 0; i < command_count; i++) {
        failed |= write_command(argv[1], commands[i]);
    }
    return failed;
}
