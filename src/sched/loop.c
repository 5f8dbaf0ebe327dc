/* SPDX-License-Identifier: MIT */
/* loop.c: what a thread does when no goroutine follows the last one: the scheduler stack.
 *
 *   1. its own timers and queues, then its share of the global queue;
 *   2. for a few microseconds, if nobody else does: look for timers that are due and for Ps with
 *      more work than their owner can start (spinning);
 *   3. look at the descriptors that are waited for (io.c);
 *   4. give the P back and sleep. The thread that goes to sleep when a timer is pending sleeps
 *      until the earliest deadline of all Ps, and one of the sleepers sleeps in the poller of
 *      descriptors, so that it is woken by them as well.
 *
 * Stealing. A victim outside the runtime is held (hold.c) and half of its queue moved; a victim
 * inside is asked (GOI_ATTN_SHARE) and answers at its next entry. That costs both sides
 * microseconds, and then what both touch (a wait group, the stacks' cache) goes back and forth
 * between two processors. So a victim is left alone while it will run what waits sooner than we
 * can: while its queues run empty now and then, and it keeps picking or starting. A thread that
 * starts 64 goroutines of 50 ns and then runs them is never worth it (a spawn 110 ns, against 400
 * with stealing at sight); a tree whose oldest branch has waited 10 us is. The searcher's notes are
 * in the victim: there is one searcher at a time (S3). Whether a search paid is known when its
 * thread has run dry: in less than GOI_STEAL_PAYS_NS it did not.
 *
 *   S1  A P is given back with empty queues, and after a look at the global queue under the same
 *       lock.                                                   (goi_p_idle_locked, R2)
 *   S2  While a timer is pending and all Ps are idle, somebody sleeps no longer than until the
 *       earliest deadline: poll_until <= min(deadlines). A timer added later is added by a
 *       goroutine (so a P is not idle, and its owner passes here again), or by a thread without a
 *       P, which calls goi_poller_kick: the timer is in its heap before the kick takes sched.lock,
 *       and who goes idle reads the heaps under sched.lock. A P that is retired instead of made
 *       idle does not pass here: its owner kicks for what it leaves.    (goi_loop_attend)
 *   S3  m->spinning threads are counted in nspinning exactly once, and a thread that has no P does
 *       not spin: a count that stayed behind would forbid every later wake.
 *                                                          (asserts, tests/stress/thread_test)
 *
 * [MPARK] m->wake: release by the waker after it has set next_p and spinning, acquire by the
 * sleeper.
 */
#include "base/jitter.h"
#include "sched/internal.h"
#include <errno.h>

int64_t goi_timers_all_next(void)
{
    int64_t next = GOI_FOREVER;
    for (int i = 0; i < goi_procs_made(); i++) {
        next = goi_min_i64(next, goi_timers_next(goi_sched.procs[i]->timers));
    }
    return next;
}

static bool run_due_timers(struct m *m, int64_t now)
{
    bool any = false;
    for (int i = 0; i < goi_procs_made(); i++) {
        struct goi_timers *t = goi_sched.procs[i]->timers;
        if (goi_timers_next(t) <= now) {
            goi_timers_run(m, t, now);
            any = true;
        }
    }
    return any;
}

/* The search is over and paid, or not: wakes become rarer, or not. */
static void count_search(bool paid)
{
    uint32_t skip = ld_rlx(&goi_sched.wake_skip); /* [stat] */
    if (paid) {
        st_rlx(&goi_sched.wake_skip, skip / 4);
        st_rlx(&goi_sched.wake_left, 0);
        return;
    }
    skip = skip == 0 ? 1 : 2 * skip < GOI_WAKE_SKIP_MAX ? 2 * skip : GOI_WAKE_SKIP_MAX;
    st_rlx(&goi_sched.wake_skip, skip);
    st_rlx(&goi_sched.wake_left, skip);
}

