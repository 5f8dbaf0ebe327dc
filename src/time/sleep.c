/* SPDX-License-Identifier: MIT */
/* sleep.c: go_now, go_since, go_sleep, go_sleep_until.
 *
 * A sleeper is woken by its timer and nothing else, so the lock that the park's commit releases is
 * the heap's, no claim is needed, and the entry is not indexed: a hundred thousand sleepers are
 * sifted without touching their stacks.
 */
#include "sched/sched.h"
#include "time/timer.h"
#include <gort/time.h>

struct sleeper {
    struct goi_timer timer;
    struct g *g;
    struct goi_timers *heap;
    int64_t when;
};

static void wake_sleeper(struct goi_fired *f, struct goi_timer *t, int64_t now)
{
    struct sleeper *s = goi_container_of(t, struct sleeper, timer);
    (void)now;
    goi_fired_ready(f, s->g);
}

static void commit_sleep(struct m *m, void *arg)
{
    struct sleeper *s = arg;
    goi_timers_unlock(m, s->heap, s->when);
}

static void sleep_until(int64_t when)
{
    struct m *m = goi_enter();
    struct sleeper s = {.g = m->g, .when = when};
    goi_timer_init(&s.timer, wake_sleeper);
    s.heap = goi_timers_lock(m);
    goi_timers_add_fixed_locked(s.heap, &s.timer, when);
    m = goi_park(m, GOI_WAIT_SLEEP, NULL, commit_sleep, &s);
    goi_leave(m);
}

go_time go_now(void) { return goi_now(); }

go_duration go_since(go_time t) { return goi_now() - t; }

void go_sleep(go_duration d)
{
    if (d > 0) {
        sleep_until(goi_after(goi_now(), d));
    }
}

void go_sleep_until(go_time t)
{
    if (t > goi_now()) {
        sleep_until(t);
    }
}
