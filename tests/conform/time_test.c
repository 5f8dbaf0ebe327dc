/* SPDX-License-Identifier: MIT */
/* Sleeping, timers and tickers. Time passes here, but nothing depends on how much: what must have
 * happened is waited for, and what must not happen is an hour away or has been stopped. */
#include "conform.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

typedef recv_chan(go_time) tick_chan;

static bool no_tick(tick_chan c) { return !chan_try_recv(c, (go_time *)NULL); }

/* Lets time pass on the clock while others run. */
static void pass(go_duration d)
{
    go_time until = go_now() + d;
    while (go_now() < until) {
        go_yield();
    }
}
static void count_one(int *n) { add(n, 1); }
static void await(const int *n, int wanted)
{
    while (get(n) < wanted) {
        go_yield();
    }
}

/* ---- time/sleep_test.go ---- */

CASE(time, sleep_is_not_too_short, "time/sleep_test.go TestSleep")
{
    go_time start = go_now();
    go_sleep(20 * GO_MS);
    EXPECT_INT(go_since(start), >=, 20 * GO_MS);
}

CASE(time, interrupted_sleep_is_not_too_short, "time/sleep_test.go TestSleep")
{
    go_time start = go_now();
    go_do(start) {
        while (go_since(start) < 10 * GO_MS) {
            go_yield();
        }
    };
    go_sleep(20 * GO_MS);
    EXPECT_INT(go_since(start), >=, 20 * GO_MS);
}

CASE(time, sleep_of_nothing_returns, "time/sleep_test.go TestSleepZeroDeadlock")
{
    chan(bool) c = chan_make(bool);
    go_do(c) {
        for (int i = 0; i < 1000; i++) {
            go_sleep(0);
            go_sleep(1);
            go_sleep(-1);
        }
        chan_send(c, true);
    };
    (void)chan_recv(c);
    await_count(1);
    chan_free(c);
}

CASE(time, sleep_for_ever_does_not_overflow, "time/sleep_test.go TestOverflowSleep")
{
    tick_chan c = go_after(INT64_MAX);
    tick_chan past = go_after(INT64_MIN);
    EXPECT(chan_recv(past) > 0);
    EXPECT(no_tick(c));
    go(go_sleep, INT64_MAX);
    await_parked(1, "sleep");
    leave_blocked();
    chan_free(c);
    chan_free(past);
}

CASE(time, timer_for_ever_leaves_the_others_running, "time/sleep_test.go TestIssue5745")
{
    go_timer *never = go_timer_make(INT64_MAX);
    int fired = 0;
    go_timer *soon = go_after_func(1, count_one, &fired);
    await(&fired, 1);
    EXPECT(timer_stop(never));
    timer_free(never);
    timer_free(soon);
}

static int rounds;
static go_timer *again;
static chan(bool) over;
static void call_again(int *left)
{
    if (add(left, -1) >= 0) {
        (void)timer_reset(again, 0);
    } else {
        chan_send(over, true);
    }
}

CASE(time, function_starts_its_own_timer_again, "time/sleep_test.go TestAfterFunc")
{
    rounds = 10;
    over = chan_make(bool);
    again = go_timer_make(0);
    timer_free(again);
    again = go_after_func(GO_HOUR, call_again, &rounds);
    (void)timer_reset(again, 0);
    (void)chan_recv(over);
    EXPECT_EQ_INT(get(&rounds), -1);
    await_count(1);
    timer_free(again);
    chan_free(over);
}

CASE(time, ticker_runs_beside_a_storm_of_timers, "time/sleep_test.go TestTickerStress")
{
    int stop = 0;
    int *flag = &stop;
    go_do(flag) {
        while (get(flag) == 0) {
            void *p = malloc(1000);
            go_yield();
            free(p);
        }
    };
    go_ticker *t = go_ticker_make(1);
    for (int i = 0; i < 100; i++) {
        (void)chan_recv(ticker_c(t));
    }
    ticker_stop(t);
    set(&stop, 1);
    await_count(1);
    ticker_free(t);
}

