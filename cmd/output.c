#include "cmd/output.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
output_init(struct output *output, bool is_json, bool is_quiet)
{
    *output = (struct output){.is_json = is_json, .is_quiet = is_quiet};
}

void
output_done(struct output *output)
{
    text_done(&output->line);
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EINTR) {
            continue; /* the last lines are written after a signal too */
        }
        if (wrote <= 0) {
            return false;
        }
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

/* The line, to standard output. */
static void
put_result(struct output *output)
{
    if (!write_all(STDOUT_FILENO, text_str(&output->line), output->line.len)) {
        output->is_broken = true;
        output->broken_sys = errno;
    }
}

void
output_begin(struct output *output, const char *type)
{
    char when[CLOCK_TEXT_BYTES];
    struct json *json = &output->json;
    text_clear(&output->line);
    json_init(json, &output->line);
    json_object_begin(json);
    json_key_str(json, "schema", "sallyport.event/1");
    json_key_u64(json, "seq", ++output->seq);
    json_key_str(json, "ts", clock_format_ms(clock_wall_ns(&clock_system), when));
    json_key_str(json, "type", type);
    json_key_str(json, "job", output->job);
    json_key(json, "data");
    json_object_begin(json);
    output->has_summary = output->has_summary || strcmp(type, "summary") == 0;
}

void
output_end(struct output *output)
{
    json_object_end(&output->json);
    json_object_end(&output->json);
    text_add_char(&output->line, '\n');
    if (output->is_json && !output->is_broken) {
        put_result(output);
    }
}

static void
put_line(struct output *output, int fd, const char *fmt, va_list args)
{
    text_clear(&output->line);
    text_addv(&output->line, fmt, args);
    text_add_char(&output->line, '\n');
    if (output->before != NULL) {
        output->before(output->before_user);
    }
    if (fd == STDOUT_FILENO) {
        put_result(output);
    } else {
        (void)write_all(fd, text_str(&output->line), output->line.len);
    }
}

void
output_text(struct output *output, const char *fmt, ...)
{
    va_list args;
    if (output->is_json || output->is_broken) {
        return;
    }
    va_start(args, fmt);
    put_line(output, STDOUT_FILENO, fmt, args);
    va_end(args);
}

void
output_note(struct output *output, const char *fmt, ...)
{
    va_list args;
    if (output->is_quiet) {
        return;
    }
    va_start(args, fmt);
    put_line(output, STDERR_FILENO, fmt, args);
    va_end(args);
}

void
output_notice(struct output *output, const struct err *err)
{
    output_begin(output, "notice");
    json_key_str(&output->json, "code", err_name(err->code));
    json_key_str(&output->json, "text", err->text);
    output_end(output);
    output_note(output, "note: %s", err->text);
}

void
output_error(struct output *output, const struct err *err)
{
    bool was_quiet = output->is_quiet;
    output->is_quiet = false;
    output_note(output, "sallyport: %s: %s", err_name(err->code), err->text);
    if (err->code != ERR_INTERRUPTED) {
        output_note(output, "HINT: %s", err_hint(err->code));
    }
    output->is_quiet = was_quiet;
}

/* What an exit code means; frozen, documented in the manual page. */
static const struct {
    int code;
    const char *status;
    const char *reason;
} meanings[] = {
    {EXIT_DONE, "Completed", ""},
    {EXIT_ITEMS_FAILED, "CompletedWithErrors", "finished, some items failed"},
    {EXIT_WARNINGS, "CompletedWithWarnings", "finished with warnings"},
    {EXIT_MISMATCH, "CompletedWithErrors", "checksum or receipt mismatch"},
    {EXIT_TEMPORARY, "Halted", "temporary; try again later"},
    {EXIT_NOT_AUTHORISED, "Halted", "not authorised, or credentials expired"},
    {EXIT_NOTHING, "Completed", "nothing to do: no item found"},
    {EXIT_SUSPENDED, "Halted", "suspended, waiting for approval"},
    {EXIT_HALTED, "Halted", "halted, someone must act"},
    {EXIT_SIGINT, "Cancelled", "interrupted, resumable"},
    {EXIT_SIGTERM, "Cancelled", "interrupted, resumable"},
};

const char *
output_status(int code)
{
    for (unsigned i = 0; i < COUNT_OF(meanings); i++) {
        if (meanings[i].code == code) {
            return meanings[i].status;
        }
    }
    return "Failed";
}

static const char *
reason_of(int code)
{
    for (unsigned i = 0; i < COUNT_OF(meanings); i++) {
        if (meanings[i].code == code) {
            return meanings[i].reason;
        }
    }
    return "failed";
}

void
output_group(struct output *output, const char *key, const char *const *names,
             const unsigned long long *values, unsigned count)
{
    struct json *json = &output->json;
    json_key(json, key);
    json_object_begin(json);
    for (unsigned i = 0; i < count; i++) {
        json_key_u64(json, names[i], values[i]);
    }
    json_object_end(json);
}

/* A command that ended before it had anything to sum up: a script finds the fields all the same. */
static void
put_empty_summary(struct output *output, int code)
{
    static const char *const items[] = {"total", "copied", "renamed", "skipped", "failed"};
    static const char *const bytes[] = {"total", "copied", "resumed", "sent"};
    static const unsigned long long none[5];
    output_begin(output, "summary");
    json_key_str(&output->json, "status", output_status(code));
    if (code != EXIT_DONE) {
        output_group(output, "items", items, none, COUNT_OF(items));
        output_group(output, "bytes", bytes, none, COUNT_OF(bytes));
    }
    output_end(output);
}

void
output_exit(struct output *output, int code, const char *reason)
{
    if (!output->is_json) {
        return;
    }
    if (!output->has_summary) {
        put_empty_summary(output, code);
    }
    output_begin(output, "exit");
    json_key_i64(&output->json, "code", code);
    json_key_str(&output->json, "reason", reason == NULL ? reason_of(code) : reason);
    output_end(output);
}

void
output_help(struct output *output, const char *text)
{
    size_t len = strlen(text);
    len -= len > 0 && text[len - 1] == '\n' ? 1 : 0;
    output_text(output, "%.*s", (int)len, text);
    output_begin(output, "notice");
    json_key_str(&output->json, "text", text);
    output_end(output);
    output_exit(output, EXIT_DONE, NULL);
}

int
output_finish(struct output *output, int code)
{
    struct err err = ERR_NONE;
    if (code != EXIT_DONE || !output->is_broken ||
        (output->broken_sys == EPIPE && !output->is_json)) {
        return code;
    }
    (void)err_set_sys(&err, ERR_SYSTEM, output->broken_sys, "could not write to standard output");
    output_error(output, &err);
    return EXIT_FAILED;
}
