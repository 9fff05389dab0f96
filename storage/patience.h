/*
 * storage/patience.h - a store that fails for a moment: how long it is asked again, how often, and
 * what a person is told of it.
 *
 * What counts is time without any success, not the number of tries of one request: of many requests
 * to a store that refuses every third some fail ten times in a row, and nothing is wrong.
 *
 *   units    nanoseconds of CLOCK_MONOTONIC
 *   owner    a storm belongs to the copy; ends and their threads add to it
 *   thread   storm_add: any
 */
#ifndef STORAGE_PATIENCE_H
#define STORAGE_PATIENCE_H

#include "base/err.h"

#include <pthread.h>
#include <stdint.h>

struct config;

struct patience {
    int64_t delay_min_ns; /* before the second try; doubles */
    int64_t delay_max_ns;
    int64_t give_up_ns; /* without any success; also the longest Retry-After that is waited for */
};

struct patience patience_of(const struct config *config);
/* How long to wait after the tries-th try has failed. said_ns: the store's Retry-After, 0 if it
 * said none, waited for in full; chance: 0 to 1000, so that many of us do not come back at once. */
int64_t patience_wait_ns(const struct patience *patience, unsigned tries, int64_t said_ns,
                         unsigned chance);
/* One text for all tries of a request that failed: "first (tried N times in 5s; at last: ...)". */
void patience_fold(struct err *err, const char *first, unsigned tries, int64_t span_ns);

/* All failures of a copy that were followed by another try. */
struct storm {
    pthread_mutex_t mutex;
    uint64_t retries;
    uint64_t throttled; /* of them: the store asked us to slow down */
    int64_t first_ns;
    int64_t last_ns;
    struct err first;
    struct err last;
};

void storm_init(struct storm *storm);
void storm_done(struct storm *storm);
void storm_add(struct storm *storm, const struct err *err, int64_t now_ns); /* takes NULL */
/* One message for all of it; false if there was nothing. */
bool storm_fold(struct storm *storm, struct err *ret_notice);

#endif