static void take_ticks(go_ticker *t, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_recv(ticker_c(t));
    }
}

CASE(time, ticker_read_by_many, "time/sleep_test.go TestTickerConcurrentStress")
{
    go_ticker *t = go_ticker_make(1);
    go_waitgroup wg = {0};
    for (int i = 0; i < 10; i++) {
        wg_go(&wg, take_ticks, t, (int)test_iterations(100));
    }
    wg_wait(&wg);
    ticker_stop(t);
    ticker_free(t);
}

static int starving;
static int after_stop;
static go_timer *starver;
static void keep_going(void)
{
    if (get(&after_stop) == 0) {
        add(&starving, 1);
        (void)timer_reset(starver, 1);
    }
}

CASE(time, function_of_one_nanosecond_starves_nobody, "time/sleep_test.go TestAfterFuncStarvation")
{
    starver = go_after_func(GO_HOUR, keep_going);
    (void)timer_reset(starver, 1);
    int stopped = 0;
    go_timer *end = go_after_func(10 * GO_MS, count_one, &stopped);
    await(&stopped, 1);
    await(&starving, 100);
    set(&after_stop, 1);
    await_count(1);
    timer_free(starver);
    timer_free(end);
}

CASE(time, after_gives_its_time, "time/sleep_test.go TestAfter")
{
    go_time start = go_now();
    tick_chan c = go_after(10 * GO_MS);
    go_time end = chan_recv(c);
    EXPECT_INT(go_since(start), >=, 10 * GO_MS);
    EXPECT_INT(end, >=, start + 10 * GO_MS);
    chan_free(c);
}

CASE(time, after_in_a_loop_is_not_too_short, "time/sleep_test.go TestAfterTick")
{
    go_time start = go_now();
    for (int i = 0; i < 10; i++) {
        tick_chan c = go_after(2 * GO_MS);
        (void)chan_recv(c);
        chan_free(c);
    }
    EXPECT_INT(go_since(start), >=, 20 * GO_MS);
}

CASE(time, stop_prevents_the_function, "time/sleep_test.go TestAfterStop")
{
    int early = 0;
    int late = 0;
    go_timer *a = go_after_func(GO_HOUR, count_one, &early);
    go_timer *b = go_after_func(1, count_one, &late);
    EXPECT(timer_stop(a));
    EXPECT(!timer_stop(a));
    await(&late, 1);
    EXPECT(!timer_stop(b));
    EXPECT_EQ_INT(get(&early), 0);
    await_count(1);
    timer_free(a);
    timer_free(b);
}

CASE(time, stop_prevents_the_value, "time/sleep_test.go TestAfterStop")
{
    go_timer *t = go_timer_make(GO_HOUR);
    EXPECT(timer_stop(t));
    EXPECT(!timer_stop(t));
    EXPECT(no_tick(timer_c(t)));
    timer_free(t);
}

static void await_slot(int slot, go_duration d, chan(int) done)
{
    tick_chan c = go_after(d);
    (void)chan_recv(c);
    chan_free(c);
    chan_send(done, slot);
}

CASE(time, earlier_timers_come_first, "time/sleep_test.go TestAfterQueuing")
{
    static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
    enum { N = sizeof slots / sizeof slots[0] };
    int bad = 1;
    /* Two goroutines that were woken in order may speak out of order, but not if there is time
     * enough between them. */
    for (int attempt = 1; attempt <= 128 && bad; attempt *= 2) {
        chan(int) done = chan_make(int, N);
        bad = 0;
        for (int i = 0; i < N; i++) {
            go(await_slot, slots[i], slots[i] * attempt * GO_MS, done);
        }
        for (int i = 0, last = -1; i < N; i++) {
            int slot = chan_recv(done);
            bad |= slot < last;
            last = slot;
        }
        await_count(1);
        chan_free(done);
    }
    EXPECT_EQ_INT(bad, 0);
}

static void make_and_stop(int n)
{
    for (int i = 0; i < n; i++) {
        int fired = 0;
        go_timer *t = go_after_func(GO_HOUR, count_one, &fired);
        go_yield();
        EXPECT(timer_stop(t));
        timer_free(t);
        EXPECT_EQ_INT(get(&fired), 0);
    }
}

