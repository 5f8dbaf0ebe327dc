/* SPDX-License-Identifier: MIT */
/* heap.h: a 4-ary min-heap of deadlines, alone: no locks, no goroutines.
 *
 * An entry is a deadline and a pointer to a node inside the caller's object. Deadlines are kept in
 * the heap and not in the objects, and the four children of an entry share one cache line, so that
 * a sift reads the heap only: the objects are stacks of parked goroutines, each on its own page.
 * An entry that may be removed early is *indexed*: its node learns its slot on every move. Others
 * are never touched before they are popped.
 *
 * Storage is a list of segments, each as large as all before it together: growing copies nothing,
 * so that the lock around the heap is never held for long.
 *
 *   H1  Every entry is due no earlier than its parent.               (goi_heap_check)
 *   H2  The node of an indexed entry holds the entry's slot.         (goi_heap_check)
 *   H3  Slots ROOT .. ROOT + count - 1 are in use, count <= room.    (goi_heap_check)
 */
#ifndef GOI_TIME_HEAP_H
#define GOI_TIME_HEAP_H
#include "base/assert.h"
#include "base/base.h"

/* The root stands in slot 3, so that each group of siblings begins at a multiple of four. */
enum { GOI_HEAP_ROOT = 3, GOI_HEAP_SEGMENTS = 22, GOI_HEAP_FIRST_BITS = 8 };

/* In the caller's object, aligned to at least 2. */
struct goi_heap_node {
    uint32_t slot; /* of an indexed entry in a heap */
};

struct goi_heap_entry {
    int64_t when;
    uintptr_t ref; /* the node; bit 0: indexed */
};

/* All zero is an empty heap. */
struct goi_heap {
    uint32_t count;
    uint32_t room;     /* slots in the segments, without those before the root */
    uint32_t segments;
    struct goi_heap_entry *segment[GOI_HEAP_SEGMENTS];
};

/* False: the system refused memory, the heap is as before. */
bool goi_heap_push(struct goi_heap *h, struct goi_heap_node *n, int64_t when, bool indexed);
/* Takes the earliest entry out; the heap is not empty. */
struct goi_heap_node *goi_heap_pop(struct goi_heap *h);
/* For indexed nodes that are in the heap. */
void goi_heap_remove(struct goi_heap *h, struct goi_heap_node *n);
void goi_heap_change(struct goi_heap *h, struct goi_heap_node *n, int64_t when);
/* GOI_FOREVER when empty. */
int64_t goi_heap_first(const struct goi_heap *h);
int64_t goi_heap_when(const struct goi_heap *h, const struct goi_heap_node *n);
/* The entry in place i of no particular order, 0 <= i < count. */
struct goi_heap_entry goi_heap_entry(const struct goi_heap *h, uint32_t i);
/* How large segment k is. */
size_t goi_heap_segment_bytes(uint32_t k);
/* Gives the memory back; the heap is empty and valid afterwards. */
void goi_heap_release(struct goi_heap *h);
void goi_heap_check(const struct goi_heap *h);

static inline struct goi_heap_node *goi_heap_node_of(struct goi_heap_entry e)
{
    return (struct goi_heap_node *)(e.ref & ~(uintptr_t)1);
}

#endif
