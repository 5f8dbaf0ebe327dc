/* SPDX-License-Identifier: MIT */
/* rwmutex.c: many readers, few writers. */
#include "bench.h"

struct guarded {
    go_rwmutex mu;
    long value;
};

static void read_and_write(struct guarded *s, long times, long every)
{
    long seen = 0;
    for (long i = 1; i <= times; i++) {
        if (every && i % every == 0) {
            rwmutex_lock(&s->mu);
            s->value++;
            rwmutex_unlock(&s->mu);
        } else {
            rwmutex_rlock(&s->mu);
            seen += s->value;
            rwmutex_runlock(&s->mu);
        }
    }
    if (seen < 0) {
        bench_fail("rwmutex: impossible sum");
    }
}

/* One op: a read lock and unlock, every so often a write lock, by several goroutines.
 * Parameters: goroutines 1, one write in how many operations 0 (never). */
BENCH(rwmutex)
{
    long goroutines = bench_arg(b, 0, 1);
    struct guarded s = { 0 };
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < goroutines; i++) {
        wg_go(&wg, read_and_write, &s, b->n / goroutines, bench_arg(b, 1, 0));
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / goroutines * goroutines);
}
