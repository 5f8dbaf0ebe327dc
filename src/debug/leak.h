/* SPDX-License-Identifier: MIT */
/* leak.h: what the files of the leak check share. The protocol is in leak.c.
 *
 *   leak.c        the verdict: who is alive, fixed point, report
 *   leak_mark.c   following pointers
 *   leak_heap.c   the C library's heap as single pieces
 *   leak_stop.c   stopping threads, their registers
 */
#ifndef GOI_DEBUG_LEAK_H
#define GOI_DEBUG_LEAK_H
#include "debug/internal.h"
#include "os/inspect.h"

/* [lo, hi) */
struct goi_range { uintptr_t lo, hi; };

/* A goroutine in the check. */
struct goi_leak_g {
    struct g *g;
    uintptr_t sp;           /* where its stack begins, if it is parked; 0: not known */
    uintptr_t top;          /* where it ends */
    uintptr_t end;          /* where its frames end: above it the goroutine keeps no records */
    bool parked;            /* waits for somebody: alive only if it can be reached */
    bool live;
};

/* An address that means goroutine `index`: of its stack, or of its descriptor. Sorted, disjoint. */
struct goi_leak_target { uintptr_t lo, hi; size_t index; };

/* A part of the C library's heap that could be taken to pieces. Bits by 16 bytes. */
struct goi_leak_heap {
    uintptr_t lo, hi;       /* the first piece's header, and the end */
    uint64_t *start;        /* a piece begins here */
    uint64_t *done;         /* it has been reached, or is free */
    uint32_t *block;        /* by 4096 bytes: the piece that covers the beginning, in 16 bytes */
};

/* Somebody waits for the object without a pointer from it to him. */
struct goi_leak_edge { uintptr_t object; uintptr_t record; };

/* A thread that stands still. */
struct goi_leak_thread {
    int tid;
    goi_a32 stopped;        /* [a:LEAKSTOP] */
    uintptr_t sp;           /* what it had */
    bool ours;              /* never runs user code: what vector registers hold is left over */
    struct goi_range regs;  /* where its registers lie */
    struct goi_range handler;   /* the signal stack that it stands on; or empty */
};

enum { GOI_LEAK_ITEMS = 510 };
struct goi_leak_work {
    struct goi_leak_work *next;
    size_t n;
    struct goi_range item[GOI_LEAK_ITEMS];
};

enum { GOI_LEAK_HEAPS = 1024, GOI_LEAK_OWN = 4096 };

struct goi_leak {
    const char *problem;    /* why there is no verdict, or NULL */
    int look;               /* for gop_pages_look */
    struct goi_leak_g *gs;
    size_t ngs, gs_room;
    struct goi_leak_target *targets;
    size_t ntargets;
    uintptr_t target_lo, target_hi;
    struct goi_leak_edge *edges;
    size_t nedges, edges_room;
    struct goi_leak_thread *threads;
    size_t nthreads, threads_room;
    struct gop_mapping *maps;
    size_t nmaps, maps_room;
    struct goi_range *skip; /* no pointers of the program in there; sorted, disjoint */
    size_t nskip, skip_room;
    struct goi_leak_heap heap[GOI_LEAK_HEAPS];
    size_t nheaps;
    uintptr_t heap_lo, heap_hi;
    struct goi_leak_work *work, *spare;
    struct goi_range own[GOI_LEAK_OWN]; /* memory of this check */
    size_t nown;
    struct goi_range main_stack;
    bool halls_known;
};

/* Zeroed memory, for the time of the check; NULL sets `problem`. */
void *goi_leak_alloc(struct goi_leak *l, size_t size);

/* --- leak_heap.c: takes [lo, hi) to pieces from its beginning or from further on. Returns where
 * the pieces begin, hi if there are none: what is before is ordinary memory. */
uintptr_t goi_leak_heap_break(struct goi_leak *l, uintptr_t lo, uintptr_t hi);
/* The same for a heap of the C library at an address that it would choose; *end: where its memory
 * ends. 0 if there is none. */
uintptr_t goi_leak_heap_arena(struct goi_leak *l, uintptr_t lo, uintptr_t hi, uintptr_t *end);
/* After all heaps are known: what lies in the caches of threads is free. */
void goi_leak_heap_caches(struct goi_leak *l);
/* The C library's variable that describes the first heap, if it lies in [lo, hi). */
bool goi_leak_heap_state(const struct goi_leak *l, uintptr_t lo, uintptr_t hi,
                         struct goi_range *state);
/* The next address behind `at` where such a heap could begin; false: there is none. */
bool goi_leak_heap_next(uintptr_t at, uintptr_t *next);
/* The piece that holds an address; false when it is in no heap. */
bool goi_leak_heap_find(const struct goi_leak *l, uintptr_t at, struct goi_leak_heap **heap,
                        struct goi_range *piece);
bool goi_leak_heap_take(struct goi_leak_heap *heap, const struct goi_range *piece);
bool goi_leak_heap_taken(const struct goi_leak_heap *heap, const struct goi_range *piece);

/* --- leak_mark.c */
/* Before the marks: the memory is not looked into. */
void goi_leak_skip(struct goi_leak *l, uintptr_t lo, uintptr_t hi);
void goi_leak_skip_object(struct goi_leak *l, const void *object);
void goi_leak_sort_skips(struct goi_leak *l);
void goi_leak_sort_targets(struct goi_leak *l);
/* Something that is alive holds this word. */
void goi_leak_word(struct goi_leak *l, uintptr_t word);
/* The words of a goroutine beside those of its frames; those of its stack from `sp` on. To be
 * looked at by the next goi_leak_drain(). */
void goi_leak_descriptor(struct goi_leak *l, const struct g *g);
void goi_leak_stack(struct goi_leak *l, const struct goi_leak_g *lg, uintptr_t sp);
/* The words of memory that is there. */
void goi_leak_words(struct goi_leak *l, uintptr_t lo, uintptr_t hi);
/* The words of a mapping, as far as it is there and not to be skipped; of a goroutine's `stack` all
 * that is there. */
void goi_leak_mapping(struct goi_leak *l, uintptr_t lo, uintptr_t hi, bool stack);
/* Follows all that has been found. */
void goi_leak_drain(struct goi_leak *l);
/* Is the memory at `at` within reach? */
bool goi_leak_reached(const struct goi_leak *l, uintptr_t at);

/* --- leak_stop.c: every thread that could be in the middle of something stands still until it is
 * let go. False, and `problem`: not all of them do. */
bool goi_leak_stop(struct goi_leak *l);
void goi_leak_go_on(struct goi_leak *l);

/* --- leak.c */
/* One check, or one report of a cycle (cycle.c), at a time. */
extern struct goi_lock goi_check_lock;
/* GORTDEBUG=leakscan: looks at this interval, or less often if a look takes long. */
void goi_leak_scan_start(int64_t every);

#endif
