#include "bench/server/table.h"

#include "base/arena.h"
#include "base/digest.h"

#include <string.h>

#define SLOTS_FIRST 8U

static uint64_t
hash_of(const char *key)
{
    uint8_t digest[XXH3_BYTES];
    uint64_t hash = 0;
    digest_xxh3(key, strlen(key), digest);
    (void)memcpy(&hash, digest, sizeof hash);
    return hash;
}

static struct table_node **
slot_of(const struct table *table, const char *key, uint64_t hash)
{
    struct table_node **at = &table->slots[hash & (table->slot_count - 1)];
    while (*at != NULL && ((*at)->hash != hash || strcmp((*at)->key, key) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

static void
grow(struct table *table)
{
    size_t count = table->slot_count == 0 ? SLOTS_FIRST : table->slot_count * 2;
    struct table_node **slots = mem_take(count * sizeof *slots);
    for (size_t i = 0; i < table->slot_count; i++) {
        struct table_node *node = table->slots[i];
        while (node != NULL) {
            struct table_node *next = node->next;
            node->next = slots[node->hash & (count - 1)];
            slots[node->hash & (count - 1)] = node;
            node = next;
        }
    }
    mem_give(table->slots);
    table->slots = slots;
    table->slot_count = count;
}

struct table_node *
table_find(const struct table *table, const char *key)
{
    return table->count == 0 ? NULL : *slot_of(table, key, hash_of(key));
}

void
table_add(struct table *table, struct table_node *node, const char *key)
{
    if (table->count >= table->slot_count) {
        grow(table);
    }
    node->hash = hash_of(key);
    node->key = mem_text(key);
    struct table_node **at = &table->slots[node->hash & (table->slot_count - 1)];
    node->next = *at;
    *at = node;
    table->count++;
}

struct table_node *
table_remove(struct table *table, const char *key)
{
    if (table->count == 0) {
        return NULL;
    }
    struct table_node **at = slot_of(table, key, hash_of(key));
    struct table_node *node = *at;
    if (node != NULL) {
        *at = node->next;
        table->count--;
    }
    return node;
}

void
table_clear(struct table *table, table_free_fn *give)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        struct table_node *node = table->slots[i];
        while (node != NULL) {
            struct table_node *next = node->next;
            give(node);
            node = next;
        }
    }
    mem_give(table->slots);
    *table = (struct table){0};
}
