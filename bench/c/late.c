/* SPDX-License-Identifier: MIT */
/* late.c: how late a goroutine runs after what it waited for. */
#include "bench.h"

static atomic_bool quit;

/* A goroutine that computes and never enters the runtime. */
static void hog(void)
{
    uint64_t x = 1;
    while (!atomic_load_explicit(&quit, memory_order_relaxed)) {
        x = bench_work(x, 100);
    }
    if (x == 0) {
        bench_fail("hog: work undone");
    }
}

/* A goroutine that computes for 100 microseconds or so and yields. */
static void polite(void)
{
    uint64_t x = 1;
    while (!atomic_load_explicit(&quit, memory_order_relaxed)) {
        x = bench_work(x, 50000);
        go_yield();
    }
    if (x == 0) {
        bench_fail("polite: work undone");
    }
}

/* Load 0: none. 1: two hogs for each P. 2: two polite computations for each P. */
static void start_load(long load)
{
    for (int i = 0; load && i < 2 * go_maxprocs(0); i++) {
        if (load == 1) {
            go(hog);
        } else {
            go(polite);
        }
    }
}

static void sleep_and_look(int64_t *late, long times)
{
    for (long i = 0; i < times; i++) {
        int64_t due = bench_now() + GO_MS;
        go_sleep(GO_MS);
        late[i] = bench_now() - due;
    }
}

/* How late a sleep of 1 ms ends, n samples in all.
 * Parameters: goroutines that sleep 10, load 0 (see above). */
BENCH(timer_late)
{
    long sleepers = bench_arg(b, 0, 10);
    long each = b->n / sleepers;
    int64_t *late = bench_alloc((size_t)(each * sleepers), sizeof(*late));
    start_load(bench_arg(b, 1, 0));
    go_waitgroup wg = { 0 };
    for (long i = 0; i < sleepers; i++) {
        wg_go(&wg, sleep_and_look, late + i * each, each);
    }
    wg_wait(&wg);
    atomic_store(&quit, true);
    bench_percentiles(b, late, each * sleepers);
}

static void note_arrival(recv_chan(int64_t) sent, chan(char) back, int64_t *late, long times)
{
    for (long i = 0; i < times; i++) {
        int64_t then = chan_recv(sent);
        late[i] = bench_now() - then;
        chan_send(back, 1);
    }
}

/* How long after a send a goroutine that waited in receive runs; n samples, one every 200
 * microseconds. The sender does not give way after the send but computes on for a while, so that
 * with two Ps the other one should take the receiver.
 * Parameters: load 0 (see above), microseconds of computing 500. */
BENCH(wake_late)
{
    int64_t *late = bench_alloc((size_t)b->n, sizeof(*late));
    int64_t busy = bench_arg(b, 1, 500) * 1000;
    chan(int64_t) sent = chan_make(int64_t, 1);
    chan(char) back = chan_make(char);
    go(note_arrival, sent, back, late, b->n);
    start_load(bench_arg(b, 0, 0));
    for (long i = 0; i < b->n; i++) {
        go_sleep(200 * GO_US);
        int64_t start = bench_now();
        chan_send(sent, start);
        while (bench_now() - start < busy) {
        }
        chan_recv(back);
    }
    atomic_store(&quit, true);
    bench_percentiles(b, late, b->n);
}
