/* SPDX-License-Identifier: MIT */
/* parked.c: what a goroutine costs that waits. */
#include "bench.h"

static atomic_long arrived;

static void parked(recv_chan(char) gate, go_waitgroup *wg)
{
    atomic_fetch_add(&arrived, 1);
    chan_recv(gate);
    wg_done(wg);
}

/* n goroutines receive from one channel. Reports the time to start and park one, the bytes one
 * takes (resident memory and page tables), and the time to wake one and see it end after close. */
BENCH(parked)
{
    chan(char) gate = chan_make(char);
    go_waitgroup wg = { 0 };
    long before = bench_memory();
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        wg_add(&wg, 1);
        go(parked, gate, &wg);
    }
    bench_await(&arrived, b->n);
    go_yield();
    bench_report(b, "spawn", (double)(bench_now() - start) / (double)b->n, "ns");
    bench_report(b, "bytes", (double)(bench_memory() - before) / (double)b->n, "B");
    start = bench_now();
    chan_close(gate);
    wg_wait(&wg);
    bench_report(b, "wake", (double)(bench_now() - start) / (double)b->n, "ns");
    chan_free(gate);
}

/* Until what the process has in memory is no longer falling. */
static void settle(void)
{
    long last = bench_memory();
    for (int same = 0; same < 3;) { /* ends: memory cannot fall for ever */
        go_sleep(500 * GO_MS);
        long now = bench_memory();
        same = now < last - last / 100 ? 0 : same + 1;
        last = now;
    }
}

/* The same goroutines after some seconds, when those that wait for a second give back what they
 * can. Go has nothing of the kind. */
BENCH(hibernated)
{
    chan(char) gate = chan_make(char);
    go_waitgroup wg = { 0 };
    long before = bench_memory();
    go_hibernate_after(GO_SEC);
    for (long i = 0; i < b->n; i++) {
        wg_add(&wg, 1);
        go(parked, gate, &wg);
    }
    bench_await(&arrived, b->n);
    settle();
    bench_report(b, "bytes", (double)(bench_memory() - before) / (double)b->n, "B");
    int64_t start = bench_now();
    chan_close(gate);
    wg_wait(&wg);
    bench_report(b, "wake", (double)(bench_now() - start) / (double)b->n, "ns");
    chan_free(gate);
}

static void parked_on_own(recv_chan(char) own, chan(char) done)
{
    chan_recv(own);
    chan_send(done, 1);
}

/* n goroutines, each on a channel of its own, then one message to each.
 * One op: make channel, start, park, send, end, free. */
BENCH(parked_own)
{
    chan(char) *own = bench_alloc((size_t)b->n, sizeof(*own));
    chan(char) done = chan_make(char, 100);
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        own[i] = chan_make(char);
        go(parked_on_own, own[i], done);
    }
    for (long i = 0; i < b->n; i++) {
        chan_send(own[i], 1);
        chan_recv(done);
        chan_free(own[i]);
    }
    bench_per_op(b, start, b->n);
    chan_free(done);
}
