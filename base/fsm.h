/*
 * base/fsm.h - what every state machine gets for free from its table.
 *
 * A machine is a constant table next[state][event]; 0 (X_NONE) means "not legal here". Stepping is
 * each module's own two lines; this module prints the table and proves simple facts about it.
 *
 *   source   the .dot text is a golden file; tests/unit call fsm_check() on every table
 */
#ifndef BASE_FSM_H
#define BASE_FSM_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct fsm {
    const char *name;
    const char *const *state_names; /* [state_count]; index 0 is NONE */
    const char *const *event_names; /* [event_count] */
    unsigned state_count;
    unsigned event_count;
    const uint8_t *next; /* [state_count][event_count] */
    unsigned initial;
    uint64_t final_states; /* bit per state */
};

static inline unsigned
fsm_next(const struct fsm *fsm, unsigned state, unsigned event)
{
    /* What a static table leaves out is zero, which the analyzer of clang 14 does not know. */
    return fsm->next[state * fsm->event_count + event]; // NOLINT(clang-analyzer-core.*)
}

/* Graphviz text, states and edges in table order. */
void fsm_dot(const struct fsm *fsm, struct text *out);
/* Every state reachable, every non-final state has a way out, final states have none.
 * False and a sentence in why if not. */
bool fsm_check(const struct fsm *fsm, struct text *why);

#endif
