/* SPDX-License-Identifier: MIT */
/* maxprocs.c: how many Ps there are.
 *
 * The default is the number of processors in the affinity mask, or what the control groups grant if
 * that is less (but not below 2, as in Go: a quota of one processor is no reason to forbid two
 * threads). GOMAXPROCS in the environment overrides it.
 *
 * Growing makes Ps and puts them on the idle list. Shrinking marks the surplus: an idle P leaves
 * the list here; a busy one is asked by GOI_ATTN_RETIRE, and its owner moves the queues to the
 * global one and lets go at its next entry. Ps are never freed and come back when the number
 * grows again.
 *
 *   X1  A retired P has empty queues and no timers.  (goi_p_idle_locked, R2)
 *   X2  Who retires a P sees to it that what was on it is found.  (wake_for_rest, S2)
 */
#include "sched/internal.h"
#include <gort/go.h>
#include <stdlib.h>

static int default_procs(void)
{
    int n = gop_cpu_count();
    int quota = gop_cpu_quota();
    if (quota > 0 && quota < n) {
        n = quota > 2 ? quota : (n < 2 ? n : 2);
    }
    const char *text = getenv("GOMAXPROCS");
    if (text != NULL) {
        char *end;
        long asked = strtol(text, &end, 10);
        if (end != text && *end == '\0' && asked > 0) {
            n = asked > GOI_MAXPROCS_MAX ? GOI_MAXPROCS_MAX : (int)asked;
        }
    }
    return n > GOI_MAXPROCS_MAX ? GOI_MAXPROCS_MAX : n;
}

/* Makes Ps up to n; new and returning ones become idle. Under sched.lock. */
static void grow_locked(int n)
{
    for (int i = 0; i < n; i++) {
        struct p *p = goi_sched.procs[i];
        if (p == NULL) {
            p = goi_sched.procs[i] = goi_p_new(i);
            goi_tracer_p_made_locked(p);
            st_rel(&goi_sched.nprocs_made, (uint32_t)i + 1); /* [PROCS] */
        } else if (p->retired) {
            p->retired = false;
            goi_sched.nretired--;
            goi_assert(goi_sched.nretired >= 0);
        } else {
            continue;
        }
        goi_p_idle_locked(p);
    }
}

void goi_procs_init(void)
{
    int n = default_procs();
    goi_lock(&goi_sched.lock);
    st_rlx(&goi_sched.nprocs, (uint32_t)n);
    grow_locked(n);
    goi_unlock(&goi_sched.lock);
}

/* Surplus Ps that are idle leave the list; busy ones are asked. Under sched.lock. */
static void shrink_locked(int n)
{
    struct p **at = &goi_sched.idle_p;
    while (*at != NULL) {
        struct p *p = *at;
        if (p->id < n) {
            at = &p->link;
            continue;
        }
        *at = p->link;
        p->link = NULL;
        p->idle = false;
        sub_rlx(&goi_sched.npidle, 1);
        goi_p_idle_locked(p); /* marks it retired: its id is too high now */
    }
    for (int i = n; i < goi_procs_made(); i++) {
        struct p *p = goi_sched.procs[i];
        if (p->m != NULL) {
            or_rlx(&p->m->attn, GOI_ATTN_RETIRE);
        }
    }
}

int go_maxprocs(int n)
{
    goi_leave(goi_enter());
    goi_lock(&goi_sched.lock);
    int before = goi_procs();
    if (n >= 1) {
        n = n > GOI_MAXPROCS_MAX ? GOI_MAXPROCS_MAX : n;
        st_rlx(&goi_sched.nprocs, (uint32_t)n);
        grow_locked(n);
        shrink_locked(n);
    }
    goi_unlock(&goi_sched.lock);
    if (n > before) {
        goi_wake_one(true);
    } else if (n >= 1) {
        goi_leave(goi_enter()); /* answers a RETIRE of our own P */
    }
    return before;
}

int go_ncpu(void) { return gop_cpu_count(); }

/* Empties p's queues into the global one and lets go of it. Under sched.lock, by its owner. */
static void retire_locked(struct m *m)
{
    struct p *p = m->p;
    if (p->runnext != NULL) {
        goi_runq_push_tail(&goi_sched.global, &p->runnext->run);
        p->runnext = NULL;
        st_rlx(&p->has_next, 0);
    }
    goi_io_forget(p);
    goi_runq_move_head(&p->woken, &goi_sched.global, goi_runq_len(&p->woken));
    goi_runq_move_tail(&p->fresh, &goi_sched.global, goi_runq_len(&p->fresh));
    goi_p_unbind_locked(p, m);
    goi_p_idle_locked(p);
}

/* What the retired P left, goroutines in the global queue and timers in P 0's heap, wants a thread:
 * those that sleep do not know of it (S2). */
static void wake_for_rest(struct m *m)
{
    goi_stop_spinning(m, false); /* it may have been woken to search, which it cannot now */
    if (goi_runq_len(&goi_sched.global) > 0 || goi_timers_all_next() != GOI_FOREVER) {
        goi_wake_one(true);
    }
}

static void requeue_and_retire(struct m *m, void *arg)
{
    struct g *g = arg;
    goi_lock(&goi_sched.lock);
    if (m->p != NULL) {
        retire_locked(m);
    }
    goi_global_push_locked(g);
    goi_unlock(&goi_sched.lock);
    wake_for_rest(m);
}

struct m *goi_p_give_up(struct m *m, bool retire)
{
    struct g *g = m->g;
    if (!retire || m->p->id < goi_procs()) {
        return goi_yield(m);
    }
    goi_gset(g, GOI_G_RUNNING, GOI_G_RUNNABLE);
    struct goi_post post = {.fn = requeue_and_retire, .arg = g};
    return goi_switch_to(m, g, m->g0, &post);
}

void goi_loop_attend(struct m *m)
{
    uint32_t a = ld_rlx(&m->attn);
    if ((a & GOI_ATTN_EXIT) != 0) {
        goi_freeze();
    }
    and_acqrel(&m->attn, ~(uint32_t)(GOI_ATTN_RETIRE | GOI_ATTN_SHARE)); /* [RT] over-ordered */
    goi_lock(&goi_sched.lock);
    if ((a & GOI_ATTN_SHARE) != 0) {
        goi_share_locked(m->p, false);
    }
    bool left = (a & GOI_ATTN_RETIRE) != 0 && m->p->id >= goi_procs();
    if (left) {
        retire_locked(m);
    }
    goi_unlock(&goi_sched.lock);
    if (left) {
        wake_for_rest(m);
    }
}
