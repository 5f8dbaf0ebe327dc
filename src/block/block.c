/* SPDX-License-Identifier: MIT */
/* block.c: see block.h. The P is let go exactly as sysmon would take it (sched/hold.c), but by its
 * owner, inside the runtime, so nobody has to be held. The way back is the usual one: the next
 * entry into the runtime finds no P and queues for one (sched/preempt.c). */
#include "block/block.h"
#include "sched/internal.h"
#include <gort/go.h>

void goi_block_enter(void)
{
    struct m *m = goi_enter();
    struct p *p = m->p;
    bool others = p != NULL && (goi_p_work(p) > 0 || ld_rlx(&p->has_next) != 0 ||
                                goi_runq_len(&goi_sched.global) > 0 ||
                                goi_timers_next(p->timers) != GOI_FOREVER);
    if (!others || m->g->locked_m != NULL) {
        goi_leave(m);
        return;
    }
    goi_lock(&goi_sched.lock);
    goi_p_unbind_locked(p, m);
    m->detached = true;
    st_rlx(&goi_sched.ndetached, ld_rlx(&goi_sched.ndetached) + 1);
    goi_unlock(&goi_sched.lock);
    goi_leave(m);
    goi_p_start(p);
}

bool goi_blocking_begin(void)
{
    goi_block_enter();
    return true;
}
