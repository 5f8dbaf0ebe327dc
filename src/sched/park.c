/* SPDX-License-Identifier: MIT */
/* park.c: how a goroutine stops running, and how it starts again.
 *
 * A goroutine that must wait does two things that cannot be one thing: it publishes a waiter record
 * where a waker will find it, and it gives up its stack. In between it can be found and is still
 * running; a waker that resumed it there would put one stack on two threads. So the record is
 * published under a lock which the parker does not release itself: it switches to the next
 * goroutine (or to the thread's scheduler stack), and *that* stack releases the lock. This is the
 * commit, carried by the switch as a struct goi_post. Whoever takes the lock next meets a goroutine
 * that has truly stopped.
 *
 *   P1  A record is reachable only under the lock that the commit releases. (callers; goi_ready)
 *   P2  The commit runs with the parker's registers saved, on another stack, with a P held or on
 *       the scheduler stack.                                             (goi_arrive)
 *   P3  Exactly one waker wins a goroutine that waits for several things. (goi_claim)
 *   P5  Between the parker's decision and its commit no lock is waited for, and no timer runs:
 *       the parker may hold a channel's lock or a timer heap's, and a timer may want the one, a
 *       holder of sched.lock the other.               (pick_slow, tests/stress/retire_test)
 *   P4  A goroutine that is made runnable is on no queue.                 (goi_runq_push_*, Q2)
 *
 * Run order. The goroutine readied last runs next (runnext): a hand-off stays on the waker's P at
 * switch cost and inherits its time slice, so that a pair that plays ping-pong cannot hold the P
 * for longer than 10 ms. Of a crowd that is readied at once (close, broadcast) it is the first.
 * Then those that became ready, first in first out. Then those that never ran, newest first: depth
 * first keeps a spawning tree small (skynet: 60 goroutines alive instead of a million) and its
 * stacks warm. Every 61 picks the clock is looked at, and the global queue, the woken or the new
 * ones come first, in turn, and once in a time slice the oldest unstarted goroutine: nothing waits
 * unbounded. What is due then, timers or descriptors, is seen to before that turn, and never in its
 * place (turn_owed). Where 61 picks are long sysmon asks for a look, at timers and at the global
 * queue, with the next pick (GOI_ATTN_DUE); the 61 picks go on behind it.
 *
 * A goroutine that starts GOI_FRESH_MAX others in one go lets them run first and goes on behind
 * them: otherwise `for (1M) go(f)` needs a million stacks to run functions that end at once.
 *
 * Rejected: a "still parking" flag that wakers spin on. It saves one store and hangs when the
 * parker's thread is descheduled between the two steps. Rejected: always through the scheduler
 * stack (6.9 ns a switch against 5.0). Rejected: one FIFO for all (breadth first, see above).
 *
 * [CLAIM] claim holds generation << 1 | taken. Winners store with release so that what they wrote
 * for the sleeper (wake_arg) is seen by it after the acquire in goi_claim_end.
 */
#include "sched/fast.h"
#include <errno.h>

struct m *goi_arrive(struct g *self, struct goi_post *post)
{
    return goi_arrive_inline(self, post);
}

struct m *goi_switch_to(struct m *m, struct g *from, struct g *to, struct goi_post *post)
{
    return goi_switch_inline(m, from, to, post);
}

/* The three queues, for fairness. The lock of the global one is not waited for: the parker may hold
 * a timer heap's, and who holds sched.lock may want that (a P that retires). */
static struct goi_runnable *take_turn(struct p *p, uint32_t turn, int64_t now)
{
    switch (turn % 3) {
    case 0: {
        struct goi_runnable *r = NULL;
        if (goi_runq_len(&goi_sched.global) > 0 && goi_lock_try(&goi_sched.lock)) {
            r = goi_runq_pop_head(&goi_sched.global);
            goi_unlock(&goi_sched.lock);
        }
        return r;
    }
    case 1:
        return goi_runq_pop_head(&p->woken);
    default:
        if (now - p->fair_at >= GOI_SLICE_NS) {
            /* The oldest unstarted goroutine: the last-in-first-out queue must not bury it. By
             * time, because by count a spawning tree would become breadth first again. */
            p->fair_at = now;
            p->spawn_first = NULL;
            return goi_runq_pop_tail(&p->fresh);
        }
        return goi_runq_pop_head(&p->fresh);
    }
}

