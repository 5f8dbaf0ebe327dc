/* SPDX-License-Identifier: MIT */
/* io.c: who looks at the poller, when, and where the goroutines go that it reports.
 *
 * A descriptor that is ready is only known to the kernel until somebody looks. Looking costs 0.3
 * us, being woken by the kernel 20 us on another core. So:
 *
 *   - a thread that runs out of work looks, and what it finds runs on its own P: a server that is
 *     busy fetches its next batch itself, and no other thread takes part;
 *   - a thread that gives up its P sleeps in the poller instead of on its futex, if nobody does
 *     and nobody else looks often enough; the last one always does, so an event wakes it, and it
 *     takes a P (its old one, if that is still idle);
 *   - Ps that are busy look every 61 picks, if 0.2 ms have passed (pick_slow); a goroutine that
 *     waits for a descriptor counts as eight, because it has been in the kernel: a P that answers
 *     requests of 10 us looks by itself, and sysmon, whose look costs 30 us and a P held, does not;
 *   - if none of these has looked for 0.4 ms, sysmon does, at each of its looks, which then come at
 *     least every 0.5 ms while something is waited for. What it finds goes to an idle P, or to the
 *     front of a busy one's queue. A P whose goroutine has been computing, and still is, is taken:
 *     that goroutine goes on as a plain thread, as after its time slice; one that has just picked
 *     keeps its P until sysmon's next looks, because a goroutine in a short call of the kernel
 *     looks like one that computes, and each P taken is a thread started;
 *                                                                 (goi_io_neglected_locked)
 *   - if nobody but sysmon looks, and a P is idle, it wakes a thread, which sleeps in the poller
 *     from then on.                                               (sysmon.c, unit/net/busy)
 *
 * So readiness reaches a goroutine within about a millisecond whatever the Ps do; within four when
 * they begin to compute after sysmon had calmed down. (Go looks when a P runs out of work, or after
 * 10 ms.) What has become ready runs before what was runnable already,
 * in the order of its readiness: of a thousand connections none waits for two laps of the others.
 * That could starve the others when requests come faster than they are answered; so when nothing
 * else has run for the length of a time slice, the oldest of the others goes first.
 *
 * What one P finds it works off alone as long as it comes to the end of it now and then; only when
 * it has had no pause for a millisecond does it call another (needs_help). Goroutines that compute
 * for long are sysmon's business as ever. (Another P for each batch took a client that ran on
 * the same two cores off its core some thousand times a second.)
 *
 *   I1  While a goroutine waits for a descriptor and all Ps are idle, a thread sleeps in the
 *       poller. Who gives up a P elects himself under sched.lock, where he reads the count; who
 *       waits without a P counts himself, then takes sched.lock, and wakes a thread when nobody
 *       sleeps there. One of the two sees the other. (goi_io_elect_locked, goi_io_kick)
 *   I2  At most one thread sleeps in the poller: sched.poller.                       (asserts)
 *   I3  A goroutine taken from the poller is in one thread's list until it is on a queue: nobody
 *       else can find it, and its state is WAITING until then.                       (mark_ready)
 *   I4  In each time slice a goroutine runs that was not put ahead, if there is one.
 *                                                                          (put, unit/net/busy)
 *   I5  Of the goroutines that were put ahead on a P, the last (io_last) has at least io_batch - 1
 *       before it, less the slices that have begun since (io_tick): only the head of the queue is
 *       taken off without a word (goi_io_forget), and that begins a slice. So while fewer slices
 *       have begun, it is on the queue.                                  (assert in left_ahead)
 *
 * A thread that sleeps in the poller is woken, to be given a P, by breaking the poller's wait: its
 * wake word says so (GOI_M_POLLS), and waker and sleeper swap it, so that a wake is by the right
 * means. [MPARK] Wakers prefer threads that sleep on their futex.
 *
 * [IOOPEN] release when the poller is there, acquire by who uses it. [IOLOOK] one look at a time:
 * a second one would find nothing.
 */
#include "sched/fast.h"

enum { OFTEN_NS = 50000 };      /* a look this recent: another P is at it */

