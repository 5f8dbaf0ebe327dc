/* SPDX-License-Identifier: MIT */
/* leak_stop.c: making the threads of the process stand still, to see their registers.
 *
 * A stopped world keeps goroutines from being resumed, but what runs on a thread goes on, and moves
 * pointers about: from memory that has not been looked at to memory that has, or into a register
 * and nowhere else. So each thread that may be in the middle of something is sent SIGURG (what Go
 * uses, and what nobody misses: ignored by default, and debuggers pass it on). The handler says
 * where its registers lie, and waits until the check is over.
 *
 * Not asked to stop are the caller, and threads of the runtime that have no goroutine. Threads that
 * were made meanwhile are found by looking again until there is none.
 *
 *   T1  When goi_leak_go_on() returns no thread is in the handler's wait any more, and the
 *       program's own handler is back. A signal that comes late finds it, or is ignored.
 *
 * Between the first signal and the last thread's release nothing calls malloc, stdio or the dynamic
 * linker: a thread may stand still with their locks.
 *
 * Limits. A system call that is interrupted goes on by itself where the system can do so; poll,
 * epoll_wait, nanosleep and their like return EINTR, once per check. A thread that blocks SIGURG
 * and is the program's, or runs a goroutine, cannot be seen into, so there is no verdict while it
 * is there. libc blocks all signals where a thread begins or ends, and around pthread_create and
 * the like: who blocks is looked at again until T2.
 *
 *   T2  Whoever blocks SIGURG for longer than PATIENCE_NS does so for good, or the machine is too
 *       busy to say.                              (where_..._blocks_the_signal in leaks/threads)
 *
 * Rejected: ptrace from a helper process, as sanitizers do. It is refused in many containers, and
 * whenever a debugger is there first.
 */
#include "debug/leak.h"
#include "os/os.h"
#include "sched/internal.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

enum { SIGNAL = SIGURG, PATIENCE_NS = 200000000, LOOK_NS = 20000, REGS_GENERAL = 280 };

static goi_aptr stopping;           /* [a:LEAKSTOP] the struct goi_leak, while threads stop */
static goi_a32 held;                /* [a:LEAKSTOP] futex word: 1 until they may go on */
static goi_a32 inside;              /* [a:LEAKSTOP] threads that wait in the handler */
static struct sigaction before;

/* [LEAKSTOP] release of what the handler has written, acquire by who waits for it; and the other
 * way round when it lets go. */
static void on_stop(int sig, siginfo_t *info, void *ucontext)
{
    int saved = errno;
    const ucontext_t *u = ucontext;
    (void)sig;
    (void)info;
    add_rlx(&inside, 1);
    fence_seq(); /* [LEAKSTOP] with the one in goi_leak_go_on: it sees us inside, or we see NULL */
    struct goi_leak *l = ld_acq(&stopping); /* [LEAKSTOP] */
    int tid = gop_thread_id();
    for (size_t i = 0; l != NULL && i < l->nthreads; i++) {
        struct goi_leak_thread *t = &l->threads[i];
        if (t->tid != tid) {
            continue;
        }
        uintptr_t base = (uintptr_t)u->uc_stack.ss_sp;
        uintptr_t here = (uintptr_t)goi_stack_pointer();
        bool apart = u->uc_stack.ss_size > 0 && here >= base && here < base + u->uc_stack.ss_size;
        t->sp = goi_signal_sp(ucontext);
        t->handler = apart ? (struct goi_range){base, base + u->uc_stack.ss_size}
                           : (struct goi_range){0, 0};
        t->regs.lo = t->ours ? (uintptr_t)&u->uc_mcontext : (uintptr_t)ucontext;
        t->regs.hi = t->ours ? t->regs.lo + REGS_GENERAL
                     : apart ? t->handler.hi /* with those of a handler that was interrupted */
                           : t->regs.lo + sizeof *u;
        st_rel(&t->stopped, 1); /* [LEAKSTOP] */
        while (ld_acq(&held) != 0) { /* [LEAKSTOP] ends: goi_leak_go_on */
            gop_futex_wait(&held, 1, GOI_FOREVER);
        }
        break;
    }
    sub_acqrel(&inside, 1); /* [LEAKSTOP] */
    errno = saved;
}

