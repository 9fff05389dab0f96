/* Sizes, rates, durations, numbers and times: a value, or a refusal that fits its message. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/units.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_units(const char *text)
{
    struct err err = ERR_NONE;
    char shown[UNITS_TEXT_BYTES];
    uint64_t value = 0;
    int64_t ns = 0;
    if (units_parse_size(text, &value, &err) == ERR_OK) {
        FUZZ_MUST(strlen(units_format_size(value, shown)) < UNITS_TEXT_BYTES);
    }
    if (units_parse_u64(text, &value, &err) == ERR_OK) {
        FUZZ_MUST(strlen(units_format_count(value, shown)) < UNITS_TEXT_BYTES);
    }
    if (units_parse_duration(text, &ns, &err) == ERR_OK) {
        FUZZ_MUST(ns >= 0);
        FUZZ_MUST(strlen(units_format_duration(ns, shown)) < UNITS_TEXT_BYTES);
    }
    if (units_parse_rate(text, &value, &err) == ERR_OK) {
        FUZZ_MUST(strcmp(text + strlen(text) - 2, "/s") == 0);
    }
}

/* A time that was read is written and read again as the same. */
static void
check_times(const char *text)
{
    char shown[CLOCK_TEXT_BYTES];
    int64_t ns = 0;
    int64_t again = 0;
    if (clock_parse(text, &ns) == 0) {
        FUZZ_MUST(clock_parse(clock_format_ns(ns, shown), &again) == 0);
        FUZZ_MUST(again == ns);
    }
    if (clock_parse_http(text, &ns) == 0) {
        FUZZ_MUST(clock_parse_http(clock_format_http(ns, shown), &again) == 0);
        FUZZ_MUST(again == ns);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_units(text);
    check_times(text);
    mem_give(text);
    return 0;
}
