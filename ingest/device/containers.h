/*
 * ingest/device/containers.h - the containers and file shares that a device's folders become, and
 * which folders become which.
 *
 * Blob shares of one account have their containers in common, whatever tier or kind of blob; file
 * shares are apart. Two folders whose own names differ must never become one container. Folders of
 * one name in several tiers may, as long as no path lies in two of them.
 *
 *   shape    CONTAINERS_MAX are remembered and more are counted; CONTAINER_SOURCES_MAX folders each
 *   owner    the table; a struct container lives as long as it
 *   thread   containers_note() from any thread; the rest when the walk is over
 *   source   docs/DEVICES.md, "What a machine may propose"
 */
#ifndef INGEST_DEVICE_CONTAINERS_H
#define INGEST_DEVICE_CONTAINERS_H

#include "base/arena.h"
#include "ingest/device/judge.h"

#include <pthread.h>
#include <stdatomic.h>

#define CONTAINERS_MAX        65536U
#define CONTAINER_SOURCES_MAX 16U

struct container_source {
    const char *path;     /* of the folder, below its tree's root */
    unsigned tree;        /* index of the tree */
    const char *original; /* its own name */
};

struct container {
    const char *account;
    const char *name; /* as stored */
    bool is_files;    /* a file share */
    bool is_disks;    /* of a staging account: no limit counts it, and no folder is its own */
    struct container_source sources[CONTAINER_SOURCES_MAX];
    unsigned source_count;
    bool has_more_sources;
    bool has_data;           /* something becomes a part of it; empty folders become nothing */
    _Atomic(uint64_t) bytes; /* of all its files */
    uint64_t hash;
};

struct containers {
    pthread_mutex_t mutex;
    struct arena arena;
    struct container **slots;
    unsigned count;
    unsigned uncounted; /* beyond CONTAINERS_MAX, as often as their folders were met */
};

void containers_init(struct containers *table);
void containers_done(struct containers *table);
/* What an entry becomes a part of. source: the folder that is this container; NULL: a file in it.
 * Returns NULL for folders of managed disks, for what becomes nothing, and where there is no room.
 */
struct container *containers_note(struct containers *table, const struct judgement *judgement,
                                  const struct container_source *source);
bool containers_has(struct containers *table, const char *account, bool is_files, const char *name);
/* Those that hold data. */
unsigned containers_count(const struct containers *table);
/* The next one, for going through all; *at begins as 0; NULL: no more. */
struct container *containers_next(const struct containers *table, unsigned *at);

#endif
