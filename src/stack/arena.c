/* SPDX-License-Identifier: MIT */
/* arena.c: where stack windows come from.
 *
 * Purpose. A C function may need any amount of stack and cannot be moved, so a goroutine gets a
 * *window*: a range of addresses of which the kernel backs only the pages that were touched. What
 * has to be decided is how wide windows are, how they are guarded, and where their tops lie.
 *
 * Width. A parked goroutine costs its touched page, and the page-table entries around it: 8 bytes
 * for every page of the window, as long as windows are narrower than the 2 MiB that one page of
 * page table maps, and that whole page (4 KiB) when they are wider. So windows are generous while
 * they are few and dense when they are many: default requests get 64 MiB windows up to 128, then
 * 1 MiB, 256 KiB, and 64 KiB without limit (the ladder below). The quotas count windows that exist,
 * and a request takes the widest class that has one free, so when a burst is over the next
 * goroutines are wide again. A million parked goroutines cost about 4,260 bytes each.
 *
 * Guards. MADV_GUARD_INSTALL marks page-table entries and splits no mapping. Where the kernel
 * lacks it, or refuses (locked memory), mprotect is used; each such guard makes two mappings more,
 * and the process may have vm.max_map_count of them in all, so half of those are left to others.
 * Past that windows have no guard, and the runtime compares sp at its entries
 * (goi_stack_low_check). The guard is three pages and, from 1 MiB on, seventeen, because a C
 * function with a large frame steps over one page without touching it.
 *
 * Colours. Tops at equal offsets of power-of-two windows fall into the same sets of the L1 cache
 * and of the TLB, and a switch to another goroutine then misses both: 22 ns instead of 7. So the
 * stride of windows is an *odd* number of pages (the guard makes it so), which walks through all
 * TLB sets without wasting a page, and the top lies one of 16 cache lines below the window's end.
 * The top page holds at most 960 bytes of colour, 192 of header, 512 of descriptor, and at least
 * 2,432 of stack, so that a typical parked goroutine touches no second page.
 * The odd stride also keeps the guard of a window next to the top of its lower neighbour: both use
 * one page of page table, and a 64 MiB window costs one such page, not two.
 *
 * Chunks. Address space is reserved in chunks that double in size, so that a limit on it (ulimit
 * -v, valgrind, sanitizers) is met late and gently: a refused chunk is tried again at half its
 * size; then default requests go to narrower classes; then the caller is told. Chunks are marked
 * MADV_NOHUGEPAGE: a huge page would back a goroutine with 2 MiB. A chunk's first page holds a
 * bitmap of its cold windows; it is touched only when there are any.
 *
 * Life of a window: new (carved from a chunk) -> in use <-> warm (in a P's cache or the depot) ->
 * cold (its memory given back, bit set in the chunk) -> in use ... A chunk that is all cold is
 * unmapped, and its page tables with it.
 *
 *   A1  A cold window's bit is set, and it is on no list.       (goi_must in cold_add_locked)
 *   A2  cold of the class is the sum of cold over its chunks.   (arena_check)
 *   A3  A chunk is on the cold list exactly when its cold > 0.  (arena_check)
 *   A4  Nothing is unmapped while a hold is in force.
 *       (empty_chunks_are_unmapped_but_not_while_held)
 *   A5  A header's fixed fields equal what goi_stack_find computes.
 *       (window_has_the_promised_layout)
 *
 * Finding. The overflow handler asks goi_stack_find which window holds an address, at any moment,
 * also while this thread or another is in here. It therefore takes no lock: table entries are read
 * under a sequence count, and an entry that is being changed is skipped. That is right because a
 * fault in a window in use concerns an entry that does not change.
 *
 * Locks: one per class, then the table lock (leaf). Nothing is allocated, nothing parks.
 *
 * Rejected: one reservation for all (fails under limits); a random colour (uneven, no better); a
 * page colour inside the window (half of a 64 KiB window would be lost to it, the odd stride loses
 * nothing); huge chunks made accessible step by step (an mprotect per step, and a core dump walks
 * only what is carved in either case because untouched page tables are skipped).
 */
#include "stack/arena.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The offsets of tops from the end of their windows: 16 steps of two cache lines. */
#define COLOURS               16
#define COLOUR_STEP           (2 * GOI_CACHE_LINE)
#define CHUNK_BYTES_MAX       ((size_t)1 << 30)
#define CHUNK_BYTES_MAX_SMALL ((size_t)64 << 20)

