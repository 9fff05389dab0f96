/* Does a store still have what a receipt says? */
#include "base/arena.h"
#include "base/sign.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/verify_target.h"
#include "ingest/copy/receipt_check.h"
#include "storage/patience.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIFFERENCES_SHOWN 20U

struct verify_values {
    const char *receipt;
    const char *target;
    const char *key;
    struct option_list accounts;
    bool wants_read_back;
};

// clang-format off
#define AT(field) offsetof(struct verify_values, field)
static const struct option options[] = {
    {.name = "key",       .kind = OPTION_TEXT, .offset = AT(key), .value = "FILE", .help = "public key of the site that signed the receipt (PEM); needed"},
    {.name = "account",   .kind = OPTION_LIST, .offset = AT(accounts), .value = "ACCT=END", .help = "of a device's receipt: where the data of this account is; may be repeated"},
    {.name = "read-back", .kind = OPTION_FLAG, .offset = AT(wants_read_back),      .help = "read every byte again and compare its checksum"},
};
static const struct operand operands[] = {
    {.name = "RECEIPT", .offset = AT(receipt), .is_path = true, .help = "the receipt a copy has left"},
    {.name = "TARGET",  .is_optional = true, .offset = AT(target), .help = "where the items should be: the copy's target; of a device's receipt file:DIR, with all its accounts, or --account"},
};
// clang-format on

struct view {
    struct output *output;
    uint64_t shown;
    struct storm storm; /* of the store */
};

static atomic_int signal_seen;

static void
on_signal(int signal)
{
    atomic_store(&signal_seen, signal);
}

static void
on_difference(void *user, const char *path, const struct err *why)
{
    struct view *view = user;
    output_begin(view->output, "item");
    json_key_path(&view->output->json, "path", path);
    json_key_str(&view->output->json, "state", "failed");
    json_key_str(&view->output->json, "code", err_name(why->code));
    json_key_str(&view->output->json, "text", why->text);
    json_key_str(&view->output->json, "hint", err_hint(why->code));
    output_end(view->output);
    view->shown++;
    if (view->shown <= DIFFERENCES_SHOWN) {
        output_note(view->output, "%s: %s", err_name(why->code), why->text);
    } else if (view->shown == DIFFERENCES_SHOWN + 1) {
        output_note(view->output, "further differences are counted; --json lists them all");
    }
}

static void
put_summary(struct output *output, const struct receipt_check_result *result, int exit_code)
{
    struct json *json = &output->json;
    output_begin(output, "summary");
    json_key_str(json, "status", output_status(exit_code));
    json_key(json, "items");
    json_object_begin(json);
    json_key_u64(json, "total", result->items);
    json_key_u64(json, "missing", result->missing);
    json_key_u64(json, "different", result->different);
    json_key_u64(json, "read_back", result->read_back);
    json_key_u64(json, "unverifiable", result->unverifiable);
    json_object_end(json);
    json_key(json, "bytes");
    json_object_begin(json);
    json_key_u64(json, "total", result->bytes);
    json_object_end(json);
    output_end(output);
}

static void
print_summary(struct output *output, const struct receipt_check_result *result)
{
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    char c[UNITS_TEXT_BYTES];
    char d[UNITS_TEXT_BYTES];
    output_text(output, "the receipt is valid: %s items, %s", units_format_count(result->items, a),
                units_format_size(result->bytes, b));
    output_text(output, "  missing %s, different %s, read back %s, unverifiable %s",
                units_format_count(result->missing, a), units_format_count(result->different, b),
                units_format_count(result->read_back, c),
                units_format_count(result->unverifiable, d));
}

/* What is compared lies in a database for as long as that takes, in a folder of its own: whoever
 * checks a receipt needs no state of ours. */
static enum err_code
make_folder(struct text *folder, struct err *err)
{
    const char *named = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread yet
    text_addf(folder, "%s/sallyport-verify-XXXXXX",
              named != NULL && named[0] == '/' ? named : "/tmp");
    return folder->bytes != NULL && mkdtemp(folder->bytes) != NULL
               ? ERR_OK
               : err_set_sys(err, ERR_CONFIG, errno,
                             "could not make '%s'; name another folder in TMPDIR",
                             text_str(folder));
}

static enum err_code
check(const struct verify_values *values, const struct common *common, struct view *view,
      struct receipt_check_result *result, struct err *err)
{
    struct end *target = NULL;
    struct sign_key *key = NULL;
    AUTO_TEXT folder = TEXT_INIT;
    AUTO_TEXT path = TEXT_INIT;
    struct end_options end = {.role = END_SOURCE,
                              .config = &common->config,
                              .clock = &clock_system,
                              .signal = &signal_seen,
                              .storm = &view->storm};
    enum err_code code = ERR_OK;
    if (values->key == NULL) {
        code = err_set(err, ERR_USAGE, "name the public key of the receipt's site with --key FILE");
    }
    code = code == ERR_OK ? sign_load_public(values->key, &key, err) : code;
    const struct verify_place place = {.receipt = values->receipt,
                                       .key = key,
                                       .target = values->target,
                                       .accounts = &values->accounts};
    code = code == ERR_OK ? verify_open_target(&place, &end, &target, err) : code;
    code = code == ERR_OK ? make_folder(&folder, err) : code;
    if (code == ERR_OK) {
        text_addf(&path, "%s/want.db", text_str(&folder));
        struct receipt_check_options check_options = {
            .receipt = values->receipt,
            .key = key,
            .target = target,
            .db_path = text_str(&path),
            .wants_read_back = values->wants_read_back,
            .config = &common->config,
            .clock = &clock_system,
            .signal = &signal_seen,
            .tell = on_difference,
            .user = view,
        };
        code = receipt_check(&check_options, result, err);
        (void)rmdir(text_str(&folder));
    }
    end_close(target);
    sign_key_free(key);
    return code;
}

static int
run_verify(const void *values_, const void *common_)
{
    const struct verify_values *values = values_;
    const struct common *common = common_;
    struct output *output = common->output;
    struct view view = {.output = output};
    struct receipt_check_result result = {0};
    struct err err = ERR_NONE;
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct err notice = ERR_NONE;
    storm_init(&view.storm);
    enum err_code code = check(values, common, &view, &result, &err);
    if (err_class(code) != ERR_CLASS_RETRY && storm_fold(&view.storm, &notice)) {
        output_notice(output, &notice);
    }
    storm_done(&view.storm);
    int exit_code = result.missing + result.different > 0 ? EXIT_MISMATCH : EXIT_DONE;
    if (code != ERR_OK) {
        output_error(output, &err);
        exit_code = (int)err_exit_after(code, atomic_load(&signal_seen));
    } else {
        print_summary(output, &result);
    }
    put_summary(output, &result, exit_code);
    output_exit(output, exit_code, code != ERR_OK ? err.text : NULL);
    return exit_code;
}

const struct command command_verify = {
    .path = "verify",
    .summary = "Compare a receipt with what a store has",
    .details = "The receipt's signature is checked first, with the public key of the site that "
               "made it (STATE/keys/site.pub there). Then sizes and checksums are compared with "
               "the target, and with --read-back every byte. Exit 5: the receipt is not valid, or "
               "something is missing or different.",
    .options = options,
    .option_count = COUNT_OF(options),
    .operands = operands,
    .operand_count = COUNT_OF(operands),
    .values_bytes = sizeof(struct verify_values),
    .run = run_verify,
};
