/* SPDX-License-Identifier: MIT */
/* timer.h: timers of the runtime: sleep, deadlines, channel timers, functions called later.
 *
 * A goi_timer lives inside its user's object and needs no allocation. It fires at most once per
 * start. Its `fire` runs under the lock of the heap that held it; whoever stops the timer takes the
 * same lock, and so goi_timer_stop() never returns while `fire` runs. In exchange `fire` may do
 * little: claim a goroutine and hand it to goi_fired_ready(), note work for after the unlock with
 * goi_fired_late(), touch atomics and its own object. It takes no lock and calls no user.
 */
#ifndef GOI_TIME_TIMER_H
#define GOI_TIME_TIMER_H
#include "sched/types.h"
#include "sched/upcalls.h"
#include "time/clock.h"
#include "time/heap.h"

struct goi_timer;
struct goi_fired;

typedef void (*goi_timer_fire)(struct goi_fired *f, struct goi_timer *t, int64_t now);
/* Work after the unlock. Inside the runtime, may take locks and ready goroutines, may not park. */
typedef void (*goi_timer_late)(struct m *m, void *arg, int64_t now);

struct goi_timer {
    struct goi_heap_node node; /* [l:owner] */
    uint32_t unused;
    goi_aptr owner;            /* [a:TIMER] struct goi_timers that holds it; NULL: not pending */
    goi_timer_fire fire;       /* [c] */
};

/* Zero memory is an initialised timer but for `fire`. */
static inline void goi_timer_init(struct goi_timer *t, goi_timer_fire fire)
{
    t->fire = fire;
    st_rlx(&t->owner, NULL);
}

/* Timers that fire with this function may wake nobody. `wakes` says of one of them, while nothing
 * in the process runs, whether it would; it takes no lock. (All others would: sched/deadlock.c.)
 * Called while the library is being loaded. */
void goi_timer_kind(goi_timer_fire fire, bool (*wakes)(struct goi_timer *t));

/* All of these inside the runtime, on any thread. Start, stop and reset of one timer must not run
 * at the same time as each other; each may run while the timer fires. */

/* Starts a timer that is not pending. It may have fired before this returns. */
void goi_timer_start(struct m *m, struct goi_timer *t, int64_t when);
/* True: it was pending and will not fire. False: it was not; its `fire` has returned. Late work
 * that `fire` noted may still be to come. */
bool goi_timer_stop(struct goi_timer *t);
/* Stop and start in one step. True: it was pending. */
bool goi_timer_reset(struct m *m, struct goi_timer *t, int64_t when);
/* A glance, for assertions and dumps. */
static inline bool goi_timer_pending(struct goi_timer *t) { return ld_rlx(&t->owner) != NULL; }

/* For `fire`: g has been claimed and becomes runnable after the unlock. */
void goi_fired_ready(struct goi_fired *f, struct g *g);
/* For `fire`: late(m, arg, now) runs after the unlock. At most one per fire. */
void goi_fired_late(struct goi_fired *f, goi_timer_late late, void *arg);

/* Lock and unlock around a park, so that the timer cannot fire before the stack is complete:
 *
 *     struct goi_timers *h = goi_timers_lock(m);      on the parking stack, or in its commit
 *     goi_timers_add_locked(h, t, when);
 *     goi_timers_unlock(h, when)                      in the commit; after it t may be gone
 */
struct goi_timers *goi_timers_lock(struct m *m);
void goi_timers_add_locked(struct goi_timers *h, struct goi_timer *t, int64_t when);
/* The same for a timer that nobody will ever stop: it is not indexed and has no owner. */
void goi_timers_add_fixed_locked(struct goi_timers *h, struct goi_timer *t, int64_t when);
void goi_timers_unlock(struct m *m, struct goi_timers *h, int64_t when);

void goi_timers_check(struct goi_timers *h);

/* For a look at a process that stands still, without the lock: `held` with the node of each pending
 * timer, `memory` with each part of the heap's own. */
struct goi_timers_view {
    void (*held)(const void *node, void *arg);
    void (*memory)(const void *lo, size_t size, void *arg);
    void *arg;
};
void goi_timers_view(const struct goi_timers *h, const struct goi_timers_view *v);

#endif
