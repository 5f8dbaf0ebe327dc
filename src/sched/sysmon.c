/* SPDX-License-Identifier: MIT */
/* sysmon.c: the thread that watches over the Ps.
 *
 * It has no P and runs no goroutine. While any P is busy it looks at them every 20 us to 1 ms (less
 * often the longer nothing needed it; every 200 us while all there is is a suspicion, because a
 * thread's CPU clock says nothing sooner, and less often after twenty that were false: a look costs
 * up to 28 us in a virtual machine; and every 4 ms after a hundred looks that found all of them
 * picking all the time, as in a server under load, whose core the looks took 3 % of), and when all
 * have been idle for a while it sleeps until a P is taken: with everything blocked there is no CPU
 * use at all. First, where nobody has looked at the descriptors that are waited for, it does
 * (io.c). Then, for each busy P:
 *
 *   - the goroutine has kept its P for 10 ms and calls the runtime now and then: GOI_ATTN_SLICE
 *     asks it to yield at the next entry;
 *   - it is in user code for 10 ms, and has not answered that request in another 0.5 ms, or it
 *     sleeps in the kernel (its thread's CPU clock stands still), and something else could run: the
 *     P is taken and given to another thread; after 0.2 ms already if what waits there was woken by
 *     a descriptor (io.c);
 *   - work waits behind it, or its queue never runs empty, and another P is idle: wake a thread,
 *     which steals (a P that serves descriptors calls one by itself for its queue: io.c);
 *   - only runnext waits behind it, for two looks: moved to the global queue, and a thread woken;
 *   - timers are due behind it: it is asked to run them at its next pick (GOI_ATTN_DUE), where
 *     whom they wake goes first; of one that has not picked for 0.5 ms they are run here;
 *   - the global queue is not empty, and no P idle: asked in the same way to take its share, since
 *     61 picks may be long;
 *
 * Now and then it looks whether goroutines wait for each other's mutexes (sync/wants.c). And while
 * a P is idle and goroutines are started faster than stacks come back, it makes stacks.
 *
 * And where nobody else looks at the descriptors and a P is idle, it wakes a thread, which goes to
 * sleep in the poller: what comes next does not wait for sysmon.
 *
 *   Y1  A P is taken only when held (hold.c) and only from the thread that was looked at: both
 *       under one sched.lock.
 *   Y2  sysmon sleeps without end only when all Ps are idle, and is woken, under sched.lock, by
 *       whoever takes the first one.                                       [SYSMON]
 *   Y3  While it rests it has no goroutine in hand, and takes sched.lock before it has any again: a
 *       leak check, which holds that lock, then need not look at what is left on its stack, which
 *       may be a goroutine's address for a long time. [REST]      (goi_sysmon_rests, leaks/simple)
 */
#include "sched/internal.h"
#include <gort/go.h>

enum {
    LOOK_MIN_NS = 20000,
    LOOK_MAX_NS = 1000000,
    LOOK_CALM_NS = 4000000,     /* while every busy P picks all the time */
    CALM_PICK_NS = 50000,       /* "all the time": as many picks since the last look */
    CALM_LOOKS = 100,           /* before the pace slows further */
    LOOK_IO_NS = 500000,        /* while descriptors are waited for and nobody sleeps there */
    STUCK_NS = 40000,           /* in one stretch of user code: worth a closer look */
    KEPT_NS = 100000,           /* a queue that has not run empty: its P has more than it can do; */
    KEPT_SKIP_NS = 1000,        /* this much later for each wake that is left out (proc.c) */
    ASLEEP_NS = 200000,         /* of standing CPU clock: sleeps in the kernel */
    NEGLECT_NS = 200000,        /* of no pick, with goroutines waiting whose descriptor is ready */
    DUE_NS = 20000,             /* a timer this overdue: its P is asked to look */
    LATE_NS = 100000,           /* and this much: sysmon runs it, if the P does not pick */
    DUE_LOOK_NS = 100000,       /* no sooner is a look because of a timer */
    FALSE_ALARMS = 20,          /* suspicions in a row without a sleeper: they compute */
    QUIET_LOOKS = 50,           /* looks that found nothing before the pace slows */
    IDLE_LOOKS = 24,            /* looks that found all Ps idle before sysmon sleeps (20 ms) */
    HOG_SLICE_NS = 50000000,
    GRACE_NS = 500000,          /* for a goroutine to answer GOI_ATTN_SLICE before its P is taken */
    NAP_NS = 2000000,           /* instead of a sleep without end, with ThreadSanitizer */
    PREPARE_NS = 500000,        /* of making stacks ahead, at a time */
    TRIM_NS = 1000000000,       /* between two looks at stacks that nobody took */
    CYCLES_NS = 10000000,       /* between two looks at who waits for mutexes */
};

