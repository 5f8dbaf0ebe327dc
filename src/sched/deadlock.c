/* SPDX-License-Identifier: MIT */
/* deadlock.c: the verdict on the whole process.
 *
 * Given when nothing can ever run again:
 *   V1  all Ps are idle and the global queue is empty;
 *   V2  no goroutine runs user code without a P (it may be in a blocking call that ends);
 *   V3  no timer is pending that would make a goroutine runnable: the deadline of a context whose
 *       end nobody waits for is none, nor is a channel's timer that a select has left behind;
 *   V4  no goroutine waits for something outside (sockets, processes), but for the one that hands
 *       signals on, while nobody waits for what it would send (net/signal.c);
 *   V5  no thread exists that the runtime did not make: one that has not called the runtime yet may
 *       still do so, and the runtime cannot know what it is up to.
 * V1 to V4 are read under sched.lock, where they can only change together with the Ps' idleness: so
 * what V3 and V4 ask other layers needs no locks of theirs. Everything else counts as able to wake
 * somebody: sleepers, functions to be called later, descriptors.
 * V5 is the count in /proc/self/task against the threads we know, so the verdict is given by sysmon
 * after 20 ms of idleness instead of on the idle path.
 */
#include "annot/annot.h"
#include "sched/internal.h"

enum { AGAIN_NS = 1000000000 };

static goi_aptr hands_on; /* [a:HANDSON] uint32_t (*)(void) */

void goi_io_hands_on(uint32_t (*idle)(void))
{
    union { void *word; uint32_t (*fn)(void); } u = {.fn = idle};
    st_rel(&hands_on, u.word); /* [HANDSON] */
}

/* Waiters for something outside that would wake nobody. */
static uint32_t idle_waiters(void)
{
    union { void *word; uint32_t (*fn)(void); } u = {.word = ld_acq(&hands_on)}; /* [HANDSON] */
    return u.word != NULL ? u.fn() : 0;
}

static bool all_quiet_locked(void)
{
    if (!goi_procs_quiet_locked() ||                                    /* V1 */
        goi_runq_len(&goi_sched.global) != 0 ||                         /* V1 */
        ld_rlx(&goi_sched.ndetached) != 0 ||                            /* V2 */
        ld_rlx(&goi_sched.exiting)) {
        return false;
    }
    uint32_t io = goi_io_waiters();
    return (io == 0 || io == idle_waiters()) &&                         /* V4 */
           !goi_timers_wake_any();                                      /* V3 */
}

int64_t goi_deadlock_check(int64_t now)
{
    goi_lock(&goi_sched.lock);
    bool quiet = all_quiet_locked();
    bool foreign = goi_sched.nforeign > 0;
    int known = goi_sched.nm + goi_sched.nother_threads;
    goi_unlock(&goi_sched.lock);
    if (!quiet) {
        return GOI_FOREVER; /* whoever changes that takes a P, which wakes sysmon */
    }
    known += goi_annot_threads() + gop_emulator_threads();
    if (foreign || gop_thread_count() != known) { /* V5 */
        return now + AGAIN_NS;
    }
    goi_lock(&goi_sched.lock);
    quiet = all_quiet_locked();
    goi_unlock(&goi_sched.lock);
    if (quiet) {
        bool main_left = goi_sched.main_g != NULL &&
                         ld_rlx(&goi_sched.main_g->state) == GOI_G_DEAD;
        goi_crash_deadlock(main_left && goi_g_count() == 0
                               ? "no goroutines (main called runtime.Goexit) - deadlock!"
                               : "all goroutines are asleep - deadlock!");
    }
    return now + AGAIN_NS;
}
