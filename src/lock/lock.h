/* SPDX-License-Identifier: MIT */
/* lock.h: the runtime's own mutual exclusion between threads.
 *
 * A goi_lock guards a few dozen instructions of runtime memory (a channel, a timer heap, the
 * scheduler). Its holder is inside the runtime, never parks, and is on a thread that sysmon cannot
 * take the P from; only the kernel can delay it. So a waiter spins briefly, then gives its
 * processor away in growing steps. Releasing is a plain release store and the last touch of the
 * lock: whoever takes it next may free the memory it lives in.
 *
 *   L1  The release is the holder's last access to the object.       (chan_free tests)
 *   L2  A waiter never spins for more than about 2 us at a stretch.  (bounds below)
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

GOI_INLINE void goi_lock(struct goi_lock *l)
{
    GOI_JITTER(); /* before what the lock guards is looked at, or a waiter published */
    if (GOI_UNLIKELY(xchg_acq(&l->word, 1) != 0)) { /* [LOCK] */
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
