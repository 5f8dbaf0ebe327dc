/* SPDX-License-Identifier: MIT */
/* gone.c: pthread_exit (or a cancellation) where there is a goroutine.
 *
 * It ends the thread, and a thread that runs goroutines never ends (thread.c); without more the
 * goroutine would be running for ever, its P lost, and no deadlock ever found. What notices it is
 * the destructor of the runtime's thread-specific key, on the thread's own stack, whose frames are
 * gone already. So nothing can be switched to here: for the M of a thread that the runtime made,
 * that stack was the scheduler's.
 *
 * A goroutine that does it has made a mistake, and is named. In main it is an idiom of programs
 * with threads, "the others go on", and means what go_exit means there: main is over, its deferred
 * calls do not run, the process goes on until the others have ended. The P goes to another thread,
 * this one sleeps for ever: it still counts as one of ours, and it cannot be used, because
 * destructors of C++ thread-locals have run on it.
 */
#include "sched/internal.h"

/* As goi_enter, but takes what there is: a P, or none. */
static void enter_as_it_is(struct m *m)
{
    (void)goi_rt_enter(&m->in_rt, &m->attn);
    for (;;) { /* ends: a holder holds for a moment */
        uint32_t a = goi_rt_attend(&m->attn); /* [RT] H3 */
        if ((a & GOI_ATTN_EXIT) != 0) {
            goi_freeze();
        }
        if ((a & GOI_ATTN_HOLD) == 0) {
            return;
        }
        goi_rt_leave(&m->in_rt);
        goi_lock(&goi_sched.lock); /* the holder clears HOLD before it releases */
        goi_unlock(&goi_sched.lock);
        (void)goi_rt_enter(&m->in_rt, &m->attn);
    }
}

static GOI_NORETURN void main_gone(struct m *m, struct g *g)
{
    enter_as_it_is(m);
    if (g->extra != NULL) {
        goi_g_extra_free(g);
    }
    goi_race_release_merge(&goi_sched.ngoroutines_exited);
    goi_lock(&goi_sched.lock);
    struct p *p = m->p;
    if (p != NULL) {
        goi_p_unbind_locked(p, m);
    } else {
        goi_must(m->detached);
        m->detached = false;
        st_rlx(&goi_sched.ndetached, ld_rlx(&goi_sched.ndetached) - 1);
    }
    if (g->locked_m != NULL) {
        g->locked_m->locked_g = NULL;
        g->locked_m = NULL;
        g->lock_depth = 0;
    }
    goi_gset(g, GOI_G_RUNNING, GOI_G_DEAD);
    goi_sysmon_wake_locked(); /* when main was the last, the verdict is due */
    goi_unlock(&goi_sched.lock);
    goi_rt_leave(&m->in_rt);
    if (p != NULL) {
        goi_p_start(p);
    }
    goi_freeze();
}

void goi_thread_gone(struct m *m)
{
    struct g *g = m->g;
    if ((g->flags & GOI_G_MAIN) != 0) {
        main_gone(m, g);
    }
    /* Perhaps we stand on main's stack, where main's frames were: nobody's can be trusted. */
    goi_fatal_alone((g->flags & GOI_G_SCHED) != 0
                        ? "pthread_exit on a thread of the runtime"
                        : "pthread_exit in a goroutine (go_exit ends one)");
}
