/* SPDX-License-Identifier: MIT */
/* spin.c: waiting without parking: for a lock that is one bit of a word, for a running owner. */
#include "sync/internal.h"

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

bool goi_may_spin(struct m *m)
{
    /* Stale counts cost one needless or one missed spin. */
    int running = goi_procs() - (int)ld_rlx(&goi_sched.npidle) -
                  (int)ld_rlx(&goi_sched.nspinning);
    struct p *p = m->p;
    if (p == NULL) {
        return running > 0;
    }
    return running > 1 && p->runnext == NULL && goi_runq_len(&p->woken) == 0 &&
           goi_runq_len(&p->fresh) == 0;
}
