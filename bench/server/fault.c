#include "bench/server/fault.h"

#include "base/text.h"
#include "base/units.h"

#include <string.h>

#define VERB_AS_WORD(id, word) word,
const char *const verb_words[VERB_COUNT] = {VERB_MAP(VERB_AS_WORD)};
#define FAULT_AS_WORD(id, word, verbs, status, second) word,
const char *const fault_words[FAULT_COUNT] = {FAULT_MAP(FAULT_AS_WORD)};

#define FAULT_AS_ROW(id, word, verbs, status, second) {verbs, status, second},
static const struct {
    unsigned verbs;
    unsigned status;
    unsigned seconds;
} rows[FAULT_COUNT] = {FAULT_MAP(FAULT_AS_ROW)};

static enum err_code
find_word(const char *word, const char *const *words, unsigned count, unsigned *ret_index,
          struct err *err)
{
    AUTO_TEXT known = TEXT_INIT;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret_index = i;
            return ERR_OK;
        }
        text_addf(&known, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    return err_set(err, ERR_USAGE, "'%s' is none of %s", word, text_str(&known));
}

static enum err_code
set_number(struct fault_rule *rule, const char *key, const char *value, struct err *err)
{
    uint64_t number = 0;
    enum err_code code = units_parse_u64(value, &number, err);
    if (code != ERR_OK) {
        return err_wrap(err, "%s", key);
    }
    if (strcmp(key, "every") == 0 && number > 0) {
        rule->every = number;
    } else if (strcmp(key, "after") == 0) {
        rule->after = number;
    } else if (strcmp(key, "count") == 0) {
        rule->count = number;
    } else if (strcmp(key, "status") == 0 && number >= 400 && number <= 599) {
        rule->status = (unsigned)number;
    } else if (strcmp(key, "seconds") == 0 && number <= 3600) {
        rule->seconds = (unsigned)number;
    } else {
        return err_set(err, ERR_USAGE,
                       "'%s=%s' is none of every=1.., after=N, count=N, status=400..599, "
                       "seconds=0..3600, verb=V",
                       key, value);
    }
    return ERR_OK;
}

static enum err_code
set_part(struct fault_rule *rule, char *part, struct err *err)
{
    char *value = strchr(part, '=');
    unsigned verb = 0;
    if (value == NULL) {
        return err_set(err, ERR_USAGE, "'%s' is not KEY=VALUE", part);
    }
    *value++ = '\0';
    if (strcmp(part, "verb") != 0) {
        return set_number(rule, part, value, err);
    }
    enum err_code code = find_word(value, verb_words, VERB_COUNT, &verb, err);
    if (code == ERR_OK && (rule->verbs & 1U << verb) == 0) {
        code =
            err_set(err, ERR_USAGE, "'%s' cannot happen to '%s'", fault_words[rule->kind], value);
    }
    rule->verbs = 1U << verb;
    return code;
}

enum err_code
faults_add(struct faults *faults, const char *text, struct err *err)
{
    AUTO_TEXT copy = TEXT_INIT;
    unsigned kind = 0;
    text_add_str(&copy, text);
    if (faults->count == FAULT_RULES_MAX) {
        return err_set(err, ERR_USAGE, "more than %d faults", FAULT_RULES_MAX);
    }
    char *at = copy.bytes;
    char *next = at == NULL ? NULL : strchr(at, ':');
    if (next != NULL) {
        *next++ = '\0';
    }
    enum err_code code = find_word(at == NULL ? "" : at, fault_words, FAULT_COUNT, &kind, err);
    if (code != ERR_OK) {
        return err_wrap(err, "--fault");
    }
    struct fault_rule *rule = &faults->rules[faults->count];
    rule->kind = (enum fault_kind)kind;
    rule->every = 1;
    rule->after = 0;
    rule->count = UINT64_MAX;
    rule->verbs = rows[kind].verbs;
    rule->status = rows[kind].status;
    rule->seconds = rows[kind].seconds;
    while (next != NULL && code == ERR_OK) {
        at = next;
        next = strchr(at, ':');
        if (next != NULL) {
            *next++ = '\0';
        }
        code = set_part(rule, at, err);
    }
    if (code != ERR_OK) {
        return err_wrap(err, "--fault %s", text);
    }
    faults->count++;
    return ERR_OK;
}

static bool
fires(struct fault_rule *rule)
{
    uint64_t number = atomic_fetch_add(&rule->seen, 1);
    if (number < rule->after || (number - rule->after + 1) % rule->every != 0) {
        return false;
    }
    if (atomic_fetch_add(&rule->hits, 1) < rule->count) {
        return true;
    }
    atomic_fetch_sub(&rule->hits, 1);
    return false;
}

void
faults_pick(struct faults *faults, enum verb verb, struct fault_hits *ret_hits)
{
    ret_hits->kinds = 0;
    for (unsigned i = 0; i < faults->count; i++) {
        struct fault_rule *rule = &faults->rules[i];
        if ((rule->verbs & 1U << verb) != 0 && !atomic_load(&rule->is_over) && fires(rule)) {
            ret_hits->kinds |= 1U << rule->kind;
            ret_hits->rules[rule->kind] = rule;
        }
    }
}

void
faults_renew(struct faults *faults)
{
    for (unsigned i = 0; i < faults->count; i++) {
        if (faults->rules[i].kind == FAULT_EXPIRE) {
            atomic_store(&faults->rules[i].is_over, true);
        }
    }
}

uint64_t
faults_count(const struct faults *faults, enum fault_kind kind)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < faults->count; i++) {
        if (faults->rules[i].kind == kind) {
            count += atomic_load(&faults->rules[i].hits);
        }
    }
    return count;
}
