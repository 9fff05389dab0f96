/*
 * bench/trip.h - the whole engine from end to end: a dataset to our own sink or the local store, or
 * back from there.
 *
 *   owner    everything is made below `folder` (bench_folder_open) and removed again by trip_close,
 *            but for the dataset, which the next run wants
 *   thread   one; trip_open() forks
 */
#ifndef BENCH_TRIP_H
#define BENCH_TRIP_H

#include "bench/child.h"
#include "bench/figures.h"
#include "ingest/copy/copy.h"

enum trip_direction { TRIP_UP, TRIP_DOWN };
enum trip_peer { TRIP_SINK, TRIP_STORE };

struct trip_options {
    const char *folder;
    uint64_t files;
    uint64_t file_bytes;
    enum trip_direction direction;
    enum trip_peer peer;
    unsigned server_threads;
    unsigned lanes;
    unsigned in_flight;
    uint64_t block_bytes; /* 0: default */
    uint64_t memory_bytes;
    enum copy_verify verify;
    const struct config *config;
    struct copy_control *control;
};

struct trip {
    struct trip_options options;
    struct child child;
    struct text data; /* the dataset's path */
    struct text name; /* and its name */
    struct text work; /* what trip_close() removes */
    uint64_t number;  /* of this trip, at random */
    unsigned run;
};

MUST_USE enum err_code trip_open(const struct trip_options *options, struct trip *ret_trip,
                                 struct err *err);
MUST_USE enum err_code trip_run(struct trip *trip, struct figures *ret_figures, struct err *err);
void trip_close(struct trip *trip);

#endif