/* Valgrind has room for 30,000 mappings and exits when it needs more. */
#define VALGRIND_GUARDS 5000

/* [l] under the class lock · [a:STACK-FIND] written inside the sequence count, read by find */
struct chunk {
    goi_a32 xseq;                  /* [a:STACK-FIND] odd: being changed */
    goi_a32 xklass;                /* [a:STACK-FIND] */
    goi_aptr xmap;                 /* [a:STACK-FIND] start of the mapping; NULL: free entry */
    goi_a64 xbytes;                /* [a:STACK-FIND] size of the mapping */
    goi_a32 xcarved;               /* [a:STACK-FIND] windows made so far */
    uint32_t count;                /* [l] windows that fit */
    uint32_t cold;                 /* [l] */
    uint32_t cold_prev, cold_next; /* [l] chunks of the class with cold windows; 0: end */
    uint32_t cold_word;            /* [l] no cold bit below this word of the bitmap */
    uint32_t guard;                /* [l] weakest guard of any of its windows */
    uint32_t free_next;            /* [l:table] */
};

/* A step of the ladder: default requests make windows of `klass` while fewer than
 * quota + per_cache * caches exist. per_cache is what a P may keep to itself. */
struct step {
    uint32_t klass, quota, per_cache;
};

static const struct step ladder_wide[] = {{10, 128, 16}, {4, 1024, 32}, {2, 16384, 32}, {0, 0, 0}};
static const struct step ladder_small[] = {{7, 16, 4}, {4, 128, 8}, {2, 1024, 32}, {0, 0, 0}};

struct goi_stack_class goi_stack_class[GOI_STACK_CLASSES];
goi_a32 goi_stack_avail;
uint32_t goi_stack_ladder;
goi_a32 goi_stack_epoch;

static struct chunk chunk_table[GOI_CHUNKS_MAX]; /* entry 0 stays unused */
static goi_a32 chunk_used;                   /* entries below it may be in use */
static struct goi_stack_lock table_lock;
static uint32_t chunk_free;                     /* [l:table] */
static uint32_t hold_count;                     /* [l:table] */
static uint64_t reserved, reserved_max;         /* [l:table] */
static uint64_t refused;                        /* [l:table] */
static uint64_t protected_count, protected_max; /* [l:table] guards by mprotect */
static uint64_t none_count;                     /* [l:table] windows in chunks without guards */
static uint32_t guard_mode;                     /* [l:table] what new chunks get */
static bool small_space;                        /* [c] */
static size_t page;                             /* [c] */
static const struct step *ladder;               /* [c] */
static uint32_t ladder_steps;                   /* [c] */

/* --- the lock */

void goi_stack_lock(struct goi_stack_lock *l)
{
    uint32_t free = 0;
    /* [STACK-LOCK] acquire: sees all that the last holder wrote; partner in goi_stack_unlock. */
    if (GOI_LIKELY(cas_acq(&l->state, &free, 1))) {
        return;
    }
    /* Ends when the holder unlocks: it never parks and holds for microseconds. */
    while (xchg_acq(&l->state, 2) != 0) { /* [STACK-LOCK] as above */
        (void)gop_futex_wait(&l->state, 2, GOI_FOREVER);
    }
}

bool goi_stack_trylock(struct goi_stack_lock *l)
{
    uint32_t free = 0;
    return cas_acq(&l->state, &free, 1); /* [STACK-LOCK] as above */
}

void goi_stack_unlock(struct goi_stack_lock *l)
{
    /* [STACK-LOCK] release: publishes the holder's writes to the next acquirer. */
    if (xchg_rel(&l->state, 0) == 2) {
        gop_futex_wake(&l->state, 1);
    }
}

/* --- geometry */

/* A window by its place, and the guard it has. */
struct spot {
    uint32_t chunk, index, guard;
};

static size_t colour_of(uint32_t chunk, uint32_t index)
{
    return (size_t)((chunk + index) % COLOURS) * COLOUR_STEP;
}

/* The fixed fields of a window, computed from its place. */
static void place(struct goi_stack *out, uint32_t k, uint32_t chunk, char *map, uint32_t index)
{
    const struct goi_stack_class *c = &goi_stack_class[k];
    out->window = map + page + (size_t)index * c->stride;
    out->lo = out->window + c->guard;
    out->top = out->window + c->stride - colour_of(chunk, index) - sizeof(struct goi_stack) -
               GOI_STACK_DESC_BYTES;
    out->size = (size_t)(out->top - out->lo);
    out->klass = k;
    out->chunk = chunk;
    out->index = index;
}

