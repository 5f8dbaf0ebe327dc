/* SPDX-License-Identifier: MIT */
/* init.c: how the runtime starts, and how the process ends.
 *
 * The runtime starts at the first call into it, on whichever thread. [INIT] started is stored with
 * release when everything is in place, and acquired by every later caller.
 *
 * When main returns (or anybody calls exit) the process ends at once: an exit handler, registered
 * at the start and so run after the program's own, stops all other Ms at their next entry into the
 * runtime and keeps the idle ones asleep. Goroutines in user code run on for as long as exit takes,
 * mostly the microseconds that stdio needs to flush; no C library can stop them.     [EXIT]
 *
 * A panic that ends the process wins over the end of main, as in Go: while its deferred calls run
 * the exit waits for a tenth of a second, and for its report without a limit.
 *
 * fork without exec: only the calling thread exists in the child, so the scheduler cannot run. The
 * child may exec or _exit; any call into the runtime is a clear fatal error.
 */
#include "annot/annot.h"
#include "sched/internal.h"
#include "sched/jitter.h"
#include "sched/panic.h"
#include "sched/world.h"
#include <pthread.h>
#include <stdlib.h>

struct goi_sched goi_sched;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A plugin that was linked to the archive has our threads in it when it is closed. */
static GOI_CONSTRUCTOR void loaded(void) { gop_stay_loaded(); }

void goi_freeze(void)
{
    goi_a32 never;
    st_rlx(&never, 0);
    for (;;) { /* ends with the process */
        gop_futex_wait(&never, 0, GOI_FOREVER);
    }
}

static bool panics_itself(const struct m *self)
{
    const struct goi_panic *p = self != NULL ? self->g->unwind.panics : NULL;
    while (p != NULL && !p->last) {
        p = p->prev;
    }
    return p != NULL;
}

static void let_panics_end(const struct m *self)
{
    for (int i = 0; i < 1000 && ld_rlx(&goi_sched.panicking) != 0 && !goi_crash_elsewhere() &&
                    !panics_itself(self); i++) {
        gop_sleep_ns(100000); /* if we hold the only P, sysmon takes it */
    }
    if (goi_crash_elsewhere()) {
        goi_freeze();
    }
}

/* LeakSanitizer looks into the stacks of threads only. What a goroutine that is still there holds,
 * on its stack or among its arguments above it, is no leak. Where one ends that is running is not
 * known: the upper half, which has no guard. */
static bool keep(struct g *g, void *arg)
{
    (void)arg;
    uint32_t state = ld_rlx(&g->state);
    if (g->stack != NULL && state != GOI_G_IDLE && state != GOI_G_DEAD) {
        const char *end = (const char *)(g + 1);
        const char *half = g->annot.lo + (g->annot.hi - g->annot.lo) / 2;
        const char *sp = g->regs.sp;
        bool stopped = state != GOI_G_RUNNING && sp > g->annot.lo && sp < g->annot.hi;
        goi_annot_reachable(stopped ? sp : half, end);
    }
    return true;
}

static void at_exit(void)
{
    struct m *self = goi_m();
    goi_tracer_exit();
    let_panics_end(self);
    goi_debug_exit();
    goi_lock(&goi_sched.lock);
    st_rlx(&goi_sched.exiting, true); /* [EXIT] */
    for (struct m *m = goi_sched.all_m; m != NULL; m = m->all_next) {
        if (m != self) {
            or_rel(&m->attn, GOI_ATTN_EXIT); /* [EXIT] with the acquire in goi_enter */
        }
    }
    goi_unlock(&goi_sched.lock);
    if ((goi_annot & GOI_ANNOT_ASAN) != 0) {
        goi_world_each(keep, NULL, true);
    }
}

static void after_fork_in_child(void)
{
    struct m *m = goi_m();
    goi_sched.forked = true;
    if (m != NULL) {
        or_rlx(&m->attn, GOI_ATTN_FORKED);
    }
}

static void start(void)
{
    goi_sched.have_membarrier = gop_membarrier_init();
    goi_annot_init();
    goi_knobs_init();
    goi_sched.seed = goi_knob_seed() != 0 ? goi_knob_seed() : gop_random_seed();
    goi_jitter_init(goi_sched.seed, goi_knob_jitter());
    st_rlx(&goi_sched.id_next, 2); /* 1 is main */
    goi_stack_init();
    goi_thread_init();
    goi_overflow_init(goi_crash_overflow);
    goi_procs_init();
    goi_top_init();
    goi_sysmon_start();
    goi_tracer_init();
    atexit(at_exit);
    pthread_atfork(NULL, NULL, after_fork_in_child);
    st_rel(&goi_sched.started, true); /* [INIT] */
    goi_hibernate_start((int64_t)goi_knob_hibernate());
}

void goi_init(void)
{
    if (!ld_acq(&goi_sched.started)) { /* [INIT] */
        pthread_once(&once, start);
    }
}
