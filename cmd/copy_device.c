#include "cmd/copy_device.h"

#include "base/arena.h"
#include "ingest/device/device_copy.h"

#include <string.h>

bool
copy_device_is_wanted(const struct copy_device_values *values)
{
    return values->sku != 0 || values->accounts.count > 0;
}

static void
tell_findings(struct output *output, const struct check_result *check)
{
    for (unsigned i = 0; i < check->findings.group_count; i++) {
        const struct finding_group *group = &check->findings.groups[i];
        const struct catalogue_row *row = catalogue_row(group->code);
        output_begin(output, "finding");
        finding_json(group, check_fix(check, group), &output->json);
        output_end(output);
        output_note(output, "%s: %s (%llu)", row->wire, row->sentence,
                    (unsigned long long)group->count);
    }
}

static void
tell_halt(struct output *output, const struct check_result *check, const struct err *stop)
{
    AUTO_TEXT words = TEXT_INIT;
    output_begin(output, "halt");
    for (unsigned i = 0; i < check->findings.group_count; i++) {
        if (check->findings.groups[i].halt != HALT_NONE) {
            json_key_str(&output->json, "cause", halt_name(check->findings.groups[i].halt));
            break; /* groups that halt come first, the worst of them foremost */
        }
    }
    json_key_str(&output->json, "text", stop->text);
    output_end(output);
    for (unsigned i = 0; i < check->proposal.count && i < 20; i++) {
        text_clear(&words);
        fix_step_words(&check->proposal.steps[i], &words);
        output_note(output, "proposed: %s", text_str(&words));
    }
}

/* The option's choices are not in the order of the enum; none named is a box. */
static enum device_sku
sku_of(int choice)
{
    static const char *const skus[] = {"databox", "databox", "disk", "heavy"};
    enum device_sku sku = SKU_DATABOX;
    ASSERT(device_sku_find(skus[choice], &sku));
    return sku;
}

static enum err_code
take_plan(const struct copy_device_values *values, struct fix_plan *plan, struct err *err)
{
    fix_plan_init(plan);
    return values->plan == NULL ? ERR_OK : fix_plan_load(values->plan, plan, err);
}

/* Check and copy; what was found is told in any case. */
static enum err_code
run(struct device_copy_options *options, struct output *output, struct copy_result *ret_result,
    struct err *err)
{
    struct check_result check = {0};
    enum err_code code = device_copy(options, &check, ret_result, err);
    tell_findings(output, &check);
    if (ret_result->stop.code == ERR_DEVICE) {
        tell_halt(output, &check, &ret_result->stop);
    }
    check_result_done(&check);
    return code;
}

enum err_code
copy_device_run(const struct copy_device_values *values, const struct copy_options *copy,
                const struct copy_device_view *view, struct copy_result *ret_result,
                struct err *err)
{
    struct device_account accounts[DEVICE_ACCOUNTS_MAX];
    struct fix_plan plan = {0};
    struct arena arena;
    struct device_copy_options options = {
        .copy = copy,
        .rules = {.device = {.sku = sku_of(values->sku),
                             .has_tiers = values->has_tiers,
                             .file_shares = (enum file_shares)values->file_shares},
                  .bad_names = (enum bad_names)values->bad_names,
                  .plan = values->plan == NULL ? NULL : &plan},
        .manifest = (enum manifest_policy)values->manifest,
        .wants_verbose_log = values->wants_verbose_log,
        .accounts = accounts,
        .account_count = values->accounts.count,
        .events = view->events,
        .control = view->control,
    };
    arena_init(&arena, 1024);
    enum err_code code = take_plan(values, &plan, err);
    code = code == ERR_OK ? limits_choose(sku_of(values->sku), (enum device_model)values->model,
                                          &options.rules.limits, err)
                          : code;
    if (code == ERR_OK && copy->target != NULL) {
        code = err_set(err, ERR_USAGE,
                       "a device has no TARGET: each share goes to its account's end, which "
                       "--account names");
    }
    code = code == ERR_OK ? accounts_parse(values->accounts.values, values->accounts.count, &arena,
                                           accounts, err)
                          : code;
    code = code == ERR_OK ? run(&options, view->output, ret_result, err) : code;
    if (code != ERR_OK && ret_result->stop.code == ERR_OK) {
        *ret_result = (struct copy_result){
            .exit = err_exit_after(code, atomic_load(&view->control->signal)), .stop = *err};
    }
    fix_plan_done(&plan);
    arena_done(&arena);
    return code;
}
