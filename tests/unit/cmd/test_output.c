/* What goes to standard output and standard error, and how it ends; each in a process of its own.
 */
#include "cmd/output.h"
#include "tests/support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char out[4096];
static char errors[4096];

static void
drain(int fd, char *bytes, size_t room)
{
    size_t len = 0;
    ssize_t got = 0;
    while (len + 1 < room && (got = read(fd, bytes + len, room - 1 - len)) > 0) {
        len += (size_t)got;
    }
    bytes[len] = '\0';
    (void)close(fd);
}

/* Run fn with pipes for its output; what it wrote is in out and errors. */
static int
capture(void (*fn)(struct output *output), bool is_json, bool is_quiet)
{
    int out_pipe[2];
    int err_pipe[2];
    int status = 0;
    CHECK_I64(pipe(out_pipe), 0);
    CHECK_I64(pipe(err_pipe), 0);
    pid_t child = fork();
    if (child == 0) {
        struct output output;
        (void)dup2(out_pipe[1], STDOUT_FILENO);
        (void)dup2(err_pipe[1], STDERR_FILENO);
        output_init(&output, is_json, is_quiet);
        fn(&output);
        output_done(&output);
        _exit(0);
    }
    (void)close(out_pipe[1]);
    (void)close(err_pipe[1]);
    drain(out_pipe[0], out, sizeof out);
    drain(err_pipe[0], errors, sizeof errors);
    CHECK_I64(waitpid(child, &status, 0), child);
    return status;
}

/* A command that ended before it had anything to sum up has the fields of one all the same. */
#define NOTHING                                                                                    \
    "\"items\":{\"total\":0,\"copied\":0,\"renamed\":0,\"skipped\":0,\"failed\":0},"               \
    "\"bytes\":{\"total\":0,\"copied\":0,\"resumed\":0,\"sent\":0}"

static void
say_all(struct output *output)
{
    struct err err = ERR_NONE;
    (void)err_set(&err, ERR_STORE_AUTH, "the store said 'no'");
    output_text(output, "result %d", 1);
    output_note(output, "note");
    output_begin(output, "notice");
    json_key_str(&output->json, "text", "x");
    output_end(output);
    output_error(output, &err);
    output_exit(output, 7, err.text);
}

/* Results on one side, messages on the other: a pipe gets the results alone. */
static void
people_get_results_and_messages_apart(void **state)
{
    (void)state;
    CHECK_I64(capture(say_all, false, false), 0);
    CHECK_TEXT(out, "result 1\n");
    CHECK_TEXT(errors, "note\nsallyport: store-auth: the store said 'no'\n"
                       "HINT: Renew the credentials, then run the same command again; it continues "
                       "where it stopped.\n");
}

/* --quiet leaves errors: a failed run must not be silent. */
static void
quiet_leaves_errors(void **state)
{
    (void)state;
    CHECK_I64(capture(say_all, false, true), 0);
    CHECK(strncmp(errors, "sallyport: store-auth", 21) == 0);
}

static void
mask_times(char *text)
{
    for (char *at = strstr(text, "\"ts\":\""); at != NULL; at = strstr(at + 6, "\"ts\":\"")) {
        for (char *digit = at + 6; *digit != '"'; digit++) {
            *digit = '#';
        }
    }
}

/* Whatever happens, the last two lines are summary and exit, numbered without a gap. */
static void
json_is_lines_that_end_with_summary_and_exit(void **state)
{
#define HEAD(seq, type)                                                                            \
    "{\"schema\":\"sallyport.event/1\",\"seq\":" seq ",\"ts\":\"########################\","       \
    "\"type\":\"" type "\",\"job\":\"\",\"data\":"
    (void)state;
    CHECK_I64(capture(say_all, true, false), 0);
    mask_times(out);
    CHECK_TEXT(
        out,
        HEAD("1", "notice") "{\"text\":\"x\"}}\n" HEAD(
            "2", "summary") "{\"status\":\"Halted\"," NOTHING
                            "}}\n" HEAD(
                                "3", "exit") "{\"code\":7,\"reason\":\"the store said 'no'\"}}\n");
}

static void
summarise_and_end(struct output *output)
{
    output_begin(output, "summary");
    output_end(output);
    output_exit(output, 0, NULL);
}

