/* SPDX-License-Identifier: MIT */
/* waitgroup.c: counting goroutines down. */
#include "bench.h"

static void add_and_done(go_waitgroup *wg, long times)
{
    for (long i = 0; i < times; i++) {
        wg_add(wg, 1);
        wg_done(wg);
    }
}

/* One op: add one and done, GOMAXPROCS goroutines on one waitgroup. */
BENCH(waitgroup)
{
    long workers = go_maxprocs(0);
    go_waitgroup shared = { 0 };
    go_waitgroup wg = { 0 };
    wg_add(&shared, 1);
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, add_and_done, &shared, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
    wg_done(&shared);
    wg_wait(&shared);
}

/* One op: a wait on a waitgroup that is at zero. */
BENCH(waitgroup_zero)
{
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        wg_wait(&wg);
    }
    bench_per_op(b, start, b->n);
}
