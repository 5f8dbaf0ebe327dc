/* SPDX-License-Identifier: MIT */
/* lock.h: the runtime's own mutual exclusion between threads.
 *
 * A goi_lock guards a few dozen instructions of runtime memory (a channel, a timer heap, the
 * scheduler). Its holder is inside the runtime, never parks, and is on a thread that sysmon cannot
 * take the P from; only the kernel can delay it. So a waiter spins briefly, then gives its
 * processor away in growing steps. Releasing is a plain release store and the last touch of the
 * lock: whoever takes it next may free the memory it lives in.
 *
 * Who spins looks seldom: after 32 pauses, 64 more and 128 more. A look takes the line, and with it
 * the data beside it, from the processor that works there, which costs more than the section it
 * guards. Left alone for a microsecond the other does some dozens of operations on lines that it
 * has: four senders and four receivers on two Ps and a channel of a hundred take 29 ns an item so,
 * against 50 with a look after every pause. It is unfair for that long, and not for longer.
 *
 *   L1  The release is the holder's last access to the object.       (chan_free tests)
 *   L2  A waiter never spins for more than about 3 us at a stretch.  (bounds in lock.c)
 *
 * Rejected: a futex with a waiters bit. Its release is an atomic exchange (4.3 ns on the test
 * machine against 0.3 for a store) on every channel operation, to speed up a case that needs the
 * kernel to preempt a thread within some 50 ns.
 *
 * [LOCK] acquire in goi_lock() pairs with release in goi_unlock(): what the last holder wrote is
 * visible to the next.
 */
#ifndef GOI_LOCK_H
#define GOI_LOCK_H
#include "base/assert.h"
#include "base/atomic.h"
#include "base/jitter.h"

struct goi_lock { goi_a32 word; };

void goi_lock_slow(struct goi_lock *l) GOI_COLD;

GOI_INLINE bool goi_lock_try(struct goi_lock *l)
{
    return ld_rlx(&l->word) == 0 && xchg_acq(&l->word, 1) == 0; /* [LOCK] */
}

/* False: somebody has it, and goi_lock_slow is due. */
GOI_INLINE bool goi_lock_now(struct goi_lock *l)
{
    GOI_JITTER(); /* before what the lock guards is looked at, or a waiter published */
    return GOI_LIKELY(xchg_acq(&l->word, 1) == 0); /* [LOCK] */
}

GOI_INLINE void goi_lock(struct goi_lock *l)
{
    if (!goi_lock_now(l)) {
        goi_lock_slow(l);
    }
}

GOI_INLINE void goi_unlock(struct goi_lock *l)
{
    goi_assert_hot(ld_rlx(&l->word) == 1);
    GOI_JITTER(); /* held for longer */
    st_rel(&l->word, 0); /* [LOCK] L1 */
}

#endif
