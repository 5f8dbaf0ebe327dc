/* SPDX-License-Identifier: MIT */
/* trace.c: the execution tracer: what every goroutine did, when, where, and who woke it.
 *
 * The difficulty is the price. A switch takes some nanoseconds, reading the clock as many, and a
 * program may switch thirty million times in a second. So
 *
 *   - while no trace is recorded nothing is tested that was not tested before. A switch and a go
 *     statement look at m->watch, which was a look for sanitizers; waking looks at the flags of
 *     whom it wakes, which said that it is a thread and now may say that the trace wants to know;
 *   - recording is a few stores into a ring that only the owner of the P writes, and no atomic
 *     operation: the P's owner is alone with it as with the P's queues (sched/hold.c);
 *   - what an event means, its names and its bytes in the file are the business of a thread of its
 *     own (trace_write.c), which follows some 10 ms behind;
 *   - a P records up to 1000 events in 10 ms. What would be more is a pause: the P's M forgets that
 *     there is a trace, and goes at full speed until the window is over. The trace says so on the
 *     P's track, and how many switches it did not see. A program that switches less often than
 *     50,000 times in a second on each P is recorded whole. The same happens when the writer is
 *     too slow for the ring. So the cost and the memory have bounds that do not depend on the
 *     program: 1000 events are some 60 us of 10 ms and, with the writer, 200; half a MiB each P.
 *
 * Start and stop happen while the world stands still (sched/world.c), so that nobody is within an
 * event, every M sees the change at its next entry, and the first thing in a trace is what each
 * goroutine was doing.
 *
 *   T1  m->watch has TRACE only while m has a P, and that P's ring is recording. Written by m's
 *       own thread, or by who holds the P.          (goi_tracer_bound, _unbound, pause_p, resume_p)
 *   T2  GOI_ODD_OPEN of a goroutine means that its track has an open slice, waiting or runnable:
 *       whoever records what it does next says that this ends there. The flag goes with the
 *       goroutine, from parker to waker to P, so rings need no order among them. GOI_ODD_TRACED,
 *       beside it, is what makes a waker look; a pause takes it away from whom it meets.
 *       At the start nothing is written into goroutines but those that run on a P; who is older
 *       than the trace and has not been met has a slice open as well.             (take_open)
 *   T3  Nothing is recorded halfway: a ring with no room, or no budget, pauses its P with an event
 *       for which room is kept.
 *   T4  Who has no P (threads of the program, sysmon, a goroutine that lost it) shares one ring,
 *       under a lock, with the same budget; there events are dropped and counted.
 *
 * Memory order [TRACER]: head of a ring is released by the recorder and acquired by the writer;
 * tail the other way round. `state`, `wake` and `done` hand over what is written before and after.
 *
 * Rejected: the processor's time stamp counter, 8 ns instead of 25: within the budget it saves 0.3
 * per cent, and needs to be trusted across processors. Rejected: dropping single events when there
 * are too many: what is left then lies. Rejected: a shared buffer (an atomic operation for each
 * event), and one format for ring and file (the file's has names and is six times as large).
 */
#include "debug/trace.h"
#include "base/fmt.h"
#include "debug/knobs.h"
#include "os/os.h"
#include "sched/internal.h"
#include "sched/world.h"
#include <errno.h>
#include <fcntl.h>
#include <gort/debug.h>
#include <string.h>
#include <unistd.h>

enum { IDLE, BUSY, RECORDING };     /* goi_tracer.state */

enum {
    WRITER_STACK = 256 << 10,
    START_PATIENCE_NS = 1000000000, /* to stop the world */
    EXIT_PATIENCE_NS = 200000000,
    SNAPSHOT_EVENTS = 5,            /* of a goroutine, at most */
};

static void count_thread(int by)
{
    goi_lock(&goi_sched.lock);
    goi_sched.nother_threads += by;
    goi_unlock(&goi_sched.lock);
}

void goi_tracer_ended(void)
{
    count_thread(-1);
    st_rel(&goi_tracer.done, 1); /* [TRACER] error, and the rings are free */
    gop_futex_wake(&goi_tracer.done, INT32_MAX);
}

static void order(uint32_t what)
{
    st_rel(&goi_tracer.wake, what); /* [TRACER] */
    gop_futex_wake(&goi_tracer.wake, 1);
}

static void wait_for_writer(void)
{
    while (ld_acq(&goi_tracer.done) == 0) { /* [TRACER] ends with the writer */
        gop_futex_wait(&goi_tracer.done, 0, GOI_FOREVER);
    }
}

static void free_rings(void)
{
    for (int i = 0; i < GOI_MAXPROCS_MAX; i++) {
        goi_tracer_ring_free(ld_rlx(&goi_tracer.rings[i]));
        st_rlx(&goi_tracer.rings[i], NULL); /* the writer is gone, the next one is not born */
    }
    goi_tracer_ring_free(goi_tracer.others);
    goi_tracer_ring_free(goi_tracer.first);
    goi_tracer.others = NULL;
    goi_tracer.first = NULL;
    goi_tracer_writer_free();
}

/* --- start */

static bool snapshot(struct g *g, void *arg)
{
    uint32_t state = ld_rlx(&g->state);
    if ((g->flags & (GOI_G_SCHED | GOI_G_SYSTEM)) != 0 || state == GOI_G_IDLE ||
        state == GOI_G_PENDING || state == GOI_G_DEAD || state >= GOI_G_STATES) {
        return true;
    }
    return goi_tracer_snapshot(goi_tracer.first, g, *(const int64_t *)arg);
}

