/* SPDX-License-Identifier: MIT */
/* Defer, panic and the end of a goroutine. Go recovers in a deferred call; here go_try is the place
 * where a panic ends, and that is the one difference behind all the others. */
#include "conform.h"

#define BY_TRY                                                                                     \
    "a deferred call cannot recover the panic that runs it: go_try, around the call that may "     \
    "panic, is where panics end"

static void print_line(const char *s) { say("%s\n", s); }
static void panic_with(const char *s) { go_panic("%s", s); }
static go_panic_info caught;
static const char *message_of(void (*fn)(void))
{
    bool ok = go_try(&caught, fn);
    return ok ? "no panic" : caught.message;
}

/* ---- runtime/crash_test.go ---- */

static void bad(void)
{
    char x[8192];
    memset(x, 0, sizeof x);
    go_panic("bad");
}
static void wrap_bad(void) { go_panic("wrap: %s", message_of(bad)); }

OUTPUT_DIFFERS(panic, wrapped_and_caught_then_another, "runtime/crash_test.go TestRecursivePanic",
               BY_TRY)
{
    say("%s\n", message_of(wrap_bad));
    go_panic("again");
}

static void first_panic(void) { go_panic("first panic"); }
static void catch_then_panic(void)
{
    defer(panic_with, "second panic");
    say("%s\n", message_of(first_panic));
}

OUTPUT_DIFFERS(panic, caught_then_panic_in_a_deferred_call,
               "runtime/crash_test.go TestRecursivePanic2", BY_TRY)
{
    say("%s\n", message_of(catch_then_panic));
    go_panic("third panic");
}

static void second_panic(void) { go_panic("second panic"); }
static void catch_second(void) { (void)message_of(second_panic); }

OUTPUT(panic, goes_on_after_one_caught_in_a_deferred_call,
       "runtime/crash_test.go TestRecursivePanic3")
{
    defer(catch_second);
    go_panic("first panic");
}

static void three(void)
{
    defer(print_line, "below");
    say("%s\n", message_of(first_panic));
    go_panic("second panic");
}
static void two(void)
{
    defer(print_line, "outer");
    say("%s\n", message_of(three));
}

OUTPUT_DIFFERS(panic, deferred_calls_left_after_a_catch,
               "runtime/crash_test.go TestRecursivePanic5", BY_TRY)
{
    two();
    go_panic("third panic");
}

OUTPUT(panic, in_a_deferred_call_while_panicking, "runtime/crash_test.go TestPanicTraceback")
{
    defer(panic_with, "panic pt1");
    defer(panic_with, "panic pt2");
    go_panic("hello");
}

OUTPUT(panic, main_is_goroutine_one, "runtime/crash_test.go TestMainGoroutineID")
{
    go_panic("test");
}

static void nothing(void) {}

CASE(panic, no_helper_goroutines, "runtime/crash_test.go TestNoHelperGoroutines")
{
    go_timer *t = go_after_func(GO_HOUR, nothing);
    EXPECT_EQ_INT(go_count(), 1);
    EXPECT_EQ_INT(parked("running"), 1);
    timer_free(t);
}

OUTPUT(panic, of_several_lines, "runtime/crash_test.go TestPanicInlined")
{
    go_panic("%s", "line one\nline two");
}

OUTPUT(panic, uncaught_close_of_nil_channel,
       "runtime/crash_test.go TestRuntimePanicWithRuntimeError")
{
    chan(int) c = NULL;
    chan_close(c);
}

OUTPUT(panic, uncaught_close_of_closed_channel,
       "runtime/crash_test.go TestRuntimePanicWithRuntimeError")
{
    chan(int) c = chan_make(int);
    chan_close(c);
    chan_close(c);
}

OUTPUT(panic, uncaught_send_on_closed_channel,
       "runtime/crash_test.go TestRuntimePanicWithRuntimeError")
{
    chan(int) c = chan_make(int);
    chan_close(c);
    chan_send(c, 1);
}

OUTPUT(panic, uncaught_size_of_a_channel, "runtime/crash_test.go TestRuntimePanicWithRuntimeError")
{
    int n = -1;
    chan(int) c = chan_make(int, n);
    chan_free(c);
}

OUTPUT(panic, uncaught_negative_counter, "sync/waitgroup_test.go TestWaitGroupMisuse")
{
    static go_waitgroup wg;
    wg_done(&wg);
}

OUTPUT(panic, uncaught_ticker_interval, "time/tick_test.go TestNewTickerLtZeroDuration")
{
    go_ticker *t = go_ticker_make(0);
    ticker_free(t);
}

