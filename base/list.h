/*
 * base/list.h - an intrusive doubly linked ring; the head is a node too.
 *
 *   owner    nodes are embedded; removing one that is not linked is allowed and does nothing
 *   thread   one at a time
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev;
    struct list *next;
};

static inline void
list_init(struct list *list)
{
    list->prev = list;
    list->next = list;
}

static inline bool
list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void
list_push(struct list *list, struct list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void
list_push_front(struct list *list, struct list *node)
{
    list_push(list->next, node);
}

static inline void
list_remove(struct list *node)
{
    if (node->next != NULL) {
        node->prev->next = node->next;
        node->next->prev = node->prev;
        node->next = NULL;
        node->prev = NULL;
    }
}

/* The first node, taken out; NULL if empty. */
static inline struct list *
list_pop(struct list *list)
{
    if (list_is_empty(list)) {
        return NULL;
    }
    struct list *node = list->next;
    list_remove(node);
    return node;
}

#endif
