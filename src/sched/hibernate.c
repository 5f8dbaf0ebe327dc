/* SPDX-License-Identifier: MIT */
/* hibernate.c: which goroutines hibernate, and when. How is told in stack/hibernate.c.
 *
 * A thread of its own looks at all windows a few times within the interval. The stack layer notes
 * when it first saw a goroutine parked, and from when (waits_from, in milliseconds); those that
 * are parked from then on when the interval is over hibernate, in batches, for each of which the
 * world is stopped for the microseconds that it takes to look at them once more and to
 * write-protect them. That one may have run and parked again within a millisecond harms nobody:
 * they hibernate a little early.
 *
 *   K1  The world stands still for at most a twentieth of the time while goroutines run, as long as
 *       the stops are as short as they should be.                                         (rest)
 *   K2  A look at all takes at most a tenth of a processor, and none is taken when nothing has run
 *       since the last one found nothing to do.                                     (hibernator)
 *   K3  When the program has put its own handler of SIGSEGV in the place of ours, all come back and
 *       nothing hibernates any more.                                              (lost_handler)
 *
 * Locks: control, then passing, then what stack/hibernate.c takes. Neither is taken inside the
 * runtime.
 */
#include "annot/annot.h"
#include "base/fmt.h"
#include "sched/internal.h"
#include "sched/world.h"
#include "stack/hibernate.h"
#include <gort/debug.h>
#include <pthread.h>
#include <string.h>

enum {
    AFTER_MIN_NS = 10000000,
    LOOKS = 4,                      /* within the interval */
    LOOK_MAX_NS = 1000000000,
    LOOK_SHARE = 10,                /* K2 */
    STOP_SHARE = 20,                /* K1 */
    REST_MAX_NS = 10000000,
    PATIENCE_NS = 10000000,
};

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER; /* one switches at a time */
static pthread_mutex_t passing = PTHREAD_MUTEX_INITIALIZER; /* a pass is under way */
static goi_ai64 after_ns;           /* [HIBER] written under control */
static goi_a32 changes;             /* [HIBER] futex word: counts changes of after_ns */
static bool running;                /* [l:control] there is a thread */

static struct {
    int64_t after;                  /* of this pass */
    int64_t stopped_at, stopped_ns; /* the last stop */
    int64_t batch_at, batch_ns;     /* processor time spent on batches in this pass */
} now_doing;                        /* [o] hibernator */

/* --- what the stack layer asks */

static bool parked(void *desc, uint32_t *from, void **sp)
{
    struct g *g = desc;
    if (ld_rlx(&g->state) != GOI_G_WAITING) {
        return false;
    }
    *from = ld_rlx(&g->waits_from); /* [stat] */
    if (sp != NULL) {
        *sp = g->regs.sp;
    }
    return true;
}

static int64_t used(void) { return gop_thread_cpu(goi_m()->cpu_clock); }

static bool stop(void)
{
    now_doing.batch_at = used();
    if (!goi_world_stop(PATIENCE_NS)) {
        now_doing.stopped_ns = 0;
        return false;
    }
    now_doing.stopped_at = goi_now();
    return true;
}

static void start(void)
{
    goi_world_start();
    now_doing.stopped_ns = goi_now() - now_doing.stopped_at;
}

static void rest(void)
{
    if (ld_rlx(&goi_sched.npidle) < ld_rlx(&goi_sched.nprocs) && now_doing.stopped_ns > 0) {
        gop_sleep_ns(goi_min_i64(now_doing.stopped_ns * STOP_SHARE, REST_MAX_NS)); /* K1 */
    }
    now_doing.batch_ns += used() - now_doing.batch_at;
}

static bool quit(void)
{
    return ld_rlx(&after_ns) != now_doing.after || ld_rlx(&goi_sched.exiting);
}

static const struct goi_hibernate_view view = {parked, stop, start, rest, quit};

/* --- the thread */

/* Grows with everything that may have parked or touched a goroutine. */
static uint64_t activity(void)
{
    struct goi_hibernate_stats stats;
    goi_hibernate_stats(&stats);
    uint64_t sum = stats.restored_ever;
    for (int i = 0; i < goi_procs_made(); i++) {
        sum += ld_rlx(&goi_sched.procs[i]->picks); /* [stat] */
    }
    return sum;
}

