/* SPDX-License-Identifier: MIT */
/* proc.c: Ps and their binding to threads; the global queue; when to wake another thread.
 *
 * A P is the right to run goroutines. At any time it is idle (on sched.idle_p), bound to one M, or
 * on its way from one to the other in the hands of the thread that moves it. All moves happen under
 * sched.lock.
 *
 *   R1  p->m == m iff m->p == p (outside sched.lock: for m's own thread, and m's own p).
 *   R2  An idle P has empty queues: its last owner looked before letting go, and nobody adds to
 *       the queues of a P that he does not own.                            (goi_p_idle_locked)
 *   R3  npidle is the length of idle_p.                                    (asserts)
 *   R4  Whoever holds a P beyond GOMAXPROCS has been asked to let go of it: when the number shrank,
 *       or here if the P was on its way then.       (goi_p_bind_locked, tests/stress/thread_test)
 *   R5  A P is idle, retired, bound or on its way; "all is quiet" means that none is bound or on
 *       its way, however many GOMAXPROCS asks for.                  (goi_procs_quiet_locked)
 *
 * Waking another thread costs the waker 3.4 us and takes 20 us to arrive, so it must pay:
 *   - a goroutine in runnext alone wakes nobody: its waker is about to park (sysmon looks after the
 *     waker that is not);
 *   - at most one thread searches at a time, and none is woken while one does;
 *   - a wake that found nothing makes the next ones rarer (wake_skip doubles up to 8192, falls to a
 *     quarter when a search succeeds); sysmon wakes without asking when work waits and its P has
 *     picked nothing for a while.
 *
 * [IDLE] npidle, nspinning and the queue lengths are hints outside sched.lock. A goroutine that is
 * pushed without a P (goi_global_push) is pushed under sched.lock, and a P becomes idle under the
 * same lock after a look at the global queue: no goroutine is left behind.
 * [PROCS] nprocs_made is stored with release after procs[i] is complete; readers acquire.
 */
#include "sched/internal.h"
#include "base/fmt.h"
#include <stdlib.h>
#include <string.h>

struct p *goi_p_new(int id)
{
    struct p *p = aligned_alloc(2 * GOI_CACHE_LINE, sizeof *p);
    if (p == NULL) {
        goi_fatal("out of memory (allocating a processor)");
    }
    memset(p, 0, sizeof *p);
    p->id = id;
    p->budget = GOI_PICK_BUDGET;
    p->timers = goi_timers_new();
    if (p->timers == NULL) {
        goi_fatal("out of memory (allocating timers)");
    }
    return p;
}

void goi_p_bind_locked(struct p *p, struct m *m)
{
    goi_assert(p->m == NULL);
    goi_assert(m->p == NULL);
    goi_assert(!p->idle);
    p->m = m; /* R1 */
    m->p = p;
    and_rlx(&m->attn, ~(uint32_t)GOI_ATTN_NO_P);
    if (p->id >= goi_procs()) { /* R4 */
        or_rlx(&m->attn, GOI_ATTN_RETIRE);
    }
    if (GOI_UNLIKELY(p->tracer != NULL)) {
        goi_tracer_bound(p, m);
    } else {
        m->watch &= GOI_WATCH_ANNOT; /* a trace may have ended while it had no P */
    }
}

void goi_p_unbind_locked(struct p *p, struct m *m)
{
    goi_assert(p->m == m); /* R1 */
    goi_assert(m->p == p);
    if (GOI_UNLIKELY(p->tracer != NULL)) {
        goi_tracer_unbound(p, m);
    }
    p->m = NULL;
    m->p = NULL;
    or_rlx(&m->attn, GOI_ATTN_NO_P);
}

void goi_p_idle_locked(struct p *p)
{
    goi_assert(p->m == NULL);
    goi_assert(!p->idle);
    goi_must(p->runnext == NULL);               /* R2 */
    goi_must(goi_runq_len(&p->woken) == 0);     /* R2 */
    goi_must(goi_runq_len(&p->fresh) == 0);     /* R2 */
    if (p->id >= goi_procs()) {
        p->retired = true;
        goi_sched.nretired++;
        goi_timers_move(p->timers, goi_sched.procs[0]->timers);
        return;
    }
    p->idle = true;
    st_rlx(&p->io_alone_busy, 0); /* [stat] */
    p->link = goi_sched.idle_p;
    goi_sched.idle_p = p;
    add_rlx(&goi_sched.npidle, 1); /* R3 */
}

