/* SPDX-License-Identifier: MIT */
/* waitq.c: parking on a queue of src/sync, and waiting for a lock that is one bit of a word. */
#include "sync/internal.h"
#include <errno.h>

enum { SPINS = 64, YIELDS = 8, NAP_MIN_NS = 2000, NAP_MAX_NS = 100000 };

void goi_word_wait(uint32_t *round)
{
    uint32_t n = (*round)++;
    if (n < SPINS) {
        goi_pause();
    } else if (n < SPINS + YIELDS) {
        gop_thread_yield();
    } else {
        gop_sleep_ns(goi_min_i64((int64_t)NAP_MIN_NS * (n - SPINS - YIELDS + 1), NAP_MAX_NS));
    }
}

int goi_waiter_park(struct m **m, struct goi_waiter *w, enum wait_reason reason, void *object,
                    void (*commit)(struct m *m, void *arg), void *arg, int64_t deadline)
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

bool goi_may_spin(struct m *m)
{
    /* Stale counts cost one needless or one missed spin. */
    int running = goi_sched.nprocs - (int)ld_rlx(&goi_sched.npidle) -
                  (int)ld_rlx(&goi_sched.nspinning);
    struct p *p = m->p;
    if (p == NULL) {
        return running > 0;
    }
    return running > 1 && p->runnext == NULL && goi_runq_len(&p->woken) == 0 &&
           goi_runq_len(&p->fresh) == 0;
}
