/* SPDX-License-Identifier: MIT */
/* leak_heap.c: the heap of the C library, piece by piece.
 *
 * Whether a word in the heap counts depends on whether somebody who is alive can reach the piece
 * that it lies in, so one must know where pieces begin and end. glibc tells nobody; but its heaps
 * have had the same shape for thirty years: pieces lie one behind the other, each begins with the
 * size of the one before (valid if that is free) and its own size, whose lowest bits are flags, and
 * the last one ends where the heap ends. The first heap grows by brk; those of other threads begin
 * at multiples of 64 MiB with a header that says how long they are.
 *
 *   E1  A heap is taken to pieces only if the walk from its first piece ends exactly at its end,
 *       each step being a legal size. Otherwise all of it counts as reachable.      (walk)
 *
 * Threads may have been stopped inside malloc. Whatever it is in the middle of, sizes change by one
 * store, so that a walk meets true pieces, or leftovers inside of one that is free: either way a
 * piece in use has its true bounds.
 *
 * What has been freed is not looked into: a piece whose successor says that it is free, the last
 * piece, and those in the caches of threads, which look like pieces in use. Such a cache is a piece
 * itself: numbers and lists by size. It is recognised when all of its lists agree with it. Nor are
 * the lists of what is free, which lie before the pieces or, for the first heap, in a variable.
 *
 * Memory of other allocators, and large pieces, which have mappings of their own, count as
 * reachable as a whole.
 */
#include "debug/leak.h"

enum {
    UNIT = 16, HEADER = 16, PIECE_MIN = 32, BLOCK_BITS = 12,
    FLAGS = 7, PREV_IN_USE = 1,
    LISTS = 64, LIST_MAX = 1 << 15,
    BEGIN_TRIES = 4096,
};
#define ARENA_ALIGN ((uintptr_t)64 << 20)

/* The cache of a thread, glibc 2.30 to 2.41. */
struct cache { uint16_t count[LISTS]; uintptr_t first[LISTS]; };

GOI_NO_SANITIZE static uintptr_t load(uintptr_t at) { return *(const uintptr_t *)at; }

static uintptr_t size_at(uintptr_t piece) { return load(piece + 8) & ~(uintptr_t)FLAGS; }

/* E1 */
static bool walk(uintptr_t lo, uintptr_t hi)
{
    uintptr_t at = lo;
    while (at < hi) { /* ends: each piece has a size */
        uintptr_t size = hi - at >= PIECE_MIN ? size_at(at) : 0;
        if (size < UNIT || size % UNIT != 0 || size > hi - at) {
            return false;
        }
        at += size;
    }
    return at == hi;
}

