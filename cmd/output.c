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
        output->is_broken = !write_all(STDOUT_FILENO, text_str(&output->line), output->line.len);
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
    if (!write_all(fd, text_str(&output->line), output->line.len) && fd == STDOUT_FILENO) {
        output->is_broken = true;
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

void
output_exit(struct output *output, int code, const char *reason)
{
    if (!output->is_json) {
        return;
    }
    if (!output->has_summary) {
        output_begin(output, "summary");
        json_key_str(&output->json, "status",
                     code == EXIT_DONE                             ? "Completed"
                     : code == EXIT_SIGINT || code == EXIT_SIGTERM ? "Cancelled"
                                                                   : "Failed");
        output_end(output);
    }
    output_begin(output, "exit");
    json_key_i64(&output->json, "code", code);
    json_key_str(&output->json, "reason", reason == NULL ? "" : reason);
    output_end(output);
}
