/* SPDX-License-Identifier: MIT */
/* heap.c: see heap.h for the layout and the invariants. */
#include "time/heap.h"
#include "os/os.h"

enum { ROOT = GOI_HEAP_ROOT, FIRST = 1 << GOI_HEAP_FIRST_BITS };

/* Segment 0 holds slots 0 .. 255, segment k the slots 2^(k+7) .. 2^(k+8) - 1. */
GOI_INLINE struct goi_heap_entry *entry_at(const struct goi_heap *h, uint32_t slot)
{
    if (GOI_LIKELY(slot < FIRST)) {
        return &h->segment[0][slot];
    }
    uint32_t high = 31u - (uint32_t)__builtin_clz(slot);
    return &h->segment[high - (GOI_HEAP_FIRST_BITS - 1)][slot - (1u << high)];
}

GOI_INLINE uint32_t parent_of(uint32_t slot) { return slot / 4 + 2; }
GOI_INLINE uint32_t child_of(uint32_t slot) { return 4 * (slot - 2); }

GOI_INLINE void put(struct goi_heap_entry *at, uint32_t slot, struct goi_heap_entry e)
{
    *at = e;
    if (e.ref & 1) {
        goi_heap_node_of(e)->slot = slot; /* H2 */
    }
}

size_t goi_heap_segment_bytes(uint32_t k)
{
    return sizeof(struct goi_heap_entry) << (k == 0 ? GOI_HEAP_FIRST_BITS : k + 7);
}

static bool grow(struct goi_heap *h)
{
    uint32_t k = h->segments;
    if (k == GOI_HEAP_SEGMENTS) {
        return false;
    }
    h->segment[k] = gop_pages_reserve(goi_heap_segment_bytes(k), gop_page_size());
    if (h->segment[k] == NULL) {
        return false;
    }
    h->segments++;
    h->room = (1u << (k + GOI_HEAP_FIRST_BITS)) - ROOT;
    return true;
}

/* Moves the hole at `slot` up until e fits in, and fills it. */
static void sift_up(struct goi_heap *h, uint32_t slot, struct goi_heap_entry e)
{
    struct goi_heap_entry *at = entry_at(h, slot);
    while (slot > ROOT) { /* ends at the root */
        uint32_t up = parent_of(slot);
        struct goi_heap_entry *parent = entry_at(h, up);
        if (parent->when <= e.when) {
            break;
        }
        put(at, slot, *parent);
        at = parent;
        slot = up;
    }
    put(at, slot, e);
}

/* The earliest of up to four siblings. */
GOI_INLINE uint32_t earliest(const struct goi_heap_entry *group, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++) {
        best = group[i].when < group[best].when ? i : best;
    }
    return best;
}

/* Moves the hole at `slot` down until e fits in, and fills it. */
static void sift_down(struct goi_heap *h, uint32_t slot, struct goi_heap_entry e)
{
    uint32_t end = ROOT + h->count;
    struct goi_heap_entry *at = entry_at(h, slot);
    for (;;) { /* ends at a leaf */
        uint32_t down = child_of(slot);
        if (down >= end) {
            break;
        }
        /* Siblings lie in one segment, and in one cache line. */
        struct goi_heap_entry *group = entry_at(h, down);
        uint32_t best = GOI_LIKELY(down + 4 <= end) ? earliest(group, 4)
                                                    : earliest(group, end - down);
        if (group[best].when >= e.when) {
            break;
        }
        put(at, slot, group[best]);
        at = &group[best];
        slot = down + best;
    }
    put(at, slot, e);
}

static void sift(struct goi_heap *h, uint32_t slot, struct goi_heap_entry e)
{
    if (slot > ROOT && entry_at(h, parent_of(slot))->when > e.when) {
        sift_up(h, slot, e);
    } else {
        sift_down(h, slot, e);
    }
}

bool goi_heap_push(struct goi_heap *h, struct goi_heap_node *n, int64_t when, bool indexed)
{
    struct goi_heap_entry e = {.when = when, .ref = (uintptr_t)n | (indexed ? 1 : 0)};
    goi_assert(((uintptr_t)n & 1) == 0);
    if (GOI_UNLIKELY(h->count == h->room) && !grow(h)) {
        return false;
    }
    sift_up(h, ROOT + h->count++, e);
    return true;
}

/* Fills the hole at `slot` with the last entry. */
static void close_hole(struct goi_heap *h, uint32_t slot)
{
    h->count--;
    uint32_t last = ROOT + h->count;
    if (slot != last) {
        sift(h, slot, *entry_at(h, last));
    }
}

struct goi_heap_node *goi_heap_pop(struct goi_heap *h)
{
    goi_assert(h->count > 0);
    struct goi_heap_node *n = goi_heap_node_of(h->segment[0][ROOT]);
    close_hole(h, ROOT);
    return n;
}

void goi_heap_remove(struct goi_heap *h, struct goi_heap_node *n)
{
    goi_must(n->slot >= ROOT && n->slot < ROOT + h->count);
    goi_must(entry_at(h, n->slot)->ref == ((uintptr_t)n | 1)); /* H2 */
    close_hole(h, n->slot);
}

void goi_heap_change(struct goi_heap *h, struct goi_heap_node *n, int64_t when)
{
    goi_must(n->slot >= ROOT && n->slot < ROOT + h->count);
    struct goi_heap_entry e = *entry_at(h, n->slot);
    goi_must(e.ref == ((uintptr_t)n | 1)); /* H2 */
    e.when = when;
    sift(h, n->slot, e);
}

int64_t goi_heap_first(const struct goi_heap *h)
{
    return h->count > 0 ? h->segment[0][ROOT].when : GOI_FOREVER;
}

int64_t goi_heap_when(const struct goi_heap *h, const struct goi_heap_node *n)
{
    goi_assert(n->slot >= ROOT);
    goi_assert(n->slot < ROOT + h->count);
    return entry_at(h, n->slot)->when;
}

struct goi_heap_entry goi_heap_entry(const struct goi_heap *h, uint32_t i)
{
    goi_assert(i < h->count);
    return *entry_at(h, ROOT + i);
}

void goi_heap_release(struct goi_heap *h)
{
    for (uint32_t k = 0; k < h->segments; k++) {
        gop_pages_release(h->segment[k], goi_heap_segment_bytes(k));
    }
    *h = (struct goi_heap){0};
}

void goi_heap_check(const struct goi_heap *h)
{
    goi_must(h->count <= h->room); /* H3 */
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t slot = ROOT + i;
        const struct goi_heap_entry *e = entry_at(h, slot);
        goi_must(slot == ROOT || entry_at(h, parent_of(slot))->when <= e->when); /* H1 */
        goi_must((e->ref & 1) == 0 || goi_heap_node_of(*e)->slot == slot);       /* H2 */
    }
}