void goi_stop_spinning(struct m *m, bool found)
{
    if (!m->spinning) {
        return;
    }
    m->spinning = false;
    goi_assert(ld_rlx(&goi_sched.nspinning) > 0); /* S3 */
    GOI_JITTER();
    sub_rlx(&goi_sched.nspinning, 1);
    fence_seq(); /* [IDLE] with the one in goi_wake_one */
    if (!found) {
        count_search(false);
        return;
    }
    m->found_at = goi_now();
    if (goi_runq_len(&goi_sched.global) > 1 || goi_p_work(m->p) > 1) {
        goi_wake_maybe();
    }
}

/* m has run dry: was what its last search found worth the wake? */
static void judge_search(struct m *m)
{
    if (m->found_at != 0) {
        count_search(goi_now() - m->found_at >= GOI_STEAL_PAYS_NS);
        m->found_at = 0;
    }
}

/* Is it worth taking work from victim? Taking costs both sides microseconds, so not while its own
 * thread is about to run all that waits: a queue that ran empty a moment ago will do so again. */
static bool worth_stealing(struct p *victim, int64_t now)
{
    uint32_t drains = ld_rlx(&victim->woken.drains) + ld_rlx(&victim->fresh.drains);
    uint32_t picks = goi_p_picks(victim);
    uint32_t work = goi_p_work(victim);
    if (work == 0 || picks != ld_rlx(&victim->seen_picks)) {
        st_rlx(&victim->seen_picks, picks);
        st_rlx(&victim->stuck_since, now);
    }
    if (work == 0 || drains != ld_rlx(&victim->seen_drains)) {
        st_rlx(&victim->seen_drains, drains);
        st_rlx(&victim->kept_since, now);
    }
    return work > 0 && (now - ld_rlx(&victim->stuck_since) >= GOI_STEAL_STUCK_NS ||
                        now - ld_rlx(&victim->kept_since) >= GOI_STEAL_KEPT_NS);
}

static bool steal_from(struct p *victim)
{
    if (!goi_lock_try(&goi_sched.lock)) {
        return false;
    }
    bool got = false;
    if (victim->m != NULL) {
        if (goi_hold_p_locked(victim)) {
            goi_share_locked(victim, false);
            goi_release_p_locked(victim);
            got = true;
        } else {
            or_rlx(&victim->m->attn, GOI_ATTN_SHARE); /* answered at its next entry */
        }
    }
    goi_unlock(&goi_sched.lock);
    return got;
}

/* Looks around for a while; true if there may be something now. */
static bool spin(struct m *m)
{
    struct p *p = m->p;
    int n = goi_procs_made();
    int64_t start = goi_now();
    int64_t now = start;
    uint32_t first = goi_random(m, (uint32_t)n);
    for (uint32_t round = 0; now - start < GOI_SPIN_NS; round++) {
        if (goi_global_grab(p) || run_due_timers(m, now)) {
            return true;
        }
        for (int i = 0; i < n; i++) {
            struct p *victim = goi_sched.procs[(first + (uint32_t)i) % (uint32_t)n];
            if (victim != p && worth_stealing(victim, now) && steal_from(victim) &&
                goi_global_grab(p)) {
                add_rlx(&p->steals, 1);
                if ((m->watch & GOI_WATCH_TRACE) != 0) {
                    goi_tracer_stole(m, victim);
                }
                return true;
            }
        }
        for (int i = 0; i < GOI_SPIN_PAUSES; i++) {
            goi_pause();
        }
        now = goi_now();
    }
    return false;
}

static bool may_spin(struct m *m)
{
    if (m->spinning) {
        return true; /* woken to look */
    }
    uint32_t none = 0;
    if (goi_procs() < 2 || ld_rlx(&goi_sched.npidle) + 1 >= (uint32_t)goi_procs() ||
        ld_rlx(&goi_sched.wake_skip) > GOI_DRY_SKIP || ld_rlx(&goi_sched.nhogs) > 0 ||
        !cas_rlx(&goi_sched.nspinning, &none, 1)) {
        return false;
    }
    m->spinning = true;
    return true;
}

