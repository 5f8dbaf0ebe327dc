/* SPDX-License-Identifier: MIT */
/* trim.c: giving the memory of stacks back to the kernel.
 *
 * Memory stays behind in three ways.
 *
 * 1. Idle windows. After a burst the depot holds windows nobody takes. For each class the depot
 *    remembers the least number of windows it held during the epoch: that many were not needed.
 *    A quarter of them, but not fewer than a few hundred, is made cold in the next epoch, oldest
 *    first, so that a burst that comes back within seconds finds most of its windows warm, and one
 *    that does not has returned its memory after about half a minute. A chunk that is all cold is
 *    unmapped (arena.c), and the page tables go too. Work is done in small calls, 2 ms each,
 *    because the caller is the runtime's background thread.
 *
 * 2. Deep windows. A goroutine that recursed 30 MB deep and ended leaves 30 MB in a window that is
 *    then reused for goroutines that need 2 KB. How deep a window was touched cannot be seen from
 *    the saved sp, and asking the kernel (mincore, 1.3 us for a page, 23 us for a 64 MiB window)
 *    costs more than dropping everything below the top few pages without asking (1.1 us for 64 KiB
 *    and 1.7 us for 64 MiB when there is nothing to drop). Neither can be paid on every put, which
 *    takes 2 ns. So in each epoch the first 64 puts of every P drop the deep pages of their window
 *    (stack.c), a hundred microseconds a second, and windows that are not put at all reach the
 *    depot and are covered by 1. Windows of 128 MiB and more are unmapped on put.
 *
 * 3. Parked goroutines that once went deep: goi_stack_trim(), for the runtime to call on goroutines
 *    parked for long.
 *
 * Rejected: a tripwire page that notes the first deep access (a system call that is given a buffer
 * across it fails with EFAULT); MADV_FREE (the memory still counts as resident until there is
 * pressure, and it costs the same).
 *
 *   T1  What is discarded lies in [lo, sp) of a goroutine that cannot run, or in a window that is
 *       on no list but in the trimmer's hands. (tests/unit/stack/stress_test.c)
 */
#include "stack/arena.h"
#include <errno.h>

#define EPOCH_NS ((int64_t)1000000000)
#define PAUSE_NS ((int64_t)10000000)
#define CALL_NS  ((int64_t)2000000)
/* Below this many a class is emptied in one epoch. */
#define RELEASE_MIN 256
/* The red zone, and what a signal handler's frame would need anyway. */
#define BELOW_SP 256

goi_a64 goi_stack_trimmed;

static int64_t epoch_start; /* trimmer only */

void goi_stack_trim(struct goi_stack *s, const void *sp)
{
    int saved = errno;
    uintptr_t to = ((uintptr_t)sp - BELOW_SP) & ~(uintptr_t)(gop_page_size() - 1);
    goi_assert((const char *)sp >= s->lo && (const char *)sp <= s->top);
    if (to > (uintptr_t)s->lo) {
        (void)gop_pages_discard(s->lo, to - (uintptr_t)s->lo);
    }
    errno = saved;
}

static void epoch_begin(void)
{
    /* Relaxed: the P's owners notice at their next put. */
    add_rlx(&goi_stack_epoch, 1);
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        struct goi_stack_class *c = &goi_stack_class[k];
        goi_stack_lock(&c->lock);
        uint32_t idle = c->depot_low;
        c->release = idle / 4 < RELEASE_MIN ? (uint32_t)goi_min_size(idle, RELEASE_MIN) : idle / 4;
        c->depot_low = c->depot;
        goi_stack_unlock(&c->lock);
        goi_arena_sweep(k);
    }
}

/* Makes one batch cold. False: nothing is left to do in this class. */
static bool release_batch(uint32_t k)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    struct goi_stack *s[GOI_STACK_BATCH];
    uint32_t n = 0;
    goi_stack_lock(&c->lock);
    if (c->release > 0) {
        uint32_t low = c->depot_low;
        n = goi_depot_pop_oldest_locked(k, s);
        /* Our own taking says nothing about demand, but the low mark cannot exceed the depot. */
        c->depot_low = low < c->depot ? low : c->depot;
        c->release = n == 0 || c->release < n ? 0 : c->release - n;
    }
    goi_stack_unlock(&c->lock);
    if (n == 0) {
        return false;
    }
    goi_arena_cool(k, s, n);
    add_rlx(&goi_stack_trimmed, n); /* [stat] */
    return true;
}

int64_t goi_stack_trim_cached(int64_t now, int64_t (*clock)(void))
{
    int saved = errno;
    bool more = false;
    int64_t start = clock();
    if (now - epoch_start >= EPOCH_NS || epoch_start == 0) {
        epoch_begin();
        epoch_start = now;
    }
    for (uint32_t k = 0; k < GOI_STACK_CLASSES && !more; k++) {
        while (!more && release_batch(k)) { /* ends: c->release falls, or time runs out */
            more = clock() - start >= CALL_NS;
        }
    }
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    uint64_t depot = 0;
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        depot += stats.depot[k];
    }
    errno = saved;
    if (more) {
        return now + PAUSE_NS;
    }
    return depot > 0 ? epoch_start + EPOCH_NS : GOI_FOREVER;
}
