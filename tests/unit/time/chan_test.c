/* SPDX-License-Identifier: MIT */
/* The channels of timers and tickers, as Go's TestChan, TestStopResult, TestResetResult,
 * TestTicker and TestTimerChan have them: no buffer that anybody can see, no value of before a stop
 * or a reset. A timer that is due is one whose time the clock has passed: that needs sleeping, and
 * the outcome does not depend on how long it takes. */
#include "chan/timer_chan.h"
#include "harness.h"
#include "unit/time/pending.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>

static void wait_until_received_for(go_timer *t)
{
    while (ld_rlx(&t->chan.recvq.n) == 0) { /* ends when the receiver has queued itself */
        go_yield();
    }
}

static bool take(recv_chan(go_time) c)
{
    go_time v;
    return chan_try_recv(c, &v);
}

static void make_due(go_timer *t)
{
    (void)timer_reset(t, GO_MS);
    go_sleep(2 * GO_MS);
}

TEST(timer, gives_the_time_it_was_due_once)
{
    go_time before = go_now();
    go_timer *t = go_timer_make(3 * GO_MS);
    go_time v = chan_recv(timer_c(t));
    EXPECT(go_now() - before >= 3 * GO_MS);
    EXPECT(v - before >= 3 * GO_MS);
    EXPECT(v <= go_now());
    EXPECT(!take(timer_c(t)));
    EXPECT(!timer_stop(t));
    timer_free(t);
}

TEST(timer, has_length_and_capacity_zero_due_or_not)
{
    go_timer *t = go_timer_make(GO_HOUR);
    EXPECT_EQ_INT(chan_len(timer_c(t)), 0);
    EXPECT_EQ_INT(chan_cap(timer_c(t)), 0);
    EXPECT(!take(timer_c(t)));
    make_due(t);
    EXPECT_EQ_INT(chan_len(timer_c(t)), 0);
    EXPECT_EQ_INT(chan_cap(timer_c(t)), 0);
    EXPECT(take(timer_c(t)));
    timer_free(t);
}

TEST(timer, stop_says_whether_a_value_was_still_to_come)
{
    go_timer *t = go_timer_make(GO_HOUR);
    EXPECT(timer_stop(t));
    EXPECT(!timer_stop(t));
    make_due(t);
    EXPECT(timer_stop(t)); /* due and not received: as if it had not fired */
    EXPECT(!take(timer_c(t)));
    make_due(t);
    EXPECT(take(timer_c(t)));
    EXPECT(!timer_stop(t));
    timer_free(t);
}

TEST(timer, reset_says_whether_a_value_was_still_to_come)
{
    go_timer *t = go_timer_make(GO_HOUR);
    EXPECT(timer_reset(t, GO_HOUR));
    make_due(t);
    EXPECT(timer_reset(t, GO_HOUR));
    EXPECT(!take(timer_c(t)));
    EXPECT(timer_stop(t));
    EXPECT(!timer_reset(t, GO_MS));
    (void)chan_recv(timer_c(t));
    EXPECT(!timer_reset(t, GO_HOUR));
    EXPECT(timer_stop(t));
    timer_free(t);
}

TEST(timer, of_no_or_negative_duration_is_due_at_once)
{
    static const go_duration ds[] = {0, -1, -GO_HOUR, INT64_MIN};
    for (size_t i = 0; i < sizeof ds / sizeof *ds; i++) {
        go_timer *t = go_timer_make(ds[i]);
        EXPECT(take(timer_c(t)));
        timer_free(t);
    }
}

