/* SPDX-License-Identifier: MIT */
/* yield.c: giving way. */
#include "bench.h"

static void yielder(recv_chan(char) begin, long times)
{
    chan_recv(begin);
    for (long i = 0; i < times; i++) {
        go_yield();
    }
}

/* One op: a yield. Parameter: how many goroutines do it, 2. */
BENCH(yield)
{
    long goroutines = bench_arg(b, 0, 2);
    long times = b->n / goroutines;
    chan(char) begin = chan_make(char);
    go_waitgroup wg = { 0 };
    for (long i = 0; i < goroutines; i++) {
        wg_go(&wg, yielder, begin, times);
    }
    go_yield();
    int64_t start = bench_now();
    chan_close(begin);
    wg_wait(&wg);
    bench_per_op(b, start, goroutines * times);
    chan_free(begin);
}