/* A runnable goroutine for m's P, or NULL when the P should idle. */
static struct g *find(struct m *m)
{
    struct p *p = m->p;
    struct g *g;
    do { /* ends: due is set for timers and by `asked`, and both are seen to */
        p->due = false;
        if (goi_timers_next(p->timers) != GOI_FOREVER) {
            goi_timers_run(m, p->timers, goi_now());
        }
        if (ld_rlx(&goi_sched.io_open) && goi_io_due(goi_now())) {
            (void)goi_io_look(m);
        }
        if (p->asked) {
            goi_looked(p);
            (void)goi_global_grab(p);
        }
        g = goi_pick_owed(p);
        if (g == NULL) {
            g = goi_pick(p);
        }
        if (g == NULL && goi_global_grab(p)) {
            g = goi_pick(p);
        }
        if (g == NULL && !p->due && goi_io_wanted() && goi_io_look(m)) {
            g = goi_pick(p);
        }
        if (g == NULL && !p->due) {
            judge_search(m);
        }
        if (g == NULL && !p->due && may_spin(m) && spin(m)) {
            g = goi_pick(p);
        }
    } while (g == NULL && p->due);
    goi_stop_spinning(m, g != NULL);
    return g;
}

static void sleep_here(struct m *m, int64_t deadline)
{
    while (ld_acq(&m->wake) == 0) { /* [MPARK] */
        GOI_JITTER();
        if (gop_futex_wait(&m->wake, 0, deadline) == -ETIMEDOUT) {
            break;
        }
    }
}

static void unlist_idle_locked(struct m *m)
{
    struct m **at = &goi_sched.idle_m;
    while (*at != m) {
        goi_assert(*at != NULL);
        at = &(*at)->link;
    }
    *at = m->link;
    m->link = NULL;
    m->idle = false;
}

/* Takes a P that was handed over, or an idle one after the poller's time is up. */
static void take_p_locked(struct m *m)
{
    struct p *p = m->next_p;
    m->next_p = NULL;
    if (p == NULL) {
        p = goi_p_take_idle_locked();
    }
    if (p != NULL) {
        goi_p_bind_locked(p, m);
    }
}

/* Without a P: on the idle list until one is handed over. */
static void idle(struct m *m, int64_t deadline)
{
    struct goi_runq ready = {0};
    if (m->polls) {
        goi_io_sleep(m, deadline, &ready);
    } else {
        sleep_here(m, deadline);
    }
    goi_lock(&goi_sched.lock);
    if (m->polls) {
        goi_io_retire_locked(m);
    }
    if (deadline != GOI_FOREVER && ld_rlx(&goi_sched.poll_until) == deadline) {
        st_rlx(&goi_sched.poll_until, 0);
    }
    if (m->idle) { /* nobody woke us: the time is up, or a descriptor is ready */
        unlist_idle_locked(m);
    } else {
        while (ld_acq(&m->wake) == 0) { /* [MPARK] taken off the list, the wake is on its way */
            goi_unlock(&goi_sched.lock);
            gop_futex_wait(&m->wake, 0, GOI_FOREVER);
            goi_lock(&goi_sched.lock);
        }
    }
    take_p_locked(m);
    goi_unlock(&goi_sched.lock);
    if (goi_runq_len(&ready) > 0) {
        goi_io_deliver(m, &ready);
    }
}

static void list_idle_locked(struct m *m)
{
    goi_assert(!m->spinning); /* S3 */
    st_rlx(&m->wake, 0);
    m->idle = true;
    m->link = goi_sched.idle_m;
    goi_sched.idle_m = m;
}

