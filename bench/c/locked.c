/* SPDX-License-Identifier: MIT */
/* locked.c: messages that must cross from one thread to another. */
#include "bench.h"

static void echo_locked(recv_chan(long) in, send_chan(long) out)
{
    go_lock_thread();
    chan_for(v, in) {
        chan_send(out, v);
    }
}

/* One op: an unbuffered round trip between two goroutines, each locked to a thread of its own. */
BENCH(pingpong_locked)
{
    chan(long) there = chan_make(long);
    chan(long) back = chan_make(long);
    go(echo_locked, there, back);
    go_lock_thread();
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        chan_send(there, i);
        if (chan_recv(back) != i) {
            bench_fail("pingpong_locked: wrong value");
        }
    }
    bench_per_op(b, start, b->n);
    chan_close(there);
}