static uint32_t power_of_two(size_t n)
{
    uint32_t p = 64;
    while (p < n && p < 1u << 30) {
        p *= 2;
    }
    return p;
}

/* With the world stopped. False: no memory; nothing has changed then but what free_rings undoes. */
static bool begin_stopped(void)
{
    /* Threads are few, and not in the count. */
    size_t goroutines = goi_g_count() + (size_t)goi_sched.nforeign + 64;
    int n = goi_procs_made();
    goi_tracer.first = goi_tracer_ring_new(-1, power_of_two(goroutines * SNAPSHOT_EVENTS));
    goi_tracer.others = goi_tracer_ring_new(-1, GOI_TR_RING);
    if (goi_tracer.first == NULL || goi_tracer.others == NULL) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        struct goi_tracer_ring *r = goi_tracer_ring_new(i, GOI_TR_RING);
        if (r == NULL) {
            return false;
        }
        st_rlx(&goi_tracer.rings[i], r); /* the writer waits */
    }
    int64_t now = goi_now();
    goi_tracer.start = now;
    st_rlx(&goi_tracer.number, ld_rlx(&goi_tracer.number) + 1); /* [stat] */
    goi_tracer.first_id = ld_rlx(&goi_sched.id_next);
    goi_world_each(snapshot, &now, false);
    for (int i = 0; i < n; i++) {
        goi_tracer_attach(goi_sched.procs[i], ld_rlx(&goi_tracer.rings[i]), now);
    }
    goi_lock(&goi_tracer.lock);
    st_rlx(&goi_tracer.on, true); /* under the lock; elsewhere a hint, asked again */
    goi_unlock(&goi_tracer.lock);
    return true;
}

/* The writer exists and waits. */
static int begin(void)
{
    int r = -EAGAIN;
    if (goi_world_stop(START_PATIENCE_NS)) {
        r = begin_stopped() ? 0 : -ENOMEM;
        goi_world_start();
    }
    order(r == 0 ? GOI_TR_ORDER_WRITE : GOI_TR_ORDER_FORGET);
    if (r != 0) {
        wait_for_writer();
    }
    return r;
}

static int start_writer(const char *path)
{
    goi_tracer.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (goi_tracer.fd < 0) {
        return -errno;
    }
    goi_tracer.error = 0;
    st_rlx(&goi_tracer.wake, GOI_TR_ORDER_NONE); /* there is no writer yet */
    st_rlx(&goi_tracer.done, 0);
    int r = goi_tracer_writer_new() ? 0 : -ENOMEM;
    if (r == 0) {
        count_thread(1);
        r = gop_thread_start(goi_tracer_write, NULL, WRITER_STACK);
        if (r != 0) {
            count_thread(-1);
            goi_tracer_writer_free();
        }
    }
    if (r != 0) {
        (void)close(goi_tracer.fd);
    }
    return r;
}

static int start(const char *path, bool by_knob)
{
    uint32_t idle = IDLE;
    if (!cas_acq(&goi_tracer.state, &idle, BUSY)) { /* [TRACER] the last trace is over */
        return -EBUSY;
    }
    goi_tracer.by_knob = by_knob;
    int r = start_writer(path);
    if (r == 0) {
        r = begin();
        if (r != 0) {
            free_rings();
        }
    }
    st_rel(&goi_tracer.state, r == 0 ? RECORDING : IDLE); /* [TRACER] */
    return r;
}

/* --- stop */

static void end_stopped(void)
{
    int64_t now = goi_now();
    goi_lock(&goi_tracer.lock);
    st_rlx(&goi_tracer.on, false); /* under the lock */
    goi_unlock(&goi_tracer.lock);
    for (int i = 0; i < goi_procs_made(); i++) {
        goi_tracer_detach(goi_sched.procs[i], now);
    }
}

/* When the world does not stop, the process is about to end anyway: the rings stay. */
static int stop(int64_t patience, bool at_exit)
{
    uint32_t recording = RECORDING;
    if (!cas_acq(&goi_tracer.state, &recording, BUSY)) { /* [TRACER] */
        return -EINVAL;
    }
    bool stopped = goi_world_stop(patience);
    if (stopped) {
        end_stopped();
        goi_world_start();
    } else if (!at_exit) {
        st_rel(&goi_tracer.state, RECORDING); /* [TRACER] */
        return -EAGAIN;
    }
    order(GOI_TR_ORDER_FINISH);
    wait_for_writer();
    int r = goi_tracer.error;
    if (stopped) {
        free_rings();
        st_rel(&goi_tracer.state, IDLE); /* [TRACER] */
    }
    return r;
}

int go_trace_start(const char *path)
{
    (void)goi_self_g();
    return start(path, false);
}

int go_trace_stop(void)
{
    (void)goi_self_g();
    return stop(START_PATIENCE_NS, false);
}

/* --- GORTDEBUG=trace=FILE */

static void complain(const char *what, int r)
{
    struct goi_out o;
    goi_out_init(&o, 2);
    goi_outf(&o, "gort: GORTDEBUG: trace=%s: %s: %s\n", goi_knob_text(goi_knobs.trace), what,
             strerrordesc_np(-r));
    goi_out_flush(&o);
}

void goi_tracer_init(void)
{
    if (goi_knobs.trace != 0) {
        int r = start(goi_knob_text(goi_knobs.trace), true);
        if (r != 0) {
            complain("no trace", r);
        }
    }
}

void goi_tracer_exit(void)
{
    if (ld_rlx(&goi_tracer.state) == RECORDING && !goi_sched.forked) {
        int r = stop(EXIT_PATIENCE_NS, true);
        if (r != 0 && goi_tracer.by_knob) {
            complain("not complete", r);
        }
    }
}
