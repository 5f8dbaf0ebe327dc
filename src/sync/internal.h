/* SPDX-License-Identifier: MIT */
/* internal.h: what the files of src/sync share with each other and with nobody else. */
#ifndef GOI_SYNC_INTERNAL_H
#define GOI_SYNC_INTERNAL_H
#include "annot/annot.h"
#include "os/os.h"
#include "sched/sched.h"
#include "sync/syncq.h"
#include "time/clock.h"
#include "time/deadline.h"
#include <errno.h>

/* --- locks that are one bit of a state word. The word is the only thing that the holder's release
 * touches, so releasing a queue and publishing a new state are one step, and whoever sees that
 * state may free the object (W2, and L1 of lock.h). Held inside the runtime for some ten
 * instructions; only the kernel can delay the holder. */

/* One step of waiting for such a bit: `round` starts at 0. Ends when the holder releases. */
void goi_word_wait(uint32_t *round);

/* Sets `bit` in *word, which was clear. */
GOI_INLINE void goi_word_lock(goi_a32 *word, uint32_t bit)
{
    uint32_t round = 0;
    for (;;) { /* ends: goi_word_wait */
        uint32_t s = ld_rlx(word);
        if ((s & bit) != 0) {
            goi_word_wait(&round);
        } else if (cas_acq(word, &s, s | bit)) { /* [WORD] pairs with every release of the bit: the
                                                    queue's contents */
            return;
        }
    }
}

/* --- waiting */

/* May the caller spin for about a microsecond in the hope that another goroutine, which must be
 * running now, does something? Not with one P, not when this P has other work. */
bool goi_may_spin(struct m *m);

/* A wait that a deadline can end: the limited waiter's claim. */
GOI_INLINE void goi_sync_limit(struct goi_sync_waiter *w)
{
    w->limited = true;
    w->ticket = goi_claim_begin(w->g);
}

/* W3: may this waiter be woken by us? Under the object's lock. */
GOI_INLINE bool goi_sync_take(struct goi_sync_waiter *w)
{
    return !w->limited || goi_claim(w->g, w->ticket);
}

/* Parks a queued waiter; `commit(m, arg)` releases the object's lock. 0 when a waker took it,
 * -ETIMEDOUT when the deadline did: then the record may still be on its queue. */
GOI_INLINE int goi_sync_park(struct m **m, struct goi_sync_waiter *w, enum wait_reason reason,
                               void *object, void (*commit)(struct m *m, void *arg), void *arg,
                               int64_t deadline)
{
    if (!w->limited) {
        goi_assert(deadline == GOI_FOREVER);
        *m = goi_park(*m, reason, object, commit, arg);
        return 0;
    }
    int r = goi_park_until(m, reason, object, commit, arg, w->ticket, deadline);
    goi_claim_end(w->g, w->ticket);
    goi_assert(r == 0 || r == -ETIMEDOUT);
    return r;
}

#endif
