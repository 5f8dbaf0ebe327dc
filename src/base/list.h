/* SPDX-License-Identifier: MIT */
/* list.h: intrusive circular doubly linked list. A detached node has next == NULL. */
#ifndef GOI_LIST_H
#define GOI_LIST_H
#include "base/assert.h"

struct goi_node { struct goi_node *next, *prev; };

static inline void goi_list_init(struct goi_node *head) { head->next = head->prev = head; }
static inline bool goi_list_empty(const struct goi_node *head) { return head->next == head; }
static inline bool goi_node_linked(const struct goi_node *n) { return n->next != NULL; }

static inline void goi_list_push_back(struct goi_node *head, struct goi_node *n)
{
    n->next = head;
    n->prev = head->prev;
    head->prev->next = n;
    head->prev = n;
}

static inline void goi_list_push_front(struct goi_node *head, struct goi_node *n)
{
    n->next = head->next;
    n->prev = head;
    head->next->prev = n;
    head->next = n;
}

static inline void goi_list_remove(struct goi_node *n)
{
    goi_assert(n->next != NULL);
    n->next->prev = n->prev;
    n->prev->next = n->next;
    n->next = n->prev = NULL;
}

static inline struct goi_node *goi_list_pop_front(struct goi_node *head)
{
    struct goi_node *n = head->next;
    if (n == head) {
        return NULL;
    }
    goi_list_remove(n);
    return n;
}

#endif
