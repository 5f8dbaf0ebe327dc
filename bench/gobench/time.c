/* SPDX-License-Identifier: MIT */
/* time.c: the benchmarks of Go's package time, each beside 32,768 pending timers for each P. What
 * Go leaves to its collector is freed inside the measured time. */
#include "gobench.h"

#include <stdlib.h>

enum { GARBAGE = 1 << 15 };

static void nothing(void)
{
}

static void make_garbage(go_timer **garbage)
{
    for (int i = 0; i < GARBAGE; i++) {
        garbage[i] = go_after_func(GO_HOUR, nothing);
    }
}

static void beside_garbage(struct gobench *b, void (*body)(struct gobench_pb *pb, void *arg))
{
    size_t all = (size_t)go_maxprocs(0) * GARBAGE;
    go_timer **garbage = gobench_alloc(all, sizeof(go_timer *));
    go_waitgroup wg = { 0 };
    for (size_t i = 0; i < all; i += GARBAGE) {
        go_wg_go(&wg, make_garbage, garbage + i);
    }
    go_wg_wait(&wg);
    gobench_reset(b);
    gobench_parallel(b, body, NULL);
    gobench_stop(b);
    for (size_t i = 0; i < all; i++) {
        go_timer_free(garbage[i]);
    }
    free(garbage);
}

/* --- functions after a time */

struct chain {
    long left;
    go_chan(bool) done;
    _Atomic(go_timer *) timer;  /* of the function that runs, which frees it */
};

static void link(struct chain *s)
{
    go_timer *t = atomic_exchange(&s->timer, NULL);
    while (t == NULL) { /* ends: who started us is about to say by which timer */
        go_yield();
        t = atomic_exchange(&s->timer, NULL);
    }
    s->left--;
    if (s->left >= 0) {
        atomic_store(&s->timer, go_after_func(0, link, s));
    } else {
        go_chan_send(s->done, true);
    }
    go_timer_free(t);
}

static void after_func_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    GOBENCH_EACH(pb) {
        struct chain s = { .left = 1000, .done = go_chan_make(bool) };
        atomic_store(&s.timer, go_after_func(0, link, &s));
        go_chan_recv(s.done);
        go_chan_free(s.done);
    }
}

static void after_func(struct gobench *b)
{
    beside_garbage(b, after_func_body);
}

static void simultaneous_body(struct gobench_pb *pb, void *arg)
{
    enum { N = 1000 };
    (void)arg;
    go_timer **timers = gobench_alloc(N, sizeof(go_timer *));
    GOBENCH_EACH(pb) {
        go_waitgroup wg = { 0 };
        go_wg_add(&wg, N);
        for (int i = 0; i < N; i++) {
            timers[i] = go_after_func(0, go_wg_done, &wg);
        }
        go_wg_wait(&wg);
        for (int i = 0; i < N; i++) {
            go_timer_free(timers[i]);
        }
    }
    free(timers);
}

static void simultaneous(struct gobench *b)
{
    beside_garbage(b, simultaneous_body);
}

/* --- channels after a time */

static void after_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    GOBENCH_EACH(pb) {
        go_recv_chan(go_time) c = go_after(1);
        go_chan_recv(c);
        go_chan_free(c);
    }
}

static void after(struct gobench *b)
{
    beside_garbage(b, after_body);
}

/* --- stop and reset */

static void stop_chan_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    GOBENCH_EACH(pb) {
        go_timer *t = go_timer_make(GO_SEC);
        go_timer_stop(t);
        go_timer_free(t);
    }
}

static void stop_func_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    GOBENCH_EACH(pb) {
        go_timer *t = go_after_func(GO_SEC, nothing);
        go_timer_stop(t);
        go_timer_free(t);
    }
}

static void stop(struct gobench *b)
{
    beside_garbage(b, b->arg[0] ? stop_func_body : stop_chan_body);
}