static char *chunk_map(struct chunk *h)
{
    return ld_rlx(&h->xmap);
}

/* The bitmap of cold windows, in the chunk's first page. Written under the class lock; each() reads
 * it without. */
static goi_a64 *cold_bits(struct chunk *h)
{
    return (goi_a64 *)ld_rlx(&h->xmap);
}

static struct goi_stack *header_of(struct chunk *h, uint32_t chunk, uint32_t index)
{
    struct goi_stack s;
    place(&s, ld_rlx(&h->xklass), chunk, chunk_map(h), index);
    return goi_stack_of(s.top);
}

/* Makes the header of a window that is new or was cold. */
static struct goi_stack *header_write(uint32_t k, const struct spot *where)
{
    struct goi_stack s = {.guard = where->guard };
    place(&s, k, where->chunk, chunk_map(&chunk_table[where->chunk]), where->index);
    struct goi_stack *header = goi_stack_of(s.top);
    goi_assert(((uintptr_t)header & (GOI_CACHE_LINE - 1)) == 0);
    *header = s;
    return header;
}

/* --- guards */

/* Valgrind does not know of guard markers. It reads what it takes for memory when it prints a
 * trace, and dies of it. It does know mprotect. */
static bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static bool guard_probe(void)
{
    if (under_valgrind()) {
        return false;
    }
    char *p = gop_pages_reserve(2 * page, page);
    if (p == NULL) {
        return false;
    }
    /* An emulator may accept advice it does not know. A path in a guard cannot be read. */
    bool works = gop_pages_guard(p, page) == 0 && access(p, F_OK) != 0 && errno == EFAULT;
    gop_pages_release(p, 2 * page);
    return works;
}

/* The guard for a new chunk of n windows. Counts it. */
static uint32_t guard_choose_locked(uint32_t n)
{
    if (guard_mode == GOI_STACK_GUARD_INSTALLED) {
        return GOI_STACK_GUARD_INSTALLED;
    }
    if (guard_mode == GOI_STACK_GUARD_PROTECTED && protected_count + n <= protected_max) {
        protected_count += n;
        return GOI_STACK_GUARD_PROTECTED;
    }
    none_count += n;
    return GOI_STACK_GUARD_NONE;
}

static void guard_uncount_locked(uint32_t guard, uint32_t n)
{
    protected_count -= guard
    == GOI_STACK_GUARD_PROTECTED ? n : 0;
    none_count -= guard
    == GOI_STACK_GUARD_NONE ? n : 0;
}

/* Guards n windows from `first` on; returns what they all have at least. */
static uint32_t guard_windows(const struct goi_stack_class *c, char *first, uint32_t n,
                              uint32_t guard)
{
    if (guard == GOI_STACK_GUARD_INSTALLED) {
        int64_t done = gop_pages_guard_many(first, c->guard, c->stride, n);
        if (done == (int64_t)n) {
            return guard;
        }
        /* Locked memory refuses markers. mprotect works there, and such processes have few
         * goroutines, so these guards are not counted against the budget. */
        guard
        = GOI_STACK_GUARD_PROTECTED;
    }
    if (guard == GOI_STACK_GUARD_PROTECTED) {
        for (uint32_t i = 0; i < n; i++) {
            if (gop_pages_protect(first + (size_t)i * c->stride, c->guard, false) != 0) {
                return GOI_STACK_GUARD_NONE;
            }
        }
    }
    return guard;
}

void goi_stack_force_guard(enum goi_stack_guard mode)
{
    uint32_t found = (uint32_t)mode;
    if (found == GOI_STACK_GUARD_AUTO || found == GOI_STACK_GUARD_INSTALLED) {
        found = guard_probe() ? GOI_STACK_GUARD_INSTALLED : GOI_STACK_GUARD_PROTECTED;
    }
    goi_stack_lock(&table_lock);
    guard_mode = found;
    goi_stack_unlock(&table_lock);
    /* A chunk has one kind of guard, so carving goes on in new ones. */
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        goi_stack_lock(&goi_stack_class[k].lock);
        goi_stack_class[k].chunk = 0;
        goi_stack_unlock(&goi_stack_class[k].lock);
    }
}