/* Gives the P back and sleeps, unless something turned up meanwhile. */
static void give_up_p(struct m *m)
{
    struct p *p = m->p;
    int64_t now = goi_now();
    goi_lock(&goi_sched.lock);
    int64_t next = goi_timers_all_next(); /* S2: not before the lock, see goi_poller_kick */
    if (next <= now || goi_runq_len(&goi_sched.global) > 0) { /* S1 */
        goi_unlock(&goi_sched.lock);
        run_due_timers(m, now);
        return;
    }
    goi_p_unbind_locked(p, m);
    goi_p_idle_locked(p);
    list_idle_locked(m);
    if (goi_io_elect_locked(m, now)) {
        st_rlx(&m->wake, GOI_M_POLLS);
    }
    int64_t until = ld_rlx(&goi_sched.poll_until);
    int64_t deadline = GOI_FOREVER;
    if (next != GOI_FOREVER && (until == 0 || next < until)) { /* S2 */
        st_rlx(&goi_sched.poll_until, next);
        deadline = next;
    }
    goi_unlock(&goi_sched.lock);
    GOI_JITTER();
    idle(m, deadline);
}

/* A goroutine is locked to this thread and has stopped: the P goes elsewhere until the goroutine
 * is runnable again and another thread hands a P over with it. */
static struct g *wait_locked(struct m *m)
{
    struct p *p = m->p;
    goi_stop_spinning(m, p != NULL);
    if (p != NULL) {
        goi_lock(&goi_sched.lock);
        goi_p_unbind_locked(p, m);
        goi_unlock(&goi_sched.lock);
        goi_p_start(p);
    }
    for (;;) { /* ends when hand_over() has set next_p */
        sleep_here(m, GOI_FOREVER);
        goi_lock(&goi_sched.lock);
        bool given = m->next_p != NULL;
        st_rlx(&m->wake, 0);
        if (given) {
            take_p_locked(m);
        }
        goi_unlock(&goi_sched.lock);
        if (given) {
            return m->locked_g;
        }
    }
}

static void hand_over(struct m *m, struct g *g)
{
    struct p *p = m->p;
    struct m *to = g->locked_m;
    goi_lock(&goi_sched.lock);
    goi_p_unbind_locked(p, m);
    goi_assert(to->next_p == NULL);
    to->next_p = p;
    list_idle_locked(m);
    goi_unlock(&goi_sched.lock);
    st_rel(&to->wake, 1); /* [MPARK] */
    gop_futex_wake(&to->wake, 1);
    idle(m, GOI_FOREVER);
}

static struct g *next(struct m *m)
{
    for (;;) { /* ends when there is a goroutine to run */
        if (m->locked_g != NULL) {
            return wait_locked(m);
        }
        if (m->p == NULL) {
            goi_stop_spinning(m, false); /* its P was retired under it */
            goi_lock(&goi_sched.lock);
            if (m->next_p != NULL) {
                take_p_locked(m);
                goi_unlock(&goi_sched.lock);
                continue;
            }
            list_idle_locked(m);
            goi_unlock(&goi_sched.lock);
            idle(m, GOI_FOREVER);
            continue;
        }
        if ((ld_rlx(&m->attn) & (GOI_ATTN_RETIRE | GOI_ATTN_SHARE | GOI_ATTN_EXIT)) != 0) {
            goi_loop_attend(m);
            continue;
        }
        struct g *g = find(m);
        if (g != NULL && (g->odd & GOI_ODD_FOLLOWED) != 0) {
            goi_sample_run(m->p, g);
        }
        if (g == NULL) {
            give_up_p(m);
        } else if (g->locked_m != NULL) {
            hand_over(m, g);
        } else {
            return g;
        }
    }
}

void goi_loop(void *param, void *post)
{
    struct g *g0 = param;
    struct m *m = goi_m();
    if (post != m) { /* a goroutine has switched here, perhaps without anything to do for it */
        m = goi_arrive(g0, post);
    }
    for (;;) { /* for the life of the thread */
        struct g *g = next(m);
        goi_gset(g, GOI_G_RUNNABLE, GOI_G_RUNNING);
        m = goi_switch_to(m, g0, g, NULL);
    }
}

void goi_poller_kick(int64_t when)
{
    int64_t until = ld_rlx(&goi_sched.poll_until);
    if (until == 0 || when < until) {
        goi_wake_one(true);
    }
}
