#include "ingest/device/names.h"

#include <string.h>
#include <strings.h>

/*
 * Characters are counted as UTF-16 code units: the service and the devices run on Windows and count
 * so (255 units is NTFS's own limit), and what fits in them fits in code points too. A byte that
 * belongs to no character counts as one.
 */

#define CONTAINER_MIN  3
#define CONTAINER_MAX  63
#define BLOB_MAX       1024
#define BLOB_SEGMENTS  254
#define FILE_MAX       2048
#define FILE_SEGMENTS  250
#define FILE_COMPONENT 255
#define DISK_MAX       80

enum byte_class {
    BYTE_PLAIN, /* a character of its own, of which nothing is to be said */
    BYTE_CONTROL,
    BYTE_SLASH,
    BYTE_BACKSLASH,
    BYTE_FILE_ILLEGAL, /* not in a file share */
    BYTE_HIGH,         /* begins a longer character, or none */
};

// clang-format off
static const uint8_t byte_classes[256] = {
    [0x00 ... 0x1f] = BYTE_CONTROL, [0x7f] = BYTE_CONTROL, [0x80 ... 0xff] = BYTE_HIGH,
    ['/'] = BYTE_SLASH, ['\\'] = BYTE_BACKSLASH,
    ['"'] = BYTE_FILE_ILLEGAL, [':'] = BYTE_FILE_ILLEGAL, ['|'] = BYTE_FILE_ILLEGAL, ['<'] = BYTE_FILE_ILLEGAL,
    ['>'] = BYTE_FILE_ILLEGAL, ['*'] = BYTE_FILE_ILLEGAL, ['?'] = BYTE_FILE_ILLEGAL,
};
// clang-format on

/* What one pass over a name finds. */
struct look {
    size_t units;         /* UTF-16 */
    size_t component_max; /* of the longest component, in units */
    size_t segments;
    bool has_control;
    bool has_illegal; /* for any object */
    bool has_file_illegal;
    bool has_backslash;
    bool has_bad_ending; /* of the name or of a component */
};

static bool
is_tail(struct slice name, size_t at)
{
    return at < name.len && ((unsigned char)name.at[at] & 0xc0) == 0x80;
}

/* The character at `at`, which is not ASCII: its length in bytes. *ret_point is UINT32_MAX where
 * the bytes are none. A surrogate, which Windows allows alone, is read as one. */
static size_t
take_character(struct slice name, size_t at, uint32_t *ret_point)
{
    const unsigned char *c = (const unsigned char *)name.at + at;
    *ret_point = UINT32_MAX;
    if (c[0] >= 0xc2 && c[0] <= 0xdf && is_tail(name, at + 1)) {
        *ret_point = (c[0] & 0x1fU) << 6 | (c[1] & 0x3fU);
        return 2;
    }
    if (c[0] >= 0xe0 && c[0] <= 0xef && is_tail(name, at + 1) && is_tail(name, at + 2)) {
        uint32_t point = (c[0] & 0xfU) << 12 | (c[1] & 0x3fU) << 6 | (c[2] & 0x3fU);
        bool is_overlong = point < 0x800;
        *ret_point = is_overlong ? UINT32_MAX : point;
        return is_overlong ? 1 : 3;
    }
    if (c[0] >= 0xf0 && c[0] <= 0xf4 && is_tail(name, at + 1) && is_tail(name, at + 2) &&
        is_tail(name, at + 3)) {
        uint32_t point =
            (c[0] & 0x7U) << 18 | (c[1] & 0x3fU) << 12 | (c[2] & 0x3fU) << 6 | (c[3] & 0x3fU);
        bool is_one = point >= 0x10000 && point <= 0x10ffff;
        *ret_point = is_one ? point : UINT32_MAX;
        return is_one ? 4 : 1;
    }
    return 1;
}

/* What the naming rules name: no character at all, surrogates, private use, the specials U+FFF0 to
 * U+FFFF, and what no plane has a character for. */
static bool
is_illegal(uint32_t point)
{
    return point > 0xeffff || (point >= 0xd800 && point <= 0xf8ff) ||
           (point >= 0xfdd0 && point <= 0xfdef) || (point >= 0xfff0 && point <= 0xffff) ||
           (point & 0xfffe) == 0xfffe;
}

static size_t
look_high(struct slice name, size_t at, struct look *look)
{
    uint32_t point = 0;
    size_t len = take_character(name, at, &point);
    look->has_illegal = look->has_illegal || is_illegal(point);
    look->has_control = look->has_control || (point >= 0x80 && point < 0xa0);
    look->units += len == 4 ? 2 : 1;
    return len;
}

static void
look_at(struct slice name, struct look *ret_look)
{
    struct look look = {.segments = 1};
    size_t begin_units = 0; /* of the present component */
    for (size_t i = 0; i < name.len;) {
        enum byte_class cls = byte_classes[(unsigned char)name.at[i]];
        if (cls == BYTE_HIGH) {
            i += look_high(name, i, &look);
            continue;
        }
        if (cls == BYTE_SLASH) {
            look.component_max = MAX_OF(look.component_max, look.units - begin_units);
            look.has_bad_ending = look.has_bad_ending || (i > 0 && name.at[i - 1] == '.');
            look.segments++;
            begin_units = look.units + 1;
        }
        look.has_control = look.has_control || cls == BYTE_CONTROL;
        look.has_backslash = look.has_backslash || cls == BYTE_BACKSLASH;
        look.has_file_illegal = look.has_file_illegal || cls == BYTE_FILE_ILLEGAL;
        look.units++;
        i++;
    }
    look.component_max = MAX_OF(look.component_max, look.units - begin_units);
    if (name.len > 0) {
        char last = name.at[name.len - 1];
        look.has_bad_ending = look.has_bad_ending || last == '.' || last == '/';
    }
    *ret_look = look;
}