/* --- the table of chunks */

static void table_write_locked(struct chunk *h, uint32_t k, char *map, size_t bytes)
{
    uint32_t seq = ld_rlx(&h->xseq);
    st_rlx(&h->xseq, seq + 1);
    /* [STACK-FIND] release fence: a reader that sees a field of the new entry sees the odd count.
     * Pairs with the acquire fence in table_read. */
    fence_rel();
    st_rlx(&h->xklass, k);
    st_rlx(&h->xmap, (void *)map);
    st_rlx(&h->xbytes, bytes);
    st_rlx(&h->xcarved, 0);
    /* [STACK-FIND] release: an even count is seen only with the fields that belong to it. */
    st_rel(&h->xseq, seq + 2);
}

struct entry {
    char *map;
    size_t bytes;
    uint32_t klass, carved;
};

/* False: free or being changed. Async-signal-safe. */
static bool table_read(struct chunk *h, struct entry *out)
{
    uint32_t seq = ld_acq(&h->xseq); /* [STACK-FIND] partner: the store of seq + 2 */
    out->map = ld_rlx(&h->xmap);
    out->bytes = ld_rlx(&h->xbytes);
    out->klass = ld_rlx(&h->xklass);
    out->carved = ld_rlx(&h->xcarved);
    fence_acq(); /* [STACK-FIND] partner: fence in table_write_locked */
    return (seq & 1) == 0 && ld_rlx(&h->xseq) == seq && out->map != NULL;
}

/* An entry for a new mapping, filled; 0 when the table is full. */
static uint32_t table_add(uint32_t k, char *map, size_t bytes, uint32_t count)
{
    goi_stack_lock(&table_lock);
    uint32_t id = chunk_free;
    if (id != 0) {
        chunk_free = chunk_table[id].free_next;
    } else if (ld_rlx(&chunk_used) < GOI_CHUNKS_MAX) {
        id = ld_rlx(&chunk_used);
        /* [STACK-FIND] release, over-ordered: a new entry is all zero and therefore "free". */
        st_rel(&chunk_used, id + 1);
    }
    if (id != 0) {
        struct chunk *h = &chunk_table[id];
        h->count = count;
        h->cold = h->cold_word = h->cold_prev = h->cold_next = 0;
        h->guard
        = guard_choose_locked(count);
        table_write_locked(h, k, map, bytes);
        reserved += bytes;
        reserved_max = reserved > reserved_max ? reserved : reserved_max;
    }
    goi_stack_unlock(&table_lock);
    return id;
}

/* --- chunks */

static size_t chunk_bytes(uint32_t k, uint32_t windows)
{
    return page + windows * goi_stack_class[k].stride;
}

/* Reserves the next chunk of the class, at half the size as long as the system refuses. */
static uint32_t chunk_make_locked(uint32_t k)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    size_t most = small_space ? CHUNK_BYTES_MAX_SMALL : CHUNK_BYTES_MAX;
    for (uint32_t n = c->chunk_windows; n > 0; n /= 2) {
        size_t bytes = chunk_bytes(k, n);
        char *map = gop_pages_reserve(bytes, page);
        if (map == NULL) {
            continue;
        }
        gop_pages_no_huge(map, bytes);
        uint32_t id = table_add(k, map, bytes, n);
        if (id == 0) {
            gop_pages_release(map, bytes);
            break;
        }
        if (n < GOI_CHUNK_WINDOWS_MAX && chunk_bytes(k, 2 * n) <= most) {
            c->chunk_windows = 2 * n;
        }
        return id;
    }
    goi_stack_lock(&table_lock);
    refused++;
    goi_stack_unlock(&table_lock);
    return 0;
}

static void cold_link_locked(struct goi_stack_class *c, uint32_t id)
{
    chunk_table[id].cold_prev = 0;
    chunk_table[id].cold_next = c->chunk_cold;
    if (c->chunk_cold != 0) {
        chunk_table[c->chunk_cold].cold_prev = id;
    }
    c->chunk_cold = id;
}

static void cold_unlink_locked(struct goi_stack_class *c, uint32_t id)
{
    struct chunk *h = &chunk_table[id];
    if (h->cold_prev != 0) {
        chunk_table[h->cold_prev].cold_next = h->cold_next;
    } else {
        goi_assert(c->chunk_cold == id);
        c->chunk_cold = h->cold_next;
    }
    if (h->cold_next != 0) {
        chunk_table[h->cold_next].cold_prev = h->cold_prev;
    }
    h->cold_prev = h->cold_next = 0;
}

