/* SPDX-License-Identifier: MIT */
/* arena.h: what stack.c, trim.c and overflow.c share. The protocol is told in arena.c. */
#ifndef GOI_STACK_ARENA_H
#define GOI_STACK_ARENA_H
#include "base/assert.h"
#include "os/os.h"
#include "stack/stack.h"

#define GOI_CHUNKS_MAX        16384
#define GOI_CHUNK_WINDOWS_MAX 16384

/* A lock that blocks the thread. src/lock stands above this layer. 0 free, 1 held, 2 waited for. */
struct goi_stack_lock {
    goi_a32 state;
};
void goi_stack_lock(struct goi_stack_lock *l);
bool goi_stack_trylock(struct goi_stack_lock *l);
void goi_stack_unlock(struct goi_stack_lock *l);

/* [c] constant after init · [l] under the lock of the class */
struct goi_stack_class {
    struct goi_stack_lock lock;
    uint32_t ring;                  /* [c] windows a P may keep; 0: unmapped on put */
    uint32_t batch;                 /* [c] windows moved at once between a P and the depot */
    size_t bytes;                   /* [c] window without its guard */
    size_t guard;                   /* [c] */
    size_t stride;                  /* [c] bytes + guard: an odd number of pages */
    struct goi_stack *first, *last; /* [l] depot: batches, most recently used first */
    uint32_t depot;                 /* [l] windows in it */
    uint32_t depot_low;             /* [l] least value of `depot` in this trim epoch */
    uint32_t release;               /* [l] windows to be cooled in this trim epoch */
    uint32_t windows;               /* [l] existing */
    uint32_t windows_max;           /* [l] */
    goi_a32 refills;                /* [stat] batches that caches took from depot or arena */
    uint32_t quota;                 /* [l] default requests make new windows up to this number */
    uint32_t cold;                  /* [l] windows without memory, ready to be taken */
    uint32_t chunk;                 /* [l] where new windows are carved; 0: none */
    uint32_t chunk_cold;            /* [l] list of chunks with cold windows; 0: end */
    uint32_t chunk_windows;         /* [l] size of the next chunk */
    bool in_ladder;                 /* [c] */
    bool last_resort;               /* [c] the narrowest default class: no quota */
} GOI_ALIGNED(GOI_CACHE_LINE);

extern struct goi_stack_class goi_stack_class[GOI_STACK_CLASSES];

/* Bit k: class k is a default class and a default request may find a window outside the caches.
 * A hint: set and cleared under the class locks, read anywhere. */
extern goi_a32 goi_stack_avail;
extern uint32_t goi_stack_ladder; /* [c] bit k: class k is a default class */
extern goi_a32 goi_stack_epoch;   /* counts trim epochs */

void goi_arena_init(void);

/* Up to `max` windows of class k, cold or new, with guard and header. For a default request new
 * ones only within the quota. 0: nothing to be had. */
uint32_t goi_arena_take(uint32_t k, bool by_default, struct goi_stack **out, uint32_t max);

/* Gives the memory of n windows of class k back to the kernel. They may be unmapped. */
void goi_arena_cool(uint32_t k, struct goi_stack **s, uint32_t n);

/* Unmaps chunks of class k that a hold kept. Called by the trimmer. */
void goi_arena_sweep(uint32_t k);

/* One more P's cache: the quotas of wide windows grow by what it may keep to itself. */
void goi_arena_add_cache(void);

/* Sets or clears k's bit in goi_stack_avail. Under the class lock. */
void goi_arena_avail_update_locked(uint32_t k);

/* The depot: push takes n >= 1 windows as one batch; pop gives the most recently used batch, or
 * the oldest one, and 0 when there is none. Under the class lock. */
void goi_depot_push_locked(uint32_t k, struct goi_stack **s, uint32_t n);
uint32_t goi_depot_pop_locked(uint32_t k, struct goi_stack **out);
uint32_t goi_depot_pop_oldest_locked(uint32_t k, struct goi_stack **out);

/* --- chunks, for hibernate.c: numbers from 1 to below goi_arena_chunks(). What they say holds
 * while a hold (goi_stack_hold) is in force. */
struct goi_arena_chunk {
    char *map;
    size_t bytes;
    uint32_t klass, carved;
    uint32_t seq;                   /* another value for each life of the number */
};
uint32_t goi_arena_chunks(void);
bool goi_arena_chunk(uint32_t id, struct goi_arena_chunk *out);     /* false: free */
/* The place of a window that was carved; false: it is cold. */
bool goi_arena_window(uint32_t id, const struct goi_arena_chunk *c, uint32_t index,
                      struct goi_stack *out);

void goi_arena_stats(struct goi_stack_stats *out);

/* Where the windows are, for who reads this process's memory from outside (debug/top.h): the table
 * of chunks, how many of its entries may be in use, and offsets in an entry. The descriptor of
 * window i of chunk c ends colour_step * ((c + i) % colours) and a struct goi_stack below the end
 * of the window, which is `page + (i + 1) * stride` above the chunk's map. */
struct goi_arena_view {
    const void *table;
    const goi_a32 *used;
    const struct goi_stack_class *classes;
    uint32_t entry, seq, klass, map, carved;
    uint32_t colours, colour_step, page;
};
void goi_arena_view(struct goi_arena_view *out);
extern goi_a64 goi_stack_trimmed; /* [stat] windows cooled by the trimmer */

#endif
