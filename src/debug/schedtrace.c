/* SPDX-License-Identifier: MIT */
/* schedtrace.c: GORTDEBUG=schedtrace=INTERVAL: the scheduler's state, a line each interval.
 *
 *     SCHED 1004ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 needspinning=0
 *     idlethreads=1 runqueue=0 [ 0 0 ] schedticks=[ 6 3 ]        (on one line)
 *
 * The words and their order are Go's (schedtrace in runtime/proc.go). threads counts those of the
 * runtime, with sysmon and this one; needspinning is 1 when work waits, a P is idle, and nobody
 * searches; runqueue is the global queue; in brackets the queue of each P, and how many slices it
 * has given. A thread of its own prints, because sysmon sleeps when all is idle and must not wait
 * for a slow descriptor.
 */
#include "debug/internal.h"
#include "os/os.h"
#include "sched/internal.h"

enum { TRACE_STACK = 256 << 10 };

static int64_t interval;            /* [c] */
static struct goi_out out;          /* [o] the tracing thread */

struct counts { int procs, threads, idle_threads; uint32_t idle_procs, spinning, queued; };

static struct counts count(void)
{
    struct counts c = {0};
    goi_lock(&goi_sched.lock);
    c.procs = goi_procs();
    c.idle_procs = ld_rlx(&goi_sched.npidle);
    c.threads = goi_sched.nm + goi_sched.nother_threads;
    c.spinning = ld_rlx(&goi_sched.nspinning);
    c.queued = goi_runq_len(&goi_sched.global);
    for (const struct m *m = goi_sched.idle_m; m != NULL; m = m->link) {
        c.idle_threads++;
    }
    goi_unlock(&goi_sched.lock);
    return c;
}

static bool work_waits(uint32_t queued, int procs)
{
    bool any = queued > 0;
    for (int i = 0; i < procs && !any; i++) {
        any = goi_p_work(goi_sched.procs[i]) > 0;
    }
    return any;
}

static void print(int64_t since)
{
    struct counts c = count();
    int n = c.procs < goi_procs_made() ? c.procs : goi_procs_made();
    bool need = c.idle_procs > 0 && c.spinning == 0 && work_waits(c.queued, n);
    goi_out_init(&out, 2);
    goi_outf(&out, "SCHED %ldms: gomaxprocs=%d idleprocs=%u threads=%d spinningthreads=%u ",
             (long)(since / 1000000), c.procs, c.idle_procs, c.threads, c.spinning);
    goi_outf(&out, "needspinning=%d idlethreads=%d runqueue=%u [", need ? 1 : 0, c.idle_threads,
             c.queued);
    for (int i = 0; i < n; i++) {
        goi_outf(&out, " %u", goi_p_work(goi_sched.procs[i]));
    }
    goi_out_str(&out, " ] schedticks=[");
    for (int i = 0; i < n; i++) {
        goi_outf(&out, " %u", ld_rlx(&goi_sched.procs[i]->tick));
    }
    goi_out_str(&out, " ]\n");
    goi_out_flush(&out);
}

static void *trace(void *arg)
{
    (void)arg;
    int64_t start = goi_now();
    int64_t next = start;
    gop_block_signals();
    gop_thread_name("gort-trace");
    for (;;) { /* for the life of the process */
        next += interval;
        int64_t now = goi_now();
        if (next > now) {
            gop_sleep_ns(next - now);
        } else {
            next = now; /* the descriptor is slower than the interval */
        }
        if (ld_acq(&goi_sched.started)) { /* [INIT] */
            print(goi_now() - start);
        }
    }
    return NULL;
}

void goi_schedtrace_start(int64_t every)
{
    interval = goi_max_i64(every, 100000);
    goi_lock(&goi_sched.lock);
    goi_sched.nother_threads++;
    goi_unlock(&goi_sched.lock);
    if (gop_thread_start(trace, NULL, TRACE_STACK) != 0) {
        goi_lock(&goi_sched.lock);
        goi_sched.nother_threads--;
        goi_unlock(&goi_sched.lock);
    }
}