static struct g *turn(struct p *p, int64_t now)
{
    uint32_t first = p->fair_turn++;
    struct goi_runnable *r = NULL;
    for (uint32_t i = 0; i < 3 && r == NULL; i++) {
        r = take_turn(p, first + i, now);
    }
    return goi_g_of(r);
}

/* The rare part of a pick: fairness, due timers. The parker may hold the lock that its commit will
 * release, so no lock is waited for here: due timers are run by the scheduler stack (P5). Each
 * queue is first in turn: a pair in runnext holds up none of them, and none the others. A look that
 * sysmon asked for is none of the 61 picks; one that was due at the last of them is followed by the
 * turn, or whoever has a ticker would never come to it. */
struct g *goi_pick_slow(struct p *p)
{
    if (p->asked) {
        p->budget = 1; /* goi_looked() gives back what was left */
        p->due = true;
        return NULL;
    }
    int64_t now = goi_now();
    p->budget = GOI_PICK_BUDGET;
    goi_sample_park(p, now);
    if (GOI_UNLIKELY(p->tracer != NULL)) {
        goi_tracer_tick(p, now);
    }
    /* P5 of io as well: a report takes the lock of what is waited for */
    if (goi_timers_next(p->timers) <= now || goi_io_due(now)) {
        p->due = true;
        p->turn_owed = true;
        return NULL;
    }
    return turn(p, now);
}

void goi_ask(struct p *p)
{
    if (!p->asked) {
        goi_assert(p->budget > 0);
        p->asked = true;
        p->put_off = p->budget;
        p->budget = 1;
    }
}

void goi_looked(struct p *p)
{
    goi_assert(p->asked && p->put_off > 0);
    p->asked = false;
    p->budget = p->put_off;
}

struct g *goi_pick_owed(struct p *p)
{
    struct g *g = NULL;
    if (p->turn_owed) {
        p->turn_owed = false;
        g = turn(p, goi_now());
    }
    if (g != NULL) {
        p->spawn_run = 0;
        st_rlx(&p->tick, ld_rlx(&p->tick) + 1); /* [stat] */
    }
    return g;
}

/* A followed goroutine runs now; one that is locked to its thread is handed over by the scheduler
 * stack, and NULL returned. */
struct g *goi_pick_odd(struct p *p, struct g *to)
{
    if ((to->odd & GOI_ODD_FOLLOWED) != 0) {
        goi_sample_run(p, to);
    }
    if (to->locked_m != NULL) {
        goi_runq_push_head(&p->woken, &to->run);
        return NULL;
    }
    return to;
}

struct g *goi_pick(struct p *p) { return goi_pick_inline(p); }

struct m *goi_schedule(struct m *m, struct g *from, struct goi_post *post)
{
    return goi_schedule_inline(m, from, post);
}

/* A foreign thread waits on its own futex: nothing to switch to.
 * [TPARK] release by goi_ready after it is done with g, acquire here: the waker's writes. */
struct m *goi_park_thread(struct m *m, struct g *g, struct goi_post *post)
{
    st_rlx(&g->thread_wake, 0);
    int saved = *m->errno_place;
    goi_tracer_thread_parks(g);
    if (post->fn == NULL) {
        goi_unlock(post->arg);
    } else {
        post->fn(m, post->arg);
    }
    while (ld_acq(&g->thread_wake) == 0) { /* [TPARK] ends when a waker stores 1 */
        GOI_JITTER();
        gop_futex_wait(&g->thread_wake, 0, GOI_FOREVER);
    }
    goi_gset(g, GOI_G_RUNNABLE, GOI_G_RUNNING);
    goi_tracer_thread_runs(g);
    *m->errno_place = saved;
    return m;
}

