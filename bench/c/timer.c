/* SPDX-License-Identifier: MIT */
/* timer.c: timers that are made, stopped and moved. */
#include "bench.h"

static void nothing(void)
{
}

static void start_and_stop(long times)
{
    for (long i = 0; i < times; i++) {
        go_timer *t = go_after_func(GO_HOUR, nothing);
        timer_stop(t);
        timer_free(t);
    }
}

/* One op: a timer for a function is started and stopped, GOMAXPROCS goroutines. */
BENCH(timer_startstop)
{
    long workers = go_maxprocs(0);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, start_and_stop, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
}

/* One op: a running timer is set to another time. */
BENCH(timer_reset)
{
    go_timer *t = go_timer_make(GO_HOUR);
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        timer_reset(t, GO_HOUR + i % 1000);
    }
    bench_per_op(b, start, b->n);
    timer_stop(t);
    timer_free(t);
}

/* n timers are pending at once, with times that do not come in order. Reports the time to start
 * one, its bytes, and the time to stop one. */
BENCH(timer_pending)
{
    go_timer **t = bench_alloc((size_t)b->n, sizeof(*t));
    for (long i = 0; i < b->n; i++) {
        t[i] = NULL;
    }
    uint64_t seed = 1;
    long before = bench_memory();
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        t[i] = go_after_func(GO_HOUR + (go_duration)(bench_random(&seed) % GO_HOUR), nothing);
    }
    bench_report(b, "start", (double)(bench_now() - start) / (double)b->n, "ns");
    bench_report(b, "bytes", (double)(bench_memory() - before) / (double)b->n, "B");
    start = bench_now();
    for (long i = 0; i < b->n; i++) {
        timer_stop(t[i]);
        timer_free(t[i]);
    }
    bench_report(b, "stop", (double)(bench_now() - start) / (double)b->n, "ns");
}
