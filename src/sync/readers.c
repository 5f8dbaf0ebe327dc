/* SPDX-License-Identifier: MIT */
/* readers.c: who is reading (reclaim.h): all threads that the runtime knows. */
#include "sync/reclaim.h"

static uint64_t older(uint64_t oldest, const struct m *m)
{
    uint64_t e = ld_acq(&m->reading); /* [EPOCH] */
    return e != 0 && e < oldest ? e : oldest;
}

uint64_t goi_oldest_reader(void)
{
    uint64_t oldest = UINT64_MAX;
    struct m *self = goi_enter();
    goi_lock(&goi_sched.lock);
    for (const struct m *m = goi_sched.all_m; m != NULL; m = m->all_next) {
        oldest = older(oldest, m);
    }
    /* Threads that others made are found by their goroutines. Main's thread is on the list above;
     * its goroutine wanders. */
    for (const struct g *g = goi_sched.foreign_list; g != NULL; g = g->foreign_next) {
        if ((g->flags & GOI_G_FOREIGN) != 0) {
            oldest = older(oldest, g->m);
        }
    }
    goi_unlock(&goi_sched.lock);
    goi_leave(self);
    return oldest;
}
