/* SPDX-License-Identifier: MIT */
/* metrics.c: the runtime's figures, read while it runs.
 *
 * Each P counts for itself, in words that it alone writes; here they are added up. The world is
 * not stopped and no goroutine is looked at, so a reading costs some microseconds, however many
 * goroutines there are. In return it is not one moment:
 *
 *   R1  Each figure is one that was true, or a sum of such, between the call and the return.
 *   R2  A counter is never lower than in an earlier reading.
 *   R3  The four states add up to the goroutines: `waiting` is what the others leave.
 *   R4  The ends of goroutines are read before their beginnings: there are never less than none.
 *
 * What is estimated, and how, is in sched/sample.c.
 */
#include "debug/metrics.h"
#include "os/os.h"
#include "sched/internal.h"
#include "stack/stack.h"
#include <string.h>

/* Takes part of what is left. */
static uint64_t part(uint64_t want, uint64_t *left)
{
    uint64_t got = want < *left ? want : *left;
    *left -= got;
    return got;
}

/* The Ps' own counters. */
static void read_procs(struct goi_metrics *out)
{
    int made = goi_procs_made();
    for (int i = 0; i < made; i++) {
        const struct p *p = goi_sched.procs[i];
        const struct goi_sample *s = &p->sample;
        out->runnable += goi_p_work(p) + ld_rlx(&p->has_next);
        out->steals += ld_rlx(&p->steals);
        out->handoffs += ld_rlx(&p->handoffs);
        out->mutex_ns += ld_rlx(&s->mutex_ns);
        for (size_t k = 0; k < goi_countof(out->parks); k++) {
            out->parks[k] += ld_rlx(&s->parks[k]);
        }
        for (size_t k = 0; k < goi_countof(out->latency.count); k++) {
            out->latency.count[k] += ld_rlx(&s->latency[k]);
        }
        out->latency.ns += ld_rlx(&s->latency_ns);
    }
}

/* Returns how many have a stack of ours: all but main. */
static uint64_t read_goroutines(struct goi_metrics *out)
{
    int made = goi_procs_made();
    uint64_t exited = ld_rlx(&goi_sched.ngoroutines_exited);
    for (int i = 0; i < made; i++) {
        exited += ld_acq(&goi_sched.procs[i]->exited); /* [COUNT] R4 */
    }
    uint64_t started = ld_rlx(&goi_sched.ngoroutines_started);
    made = goi_procs_made(); /* one that began on a new P may have ended on an old one */
    for (int i = 0; i < made; i++) {
        started += ld_rlx(&goi_sched.procs[i]->spawned);
    }
    goi_assert(started >= exited); /* R4 */
    bool main_alive = goi_sched.main_g != NULL &&
                      ld_rlx(&goi_sched.main_g->state) != GOI_G_DEAD;
    out->created = started + (goi_sched.main_g != NULL ? 1 : 0);
    out->goroutines = started - exited + (main_alive ? 1 : 0);
    return started - exited;
}

static void read_threads_locked(struct goi_metrics *out)
{
    uint64_t held = 0;
    for (int i = 0; i < goi_procs_made(); i++) {
        held += goi_sched.procs[i]->m != NULL;
    }
    out->procs = (uint64_t)goi_procs();
    out->procs_idle = ld_rlx(&goi_sched.npidle);
    out->threads = (uint64_t)goi_sched.nm + (uint64_t)goi_sched.nother_threads;
    out->threads_foreign = (uint64_t)goi_sched.nforeign;
    out->threads_searching = ld_rlx(&goi_sched.nspinning);
    for (const struct m *m = goi_sched.idle_m; m != NULL; m = m->link) {
        out->threads_idle++;
    }
    (void)part(out->threads_searching, &held);
    out->running = held;
    out->not_in_go = ld_rlx(&goi_sched.ndetached);
    out->runnable += goi_runq_len(&goi_sched.global);
}

static void read_stacks(struct goi_metrics *out, uint64_t used)
{
    struct goi_stack_stats s;
    goi_stack_stats(&s);
    uint64_t warm = 0;
    for (size_t k = 0; k < GOI_STACK_CLASSES; k++) {
        warm += s.windows[k] - s.cold[k];
    }
    out->stack_mapped = s.reserved;
    out->stack_resident = warm * gop_page_size();
    out->stacks_used = part(used, &warm);
    out->stacks_cached = warm;
}

void goi_metrics_read(struct goi_metrics *out)
{
    memset(out, 0, sizeof *out);
    uint64_t used = read_goroutines(out);
    goi_lock(&goi_sched.lock);
    read_threads_locked(out);
    goi_unlock(&goi_sched.lock);
    read_procs(out);
    uint64_t left = out->goroutines; /* R3 */
    out->running = part(out->running, &left);
    out->not_in_go = part(out->not_in_go, &left);
    out->runnable = part(out->runnable, &left);
    out->waiting = left;
    out->wakes = ld_rlx(&goi_sched.wakes);
    out->mutex_ns += ld_rlx(&goi_sched.mutex_ns);
    out->timers = goi_timers_pending();
    out->io_waiters = goi_io_waiters();
    out->io_polls = ld_rlx(&goi_sched.io_polls);
    out->io_ready = ld_rlx(&goi_sched.io_ready);
    read_stacks(out, used);
}
