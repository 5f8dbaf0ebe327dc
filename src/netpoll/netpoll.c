/* SPDX-License-Identifier: MIT */
/* netpoll.c: between the poller and the scheduler.
 *
 * Who waits for a descriptor is in watch.c (descriptors that have an owner: sockets) and fdwait.c
 * (anybody's). Who looks at the poller, and when, is the scheduler's business (sched/io.c). Here
 * the two meet: the poller is opened at the first use, so a program without descriptors has no
 * epoll and pays one load where a P runs out of work; waiters are counted; reports become
 * goroutines.
 *
 *   N1  A goroutine is counted before its record can be found, until it runs again: a program in
 *       which one waits for a descriptor is never called deadlocked, but for the one that hands
 *       signals on (net/signal.c).                                   (V4 in sched/deadlock.c)
 *   N2  While one is counted, somebody looks: a waiter with a P gives that P up through
 *       give_up_p(), which sees the count; one without a P asks for a look.    (I1 in sched/io.c)
 */
#include "netpoll/netpoll.h"
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int open_error; /* [c] after once */

static void open_poller(void)
{
    open_error = goi_poller_init();
    if (open_error == 0) {
        goi_io_opened();
    }
}

int goi_netpoll_open(void)
{
    if (!goi_io_open()) {
        goi_leave(goi_enter()); /* the runtime, and with it the annotations, first */
        pthread_once(&once, open_poller);
        return open_error;
    }
    return 0;
}

void goi_netpoll_begin(struct m *m)
{
    goi_io_count(m, 1); /* N1 */
    if (m->p == NULL) {
        goi_io_kick(); /* N2 */
    } else {
        goi_io_weigh(m->p);
    }
}

void goi_netpoll_end(struct m *m) { goi_io_count(m, -1); }

void goi_netpoll(struct goi_runq *ready, int64_t deadline)
{
    const struct goi_poller_sink sink = {.watched = goi_watch_report,
                                         .armed = goi_fd_report,
                                         .arg = ready};
    goi_poller_wait(deadline, &sink);
    add_rlx(&goi_sched.io_polls, 1); /* [stat] */
    add_rlx(&goi_sched.io_ready, goi_runq_len(ready));
}

void goi_netpoll_break(void) { goi_poller_break(); }
