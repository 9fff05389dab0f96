#include "ingest/device/containers.h"

#include <xxhash.h>

#include <string.h>

#define SLOTS       ((size_t)CONTAINERS_MAX * 2)
#define ARENA_CHUNK ((size_t)64 << 10)

void
containers_init(struct containers *table)
{
    *table = (struct containers){.mutex = PTHREAD_MUTEX_INITIALIZER};
    arena_init(&table->arena, ARENA_CHUNK);
    table->slots = mem_take(SLOTS * sizeof *table->slots);
}

void
containers_done(struct containers *table)
{
    arena_done(&table->arena);
    table->slots = mem_give(table->slots);
}

static uint64_t
hash_of(const char *account, bool is_files, const char *name)
{
    uint64_t hash = XXH3_64bits_withSeed(account, strlen(account), is_files ? 1 : 0);
    return XXH3_64bits_withSeed(name, strlen(name), hash);
}

/* Where the container is, or may be put. */
static struct container **
find_slot(struct containers *table, uint64_t hash, const char *account, bool is_files,
          const char *name)
{
    for (size_t at = hash & (SLOTS - 1);; at = (at + 1) & (SLOTS - 1)) {
        struct container *there = table->slots[at];
        if (there == NULL ||
            (there->hash == hash && there->is_files == is_files &&
             strcmp(there->account, account) == 0 && strcmp(there->name, name) == 0)) {
            return &table->slots[at];
        }
    }
}

static void
add_source(struct containers *table, struct container *container, struct slice original,
           const struct container_source *source)
{
    for (unsigned i = 0; i < container->source_count; i++) {
        const struct container_source *old = &container->sources[i];
        if (old->tree == source->tree && strcmp(old->path, source->path) == 0) {
            return;
        }
    }
    if (container->source_count == CONTAINER_SOURCES_MAX) {
        container->has_more_sources = true;
        return;
    }
    struct container_source *own = &container->sources[container->source_count++];
    *own = *source;
    own->path = arena_text(&table->arena, source->path);
    own->original = arena_bytes(&table->arena, original.at, original.len);
}

static struct container *
container_new(struct containers *table, const struct judgement *judgement, uint64_t hash)
{
    struct container *container = arena_take(&table->arena, sizeof *container);
    container->hash = hash;
    container->account = arena_text(&table->arena, judgement->account);
    container->name = arena_text(&table->arena, judgement->container);
    container->is_files = judgement->share == SHARE_FILES;
    container->is_disks = judgement->share == SHARE_DISKS;
    table->count++;
    return container;
}

struct container *
containers_note(struct containers *table, const struct judgement *judgement,
                const struct container_source *source)
{
    const char *name = judgement->container;
    bool is_files = judgement->share == SHARE_FILES;
    bool is_disks = judgement->share == SHARE_DISKS;
    if (judgement->share == SHARE_NONE || (is_disks && source != NULL) || name == NULL ||
        name[0] == '\0') {
        return NULL;
    }
    uint64_t hash = hash_of(judgement->account, is_files, name);
    (void)pthread_mutex_lock(&table->mutex);
    struct container **slot = find_slot(table, hash, judgement->account, is_files, name);
    if (*slot == NULL && table->count < CONTAINERS_MAX) {
        *slot = container_new(table, judgement, hash);
    } else if (*slot == NULL && source != NULL) {
        table->uncounted++;
    }
    struct container *container = *slot;
    if (container != NULL && source == NULL) {
        container->has_data = true;
    } else if (container != NULL) {
        add_source(table, container, judgement->container_original, source);
    }
    (void)pthread_mutex_unlock(&table->mutex);
    return container;
}

bool
containers_has(struct containers *table, const char *account, bool is_files, const char *name)
{
    return *find_slot(table, hash_of(account, is_files, name), account, is_files, name) != NULL;
}

unsigned
containers_count(const struct containers *table)
{
    unsigned count = table->uncounted;
    unsigned at = 0;
    const struct container *container;
    while ((container = containers_next(table, &at)) != NULL) {
        count += container->has_data && !container->is_disks;
    }
    return count;
}

struct container *
containers_next(const struct containers *table, unsigned *at)
{
    while (*at < SLOTS) {
        struct container *container = table->slots[(*at)++];
        if (container != NULL) {
            return container;
        }
    }
    return NULL;
}
