#include "ingest/device/name_set.h"

#include "base/arena.h"
#include "base/digest.h"

#include <xxhash.h>

#include <string.h>

#define FIRST_ROOM   ((size_t)256)
#define PIECE_BYTES  512U
#define LAST_OF_TWO  0x7ffU /* what two bytes of UTF-8 can say */
#define FIRST_OF_TWO 0x80U

struct fold_row {
    uint16_t first, last;
    uint8_t step; /* 2: every second one is a capital, beginning with the first */
    int16_t add;
};

// clang-format off
static const struct fold_row folds[] = {
    {0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32},
    {0x0100, 0x012e, 2, 1},  {0x0132, 0x0136, 2, 1},  {0x0139, 0x0147, 2, 1}, {0x014a, 0x0176, 2, 1},
    {0x0178, 0x0178, 1, -121}, {0x0179, 0x017d, 2, 1},
    {0x01cd, 0x01db, 2, 1},  {0x01de, 0x01ee, 2, 1},  {0x01f8, 0x021e, 2, 1}, {0x0222, 0x0232, 2, 1},
    {0x0386, 0x0386, 1, 38}, {0x0388, 0x038a, 1, 37}, {0x038c, 0x038c, 1, 64}, {0x038e, 0x038f, 1, 63},
    {0x0391, 0x03a1, 1, 32}, {0x03a3, 0x03ab, 1, 32},
    {0x0400, 0x040f, 1, 80}, {0x0410, 0x042f, 1, 32}, {0x0460, 0x0480, 2, 1}, {0x048a, 0x04be, 2, 1},
    {0x04c1, 0x04cd, 2, 1},  {0x04d0, 0x052e, 2, 1},  {0x0531, 0x0556, 1, 48},
};
// clang-format on

static unsigned
fold_letter(unsigned letter)
{
    for (size_t i = 0; i < COUNT_OF(folds) && letter >= folds[i].first; i++) {
        if (letter <= folds[i].last && (letter - folds[i].first) % folds[i].step == 0) {
            return (unsigned)((int)letter + folds[i].add);
        }
    }
    return letter;
}

/* The next one or two bytes of name, folded; how many were taken. */
static size_t
fold_next(const unsigned char *at, size_t left, unsigned char out[static 2])
{
    out[0] = at[0] >= 'A' && at[0] <= 'Z' ? (unsigned char)(at[0] + 32) : at[0];
    if (left < 2 || at[0] < 0xc2 || at[0] > 0xdf || (at[1] & 0xc0) != 0x80) {
        return 1;
    }
    unsigned letter = fold_letter((at[0] & 0x1fU) << 6 | (at[1] & 0x3fU));
    ASSERT(letter >= FIRST_OF_TWO);
    ASSERT(letter <= LAST_OF_TWO);
    out[0] = (unsigned char)(0xc0U | letter >> 6);
    out[1] = (unsigned char)(0x80U | (letter & 0x3fU));
    return 2;
}

void
name_fold(struct slice name, struct text *out)
{
    unsigned char piece[2];
    for (size_t at = 0; at < name.len;) {
        size_t len = fold_next((const unsigned char *)name.at + at, name.len - at, piece);
        text_add(out, piece, len);
        at += len;
    }
}

static uint64_t
hash_folded(const struct name_set *set, struct slice name)
{
    unsigned char folded[PIECE_BYTES];
    uint64_t hash = set->seed;
    size_t at = 0;
    do {
        size_t len = 0;
        while (at < name.len && len + 2 <= sizeof folded) {
            size_t one =
                fold_next((const unsigned char *)name.at + at, name.len - at, folded + len);
            at += one;
            len += one;
        }
        hash = XXH3_64bits_withSeed(folded, len, hash);
    } while (at < name.len);
    return hash == 0 ? 1 : hash;
}

void
name_set_init(struct name_set *set)
{
    *set = (struct name_set){0};
    random_bytes(&set->seed, sizeof set->seed);
}

void
name_set_done(struct name_set *set)
{
    set->slots = mem_give(set->slots);
    set->room = 0;
    set->count = 0;
}

void
name_set_clear(struct name_set *set)
{
    if (set->count == 0) {
        return;
    }
    if (set->room > FIRST_ROOM && set->count * 16 < set->room) {
        /* One large folder must not make all small ones behind it slow. */
        set->slots = mem_give(set->slots);
        set->room = 0;
    } else {
        memset(set->slots, 0, set->room * sizeof *set->slots);
    }
    set->count = 0;
}

static bool
put(uint64_t *slots, size_t room, uint64_t hash)
{
    size_t at = (size_t)hash & (room - 1);
    while (slots[at] != 0 && slots[at] != hash) {
        at = (at + 1) & (room - 1);
    }
    bool is_there = slots[at] == hash;
    slots[at] = hash;
    return is_there;
}

static void
grow(struct name_set *set)
{
    size_t room = set->room == 0 ? FIRST_ROOM : set->room * 2;
    uint64_t *slots = mem_take(room * sizeof *slots);
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i] != 0) {
            (void)put(slots, room, set->slots[i]);
        }
    }
    mem_give(set->slots);
    set->slots = slots;
    set->room = room;
}

bool
name_set_add(struct name_set *set, struct slice name)
{
    if (set->count >= NAME_SET_MAX) {
        return false;
    }
    if (set->count * 4 >= set->room * 3) {
        grow(set);
    }
    bool is_there = put(set->slots, set->room, hash_folded(set, name));
    set->count += is_there ? 0 : 1;
    return is_there;
}
