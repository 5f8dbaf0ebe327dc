/* SPDX-License-Identifier: MIT */
/* Deadlocks: that they are noticed, and what is said about the goroutine that waits. */
#include "conform.h"

static void wait_for_ever(void) { (void)go_select_cases(NULL, 0); }
static void locked_wait(void)
{
    go_lock_thread();
    wait_for_ever();
}

OUTPUT(deadlock, empty_select, "runtime/crash_test.go TestSimpleDeadlock, TestInitDeadlock")
{
    wait_for_ever();
}

OUTPUT(deadlock, on_a_locked_thread, "runtime/crash_test.go TestLockedDeadlock")
{
    locked_wait();
}

OUTPUT(deadlock, beside_a_locked_thread, "runtime/crash_test.go TestLockedDeadlock2")
{
    go(locked_wait);
    await_parked(1, "select (no cases)");
    wait_for_ever();
}

OUTPUT(deadlock, receive, "runtime/crash_test.go TestSimpleDeadlock")
{
    (void)chan_recv(chan_make(int));
}

OUTPUT(deadlock, send, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan_send(chan_make(int), 1);
}

OUTPUT(deadlock, send_to_full, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 1);
    chan_send(c, 2);
}

OUTPUT(deadlock, range, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan(int) c = chan_make(int, 2);
    chan_send(c, 1);
    chan_send(c, 2);
    chan_for(v, c) { say("%d\n", v); }
}

OUTPUT(deadlock, receive_from_nil, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan(int) c = NULL;
    (void)chan_recv(c);
}

OUTPUT(deadlock, send_to_nil, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan(int) c = NULL;
    chan_send(c, 1);
}

OUTPUT(deadlock, select_of_two, "runtime/crash_test.go TestSimpleDeadlock")
{
    (void)chan_select(recv(a, chan_make(int)), recv(b, chan_make(int)));
}

OUTPUT(deadlock, select_of_nil_channels, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan(int) none = NULL;
    (void)chan_select(recv(a, none), send(b, none, 1));
}

OUTPUT(deadlock, mutex, "runtime/crash_test.go TestSimpleDeadlock")
{
    go_mutex m = {0};
    mutex_lock(&m);
    mutex_lock(&m);
}

OUTPUT(deadlock, rwmutex_for_reading, "runtime/crash_test.go TestSimpleDeadlock")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_lock(&m);
    rwmutex_rlock(&m);
}

OUTPUT(deadlock, rwmutex_for_writing, "runtime/crash_test.go TestSimpleDeadlock")
{
    go_rwmutex m = {.w = {0}};
    rwmutex_rlock(&m);
    rwmutex_lock(&m);
}

OUTPUT(deadlock, wait_group, "runtime/crash_test.go TestSimpleDeadlock")
{
    go_waitgroup wg = {0};
    wg_add(&wg, 1);
    wg_wait(&wg);
}

OUTPUT(deadlock, condition_variable, "runtime/crash_test.go TestSimpleDeadlock")
{
    go_mutex m = {0};
    go_cond c = {0};
    mutex_lock(&m);
    cond_wait(&c, &m);
}

OUTPUT(deadlock, stopped_timer, "time/sleep_test.go TestSleepZeroDeadlock")
{
    go_timer *t = go_timer_make(GO_HOUR);
    (void)timer_stop(t);
    (void)chan_recv(timer_c(t));
}

OUTPUT(deadlock, unread_ticker_is_no_reason_to_wait,
       "runtime/crash_test.go TestSimpleDeadlock: a live ticker that nobody reads")
{
    go_ticker *t = go_ticker_make(GO_HOUR);
    say("made %d\n", t != NULL);
    wait_for_ever();
}

static void receive_from(chan(int) c) { (void)chan_recv(c); }

OUTPUT(deadlock, of_the_others_after_main_has_exited,
       "runtime/crash_test.go TestGoexitDeadlock: with others that wait")
{
    go(receive_from, chan_make(int));
    await_parked(1, "chan receive");
    go_exit();
}

OUTPUT(deadlock, of_a_chain_of_goroutines, "runtime/crash_test.go TestSimpleDeadlock")
{
    chan(int) a = chan_make(int);
    chan(int) b = chan_make(int);
    go_do(a, b) {
        chan_send(b, chan_recv(a));
    };
    chan_send(a, chan_recv(b));
}

static void wait_and_send(chan(int) c)
{
    go_sleep(5 * GO_MS);
    chan_send(c, 7);
}

CASE(deadlock, sleeper_is_no_deadlock, "time/sleep_test.go TestSleepZeroDeadlock")
{
    chan(int) c = chan_make(int);
    go(wait_and_send, c);
    EXPECT_EQ_INT(chan_recv(c), 7);
    await_count(1);
    chan_free(c);
}

CASE(deadlock, timer_is_no_deadlock, "time/sleep_test.go TestSleepZeroDeadlock")
{
    recv_chan(go_time) c = go_after(5 * GO_MS);
    EXPECT(chan_recv(c) > 0);
    chan_free(c);
}

OUTPUT(go, of_nil, "runtime/crash_test.go TestGoNil")
{
    void (*fn)(void) = NULL;
    go(fn);
    wait_for_ever();
}

OUTPUT(go, of_nil_cannot_be_caught, "runtime/crash_test.go TestGoNil")
{
    go_defer(say, "not run\n");
    void (*fn)(void) = NULL;
    go(fn);
}

static void never_ends(void)
{
    go_defer(say, "not run\n");
    wait_for_ever();
}

OUTPUT(go, main_does_not_wait_for_the_others, "test/goprint.go")
{
    go(never_ends);
    await_parked(1, "select (no cases)");
    say("main is done\n");
}
