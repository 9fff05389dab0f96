/*
 * bench/server/block_list.h - the body of Put Block List, read.
 *
 *   shape    <BlockList> with <Latest>, <Uncommitted> and <Committed> entries, in the blob's order
 *   owner    block_list_done() frees; to be called after a failure too
 */
#ifndef BENCH_SERVER_BLOCK_LIST_H
#define BENCH_SERVER_BLOCK_LIST_H

#include <stdbool.h>
#include <stddef.h>

enum block_from { BLOCK_LATEST, BLOCK_UNCOMMITTED, BLOCK_COMMITTED };

struct block_entry {
    enum block_from from;
    char *id; /* Base64, as it came */
};

struct block_list {
    struct block_entry *entries;
    size_t count;
    size_t room;
};

bool block_list_parse(const char *xml, size_t len, struct block_list *list);
void block_list_done(struct block_list *list);

#endif
