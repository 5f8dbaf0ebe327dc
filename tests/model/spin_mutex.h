/* SPDX-License-Identifier: MIT */
/* spin_mutex.h: a go_mutex for models of what is built on one. */
#ifndef GORT_TEST_MODEL_SPIN_MUTEX_H
#define GORT_TEST_MODEL_SPIN_MUTEX_H
#include "model/sync.h"

static void model_mutex_lock(go_mutex *mu)
{
    uint32_t s = 0;
    while (!cas_acq(goi_word32(&mu->state), &s, 1)) {
        s = 0;
        ex_spin();
    }
}

int goi_mutex_lock_limited(go_mutex *mu, const struct goi_limit *limit)
{
    (void)limit;
    model_mutex_lock(mu);
    return 0;
}

int goi_mutex_lock_turn(go_mutex *mu, const struct goi_limit *limit)
{
    return goi_mutex_lock_limited(mu, limit);
}

void goi_mutex_unlock_turn(go_mutex *mu) { st_rel(goi_word32(&mu->state), 0); }

bool go_mutex_trylock(go_mutex *mu)
{
    uint32_t s = 0;
    return cas_acq(goi_word32(&mu->state), &s, 1);
}

/* Nobody can be queued at a spin lock: who is woken comes by himself. */
bool goi_mutex_adopt(go_mutex *mu, struct goi_sync_waiter *chain)
{
    (void)mu, (void)chain;
    return false;
}

void goi_mutex_lock_adopted(go_mutex *mu, struct goi_sync_waiter *w)
{
    (void)mu, (void)w;
    ex_fail("nobody was adopted");
}

static void model_mutex_unlock(go_mutex *mu) { st_rel(goi_word32(&mu->state), 0); }

/* In the place of the header's inline ones, whose atomics the explorer does not see. */
#define go_mutex_lock model_mutex_lock
#define go_mutex_unlock model_mutex_unlock

#endif
