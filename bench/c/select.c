/* SPDX-License-Identifier: MIT */
/* select.c: waiting for several channels. */
#include "bench.h"

static void send_all(send_chan(long) c, long times)
{
    for (long i = 0; i < times; i++) {
        chan_send(c, 1);
    }
}

static long receive_2(chan(long) *c, long times)
{
    long sum = 0;
    long v = 0;
    for (long i = 0; i < times; i++) {
        switch (chan_select(recv(c0, c[0], &v), recv(c1, c[1], &v))) {
        case c0:
        case c1:
            sum += v;
            break;
        }
    }
    return sum;
}

static long receive_4(chan(long) *c, long times)
{
    long sum = 0;
    long v = 0;
    for (long i = 0; i < times; i++) {
        switch (chan_select(recv(c0, c[0], &v), recv(c1, c[1], &v), recv(c2, c[2], &v),
                            recv(c3, c[3], &v))) {
        case c0:
        case c1:
        case c2:
        case c3:
            sum += v;
            break;
        }
    }
    return sum;
}

static long receive_8(chan(long) *c, long times)
{
    long sum = 0;
    long v = 0;
    for (long i = 0; i < times; i++) {
        switch (chan_select(recv(c0, c[0], &v), recv(c1, c[1], &v), recv(c2, c[2], &v),
                            recv(c3, c[3], &v), recv(c4, c[4], &v), recv(c5, c[5], &v),
                            recv(c6, c[6], &v), recv(c7, c[7], &v))) {
        case c0:
        case c1:
        case c2:
        case c3:
        case c4:
        case c5:
        case c6:
        case c7:
            sum += v;
            break;
        }
    }
    return sum;
}

/* One op: one goroutine receives by select, each of the unbuffered channels has a sender.
 * Parameter: how many channels, 4 (2, 4 or 8). */
BENCH(select_recv)
{
    long ways = bench_arg(b, 0, 4);
    long times = b->n / ways;
    chan(long) c[8];
    for (long i = 0; i < ways; i++) {
        c[i] = chan_make(long);
        go(send_all, c[i], times);
    }
    int64_t start = bench_now();
    long sum = 0;
    switch (ways) {
    case 2:
        sum = receive_2(c, times * ways);
        break;
    case 4:
        sum = receive_4(c, times * ways);
        break;
    case 8:
        sum = receive_8(c, times * ways);
        break;
    default:
        bench_fail("select_recv: 2, 4 or 8 channels");
    }
    bench_per_op(b, start, times * ways);
    if (sum != times * ways) {
        bench_fail("select_recv: wrong sum");
    }
}

/* One op: a select over two empty channels with a default. */
BENCH(select_default)
{
    chan(long) c[2] = { chan_make(long), chan_make(long) };
    long idle = 0;
    long v;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        switch (chan_select(recv(left, c[0], &v), recv(right, c[1], &v), default)) {
        case left:
        case right:
            break;
        default:
            idle++;
        }
    }
    bench_per_op(b, start, b->n);
    if (idle != b->n) {
        bench_fail("select_default: a value out of nowhere");
    }
}

static void toss(long times)
{
    chan(long) left = chan_make(long, 1);
    chan(long) right = chan_make(long, 1);
    long v;
    chan_send(left, 1);
    for (long i = 0; i < times; i++) {
        switch (chan_select(recv(from_left, left, &v), recv(from_right, right, &v))) {
        case from_left:
            chan_send(right, v);
            break;
        case from_right:
            chan_send(left, v);
            break;
        }
    }
    chan_free(left);
    chan_free(right);
}

/* One op: a select over two buffered channels one of which is ready, and a send; GOMAXPROCS
 * goroutines, each with channels of its own (Go's BenchmarkSelectUncontended). */
BENCH(select_ready)
{
    long workers = go_maxprocs(0);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, toss, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
}

struct shared {
    chan(long) c[3];
    chan(char) done;
};

static void offer(struct shared *s)
{
    for (;;) {
        switch (chan_select(send(s0, s->c[0], 0), send(s1, s->c[1], 0), send(s2, s->c[2], 0),
                            recv(stop, s->done))) {
        case s0:
        case s1:
        case s2:
            break;
        case stop:
            return;
        }
    }
}