static void say(const char *what, int error)
{
    static struct goi_out o;        /* under control, or from the hibernator's last message */
    goi_out_init(&o, 2);
    goi_outf(&o, "gort: hibernation is off: %s%s%s\n", what, error != 0 ? ": " : "",
             error != 0 ? strerror(-error) : "");
    goi_out_flush(&o);
}

static void lost_handler(void) /* K3 */
{
    pthread_mutex_lock(&control);
    if (ld_rlx(&after_ns) != 0) {
        st_rlx(&after_ns, 0);
        say("SIGSEGV has another handler", 0);
        pthread_mutex_lock(&passing);
        goi_hibernate_wake_all();
        pthread_mutex_unlock(&passing);
    }
    pthread_mutex_unlock(&control);
}

/* One pass, if there may be anything to do. Returns its processor time, without batches. */
static int64_t look(struct goi_hibernate_pass *last, uint64_t *seen)
{
    uint64_t now_seen = activity();
    int64_t begin = used();
    if (now_seen == *seen && last->stored == 0 && last->waiting == 0 && last->again == 0) {
        return 0; /* K2 */
    }
    *seen = now_seen;
    now_doing.after = ld_acq(&after_ns); /* [HIBER] */
    now_doing.batch_ns = 0;
    pthread_mutex_lock(&passing);
    goi_hibernate_pass(&view, goi_now(), now_doing.after, last);
    pthread_mutex_unlock(&passing);
    return used() - begin - now_doing.batch_ns;
}

static void *hibernator(void *arg)
{
    struct m *self = arg;
    struct goi_hibernate_pass last = {.waiting = 1};
    uint64_t seen = 0;
    gop_block_signals();
    goi_m_init_thread(self);
    gop_thread_name("gort-hibernate");
    st_rlx(&self->in_rt, 1);
    for (;;) { /* for the life of the process */
        uint32_t change = ld_acq(&changes); /* [HIBER] */
        int64_t after = ld_acq(&after_ns);  /* [HIBER] */
        if (after != 0 && !goi_overflow_handles()) {
            lost_handler();
            continue;
        }
        int64_t took = look(&last, &seen);
        bool done = after == 0 && last.again == 0;
        int64_t pause = goi_min_i64(after / LOOKS, LOOK_MAX_NS);
        pause = goi_max_i64(goi_max_i64(pause, AFTER_MIN_NS / LOOKS), took * LOOK_SHARE); /* K2 */
        gop_futex_wait(&changes, change, done ? GOI_FOREVER : goi_now() + pause);
        last.waiting += ld_acq(&changes) != change; /* [HIBER] another interval: look in any case */
    }
    return NULL;
}

/* --- switching */

static bool open_locked(void)
{
    int error = 0;
    const char *what = goi_annot != 0 ? "not with a sanitizer or Valgrind"
                                      : goi_hibernate_open(&error);
    if (what == NULL && !goi_overflow_handles()) {
        what = "SIGSEGV has another handler";
    }
    if (what == NULL && !running) {
        running = gop_thread_start(hibernator, goi_m_new_system(), GOI_M_STACK) == 0;
        if (!running) {
            goi_lock(&goi_sched.lock);
            goi_sched.nother_threads--;
            goi_unlock(&goi_sched.lock);
            what = "no thread";
        }
    }
    if (what != NULL) {
        say(what, error);
    }
    return what == NULL;
}

void goi_hibernate_start(int64_t after)
{
    pthread_mutex_lock(&control);
    after = after > 0 ? goi_max_i64(after, AFTER_MIN_NS) : 0;
    if (after != ld_rlx(&after_ns) && (after == 0 || open_locked())) {
        st_rel(&after_ns, after);        /* [HIBER] */
        add_acqrel(&changes, 1);         /* [HIBER] */
        if (after == 0) {
            pthread_mutex_lock(&passing); /* a pass sees the change and ends soon */
            goi_hibernate_wake_all();
            pthread_mutex_unlock(&passing);
        }
        gop_futex_wake(&changes, 1);
    }
    pthread_mutex_unlock(&control);
}

void go_hibernate_after(go_duration d)
{
    goi_init();
    if (!goi_sched.forked) {
        goi_hibernate_start(d);
    }
}
