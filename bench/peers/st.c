/* SPDX-License-Identifier: MIT */
/* st.c: the same work on State Threads, which has one kernel thread and so pays for no atomics. */
#include <st.h>
#include <stdio.h>
#include <stdlib.h>

#define SIDE "st"

typedef st_mutex_t lock_t;
typedef st_cond_t cond_t;
typedef st_thread_t task_t;

#define mc_init(c) \
    ((c)->mu = st_mutex_new(), (c)->not_empty = st_cond_new(), (c)->not_full = st_cond_new(), \
     (c)->taken = st_cond_new())
#define mc_lock(c) st_mutex_lock((c)->mu)
#define mc_unlock(c) st_mutex_unlock((c)->mu)
/* One thread, and switches only in calls: between unlock and wait nobody else runs. */
#define mc_wait(cond, c) (st_mutex_unlock((c)->mu), st_cond_wait(*(cond)), st_mutex_lock((c)->mu))
#define mc_signal(cond) st_cond_signal(*(cond))
#define mc_broadcast(cond) st_cond_broadcast(*(cond))
#define give_way() st_usleep(0) /* State Threads 1.9 has no yield; no row takes this */
#define join(t) st_thread_join(t, NULL)

static void start(st_thread_t *t, void *(*body)(void *), void *arg)
{
    *t = st_thread_create(body, arg, 1, 0);
    if (!*t) {
        fprintf(stderr, "bench_st: no more threads\n");
        exit(3);
    }
}

static void prepare(void)
{
    st_set_eventsys(ST_EVENTSYS_ALT);
    if (st_init() != 0) {
        fprintf(stderr, "bench_st: st_init failed\n");
        exit(3);
    }
}

#include "programs.h"
