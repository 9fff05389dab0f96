/*
 * A fix plan as somebody wrote it. What is taken is written in one way: read again it gives the
 * same bytes. No path it holds leaves the tree, each step can be said in words, and looking up says
 * the same as going through all steps.
 */
#include "ingest/device/fix_plan.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_path(const char *path)
{
    FUZZ_MUST(path[0] != '\0');
    FUZZ_MUST(path[0] != '/');
    FUZZ_MUST(strlen(path) <= FIX_PATH_BYTES_MAX);
    FUZZ_MUST(strstr(path, "//") == NULL);
    for (const char *at = path; *at != '\0';) {
        size_t part = strcspn(at, "/");
        FUZZ_MUST(part != 2 || memcmp(at, "..", 2) != 0);
        at += part + (at[part] == '/');
    }
}

static void
check_words(const struct fix_step *step)
{
    AUTO_TEXT words = TEXT_INIT;
    fix_step_words(step, &words);
    FUZZ_MUST(words.len > 0);
    FUZZ_MUST(words.bytes[words.len - 1] == '.');
    for (size_t i = 0; i < words.len; i++) {
        FUZZ_MUST((unsigned char)words.bytes[i] >= 0x20);
        FUZZ_MUST(words.bytes[i] != 0x7f);
    }
}

static bool
is_place(const struct fix_step *step)
{
    return step->kind == FIX_MAP || step->kind == FIX_TIER;
}

/* Step by step, as the header says it. */
static const struct fix_step *
find_slowly(const struct fix_plan *plan, const char *path)
{
    const struct fix_step *best = NULL;
    size_t best_len = 0;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct fix_step *step = &plan->steps[i];
        const char *from = is_place(step) && step->from != NULL ? step->from : "";
        size_t len = strlen(from);
        bool fits =
            len > 0 && strncmp(path, from, len) == 0 && (path[len] == '\0' || path[len] == '/');
        if (fits && len > best_len) {
            best = step;
            best_len = len;
        }
    }
    return best;
}

static void
check_lookup(const struct fix_plan *plan, const char *path)
{
    AUTO_TEXT got = TEXT_INIT;
    AUTO_TEXT want = TEXT_INIT;
    const struct fix_step *step = find_slowly(plan, path);
    FUZZ_MUST(fix_plan_rewrite(plan, path, &got) == (step != NULL));
    if (step != NULL) {
        text_addf(&want, "%s%s", step->to, path + strlen(step->from));
        FUZZ_MUST(strcmp(text_str(&got), text_str(&want)) == 0);
    }
}

static void
check_plan(const struct fix_plan *plan)
{
    AUTO_TEXT below = TEXT_INIT;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct fix_step *step = &plan->steps[i];
        check_words(step);
        FUZZ_MUST(fix_plan_has(plan, step->kind, step->from, step->code));
        if (step->from != NULL) {
            check_path(step->from);
            check_lookup(plan, step->from);
            text_clear(&below);
            text_addf(&below, "%s/x", step->from);
            check_lookup(plan, text_str(&below));
        }
        if (step->to != NULL) {
            check_path(step->to);
            check_lookup(plan, step->to);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fix_plan plan;
    struct fix_plan again;
    struct err err = ERR_NONE;
    AUTO_TEXT first = TEXT_INIT;
    AUTO_TEXT second = TEXT_INIT;
    enum err_code code = fix_plan_read((const char *)data, size, &plan, &err);
    FUZZ_MUST(code == ERR_OK || code == ERR_FORMAT);
    if (code != ERR_OK) {
        return 0;
    }
    check_plan(&plan);
    fix_plan_write(&plan, &first);
    FUZZ_MUST(!first.is_broken);
    FUZZ_MUST(fix_plan_read(first.bytes, first.len, &again, &err) == ERR_OK);
    fix_plan_write(&again, &second);
    FUZZ_MUST(first.len == second.len);
    FUZZ_MUST(memcmp(first.bytes, second.bytes, first.len) == 0);
    fix_plan_done(&again);
    fix_plan_done(&plan);
    return 0;
}
