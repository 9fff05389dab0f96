/* The program: finds the command, reads its options, runs it, and says how it ended. */
#include "base/arena.h"
#include "base/log.h"
#include "base/show.h"
#include "cmd/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* How many of argv's words name this command; 0 if they do not. */
static int
match(const struct command *command, int argc, char **argv)
{
    int words = 0;
    for (const char *at = command->path; *at != '\0'; words++) {
        size_t len = strcspn(at, " ");
        if (words >= argc || strlen(argv[words]) != len || strncmp(argv[words], at, len) != 0) {
            return 0;
        }
        at += len + (at[len] == ' ' ? 1 : 0);
    }
    return words;
}

static void
add_overview(struct text *out)
{
    text_add_str(
        out,
        "usage: sallyport COMMAND [OPTION]...\n\n"
        "Copies folders and devices to blob storage and back, checked and resumable.\n\nCommands:\n");
    for (unsigned i = 0; i < command_count; i++) {
        text_addf(out, "  %-20s %s\n", commands[i]->path, commands[i]->summary);
    }
    text_add_str(
        out, "\n'sallyport COMMAND --help' tells more of one. Exit codes are in sallyport(1).\n");
}

static int
fail(struct output *output, const struct err *err)
{
    int code = (int)err_exit(err->code);
    output_error(output, err);
    output_exit(output, code, err->text);
    return code;
}

static bool
has_word(int argc, char **argv, const char *word)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* Secrets stay out of core dumps; a reader that goes away is an error of write(), not a signal. */
static void
harden(void)
{
    struct rlimit files;
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* Settings of the environment go before those of files. */
static void
take_environment(struct config *config)
{
    static const char variable[] = "SALLYPORT_TRANSPORT";
    const char *value = getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread yet
    if (value != NULL && value[0] != '\0') {
        mem_give(config->transport);
        mem_give(config->origin[CONFIG_ID_transport]);
        config->transport = mem_text(value);
        config->origin[CONFIG_ID_transport] = mem_text(variable);
    }
}

static enum err_code
apply_common(struct common *common, struct err *err)
{
    enum log_level level = LOG_WARN;
    char shown[SHOW_BYTES];
    if (!log_parse_level(common->log_level, &level)) {
        return err_set(err, ERR_USAGE, "--log-level: '%s' is none of error, warn, info, debug",
                       show_typed(common->log_level, shown));
    }
    log_set_level(common->is_verbose && level < LOG_INFO ? LOG_INFO : level);
    log_set_areas(getenv("SALLYPORT_TRACE")); // NOLINT(concurrency-mt-unsafe): one thread yet
    config_init(&common->config);
    enum err_code code = config_load(&common->config, common->config_path, err);
    take_environment(&common->config);
    return code;
}

static int
run(const struct command *command, int argc, char **argv, struct output *output)
{
    struct err err = ERR_NONE;
    struct common common = {.output = output};
    bool wants_help = false;
    void *values = mem_take(command->values_bytes + 1);
    int code = 0;
    if (option_parse(command, common_options, common_option_count, argc, argv, values, &common,
                     &wants_help, &err) != ERR_OK) {
        code = fail(output, &err);
    } else if (wants_help) {
        AUTO_TEXT help = TEXT_INIT;
        option_help(command, common_options, common_option_count, &help);
        output_help(output, text_str(&help));
    } else {
        output->is_json = common.is_json;
        output->is_quiet = common.is_quiet;
        code = apply_common(&common, &err) != ERR_OK ? fail(output, &err)
                                                     : command->run(values, &common);
        config_done(&common.config);
    }
    mem_give(values);
    return code;
}

/* What may follow the first word of a command of two; false if there is no such command. */
static bool
add_seconds(const char *first, struct text *out)
{
    size_t len = strlen(first);
    for (unsigned i = 0; i < command_count; i++) {
        const char *path = commands[i]->path;
        if (strncmp(path, first, len) == 0 && path[len] == ' ') {
            text_addf(out, "%s%s", out->len == 0 ? "" : ", ", path + len + 1);
        }
    }
    return out->len > 0;
}

static int
refuse(const char *typed, struct output *output)
{
    const char *names[64];
    struct err err = ERR_NONE;
    char shown[SHOW_BYTES];
    AUTO_TEXT seconds = TEXT_INIT;
    for (unsigned i = 0; i < command_count; i++) {
        names[i] = commands[i]->path;
    }
    const char *nearest = option_nearest(typed, names, command_count);
    (void)show_typed(typed, shown);
    if (add_seconds(typed, &seconds)) {
        (void)err_set(&err, ERR_USAGE, "'%s' needs one word more: %s", shown, text_str(&seconds));
    } else if (nearest != NULL) {
        (void)err_set(&err, ERR_USAGE, "unknown command '%s'; did you mean '%s'?", shown, nearest);
    } else {
        (void)err_set(&err, ERR_USAGE, "unknown command '%s'; 'sallyport --help' lists them",
                      shown);
    }
    return fail(output, &err);
}

/* What is asked of the program itself; false if it is a command's. */
static bool
tell_of_itself(int argc, char **argv, struct output *output)
{
    AUTO_TEXT text = TEXT_INIT;
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        text_addf(&text, "sallyport %s\n", SALLYPORT_VERSION);
    } else if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
               (strcmp(argv[1], "help") == 0 && argc == (output->is_json ? 3 : 2))) {
        add_overview(&text);
    } else {
        return false;
    }
    output_help(output, text_str(&text));
    return true;
}

int
main(int argc, char **argv)
{
    struct output output;
    int code = -1;
    harden();
    output_init(&output, has_word(argc, argv, "--json"), false);
    if (tell_of_itself(argc, argv, &output)) {
        code = argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    for (unsigned i = 0; i < command_count && code < 0; i++) {
        int words = match(commands[i], argc - 1, argv + 1);
        if (words > 0) {
            code = run(commands[i], argc - 1 - words, argv + 1 + words, &output);
        }
    }
    code = code < 0 ? refuse(argv[1], &output) : code;
    code = output_finish(&output, code);
    output_done(&output);
    /* A lane that hangs in the kernel may still run; nothing of it is needed any more. */
    (void)fflush(NULL);
    _exit(code);
}
