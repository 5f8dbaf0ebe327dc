/* SPDX-License-Identifier: MIT */
/* mutex.c: go_mutex alone, and fought over. */
#include "bench.h"

/* One op: lock and unlock, nobody else there. */
BENCH(mutex_alone)
{
    go_mutex mu = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        mutex_lock(&mu);
        mutex_unlock(&mu);
    }
    bench_per_op(b, start, b->n);
}

struct counter {
    go_mutex mu;
    long value;
};

static void count_up(struct counter *c, long times, long work)
{
    uint64_t x = 1;
    for (long i = 0; i < times; i++) {
        mutex_lock(&c->mu);
        c->value++;
        mutex_unlock(&c->mu);
        x = bench_work(x, work);
    }
    if (x == 0) {
        bench_fail("mutex: work undone");
    }
}

/* One op: lock, count, unlock, by many goroutines on one mutex.
 * Parameters: goroutines 8, work outside the lock 0. */
BENCH(mutex)
{
    long goroutines = bench_arg(b, 0, 8);
    long work = bench_arg(b, 1, 0);
    struct counter c = { 0 };
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < goroutines; i++) {
        wg_go(&wg, count_up, &c, b->n / goroutines, work);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / goroutines * goroutines);
    if (c.value != b->n / goroutines * goroutines) {
        bench_fail("mutex: lost counts");
    }
}