struct goi_coarse goi_coarse;

static struct {
    char *lo, *hi;              /* [c] the thread's stack, by itself */
    goi_abool rests;            /* [a:REST] */
} mine;

bool goi_sysmon_rests(char **lo, char **hi)
{
    if (!ld_acq(&mine.rests)) { /* [REST] */
        return false;
    }
    *lo = mine.lo;
    *hi = mine.hi;
    return true;
}

static void look_at_clock(int64_t now)
{
    uint32_t coarse = (uint32_t)(now >> GOI_COARSE_SHIFT);
    if (ld_rlx(&goi_coarse.now) != coarse) {
        st_rlx(&goi_coarse.now, coarse); /* [stat] */
    }
}

static bool work_waits(const struct p *p, int64_t now)
{
    return goi_p_work(p) > 0 || ld_rlx(&p->has_next) != 0 ||
           goi_runq_len(&goi_sched.global) > 0 || goi_timers_next(p->timers) <= now;
}

/* The P's goroutine shall not stop the others any longer. Under sched.lock; true if p was taken. */
bool goi_p_take_locked(struct p *p, bool computes)
{
    struct m *m = p->m;
    if (!goi_hold_p_locked(p)) {
        return false;
    }
    goi_detach_p_locked(p); /* Y1 */
    m->hog_slice = gop_thread_slice(m->tid, HOG_SLICE_NS);
    m->hog = computes;
    if (computes) {
        st_rlx(&goi_sched.nhogs, ld_rlx(&goi_sched.nhogs) + 1);
    }
    return true;
}

/* Does the thread sleep in the kernel? Asked only when its CPU clock stood still for two looks. */
static bool sleeps_in_kernel(struct p *p, struct m *m, int64_t now)
{
    int64_t cpu = gop_thread_cpu(m->cpu_clock);
    if (p->mon_cpu < 0) {
        p->mon_cpu = cpu;
        p->mon_cpu_since = now;
        return false;
    }
    int64_t span = now - p->mon_cpu_since;
    if (cpu < 0 || span < ASLEEP_NS || cpu - p->mon_cpu >= span / 20) {
        return false;
    }
    /* Or the machine is busy and the thread waits for a processor: another one would wait as well,
     * and the two would then fight over whatever the goroutines share. */
    p->mon_cpu = -1;
    return gop_thread_blocked(m->tid);
}

enum verdict { FINE, SUSPECT, TAKEN, WAKE }; /* in the order of haste */

/* Notes whether the P's goroutine changed (a new slice), or anything ran at all or was started,
 * since the last look. Returns since when nothing has. */
static int64_t note(struct p *p, int64_t now)
{
    uint32_t tick = ld_rlx(&p->tick);
    uint32_t picks = goi_p_picks(p);
    if (tick != p->mon_tick) {
        p->mon_tick = tick;
        p->mon_since = now;
    }
    uint32_t drains = ld_rlx(&p->woken.drains) + ld_rlx(&p->fresh.drains);
    if (drains != p->mon_drains || goi_p_work(p) == 0) {
        p->mon_drains = drains;
        p->mon_kept = now;
    }
    if (picks != p->mon_picks) {
        p->mon_picks = picks;
        p->mon_stuck = now;
        p->mon_cpu = -1;
    }
    return p->mon_stuck;
}