static void accept_any(struct shared *s, long times)
{
    long v;
    for (long i = 0; i < times; i++) {
        switch (chan_select(recv(r0, s->c[0], &v), recv(r1, s->c[1], &v), recv(r2, s->c[2], &v))) {
        case r0:
        case r1:
        case r2:
            break;
        }
    }
}

/* One op: GOMAXPROCS pairs meet by select on three shared unbuffered channels, four cases on the
 * sending side and three on the receiving (Go's BenchmarkSelectSyncContended). */
BENCH(select_sync)
{
    long workers = go_maxprocs(0);
    struct shared s = { { chan_make(long), chan_make(long), chan_make(long) }, chan_make(char) };
    go_waitgroup receivers = { 0 };
    go_waitgroup senders = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&senders, offer, &s);
        wg_go(&receivers, accept_any, &s, b->n / workers);
    }
    wg_wait(&receivers);
    chan_close(s.done);
    wg_wait(&senders);
    bench_per_op(b, start, b->n / workers * workers);
}

static void toss_shared(chan(long) left, chan(long) right, long times)
{
    long v;
    chan_send(left, 1);
    for (long i = 0; i < times; i++) {
        switch (chan_select(recv(from_left, left, &v), recv(from_right, right, &v))) {
        case from_left:
            chan_send(right, v);
            break;
        case from_right:
            chan_send(left, v);
            break;
        }
    }
}

/* One op: as select_ready, but all goroutines share the two channels, which hold GOMAXPROCS
 * values (Go's BenchmarkSelectAsyncContended). */
BENCH(select_async)
{
    long workers = go_maxprocs(0);
    chan(long) left = chan_make(long, (size_t)workers);
    chan(long) right = chan_make(long, (size_t)workers);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, toss_shared, left, right, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
}

static void feed(send_chan(long) out, recv_chan(char) quit, long times)
{
    for (long i = 0; i < times; i++) {
        switch (chan_select(send(sent, out, 1), recv(stop, quit))) {
        case sent:
            break;
        case stop:
            return;
        }
    }
}

/* One op: an item from one of many producers, each of which selects between the shared channel
 * and a quit channel. Parameters: producers 64, capacity 0. */
BENCH(select_fanin)
{
    long producers = bench_arg(b, 0, 64);
    long each = b->n / producers;
    chan(long) all = chan_make(long, (size_t)bench_arg(b, 1, 0));
    chan(char) quit = chan_make(char);
    for (long i = 0; i < producers; i++) {
        go(feed, all, quit, each);
    }
    long sum = 0;
    int64_t start = bench_now();
    for (long i = 0; i < each * producers; i++) {
        sum += chan_recv(all);
    }
    bench_per_op(b, start, each * producers);
    if (sum != each * producers) {
        bench_fail("select_fanin: wrong sum");
    }
}

static void listen_popular(recv_chan(char) popular, chan(char) own, atomic_long *ready)
{
    atomic_fetch_add(ready, 1);
    for (;;) {
        switch (chan_select(recv(mine, own), recv(ended, popular))) {
        case mine:
            break;
        case ended:
            return;
        }
    }
}

/* One op: a message to one of many goroutines that all select between a channel of their own and
 * one popular channel (Go's BenchmarkChanPopular). Parameter: the goroutines, 1000. */
BENCH(select_popular)
{
    long members = bench_arg(b, 0, 1000);
    long rounds = b->n / members;
    atomic_long ready = 0;
    chan(char) popular = chan_make(char);
    chan(char) *own = bench_alloc((size_t)members, sizeof(*own));
    go_waitgroup wg = { 0 };
    for (long i = 0; i < members; i++) {
        own[i] = chan_make(char);
        wg_go(&wg, listen_popular, popular, own[i], &ready);
    }
    bench_await(&ready, members);
    int64_t start = bench_now();
    for (long r = 0; r < rounds; r++) {
        for (long i = 0; i < members; i++) {
            chan_send(own[i], 1);
        }
    }
    bench_per_op(b, start, rounds * members);
    chan_close(popular);
    wg_wait(&wg);
}
