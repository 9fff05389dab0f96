#include "base/err.h"
#include "cmd/commands.h"
#include "ingest/device/catalogue.h"

struct explain_values {
    const char *code;
};

/* ---- errors of a command ---- */

static void
put_error(struct output *output, enum err_code code)
{
    output_begin(output, "error");
    json_key_str(&output->json, "code", err_name(code));
    json_key_str(&output->json, "class", err_class_name(err_class(code)));
    json_key_i64(&output->json, "exit", err_exit(code));
    json_key_str(&output->json, "who", err_who(code));
    json_key_str(&output->json, "sentence", err_sentence(code));
    json_key_str(&output->json, "hint", err_hint(code));
    output_end(output);
}

static void
explain_error(struct output *output, enum err_code code)
{
    static const char *const class_words[ERR_CLASS_COUNT] = {
        [ERR_CLASS_WAIT] = "the work waits its turn",
        [ERR_CLASS_RETRY] = "tried again; if that does not help the copy stops and can be resumed",
        [ERR_CLASS_ITEM] = "this item fails and is recorded; the copy goes on",
        [ERR_CLASS_HALT] = "the copy stops and can be resumed once someone has acted",
        [ERR_CLASS_FAIL] = "the command is over",
    };
    output_text(output, "%s: %s", err_name(code), err_sentence(code));
    output_text(output, "  what happens: %s", class_words[err_class(code)]);
    output_text(output, "  who can act:  %s", err_who(code));
    output_text(output, "  what to do:   %s", err_hint(code));
    output_text(output, "  exit code:    %d", (int)err_exit(code));
    put_error(output, code);
}

/* ---- findings about a device ---- */

/* Of a command that finds it and nothing worse. */
static enum exit_code
exit_of(const struct catalogue_row *row)
{
    if (row->halt != HALT_NONE) {
        return EXIT_HALTED;
    }
    return row->cls == FINDING_WARNING ? EXIT_WARNINGS : EXIT_ITEMS_FAILED;
}

static void
put_finding(struct output *output, const struct catalogue_row *row)
{
    struct json *json = &output->json;
    output_begin(output, "error");
    json_key_str(json, "code", row->wire);
    json_key_str(json, "class", finding_class_name(row->cls));
    json_key_i64(json, "exit", exit_of(row));
    json_key_str(json, "who", row->who);
    json_key_str(json, "sentence", row->sentence);
    json_key_str(json, "hint", row->hint);
    json_key(json, "halt");
    if (row->halt == HALT_NONE) {
        json_put_null(json);
    } else {
        json_str(json, halt_name(row->halt));
    }
    json_key_bool(json, "needs_access", halt_needs_access(row->halt));
    json_key_bool(json, "retryable", row->is_retryable);
    json_key(json, "fix");
    if (row->fix == FIX_NONE) {
        json_put_null(json);
    } else {
        json_str(json, fix_name(row->fix));
    }
    output_end(output);
}

static void
explain_finding(struct output *output, const struct catalogue_row *row)
{
    bool halts = row->halt != HALT_NONE;
    output_text(output, "%s: %s", row->wire, row->sentence);
    output_text(output, "  class:        %s", finding_class_name(row->cls));
    output_text(output, "  what happens: %s%s",
                halts                         ? "the job halts: "
                : row->cls == FINDING_WARNING ? "the job goes on and ends with a warning"
                                              : "this item fails and is recorded; the job goes on",
                halt_name(row->halt));
    output_text(output, "  who can act:  %s", row->who);
    output_text(output, "  needs access: %s",
                halt_needs_access(row->halt) ? "yes, to the customer's data" : "no");
    output_text(output, "  retryable:    %s",
                row->is_retryable             ? "yes, the same job goes on once it is fixed"
                : row->cls == FINDING_WARNING ? "no need, nothing stops for it"
                                              : "no, the item needs a new order");
    output_text(output, "  what to do:   %s", row->hint);
    output_text(output, "  fix step:     %s", fix_name(row->fix));
    output_text(output, "  exit code:    %d", (int)exit_of(row));
    put_finding(output, row);
}

/* ---- both ---- */

#define LINE "%-48s %-8s %4d  %s"

static int
run_list(const void *values, const void *common_values)
{
    const struct common *common = common_values;
    struct output *output = common->output;
    (void)values;
    output_text(output, "%-48s %-8s %4s  %s", "CODE", "CLASS", "EXIT", "MEANING");
    for (unsigned i = ERR_OK + 1; i < ERR_CODE_COUNT; i++) {
        enum err_code code = (enum err_code)i;
        output_text(output, LINE, err_name(code), err_class_name(err_class(code)),
                    (int)err_exit(code), err_sentence(code));
        put_error(output, code);
    }
    for (unsigned i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        const struct catalogue_row *row = catalogue_row((enum finding_code)i);
        output_text(output, LINE, row->wire, finding_class_name(row->cls), (int)exit_of(row),
                    row->sentence);
        put_finding(output, row);
    }
    output_exit(output, 0, NULL);
    return 0;
}

static int
refuse(struct output *output, const char *typed)
{
    struct err err = ERR_NONE;
    const char *names[ERR_CODE_COUNT + FINDING_COUNT];
    unsigned count = 0;
    for (unsigned i = ERR_OK + 1; i < ERR_CODE_COUNT; i++) {
        names[count++] = err_name((enum err_code)i);
    }
    for (unsigned i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        names[count++] = catalogue_row((enum finding_code)i)->wire;
    }
    const char *nearest = option_nearest(typed, names, count);
    if (nearest == NULL) {
        (void)err_set(&err, ERR_USAGE, "there is no code '%s'; 'sallyport error list' lists them",
                      typed);
    } else {
        (void)err_set(&err, ERR_USAGE, "there is no code '%s'; did you mean '%s'?", typed, nearest);
    }
    output_error(output, &err);
    output_exit(output, EXIT_USAGE, err.text);
    return EXIT_USAGE;
}

static int
run_explain(const void *values, const void *common_values)
{
    const struct explain_values *explain = values;
    const struct common *common = common_values;
    enum err_code code = ERR_OK;
    enum finding_code finding = FINDING_NONE;
    if (err_find(explain->code, &code) && code != ERR_OK) {
        explain_error(common->output, code);
    } else if (catalogue_find(explain->code, &finding)) {
        explain_finding(common->output, catalogue_row(finding));
    } else {
        return refuse(common->output, explain->code);
    }
    output_exit(common->output, 0, NULL);
    return 0;
}

const struct command command_error_list = {
    .path = "error list",
    .summary = "List every error code, and every finding about a device",
    .run = run_list,
};

static const struct operand explain_operands[] = {
    {.name = "CODE",
     .offset = offsetof(struct explain_values, code),
     .help = "as errors and findings show it, e.g. store-auth or SHARE_ROOT_FILE"},
};
const struct command command_error_explain = {
    .path = "error explain",
    .summary = "Explain one code and what to do about it",
    .operands = explain_operands,
    .operand_count = COUNT_OF(explain_operands),
    .values_bytes = sizeof(struct explain_values),
    .run = run_explain,
};
