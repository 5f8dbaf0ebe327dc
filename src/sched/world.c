/* SPDX-License-Identifier: MIT */
/* world.c: stopping the world without signals.
 *
 * A parked goroutine can be looked at when nobody can resume it. Resuming takes a P, and a P's
 * owner can be kept out of the runtime by the protocol of hold.c, which sysmon uses for one P at a
 * time. Here it is used for all: HOLD is set for every owner, one membarrier serves them all, and
 * each is waited for until it is outside, or at the door (goi_enter_slow counts that as outside).
 * Threads without a P cannot resume anybody either: what they make runnable goes to the global
 * queue, behind sched.lock, which is held from here to goi_world_start().
 *
 * An owner that is inside may need sched.lock to come out. So each attempt has a bound, after which
 * everything is let go and tried again a little later. An attempt costs the running goroutines the
 * time of a membarrier when it succeeds, about 0.5 ms when it does not.
 *
 *   L1  HOLD is set and cleared under sched.lock (H4 of hold.c); a failed attempt leaves none.
 *   L2  The set of owners does not change while sched.lock is held.  (goi_p_bind_locked)
 */
#include "sched/world.h"
#include "sched/internal.h"

enum { ATTEMPT_NS = 500000, BETWEEN_NS = 50000, LOOKS_PER_YIELD = 64 };

static bool lock_until(struct goi_lock *l, int64_t end)
{
    for (unsigned i = 1;; i++) { /* ends at `end` */
        if (goi_lock_try(l)) {
            return true;
        }
        goi_pause();
        if (i % LOOKS_PER_YIELD == 0) {
            if (goi_now() >= end) {
                return false;
            }
            gop_thread_yield();
        }
    }
}

static struct m *owner_of(int i, const struct m *self)
{
    struct m *m = goi_sched.procs[i]->m;
    return m != self ? m : NULL;
}

static bool outside_until(struct m *m, int64_t end)
{
    for (unsigned i = 1; ld_acq(&m->in_rt) != 0; i++) { /* [RT] ends at `end` */
        goi_pause();
        if (i % LOOKS_PER_YIELD == 0) {
            if (goi_now() >= end) {
                return false;
            }
            gop_thread_yield();
        }
    }
    return true;
}

static void release_all_locked(const struct m *self)
{
    for (int i = 0; i < goi_procs_made(); i++) {
        struct m *m = owner_of(i, self);
        if (m != NULL) {
            and_rel(&m->attn, ~(uint32_t)GOI_ATTN_HOLD); /* [RT] L1 */
        }
    }
}

static bool hold_all_locked(const struct m *self, int64_t end)
{
    for (int i = 0; i < goi_procs_made(); i++) {
        struct m *m = owner_of(i, self);
        if (m != NULL) {
            or_acqrel(&m->attn, GOI_ATTN_HOLD); /* [RT] L1 */
        }
    }
    if (goi_sched.have_membarrier) {
        gop_membarrier();
    } else {
        fence_seq(); /* [RT] with the fence in goi_enter_slow */
    }
    for (int i = 0; i < goi_procs_made(); i++) {
        struct m *m = owner_of(i, self);
        if (m != NULL && !outside_until(m, end)) {
            return false;
        }
    }
    return true;
}

bool goi_world_stop(int64_t patience)
{
    struct m *self = goi_m();
    int64_t end = goi_now() + patience;
    while (lock_until(&goi_sched.lock, end)) { /* ends at `end` */
        if (hold_all_locked(self, goi_now() + ATTEMPT_NS)) {
            return true;
        }
        release_all_locked(self);
        goi_unlock(&goi_sched.lock);
        if (goi_now() >= end) {
            break;
        }
        gop_sleep_ns(BETWEEN_NS);
    }
    return false;
}

void goi_world_start(void)
{
    release_all_locked(goi_m());
    goi_unlock(&goi_sched.lock);
}

struct each { bool (*fn)(struct g *g, void *arg); void *arg; };

static bool each_window(struct goi_stack *s, void *arg)
{
    struct each *e = arg;
    return e->fn(goi_stack_desc(s), e->arg);
}

void goi_world_each(bool (*fn)(struct g *g, void *arg), void *arg, bool crashing)
{
    struct each e = {.fn = fn, .arg = arg};
    /* The list only grows, at its head. */
    for (struct g *g = goi_sched.foreign_list; g != NULL; g = g->foreign_next) {
        if (!fn(g, arg)) {
            return;
        }
    }
    int64_t end = goi_now() + 100000000;
    bool held = goi_stack_try_hold();
    while (!held) { /* ends: a holder that lives lets go soon; one that crashed, at `end` */
        if (crashing && goi_now() >= end) {
            return;
        }
        gop_sleep_ns(BETWEEN_NS);
        held = goi_stack_try_hold();
    }
    goi_stack_each(each_window, &e);
    goi_stack_unhold();
}
