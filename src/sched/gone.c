/* SPDX-License-Identifier: MIT */
/* gone.c: pthread_exit (or a cancellation) where there is a goroutine.
 *
 * It ends the thread, and a thread that runs goroutines never ends (thread.c); without more the
 * goroutine would be running for ever, its P lost, and no deadlock ever found. And a goroutine's
 * stack is not its thread's, on which libc goes on when it has unwound as far as it can: that may
 * be main's, which is another goroutine. So the library has a pthread_exit of its own, which the
 * linker and the dynamic linker find before libc's:
 *
 *   - in a goroutine it is a mistake, and is named while the frames that made it are there;
 *   - in main it is an idiom of programs with threads, "the others go on", and is go_exit;
 *   - on any other thread it is libc's.
 *
 * Where it is not found (thrd_exit, pthread_cancel, a library that binds its own symbols) the
 * destructor of the runtime's thread-specific key notices the end, on the thread's own stack, whose
 * frames are gone already. So nothing can be switched to here: for the M of a thread that the
 * runtime made, that stack was the scheduler's. Now and then such a process dies by SIGSEGV before.
 * In main it means there that main is over, without its deferred calls. The P goes to another
 * thread, this one sleeps for ever: it still counts as one of ours, and it cannot be used, because
 * destructors of C++ thread-locals have run on it.
 */
#include "sched/internal.h"
#include <gort/go.h>
#include <pthread.h>

static const char in_goroutine[] = "pthread_exit in a goroutine (go_exit ends one)";
static const char in_runtime[] = "pthread_exit on a thread of the runtime";

GO_API GOI_NOINLINE void pthread_exit(void *value)
{
    struct m *m = goi_m();
    if (m == NULL || m->foreign) {
        gop_thread_exit(value);
    }
    if ((m->g->flags & GOI_G_MAIN) != 0) {
        go_exit();
    }
    goi_fatal((m->g->flags & (GOI_G_SCHED | GOI_G_SYSTEM)) != 0 ? in_runtime : in_goroutine);
}

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
    goi_inside_release(&goi_sched.ngoroutines_exited);
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
        g->odd &= (uint8_t)~GOI_ODD_LOCKED;
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
    goi_fatal_alone((g->flags & GOI_G_SCHED) != 0 ? in_runtime : in_goroutine);
}
