/* SPDX-License-Identifier: MIT */
/* stack.h: windows of memory for goroutine stacks, and the report when one overflows.
 *
 * A window, from low to high addresses:
 *
 *     window          lo                                    top
 *     | guard pages   | stack, grows down  <---------- | descriptor | struct goi_stack | colour |
 *
 * The caller owns `GOI_STACK_DESC_BYTES` at `top` and everything in [lo, top); the layer owns the
 * rest. Only touched pages cost memory. Design and measurements: arena.c, stack.c, trim.c.
 */
#ifndef GOI_STACK_H
#define GOI_STACK_H
#include "base/atomic.h"
#include "base/base.h"

#define GOI_STACK_DESC_BYTES 512
#define GOI_STACK_SIZE_MIN   ((size_t)64 << 10)
#define GOI_STACK_SIZE_MAX   ((size_t)1 << 30)
/* Classes are powers of two, 64 KiB << klass, from 64 KiB to 1 GiB. */
#define GOI_STACK_CLASSES 15
#define GOI_STACK_BATCH   16
#define GOI_STACK_RING    (2 * GOI_STACK_BATCH)

enum goi_stack_guard {
    GOI_STACK_GUARD_AUTO,      /* for goi_stack_force_guard only: the best that works */
    GOI_STACK_GUARD_INSTALLED, /* MADV_GUARD_INSTALL: no VMA is split */
    GOI_STACK_GUARD_PROTECTED, /* mprotect: two VMAs each, so their number is bounded */
    GOI_STACK_GUARD_NONE,      /* callers must use goi_stack_low_check() */
};

/* [c] constant while the window exists · [l] under the class lock. One per window, inside it. */
struct goi_stack {
    char *lo;              /* [c] lowest usable address, just above the guard */
    char *top;             /* [c] the descriptor; 64-aligned; the stack grows down from here */
    char *window;          /* [c] lowest address of the guard */
    size_t size;           /* [c] top - lo */
    uint32_t klass;        /* [c] */
    uint32_t guard;        /* [c] enum goi_stack_guard */
    uint32_t chunk, index; /* [c] place in the arena */
    struct goi_stack *next, *prev; /* [l] depot list; meaningful in a batch's head */
    uint32_t batch_count;          /* [l] windows in the batch, with its head */
    uint32_t unused;
    struct goi_stack *batch[GOI_STACK_BATCH - 1]; /* [l] the others */
};
_Static_assert(sizeof(struct goi_stack) == 192, "the top page is budgeted, see arena.c");

/* One per P, zero is valid. Plain memory: only the P's owner may touch it. */
struct goi_stack_cache {
    uint32_t nonempty; /* bit k: ring[k].count > 0 */
    uint32_t epoch;    /* trim epoch this cache has dealt with */
    uint32_t probes;   /* puts still to be trimmed in this epoch */
    bool known;        /* counted in the quotas */
    struct goi_stack_ring {
        uint32_t count;
        struct goi_stack *slot[GOI_STACK_RING];
    } ring[GOI_STACK_CLASSES];
};

/* Probes the kernel and chooses the ladder of default sizes. Once, before anything else here. */
void goi_stack_init(void);

/* A window with at least `want` bytes between lo and the window's end, or, for want == 0, of the
 * widest default class that is still free (64 MiB while few are in use). NULL: the system refused
 * the memory, or want > GOI_STACK_SIZE_MAX. The descriptor reads as the last user left it, or as
 * zeros when the window is new or was given back to the kernel in between. Preserves errno. Does
 * not park; may block the thread briefly on a lock. */
struct goi_stack *goi_stack_get(struct goi_stack_cache *c, size_t want);

/* Gives a window back. Nothing runs on it and nothing points into its stack any more. The
 * descriptor's contents stay until a trim drops them. Windows of 128 MiB and more are unmapped. */
void goi_stack_put(struct goi_stack_cache *c, struct goi_stack *s);
/* The same for a caller that remembers klass: the window's header is not read, which saves a cache
 * miss when very many goroutines live. */
void goi_stack_put_as(struct goi_stack_cache *c, struct goi_stack *s, uint32_t klass);

/* Hands all windows to the global lists, e.g. when the P goes idle for long. Owner of the P. */
void goi_stack_cache_flush(struct goi_stack_cache *c);

enum goi_stack_where { GOI_STACK_NOWHERE = 0, GOI_STACK_INSIDE, GOI_STACK_IN_GUARD };
/* Which window holds addr; fills lo, top, window, size, klass, chunk and index of *out (which may
 * be NULL). Async-signal-safe, reads no window. Windows never handed out count as nowhere. */
