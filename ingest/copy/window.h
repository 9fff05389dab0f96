/*
 * ingest/copy/window.h - how many requests a lane has in flight: what throughput pays for, and less
 * when the store asks for it.
 *
 * Two numbers. All requests together follow additive increase, multiplicative decrease: an answer
 * that says "slow down" halves them, at most once a second. Blocks of large items follow goodput
 * besides: more of them are tried for a while, and kept only if more bytes arrived, because each
 * holds megabytes of memory that cost time to touch.
 *
 *   shape    1 <= blocks <= requests <= most
 *   units    bytes; CLOCK_MONOTONIC nanoseconds
 *   thread   its lane's
 *   source   4 GB from a store on loopback to tmpfs, 8 MiB blocks: 64 in flight 2.5 s, 4 in flight
 *            2.2 s; on a path with latency more pay off
 */
#ifndef INGEST_COPY_WINDOW_H
#define INGEST_COPY_WINDOW_H

#include <stdint.h>

#define WINDOW_BLOCKS_START 3U

struct window {
    unsigned most;
    unsigned requests; /* allowed now */
    unsigned blocks;   /* of them, blocks of large items */
    unsigned good;     /* answers since requests grew */
    int64_t cut_ns;    /* no second cut before this */
    /* the trial that runs */
    unsigned blocks_before; /* what to go back to; equals blocks while none runs */
    unsigned answers;
    unsigned rest; /* trials to let pass */
    uint64_t bytes;
    int64_t since_ns;
    double rate; /* bytes per second before the trial */
};

/* Blocks begin at blocks_start and are limited by most at once where that is most. */
void window_init(struct window *window, unsigned most, unsigned blocks_start, int64_t now_ns);
void window_answered(struct window *window);
void window_throttled(struct window *window, int64_t now_ns);
/* A block of a large item has arrived where it goes. */
void window_moved(struct window *window, uint64_t bytes, int64_t now_ns);

#endif