#ifdef GOI_PARANOID
static bool arena_check(uint32_t k)
{
    const struct goi_stack_class *c = &goi_stack_class[k];
    uint64_t cold = 0;
    for (uint32_t id = c->chunk_cold; id != 0; id = chunk_table[id].cold_next) {
        goi_must(chunk_table[id].cold > 0); /* A3 */
        cold += chunk_table[id].cold;
    }
    goi_must(cold == c->cold); /* A2 */
    return true;
}
#endif

/* Takes up to max cold windows out of their chunks. */
static uint32_t cold_take_locked(uint32_t k, struct spot *out, uint32_t max)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    uint32_t n = 0;
    while (n < max && c->chunk_cold != 0) {
        uint32_t id = c->chunk_cold;
        struct chunk *h = &chunk_table[id];
        goi_a64 *bits = cold_bits(h);
        uint32_t w = h->cold_word;
        while (ld_rlx(&bits[w]) == 0) { /* ends: A3 says that a bit is set */
            w++;
        }
        h->cold_word = w;
        uint64_t word = ld_rlx(&bits[w]);
        while (word != 0 && n < max) {
            uint32_t bit = (uint32_t)__builtin_ctzll(word);
            word &= word - 1;
            out[n++] = (struct spot)
            {
                .chunk = id, .index = w * 64 + bit, .guard
                = h->guard
            };
            h->cold--;
            c->cold--;
        }
        st_rlx(&bits[w], word);
        if (h->cold == 0) {
            cold_unlink_locked(c, id);
        }
    }
    return n;
}

static void cold_add_locked(struct goi_stack_class *c, uint32_t id, uint32_t index)
{
    struct chunk *h = &chunk_table[id];
    goi_a64 *bits = cold_bits(h);
    uint64_t bit = (uint64_t)1 << (index % 64);
    uint64_t word = ld_rlx(&bits[index / 64]);
    goi_must((word & bit) == 0); /* A1 */
    st_rlx(&bits[index / 64], word | bit);
    if (index / 64 < h->cold_word) {
        h->cold_word = index / 64;
    }
    if (h->cold == 0) {
        cold_link_locked(c, id);
    }
    h->cold++;
    c->cold++;
}

/* If all of the chunk is cold and nobody holds the arena: takes it out of the table, and the caller
 * unmaps *map after the locks. */
static bool chunk_detach_locked(uint32_t k, uint32_t id, char **map, size_t *bytes)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    struct chunk *h = &chunk_table[id];
    uint32_t carved = ld_rlx(&h->xcarved);
    if (h->cold != carved) {
        return false;
    }
    goi_stack_lock(&table_lock);
    bool free = hold_count == 0; /* A4 */
    if (free) {
        *map = chunk_map(h);
        *bytes = ld_rlx(&h->xbytes);
        cold_unlink_locked(c, id);
        h->cold = 0;
        c->chunk = c->chunk == id ? 0 : c->chunk;
        c->cold -= carved;
        c->windows -= carved;
        guard_uncount_locked(h->guard, h->count);
        table_write_locked(h, 0, NULL, 0);
        h->free_next = chunk_free;
        chunk_free = id;
        reserved -= *bytes;
    }
    goi_stack_unlock(&table_lock);
    return free;
}

/* --- taking windows out */

void goi_arena_avail_update_locked(uint32_t k)
{
    const struct goi_stack_class *c = &goi_stack_class[k];
    if (!c->in_ladder) {
        return;
    }
    bool any = c->last_resort || c->depot > 0 || c->cold > 0 || c->windows < c->quota;
    uint32_t bit = (uint32_t)1 << k;
    /* Relaxed: a hint. A reader with an old value takes a narrower window, or comes to ask in vain
     * and goes on to the next class. */
    if (any && (ld_rlx(&goi_stack_avail) & bit) == 0) {
        or_rlx(&goi_stack_avail, bit);
    } else if (!any && (ld_rlx(&goi_stack_avail) & bit) != 0) {
        and_rlx(&goi_stack_avail, ~bit);
    }
}

/* Makes up to max new windows, neighbours of one chunk. They are guarded and written after the lock
 * is released. */
