/* SPDX-License-Identifier: MIT */
/* select_many.c: a select wider than anybody writes by hand. */
#include "bench.h"

enum { WAYS = 100 };

static void send_all(send_chan(long) c, long times)
{
    for (long i = 0; i < times; i++) {
        chan_send(c, 1);
    }
}

/* One op: one goroutine receives by a select of 100 cases, each channel has a sender. */
BENCH(select_100)
{
    long times = b->n / WAYS;
    chan(long) c[WAYS];
    struct go_case cases[WAYS];
    long v = 0;
    for (int i = 0; i < WAYS; i++) {
        c[i] = chan_make(long);
        cases[i] = go_case_recv(c[i], &v, NULL);
        go(send_all, c[i], times);
    }
    long sum = 0;
    int64_t start = bench_now();
    for (long i = 0; i < times * WAYS; i++) {
        if (go_select_cases(cases, WAYS) < 0) {
            bench_fail("select_100: nothing chosen");
        }
        sum += v;
    }
    bench_per_op(b, start, times * WAYS);
    if (sum != times * WAYS) {
        bench_fail("select_100: wrong sum");
    }
}
