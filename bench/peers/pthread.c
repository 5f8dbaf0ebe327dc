/* SPDX-License-Identifier: MIT */
/* pthread.c: the same work with a kernel thread for every goroutine. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SIDE "pthread"

typedef pthread_mutex_t lock_t;
typedef pthread_cond_t cond_t;
typedef pthread_t task_t;

#define mc_init(c) \
    (pthread_mutex_init(&(c)->mu, NULL), pthread_cond_init(&(c)->not_empty, NULL), \
     pthread_cond_init(&(c)->not_full, NULL), pthread_cond_init(&(c)->taken, NULL))
#define mc_lock(c) pthread_mutex_lock(&(c)->mu)
#define mc_unlock(c) pthread_mutex_unlock(&(c)->mu)
#define mc_wait(cond, c) pthread_cond_wait(cond, &(c)->mu)
#define mc_signal(cond) pthread_cond_signal(cond)
#define mc_broadcast(cond) pthread_cond_broadcast(cond)
#define give_way() sched_yield()
#define join(t) pthread_join(t, NULL)
#define prepare() ((void)0)

static void start(pthread_t *t, void *(*body)(void *), void *arg)
{
    if (pthread_create(t, NULL, body, arg) != 0) {
        fprintf(stderr, "bench_pthread: no more threads\n");
        exit(3);
    }
}

#include "programs.h"