CASE(time, started_and_stopped_by_many, "time/sleep_test.go TestTimerStopStress")
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, make_and_stop, 10);
    }
    wg_wait(&wg);
}

CASE(time, reset_says_whether_it_was_running, "time/sleep_test.go TestReset")
{
    go_timer *t = go_timer_make(GO_HOUR);
    EXPECT(timer_reset(t, 2 * GO_HOUR));
    EXPECT(no_tick(timer_c(t)));
    EXPECT(timer_reset(t, 1));
    (void)chan_recv(timer_c(t));
    EXPECT(!timer_reset(t, 1));
    (void)chan_recv(timer_c(t));
    EXPECT(!timer_stop(t));
    timer_free(t);
}

CASE(time, reset_of_a_function_timer_runs_it_again, "time/sleep_test.go TestReset")
{
    int fired = 0;
    go_timer *t = go_after_func(1, count_one, &fired);
    await(&fired, 1);
    EXPECT(!timer_reset(t, 1));
    await(&fired, 2);
    EXPECT(!timer_reset(t, GO_HOUR));
    EXPECT(timer_stop(t));
    EXPECT_EQ_INT(get(&fired), 2);
    timer_free(t);
}

CASE(time, moved_earlier_it_fires_earlier, "time/sleep_test.go TestTimerModifiedEarlier")
{
    for (int i = 0; i < 20; i++) {
        go_timer *t = go_timer_make(GO_HOUR);
        (void)timer_reset(t, 2 * GO_MS);
        go_time start = go_now();
        (void)chan_recv(timer_c(t));
        EXPECT_INT(go_since(start), <, GO_MIN);
        timer_free(t);
    }
}

CASE(time, many_moved_and_stopped_leave_the_right_ones, "time/sleep_test.go TestAdjustTimers")
{
    enum { N = 100 };
    go_timer *t[N];
    int fired[N] = {0};
    for (int i = 0; i < N; i++) {
        t[i] = go_after_func(GO_HOUR + i * GO_MS, count_one, &fired[i]);
    }
    for (int i = 0; i < N; i++) {
        if (i % 4 == 0) {
            EXPECT(timer_stop(t[i]));
        } else if (i % 4 == 1) {
            EXPECT(timer_reset(t[i], GO_US * (N - i)));
        } else if (i % 4 == 2) {
            EXPECT(timer_reset(t[i], 2 * GO_HOUR));
        }
    }
    for (int i = 1; i < N; i += 4) {
        await(&fired[i], 1);
    }
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(get(&fired[i]), i % 4 == 1);
        EXPECT_EQ_INT(timer_stop(t[i]), i % 4 >= 2);
        timer_free(t[i]);
    }
}

static void two_timers(int n, bool by_stop)
{
    for (int i = 0; i < n; i++) {
        go_timer *a = go_timer_make(200 * GO_US);
        go_timer *b = go_timer_make(200 * GO_US);
        go_timer *other = NULL;
        switch (chan_select(recv(first, timer_c(a)), recv(second, timer_c(b)))) {
        case first: other = b; break;
        case second: other = a; break;
        }
        /* Either it was stopped in time, or its value is there: never neither. */
        bool stopped = by_stop ? timer_stop(other) : timer_reset(other, GO_HOUR);
        if (!stopped) {
            FAIL("the value of an unread timer was lost");
        }
        timer_free(a);
        timer_free(b);
    }
}

static void race_two_timers(bool by_stop)
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 50; i++) {
        wg_go(&wg, two_timers, 20, by_stop);
    }
    wg_wait(&wg);
}

CASE(time, result_of_stop_is_right_in_a_race, "time/sleep_test.go TestStopResult")
{
    race_two_timers(true);
}

CASE(time, result_of_reset_is_right_in_a_race, "time/sleep_test.go TestResetResult")
{
    race_two_timers(false);
}

