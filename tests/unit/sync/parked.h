/* SPDX-License-Identifier: MIT */
/* parked.h: waiting, in a test, until goroutines wait. What a test wants to happen "while the other
 * one is blocked" must not depend on how long it takes to get there. */
#ifndef GORT_TEST_SYNC_PARKED_H
#define GORT_TEST_SYNC_PARKED_H
#include "harness.h"
#include "sched/sched.h"
#include "sched/world.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>

/* What stays in the word of a mutex that somebody has once waited for. */
#define MUTEX_SHARED 32u

struct parked_count {
    enum wait_reason reason;
    int n;
};

static inline bool parked_look(struct g *g, void *arg)
{
    struct parked_count *c = arg;
    c->n += ld_rlx(&g->state) == GOI_G_WAITING && g->reason == (uint8_t)c->reason;
    return true;
}

/* How many goroutines wait for that reason now. */
static inline int parked_now(enum wait_reason reason)
{
    struct parked_count c = {.reason = reason};
    /* With the world stopped: what those that wait did before is seen, too. */
    REQUIRE(goi_world_stop(GO_MIN));
    goi_world_each(parked_look, &c, false);
    goi_world_start();
    return c.n;
}

/* Returns when n goroutines wait for that reason. */
static inline void parked_await(enum wait_reason reason, int n)
{
    while (parked_now(reason) != n) { /* ends: or the test's time does */
        go_sleep(20 * GO_US);
    }
}

/* Returns when no goroutine but the caller exists. */
static inline void parked_alone(void)
{
    while (go_count() != 1) {
        go_sleep(20 * GO_US);
    }
}

#endif