static void start_stop_body(struct gobench_pb *pb, void *arg)
{
    enum { N = 1000 };
    (void)arg;
    go_timer **timers = gobench_alloc(N, sizeof(go_timer *));
    GOBENCH_EACH(pb) {
        for (int i = 0; i < N; i++) {
            timers[i] = go_after_func(GO_HOUR, nothing);
        }
        for (int i = 0; i < N; i++) {
            go_timer_stop(timers[i]);
            go_timer_free(timers[i]);
        }
    }
    free(timers);
}

static void start_stop(struct gobench *b)
{
    beside_garbage(b, start_stop_body);
}

static void reset_chan_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    go_timer *t = go_timer_make(GO_HOUR);
    GOBENCH_EACH(pb) {
        go_timer_reset(t, GO_HOUR);
    }
    go_timer_free(t);
}

static void reset_func_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    go_timer *t = go_after_func(GO_HOUR, nothing);
    GOBENCH_EACH(pb) {
        go_timer_reset(t, GO_HOUR);
    }
    go_timer_free(t);
}

static void reset(struct gobench *b)
{
    beside_garbage(b, b->arg[0] ? reset_func_body : reset_chan_body);
}

static void adjust_body(struct gobench_pb *pb, void *arg)
{
    enum { N = 10000 };
    (void)arg;
    go_timer **timers = gobench_alloc(N, sizeof(go_timer *));
    GOBENCH_EACH(pb) {
        for (int i = 0; i < N; i++) {
            timers[i] = go_after_func(GO_HOUR, nothing);
        }
        go_timer_reset(timers[N - 1], 1);
        go_sleep(GO_US);
        for (int i = 0; i < N; i++) {
            go_timer_stop(timers[i]);
            go_timer_free(timers[i]);
        }
    }
    free(timers);
}

static void adjust(struct gobench *b)
{
    beside_garbage(b, adjust_body);
}

/* --- sleep */

static void nap(go_waitgroup *wg)
{
    go_sleep(1);
    go_wg_done(wg);
}

static void sleep_body(struct gobench_pb *pb, void *arg)
{
    enum { N = 1000 };
    (void)arg;
    GOBENCH_EACH(pb) {
        go_waitgroup wg = { 0 };
        go_wg_add(&wg, N);
        for (int i = 0; i < N; i++) {
            go_spawn(nap, &wg);
        }
        go_wg_wait(&wg);
    }
}

static void sleep(struct gobench *b)
{
    beside_garbage(b, sleep_body);
}

/* --- tickers */

static void ticker_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    go_ticker *t = go_ticker_make(1);
    GOBENCH_EACH(pb) {
        go_chan_recv(go_ticker_c(t));
    }
    go_ticker_free(t);
}

static void ticker(struct gobench *b)
{
    beside_garbage(b, ticker_body);
}

static void ticker_reset_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    go_ticker *t = go_ticker_make(1);
    GOBENCH_EACH(pb) {
        go_ticker_reset(t, 2);
    }
    go_ticker_free(t);
}

static void ticker_reset(struct gobench *b)
{
    beside_garbage(b, ticker_reset_body);
}

static void ticker_naive_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    go_ticker *t = go_ticker_make(1);
    GOBENCH_EACH(pb) {
        go_ticker_free(t);
        t = go_ticker_make(2);
    }
    go_ticker_free(t);
}

static void ticker_naive(struct gobench *b)
{
    beside_garbage(b, ticker_naive_body);
}

const struct gobench_row gobench_time[] = {
    { "AfterFunc1000", after_func, { 0 } },
    { "After", after, { 0 } },
    { "Stop/impl=chan", stop, { 0 } },
    { "Stop/impl=func", stop, { 1 } },
    { "SimultaneousAfterFunc1000", simultaneous, { 0 } },
    { "StartStop1000", start_stop, { 0 } },
    { "Reset/impl=chan", reset, { 0 } },
    { "Reset/impl=func", reset, { 1 } },
    { "Sleep1000", sleep, { 0 } },
    { "AdjustTimers10000", adjust, { 0 } },
    { "Ticker", ticker, { 0 } },
    { "TickerReset", ticker_reset, { 0 } },
    { "TickerResetNaive", ticker_naive, { 0 } },
    { NULL, NULL, { 0 } },
};