/* One P, under sched.lock. */
static enum verdict look(struct p *p, int64_t now)
{
    struct m *m = p->m;
    int64_t stuck = now - note(p, now);
    if (m == NULL) {
        return FINE;
    }
    if (goi_runq_len(&goi_sched.global) > 0 && ld_rlx(&goi_sched.npidle) == 0) {
        or_rlx(&m->attn, GOI_ATTN_DUE);
    }
    if (now - p->mon_since >= GOI_SLICE_NS) {
        or_rlx(&m->attn, GOI_ATTN_SLICE);
        st_rlx(goi_word32(&goi_nudge), 1); /* [stat] for the paths that do not enter */
        p->mon_since = now;
    }
    if (goi_p_work(p) > 0 && ld_rlx(&goi_sched.npidle) > 0 &&
        now - p->mon_kept >= KEPT_NS + KEPT_SKIP_NS * ld_rlx(&goi_sched.wake_skip)) {
        p->mon_kept = now;
        if (!goi_io_serves(p, now)) {
            return WAKE; /* it keeps picking, and yet never comes to the end */
        }
    }
    if (stuck < STUCK_NS || !work_waits(p, now)) {
        return FINE;
    }
    if (ld_rlx(&m->in_rt) == 0) {
        bool computes = stuck >= GOI_SLICE_NS + GRACE_NS ||
                        (stuck >= NEGLECT_NS && goi_io_neglected_locked(p));
        if ((computes || sleeps_in_kernel(p, m, now)) && goi_p_take_locked(p, computes)) {
            return TAKEN;
        }
    }
    if (ld_rlx(&goi_sched.npidle) > 0) {
        if (goi_p_work(p) == 0 && ld_rlx(&p->has_next) != 0 && goi_hold_p_locked(p)) {
            goi_share_locked(p, true);
            goi_release_p_locked(p);
        }
        return WAKE;
    }
    return SUSPECT;
}

/* Its timers are due. False: nobody is there who would see to them soon. */
static bool ask(struct p *p, int64_t now)
{
    goi_lock(&goi_sched.lock);
    bool picks = !p->idle && p->m != NULL && now - p->mon_stuck < GRACE_NS;
    if (picks) {
        or_rlx(&p->m->attn, GOI_ATTN_DUE);
    }
    goi_unlock(&goi_sched.lock);
    return picks;
}

/* True: some were run here. */
static bool late_timers(struct m *self, int64_t now)
{
    bool any = false;
    for (int i = 0; i < goi_procs_made(); i++) {
        struct p *p = goi_sched.procs[i];
        int64_t due = goi_timers_next(p->timers);
        if (due <= now - DUE_NS && !ask(p, now) && due <= now - LATE_NS) {
            goi_timers_run(self, p->timers, now);
            any = true;
        }
    }
    return any;
}

static int64_t my_look; /* sysmon's alone: when it looked at the descriptors last */

/* Has p picked all the time since the last look, `span` ago, if it was and is busy? */
static bool picks_steadily(struct p *p, bool busy, int64_t span)
{
    bool was_busy = p->mon_busy;
    p->mon_busy = busy;
    return !was_busy || !busy ||
           (int64_t)(goi_p_picks(p) - p->mon_picks) * CALM_PICK_NS >= span;
}

/* All busy Ps. Returns the most urgent of what was found. Descriptors first: a P that has computed
 * for a while is then taken for what they woke by the same look. */