static void tick_or_after(go_ticker *t, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_select(recv(tick, ticker_c(t)), after(late, GO_MS));
    }
}

CASE(time, ticker_with_many_in_select, "time/sleep_test.go TestMultiWakeupTicker")
{
    go_ticker *t = go_ticker_make(GO_US);
    go_waitgroup wg = {0};
    for (int i = 0; i < go_maxprocs(0); i++) {
        wg_go(&wg, tick_or_after, t, (int)test_iterations(500));
    }
    wg_wait(&wg);
    ticker_free(t);
}

static void poll_and_reset(go_timer *t, int n)
{
    for (int i = 0; i < n; i++) {
        (void)chan_try_recv(timer_c(t), (go_time *)NULL);
        (void)timer_reset(t, 1);
    }
}

CASE(time, timer_polled_and_reset_by_many, "time/sleep_test.go TestMultiWakeupTimer")
{
    go_timer *t = go_timer_make(1);
    go_waitgroup wg = {0};
    for (int i = 0; i < go_maxprocs(0); i++) {
        wg_go(&wg, poll_and_reset, t, (int)test_iterations(2000));
    }
    wg_wait(&wg);
    timer_free(t);
}

CASE(time, timer_of_no_time_fires_at_once, "time/sleep_test.go TestZeroTimer")
{
    go_timer *again_and_again = go_timer_make(GO_HOUR);
    int fired = 0;
    go_timer *f = go_after_func(GO_HOUR, count_one, &fired);
    int n = (int)test_iterations(3000);
    for (int i = 1; i <= n; i++) {
        go_timer *t = go_timer_make(0);
        (void)chan_recv(timer_c(t));
        timer_free(t);
        (void)timer_reset(again_and_again, 0);
        (void)chan_recv(timer_c(again_and_again));
        (void)timer_reset(f, 0);
        await(&fired, i);
    }
    timer_free(f);
    timer_free(again_and_again);
}

CASE(time, stop_of_no_timer_panics, "time/sleep_test.go TestZeroTimerStopPanics")
{
    EXPECT_EQ_STR(PANIC_OF(go_timer_stop, NULL), "time: Stop called on uninitialized Timer");
}

CASE(time, reset_of_no_timer_panics, "time/sleep_test.go TestZeroTimerResetPanics")
{
    EXPECT_EQ_STR(PANIC_OF(go_timer_reset, NULL, 1),
                  "time: Reset called on uninitialized Timer");
    EXPECT_EQ_STR(PANIC_OF(go_ticker_reset, NULL, 1),
                  "time: Reset called on uninitialized Ticker");
}

/* A thread of the program's own, which the library does not know. */
static int done_sleeping;
static void on_signal(int number) { (void)number; }
static void *send_signals(void *arg)
{
    while (get(&done_sleeping) == 0) {
        (void)kill(getpid(), SIGIO);
        struct timespec pause = {.tv_nsec = 200 * 1000};
        (void)nanosleep(&pause, NULL);
    }
    return arg;
}

CASE(time, signals_do_not_prolong_or_shorten_a_sleep,
     "runtime/semasleep_test.go TestSpuriousWakeupsNeverHangSemasleep")
{
    struct sigaction a = {.sa_handler = on_signal};
    pthread_t thread;
    REQUIRE_EQ_INT(sigaction(SIGIO, &a, NULL), 0);
    REQUIRE_EQ_INT(pthread_create(&thread, NULL, send_signals, NULL), 0);
    go_time start = go_now();
    go_sleep(30 * GO_MS);
    EXPECT_INT(go_since(start), >=, 30 * GO_MS);
    chan(int) never = chan_make(int);
    int v;
    start = go_now();
    EXPECT_EQ_INT(chan_recv_until(never, &v, start + 30 * GO_MS), -ETIMEDOUT);
    EXPECT_INT(go_since(start), >=, 30 * GO_MS);
    set(&done_sleeping, 1);
    (void)pthread_join(thread, NULL);
    chan_free(never);
}

/* ---- time/tick_test.go ---- */

