/* SPDX-License-Identifier: MIT */
/* deadline.c: parking with a deadline.
 *
 * The timer is one more waker that competes for the wait's claim. It is started in the commit, when
 * the goroutine's stack is complete, and its heap stays locked until the caller's own commit has
 * run: goi_ready() may assume that a parker's commit is over, and the deadline may be now.
 *
 *   D1  The timer cannot fire before the commit is over.   (heap lock held across it)
 *   D2  After goi_park_until() no timer refers to the frame: it fired, or it was stopped, and
 *       either took the heap's lock after the last use.     (T1, T2 in timer.c)
 */
#include "time/deadline.h"
#include <errno.h>

struct wait {
    struct goi_timer timer;
    struct g *g;
    uint32_t ticket;
    bool timed_out; /* written by fire before g is readied */
    int64_t deadline;
    void (*commit)(struct m *m, void *arg);
    void *arg;
};

static void fire(struct goi_fired *f, struct goi_timer *t, int64_t now)
{
    struct wait *w = goi_container_of(t, struct wait, timer);
    (void)now;
    if (goi_claim(w->g, w->ticket)) {
        w->timed_out = true;
        goi_fired_ready(f, w->g);
    }
}

static void commit_wait(struct m *m, void *arg)
{
    struct wait *w = arg;
    int64_t deadline = w->deadline;
    struct goi_timers *h = goi_timers_lock(m); /* D1 */
    goi_timers_add_locked(h, &w->timer, deadline);
    /* From the caller's unlock on, another waker may resume the goroutine. It then waits in
     * goi_timer_stop() for the heap's lock, but w must not be touched any more. */
    if (w->commit != NULL) {
        w->commit(m, w->arg);
    } else {
        goi_unlock(w->arg);
    }
    goi_timers_unlock(m, h, deadline);
}

int goi_park_until(struct m **m, enum wait_reason reason, void *object,
                   void (*commit)(struct m *m, void *arg), void *arg, uint32_t ticket,
                   int64_t deadline)
{
    if (deadline == GOI_FOREVER) {
        *m = goi_park(*m, reason, object, commit, arg);
        return 0;
    }
    struct wait w = {.g = (*m)->g,
                     .ticket = ticket,
                     .deadline = deadline,
                     .commit = commit,
                     .arg = arg};
    goi_timer_init(&w.timer, fire);
    *m = goi_park(*m, reason, object, commit_wait, &w);
    goi_timer_stop(&w.timer); /* D2 */
    return w.timed_out ? -ETIMEDOUT : 0;
}