static uint32_t carve_locked(uint32_t k, bool by_default, struct spot *out, uint32_t max)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    if (by_default && !c->last_resort) {
        if (c->windows >= c->quota) {
            return 0;
        }
        max = (uint32_t)goi_min_size(max, c->quota - c->windows);
    }
    if (c->chunk == 0) {
        c->chunk = chunk_make_locked(k);
        if (c->chunk == 0) {
            /* Do not ask again at every spawn: default requests are content with what exists. */
            c->quota = by_default ? (uint32_t)goi_min_size(c->quota, c->windows) : c->quota;
            return 0;
        }
    }
    struct chunk *h = &chunk_table[c->chunk];
    uint32_t carved = ld_rlx(&h->xcarved);
    uint32_t n = (uint32_t)goi_min_size(max, h->count - carved);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (struct spot)
        {
            .chunk = c->chunk, .index = carved + i, .guard
            = h->guard
        };
    }
    /* Relaxed: find reads it to tell windows from address space nobody was given yet. */
    st_rlx(&h->xcarved, carved + n);
    c->windows += n;
    c->windows_max = c->windows > c->windows_max ? c->windows : c->windows_max;
    if (carved + n == h->count) {
        c->chunk = 0;
    }
    return n;
}

/* Guards a run of new windows. */
static void run_guard(uint32_t k, struct spot *spots, uint32_t n)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    struct chunk *h = &chunk_table[spots[0].chunk];
    char *first = chunk_map(h) + page + (size_t)spots[0].index * c->stride;
    uint32_t guard
    = guard_windows(c, first, n, spots[0].guard);
    if (guard == spots[0].guard) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        spots[i].guard
        = guard;
    }
    if (guard == GOI_STACK_GUARD_NONE) {
        /* Cold windows lose their headers: from now on the whole chunk claims no guards. */
        goi_stack_lock(&c->lock);
        goi_stack_lock(&table_lock);
        guard_uncount_locked(h->guard, h->count);
        h->guard
        = guard;
        none_count += h->count;
        goi_stack_unlock(&table_lock);
        goi_stack_unlock(&c->lock);
    }
}

uint32_t goi_arena_take(uint32_t k, bool by_default, struct goi_stack **out, uint32_t max)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    struct spot spots[GOI_STACK_BATCH];
    goi_must(max <= GOI_STACK_BATCH);
    goi_stack_lock(&c->lock);
    /* A header is a touched page, so a program with few goroutines takes few at a time. */
    max = (uint32_t)goi_min_size(max, 1 + (c->windows - c->cold) / 4);
    uint32_t n = cold_take_locked(k, spots, max);
    bool fresh = n == 0;
    if (fresh) {
        n = carve_locked(k, by_default, spots, max);
    }
    goi_arena_avail_update_locked(k);
    goi_check(arena_check(k));
    goi_stack_unlock(&c->lock);
    if (fresh && n > 0) {
        run_guard(k, spots, n);
    }
    for (uint32_t i = 0; i < n; i++) {
        out[i] = header_write(k, &spots[i]);
    }
    return n;
}

/* --- giving windows back */

/* Neighbours are discarded by one call: discarding does not touch the guards between them. */
static void discard_runs(const struct goi_stack_class *c, struct goi_stack **s, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct goi_stack *x = s[i];
        uint32_t j = i;
        for (; j > 0 && s[j - 1] > x; j--) {
            s[j] = s[j - 1];
        }
        s[j] = x;
    }
    for (uint32_t i = 0; i < n;) {
        char *lo = s[i]->lo;
        char *end = s[i]->window + c->stride;
        i++;
        while (i < n && s[i]->window == end) {
            end += c->stride;
            i++;
        }
        (void)gop_pages_discard(lo, (size_t)(end - lo));
    }
}

