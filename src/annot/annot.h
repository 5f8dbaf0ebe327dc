/* SPDX-License-Identifier: MIT */
/* annot.h: the one seam to ThreadSanitizer, AddressSanitizer and Valgrind.
 *
 * One library binary serves all: the hooks are weak references that resolve when the program is
 * linked with a sanitizer's runtime. goi_annot is 0 without one, and the hot paths test only that.
 *
 * TSan: each goroutine, and each thread's scheduler stack, is a fiber: TSan keeps a shadow of each
 * one's calls. There are two views of what is ordered before what, and the library's own
 * build decides which:
 *
 *   goroutines  The library is an ordinary one, the program has -fsanitize=thread (gort run -race).
 *               TSan does not see the runtime. Switching orders nothing, because the order that the
 *               scheduler happens to give, even on one thread, is not one that the program may rely
 *               on. The orders it may rely on are announced by goi_race_*, exactly as Go's memory
 *               model has them. Go's own detector works like this: its runtime is not instrumented.
 *   threads     The library is built with -fsanitize=thread too (GORT_SANITIZE): every access and
 *               every atomic of the runtime is seen, and what is looked for is a fault of ours.
 *               What runs on one thread is ordered, so a switch orders its two sides. All other
 *               orders must come from the atomics themselves. The hand-shake of in_rt and attn
 *               needs no word here: its release and acquire are the order (hold.c, H2 and H3). That
 *               it excludes, which TSan cannot see, is the model's business (tests/model).
 *
 * One view cannot be both: a runtime whose locks TSan sees orders any two goroutines that take
 * them, and hides the program's races; one whose switches order nothing is itself one race.
 *
 * There is no suppression. annot.c is never instrumented, since a function that tells TSan of a
 * switch returns on another shadow of calls than it was called on. A stack that is used again is
 * forgotten by TSan before (goi_annot_end): its next goroutine must not be said to race with frames
 * of the last, and no order between the two may be announced, for there is none. TSan's own limits
 * remain: goi_annot_most goroutines at a time, 65536 calls deep.
 *
 * TSan keeps a signal from its handler until the thread that it came to makes a call that TSan
 * knows, and the runtime's sleeps are none. So with TSan who sleeps in the runtime takes no signals
 * (gop_sleepers_deaf), and sysmon naps in a call that TSan knows where it would sleep without end:
 * a thread is always there that takes them. What comes to one that computes waits until it calls
 * something, as in any program under TSan.
 *
 * ASan: start/finish_switch_fiber keep its idea of the current stack and its fake stacks.
 * Valgrind: stacks are registered, so that a switch is not taken for a huge allocation.
 */
#ifndef GOI_ANNOT_H
#define GOI_ANNOT_H
#include "base/base.h"

enum { GOI_ANNOT_TSAN = 1, GOI_ANNOT_ASAN = 2, GOI_ANNOT_VALGRIND = 4, GOI_ANNOT_RACE = 8 };
extern uint32_t goi_annot;          /* constant after goi_annot_init() */

/* A stack as the sanitizers see it; part of every goroutine and of every M's scheduler stack. */
struct goi_annot_stack {
    void *fiber;                    /* TSan */
    void *fake;                     /* ASan fake stack while not running */
    const char *lo, *hi;            /* bounds */
};

void goi_annot_init(void);
int goi_annot_threads(void);        /* the tool's own threads in this process, now */
/* How many goroutines there may be at a time under TSan, which dies of 8128 with the threads. */
extern uint32_t goi_annot_most;
/* A goroutine begins on [lo, hi): makes its fiber, named after its id and go statement. False: it
 * would be one too many. */
bool goi_annot_begin(struct goi_annot_stack *s, uint64_t id, const char *name, const char *site);
void goi_annot_end(struct goi_annot_stack *s);      /* the stack is about to be reused */
void goi_annot_adopt(struct goi_annot_stack *s);    /* s is the calling thread's own stack */
/* The process exits: what can be reached from [lo, hi) has not leaked. */
void goi_annot_reachable(const void *lo, const void *hi);
/* Tells Valgrind about a stack, once per mapping. */
void goi_annot_register(const void *lo, const void *hi);
/* Is there somebody who wants to know of switches? Valgrind does not: it knows the stacks. */
GOI_INLINE bool goi_annot_follows(void)
{
    return (goi_annot & ~(uint32_t)GOI_ANNOT_VALGRIND) != 0;
}
/* Around goi_switch, when somebody follows: before it on the old stack, after it on the new one. */
void goi_annot_switch(struct goi_annot_stack *from, struct goi_annot_stack *to, bool dies);
void goi_annot_arrive(struct goi_annot_stack *self);

void goi_race_acquire_slow(const void *addr);
void goi_race_release_slow(const void *addr);
void goi_race_release_store_slow(const void *addr);
void goi_race_write_slow(const void *addr, size_t n);
void goi_race_read_slow(const void *addr, size_t n);
void *goi_race_as_slow(const struct goi_annot_stack *s);
void goi_race_back_slow(void *self);
void goi_race_nobody_slow(bool begin);

