/* SPDX-License-Identifier: MIT */
/* fast.h: park, ready and switch as inline code, for the paths where a call would show: the
 * channels' own file inlines them, everybody else calls the functions of sched.h, which park.c
 * makes of these. The essay is in park.c. */
#ifndef GOI_SCHED_FAST_H
#define GOI_SCHED_FAST_H
#include "arch/switch.h"
#include "base/jitter.h"
#include "sched/internal.h"

struct g *goi_pick_slow(struct p *p) GOI_COLD;
bool goi_ready_odd(struct m *m, struct g *g) GOI_COLD;
struct m *goi_park_thread(struct m *m, struct g *g, struct goi_post *post) GOI_COLD;
void goi_ready_thread(struct g *g) GOI_COLD;

GOI_INLINE struct m *goi_arrive_inline(struct g *self, struct goi_post *post)
{
    struct m *m = goi_m();
    goi_assert_hot(m->g == self);
    goi_assert_hot(ld_rlx(&m->in_rt) == 1);
    if (GOI_UNLIKELY((m->watch & GOI_WATCH_ANNOT) != 0)) {
        goi_annot_arrive(&self->annot);
    }
    if (post != NULL) {
        GOI_JITTER(); /* before the commit */
        if (post->fn == NULL) {
            goi_unlock(post->arg);
        } else {
            post->fn(m, post->arg); /* P2 */
        }
    }
    return m;
}

GOI_INLINE struct m *goi_switch_inline(struct m *m, struct g *from, struct g *to,
                                       struct goi_post *post)
{
    goi_assert_hot(from != to);
    from->saved_errno = *m->errno_place;
    if (GOI_UNLIKELY(m->cxx_place != NULL)) {
        from->cxx[0] = m->cxx_place[0];
        from->cxx[1] = m->cxx_place[1];
        m->cxx_place[0] = to->cxx[0];
        m->cxx_place[1] = to->cxx[1];
    }
    m->g = to;
    to->m = m;
    if (GOI_UNLIKELY(m->watch != 0)) {
        if ((m->watch & GOI_WATCH_TRACE) != 0) {
            goi_tracer_switch(m, from, to);
        }
        if ((m->watch & GOI_WATCH_ANNOT) != 0) { /* in line: the stack of TSan's frames changes */
            goi_annot_switch(&from->annot, &to->annot, ld_rlx(&from->state) == GOI_G_DEAD);
        }
    }
    struct goi_post *back = goi_switch_here(&from->regs, &to->regs, post);
    m = goi_arrive_inline(from, back);
    *m->errno_place = from->saved_errno;
    return m;
}

/* h is next but one. Of very many goroutines each has its own page, far from the caches. */
GOI_INLINE void goi_prefetch_runnable(struct goi_runnable *h)
{
    struct g *g = goi_g_of(h);
    __builtin_prefetch(h->next, 1);
    __builtin_prefetch(&g->m, 1);
    __builtin_prefetch(g->regs.sp, 1);
    __builtin_prefetch((char *)g->regs.sp + GOI_CACHE_LINE, 1);
}

GOI_INLINE struct g *goi_pick_inline(struct p *p)
{
    struct goi_runnable *r;
    struct g *g;
    st_rlx(&p->picks, ld_rlx(&p->picks) + 1); /* [stat] for sysmon and thieves */
    p->spawn_run = 0;
    if (GOI_UNLIKELY(--p->budget == 0)) {
        g = goi_pick_slow(p);
        if (g != NULL) {
            st_rlx(&p->tick, ld_rlx(&p->tick) + 1);
            return g;
        }
        if (p->due) {
            return NULL; /* no new slice: what is in runnext may well go on after the look */
        }
    }
    g = p->runnext;
    if (g != NULL) {
        p->runnext = NULL;
        st_rlx(&p->has_next, 0);
        return g;
    }
    st_rlx(&p->tick, ld_rlx(&p->tick) + 1); /* [stat] a new slice begins */
    r = goi_runq_pop_head(&p->woken);
    if (r == NULL) {
        r = goi_runq_pop_head(&p->fresh);
    } else if (p->woken.head != NULL) {
        goi_prefetch_runnable(p->woken.head);
    }
    return goi_g_of(r);
}

/* Leaves `from`, whose state is set, for whatever runs next. */
GOI_INLINE struct m *goi_schedule_inline(struct m *m, struct g *from, struct goi_post *post)
{
    struct g *to = NULL;
    if (GOI_LIKELY(m->p != NULL) && GOI_LIKELY(from->locked_m == NULL)) {
        to = goi_pick_inline(m->p);
        if (to != NULL && GOI_UNLIKELY((to->odd & (GOI_ODD_LOCKED | GOI_ODD_FOLLOWED)) != 0)) {
            to = goi_pick_odd(m->p, to);
        }
    }
    if (GOI_UNLIKELY(to == NULL)) {
        return goi_switch_inline(m, from, m->g0, post);
    }
    goi_gset(to, GOI_G_RUNNABLE, GOI_G_RUNNING);
    return goi_switch_inline(m, from, to, post);
}

GOI_INLINE struct m *goi_park_inline(struct m *m, enum wait_reason reason, void *object,
                                     void (*commit)(struct m *m, void *arg), void *arg)
{
    struct g *g = m->g;
    struct goi_post post = {.fn = commit, .arg = arg};
    goi_assert_hot(ld_rlx(&m->in_rt) == 1);
    goi_assert_hot((g->flags & GOI_G_SCHED) == 0);
    g->reason = (uint8_t)reason;
    st_rlx(&g->waits_from, ld_rlx(&goi_coarse.now)); /* [stat] */
    g->wait_object = object;
    goi_gset(g, GOI_G_RUNNING, GOI_G_WAITING);
    if (GOI_UNLIKELY(m->foreign)) {
        return goi_park_thread(m, g, &post);
    }
    return goi_schedule_inline(m, g, &post);
}

GOI_INLINE void goi_ready_inline(struct m *m, struct g *g)
{
    struct p *p = m->p;
    GOI_JITTER();
    if (GOI_UNLIKELY((g->odd & GOI_ODD_READY) != 0) && goi_ready_odd(m, g)) {
        return;
    }
    goi_gset(g, GOI_G_WAITING, GOI_G_RUNNABLE);
    if (GOI_UNLIKELY(p == NULL)) {
        goi_global_push(g);
        return;
    }
    struct g *old = p->runnext;
    p->runnext = g;
    if (old != NULL) {
        goi_runq_push_tail(&p->woken, &old->run);
        goi_wake_maybe();
    } else {
        st_rlx(&p->has_next, 1); /* [stat] for sysmon */
    }
}

#endif