/* ---- deferred calls: test/defer.go, test/deferprint.go, test/recover.go ---- */

static char digits[64];
static void append_digit(int d)
{
    size_t n = strlen(digits);
    digits[n] = (char)('0' + d);
    digits[n + 1] = '\0';
}
static void defer_nine(void)
{
    defer(append_digit, 9);
    defer(append_digit, 8);
    defer(append_digit, 7);
    defer(append_digit, 6);
    defer(append_digit, 5);
    append_digit(0);
}

CASE(defer, runs_in_reverse_at_the_end, "test/defer.go")
{
    defer_nine();
    EXPECT_EQ_STR(digits, "056789");
}

CASE_DIFFERS(defer, in_a_loop_runs_at_the_end_of_each_round, "test/defer.go",
             "a deferred call belongs to its block, not to its function: C has no place to keep "
             "any number of them without allocating")
{
    for (int i = 0; i < 3; i++) {
        defer(append_digit, i);
        append_digit(9);
    }
    EXPECT_EQ_STR(digits, "909192");
}

OUTPUT(defer, arguments_are_evaluated_at_once, "test/deferprint.go")
{
    int n = 1;
    const char *text = "before";
    defer(say, "%d %s %g\n", n, text, 0.5 * n);
    n = 2;
    text = "after";
    defer(say, "%d %s %g\n", n, text, 0.5 * n);
    say("body\n");
}

static void deferring_body(void)
{
    defer(print_line, "1");
    defer(print_line, "2");
    go_panic("body");
}

OUTPUT(defer, runs_before_the_panic_is_caught, "test/recover.go")
{
    say("caught %s\n", message_of(deferring_body));
}

OUTPUT(defer, runs_before_the_crash_output, "test/recover4.go")
{
    defer(print_line, "deferred in main");
    deferring_body();
}

static void good(void) {}
static int value_of(int x)
{
    if (x < 0) {
        go_panic("negative");
    }
    return x;
}

CASE_DIFFERS(panic, try_of_what_does_not_panic, "test/recover.go", BY_TRY)
{
    go_panic_info info = {"untouched"};
    EXPECT(go_try(&info, good));
    EXPECT_EQ_STR(info.message, "untouched");
    EXPECT(go_try(NULL, value_of, 1));
    EXPECT(!go_try(NULL, value_of, -1));
}

static void rethrow(void) { go_panic("%s again", message_of(first_panic)); }
static void rethrow_twice(void) { go_panic("%s and again", message_of(rethrow)); }

CASE(panic, caught_and_raised_anew_at_three_levels, "test/recover1.go")
{
    EXPECT_EQ_STR(message_of(rethrow_twice), "first panic again and again");
}

static int order[8];
static int steps;
static void note(int n) { order[steps++] = n; }
static void leaf_panics(void)
{
    defer(note, 1);
    go_panic("leaf");
}
static void middle(void)
{
    defer(note, 2);
    leaf_panics();
}

CASE(panic, unwinds_every_frame_up_to_the_catch, "test/recover.go")
{
    defer(note, 9);
    EXPECT_EQ_STR(message_of(middle), "leaf");
    EXPECT_EQ_INT(steps, 2);
    EXPECT_EQ_INT(order[0], 1);
    EXPECT_EQ_INT(order[1], 2);
}

static void nest(int depth)
{
    defer(append_digit, depth);
    if (depth > 0) {
        nest(depth - 1);
    } else if (get(&steps) == 0) {
        go_panic("deep");
    }
}
static void nest_nine(void) { nest(9); }

CASE(panic, through_a_recursion, "test/recover2.go")
{
    EXPECT_EQ_STR(message_of(nest_nine), "deep");
    EXPECT_EQ_STR(digits, "0123456789");
}

static void sends_on_closed(void)
{
    chan(int) c = chan_make(int);
    go_defer(goi_chan_free, (struct go_chan *)(void *)c);
    chan_close(c);
    chan_send(c, 1);
}

CASE(panic, of_the_runtime_is_caught_like_any_other, "test/recover3.go")
{
    EXPECT_EQ_STR(message_of(sends_on_closed), "send on closed channel");
    EXPECT_EQ_STR(message_of(sends_on_closed), "send on closed channel");
}

static void panic_in_another(chan(bool) done)
{
    EXPECT_EQ_STR(message_of(first_panic), "first panic");
    chan_send(done, true);
}