static enum verdict look_at_all(struct m *self, int64_t now, int64_t span, bool *calm)
{
    enum verdict worst = FINE;
    bool wake = false;
    if (goi_io_overdue(now)) {
        bool alone = ld_rlx(&goi_sched.io_looked) == my_look; /* nobody has, since */
        (void)goi_io_look(self);
        my_look = ld_rlx(&goi_sched.io_looked);
        wake = alone && ld_rlx(&goi_sched.npidle) > 0 && goi_io_wanted();
    }
    for (int i = 0; i < goi_procs_made(); i++) {
        struct p *p = goi_sched.procs[i];
        goi_lock(&goi_sched.lock);
        bool busy = !p->idle && !p->retired;
        *calm = picks_steadily(p, busy, span) && *calm;
        enum verdict v = busy ? look(p, now) : FINE;
        goi_unlock(&goi_sched.lock);
        worst = v > worst ? v : worst;
        wake |= v == WAKE;
        if (v == TAKEN) {
            goi_p_start(p);
        }
    }
    if (wake || (goi_runq_len(&goi_sched.global) > 0 && ld_rlx(&goi_sched.npidle) > 0)) {
        goi_wake_one(true);
    }
    return late_timers(self, now) ? WAKE : worst;
}

/* While a processor idles and goroutines come faster than stacks do: half a millisecond of help. */
static bool prepare_stacks(int64_t now)
{
    bool any = false;
    while (ld_rlx(&goi_sched.npidle) > 0 && goi_stack_prepare()) { /* ends when its time is up */
        any = true;
        if (goi_now() - now >= PREPARE_NS) {
            break;
        }
    }
    return any;
}

void goi_sysmon_wake_locked(void)
{
    if (ld_rlx(&goi_sched.sysmon_asleep)) {
        look_at_clock(goi_now()); /* who parks before it comes shall not seem to wait since then */
        st_rlx(&goi_sched.sysmon_asleep, false);
        st_rel(&goi_sched.sysmon_wake, 1); /* [SYSMON] */
        gop_futex_wake(&goi_sched.sysmon_wake, 1);
    }
}

/* With ThreadSanitizer this thread is the one that takes signals while all others sleep, in a call
 * which that tool knows (annot.h). */
static void sleep_until_woken(int64_t deadline)
{
    if (!goi_race_there()) {
        gop_futex_wait(&goi_sched.sysmon_wake, 0, deadline);
        return;
    }
    while (ld_acq(&goi_sched.sysmon_wake) == 0 && /* [SYSMON] ends when one of the three is there */
           !goi_debug_wanted() && goi_now() < deadline) {
        gop_sleep_ns(NAP_NS);
    }
}

/* All Ps are idle and were for a while: is this the end, and if not, sleep. */
static void deep_sleep(int64_t now)
{
    int64_t again = goi_deadlock_check(now);
    goi_lock(&goi_sched.lock);
    bool sleep = goi_procs_quiet_locked();
    if (sleep) { /* Y2 */
        st_rlx(&goi_sched.sysmon_wake, 0);
        st_rlx(&goi_sched.sysmon_asleep, true);
    }
    goi_unlock(&goi_sched.lock);
    if (!sleep) {
        return;
    }
    again = goi_min_i64(again, goi_stack_trim_cached(now, goi_now));
    again = goi_min_i64(again, goi_cycles_look(now)); /* later ones wake us */
    if (!goi_debug_wanted() && ld_acq(&goi_sched.sysmon_wake) == 0) { /* [SYSMON] */
        st_rel(&mine.rests, true); /* [REST] Y3 */
        sleep_until_woken(again);
    }
    goi_lock(&goi_sched.lock);
    st_rlx(&mine.rests, false); /* [REST] under the lock */
    st_rlx(&goi_sched.sysmon_asleep, false);
    goi_unlock(&goi_sched.lock);
}

/* How long until the next look, and since when nothing has happened that matters, in looks. */
struct rhythm {
    int64_t pace;
    int quiet, alarms, calm;
};