/* Ticks at d, then at 2d: the time that they took, in per cent of what they should. */
static int pace(int n, go_duration d)
{
    go_time start = go_now();
    go_ticker *t = go_ticker_make(d);
    for (int i = 0; i < n / 2; i++) {
        (void)chan_recv(ticker_c(t));
    }
    ticker_reset(t, 2 * d);
    for (int i = 0; i < n / 2; i++) {
        (void)chan_recv(ticker_c(t));
    }
    ticker_stop(t);
    go_duration took = go_since(start);
    pass(2 * d);
    EXPECT(no_tick(ticker_c(t)));
    ticker_free(t);
    return (int)(took * 100 / (n / 2 * 3 * d));
}

/* As in Go: within 30 per cent, and when the machine is busy, again with longer intervals. A ticker
 * of the wrong pace fails all of them. */
CASE(ticker, keeps_its_pace, "time/tick_test.go TestTicker")
{
    static const go_duration tries[] = {2 * GO_MS,  5 * GO_MS,  10 * GO_MS,
                                        30 * GO_MS, 80 * GO_MS, 200 * GO_MS};
    int per_cent = 0;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        per_cent = pace(10, tries[i]);
        EXPECT_INT(per_cent, >=, 70);
        if (per_cent <= 130) {
            return;
        }
    }
    EXPECT_INT(per_cent, <=, 130);
}

CASE(ticker, stop_twice, "time/tick_test.go TestTickerStopWithDirectInitialization")
{
    go_ticker *t = go_ticker_make(GO_HOUR);
    ticker_stop(t);
    ticker_stop(t);
    EXPECT(no_tick(ticker_c(t)));
    ticker_free(t);
}

CASE(ticker, stop_of_no_ticker_does_nothing, "time/tick_test.go TestManualTicker")
{
    ticker_stop(NULL);
    ticker_free(NULL);
    timer_free(NULL);
}

CASE(ticker, made_and_freed_at_once, "time/tick_test.go TestTeardown")
{
    for (int i = 0; i < 3; i++) {
        go_ticker *t = go_ticker_make(20 * GO_MS);
        (void)chan_recv(ticker_c(t));
        ticker_stop(t);
        ticker_free(t);
    }
}

CASE(ticker, ticks_again_and_again, "time/tick_test.go TestTick")
{
    go_ticker *t = go_ticker_make(GO_MS);
    go_time last = 0;
    for (int i = 0; i < 3; i++) {
        go_time now = chan_recv(ticker_c(t));
        EXPECT_INT(now, >, last);
        last = now;
    }
    ticker_free(t);
}

static void make_ticker(go_duration d) { ticker_free(go_ticker_make(d)); }
static void reset_ticker(go_ticker *t, go_duration d) { ticker_reset(t, d); }

CASE(ticker, interval_must_be_positive, "time/tick_test.go TestNewTickerLtZeroDuration")
{
    EXPECT_EQ_STR(PANIC_OF(make_ticker, -1), "non-positive interval for NewTicker");
    EXPECT_EQ_STR(PANIC_OF(make_ticker, 0), "non-positive interval for NewTicker");
}

CASE(ticker, reset_must_be_positive, "time/tick_test.go TestTickerResetLtZeroDuration")
{
    go_ticker *t = go_ticker_make(GO_SEC);
    EXPECT_EQ_STR(PANIC_OF(reset_ticker, t, 0), "non-positive interval for Ticker.Reset");
    EXPECT_EQ_STR(PANIC_OF(reset_ticker, t, -5), "non-positive interval for Ticker.Reset");
    ticker_free(t);
}

static void one_millisecond_timers(int n)
{
    for (int i = 0; i < n; i++) {
        go_timer *t = go_timer_make(GO_MS);
        (void)chan_recv(timer_c(t));
        timer_free(t);
    }
}

CASE(ticker, timers_go_on_beside_a_long_ticker, "time/tick_test.go TestLongAdjustTimers")
{
    go_waitgroup wg = {0};
    go_ticker *t = go_ticker_make(100 * GO_MS);
    for (int i = 0; i < 16; i++) {
        wg_go(&wg, one_millisecond_timers, 10);
    }
    wg_wait(&wg);
    ticker_free(t);
}