CASE(panic, caught_in_each_goroutine_by_itself, "test/recover.go")
{
    chan(bool) done = chan_make(bool);
    for (int i = 0; i < 1; i++) {
        go(panic_in_another, done);
        (void)chan_recv(done);
    }
    EXPECT_EQ_STR(message_of(second_panic), "second panic");
    await_count(1);
    chan_free(done);
}

static void lock_and_panic(go_mutex *m)
{
    guard(m);
    go_panic("locked");
}

CASE(defer, guard_unlocks_on_a_panic, "test/fixedbugs/issue8047.go")
{
    go_mutex m = {0};
    EXPECT_EQ_STR(PANIC_OF(lock_and_panic, &m), "locked");
    EXPECT(mutex_trylock(&m));
    mutex_unlock(&m);
}

/* ---- runtime.Goexit ---- */

static void exit_with_deferred(chan(int) c)
{
    defer(goi_chan_close, (struct go_chan *)(void *)c);
    go_exit();
}

CASE(exit, runs_what_is_deferred, "runtime/crash_test.go TestGoexitDefer")
{
    chan(int) c = chan_make(int);
    go(exit_with_deferred, c);
    EXPECT(!chan_recv_ok(c, (int *)NULL));
    await_count(1);
    chan_free(c);
}

static void try_to_exit(int *returned)
{
    (void)go_try(NULL, go_exit);
    add(returned, 1);
}

CASE(exit, is_not_caught, "runtime/crash_test.go TestGoexitDefer")
{
    int returned = 0;
    go(try_to_exit, &returned);
    await_count(1);
    EXPECT_EQ_INT(returned, 0);
}

OUTPUT(exit, in_main_ends_when_the_others_have, "runtime/crash_test.go TestGoexitDeadlock")
{
    go(nothing);
    go(nothing);
    go_exit();
}

static void sleep_a_little(void) { go_sleep(GO_MS); }

OUTPUT(exit, in_main_lets_a_sleeper_end, "runtime/crash_test.go TestGoexitCrash")
{
    say("t1\n");
    go(sleep_a_little);
    say("t2\n");
    go_exit();
}

static void panic_and_exit(void)
{
    defer(go_exit);
    go_panic("hello");
}

OUTPUT(exit, in_a_deferred_call_drops_the_panic, "runtime/crash_test.go TestGoexitInPanic")
{
    go(panic_and_exit);
    go_exit();
}

OUTPUT(exit, panic_in_a_deferred_call_while_exiting,
       "runtime/crash_test.go TestPanicAfterGoexit")
{
    defer(panic_with, "hello");
    go_exit();
}

static void catch_hello(void) { EXPECT_EQ_STR(PANIC_OF(panic_with, "hello"), "hello"); }

OUTPUT(exit, goes_on_after_a_panic_caught_in_a_deferred_call,
       "runtime/crash_test.go TestRecoveredPanicAfterGoexit")
{
    defer(catch_hello);
    go_exit();
}

static void exit_with_panicking_defer(void)
{
    defer(panic_with, "hello");
    go_exit();
}
static void catch_around(void) { (void)message_of(exit_with_panicking_defer); }

OUTPUT_DIFFERS(exit, goes_on_after_a_panic_caught_outside,
               "runtime/crash_test.go TestRecoverBeforePanicAfterGoexit, "
               "TestRecoverBeforePanicAfterGoexit2",
               BY_TRY)
{
    defer(print_line, "deferred");
    catch_around();
    say("not reached\n");
}

static void wg_done_of(go_waitgroup *wg) { wg_done(wg); }
static void crash_beside_main(go_waitgroup *wg)
{
    defer(go_yield);
    defer(wg_done_of, wg);
    go_panic("crash");
}

OUTPUT(panic, wins_over_the_end_of_main, "runtime/crash_test.go TestPanicRace")
{
    static go_waitgroup wg;
    wg_add(&wg, 1);
    go(crash_beside_main, &wg);
    wg_wait(&wg);
}

OUTPUT(panic, with_a_deferred_call_that_yields,
       "runtime/crash_test.go TestPanicDeadlockGosched, TestPanicDeadlockSyscall")
{
    defer(print_line, "1");
    defer(go_yield);
    go_panic("errorThatGosched");
}

OUTPUT(panic, ends_a_process_of_many_goroutines, "runtime/crash_test.go TestPanicRace")
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 10; i++) {
        go_do(c) {
            (void)chan_recv(c);
        };
    }
    go(panic_with, "in one of many");
    (void)chan_recv(c);
}