struct m *goi_park(struct m *m, enum wait_reason reason, void *object,
                   void (*commit)(struct m *m, void *arg), void *arg)
{
    return goi_park_inline(m, reason, object, commit, arg);
}

/* [TPARK] The word may be gone as soon as it is 1: foreign m's and g's are never freed, so the
 * wake that follows at worst wakes a later wait of the same thread, which looks again. */
void goi_ready_thread(struct g *g)
{
    goi_gset(g, GOI_G_WAITING, GOI_G_RUNNABLE);
    st_rel(&g->thread_wake, 1); /* [TPARK] */
    gop_futex_wake(&g->thread_wake, 1);
}

/* True: g is a thread's, and runs again. */
bool goi_ready_odd(struct m *m, struct g *g)
{
    if ((g->odd & GOI_ODD_TRACED) != 0) {
        goi_tracer_ready(m, g);
    }
    if ((g->odd & GOI_ODD_FOREIGN) != 0) {
        goi_ready_thread(g);
        return true;
    }
    if ((g->odd & GOI_ODD_FOLLOWED) != 0) {
        goi_sample_ready(m, g);
    }
    return false;
}

void goi_ready(struct m *m, struct g *g) { goi_ready_inline(m, g); }

void goi_ready_back(struct m *m, struct g *g)
{
    if (m->p == NULL || m->p->runnext == NULL) {
        goi_ready_inline(m, g);
        return;
    }
    if (GOI_UNLIKELY((g->odd & GOI_ODD_READY) != 0) && goi_ready_odd(m, g)) {
        return;
    }
    goi_gset(g, GOI_G_WAITING, GOI_G_RUNNABLE);
    goi_runq_push_tail(&m->p->woken, &g->run);
    goi_wake_maybe();
}

/* To the end of the queue, before something is picked from it: nobody else takes from this P's
 * queues while we are inside the runtime, and the goroutine that runs next is inside it too. (And a
 * queue that is never empty for want of this order tells the others that there is work: loop.c.) */
GOI_INLINE void line_up(struct p *p, struct g *g)
{
    goi_gset(g, GOI_G_RUNNING, GOI_G_RUNNABLE);
    goi_runq_push_tail(&p->woken, &g->run);
}

/* Gives way to `to`, which was picked after g had lined up; NULL: timers are due. */
static struct m *give_way(struct m *m, struct g *to)
{
    struct g *g = m->g;
    struct p *p = m->p;
    goi_assert_hot(to != NULL || p->due);
    if (to == g) {
        goi_gset(g, GOI_G_RUNNABLE, GOI_G_RUNNING);
        return m;
    }
    if (GOI_UNLIKELY(to == NULL)) {
        return goi_switch_inline(m, g, m->g0, NULL);
    }
    if (GOI_UNLIKELY(g->locked_m != NULL)) {
        goi_runq_push_head(&p->woken, &to->run);
        return goi_switch_inline(m, g, m->g0, NULL);
    }
    if (GOI_UNLIKELY((to->odd & (GOI_ODD_LOCKED | GOI_ODD_FOLLOWED)) != 0) &&
        goi_pick_odd(p, to) == NULL) {
        return goi_switch_inline(m, g, m->g0, NULL);
    }
    if (goi_runq_len(&p->woken) > 1) {
        goi_wake_maybe();
    }
    goi_gset(to, GOI_G_RUNNABLE, GOI_G_RUNNING);
    return goi_switch_inline(m, g, to, NULL);
}

/* The usual cases: nothing but what lies in `woken` may come next. */
GOI_INLINE bool yields_to_woken(const struct m *m)
{
    const struct p *p = m->p;
    if (p == NULL || p->runnext != NULL || p->fresh.head != NULL || p->budget <= 1) {
        return false;
    }
    uint8_t odd = p->woken.head != NULL ? goi_g_of(p->woken.head)->odd : 0;
    return ((m->g->odd | odd) & GOI_ODD_SWAP) == 0;
}

