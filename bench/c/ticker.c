/* SPDX-License-Identifier: MIT */
/* ticker.c: tickers on time. */
#include "bench.h"

/* One op: one tick of a ticker of 100 microseconds is received; wall time per tick, so that the
 * ideal is 100,000 ns. */
BENCH(ticker)
{
    go_ticker *t = go_ticker_make(100 * GO_US);
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        chan_recv(ticker_c(t));
    }
    bench_per_op(b, start, b->n);
    ticker_stop(t);
    ticker_free(t);
}
