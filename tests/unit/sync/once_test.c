/* SPDX-License-Identifier: MIT */
/* go_once: the block, the call and the value; panics, exits, and who waits for whom. */
#include "unit/sync/parked.h"
#include <stdlib.h>

static go_once once;
static int runs;

static void count(void) { runs++; }
static void add(int n) { runs += n; }

TEST(once, block_runs_once)
{
    for (int i = 0; i < 3; i++) {
        once_do(&once) {
            runs++;
        }
    }
    EXPECT_EQ_INT(runs, 1);
}

TEST(once, call_runs_once_and_evaluates_its_arguments_then)
{
    int evaluated = 0;
    for (int i = 0; i < 3; i++) {
        once_call(&once, add, (evaluated++, 5));
    }
    EXPECT_EQ_INT(runs, 5);
    EXPECT_EQ_INT(evaluated, 1);
    go_once other = {0};
    once_call(&other, count);
    EXPECT_EQ_INT(runs, 6);
}

static int leave_by_return(void)
{
    once_do(&once) {
        runs++;
        return 1;
    }
    return 0;
}

TEST(once, block_may_be_left_by_return_and_break)
{
    EXPECT_EQ_INT(leave_by_return(), 1);
    EXPECT_EQ_INT(leave_by_return(), 0);
    go_once other = {0};
    for (int i = 0; i < 2; i++) {
        once_do(&other) {
            runs++;
            break;
        }
    }
    EXPECT_EQ_INT(runs, 2);
    EXPECT(mutex_trylock(&once.mu));
    EXPECT(mutex_trylock(&other.mu));
}

static bool finished;
static chan(int) go_on;

static void slow(void)
{
    (void)chan_recv(go_on);
    finished = true;
}

static void ask(go_waitgroup *wg)
{
    once_call(&once, slow);
    EXPECT(finished);
    wg_done(wg);
}

TEST(once, who_comes_meanwhile_waits_for_the_end)
{
    enum { N = 20 };
    go_waitgroup wg = {0};
    go_on = chan_make(int);
    wg_add(&wg, N);
    for (int i = 0; i < N; i++) {
        go(ask, &wg);
    }
    parked_await(GOI_WAIT_MUTEX, N - 1);
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    chan_send(go_on, 1);
    wg_wait(&wg);
    chan_free(go_on);
}

static void race(go_once *o, long *n, go_waitgroup *wg)
{
    once_do(o) {
        ++*n;
    }
    EXPECT_EQ_INT(*n, 1);
    wg_done(wg);
}

TEST(once, many_race_for_it)
{
    for (long i = test_iterations(1000); i > 0; i--) {
        go_once o = {0};
        long n = 0;
        go_waitgroup wg = {0};
        wg_add(&wg, 8);
        for (int k = 0; k < 8; k++) {
            go(race, &o, &n, &wg);
        }
        wg_wait(&wg);
    }
}

static void fail(void)
{
    runs++;
    go_panic("failed %d", runs);
}

static void call_fail(void) { once_call(&once, fail); }

TEST(once, panic_counts_as_done)
{
    go_panic_info info;
    EXPECT(!go_try(&info, call_fail));
    EXPECT_EQ_STR(info.message, "failed 1");
    EXPECT(go_try(&info, call_fail));
    EXPECT_EQ_INT(runs, 1);
}

static void leave(void) { go_exit(); }
static void call_leave(void) { once_call(&once, leave); }

TEST(once, exit_counts_as_done)
{
    go(call_leave);
    parked_alone();
    once_do(&once) {
        runs++;
    }
    EXPECT_EQ_INT(runs, 0);
}

static const char *config;
static const char *load(const char *name)
{
    runs++;
    return name;
}

static int seven(void) { return runs += 7; }

TEST(once, value_is_that_of_the_one_call)
{
    EXPECT_EQ_STR(go_once_value(&once, &config, load, "first"), "first");
    EXPECT_EQ_STR(go_once_value(&once, &config, load, "second"), "first");
    EXPECT_EQ_INT(runs, 1);
    go_once other = {0};
    int v[1] = {0};
    EXPECT_EQ_INT(go_once_value(&other, v, seven), 8);
    EXPECT_EQ_INT(go_once_value(&other, v, seven) + v[0], 16);
}

