/* SPDX-License-Identifier: MIT */
/* cycle.c: telling of goroutines that wait for each other's mutexes. How they are found is in
 * sync/wants.c; no knob asks for it.
 *
 * sysmon finds, and must not be kept from its work by reading debug information. So what it finds
 * is put into a short list, and a thread, which is made for the first report and stays, stops the
 * world for as long as it takes to copy the stacks, and prints. A list that is full makes sysmon
 * find it again later. Where everything stands still it is part of the report of that deadlock, and
 * what has been found and not told when the program ends is told then.
 *
 *   G1  A cycle is told once, and by somebody who then writes it: the report that all are asleep
 *       does not begin while one is being told (goi_cycles_hold), and tells of all others. Any
 *       other crash cuts short what has not been written yet.        (goi_wants_cycle: wants_told)
 *   G2  Nobody who is on the list, or has been told of, becomes reachable by that, for the leak
 *       check: neither by the list nor by what is left on the thread's stack. (goi_cycles_memory)
 */
#include "debug/cycle.h"
#include "debug/crash.h"
#include "debug/dump.h"
#include "debug/leak.h"
#include "os/os.h"
#include "sched/internal.h"
#include "sched/world.h"
#include "sync/view.h"

enum {
    LOOK = 10, SELF = 1000,         /* milliseconds, about */
    ROOM = 32,                      /* cycles that wait to be told */
    SHOWN = 50,                     /* goroutines of one cycle that are shown */
    PATIENCE_NS = 1000000000, AGAIN_NS = 100000, STACK = GOI_M_STACK,
};
#define HOLD_NS (10 * (int64_t)PATIENCE_NS) /* a busy machine reads debug information for long */

static struct {
    struct goi_lock lock;
    size_t n;                       /* [l:lock] */
    struct g *g[ROOM];              /* [l:lock] one of each cycle */
    goi_a32 wake;                   /* [a:CYCLE] futex word: counts what was put there */
    goi_abool thread;               /* [o] sysmon: there is one that tells */
    char *stack_lo, *stack_hi;      /* [c] the thread's, by itself */
    goi_abool stack_known;          /* [a:CYCLE] */
} found;

/* [o] who has goi_check_lock, or reports a crash */
static struct cycle {
    struct goi_want want[SHOWN];
    struct g *chosen[SHOWN];
    size_t n;
    bool all_asleep;                /* nobody is left to unlock anything */
} cycle;

/* --- words */

static void name_of(const struct goi_symbol *s, void *arg)
{
    const char **name = arg;
    *name = *name == NULL ? s->function : *name;
}

static void write_mutex(struct goi_out *o, const void *mutex)
{
    const char *name = NULL;
    if (goi_traceback != GOI_TRACEBACK_NONE) {
        goi_symbolize((uintptr_t)mutex, name_of, &name);
    }
    goi_outf(o, name != NULL ? "%p (%s)" : "%p", mutex, name);
}

static void write_lines(struct goi_out *o, const struct cycle *c)
{
    size_t shown = goi_min_size(c->n, SHOWN);
    for (size_t i = 0; i < shown && c->n > 1; i++) {
        const struct goi_want *w = &c->want[i];
        goi_outf(o, "\tgoroutine %llu waits for ", (unsigned long long)w->g->id);
        write_mutex(o, w->mutex);
        goi_outf(o, ", which goroutine %llu holds\n", (unsigned long long)w->holder);
    }
    if (c->n == 1) {
        goi_outf(o, "\tgoroutine %llu waits for ", (unsigned long long)c->want[0].g->id);
        write_mutex(o, c->want[0].mutex);
        goi_out_str(o, c->all_asleep ? ", which it holds\n"
                                     : ", which it holds, unless another one unlocks it\n");
    } else if (c->n > shown) {
        goi_outf(o, "\t... and %zu more\n", c->n - shown);
    }
}

static void write_cycle(struct goi_out *o, const struct cycle *c)
{
    if (c->n == 1) {
        goi_out_str(o, "gort: deadlock: a goroutine waits for a mutex that it holds\n");
    } else {
        goi_outf(o, "gort: deadlock: %zu goroutines wait for each other's mutexes\n", c->n);
    }
    write_lines(o, c);
}

/* --- one cycle */

static bool take(struct g *g)
{
    cycle.n = goi_wants_cycle(g, cycle.want, SHOWN);
    for (size_t i = 0; i < goi_min_size(cycle.n, SHOWN); i++) {
        cycle.chosen[i] = cycle.want[i].g;
    }
    return cycle.n > 0;
}

/* The stacks of those in `cycle`; NULL: not wanted, or not to be had. The world is stopped. */
static struct goi_capture *stacks(void)
{
    const struct goi_capture_want want = {.chosen = cycle.chosen,
                                          .nchosen = goi_min_size(cycle.n, SHOWN)};
    return goi_traceback != GOI_TRACEBACK_NONE ? goi_capture_take(&want) : NULL;
}