enum goi_stack_where goi_stack_find(const void *addr, struct goi_stack *out);

/* The header of the window whose descriptor this is, and back. */
static inline struct goi_stack *goi_stack_of(void *desc)
{
    return (struct goi_stack *)(void *)((char *)desc + GOI_STACK_DESC_BYTES);
}
static inline void *goi_stack_desc(struct goi_stack *s)
{
    return (char *)s - GOI_STACK_DESC_BYTES;
}

/* Bytes a runtime entry needs below sp. On windows without a guard the runtime asks at each entry
 * that leaves the fast path, and reports an overflow when this is true. */
#define GOI_STACK_LOW_MARGIN 8192
static inline bool goi_stack_low_check(const struct goi_stack *s, const void *sp)
{
    return s->guard
    == GOI_STACK_GUARD_NONE && (uintptr_t)sp < (uintptr_t)s->lo + GOI_STACK_LOW_MARGIN;
}

/* For windows made from now on; a mode the kernel refuses falls to the next weaker one. Tests. */
void goi_stack_force_guard(enum goi_stack_guard mode);

/* Calls fn for each range of addresses in which windows lie, or will. Takes no lock. */
void goi_stack_ranges(void (*fn)(const void *lo, size_t bytes, void *arg), void *arg);

/* Calls fn for every window whose descriptor is in memory, in use or cached; fn tells them apart by
 * the descriptor. Stops when fn returns false. While goi_stack_hold() is in force no window is
 * unmapped; hold before each() whenever other threads run. Not from a signal handler that may have
 * interrupted the layer: use goi_stack_try_hold() there, which gives up instead of waiting. */
void goi_stack_each(bool (*fn)(struct goi_stack *s, void *arg), void *arg);
void goi_stack_hold(void);
bool goi_stack_try_hold(void);
void goi_stack_unhold(void);

/* --- making windows ahead (prepare.c) */

/* From the background thread, while a processor has nothing better to do: makes one batch of
 * windows, some 50 us of work, when goroutines are being started faster than windows come back.
 * False: not needed now. One caller at a time. */
bool goi_stack_prepare(void);

/* --- giving memory back (trim.c) */

/* Drops the pages of a parked goroutine's window below sp. The caller guarantees that the goroutine
 * is not resumed meanwhile. 1 to 2 us; any thread. */
void goi_stack_trim(struct goi_stack *s, const void *sp);

/* From a background thread, about once a second: gives windows that nobody took for a while back to
 * the kernel, at most about 2 ms of work a call. Returns when it wants to be called next:
 * GOI_FOREVER when all that is left to trim depends on new puts. One caller at a time. `now` is the
 * time; `clock` is asked how long the call takes, and may be another clock than that of `now`. */
int64_t goi_stack_trim_cached(int64_t now, int64_t (*clock)(void));

/* --- overflow report (overflow.c) */

/* Installs the SIGSEGV and SIGBUS handlers. `report` runs on the alternate stack of the faulting
 * thread when the fault address lies in a guard, and should not return (if it does, the previous
 * disposition applies). `s` is a copy. 0 or -errno. Once. */
int goi_overflow_init(void (*report)(const struct goi_stack *s, void *fault, void *ucontext));

/* Bytes that goi_overflow_thread_init wants. */
size_t goi_overflow_stack_size(void);
/* Gives the calling thread an alternate signal stack, in `mem` (goi_overflow_stack_size() bytes
 * that outlive the thread) or, for NULL, in fresh memory. A thread that already has one at least as
 * large keeps it. 0 or -errno. */
int goi_overflow_thread_init(void *mem);
/* Where what thread_init(NULL) mapped begins, guard included; NULL: it mapped none. */
void *goi_overflow_thread_stack(void);
/* For a thread that ends while the process goes on: takes back what thread_init(NULL) mapped. */
void goi_overflow_thread_fini(void);

/* --- figures. Takes the locks one after the other: each class is exact at some moment. */
struct goi_stack_stats {
    uint64_t reserved; /* bytes of address space now, and at most */
    uint64_t reserved_max;
    uint64_t windows[GOI_STACK_CLASSES]; /* existing: in use, cached or cold */
    uint64_t windows_max[GOI_STACK_CLASSES];
    uint64_t depot[GOI_STACK_CLASSES]; /* warm, in the global lists */
    uint64_t cold[GOI_STACK_CLASSES];  /* memory given back to the kernel */
    uint64_t guards_protected, guards_none;
    uint64_t trimmed; /* windows made cold, ever */
    uint64_t refused; /* reservations the system refused */
};
void goi_stack_stats(struct goi_stack_stats *out);

#endif