static bool bit(const uint64_t *bits, uintptr_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
static void set_bit(uint64_t *bits, uintptr_t i) { bits[i / 64] |= (uint64_t)1 << (i % 64); }

static uintptr_t unit_of(const struct goi_leak_heap *h, uintptr_t at)
{
    return (at - h->lo) / UNIT;
}

/* The header of the piece that holds `at`. */
static uintptr_t begin_of(const struct goi_leak_heap *h, uintptr_t at)
{
    uintptr_t block = (at - h->lo) >> BLOCK_BITS;
    uintptr_t first = (block << BLOCK_BITS) / UNIT;
    for (uintptr_t i = unit_of(h, at) + 1; i-- > first;) {
        if (bit(h->start, i)) {
            return h->lo + i * UNIT;
        }
    }
    return h->lo + (uintptr_t)h->block[block] * UNIT;
}

static bool is_piece(const struct goi_leak_heap *h, uintptr_t at)
{
    return at >= h->lo && at < h->hi && at % UNIT == 0 && bit(h->start, unit_of(h, at));
}

static struct goi_leak_heap *heap_of(const struct goi_leak *l, uintptr_t at)
{
    if (at < l->heap_lo || at >= l->heap_hi) {
        return NULL;
    }
    for (size_t i = 0; i < l->nheaps; i++) {
        const struct goi_leak_heap *h = &l->heap[i];
        if (at >= h->lo && at < h->hi) {
            return (struct goi_leak_heap *)(uintptr_t)h;
        }
    }
    return NULL;
}

/* --- caches of threads */

/* The n-th entry of a list: the lists' links are disguised by the place that they lie at. */
static uintptr_t next_entry(uintptr_t entry) { return load(entry) ^ entry >> 12; }

/* Follows a list of pieces of one size; false if it is none. With `free`, marks them. */
static bool follow(struct goi_leak *l, uintptr_t entry, size_t count, uintptr_t size, bool take)
{
    for (size_t n = 0; n < count; n++) {
        uintptr_t piece = entry - HEADER;
        struct goi_leak_heap *h = heap_of(l, piece);
        if (h == NULL || !is_piece(h, piece) || size_at(piece) != size) {
            return false;
        }
        if (take) {
            set_bit(h->done, unit_of(h, piece));
        }
        entry = next_entry(entry);
    }
    return entry == 0;
}

static bool follow_all(struct goi_leak *l, const struct cache *c, bool take)
{
    for (size_t i = 0; i < LISTS; i++) {
        if (c->count[i] > LIST_MAX || (c->count[i] == 0) != (c->first[i] == 0) ||
            (c->count[i] != 0 &&
             !follow(l, c->first[i], c->count[i], PIECE_MIN + i * UNIT, take))) {
            return false;
        }
    }
    return true;
}

static void look_for_caches(struct goi_leak *l, struct goi_leak_heap *h)
{
    for (uintptr_t at = h->lo; at < h->hi; at += size_at(at)) { /* E1: ends */
        if (size_at(at) != sizeof(struct cache) + HEADER || bit(h->done, unit_of(h, at))) {
            continue;
        }
        const struct cache *c = (const struct cache *)(at + HEADER);
        if (follow_all(l, c, false)) {
            (void)follow_all(l, c, true);
            set_bit(h->done, unit_of(h, at));
        }
    }
}

void goi_leak_heap_caches(struct goi_leak *l)
{
    for (size_t i = 0; i < l->nheaps; i++) {
        look_for_caches(l, &l->heap[i]);
    }
}

/* --- taking apart */

static void note_piece(struct goi_leak_heap *h, uintptr_t at, uintptr_t size)
{
    uintptr_t next = at + size;
    uintptr_t block = (at - h->lo) >> BLOCK_BITS;
    set_bit(h->start, unit_of(h, at));
    if (next >= h->hi || (load(next + 8) & PREV_IN_USE) == 0) {
        set_bit(h->done, unit_of(h, at)); /* free, or the rest at the end */
    }
    while (h->lo + (++block << BLOCK_BITS) < next) { /* ends at the end of the piece */
        h->block[block] = (uint32_t)unit_of(h, at);
    }
}

static bool add(struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    if (l->nheaps == GOI_LEAK_HEAPS || hi - lo > (uintptr_t)UINT32_MAX * UNIT) {
        return false;
    }
    struct goi_leak_heap *h = &l->heap[l->nheaps];
    size_t words = (hi - lo) / UNIT / 64 + 1;
    h->lo = lo;
    h->hi = hi;
    h->start = goi_leak_alloc(l, 2 * words * sizeof *h->start);
    h->block = goi_leak_alloc(l, (((hi - lo) >> BLOCK_BITS) + 1) * sizeof *h->block);
    if (h->start == NULL || h->block == NULL) {
        return false;
    }
    h->done = h->start + words;
    for (uintptr_t at = lo; at < hi; at += size_at(at)) { /* E1: ends */
        note_piece(h, at, size_at(at));
    }
    l->heap_lo = l->nheaps == 0 || lo < l->heap_lo ? lo : l->heap_lo;
    l->heap_hi = hi > l->heap_hi ? hi : l->heap_hi;
    l->nheaps++;
    return true;
}

uintptr_t goi_leak_heap_break(struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    const uintptr_t cache = (sizeof(struct cache) + HEADER) | PREV_IN_USE;
    if (walk(lo, hi) && add(l, lo, hi)) {
        return lo;
    }
    /* Somebody used brk before: the first piece is the first thread's cache. */
    for (uintptr_t at = lo; at < lo + (uintptr_t)BEGIN_TRIES * UNIT && at + PIECE_MIN < hi;
         at += UNIT) {
        if (load(at + 8) == cache && walk(at, hi)) {
            return add(l, at, hi) ? at : hi;
        }
    }
    return hi;
}

bool goi_leak_heap_next(uintptr_t at, uintptr_t *next)
{
    *next = (at & ~(ARENA_ALIGN - 1)) + ARENA_ALIGN;
    return *next > at;
}

uintptr_t goi_leak_heap_arena(struct goi_leak *l, uintptr_t lo, uintptr_t hi, uintptr_t *end)
{
    /* The arena, the heap before, the size in use, the size that is writable; then what the arena
     * itself takes, if it is the arena's first heap; then the pieces. */
    enum { STATE = 2200, HEADER_MAX = 64 };
    if (hi - lo < 4096) {
        return 0;
    }
    uintptr_t arena = load(lo);
    uintptr_t used = load(lo + 16);
    uintptr_t writable = load(lo + 24);
    if (arena % UNIT != 0 || used % 4096 != 0 || used == 0 || used > writable ||
        writable > hi - lo || writable > ARENA_ALIGN) {
        return 0;
    }
    bool first = arena > lo && arena <= lo + HEADER_MAX;
    uintptr_t at = goi_round_up((first ? arena + STATE : lo + 32), UNIT);
    uintptr_t last = at + HEADER_MAX;
    *end = lo + writable;
    for (; at <= last; at += UNIT) {
        if (walk(at, lo + used)) {
            return add(l, at, lo + used) ? at : 0;
        }
    }
    return 0;
}

/* --- the first arena is a variable of the C library */

/* Its lists of what is free, and the rest at the end, would be pointers into the heap. It is known
 * by two of its words: where that rest begins, and how much the heap has in all. */
bool goi_leak_heap_state(const struct goi_leak *l, uintptr_t lo, uintptr_t hi,
                         struct goi_range *state)
{
    enum { STATE = 2200, TOP = 96, BYTES = 2184 };
    for (uintptr_t at = lo; at + BYTES + 8 <= hi && hi - lo >= STATE; at += 8) {
        uintptr_t top = load(at + TOP);
        const struct goi_leak_heap *h = heap_of(l, top);
        if (h != NULL && is_piece(h, top) && top + size_at(top) == h->hi &&
            load(at + BYTES) == h->hi - h->lo) {
            *state = (struct goi_range){at, at + STATE};
            return true;
        }
    }
    return false;
}

/* --- asking */

bool goi_leak_heap_find(const struct goi_leak *l, uintptr_t at, struct goi_leak_heap **heap,
                        struct goi_range *piece)
{
    /* A piece begins behind its header and ends in that of the next. What points right behind its
     * end, as C allows, would otherwise mean the next. */
    at -= HEADER;
    struct goi_leak_heap *h = heap_of(l, at);
    if (h == NULL) {
        return false;
    }
    *heap = h;
    piece->lo = begin_of(h, at);
    piece->hi = piece->lo + size_at(piece->lo);
    return true;
}

bool goi_leak_heap_taken(const struct goi_leak_heap *heap, const struct goi_range *piece)
{
    return bit(heap->done, unit_of(heap, piece->lo));
}

bool goi_leak_heap_take(struct goi_leak_heap *heap, const struct goi_range *piece)
{
    if (goi_leak_heap_taken(heap, piece)) {
        return false;
    }
    set_bit(heap->done, unit_of(heap, piece->lo));
    return true;
}
