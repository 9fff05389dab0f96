#include "base/fsm.h"

void
fsm_dot(const struct fsm *fsm, struct text *out)
{
    text_addf(out, "digraph %s {\n", fsm->name);
    for (unsigned state = 1; state < fsm->state_count; state++) {
        bool is_final = (fsm->final_states >> state & 1) != 0;
        text_addf(out, "    %s [shape=%s];\n", fsm->state_names[state],
                  is_final ? "doublecircle" : "box");
    }
    for (unsigned state = 0; state < fsm->state_count; state++) {
        for (unsigned event = 0; event < fsm->event_count; event++) {
            unsigned next = fsm_next(fsm, state, event);
            if (next != 0) {
                text_addf(out, "    %s -> %s [label=\"%s\"];\n", fsm->state_names[state],
                          fsm->state_names[next], fsm->event_names[event]);
            }
        }
    }
    text_add_str(out, "}\n");
}

static uint64_t
reach(const struct fsm *fsm)
{
    uint64_t seen = UINT64_C(1) << fsm->initial;
    for (unsigned round = 0; round < fsm->state_count; round++) {
        for (unsigned state = 0; state < fsm->state_count; state++) {
            for (unsigned event = 0; event < fsm->event_count && (seen >> state & 1) != 0;
                 event++) {
                unsigned next = fsm_next(fsm, state, event);
                seen |= next == 0 ? 0 : UINT64_C(1) << next;
            }
        }
    }
    return seen;
}

bool
fsm_check(const struct fsm *fsm, struct text *why)
{
    uint64_t seen = reach(fsm);
    for (unsigned state = 1; state < fsm->state_count; state++) {
        bool is_final = (fsm->final_states >> state & 1) != 0;
        bool has_way_out = false;
        for (unsigned event = 0; event < fsm->event_count; event++) {
            has_way_out = has_way_out || fsm_next(fsm, state, event) != 0;
        }
        if ((seen >> state & 1) == 0) {
            text_addf(why, "state %s cannot be reached", fsm->state_names[state]);
            return false;
        }
        if (has_way_out == is_final) {
            text_addf(why, "state %s is %s", fsm->state_names[state],
                      is_final ? "final and has a way out" : "not final and has no way out");
            return false;
        }
    }
    return true;
}