CASE_DIFFERS(time, after_that_nobody_waits_for_costs_nothing_later, "time/tick_test.go TestTimerGC",
             "what Go's collector finds is given back by go_chan_free and go_timer_free")
{
    for (long i = test_iterations(10000); i > 0; i--) {
        tick_chan c = go_after(GO_HOUR);
        chan_free(c);
    }
    EXPECT_EQ_INT(go_count(), 1);
}

CASE(time, after_read_late_gives_the_early_time, "time/tick_test.go TestAfterTimes")
{
    go_duration at = GO_HOUR;
    go_duration late = 40 * GO_MS;
    /* A machine that pauses may do so at the wrong moment; not each time, and ever longer. */
    for (int i = 0; i < 7 && at >= late; i++) {
        late = 40 * GO_MS << i;
        go_time start = go_now();
        tick_chan c = go_after(5 * GO_MS);
        pass(late);
        at = chan_recv(c) - start;
        chan_free(c);
    }
    EXPECT_INT(at, <, late);
}

CASE(ticker, read_late_gives_the_early_time, "time/tick_test.go TestTickTimes")
{
    go_duration at = GO_HOUR;
    go_duration late = 40 * GO_MS;
    for (int i = 0; i < 7 && at >= late; i++) {
        late = 40 * GO_MS << i;
        go_time start = go_now();
        go_ticker *t = go_ticker_make(5 * GO_MS);
        pass(late);
        at = chan_recv(ticker_c(t)) - start;
        ticker_free(t);
    }
    EXPECT_INT(at, <, late);
}

/* ---- TestChan: timers and tickers by the same table ---- */

struct clockwork {
    go_timer *timer;
    go_ticker *ticker;
    bool stopped;
};
static struct clockwork far_away(bool ticker)
{
    struct clockwork w = {.timer = ticker ? NULL : go_timer_make(10000 * GO_SEC),
                          .ticker = ticker ? go_ticker_make(10000 * GO_SEC) : NULL};
    return w;
}
static tick_chan channel_of(const struct clockwork *w)
{
    return w->ticker != NULL ? ticker_c(w->ticker) : timer_c(w->timer);
}
static bool stop(struct clockwork *w)
{
    if (w->timer != NULL) {
        return timer_stop(w->timer);
    }
    bool was = !w->stopped;
    w->stopped = true;
    ticker_stop(w->ticker);
    return was;
}
static bool reset(struct clockwork *w, go_duration d)
{
    if (w->timer != NULL) {
        return timer_reset(w->timer, d);
    }
    bool was = !w->stopped;
    w->stopped = false;
    ticker_reset(w->ticker, d);
    return was;
}
static void discard(struct clockwork *w)
{
    timer_free(w->timer);
    ticker_free(w->ticker);
}
static void await_tick(tick_chan c)
{
    while (!chan_try_recv(c, (go_time *)NULL)) {
        go_yield();
    }
}
static void take_one(tick_chan c, int *taken)
{
    (void)chan_recv(c);
    add(taken, 1);
}
static void take_unless(tick_chan c, chan(bool) quit, int *taken)
{
    switch (chan_select(recv(tick, c), recv(over_now, quit))) {
    case tick: add(taken, 1); break;
    case over_now: break;
    }
}

