/*
 * tests/sim/world.h - what a seed stands for: a source, what the target has already, how the copy
 * is set up, and what goes wrong on the way.
 *
 * Content is a function of seed, item and version, and the modification time tells the version, so
 * that any bytes found anywhere can be checked without remembering what was there.
 *
 *   thread   one: a run is stepped
 *   source   the seed, and nothing else
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "ingest/copy/copy.h"
#include "storage/wrap/packer.h"
#include "storage/wrap/wrap.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_end.h"

#include <stdio.h>

/* What goes wrong in one run. */
struct trouble {
    struct fault_options source;
    struct fault_options target;
    unsigned mutate_permille;  /* of the steps: the source changes */
    unsigned foreign_permille; /* another writer stores something at the target */
    uint64_t crash_step;       /* 0: never, as all of these */
    uint64_t interrupt_step;
    uint64_t source_list_fails_at;
    uint64_t target_list_fails_at;
    uint64_t halt_at;          /* the target's so many-th op */
    uint64_t barrier_fails_at; /* the target's so many-th sync */
    int64_t failures_max;      /* items that may fail */
};

/* How the parts of the engine are made; the same for all runs of a seed. */
struct sizes {
    unsigned lanes;
    unsigned window;
    unsigned block_count;
    unsigned batch_count;
    size_t pool_bytes;
    unsigned in_flight_max;
    int64_t latency_max_ns;
    int64_t give_up_ns;
    unsigned slow_part; /* this part of the engine is rarely given its turn */
    bool is_fresh;      /* the copy is told that the target is new, if it is */
};

struct world {
    uint64_t seed;
    struct chance chance; /* of everything but content and order */
    struct memory_store source;
    struct memory_store target;
    unsigned item_count; /* entries of the source at its beginning */
    struct end_caps source_caps;
    struct end_caps target_caps;
    struct copy_options options;
    struct config config;
    struct sizes sizes;
    struct packer *packer;
    bool packs_source; /* some of what the source has is compressed */
    uint64_t packed;   /* items that became visible compressed */
    unsigned runs;     /* with trouble, before a calm one */
    bool is_stable;    /* no run meets trouble that changes how items end */
    bool has_foreign;  /* another writer may have been there */
    bool has_expired;  /* the target has forgotten staged blocks */
    bool may_corrupt;
    bool has_pages; /* some items are page blobs, and stay so */
    struct fake_clock clock;
    unsigned failures; /* of the simulation: invariants that did not hold */
    FILE *out;
};

void world_init(struct world *world, uint64_t seed, FILE *out);
void world_done(struct world *world);
void world_trouble(struct world *world, struct trouble *ret_trouble);

/* One invariant does not hold: a line with the seed. */
void world_fail(struct world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* An item of the source changes, vanishes or comes back. */
void world_mutate(struct world *world);
/* Someone else stores something under a name of ours. */
void world_write_foreign(struct world *world);

/* The target forgets some of what is staged. */
void world_expire(struct world *world);
/* May a copy put this in place of what the target has now under the name? */
bool world_may_replace(const struct world *world, const struct blob_props *by, const char *name);

/* Are these the bytes that the source had under this name at the time that mtime_ns tells? */
bool world_is_right(const struct world *world, const struct memory_blob *blob);

/* What an item of this name and size is at both ends. */
enum blob_type world_type(const struct world *world, const char *name, uint64_t len);

/* The largest buffer that lanes of this world can count on. */
size_t world_block_largest(const struct world *world);

/* How an item should end in an undisturbed copy, reckoned from both ends before it. */
enum item_state world_expect(const struct world *world, const struct memory_blob *source);

#endif