TEST(timer, of_the_longest_duration_never_fires_and_can_be_stopped)
{
    go_timer *t = go_timer_make(INT64_MAX);
    EXPECT(!take(timer_c(t)));
    EXPECT_EQ_INT(chan_recv_until(timer_c(t), (go_time *)NULL, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT(timer_stop(t));
    timer_free(t);
}

static void receive_one(recv_chan(go_time) c, chan(go_time) out) { chan_send(out, chan_recv(c)); }

TEST(timer, wakes_a_receiver_that_waits)
{
    go_timer *t = go_timer_make(GO_HOUR);
    chan(go_time) out = chan_make(go_time);
    go(receive_one, timer_c(t), out);
    wait_until_received_for(t);
    go_time before = go_now();
    EXPECT(timer_reset(t, GO_MS));
    EXPECT(chan_recv(out) - before >= GO_MS);
    chan_free(out);
    timer_free(t);
}

TEST(timer, stopped_while_somebody_waits_wakes_him_after_the_next_reset)
{
    go_timer *t = go_timer_make(GO_HOUR);
    chan(go_time) out = chan_make(go_time);
    go_time v;
    go(receive_one, timer_c(t), out);
    wait_until_received_for(t);
    (void)timer_reset(t, GO_HOUR);
    EXPECT(timer_stop(t));
    go_sleep(6 * GO_MS);
    EXPECT(!chan_try_recv(out, &v));
    EXPECT(!timer_reset(t, GO_MS));
    (void)chan_recv(out);
    chan_free(out);
    timer_free(t);
}

TEST(timer, gives_its_one_value_to_one_of_many_receivers)
{
    enum { N = 5 };
    go_timer *t = go_timer_make(GO_HOUR);
    chan(go_time) out = chan_make(go_time, N);
    for (int i = 0; i < N; i++) {
        go(receive_one, timer_c(t), out);
    }
    while (ld_rlx(&t->chan.recvq.n) < N) {
        go_yield();
    }
    for (int i = 1; i <= N; i++) {
        (void)timer_reset(t, GO_MS);
        (void)chan_recv(out);
        go_sleep(2 * GO_MS);
        EXPECT_EQ_INT(chan_len(out), 0);
        EXPECT_EQ_UINT(ld_rlx(&t->chan.recvq.n), N - i);
    }
    chan_free(out);
    timer_free(t);
}

TEST(timer, is_in_no_heap_unless_somebody_waits)
{
    size_t before = goi_timers_pending();
    go_timer *t = go_timer_make(GO_HOUR);
    go_ticker *k = go_ticker_make(GO_MS);
    chan(int) c = chan_make(int, 1);
    EXPECT_EQ_UINT(goi_timers_pending(), before);
    chan_send(c, 1);
    switch (chan_select(recv(got, c), recv(tick, timer_c(t)))) {
    case got:
        break;
    case tick:
        FAIL("the timer cannot have been due");
    }
    EXPECT_EQ_UINT(goi_timers_pending(), before);
    switch (chan_select(recv(hour, timer_c(t)), after(late, GO_MS))) {
    case hour:
        FAIL("the timer cannot have been due");
        break;
    case late:
        break;
    }
    EXPECT_EQ_UINT(goi_timers_pending(), before);
    EXPECT_EQ_INT(chan_recv_until(timer_c(t), (go_time *)NULL, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_UINT(goi_timers_pending(), before);
    ticker_free(k);
    timer_free(t);
    chan_free(c);
}

TEST(timer, in_a_select_is_ready_when_due)
{
    go_timer *t = go_timer_make(0);
    go_time v = 0;
    bool ok = false;
    switch (chan_select(recv(now, timer_c(t), &v, &ok), default)) {
    case now:
        break;
    default:
        FAIL("a timer that is due is ready");
    }
    EXPECT(ok);
    EXPECT(v > 0);
    (void)timer_reset(t, GO_MS);
    switch (chan_select(recv(later, timer_c(t), &v, &ok), after(never, GO_HOUR))) {
    case later:
        break;
    case never:
        FAIL("an hour in a millisecond");
    }
    EXPECT(ok);
    timer_free(t);
}

TEST(after, gives_the_time_and_is_freed_read_or_unread)
{
    recv_chan(go_time) c = go_after(GO_MS);
    go_time before = go_now();
    EXPECT(chan_recv(c) - before <= GO_SEC * 10);
    chan_free(c);
    chan_free(go_after(GO_HOUR));
    recv_chan(go_time) due = go_after(0);
    chan_free(due);
}

TEST(ticker, keeps_its_phase_and_drops_what_nobody_takes)
{
    go_time start = go_now();
    go_ticker *k = go_ticker_make(5 * GO_MS);
    go_time first = chan_recv(ticker_c(k));
    bool in_time = go_now() - first < 5 * GO_MS; /* else a tick was dropped already */
    EXPECT(first - start >= 5 * GO_MS);
    go_sleep(23 * GO_MS);
    go_time late = chan_recv(ticker_c(k));
    EXPECT_EQ_INT((late - first) % (5 * GO_MS), 0);
    /* The oldest one that was missed, as in a buffer. */
    EXPECT(late - first == 5 * GO_MS || !in_time);
    go_time next = chan_recv(ticker_c(k));
    EXPECT_EQ_INT((next - first) % (5 * GO_MS), 0);
    EXPECT_INT(next - first, >, 20 * GO_MS); /* the others are dropped */
    ticker_free(k);
}

TEST(ticker, never_comes_early)
{
    go_time start = go_now();
    go_ticker *k = go_ticker_make(GO_MS);
    for (int i = 1; i <= 20; i++) {
        (void)chan_recv(ticker_c(k));
        EXPECT(go_now() - start >= i * GO_MS);
    }
    ticker_free(k);
}

TEST(ticker, stopped_gives_nothing_until_reset)
{
    go_ticker *k = go_ticker_make(GO_MS);
    go_sleep(3 * GO_MS);
    ticker_stop(k);
    EXPECT(!take(ticker_c(k)));
    EXPECT_EQ_INT(chan_recv_until(ticker_c(k), (go_time *)NULL, go_now() + 3 * GO_MS), -ETIMEDOUT);
    go_time from = go_now();
    ticker_reset(k, 2 * GO_MS);
    EXPECT(chan_recv(ticker_c(k)) - from >= 2 * GO_MS);
    ticker_reset(k, GO_HOUR);
    EXPECT(!take(ticker_c(k)));
    ticker_free(k);
}

TEST(ticker, nothing_and_null_are_allowed_where_go_allows_them)
{
    ticker_stop(NULL);
    ticker_free(NULL);
    timer_free(NULL);
    EXPECT(timer_c(NULL) == NULL);
    EXPECT(ticker_c(NULL) == NULL);
}

static void make_ticker(go_duration d) { ticker_free(go_ticker_make(d)); }
static void reset_ticker(go_ticker *k, go_duration d) { ticker_reset(k, d); }
static void stop_timer(go_timer *t) { (void)timer_stop(t); }
static void reset_timer(go_timer *t) { (void)timer_reset(t, 1); }

TEST(timer, misuse_panics_in_gos_words)
{
    go_panic_info why;
    EXPECT(!go_try(&why, make_ticker, 0));
    EXPECT_EQ_STR(why.message, "non-positive interval for NewTicker");
    EXPECT(!go_try(&why, make_ticker, -5));
    EXPECT_EQ_STR(why.message, "non-positive interval for NewTicker");
    go_ticker *k = go_ticker_make(GO_HOUR);
    EXPECT(!go_try(&why, reset_ticker, k, 0));
    EXPECT_EQ_STR(why.message, "non-positive interval for Ticker.Reset");
    ticker_free(k);
    EXPECT(!go_try(&why, reset_ticker, (go_ticker *)NULL, 1));
    EXPECT_EQ_STR(why.message, "time: Reset called on uninitialized Ticker");
    EXPECT(!go_try(&why, stop_timer, (go_timer *)NULL));
    EXPECT_EQ_STR(why.message, "time: Stop called on uninitialized Timer");
    EXPECT(!go_try(&why, reset_timer, (go_timer *)NULL));
    EXPECT_EQ_STR(why.message, "time: Reset called on uninitialized Timer");
}

/* --- functions */

static void add_to(chan(int) out, int v) { chan_send(out, v); }

TEST(after_func, runs_once_in_a_goroutine_of_its_own)
{
    chan(int) out = chan_make(int);
    go_timer *t = go_after_func(GO_MS, add_to, out, 42);
    EXPECT(timer_c(t) == NULL);
    EXPECT_EQ_INT(chan_recv(out), 42);
    EXPECT(!timer_stop(t));
    timer_free(t);
    chan_free(out);
}

TEST(after_func, stopped_in_time_does_not_run)
{
    chan(int) out = chan_make(int, 1);
    go_timer *t = go_after_func(GO_HOUR, add_to, out, 1);
    EXPECT(timer_stop(t));
    EXPECT(!timer_stop(t));
    go_sleep(GO_MS);
    EXPECT_EQ_INT(chan_len(out), 0);
    timer_free(t);
    chan_free(out);
}

TEST(after_func, reset_runs_it_again_with_the_same_arguments)
{
    chan(int) out = chan_make(int);
    go_timer *t = go_after_func(GO_HOUR, add_to, out, 9);
    EXPECT(timer_reset(t, GO_MS));
    EXPECT_EQ_INT(chan_recv(out), 9);
    EXPECT(!timer_reset(t, GO_MS));
    EXPECT_EQ_INT(chan_recv(out), 9);
    EXPECT(!timer_reset(t, GO_HOUR));
    EXPECT(timer_reset(t, 0));
    EXPECT_EQ_INT(chan_recv(out), 9);
    timer_free(t);
    chan_free(out);
}

TEST(after_func, freed_at_once_may_still_run_if_it_has_fired)
{
    static chan(int) out; /* stays: nobody knows when the last of those that fired begins to run */
    out = chan_make(int, 64);
    for (int i = 0; i < 64; i++) {
        timer_free(go_after_func(i % 3, add_to, out, i));
    }
    go_sleep(2 * GO_MS); /* whatever is under way has a reference of its own */
    while (go_count() > 1) {
        go_yield();
    }
    pending_none();
}

static void take_one(recv_chan(go_time) c) { (void)chan_recv(c); }

/* The entry in the heap holds a reference too; it must not hide that somebody waits. */
DEATH_TEST(after, freed_while_a_receiver_waits, 2, "^fatal error: free of channel in use$")
{
    recv_chan(go_time) c = go_after(GO_HOUR);
    struct go_chan *raw = (struct go_chan *)(uintptr_t)c;
    go(take_one, c);
    while (ld_rlx(&raw->recvq.n) == 0) {
        go_yield();
    }
    chan_free(c);
    go_sleep(GO_MIN);
}

DEATH_TEST(timer, freed_while_a_receiver_waits, 2, "^fatal error: free of channel in use$")
{
    go_timer *t = go_timer_make(GO_HOUR);
    go(take_one, timer_c(t));
    wait_until_received_for(t);
    timer_free(t);
    go_sleep(GO_MIN);
}

static void take_or_after(recv_chan(go_time) c, chan(int) other)
{
    switch (chan_select(recv(tick, c), recv(value, other))) {
    case tick:
    case value:
        break;
    }
}

/* Whoever has been woken is on the way, and may find the channel freed. */
TEST(after, may_be_freed_when_a_select_has_its_time)
{
    chan(int) other = chan_make(int);
    for (int i = 0; i < 100; i++) {
        recv_chan(go_time) c = go_after(GO_US);
        struct go_chan *raw = (struct go_chan *)(uintptr_t)c;
        go(take_or_after, c, other);
        while (go_count() > 1 || ld_rlx(&raw->recvq.n) != 0) {
            go_yield();
        }
        chan_free(c);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
    chan_free(other);
}
