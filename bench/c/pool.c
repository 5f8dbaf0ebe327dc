/* SPDX-License-Identifier: MIT */
/* pool.c: objects kept for reuse. */
#include "bench.h"

#include <stdlib.h>

static void *make_object(void)
{
    return bench_alloc(1, 64);
}

static void get_and_put(go_pool *p, long times)
{
    for (long i = 0; i < times; i++) {
        void *object = pool_get(p);
        pool_put(p, object);
    }
}

/* One op: take an object and put it back, GOMAXPROCS goroutines. */
BENCH(pool)
{
    long workers = go_maxprocs(0);
    go_pool p = { .make = make_object };
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, get_and_put, &p, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
}