void goi_io_opened(void)
{
    st_rlx(&goi_sched.io_looked, goi_now());
    st_rel(&goi_sched.io_open, true); /* [IOOPEN] */
}

uint32_t goi_io_waiters(void)
{
    uint32_t n = ld_rlx(&goi_sched.io_waiters);
    for (int i = 0; i < goi_procs_made(); i++) {
        n += ld_rlx(&goi_sched.procs[i]->io_waiters);
    }
    return n;
}

void goi_io_kick(void)
{
    goi_lock(&goi_sched.lock);
    bool nobody = ld_rlx(&goi_sched.poller) == NULL && goi_procs_quiet_locked(); /* I1 */
    goi_unlock(&goi_sched.lock);
    if (nobody) {
        goi_wake_one(true); /* it finds nothing to do, and elects itself */
    }
}

/* Does a busy P look so often that nobody needs to be woken for what comes? sysmon's looks do not
 * count: they come late. Nor does a P's last look before it became idle. */
static bool looked_at_often_locked(int64_t now)
{
    for (int i = 0; i < goi_procs_made(); i++) {
        const struct p *p = goi_sched.procs[i];
        if (!p->idle && !p->retired && now - ld_rlx(&p->io_looked) < OFTEN_NS) {
            return true;
        }
    }
    return false;
}

bool goi_io_elect_locked(struct m *m, int64_t now)
{
    if (!goi_io_open() || ld_rlx(&goi_sched.poller) != NULL || goi_io_waiters() == 0 ||
        looked_at_often_locked(now)) {
        return false;
    }
    goi_assert(!m->polls);
    st_rlx(&goi_sched.poller, m); /* I2 */
    m->polls = true;
    return true;
}

void goi_io_retire_locked(struct m *m)
{
    goi_assert(ld_rlx(&goi_sched.poller) == m); /* I2 */
    st_rlx(&goi_sched.poller, NULL);
    m->polls = false;
}

void goi_io_sleep(struct m *m, int64_t deadline, struct goi_runq *ready)
{
    while (ld_acq(&m->wake) == GOI_M_POLLS) { /* [MPARK] ends as the contract says */
        goi_netpoll(ready, deadline);
        if (goi_runq_len(ready) > 0 || (deadline != GOI_FOREVER && goi_now() >= deadline)) {
            break;
        }
    }
    st_rlx(&goi_sched.io_looked, goi_now());
    uint32_t old = GOI_M_POLLS; /* from here on a waker uses the futex */
    (void)cas_acq(&m->wake, &old, 0); /* [MPARK] */
}

/* I3. Threads that wait are woken here and now; the others stay on the list, runnable. */
static void mark_ready(struct m *m, struct goi_runq *ready)
{
    uint32_t n = goi_runq_len(ready);
    for (uint32_t i = 0; i < n; i++) {
        struct g *g = goi_g_of(goi_runq_pop_head(ready));
        if ((g->odd & GOI_ODD_READY) == 0 || !goi_ready_odd(m, g)) {
            goi_gset(g, GOI_G_WAITING, GOI_G_RUNNABLE);
            goi_runq_push_tail(ready, &g->run);
        }
    }
}

/* How many of those who were put ahead are left at most; if any, p->io_last is the last (I5). */
static uint32_t left_ahead(struct p *p)
{
    uint32_t ran = ld_rlx(&p->tick) - p->io_tick; /* [stat] its own P's */
    p->io_tick += ran;
    if (ran >= p->io_batch || goi_runq_len(&p->woken) == 0) {
        return 0;
    }
    goi_assert(p->io_last->next != NULL || p->woken.tail == p->io_last); /* I5 */
    return p->io_batch - ran;
}

/* Behind those that were put ahead before, ahead of the others. p is ours inside the runtime, on
 * its way to somebody, or held. */