struct finding { struct goi_leak *l; bool more, blocked; };

static struct m *m_of(int tid)
{
    struct m *m = goi_sched.all_m;
    while (m != NULL && m->tid != tid) {
        m = m->all_next;
    }
    return m;
}

/* Under sched.lock. A thread on its scheduler's stack has no goroutine, and the world is stopped:
 * if it has a P it is outside of the runtime, so not about to wake anybody; if it has none it
 * sleeps, or brings those that waited for descriptors, who are alive anyway. */
static bool empty_handed(int tid)
{
    const struct m *m = m_of(tid);
    return m != NULL && (m->idle || m->polls || m->g == m->g0);
}

/* Runs no goroutine, nor anything else of the program. */
static bool is_ours(int tid) { return gop_thread_is_ours(tid) && m_of(tid) == NULL; }

static bool known(const struct goi_leak *l, int tid)
{
    for (size_t i = 0; i < l->nthreads; i++) {
        if (l->threads[i].tid == tid) {
            return true;
        }
    }
    return false;
}

static bool find(int tid, void *arg)
{
    struct finding *f = arg;
    struct goi_leak *l = f->l;
    if (tid == gop_thread_id() || known(l, tid) || empty_handed(tid)) {
        return true;
    }
    if (l->nthreads == l->threads_room) {
        l->problem = "too many threads";
        return false;
    }
    if (!gop_thread_takes(tid, SIGNAL)) {
        f->blocked |= !is_ours(tid); /* as one does that begins, or ends */
        return true;
    }
    struct goi_leak_thread *t = &l->threads[l->nthreads];
    t->tid = tid;
    t->ours = is_ours(tid);
    st_rlx(&t->stopped, 0);
    l->nthreads++; /* before the signal: the handler looks for itself */
    fence_seq();   /* [LEAKSTOP] over-ordered: the signal orders as well */
    f->more = gop_thread_signal(tid, SIGNAL) || f->more;
    return true;
}

static bool wait_for_all(struct goi_leak *l, int64_t end)
{
    for (size_t i = 0; i < l->nthreads; i++) {
        while (ld_acq(&l->threads[i].stopped) == 0) { /* [LEAKSTOP] ends at `end` */
            if (goi_now() >= end) {
                l->problem = "a thread does not stop";
                return false;
            }
            gop_sleep_ns(LOOK_NS);
        }
    }
    return true;
}

bool goi_leak_stop(struct goi_leak *l)
{
    struct sigaction sa;
    struct finding f = {.l = l, .more = true};
    int saved = errno;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_stop;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset(&sa.sa_mask);
    l->threads[0].ours = is_ours(l->threads[0].tid);
    st_rlx(&held, 1);
    st_rel(&stopping, l); /* [LEAKSTOP] */
    bool ok = sigaction(SIGNAL, &sa, &before) == 0;
    errno = saved;
    int64_t end = goi_now() + PATIENCE_NS;
    /* Ends: who stands still makes no thread. */
    while (ok && (f.more || f.blocked) && l->problem == NULL) {
        if (f.blocked && goi_now() >= end) {
            l->problem = "a thread blocks SIGURG";
        } else if (f.blocked) {
            gop_sleep_ns(LOOK_NS);
        }
        f.more = f.blocked = false;
        ok = gop_threads(find, &f) && wait_for_all(l, end);
    }
    if (!ok && l->problem == NULL) {
        l->problem = "the system does not say which threads there are";
    }
    return l->problem == NULL;
}

void goi_leak_go_on(struct goi_leak *l)
{
    int saved = errno;
    (void)l;
    (void)sigaction(SIGNAL, &before, NULL);
    st_rlx(&stopping, NULL);
    st_rel(&held, 0); /* [LEAKSTOP] */
    fence_seq();      /* [LEAKSTOP] */
    gop_futex_wake(&held, INT32_MAX);
    while (ld_acq(&inside) != 0) { /* [LEAKSTOP] T1: ends: they only leave */
        gop_sleep_ns(LOOK_NS);
    }
    errno = saved;
}
