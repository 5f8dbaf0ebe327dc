/* SPDX-License-Identifier: MIT */
/* idle.c: the price of doing nothing. */
#include "bench.h"

#include <time.h>

static void wait_for_ever(recv_chan(char) never)
{
    chan_recv(never);
}

/* A hundred goroutines wait and main sleeps for n milliseconds, in the runtime. Reports the CPU
 * time that went by meanwhile. */
BENCH(idle)
{
    chan(char) never = chan_make(char);
    for (int i = 0; i < 100; i++) {
        go(wait_for_ever, never);
    }
    go_sleep(100 * GO_MS);
    int64_t cpu = bench_cpu();
    go_sleep(b->n * GO_MS);
    bench_report(b, NULL, (double)(bench_cpu() - cpu) / 1e6, "ms");
}