/* ---- containers ---- */

static bool
is_container_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

enum finding_code
names_check_container(struct slice name)
{
    if (name.len == 5 && memcmp(name.at, "$root", 5) == 0) {
        return FINDING_NONE;
    }
    struct look look;
    look_at(name, &look);
    if (look.units < CONTAINER_MIN || look.units > CONTAINER_MAX) {
        return FINDING_CONTAINER_LENGTH;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_container_character(name.at[i])) {
            return FINDING_CONTAINER_CHARACTERS;
        }
    }
    bool is_bad = name.at[0] == '-' || name.at[name.len - 1] == '-';
    for (size_t i = 1; i < name.len; i++) {
        is_bad = is_bad || (name.at[i - 1] == '-' && name.at[i] == '-');
    }
    return is_bad ? FINDING_CONTAINER_DASH : FINDING_NONE;
}

bool
names_is_only_upper_case(struct slice container)
{
    char lower[CONTAINER_MAX];
    bool has_upper = false;
    if (container.len > sizeof lower) {
        return false;
    }
    for (size_t i = 0; i < container.len; i++) {
        char c = container.at[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        has_upper = has_upper || is_upper;
        lower[i] = (char)(is_upper ? c - 'A' + 'a' : c);
    }
    return has_upper && lower[0] != '$' &&
           names_check_container((struct slice){lower, container.len}) == FINDING_NONE;
}

/* ---- blobs and files ---- */

enum finding_code
names_check_blob(struct slice name)
{
    struct look look;
    look_at(name, &look);
    if (look.units == 0 || look.units > BLOB_MAX) {
        return FINDING_NAME_LENGTH;
    }
    if (look.segments > BLOB_SEGMENTS) {
        return FINDING_NAME_SEGMENTS;
    }
    if (look.has_control) {
        return FINDING_NAME_CONTROL;
    }
    if (look.has_illegal) {
        return FINDING_NAME_CHARACTER;
    }
    if (look.has_backslash) {
        return FINDING_NAME_BACKSLASH;
    }
    return look.has_bad_ending ? FINDING_NAME_ENDING : FINDING_NONE;
}

static bool
is_reserved(struct slice component)
{
    static const char *const names[] = {"PRN", "AUX", "NUL", "CON", "CLOCK$"};
    const char *c = component.at;
    if (component.len == 4 && c[3] >= '1' && c[3] <= '9') {
        return strncasecmp(c, "LPT", 3) == 0 || strncasecmp(c, "COM", 3) == 0;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (component.len == strlen(names[i]) && strncasecmp(c, names[i], component.len) == 0) {
            return true;
        }
    }
    return false;
}

/* A component that is empty (which no file system has, but a plan could write) or reserved. */
static enum finding_code
check_components(struct slice path)
{
    for (size_t begin = 0; begin <= path.len;) {
        const char *slash = memchr(path.at + begin, '/', path.len - begin);
        size_t end = slash == NULL ? path.len : (size_t)(slash - path.at);
        struct slice component = {path.at + begin, end - begin};
        if (component.len == 0) {
            return FINDING_NAME_ENDING;
        }
        if (is_reserved(component)) {
            return FINDING_NAME_ILLEGAL;
        }
        begin = end + 1;
    }
    return FINDING_NONE;
}

enum finding_code
names_check_file(struct slice path)
{
    struct look look;
    look_at(path, &look);
    if (look.units == 0 || look.units > FILE_MAX) {
        return FINDING_NAME_LENGTH;
    }
    if (look.component_max > FILE_COMPONENT) {
        return FINDING_NAME_COMPONENT;
    }
    if (look.segments > FILE_SEGMENTS) {
        return FINDING_NAME_SEGMENTS;
    }
    if (look.has_control) {
        return FINDING_NAME_CONTROL;
    }
    if (look.has_illegal || look.has_file_illegal) {
        return FINDING_NAME_CHARACTER;
    }
    if (look.has_backslash) {
        return FINDING_NAME_BACKSLASH;
    }
    return look.has_bad_ending ? FINDING_NAME_ENDING : check_components(path);
}

/* ---- managed disks ---- */

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

enum finding_code
names_check_disk(struct slice name)
{
    static const char extension[] = ".vhd";
    size_t stem = name.len;
    if (stem > 4 && strncasecmp(name.at + stem - 4, extension, 4) == 0) {
        stem -= 4;
    }
    if (stem == 0 || name.len > DISK_MAX || !is_letter_or_digit(name.at[0])) {
        return FINDING_DISK_NAME;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!is_letter_or_digit(c) && c != '_' && c != '.' && c != '-') {
            return FINDING_DISK_NAME;
        }
    }
    /* With and without its extension: which of the two the disk is called is not documented. */
    char last = name.at[stem - 1];
    char very_last = name.at[name.len - 1];
    bool is_good = (is_letter_or_digit(last) || last == '_') &&
                   (is_letter_or_digit(very_last) || very_last == '_');
    return is_good ? FINDING_NONE : FINDING_DISK_NAME;
}