static void
a_summary_is_not_told_twice(void **state)
{
    (void)state;
    CHECK_I64(capture(summarise_and_end, true, false), 0);
    mask_times(out);
    CHECK_TEXT(out,
               HEAD("1", "summary") "{}}\n" HEAD("2", "exit") "{\"code\":0,\"reason\":\"\"}}\n");
}

static void
write_to_nobody(struct output *output)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)close(STDOUT_FILENO);
    for (unsigned i = 0; i < 3; i++) {
        output_text(output, "lost");
        output_begin(output, "item");
        output_end(output);
    }
    output_note(output, output->is_broken ? "went on" : "did not notice");
}

/* A copy does not end because whoever read its output has gone. */
static void
a_closed_output_is_noticed_and_survived(void **state)
{
    (void)state;
    CHECK_I64(capture(write_to_nobody, false, false), 0);
    CHECK_TEXT(errors, "went on\n");
    CHECK_I64(capture(write_to_nobody, true, false), 0);
    CHECK_TEXT(errors, "went on\n");
}

static void
finish_full(struct output *output)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    (void)dup2(full, STDOUT_FILENO);
    output_text(output, "lost");
    output_exit(output, 0, NULL);
    output_note(output, "code %d, and %d where it had failed", output_finish(output, 0),
                output_finish(output, 7));
}

static void
finish_without_reader(struct output *output)
{
    int ends[2];
    (void)signal(SIGPIPE, SIG_IGN);
    CHECK_I64(pipe(ends), 0);
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)close(ends[0]);
    output_text(output, "lost");
    output_exit(output, 0, NULL);
    output_note(output, "code %d", output_finish(output, 0));
}

/* Results that nobody could read are no success; a reader of text that had enough is no failure,
 * but one of events may have missed the one that counted. */
static void
success_that_cannot_be_told_is_a_failure(void **state)
{
    (void)state;
    for (unsigned is_json = 0; is_json < 2; is_json++) {
        CHECK_I64(capture(finish_full, is_json == 1, false), 0);
        CHECK_HAS(errors, "could not write to standard output: No space left on device");
        CHECK_HAS(errors, "code 1, and 7 where it had failed\n");
    }
    CHECK_I64(capture(finish_without_reader, false, false), 0);
    CHECK_TEXT(errors, "code 0\n");
    CHECK_I64(capture(finish_without_reader, true, false), 0);
    CHECK_HAS(errors, "code 1\n");
}

static void
tell_help(struct output *output)
{
    output_help(output, "usage: so\n");
}

/* --json makes standard output JSON Lines and nothing else, also where help is asked for. */
static void
help_is_an_event_too(void **state)
{
    (void)state;
    CHECK_I64(capture(tell_help, false, false), 0);
    CHECK_TEXT(out, "usage: so\n");
    CHECK_I64(capture(tell_help, true, false), 0);
    mask_times(out);
    CHECK_TEXT(
        out,
        HEAD("1", "notice") "{\"text\":\"usage: so\\n\"}}\n" HEAD(
            "2",
            "summary") "{\"status\":\"Completed\"}}\n" HEAD("3",
                                                            "exit") "{\"code\":0,\"reason\":\"\"}}\n");
}

static void
interrupt(struct output *output)
{
    struct err err = ERR_NONE;
    (void)err_set(&err, ERR_INTERRUPTED, "interrupted");
    output_error(output, &err);
}

/* Whoever pressed Ctrl-C knows what to do about it. */
static void
an_interrupt_needs_no_hint(void **state)
{
    (void)state;
    CHECK_I64(capture(interrupt, false, false), 0);
    CHECK_TEXT(errors, "sallyport: interrupted: interrupted\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_get_results_and_messages_apart),
        cmocka_unit_test(quiet_leaves_errors),
        cmocka_unit_test(json_is_lines_that_end_with_summary_and_exit),
        cmocka_unit_test(a_summary_is_not_told_twice),
        cmocka_unit_test(a_closed_output_is_noticed_and_survived),
        cmocka_unit_test(success_that_cannot_be_told_is_a_failure),
        cmocka_unit_test(help_is_an_event_too),
        cmocka_unit_test(an_interrupt_needs_no_hint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