void goi_arena_cool(uint32_t k, struct goi_stack **s, uint32_t n)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    struct {
        char *map;
        size_t bytes;
    } gone[GOI_STACK_BATCH];
    uint32_t chunks[GOI_STACK_BATCH], indexes[GOI_STACK_BATCH], gone_count = 0;
    goi_must(n <= GOI_STACK_BATCH);
    for (uint32_t i = 0; i < n; i++) {
        chunks[i] = s[i]->chunk;
        indexes[i] = s[i]->index;
    }
    discard_runs(c, s, n);
    goi_stack_lock(&c->lock);
    for (uint32_t i = 0; i < n; i++) {
        cold_add_locked(c, chunks[i], indexes[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = chunks[i];
        if (id == 0 ||
            !chunk_detach_locked(k, id, &gone[gone_count].map, &gone[gone_count].bytes)) {
            continue;
        }
        gone_count++;
        /* The entry may serve another class by now: forget it. */
        for (uint32_t j = i; j < n; j++) {
            chunks[j] = chunks[j] == id ? 0 : chunks[j];
        }
    }
    goi_arena_avail_update_locked(k);
    goi_check(arena_check(k));
    goi_stack_unlock(&c->lock);
    for (uint32_t i = 0; i < gone_count; i++) {
        gop_pages_release(gone[i].map, gone[i].bytes);
    }
}

void goi_arena_sweep(uint32_t k)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    goi_stack_lock(&c->lock);
    uint32_t id = c->chunk_cold;
    while (id != 0) {
        uint32_t next = chunk_table[id].cold_next;
        char *map;
        size_t bytes;
        if (chunk_detach_locked(k, id, &map, &bytes)) {
            gop_pages_release(map, bytes);
        }
        id = next;
    }
    goi_stack_unlock(&c->lock);
}

/* --- looking at all of them */

enum goi_stack_where goi_stack_find(const void *addr, struct goi_stack *out)
{
    const char *a = addr;
    uint32_t used = ld_acq(&chunk_used); /* [STACK-FIND] over-ordered, partner in table_add */
    for (uint32_t id = 1; id < used; id++) {
        struct entry e;
        if (!table_read(&chunk_table[id], &e) || a < e.map + page || a >= e.map + e.bytes) {
            continue;
        }
        const struct goi_stack_class *c = &goi_stack_class[e.klass];
        uint32_t index = (uint32_t)((size_t)(a - (e.map + page)) / c->stride);
        if (index >= e.carved) {
            return GOI_STACK_NOWHERE;
        }
        struct goi_stack s = {0};
        place(&s, e.klass, id, e.map, index);
        if (out != NULL) {
            *out = s;
        }
        return a < s.lo ? GOI_STACK_IN_GUARD : GOI_STACK_INSIDE;
    }
    return GOI_STACK_NOWHERE;
}

void goi_stack_ranges(void (*fn)(const void *lo, size_t bytes, void *arg), void *arg)
{
    uint32_t used = ld_acq(&chunk_used); /* [STACK-FIND] over-ordered, partner in table_add */
    for (uint32_t id = 1; id < used; id++) {
        struct entry e;
        if (table_read(&chunk_table[id], &e)) {
            fn(e.map, e.bytes, arg);
        }
    }
}

void goi_stack_each(bool (*fn)(struct goi_stack *s, void *arg), void *arg)
{
    uint32_t used = ld_acq(&chunk_used); /* [STACK-FIND] over-ordered, partner in table_add */
    for (uint32_t id = 1; id < used; id++) {
        struct chunk *h = &chunk_table[id];
        struct entry e;
        if (!table_read(h, &e)) {
            continue;
        }
        for (uint32_t i = 0; i < e.carved; i++) {
            /* Relaxed: a window that turns cold at this moment reads as zeros, which callers take
             * for a dead descriptor. */
            if ((ld_rlx(&cold_bits(h)[i / 64]) >> (i % 64) & 1) == 0 &&
                !fn(header_of(h, id, i), arg)) {
                return;
            }
        }
    }
}

uint32_t goi_arena_chunks(void)
{
    return ld_acq(&chunk_used); /* [STACK-FIND] over-ordered, partner in table_add */
}

bool goi_arena_chunk(uint32_t id, struct goi_arena_chunk *out)
{
    struct entry e;
    uint32_t seq = ld_rlx(&chunk_table[id].xseq); /* relaxed: a hold keeps it as it is */
    if (!table_read(&chunk_table[id], &e)) {
        return false;
    }
    *out = (struct goi_arena_chunk){e.map, e.bytes, e.klass, e.carved, seq};
    return true;
}

bool goi_arena_window(uint32_t id, const struct goi_arena_chunk *c, uint32_t index,
                      struct goi_stack *out)
{
    *out = (struct goi_stack){0};
    place(out, c->klass, id, c->map, index);
    /* Relaxed: one that turns cold at this moment reads as zeros, as for goi_stack_each. */
    return (ld_rlx(&cold_bits(&chunk_table[id])[index / 64]) >> (index % 64) & 1) == 0;
}

