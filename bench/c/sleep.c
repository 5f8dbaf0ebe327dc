/* SPDX-License-Identifier: MIT */
/* sleep.c: many that sleep. */
#include "bench.h"

static void doze(long times)
{
    for (long i = 0; i < times; i++) {
        go_sleep(1);
    }
}

/* One op: a sleep of one nanosecond, 1000 goroutines doing it at once. Parameter: goroutines. */
BENCH(sleep_short)
{
    long sleepers = bench_arg(b, 0, 1000);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < sleepers; i++) {
        wg_go(&wg, doze, b->n / sleepers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / sleepers * sleepers);
}

static void sleep_100ms(void)
{
    go_sleep(100 * GO_MS);
}

/* n goroutines sleep for 100 ms each, all at once. Reports CPU time and wall time. */
BENCH(sleepers)
{
    go_waitgroup wg = { 0 };
    int64_t cpu = bench_cpu();
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        wg_go(&wg, sleep_100ms);
    }
    wg_wait(&wg);
    bench_report(b, "wall", (double)(bench_now() - start) / 1e6, "ms");
    bench_report(b, "cpu", (double)(bench_cpu() - cpu) / 1e6, "ms");
}
