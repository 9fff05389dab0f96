/*
 * bench/server/table.h - names and what they stand for: a hash table of embedded nodes.
 *
 *   owner    a node is the caller's and is embedded; its key is copied and belongs to the table
 *   thread   one at a time; whoever shares a table holds a lock around it
 */
#ifndef BENCH_SERVER_TABLE_H
#define BENCH_SERVER_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    uint64_t hash;
    char *key;
};

struct table {
    struct table_node **slots;
    size_t slot_count;
    size_t count;
};

/* Frees what embeds the node, its key too (mem_give). */
typedef void(table_free_fn)(struct table_node *node);

struct table_node *table_find(const struct table *table, const char *key);
void table_add(struct table *table, struct table_node *node, const char *key);
struct table_node *table_remove(struct table *table, const char *key); /* NULL: was not there */
void table_clear(struct table *table, table_free_fn *give);

#endif