bool goi_procs_quiet_locked(void)
{
    return ld_rlx(&goi_sched.npidle) + (uint32_t)goi_sched.nretired == (uint32_t)goi_procs_made();
}

struct p *goi_p_take_idle_locked(void)
{
    struct p *p = goi_sched.idle_p;
    if (p == NULL) {
        goi_assert(ld_rlx(&goi_sched.npidle) == 0); /* R3 */
        return NULL;
    }
    goi_assert(p->idle);
    goi_sched.idle_p = p->link;
    p->link = NULL;
    p->idle = false;
    sub_rlx(&goi_sched.npidle, 1); /* R3 */
    goi_sysmon_wake_locked();
    return p;
}

uint32_t goi_p_work(const struct p *p)
{
    return goi_runq_len(&p->woken) + goi_runq_len(&p->fresh);
}

/* An idle M, off its list, with p handed over; NULL when a new one must be made. */
static struct m *assign_locked(struct p *p)
{
    struct m **at = &goi_sched.idle_m;
    if (*at != NULL && (*at)->link != NULL && *at == ld_rlx(&goi_sched.poller)) {
        at = &(*at)->link; /* the poller had better stay where it is (io.c) */
    }
    struct m *m = *at;
    if (m != NULL) {
        *at = m->link;
        m->link = NULL;
        m->idle = false;
        goi_assert(m->next_p == NULL);
        m->next_p = p;
    }
    return m;
}

void goi_m_wake(struct m *m)
{
    add_rlx(&goi_sched.wakes, 1); /* [stat] */
    /* [MPARK] with the acquire in goi_loop's wait: next_p, spinning. Acquire for the swap in
     * goi_io_sleep. */
    if (GOI_UNLIKELY(xchg_acqrel(&m->wake, 1) == GOI_M_POLLS)) {
        goi_netpoll_break();
    } else {
        gop_futex_wake(&m->wake, 1);
    }
}

void goi_p_start(struct p *p)
{
    goi_assert(p->m == NULL);
    goi_lock(&goi_sched.lock);
    struct m *m = assign_locked(p);
    goi_unlock(&goi_sched.lock);
    if (m == NULL) {
        m = goi_m_new();
        m->next_p = p;
        goi_m_start(m);
        return;
    }
    goi_m_wake(m);
}

void goi_wake_one(bool insist)
{
    if (!insist) {
        uint32_t left = ld_rlx(&goi_sched.wake_left);
        if (left > 0) {
            st_rlx(&goi_sched.wake_left, left - 1); /* [stat] racy on purpose */
            return;
        }
    }
    /* One search at a time. The fence pairs with the one in goi_stop_spinning: either we see that
     * the search is over, or the searcher, who looks once more before he sleeps, sees our work. */
    uint32_t none = 0;
    fence_seq(); /* [IDLE] */
    if (!cas_rlx(&goi_sched.nspinning, &none, 1)) {
        return;
    }
    goi_lock(&goi_sched.lock);
    struct p *p = goi_p_take_idle_locked();
    struct m *m = p != NULL ? assign_locked(p) : NULL;
    if (m != NULL) {
        m->spinning = true;
    }
    goi_unlock(&goi_sched.lock);
    if (p == NULL) {
        sub_rlx(&goi_sched.nspinning, 1);
        return;
    }
    if (m == NULL) {
        m = goi_m_new();
        m->spinning = true;
        m->next_p = p;
        goi_m_start(m);
        return;
    }
    goi_m_wake(m);
}

void goi_global_push_locked(struct g *g)
{
    goi_runq_push_tail(&goi_sched.global, &g->run);
}

void goi_global_push(struct g *g)
{
    goi_lock(&goi_sched.lock);
    goi_global_push_locked(g);
    goi_unlock(&goi_sched.lock);
    if (ld_rlx(&goi_sched.npidle) != 0) {
        goi_wake_one(true);
    }
}

bool goi_global_grab(struct p *p)
{
    if (goi_runq_len(&goi_sched.global) == 0) {
        return false;
    }
    goi_lock(&goi_sched.lock);
    uint32_t n = goi_runq_len(&goi_sched.global);
    size_t share = goi_min_size(n / (uint32_t)goi_procs() + 1, GOI_SHARE_MAX);
    goi_runq_move_head(&goi_sched.global, &p->woken, (uint32_t)goi_min_size(share, n));
    goi_unlock(&goi_sched.lock);
    return n > 0;
}
