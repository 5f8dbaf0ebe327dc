/* SPDX-License-Identifier: MIT */
/* preempt.c: the slow path of entering the runtime.
 *
 * No C code is ever switched asynchronously: malloc, stdio and thread-locals forbid it. Instead the
 * P is taken away from a goroutine that runs or sleeps for long (sysmon.c, hold.c), and the
 * goroutine goes on as an ordinary thread until its next call into the runtime. Here is that
 * call. It also answers the other requests that are left in m->attn: share work, yield, look at
 * the timers.
 *
 * A goroutine that lives in the inline paths of go_mutex never calls, so it would lose its P to a
 * request it cannot see. goi_nudge is set beside GOI_ATTN_SLICE and sends those paths here once; it
 * belongs to nobody, is cleared by anybody, and a lost one costs a hand-off of the P.
 *
 *   E1  Past goi_enter a goroutine that is not foreign has a P, and HOLD was seen clear after
 *       in_rt was set.                                                     (assert at the end)
 *   E2  A goroutine that finds no P leaves its thread: it is queued like any runnable one, and
 *       its thread idles.                                                  (acquire_p)
 */
#include "sched/internal.h"
#include <gort/go.h>

go_word goi_nudge;

/* m's goroutine has a P again, or is on a queue. */
static void attached_locked(struct m *m)
{
    m->detached = false;
    st_rlx(&goi_sched.ndetached, ld_rlx(&goi_sched.ndetached) - 1);
    if (m->hog) {
        m->hog = false;
        st_rlx(&goi_sched.nhogs, ld_rlx(&goi_sched.nhogs) - 1);
    }
}

static void requeue_global(struct m *m, void *arg)
{
    struct g *g = arg;
    goi_lock(&goi_sched.lock);
    goi_must(m->detached);
    attached_locked(m);
    goi_tracer_queued(m, g);
    goi_global_push_locked(g);
    goi_unlock(&goi_sched.lock);
    if (ld_rlx(&goi_sched.npidle) != 0) {
        goi_wake_one(true);
    }
}

static void own_slice(struct m *m)
{
    if (m->hog_slice) {
        m->hog_slice = false;
        gop_thread_slice(0, 100000);
    }
}

/* The P was taken while we were away. Returns the M we are on afterwards. */
static struct m *acquire_p(struct m *m)
{
    struct g *g = m->g;
    goi_lock(&goi_sched.lock);
    struct p *p = goi_p_take_idle_locked();
    if (p != NULL) {
        goi_p_bind_locked(p, m);
        attached_locked(m);
        goi_unlock(&goi_sched.lock);
        own_slice(m);
        return m;
    }
    goi_unlock(&goi_sched.lock);
    own_slice(m);
    goi_gset(g, GOI_G_RUNNING, GOI_G_RUNNABLE);
    struct goi_post post = {.fn = requeue_global, .arg = g}; /* E2 */
    return goi_switch_to(m, g, m->g0, &post);
}

static void share(struct m *m)
{
    goi_lock(&goi_sched.lock);
    goi_share_locked(m->p, false);
    goi_unlock(&goi_sched.lock);
}

struct m *goi_enter_slow(struct m *m)
{
    if (m == NULL) {
        m = goi_adopt();
        st_rlx(&m->in_rt, 1);
    }
    for (;;) { /* ends: each request is cleared before it is answered */
        uint32_t a = goi_rt_attend(&m->attn); /* [RT] H3 */
        if (GOI_UNLIKELY((a & GOI_ATTN_EXIT) != 0)) {
            goi_freeze();
        }
        if (GOI_UNLIKELY((a & GOI_ATTN_FORKED) != 0)) {
            goi_fatal("goroutines used in the child of fork: it may only exec or _exit");
        }
        if ((a & GOI_ATTN_HOLD) != 0) {
            /* [RT] Waiting at the door is being outside: who stops the world need not wait. */
            st_rel(&m->in_rt, 0);
            goi_lock(&goi_sched.lock); /* the holder clears HOLD before it releases */
            goi_unlock(&goi_sched.lock);
            st_rlx(&m->in_rt, 1);
            continue;
        }
        if (m->foreign) {
            return m;
        }
        if ((a & GOI_ATTN_NO_P) != 0) {
            m = acquire_p(m);
            continue;
        }
        a &= ~(uint32_t)GOI_ATTN_FENCE;
        if (a == 0) {
            break;
        }
        and_acqrel(&m->attn, ~(a & (GOI_ATTN_SHARE | GOI_ATTN_SLICE | GOI_ATTN_DUE |
                                    GOI_ATTN_RETIRE))); /* [RT] over-ordered */
        if ((a & GOI_ATTN_SHARE) != 0) {
            share(m);
        }
        if ((a & GOI_ATTN_DUE) != 0) {
            goi_ask(m->p); /* not here: words left on this stack would keep leaks alive */
        }
        if ((a & (GOI_ATTN_SLICE | GOI_ATTN_RETIRE)) != 0) {
            st_rlx(goi_word32(&goi_nudge), 0); /* [stat] */
            if ((m->watch & GOI_WATCH_TRACE) != 0) {
                goi_tracer_preempted(m);
            }
            m = goi_p_give_up(m, (a & GOI_ATTN_RETIRE) != 0);
        }
    }
    goi_assert(m->p != NULL); /* E1 */
    return m;
}
