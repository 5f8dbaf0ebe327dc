/* SPDX-License-Identifier: MIT */
/* ours.c (Linux): the threads that the runtime has started. Contracts: os/os.h, os/inspect.h.
 *
 * Whoever looks at a process from within must tell the runtime's own threads, which run no code of
 * the program on their stacks, from the program's. A name does not say it: a thread inherits the
 * name of the one that makes it, which is the program's, and anybody can set it. So each thread
 * that the runtime starts is on a list, with its stack, from before its entry until after that.
 *
 * The list is read while all other threads stand still, wherever they were, so it has no lock that
 * one of them could hold. Nodes are put in front and stay for the life of the process; one whose
 * thread has ended is taken again. What it says is its `tid`:
 *
 *     FREE -> STARTING (by who starts a thread) -> the thread's number -> FREE (by the thread)
 *
 *   O1  Whose number is on the list runs the runtime's code on its own stack, between libc's that
 *       begins a thread and libc's that ends it. Before and behind it is like any other thread:
 *       libc blocks signals there, so who must send it one has to look again.  (leak_stop.c: find)
 *   O2  The bounds are written before the number, and not again while it stands there. So they are
 *       right for whom does not get further: the caller, who stands still, and who never ends.
 *   O3  A node belongs to one thread: it is taken by compare-and-swap.            (asserted: begin)
 *
 * A thread that does not return from its entry (pthread_exit in it, which is fatal: sched/gone.c)
 * would leave its number behind. In the child of a fork the list is the parent's, and harmless: the
 * runtime is not used there, and nothing is locked.
 *
 * Rejected: a node on the thread's stack or in its thread-local memory, which goes away while
 * somebody reads the list. Rejected: a lock with signals blocked: who is stopped by a debugger, or
 * has not been given a processor, would hold up a stopped world.
 */
#include "os/inspect.h"
#include "os/os.h"
#include "base/assert.h"
#include "base/atomic.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { FREE = 0 };
#define STARTING UINT32_MAX /* no thread's number */

struct ours {
    struct ours *next;          /* [c] since it was put there */
    goi_a32 tid;                /* [a:OURS] */
    char *lo, *hi;              /* [s:STARTING] by the thread */
    void *(*entry)(void *);     /* [s:STARTING] by who starts it */
    void *arg;                  /* [s:STARTING] */
};

static goi_aptr first;          /* [a:OURS] */
static goi_a32 nfree;           /* [stat] so that nobody looks for one where there is none */

static struct ours *take_again(void)
{
    if (ld_rlx(&nfree) == 0) { /* stale: there will be a node more */
        return NULL;
    }
    for (struct ours *o = ld_acq(&first); o != NULL; o = o->next) { /* [OURS] */
        uint32_t is = FREE;
        if (cas_acq(&o->tid, &is, STARTING)) { /* [OURS] O3: whose it was writes it no more */
            sub_rlx(&nfree, 1);
            return o;
        }
    }
    return NULL;
}

static struct ours *make(void)
{
    struct ours *o = calloc(1, sizeof *o);
    if (o == NULL) {
        return NULL;
    }
    st_rlx(&o->tid, STARTING); /* not there yet */
    void *next = ld_rlx(&first);
    do { /* ends: somebody gets further each time */
        o->next = next;
    } while (!cas_rel(&first, &next, o)); /* [OURS] what `next` is */
    return o;
}

static void give_back(struct ours *o)
{
    add_rlx(&nfree, 1); /* before somebody can take it: it does not fall below zero */
    st_rel(&o->tid, FREE); /* [OURS] the last touch */
}

static void *begin(void *arg)
{
    struct ours *o = arg;
    goi_assert(ld_rlx(&o->tid) == STARTING); /* O3 */
    void *(*entry)(void *) = o->entry;
    void *its = o->arg;
    gop_thread_stack(&o->lo, &o->hi);
    st_rel(&o->tid, (uint32_t)gop_thread_id()); /* [OURS] O2: with the bounds */
    void *r = entry(its);
    give_back(o);
    return r;
}

int gop_thread_start(void *(*entry)(void *), void *arg, size_t stack)
{
    pthread_attr_t attr;
    pthread_t thread;
    struct ours *o = take_again();
    if (o == NULL) {
        o = make();
    }
    if (o == NULL) {
        return -EAGAIN;
    }
    o->entry = entry;
    o->arg = arg;
    int r = pthread_attr_init(&attr);
    if (r == 0) {
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        /* Refused only below the minimum; the default is then larger anyway. */
        (void)pthread_attr_setstacksize(&attr, stack);
        r = pthread_create(&thread, &attr, begin, o);
        pthread_attr_destroy(&attr);
    }
    if (r != 0) {
        give_back(o);
    }
    return r == 0 ? 0 : -EAGAIN;
}

static const struct ours *find(int tid)
{
    const struct ours *o = tid > 0 ? ld_acq(&first) : NULL; /* [OURS] */
    while (o != NULL && ld_acq(&o->tid) != (uint32_t)tid) { /* [OURS] O2 */
        o = o->next;
    }
    return o;
}

bool gop_thread_is_ours(int tid) { return find(tid) != NULL; }

bool gop_thread_stack_ours(int tid, uintptr_t *lo, uintptr_t *hi)
{
    const struct ours *o = find(tid);
    if (o == NULL || o->lo == NULL) {
        return false;
    }
    *lo = (uintptr_t)o->lo;
    *hi = (uintptr_t)o->hi;
    return true;
}