GOI_NOINLINE static struct m *yield_to_woken(struct m *m)
{
    struct g *g = m->g;
    struct p *p = m->p;
    p->budget--;
    p->spawn_run = 0;
    st_rlx(&p->picks, ld_rlx(&p->picks) + 1); /* [stat] */
    st_rlx(&p->tick, ld_rlx(&p->tick) + 1);   /* [stat] a new slice begins */
    if (p->woken.head == NULL) {
        return m; /* nobody is here to give way to: a pick all the same, one of 61 looks around */
    }
    goi_gset(g, GOI_G_RUNNING, GOI_G_RUNNABLE);
    struct g *to = goi_g_of(goi_runq_rotate(&p->woken, &g->run));
    if (p->woken.head != &g->run) {
        goi_prefetch_runnable(p->woken.head);
        goi_wake_maybe();
    }
    goi_gset(to, GOI_G_RUNNABLE, GOI_G_RUNNING);
    return goi_switch_inline(m, g, to, NULL);
}

GOI_NOINLINE static struct m *yield_slow(struct m *m)
{
    struct p *p = m->p;
    if (GOI_UNLIKELY(m->foreign)) {
        gop_thread_yield();
        return m;
    }
    if (p->runnext != NULL) { /* a yield gives way to all, in order */
        goi_runq_push_tail(&p->woken, &p->runnext->run);
        p->runnext = NULL;
        st_rlx(&p->has_next, 0);
    }
    line_up(p, m->g);
    /* New goroutines first: who yields in a loop waits for something, maybe for one of them. */
    struct g *to = goi_g_of(goi_runq_pop_head(&p->fresh));
    if (to != NULL) {
        st_rlx(&p->picks, ld_rlx(&p->picks) + 1); /* [stat] a pick like the others: it begins a */
        st_rlx(&p->tick, ld_rlx(&p->tick) + 1);   /* slice, or sysmon takes the P for stuck */
        p->spawn_run = 0;
    } else {
        to = goi_pick_inline(p);
    }
    return give_way(m, to);
}

struct m *goi_yield(struct m *m)
{
    return yields_to_woken(m) ? yield_to_woken(m) : yield_slow(m);
}

struct m *goi_yield_next(struct m *m)
{
    if (GOI_UNLIKELY(m->foreign)) {
        return m; /* who was readied goes on elsewhere */
    }
    line_up(m->p, m->g);
    return give_way(m, goi_pick_inline(m->p));
}

/* What of a pick is due now and then is left to the next pick: of 61 picks one is not a swap. */
bool goi_swap_next(struct m **m)
{
    struct g *g = (*m)->g;
    struct p *p = (*m)->p;
    struct g *to = p != NULL ? p->runnext : NULL;
    if (to == NULL || ((g->odd | to->odd) & GOI_ODD_SWAP) != 0 || p->budget <= 1) {
        return false;
    }
    p->budget--;
    p->spawn_run = 0;
    st_rlx(&p->picks, ld_rlx(&p->picks) + 1); /* [stat] */
    p->runnext = g;
    goi_gset(g, GOI_G_RUNNING, GOI_G_RUNNABLE);
    goi_gset(to, GOI_G_RUNNABLE, GOI_G_RUNNING);
    *m = goi_switch_inline(*m, g, to, NULL);
    return true;
}

uint32_t goi_claim_begin(struct g *g)
{
    uint32_t c = (ld_rlx(&g->claim) | 1) + 1; /* next generation, not taken */
    st_rlx(&g->claim, c);                     /* published by the lock of the waiter queue */
    return c;
}

bool goi_claim(struct g *g, uint32_t ticket)
{
    uint32_t expected = ticket;
    goi_assert_hot((ticket & 1) == 0);
    GOI_JITTER();
    return ld_rlx(&g->claim) == ticket &&
           cas_acqrel(&g->claim, &expected, ticket | 1); /* [CLAIM] */
}

bool goi_claim_end(struct g *g, uint32_t ticket)
{
    uint32_t expected = ticket;
    goi_assert_hot(ld_rlx(&g->claim) >> 1 == ticket >> 1);
    GOI_JITTER();
    return ld_acq(&g->claim) == ticket &&
           cas_acqrel(&g->claim, &expected, ticket | 1); /* [CLAIM] true: nobody had claimed */
}
