/*
 * cmd/output.h - results on stdout, messages on stderr, and the JSON Lines of --json.
 *
 *   shape {"schema":"sallyport.event/1","seq":1,"ts":"...","type":"...","job":"...","data":{...}}
 *   thread   main
 *   errors   a stdout that cannot be written ends nothing: what is left is dropped, and
 *            output_finish() tells and makes success a failure
 */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"

#include <stdbool.h>

struct output {
    bool is_json;
    bool is_quiet;
    bool is_broken;   /* standard output cannot be written */
    int broken_sys;   /* why: errno */
    bool has_summary; /* a summary line was written */
    unsigned long long seq;
    char job[40];
    struct text line;
    struct json json;
    void (*before)(void *user); /* makes room where a progress bar stands; may be NULL */
    void *before_user;
};

void output_init(struct output *output, bool is_json, bool is_quiet);
void output_done(struct output *output);
/* An event: output_begin, then json_key_* into output->json, then output_end. Nothing without
 * --json. */
void output_begin(struct output *output, const char *type);
void output_end(struct output *output);
/* A line of result for people; nothing with --json. */
void output_text(struct output *output, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line of message on stderr; nothing with --quiet. */
void output_note(struct output *output, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Something a person should know that is no error of the command: an event, and a message. */
void output_notice(struct output *output, const struct err *err);
/* An error, with what to do about it, on stderr. */
void output_error(struct output *output, const struct err *err);
/* What summary.data.status says of a command that ends with this code. */
const char *output_status(int code);
/* {"key":{"name":value,...}} into the event at hand. */
void output_group(struct output *output, const char *key, const char *const *names,
                  const unsigned long long *values, unsigned count);
/* The last two events: a summary of nothing, if the command wrote none, and the end. reason NULL:
 * what the code means. */
void output_exit(struct output *output, int code, const char *reason);
/* A text that is the whole result of the command: a notice and the last two events with --json. */
void output_help(struct output *output, const char *text);
/* The exit code that is left of code: success that could not be told is none, unless the reader of
 * plain text has gone, who had enough. */
int output_finish(struct output *output, int code);

#endif
