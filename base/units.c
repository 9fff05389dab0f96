#include "base/units.h"

#include "base/clock.h"
#include "base/show.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};
static const struct unit duration_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", (uint64_t)NS_PER_MS},
    {"s", (uint64_t)NS_PER_S},
    {"m", 60 * (uint64_t)NS_PER_S},
    {"h", 3600 * (uint64_t)NS_PER_S},
    {"d", 86400 * (uint64_t)NS_PER_S},
};

/* Digits with an optional fraction; what follows is left in *at. The fraction is in billionths. */
static bool
take_decimal(const char **at, uint64_t *ret_whole, uint64_t *ret_billionths)
{
    uint64_t whole = 0;
    uint64_t billionths = 0;
    if (**at < '0' || **at > '9') {
        return false;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, digit, &whole)) {
            return false;
        }
    }
    if (**at == '.') {
        (*at)++;
        uint64_t unit = 100000000;
        if (**at < '0' || **at > '9') {
            return false;
        }
        for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10) {
            billionths += (uint64_t)(**at - '0') * unit;
        }
    }
    *ret_whole = whole;
    *ret_billionths = billionths;
    return true;
}

static bool
parse(const char *text, const struct unit *units, size_t count, const char *suffix,
      uint64_t *ret_value)
{
    uint64_t whole = 0;
    uint64_t billionths = 0;
    if (!take_decimal(&text, &whole, &billionths)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(units[i].name);
        uint64_t value = 0;
        if (strncmp(text, units[i].name, len) != 0 || strcmp(text + len, suffix) != 0) {
            continue;
        }
        if (__builtin_mul_overflow(whole, units[i].factor, &value)) {
            return false;
        }
        uint64_t rest = (uint64_t)((double)units[i].factor * (double)billionths / 1e9);
        return !__builtin_add_overflow(value, rest, ret_value);
    }
    return false;
}

enum err_code
units_parse_size(const char *text, uint64_t *ret_bytes, struct err *err)
{
    char shown[SHOW_BYTES];
    if (!parse(text, size_units, COUNT_OF(size_units), "", ret_bytes)) {
        return err_set(err, ERR_USAGE, "'%s' is not a size; write 512, 64KiB, 8MiB, 1.5GiB or 2TiB",
                       show_typed(text, shown));
    }
    return ERR_OK;
}

enum err_code
units_parse_rate(const char *text, uint64_t *ret_bytes_per_s, struct err *err)
{
    char shown[SHOW_BYTES];
    if (!parse(text, size_units, COUNT_OF(size_units), "/s", ret_bytes_per_s)) {
        return err_set(err, ERR_USAGE, "'%s' is not a rate; write 500KiB/s, 200MiB/s or 1GiB/s",
                       show_typed(text, shown));
    }
    return ERR_OK;
}

enum err_code
units_parse_duration(const char *text, int64_t *ret_ns, struct err *err)
{
    char shown[SHOW_BYTES];
    uint64_t ns = 0;
    if (!parse(text, duration_units, COUNT_OF(duration_units), "", &ns) || ns > INT64_MAX) {
        return err_set(err, ERR_USAGE, "'%s' is not a duration; write 250ms, 30s, 15m, 8h or 4d",
                       show_typed(text, shown));
    }
    *ret_ns = (int64_t)ns;
    return ERR_OK;
}

enum err_code
units_parse_u64(const char *text, uint64_t *ret_value, struct err *err)
{
    char shown[SHOW_BYTES];
    static const struct unit none[] = {{"", 1}};
    if (strchr(text, '.') != NULL || !parse(text, none, 1, "", ret_value)) {
        return err_set(err, ERR_USAGE, "'%s' is not a whole number", show_typed(text, shown));
    }
    return ERR_OK;
}

const char *
units_format_size(uint64_t bytes, char out[static UNITS_TEXT_BYTES])
{
    unsigned unit = 1;
    while (unit + 1 < COUNT_OF(size_units) && bytes >= size_units[unit + 1].factor) {
        unit++;
    }
    if (unit == 1) {
        (void)snprintf(out, UNITS_TEXT_BYTES, "%llu B", (unsigned long long)bytes);
    } else {
        (void)snprintf(out, UNITS_TEXT_BYTES, "%.2f %s",
                       (double)bytes / (double)size_units[unit].factor, size_units[unit].name);
    }
    return out;
}

const char *
units_format_count(uint64_t count, char out[static UNITS_TEXT_BYTES])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *at = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *at++ = ',';
        }
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

const char *
units_format_duration(int64_t ns, char out[static UNITS_TEXT_BYTES])
{
    int64_t seconds = (ns < 0 ? 0 : ns) / NS_PER_S;
    if (seconds > INT64_C(30) * 86400) {
        (void)snprintf(out, UNITS_TEXT_BYTES, ">30d");
    } else if (seconds >= 86400) {
        (void)snprintf(out, UNITS_TEXT_BYTES, "%dd %02dh %02dm", (int)(seconds / 86400),
                       (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60));
    } else if (seconds >= 3600) {
        (void)snprintf(out, UNITS_TEXT_BYTES, "%dh %02dm %02ds", (int)(seconds / 3600),
                       (int)(seconds / 60 % 60), (int)(seconds % 60));
    } else if (seconds >= 60) {
        (void)snprintf(out, UNITS_TEXT_BYTES, "%dm %02ds", (int)(seconds / 60),
                       (int)(seconds % 60));
    } else {
        (void)snprintf(out, UNITS_TEXT_BYTES, "%ds", (int)seconds);
    }
    return out;
}
