/* SPDX-License-Identifier: MIT */
/* once.c: what is done once, asked for again and again. */
#include "bench.h"

/* One op: a once that was done long ago. */
BENCH(once)
{
    static go_once once;
    long done = 0;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        once_do(&once) {
            done++;
        }
    }
    bench_per_op(b, start, b->n);
    if (done != 1) {
        bench_fail("once: done %ld times", done);
    }
}