static void tell(struct g *g)
{
    static struct goi_out o;        /* under goi_check_lock */
    struct goi_capture *shots = NULL;
    goi_lock(&goi_check_lock);
    bool stopped = goi_world_stop(PATIENCE_NS);
    bool found_it = !goi_crash_elsewhere() && take(g); /* G1 */
    if (stopped) {
        shots = found_it ? stacks() : NULL;
        goi_world_start();
    }
    if (found_it && !goi_crash_elsewhere()) { /* its report is not to be cut in two */
        goi_out_init(&o, 2);
        write_cycle(&o, &cycle);
        if (shots != NULL) {
            goi_dump_write(&o, shots, goi_traceback >= GOI_TRACEBACK_SYSTEM, true);
        }
        goi_out_str(&o, "\n");
        goi_out_flush(&o);
    }
    if (shots != NULL) {
        goi_capture_free(shots);
    }
    goi_unlock(&goi_check_lock);
}

/* --- all that are found */

static struct g *next_found(void)
{
    goi_lock(&found.lock);
    struct g *g = found.n > 0 ? found.g[--found.n] : NULL;
    goi_unlock(&found.lock);
    return g;
}

static void tell_all(void)
{
    for (struct g *g = next_found(); g != NULL; g = next_found()) { /* ends: rarely any */
        tell(g);
    }
}

static void *teller(void *arg)
{
    (void)arg;
    gop_block_signals();
    gop_thread_name("gort-cycles");
    gop_thread_stack(&found.stack_lo, &found.stack_hi);
    st_rel(&found.stack_known, true); /* [CYCLE] before it has seen anybody: G2 */
    for (;;) { /* for the life of the process */
        uint32_t seen = ld_acq(&found.wake); /* [CYCLE] */
        tell_all();
        gop_futex_wait(&found.wake, seen, GOI_FOREVER);
    }
    return NULL;
}

/* By sysmon. False: without a thread it is told when the program ends. */
static bool have_teller(void)
{
    if (ld_rlx(&found.thread)) {
        return true;
    }
    goi_lock(&goi_sched.lock);
    goi_sched.nother_threads++;
    goi_unlock(&goi_sched.lock);
    if (gop_thread_start(teller, NULL, STACK) == 0) {
        st_rlx(&found.thread, true);
        return true;
    }
    goi_lock(&goi_sched.lock);
    goi_sched.nother_threads--;
    goi_unlock(&goi_sched.lock);
    return false;
}

static bool note(struct g *g)
{
    goi_lock(&found.lock);
    bool room = found.n < ROOM;
    if (room) {
        found.g[found.n++] = g;
    }
    goi_unlock(&found.lock);
    return room;
}

int64_t goi_cycles_look(int64_t now)
{
    static const struct goi_wants_ages ages = {LOOK, SELF};
    int64_t again = goi_wants_look(now, &ages, note);
    goi_lock(&found.lock);
    bool any = found.n > 0;
    goi_unlock(&found.lock);
    if (any && have_teller()) {
        add_acqrel(&found.wake, 1); /* [CYCLE] */
        gop_futex_wake(&found.wake, 1);
    }
    return again;
}

void goi_cycles_exit(void)
{
    static const struct goi_wants_ages ages = {0, SELF};
    (void)goi_wants_look(goi_now(), &ages, note);
    tell_all();
    goi_lock(&goi_check_lock); /* a report that is being written is not cut off */
    goi_unlock(&goi_check_lock);
}

/* --- when nothing can run any more */

void goi_cycles_hold(void)
{
    int64_t end = goi_now() + HOLD_NS;
    while (!goi_lock_try(&goi_check_lock) && goi_now() < end) { /* ends at `end` */
        gop_sleep_ns(AGAIN_NS);
    }
}

static void write_one(struct g *g, void *arg)
{
    struct goi_out *o = arg;
    if (take(g)) {
        goi_out_str(o, "\n");
        cycle.all_asleep = true;
        write_cycle(o, &cycle);
    }
}

void goi_cycles_write(struct goi_out *o) { goi_wants_each(write_one, o); }

void goi_cycles_memory(void (*fn)(const void *lo, size_t size, void *arg), void *arg)
{
    const void *lo;
    size_t size;
    goi_wants_memory(&lo, &size);
    fn(lo, size, arg);
    fn(&found, sizeof found, arg);
    fn(&cycle, sizeof cycle, arg);
    if (ld_acq(&found.stack_known)) { /* [CYCLE] */
        fn(found.stack_lo, (size_t)(found.stack_hi - found.stack_lo), arg);
    }
}
