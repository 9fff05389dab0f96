#include "base/fsm.h"
#include "tests/support/check.h"

enum { NONE, IDLE, BUSY, DONE, STATES };
enum { START, END, EVENTS };
static const char *const state_names[] = {"NONE", "IDLE", "BUSY", "DONE"};
static const char *const event_names[] = {"START", "END"};

static struct fsm
machine(const uint8_t *next)
{
    return (struct fsm){.name = "lamp",
                        .state_names = state_names,
                        .event_names = event_names,
                        .state_count = STATES,
                        .event_count = EVENTS,
                        .next = next,
                        .initial = IDLE,
                        .final_states = UINT64_C(1) << DONE};
}

static void
a_sound_table_is_found_sound_and_drawn(void **state)
{
    static const uint8_t next[STATES][EVENTS] = {
        [IDLE] = {[START] = BUSY}, [BUSY] = {[START] = BUSY, [END] = DONE}};
    const struct fsm fsm = machine(&next[0][0]);
    AUTO_TEXT out = TEXT_INIT;
    (void)state;
    CHECK(fsm_check(&fsm, &out));
    CHECK_TEXT(text_str(&out), "");
    CHECK_U64(fsm_next(&fsm, BUSY, END), DONE);
    CHECK_U64(fsm_next(&fsm, DONE, START), NONE);
    fsm_dot(&fsm, &out);
    CHECK_TEXT(text_str(&out), "digraph lamp {\n"
                               "    IDLE [shape=box];\n"
                               "    BUSY [shape=box];\n"
                               "    DONE [shape=doublecircle];\n"
                               "    IDLE -> BUSY [label=\"START\"];\n"
                               "    BUSY -> BUSY [label=\"START\"];\n"
                               "    BUSY -> DONE [label=\"END\"];\n"
                               "}\n");
}

static void
each_flaw_is_named(void **state)
{
    static const struct {
        uint8_t next[STATES][EVENTS];
        const char *words;
    } rows[] = {
        {{[IDLE] = {[START] = DONE}, [BUSY] = {[END] = DONE}}, "state BUSY cannot be reached"},
        {{[IDLE] = {[START] = BUSY, [END] = DONE}}, "state BUSY is not final and has no way out"},
        {{[IDLE] = {[START] = BUSY}, [BUSY] = {[END] = DONE}, [DONE] = {[START] = IDLE}},
         "state DONE is final and has a way out"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct fsm fsm = machine(&rows[i].next[0][0]);
        AUTO_TEXT why = TEXT_INIT;
        CHECK(!fsm_check(&fsm, &why));
        CHECK_TEXT(text_str(&why), rows[i].words);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_table_is_found_sound_and_drawn),
        cmocka_unit_test(each_flaw_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
