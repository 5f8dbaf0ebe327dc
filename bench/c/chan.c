/* SPDX-License-Identifier: MIT */
/* chan.c: messages through channels. */
#include "bench.h"

static void echo(recv_chan(long) in, send_chan(long) out)
{
    chan_for(v, in) {
        chan_send(out, v);
    }
}

static void ping(long times)
{
    chan(long) there = chan_make(long);
    chan(long) back = chan_make(long);
    go(echo, there, back);
    for (long i = 0; i < times; i++) {
        chan_send(there, i);
        if (chan_recv(back) != i) {
            bench_fail("pingpong: wrong value");
        }
    }
    chan_close(there);
}

/* One op: a message to another goroutine and its answer, unbuffered.
 * Parameter: how many pairs do it at once, 1. */
BENCH(pingpong)
{
    long pairs = bench_arg(b, 0, 1);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 1; i < pairs; i++) {
        wg_go(&wg, ping, b->n / pairs);
    }
    ping(b->n / pairs);
    wg_wait(&wg);
    bench_per_op(b, start, b->n / pairs * pairs);
}

static void relay(recv_chan(long) in, send_chan(long) out, send_chan(char) done)
{
    chan_for(left, in) {
        if (left == 0) {
            chan_send(done, 1);
            return;
        }
        chan_send(out, left - 1);
    }
}

/* One op: a token passes from one member of a ring to the next. Parameter: the members, 503. */
BENCH(ring)
{
    long members = bench_arg(b, 0, 503);
    chan(char) done = chan_make(char);
    chan(long) first = chan_make(long);
    chan(long) in = first;
    for (long i = 1; i < members; i++) {
        chan(long) out = chan_make(long);
        go(relay, in, out, done);
        in = out;
    }
    go(relay, in, first, done);
    int64_t start = bench_now();
    chan_send(first, b->n);
    chan_recv(done);
    bench_per_op(b, start, b->n);
}

static void produce(send_chan(long) c, long items, long work)
{
    uint64_t x = 1;
    for (long i = 0; i < items; i++) {
        x = bench_work(x, work);
        chan_send(c, (long)(x & 1));
    }
}

static void consume(recv_chan(long) c, long work, atomic_long *received)
{
    long count = 0;
    uint64_t x = 1;
    chan_for(v, c) {
        x = bench_work(x + (uint64_t)v, work);
        count++;
    }
    atomic_fetch_add(received, count + (x == 0));
}

/* One op: an item through a channel, from many to many.
 * Parameters: capacity 100, producers 1, consumers 1, work on each side 0. */
BENCH(prodcons)
{
    long capacity = bench_arg(b, 0, 100);
    long producers = bench_arg(b, 1, 1);
    long consumers = bench_arg(b, 2, 1);
    long work = bench_arg(b, 3, 0);
    long each = b->n / producers;
    atomic_long received = 0;
    chan(long) c = chan_make(long, (size_t)capacity);
    go_waitgroup senders = { 0 };
    go_waitgroup receivers = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < consumers; i++) {
        wg_go(&receivers, consume, c, work, &received);
    }
    for (long i = 0; i < producers; i++) {
        wg_go(&senders, produce, c, each, work);
    }
    wg_wait(&senders);
    chan_close(c);
    wg_wait(&receivers);
    bench_per_op(b, start, each * producers);
    chan_free(c);
    if (atomic_load(&received) != each * producers) {
        bench_fail("prodcons: %ld items lost", each * producers - atomic_load(&received));
    }
}

static void fill_and_drain(chan(long) c, long own, long times)
{
    if (own) {
        c = chan_make(long, 100);
    }
    for (long i = 0; i < times; i++) {
        for (long k = 0; k < 100; k++) {
            chan_send(c, k);
        }
        for (long k = 0; k < 100; k++) {
            chan_recv(c);
        }
    }
    if (own) {
        chan_free(c);
    }
}

/* One op: one send and one receive, 100 sends then 100 receives at a time, by GOMAXPROCS
 * goroutines. Parameter: 1 when each has a channel of its own, 0 when all share one (Go's
 * BenchmarkChanUncontended and BenchmarkChanContended, per item). */
BENCH(chan_batch)
{
    long own = bench_arg(b, 0, 1);
    long workers = go_maxprocs(0);
    long times = b->n / 100 / workers;
    chan(long) c = chan_make(long, (size_t)(100 * workers));
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, fill_and_drain, c, own, times);
    }
    wg_wait(&wg);
    bench_per_op(b, start, times * 100 * workers);
    chan_free(c);
}

/* One op: a receive that would block, on an empty open channel. */
BENCH(chan_try)
{
    chan(long) c = chan_make(long);
    long v;
    long got = 0;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        got += chan_try_recv(c, &v);
    }
    bench_per_op(b, start, b->n);
    chan_free(c);
    if (got) {
        bench_fail("chan_try: a value out of nowhere");
    }
}

/* One op: a receive from a closed channel. */
BENCH(chan_closed)
{
    chan(long) c = chan_make(long);
    chan_close(c);
    long sum = 0;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        sum += chan_recv(c);
    }
    bench_per_op(b, start, b->n);
    chan_free(c);
    if (sum) {
        bench_fail("chan_closed: a value out of nowhere");
    }
}

/* One op: a channel is made, used once, freed. Parameter: capacity, 8. */
BENCH(chan_make)
{
    size_t capacity = (size_t)bench_arg(b, 0, 8);
    long sum = 0;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        chan(long) c = chan_make(long, capacity);
        chan_send(c, 1);
        sum += chan_recv(c);
        chan_free(c);
    }
    bench_per_op(b, start, b->n);
    if (sum != b->n) {
        bench_fail("chan_make: wrong sum");
    }
}

static void wait_closed(recv_chan(char) gate, atomic_long *arrived, go_waitgroup *wg)
{
    atomic_fetch_add(arrived, 1);
    chan_recv(gate);
    wg_done(wg);
}

/* One op: a goroutine that waits is woken by close and ends. The clock runs from the close until
 * all have ended. Parameter: how many wait, 10000; as many rounds as n needs. */
BENCH(close_broadcast)
{
    long waiters = bench_arg(b, 0, 10000);
    long rounds = (b->n + waiters - 1) / waiters;
    int64_t total = 0;
    for (long r = 0; r < rounds; r++) {
        atomic_long arrived = 0;
        chan(char) gate = chan_make(char);
        go_waitgroup wg = { 0 };
        for (long i = 0; i < waiters; i++) {
            wg_add(&wg, 1);
            go(wait_closed, gate, &arrived, &wg);
        }
        bench_await(&arrived, waiters);
        go_yield();
        int64_t start = bench_now();
        chan_close(gate);
        wg_wait(&wg);
        total += bench_now() - start;
        chan_free(gate);
    }
    bench_report(b, NULL, (double)total / (double)(rounds * waiters), "ns");
}

static void take_tokens(chan(char) tokens, long times)
{
    for (long i = 0; i < times; i++) {
        chan_send(tokens, 1);
        chan_recv(tokens);
    }
}

/* One op: take and give back a token of a channel used as a semaphore of GOMAXPROCS places.
 * Parameter: how many goroutines want one, 10 for each P (Go's BenchmarkChanSem has one). */
BENCH(chan_sem)
{
    long procs = go_maxprocs(0);
    long workers = procs * bench_arg(b, 0, 10);
    chan(char) tokens = chan_make(char, (size_t)procs);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, take_tokens, tokens, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
    chan_free(tokens);
}