static int broken(int x)
{
    runs++;
    if (x > 0) {
        go_panic("broken by %d", x);
    }
    return x;
}

static int value;
static void get_broken(int x) { (void)go_once_value(&once, &value, broken, x); }

TEST(once, value_panics_again_and_again)
{
    go_panic_info info;
    for (int i = 0; i < 3; i++) {
        EXPECT(!go_try(&info, get_broken, 3 - i));
        EXPECT_EQ_STR(info.message, "broken by 3");
    }
    EXPECT_EQ_INT(runs, 1);
    go_once_free(&once);
    EXPECT_EQ_PTR(once.panic, NULL);
}

/* Their texts are no leak for ASan, whether they are freed or not. */
static void get_broken_of(go_once *o, int x)
{
    int v;
    (void)go_once_value(o, &v, broken, x);
}

TEST(once, text_of_a_panic_is_released_or_can_be_found)
{
    go_once *o[4];
    for (int i = 0; i < 4; i++) {
        o[i] = calloc(1, sizeof *o[i]);
        EXPECT(!go_try(NULL, get_broken_of, o[i], i + 1));
    }
    static const int order[3] = {2, 0, 3}; /* from the middle, the end and the beginning */
    for (int i = 0; i < 3; i++) {
        once_free(o[order[i]]);
        EXPECT_EQ_INT((int)o[order[i]]->state, 0);
    }
    go_panic_info info;
    EXPECT(!go_try(&info, get_broken_of, o[1], 9));
    EXPECT_EQ_STR(info.message, "broken by 2");
    for (int i = 0; i < 4; i++) {
        free(o[i]);
    }
}

/* Waiting for somebody else's run has an end. */
static go_chan(int) may_end;

static void slow_block(void)
{
    once_do(&once) {
        runs++;
        (void)chan_recv(may_end);
    }
}

static int four(void)
{
    runs++;
    return 4;
}

static void run_it(void) { runs++; }

TEST(once, waits_until_a_deadline)
{
    int err = 1;
    int v = 0;
    may_end = chan_make(int);
    go(slow_block);
    parked_await(GOI_WAIT_CHAN_RECV, 1);
    EXPECT_EQ_INT(once_call_until(&once, go_now() + GO_MS, run_it), -ETIMEDOUT);
    EXPECT_EQ_INT(once_value_until(&once, &v, go_now() + GO_MS, four), -ETIMEDOUT);
    once_do_until(&once, 0, &err) {
        runs += 100;
    }
    EXPECT_EQ_INT(err, -ETIMEDOUT);
    EXPECT_EQ_INT(v, 0);
    chan_send(may_end, 1);
    EXPECT_EQ_INT(once_call_until(&once, go_now() + GO_HOUR, run_it), 0);
    once_do_until(&once, 0, &err) {
        runs += 100;
    }
    EXPECT_EQ_INT(err, 0);
    EXPECT_EQ_INT(runs, 1);
    parked_alone();
    chan_free(may_end);
    go_once fresh = {0};
    EXPECT_EQ_INT(once_value_until(&fresh, &v, 0, four), 0);
    EXPECT_EQ_INT(once_value_until(&fresh, &v, 0, four) + v, 4);
    EXPECT_EQ_INT(runs, 2);
}

/* A panic that is under way is no panic of the function. */
static void ask_while_unwinding(void)
{
    EXPECT_EQ_INT(go_once_value(&once, &value, broken, 0), 0);
}

static void panic_and_ask(void)
{
    defer(ask_while_unwinding);
    go_panic("outer");
}

TEST(once, value_is_made_while_another_panic_passes)
{
    EXPECT(!go_try(NULL, panic_and_ask));
    EXPECT_EQ_INT(go_once_value(&once, &value, broken, 5), 0);
    EXPECT_EQ_INT(runs, 1);
}

static void recurse(void) { once_call(&once, recurse); }

DEATH_TEXT(once, inside_itself_deadlocks, 2,
           "fatal error: all goroutines are asleep - deadlock!\n")
{
    once_call(&once, recurse);
}

DEATH_TEXT(once, value_that_panics_ends_the_process, 2, "panic: broken by 1\n") { get_broken(1); }
