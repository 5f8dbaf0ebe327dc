/* SPDX-License-Identifier: MIT */
/* sync.h: what every model of src/sync includes before the file it is about. */
#ifndef GORT_TEST_MODEL_SYNC_H
#define GORT_TEST_MODEL_SYNC_H
#include "model/sched.h"
#include "sync/internal.h"

static bool model_spins; /* goi_may_spin() says yes or no, by choice */

void goi_word_wait(uint32_t *round)
{
    (void)round;
    ex_spin();
}

int goi_limit_over(const struct goi_limit *l)
{
    return l->deadline <= goi_now() ? -ETIMEDOUT : 0;
}

int goi_sync_park_limited(struct m **m, struct goi_sync_waiter *w, enum wait_reason reason,
                          void *object, void (*commit)(struct m *m, void *arg), void *arg,
                          const struct goi_limit *l)
{
    int r = goi_park_until(m, reason, object, commit, arg, w->ticket, l->deadline);
    goi_claim_end(w->g, w->ticket);
    return r;
}

/* Contexts are not modelled: to the object they are one more deadline. */
struct goi_limit goi_limit_of(struct go_ctx *ctx)
{
    (void)ctx;
    return (struct goi_limit){.deadline = GOI_FOREVER};
}

int goi_limit_error(struct go_ctx *ctx, int r)
{
    (void)ctx;
    return r;
}

bool goi_may_spin(struct m *m)
{
    (void)m;
    return model_spins && ex_choose(2) == 1;
}

#endif