static void stopped_gives_nothing(bool ticker)
{
    struct clockwork w = far_away(ticker);
    EXPECT(stop(&w));
    EXPECT(no_tick(channel_of(&w)));
    (void)reset(&w, 10000 * GO_SEC);
    EXPECT(no_tick(channel_of(&w)));
    discard(&w);
}
static void seen_from_outside_unbuffered(bool ticker)
{
    struct clockwork w = far_away(ticker);
    (void)reset(&w, 1);
    pass(GO_MS);
    EXPECT_EQ_INT(chan_len(channel_of(&w)), 0);
    EXPECT_EQ_INT(chan_cap(channel_of(&w)), 0);
    await_tick(channel_of(&w));
    pass(GO_MS);
    (void)reset(&w, 10000 * GO_SEC);
    EXPECT(no_tick(channel_of(&w)));
    discard(&w);
}
static void moved_while_a_receiver_waits(bool ticker)
{
    struct clockwork w = far_away(ticker);
    int taken = 0;
    go(take_one, channel_of(&w), &taken);
    await_parked(1, "chan receive");
    (void)reset(&w, 20000 * GO_SEC);
    EXPECT_EQ_INT(parked("chan receive"), 1);
    (void)reset(&w, 1);
    await(&taken, 1);
    if (ticker) {
        await_tick(channel_of(&w));
    } else {
        pass(GO_MS);
        EXPECT(no_tick(channel_of(&w)));
    }
    (void)stop(&w);
    EXPECT(no_tick(channel_of(&w)));
    await_count(1);
    discard(&w);
}
static void two_in_select_one_value(bool ticker)
{
    struct clockwork w = far_away(ticker);
    chan(bool) quit = chan_make(bool);
    int taken = 0;
    go(take_unless, channel_of(&w), quit, &taken);
    go(take_unless, channel_of(&w), quit, &taken);
    await_parked(2, "select");
    (void)reset(&w, GO_MS);
    await(&taken, 1);
    (void)stop(&w);
    chan_close(quit);
    await_count(1);
    EXPECT_INT(taken, <=, ticker ? 2 : 1);
    chan_free(quit);
    discard(&w);
}
static void waiting_on_a_stopped_one(bool ticker)
{
    struct clockwork w = far_away(ticker);
    chan(bool) quit = chan_make(bool);
    int taken = 0;
    (void)stop(&w);
    go(take_unless, channel_of(&w), quit, &taken);
    go(take_unless, channel_of(&w), quit, &taken);
    await_parked(2, "select");
    chan_close(quit);
    await_count(1);
    EXPECT_EQ_INT(taken, 0);
    chan_free(quit);
    discard(&w);
}
static void no_stale_value(bool ticker)
{
    struct clockwork w = far_away(ticker);
    (void)reset(&w, 1);
    pass(2 * GO_MS);
    EXPECT(stop(&w)); /* fired, but nobody has read it */
    EXPECT(no_tick(channel_of(&w)));
    (void)reset(&w, GO_HOUR);
    EXPECT(no_tick(channel_of(&w)));
    EXPECT(reset(&w, 1));
    await_tick(channel_of(&w));
    pass(2 * GO_MS);
    EXPECT_EQ_INT(reset(&w, GO_HOUR), ticker);
    EXPECT(no_tick(channel_of(&w)));
    discard(&w);
}

#define TABLE(name)                                                                                \
    CASE(timer_chan, name, "time/tick_test.go TestChan: Timer") { name(false); }                   \
    CASE(ticker_chan, name, "time/tick_test.go TestChan: Ticker") { name(true); }
TABLE(stopped_gives_nothing)
TABLE(seen_from_outside_unbuffered)
TABLE(moved_while_a_receiver_waits)
TABLE(two_in_select_one_value)
TABLE(waiting_on_a_stopped_one)
TABLE(no_stale_value)

CASE(timer_chan, function_timer_has_no_channel, "time/sleep_test.go TestAfterFunc")
{
    int fired = 0;
    go_timer *t = go_after_func(GO_HOUR, count_one, &fired);
    EXPECT_EQ_PTR(timer_c(t), NULL);
    timer_free(t);
}

CASE(time, clocks_agree, "runtime/time_test.go TestTimeTimerType")
{
    struct timespec ts;
    go_time before = go_now();
    clock_gettime(CLOCK_MONOTONIC, &ts);
    go_time between = (go_time)ts.tv_sec * GO_SEC + ts.tv_nsec;
    go_time after_it = go_now();
    EXPECT_INT(before, <=, between);
    EXPECT_INT(between, <=, after_it);
    go_sleep_until(after_it + GO_MS);
    EXPECT_INT(go_now(), >=, after_it + GO_MS);
    go_sleep_until(before);
}
