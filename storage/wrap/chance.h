/*
 * storage/wrap/chance.h - seeded chance for jitter and for faults: the same seed, the same run.
 *
 *   shape    xorshift64*; good enough to spread waits, not for secrets
 *   thread   one at a time
 */
#ifndef STORAGE_WRAP_CHANCE_H
#define STORAGE_WRAP_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

/* Seeds next to each other begin far apart. */
static inline void
chance_init(struct chance *chance, uint64_t seed)
{
    chance->state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    chance->state ^= chance->state >> 32;
}

/* Between 0 and limit - 1; limit is not 0. */
static inline uint64_t
chance_below(struct chance *chance, uint64_t limit)
{
    chance->state ^= chance->state >> 12;
    chance->state ^= chance->state << 25;
    chance->state ^= chance->state >> 27;
    return (chance->state * UINT64_C(0x2545f4914f6cdd1d) >> 16) % limit;
}

#endif
