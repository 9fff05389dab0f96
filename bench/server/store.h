/*
 * bench/server/store.h - what the server remembers: containers, blobs, blocks, all in memory.
 *
 * With STORE_DISCARD only lengths, checksums and properties are remembered, so that a benchmark
 * measures the sender and not the memory of its sink.
 *
 *   owner    bytes are pieces with a count of references: an answer that is being sent holds what
 *            it sends, whatever happens to the blob meanwhile
 *   thread   a container's lock is held around everything of it; a store's around finding one.
 *            Containers live as long as the store: a deleted one is only marked
 */
#ifndef BENCH_SERVER_STORE_H
#define BENCH_SERVER_STORE_H

#include "base/text.h"
#include "bench/server/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define STORE_PAGE_BYTES UINT64_C(512)

enum store_mode { STORE_DISCARD, STORE_KEEP };

struct piece {
    atomic_uint refs;
    bool has_bytes;
    uint64_t len;
    uint64_t crc64;
    char bytes[];
};

struct part {
    struct piece *piece;
    char *id; /* of the block, Base64; NULL for a blob put whole */
};

struct blob_data {
    atomic_uint refs;
    bool has_bytes;
    uint64_t len;
    uint32_t part_count;
    struct part parts[];
};

struct block {
    struct table_node node; /* key: id, Base64 */
    struct piece *piece;
    uint64_t order; /* in which it came: how Get Block List sorts */
};

/* "Name\0value\0" pairs: properties under their header's name, metadata as x-ms-meta-NAME. */
struct props {
    char *bytes;
    size_t len;
};

struct blob {
    struct table_node node; /* key: name */
    bool is_committed;      /* otherwise it only has blocks */
    uint64_t size_bytes;
    uint64_t etag;
    int64_t created_ns;
    int64_t modified_ns;
    struct props props;
    struct blob_data *data; /* NULL while not committed, and of a file of --root */
    struct table blocks;    /* not committed */
    uint64_t block_order;
    size_t block_id_len;
    bool is_page;
    uint64_t sequence;  /* of a page blob */
    uint8_t *page_bits; /* likewise: bit per page that was written and not cleared */
};

struct container {
    struct table_node node; /* key: ACCOUNT/CONTAINER */
    pthread_mutex_t lock;
    bool is_there;
    uint64_t etag;
    int64_t modified_ns;
    struct table blobs;
    struct blob **sorted; /* by name; valid while is_sorted */
    size_t sorted_count;
    bool is_sorted;
    struct props props;
};

struct store {
    enum store_mode mode;
    pthread_mutex_t lock;
    struct table containers;
    atomic_uint_least64_t etag;
};

void store_init(struct store *store, enum store_mode mode);
void store_done(struct store *store);
uint64_t store_next_etag(struct store *store);
/* With its lock held, or NULL. create: make it if it is not there; *ret_is_new tells. */
struct container *store_lock(struct store *store, const char *account, const char *name,
                             bool create, bool *ret_is_new);
void store_unlock(struct container *container);
/* Forget all blobs. Locked. */
void container_clear(struct container *container);
struct blob *container_find(struct container *container, const char *name);
struct blob *container_find_committed(struct container *container, const char *name);
struct blob *container_add(struct container *container, const char *name);
void container_remove(struct container *container, const char *name);
/* All blobs by name into container->sorted. */
void container_sort(struct container *container);

/* Replace what a blob is; takes the data and the properties over, drops its loose blocks. */
void blob_commit(struct store *store, struct blob *blob, struct blob_data *data,
                 struct props *props);
/* The same with len zeros, of which no page is written. */
void blob_commit_pages(struct store *store, struct blob *blob, uint64_t len, struct props *props);
/* bytes NULL: clear. Whole pages, within the blob. What an answer holds stays as it is. */
void blob_write_pages(struct blob *blob, uint64_t offset, const char *bytes, uint64_t len);
/* The first written stretch at or after `at` and before end; false: there is none. */
bool blob_next_pages(const struct blob *blob, uint64_t at, uint64_t end, uint64_t *ret_begin,
                     uint64_t *ret_end);
void blob_touch(struct store *store, struct blob *blob); /* new etag and time */
/* Takes the piece over; an earlier block of this id goes. */
void blob_add_block(struct blob *blob, const char *id, struct piece *piece);

struct piece *piece_new(uint64_t len, bool has_bytes);
struct piece *piece_take(struct piece *piece);
struct piece *piece_give(struct piece *piece);
struct blob_data *data_new(uint32_t part_count);
struct blob_data *data_take(struct blob_data *data);
struct blob_data *data_give(struct blob_data *data);

void props_add(struct props *props, const char *name, const char *value);
const char *props_find(const struct props *props, const char *name); /* NULL: not there */
void props_done(struct props *props);
/* The next pair after at (NULL: the first); NULL at the end. */
const char *props_next(const struct props *props, const char *at, const char **ret_value);

#endif
