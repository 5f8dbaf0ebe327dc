/* SPDX-License-Identifier: MIT */
/* cond.c: a turn that goes round. */
#include "bench.h"

struct turns {
    go_mutex mu;
    go_cond changed;
    long turn;
    long last;
};

static void take_turns(struct turns *t, long me, long members)
{
    mutex_lock(&t->mu);
    for (;;) {
        while (t->turn < t->last && t->turn % members != me) {
            cond_wait(&t->changed, &t->mu);
        }
        if (t->turn >= t->last) {
            break;
        }
        t->turn++;
        cond_broadcast(&t->changed);
    }
    mutex_unlock(&t->mu);
}

/* One op: a turn passes to the next goroutine, all are woken each time and all but one wait
 * again. Parameter: the goroutines, 4. */
BENCH(cond)
{
    long members = bench_arg(b, 0, 4);
    struct turns t = { .last = b->n };
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < members; i++) {
        wg_go(&wg, take_turns, &t, i, members);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n);
}
