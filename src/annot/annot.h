/* SPDX-License-Identifier: MIT */
/* annot.h: the one seam to ThreadSanitizer, AddressSanitizer and Valgrind.
 *
 * One library binary serves all: the hooks are weak references that resolve when the program is
 * linked with a sanitizer's runtime. goi_annot is 0 without one, and the hot paths test only that.
 *
 * TSan: each goroutine is a fiber, switched with flag 1 (no synchronisation), because the order that
 * the scheduler happens to give is not an order that the program may rely on. The orders it may rely
 * on are announced by goi_race_*, exactly as Go's memory model has them.
 * ASan: start/finish_switch_fiber keep its idea of the current stack and its fake stacks.
 * Valgrind: stacks are registered, so that a switch is not taken for a huge allocation.
 */
#ifndef GOI_ANNOT_H
#define GOI_ANNOT_H
#include "base/base.h"

enum { GOI_ANNOT_TSAN = 1, GOI_ANNOT_ASAN = 2, GOI_ANNOT_VALGRIND = 4 };
extern uint32_t goi_annot;          /* constant after goi_annot_init() */

/* A stack as the sanitizers see it; part of every goroutine and of every M's scheduler stack. */
struct goi_annot_stack {
    void *fiber;                    /* TSan */
    void *fake;                     /* ASan fake stack while not running */
    const char *lo, *hi;            /* bounds */
};

void goi_annot_init(void);
/* A goroutine begins on [lo, hi): makes its fiber, named after its id and go statement. */
void goi_annot_begin(struct goi_annot_stack *s, uint64_t id, const char *name, const char *site);
void goi_annot_end(struct goi_annot_stack *s);      /* the stack is about to be reused */
void goi_annot_adopt(struct goi_annot_stack *s);    /* s is the calling thread's own stack */
/* Tells Valgrind about a stack, once per mapping. */
void goi_annot_register(const void *lo, const void *hi);
void goi_annot_switch_slow(struct goi_annot_stack *from, struct goi_annot_stack *to, bool dies);
void goi_annot_arrive_slow(struct goi_annot_stack *self);

/* Around goi_switch: before it on the old stack, after it on the new one. */
GOI_INLINE void goi_annot_switch(struct goi_annot_stack *from, struct goi_annot_stack *to,
                                 bool dies)
{
    if (GOI_UNLIKELY(goi_annot != 0)) {
        goi_annot_switch_slow(from, to, dies);
    }
}

GOI_INLINE void goi_annot_arrive(struct goi_annot_stack *self)
{
    if (GOI_UNLIKELY(goi_annot != 0)) {
        goi_annot_arrive_slow(self);
    }
}

void goi_race_acquire_slow(const void *addr);
void goi_race_release_slow(const void *addr);
void goi_race_write_slow(const void *addr, size_t n);
void goi_race_read_slow(const void *addr, size_t n);

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

/* The copy of a value that the library makes on the user's behalf counts as the user's access. */
GOI_INLINE void goi_race_read(const void *addr, size_t n)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_TSAN) != 0)) {
        goi_race_read_slow(addr, n);
    }
}

GOI_INLINE void goi_race_write(const void *addr, size_t n)
{
    if (GOI_UNLIKELY((goi_annot & GOI_ANNOT_TSAN) != 0)) {
        goi_race_write_slow(addr, n);
    }
}

#endif