static void put(struct p *p, struct goi_runq *ready, int64_t now)
{
    uint32_t left = left_ahead(p);
    struct g *next = p->runnext;
    if (left == 0) {
        p->io_alone_since = now;
        p->io_last = NULL;
    } else if (now - p->io_alone_since >= GOI_SLICE_NS) {
        p->io_alone_since = now;
        struct goi_runnable *other = p->io_last->next;
        if (other != NULL) { /* I4: the oldest of the others, before all of them */
            goi_runq_remove(&p->woken, other);
            goi_runq_push_head(&p->woken, other);
            left++;
        }
    }
    p->io_batch = left + goi_runq_len(ready);
    while (goi_runq_len(ready) > 0) { /* ends: each turn takes one out */
        struct goi_runnable *r = goi_runq_pop_head(ready);
        if (p->io_last != NULL) {
            goi_runq_insert_after(&p->woken, p->io_last, r);
        } else {
            goi_runq_push_head(&p->woken, r);
        }
        p->io_last = r;
    }
    if (next != NULL) { /* it has its turn after them, or a pair of friends kept the P */
        p->runnext = NULL;
        st_rlx(&p->has_next, 0);
        goi_runq_insert_after(&p->woken, p->io_last, &next->run);
    }
}

/* All Ps are busy. To the front of one whose goroutine is in user code, which keeps it for now.
 * False: all are inside the runtime just now, and will look by themselves. */
static bool put_on_busy_locked(struct m *m, struct goi_runq *ready)
{
    uint32_t n = (uint32_t)goi_procs_made();
    uint32_t first = goi_random(m, n);
    for (uint32_t i = 0; i < n; i++) {
        struct p *p = goi_sched.procs[(first + i) % n];
        if (p->m != NULL && goi_hold_p_locked(p)) {
            put(p, ready, goi_now());
            p->io_left = true;
            p->io_left_picks = goi_p_picks(p);
            goi_release_p_locked(p);
            return true;
        }
    }
    return false;
}

bool goi_io_neglected_locked(struct p *p)
{
    p->io_left = p->io_left && p->io_left_picks == goi_p_picks(p);
    return p->io_left;
}

/* For who has no P: sysmon, and a thread that slept in the poller while the last P was taken. */
static void deliver_elsewhere(struct m *m, struct goi_runq *ready)
{
    goi_lock(&goi_sched.lock);
    struct p *p = goi_p_take_idle_locked();
    if (p != NULL) {
        put(p, ready, goi_now());
    } else if (!put_on_busy_locked(m, ready)) {
        while (goi_runq_len(ready) > 0) { /* ends: each turn takes one out */
            goi_runq_push_head(&goi_sched.global, goi_runq_pop_tail(ready));
        }
    }
    goi_unlock(&goi_sched.lock);
    if (p != NULL) {
        goi_p_start(p);
    }
}

/* One P that goes to sleep now and then keeps up with what comes. Another one would take the
 * processor from whoever sends the requests, if that is on this machine, and half of each batch to
 * other caches. A P that has had no pause for a while calls another, at most once in that time. */
static bool needs_help(struct p *p, int64_t now)
{
    int64_t since = ld_rlx(&p->io_alone_busy); /* [stat] */
    if (since != 0 && now - since < GOI_IO_HELP_NS) {
        return false;
    }
    st_rlx(&p->io_alone_busy, now);
    return since != 0;
}

void goi_io_deliver(struct m *m, struct goi_runq *ready)
{
    mark_ready(m, ready);
    uint32_t n = goi_runq_len(ready);
    if (n == 0) {
        return;
    }
    if (m->p == NULL) {
        deliver_elsewhere(m, ready);
        return;
    }
    int64_t now = goi_now();
    put(m->p, ready, now);
    if (n > 1 && needs_help(m->p, now)) {
        goi_wake_maybe();
    }
}

bool goi_io_look(struct m *m)
{
    struct goi_runq ready = {0};
    /* [IOLOOK] acquire pairs with the release below: its look was over. */
    if (ld_rlx(&goi_sched.io_looking) != 0 || xchg_acq(&goi_sched.io_looking, 1) != 0) {
        return false;
    }
    goi_netpoll(&ready, 0);
    int64_t now = goi_now();
    st_rlx(&goi_sched.io_looked, now);
    if (m->p != NULL) {
        st_rlx(&m->p->io_looked, now);
    }
    st_rel(&goi_sched.io_looking, 0); /* [IOLOOK] */
    bool any = goi_runq_len(&ready) > 0;
    goi_io_deliver(m, &ready);
    return any;
}