void goi_stack_hold(void)
{
    goi_stack_lock(&table_lock);
    hold_count++;
    goi_stack_unlock(&table_lock);
}

bool goi_stack_try_hold(void)
{
    if (!goi_stack_trylock(&table_lock)) {
        return false;
    }
    hold_count++;
    goi_stack_unlock(&table_lock);
    return true;
}

void goi_stack_unhold(void)
{
    goi_stack_lock(&table_lock);
    goi_must(hold_count > 0);
    hold_count--;
    goi_stack_unlock(&table_lock);
}

void goi_arena_stats(struct goi_stack_stats *out)
{
    goi_stack_lock(&table_lock);
    out->reserved = reserved;
    out->reserved_max = reserved_max;
    out->refused = refused;
    out->guards_protected = protected_count;
    out->guards_none = none_count;
    goi_stack_unlock(&table_lock);
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        struct goi_stack_class *c = &goi_stack_class[k];
        goi_stack_lock(&c->lock);
        out->windows[k] = c->windows;
        out->windows_max[k] = c->windows_max;
        out->depot[k] = c->depot;
        out->cold[k] = c->cold;
        goi_stack_unlock(&c->lock);
    }
}

void goi_arena_view(struct goi_arena_view *out)
{
    *out = (struct goi_arena_view){.table = chunk_table,
                                   .used = &chunk_used,
                                   .classes = goi_stack_class,
                                   .entry = sizeof(struct chunk),
                                   .seq = offsetof(struct chunk, xseq),
                                   .klass = offsetof(struct chunk, xklass),
                                   .map = offsetof(struct chunk, xmap),
                                   .carved = offsetof(struct chunk, xcarved),
                                   .colours = COLOURS,
                                   .colour_step = COLOUR_STEP,
                                   .page = (uint32_t)page};
}

/* --- start */

static void class_init(uint32_t k)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    c->bytes = GOI_STACK_SIZE_MIN << k;
    c->guard
    = goi_round_up((k < 4 ? 3 : 17) * (size_t)4096, page);
    if ((c->bytes + c->guard) / page % 2 == 0) {
        c->guard
        += page;
    }
    c->stride = c->bytes + c->guard;
    c->ring = k < 7 ? GOI_STACK_RING : k < 11 ? GOI_STACK_RING / 2 : 0;
    c->batch = c->ring > 0 ? c->ring / 2 : 1;
    /* First chunks: 64 narrow windows (5 MiB), 16 of 1 MiB, 4 of 64 MiB. */
    c->chunk_windows = k < 5 ? 64u >> (k / 2) : k < 11 ? 4 : 1;
    if (small_space && k >= 4) {
        c->chunk_windows = k < 8 ? 2 : 1;
    }
}

void goi_arena_add_cache(void)
{
    for (uint32_t i = 0; i < ladder_steps; i++) {
        struct goi_stack_class *c = &goi_stack_class[ladder[i].klass];
        goi_stack_lock(&c->lock);
        c->quota += ladder[i].per_cache;
        goi_arena_avail_update_locked(ladder[i].klass);
        goi_stack_unlock(&c->lock);
    }
}

void goi_arena_init(void)
{
    page = gop_page_size();
    small_space = gop_small_address_space();
    ladder = small_space ? ladder_small : ladder_wide;
    ladder_steps = small_space ? goi_countof(ladder_small) : goi_countof(ladder_wide);
    st_rlx(&chunk_used, 1);
    /* A guard by mprotect turns one mapping into three, so a quarter as many guards as there may
     * be mappings leaves half of them to everybody else. */
    protected_max = gop_max_map_count() / 4;
    if (under_valgrind()) {
        protected_max = goi_min_size(protected_max, VALGRIND_GUARDS);
    }
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        class_init(k);
    }
    for (uint32_t i = 0; i < ladder_steps; i++) {
        struct goi_stack_class *c = &goi_stack_class[ladder[i].klass];
        c->in_ladder = true;
        c->last_resort = i + 1 == ladder_steps;
        c->quota = ladder[i].quota;
        goi_stack_ladder |= (uint32_t)1 << ladder[i].klass;
        goi_arena_avail_update_locked(ladder[i].klass);
    }
    goi_stack_force_guard(GOI_STACK_GUARD_AUTO);
}