static void adapt(struct rhythm *r, enum verdict v, bool calm, bool io_due)
{
    r->calm = calm && v == FINE && !io_due ? r->calm + 1 : 0;
    if (v >= TAKEN) {
        r->quiet = 0;
        r->alarms = 0;
        r->pace = LOOK_MIN_NS;
    } else if (v == SUSPECT) {
        r->quiet = 0;
        r->pace = goi_max_i64(r->pace, ASLEEP_NS);
        if (++r->alarms > FALSE_ALARMS) {
            r->pace = goi_min_i64(2 * r->pace, LOOK_MAX_NS);
        }
    } else if (++r->quiet > QUIET_LOOKS) {
        r->pace = goi_min_i64(2 * r->pace, LOOK_CALM_NS);
    }
    if (r->calm <= CALM_LOOKS) {
        r->pace = goi_min_i64(r->pace, io_due ? LOOK_IO_NS : LOOK_MAX_NS);
    }
}

/* Until the next look. A timer is not to wait for it, unless the Ps look often enough. */
static int64_t nap(const struct rhythm *r, int64_t now)
{
    if (r->calm > CALM_LOOKS) {
        return r->pace;
    }
    /* Deadlines may be as far as FOREVER, and as far back. */
    int64_t due = goi_max_i64(goi_timers_all_next(), now);
    int64_t left = goi_min_i64(due - now, r->pace) + DUE_NS;
    return goi_min_i64(r->pace, goi_max_i64(left, DUE_LOOK_NS));
}

static void *sysmon(void *arg)
{
    struct m *self = arg;
    struct rhythm r = {.pace = LOOK_MIN_NS};
    int idle = 0;
    int64_t now = goi_now();
    int64_t looked = now;
    int64_t trim_at = now + TRIM_NS;
    int64_t cycles_at = 0;
    goi_m_init_thread(self);
    gop_thread_name("gort-sysmon");
    gop_timer_slack_small();
    gop_thread_slice(0, 100000);
    goi_annot_adopt(&self->g->annot);
    gop_thread_stack(&mine.lo, &mine.hi);
    st_rlx(&self->in_rt, 1);
    for (;;) { /* for the life of the process */
        st_rel(&mine.rests, true); /* [REST] Y3 */
        gop_sleep_ns(idle > 0 ? r.pace : nap(&r, now));
        goi_debug_tick();
        now = goi_now();
        look_at_clock(now);
        goi_lock(&goi_sched.lock);
        st_rlx(&mine.rests, false); /* [REST] under the lock */
        bool all_idle = goi_procs_quiet_locked();
        goi_unlock(&goi_sched.lock);
        if (all_idle) {
            r.pace = LOOK_MAX_NS;
            looked = now;
            if (++idle >= IDLE_LOOKS) {
                deep_sleep(now);
                r.pace = LOOK_MIN_NS;
                idle = IDLE_LOOKS - 2; /* still idle? back to sleep soon */
            }
            continue;
        }
        idle = 0;
        bool io_due = goi_io_overdue(now); /* the Ps do not look by themselves */
        bool calm = true;
        enum verdict v = look_at_all(self, now, now - looked, &calm);
        looked = now;
        v = prepare_stacks(now) && v < TAKEN ? TAKEN : v;
        adapt(&r, v, calm, io_due);
        if (now >= cycles_at) {
            (void)goi_cycles_look(now);
            cycles_at = now + CYCLES_NS;
        }
        if (now >= trim_at) {
            trim_at = goi_min_i64(goi_stack_trim_cached(now, goi_now), now + TRIM_NS);
        }
    }
    return NULL;
}

void goi_sysmon_start(void)
{
    struct m *m = goi_m_new_system();
    look_at_clock(goi_now());
    int r = gop_thread_start(sysmon, m, GOI_M_STACK);
    if (r != 0) {
        goi_fatal("newosproc");
    }
}