/* Is TSan there, and does it look at goroutines? Constant after goi_annot_init(). */
GOI_INLINE bool goi_race_there(void) { return GOI_UNLIKELY((goi_annot & GOI_ANNOT_TSAN) != 0); }
GOI_INLINE bool goi_race_on(void) { return GOI_UNLIKELY((goi_annot & GOI_ANNOT_RACE) != 0); }

/* Is it linked at all? Also before goi_annot_init(). */
extern void *__tsan_create_fiber(unsigned flags) GOI_WEAK;
GOI_INLINE bool goi_race_linked(void) { return GOI_UNLIKELY(__tsan_create_fiber != NULL); }

/* Happens-before edges for the user's code: everything before release(a) happens before everything
 * after the acquire(a) that follows it. */
GOI_INLINE void goi_race_acquire(const void *addr)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_TSAN) != 0)) {
        goi_race_acquire_slow(addr);
    }
}

GOI_INLINE void goi_race_release(const void *addr)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_TSAN) != 0)) {
        goi_race_release_slow(addr);
    }
}

/* TSan's release merges with earlier ones; the name is kept for the reader. */
GOI_INLINE void goi_race_release_merge(const void *addr) { goi_race_release(addr); }

/* A release that takes the place of the earlier ones: who acquires it is ordered after this caller
 * alone. */
GOI_INLINE void goi_race_release_store(const void *addr)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_TSAN) != 0)) {
        goi_race_release_store_slow(addr);
    }
}

/* What one goroutine does in another's name: between the two, announcements are those of the
 * goroutine s, which must be parked, and stay so, and not be a thread. Only when goi_race_on(). */
GOI_INLINE void *goi_race_as(const struct goi_annot_stack *s) { return goi_race_as_slow(s); }
GOI_INLINE void goi_race_back(void *self) { goi_race_back_slow(self); }

/* What the runtime does between the two it does in nobody's name, on whatever stack it happens to
 * be: fires timers, for example. Announcements have no effect, and a goroutine that is made is
 * ordered after nothing. They nest, belong to the calling goroutine, and a park may lie between. */
GOI_INLINE void goi_race_nobody_begin(void)
{
    if (goi_race_on()) {
        goi_race_nobody_slow(true);
    }
}

GOI_INLINE void goi_race_nobody_end(void)
{
    if (goi_race_on()) {
        goi_race_nobody_slow(false);
    }
}

/* Orders that the library has for itself. The view of goroutines does not see what they are for,
 * and to announce them there would order what the program may not rely on. */
GOI_INLINE void goi_inside_acquire(const void *addr)
{
    if (GOI_UNLIKELY((goi_annot & (GOI_ANNOT_TSAN | GOI_ANNOT_RACE)) == GOI_ANNOT_TSAN)) {
        goi_race_acquire_slow(addr);
    }
}

GOI_INLINE void goi_inside_release(const void *addr)
{
    if (GOI_UNLIKELY((goi_annot & (GOI_ANNOT_TSAN | GOI_ANNOT_RACE)) == GOI_ANNOT_TSAN)) {
        goi_race_release_slow(addr);
    }
}

/* TSan sees memcpy, strcmp and strlen also where their caller is not instrumented. These it does
 * not see: for memory that is the runtime's, or another goroutine's. */
void goi_unseen_copy(void *to, const void *from, size_t n);
bool goi_unseen_equal(const char *a, const char *b);
size_t goi_unseen_length(const char *s);

/* Between the two, neither does it see malloc and free, which count as writes: for memory of the
 * runtime's own that goes from one goroutine to another. */
void goi_unseen_slow(bool begin);
GOI_INLINE void goi_unseen_begin(void)
{
    if (goi_race_on()) {
        goi_unseen_slow(true);
    }
}

GOI_INLINE void goi_unseen_end(void)
{
    if (goi_race_on()) {
        goi_unseen_slow(false);
    }
}

/* free(), in neither view a write: for what was used last by goroutines that do little else. When
 * TSan has run out of epochs it forgets all, and makes threads take a new one "only best-effort"
 * (DoResetImpl in its tsan_rtl.cpp): one that goes on with the old until it next lets go of
 * something has accesses that nobody can be ordered after. Seen in one of six runs of
 * unit/time/timer on a busy machine, and in half of them with TSAN_OPTIONS=flush_memory_ms=5. */
void goi_unseen_free(void *p);

/* The copy of a value that the library makes on the user's behalf counts as the user's access. */
GOI_INLINE void goi_race_read(const void *addr, size_t n)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_RACE) != 0)) {
        goi_race_read_slow(addr, n);
    }
}

GOI_INLINE void goi_race_write(const void *addr, size_t n)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_RACE) != 0)) {
        goi_race_write_slow(addr, n);
    }
}

#endif
