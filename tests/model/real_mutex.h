/* SPDX-License-Identifier: MIT */
/* real_mutex.h: the real go_mutex for models, with the header's inline paths in the explorer's
 * atomics. */
#ifndef GORT_TEST_MODEL_REAL_MUTEX_H
#define GORT_TEST_MODEL_REAL_MUTEX_H
#include "model/sync.h"

#include "sync/mutex.c"

static void model_mutex_lock(go_mutex *mu)
{
    if ((or_rlx(goi_word32(&mu->state), LOCKED) & LOCKED) != 0) {
        goi_mutex_lock_slow(mu);
    }
}

static bool blind = true; /* unlocks are stores until the first wait */

static void model_mutex_unlock(go_mutex *mu)
{
    uint32_t s = ld_rlx(goi_word32(&mu->state));
    if (s == LOCKED && blind) {
        st_rel(goi_word32(&mu->state), 0);
        if (ld_rlx(goi_word32(&goi_mutex_watch[GOI_MUTEX_HALL(mu)])) != 0) {
            goi_mutex_passed(mu);
        }
        return;
    }
    bool alone = s == (LOCKED | SHARED) || (s & 29) == 13;
    if (!alone || !cas_rel(goi_word32(&mu->state), &s, s & ~(uint32_t)LOCKED)) {
        goi_mutex_unlock_slow(mu);
    }
}
#define go_mutex_lock model_mutex_lock
#define go_mutex_unlock model_mutex_unlock

static bool model_waited = true; /* the first wait is over before the run begins */

/* A mutex that nobody holds, in a process that can afford a membarrier. */
static void model_mutex_reset(go_mutex *mu)
{
    memset(mu, 0, sizeof(*mu));
    mu->state = model_waited ? SHARED : 0;
    memset(goi_mutex_watch, 0, sizeof(goi_mutex_watch));
    memset(halls, 0, sizeof(halls));
    fenced.v = false;
    earned.v = (uint64_t)INT64_MIN;
    goi_sched.have_membarrier = true;
}

/* M1, M2, M6: at rest nothing is set and nobody queued. */
static void model_mutex_idle(const go_mutex *mu)
{
    EX_CHECK(mu->state == 0 || mu->state == SHARED);
    EX_CHECK(mu->head == NULL);
    EX_CHECK(hall_of(mu)->head == NULL);
    EX_CHECK(hall_of(mu)->waiting.v == 0);
    go_word raised = goi_mutex_watch[GOI_MUTEX_HALL(mu)]; /* two may raise it at once */
    EX_CHECK(fenced.v ? raised >= 1 : raised == 0);
}

#endif
