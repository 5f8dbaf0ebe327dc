/* SPDX-License-Identifier: MIT */
/* Goroutines and their scheduling: what everybody may rely on. */
#include "conform.h"
#include <pthread.h>
#include <sys/syscall.h>

static void nothing(void) {}
static void count_one(int *n) { add(n, 1); }

/* ---- runtime/proc_test.go ---- */

static void yield_until(const int *stop, chan(bool) ready)
{
    chan_send(ready, true);
    while (!get(stop)) {
        go_yield();
    }
}
static void yield_locked_until(const int *stop, chan(bool) ready)
{
    go_lock_thread();
    go_defer(go_unlock_thread);
    yield_until(stop, ready);
}

static void yield_progress(bool locked)
{
    chan(bool) ready = chan_make(bool);
    int stop = 0;
    for (int i = 0; i < 4; i++) {
        if (locked) {
            go(yield_locked_until, &stop, ready);
        } else {
            go(yield_until, &stop, ready);
        }
    }
    for (int i = 0; i < 4; i++) {
        (void)chan_recv(ready);
    }
    for (int i = 0; i < 10; i++) {
        go_yield();
    }
    set(&stop, 1);
    await_count(1);
    chan_free(ready);
}

CASE(sched, yield_makes_progress, "runtime/proc_test.go TestYieldProgress")
{
    yield_progress(false);
}

CASE(sched, yield_on_locked_threads_makes_progress, "runtime/proc_test.go TestYieldLockedProgress")
{
    yield_progress(true);
}

static void yield_ten_locked(chan(bool) done)
{
    go_lock_thread();
    for (int i = 0; i < 10; i++) {
        go_yield();
        go_sleep(10 * GO_US);
    }
    chan_send(done, true);
}

CASE(sched, locked_goroutine_yields_and_sleeps, "runtime/proc_test.go TestYieldLocked")
{
    chan(bool) done = chan_make(bool);
    go(yield_ten_locked, done);
    (void)chan_recv(done);
    await_count(1);
    chan_free(done);
}

static void ping(chan(int) c, int n)
{
    go_lock_thread();
    for (int i = 0; i < n; i++) {
        chan_send(c, i);
    }
    go_unlock_thread();
}

CASE(sched, locked_goroutine_blocks_on_channels, "runtime/proc_test.go TestBlockLocked")
{
    chan(int) c = chan_make(int);
    go(ping, c, 10);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ_INT(chan_recv(c), i);
    }
    await_count(1);
    chan_free(c);
}

/* P goroutines that pass a number round, spinning: they must be running at the same time. */
struct relay {
    int x;
    chan(bool) done;
};
static void spin_for(struct relay *r, int p, int of, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        int expected = of * i + p;
        while (get(&r->x) != expected) {
        }
        set(&r->x, expected + 1);
    }
    chan_send(r->done, true);
}
static void start_two(struct relay *r, int p)
{
    go(spin_for, r, 2 * p, 4, 3);
    go(spin_for, r, 2 * p + 1, 4, 3);
}
static void run_relay(bool nested)
{
    go_maxprocs(4);
    struct relay r = {0, chan_make(bool)};
    for (int p = 0; p < (nested ? 2 : 4); p++) {
        if (nested) {
            go(start_two, &r, p);
        } else {
            go(spin_for, &r, p, 4, 3);
        }
    }
    for (int p = 0; p < 4; p++) {
        (void)chan_recv(r.done);
    }
    EXPECT_EQ_INT(get(&r.x), 12);
    await_count(1);
    chan_free(r.done);
}

CASE(sched, goroutines_run_at_the_same_time, "runtime/proc_test.go TestGoroutineParallelism")
{
    run_relay(false);
}

CASE(sched, nested_goroutines_run_at_the_same_time,
     "runtime/proc_test.go TestGoroutineParallelism2")
{
    run_relay(true);
}

static void send_until(chan(bool) c, chan(bool) done)
{
    for (;;) {
        switch (chan_select(send(put, c, true), recv(quit, done))) {
        case put: break;
        case quit: return;
        }
    }
}

CASE(sched, timer_fires_beside_two_busy_channels, "runtime/proc_test.go TestTimerFairness")
{
    chan(bool) c = chan_make(bool);
    chan(bool) done = chan_make(bool);
    recv_chan(go_time) timer = go_after(5 * GO_MS);
    go(send_until, c, done);
    go(send_until, c, done);
    for (bool over = false; !over;) {
        switch (chan_select(recv(value, c), recv(late, timer))) {
        case value: break;
        case late: over = true; break;
        }
    }
    chan_close(done);
    await_count(1);
    chan_free(c);
    chan_free(done);
    chan_free(timer);
}

static void receive_until(chan(bool) c, chan(bool) done)
{
    for (;;) {
        switch (chan_select(recv(value, c), recv(quit, done))) {
        case value: chan_send(c, true); break;
        case quit: return;
        }
    }
}

CASE(sched, sleep_ends_beside_a_ping_pong, "runtime/proc_test.go TestTimerFairness2")
{
    chan(bool) c = chan_make(bool, 1);
    chan(bool) done = chan_make(bool);
    go(receive_until, c, done);
    go(receive_until, c, done);
    chan_send(c, true);
    go_sleep(5 * GO_MS);
    chan_close(done);
    await_count(1);
    chan_free(c);
    chan_free(done);
}

static void spin_until_turn(int *turn, int mine, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        while (get(turn) % 2 != mine) {
        }
        add(turn, 1);
    }
}

CASE_LONG(sched, loop_without_calls_does_not_stop_the_others,
          "runtime/proc_test.go TestPreemption, TestAsyncPreempt")
{
    go_waitgroup wg = {0};
    int turn = 0;
    wg_go(&wg, spin_until_turn, &turn, 0, 2);
    wg_go(&wg, spin_until_turn, &turn, 1, 2);
    wg_wait(&wg);
    EXPECT_EQ_INT(turn, 4);
}

static void spin_after_syscalls(const int *stop, chan(bool) started)
{
    for (int i = 0; i < 10; i++) {
        usleep(10);
    }
    chan_send(started, true);
    while (!get(stop)) {
    }
}

CASE(sched, hog_after_system_calls_does_not_stop_the_others,
     "runtime/proc_test.go TestPreemptionAfterSyscall")
{
    chan(bool) started = chan_make(bool);
    int stop = 0;
    for (int i = 0; i < 2; i++) {
        go(spin_after_syscalls, &stop, started);
    }
    for (int i = 0; i < 2; i++) {
        (void)chan_recv(started);
    }
    set(&stop, 1);
    await_count(1);
    chan_free(started);
}

struct pair {
    chan(bool) done, wake;
    long count;
};
static void wake_each_other(struct pair *p, long limit)
{
    for (;;) {
        switch (chan_select(recv(quit, p->done), recv(woken, p->wake))) {
        case quit: return;
        case woken:
            for (volatile long i = 0; i < limit; i++) {
            }
            p->count += limit;
            chan_send(p->wake, true);
            break;
        }
    }
}

CASE_DIFFERS(sched, pair_that_works_hard_leaves_time_to_a_light_one,
             "runtime/proc_test.go TestPingPongHog",
             "asks for progress of both instead of a ratio below 20, which a busy machine breaks")
{
    chan(bool) done = chan_make(bool);
    struct pair hog = {done, chan_make(bool), 0};
    struct pair light = {done, chan_make(bool), 0};
    go_maxprocs(1);
    for (int i = 0; i < 2; i++) {
        go(wake_each_other, &hog, 100000L);
        go(wake_each_other, &light, 1000L);
    }
    chan_send(hog.wake, true);
    chan_send(light.wake, true);
    go_sleep(30 * GO_MS);
    chan_close(done);
    (void)chan_recv(hog.wake);
    (void)chan_recv(light.wake);
    await_count(1);
    EXPECT_INT(hog.count, >, 0);
    EXPECT_INT(light.count, >, 0);
    chan_free(done);
    chan_free(hog.wake);
    chan_free(light.wake);
}

static void receive_from(chan(int) c) { (void)chan_recv(c); }

CASE(sched, count_of_goroutines_is_that_of_a_dump, "runtime/proc_test.go TestNumGoroutine")
{
    chan(int) c = chan_make(int);
    EXPECT_EQ_INT(go_count(), 1);
    for (int i = 0; i < 10; i++) {
        go(receive_from, c);
    }
    EXPECT_EQ_INT(go_count(), 11);
    await_parked(10, "chan receive");
    EXPECT_EQ_INT(parked("chan receive") + parked("running"), go_count());
    chan_close(c);
    await_count(1);
    chan_free(c);
}

CASE(sched, thousand_processors, "runtime/proc_test.go TestBigGOMAXPROCS")
{
    int before = go_maxprocs(1024);
    EXPECT_EQ_INT(go_maxprocs(0), 1024);
    go_waitgroup wg = {0};
    int n = 0;
    for (int i = 0; i < 2000; i++) {
        wg_go(&wg, count_one, &n);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(n, 2000);
    EXPECT_EQ_INT(go_maxprocs(before), 1024);
}

static void set_maxprocs(int n, int times)
{
    for (int i = 0; i < times; i++) {
        (void)go_maxprocs(1 + (n + i) % 3);
        go_yield();
    }
}

CASE(sched, processors_changed_by_many_at_once, "runtime/proc_test.go TestStopTheWorldDeadlock")
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 3; i++) {
        wg_go(&wg, set_maxprocs, i, 50);
    }
    wg_wait(&wg);
}

static long thread_id(void) { return syscall(SYS_gettid); }
static void locks_nest(void)
{
    go_lock_thread();
    long here = thread_id();
    go_lock_thread();
    go_unlock_thread();
    for (int i = 0; i < 20; i++) {
        go_yield();
        go_sleep(10 * GO_US);
        EXPECT_EQ_INT(thread_id(), here);
    }
    go_unlock_thread();
}

CASE(sched, locks_of_the_thread_nest, "runtime/proc_test.go TestLockOSThreadNesting")
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 4; i++) {
        wg_go(&wg, locks_nest);
    }
    wg_wait(&wg);
}

static void end_locked(void)
{
    go_lock_thread();
    go_lock_thread();
}

CASE_DIFFERS(sched, goroutine_that_ends_locked_frees_its_thread,
             "runtime/proc_test.go TestLockOSThreadExit",
             "Go ends the thread as well; here other goroutines use it again, so that what was "
             "changed of the thread itself has to be restored by who changed it")
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, end_locked);
    }
    wg_wait(&wg);
    await_count(1);
    /* None of the threads is still reserved. */
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, nothing);
    }
    wg_wait(&wg);
}

static go_local(int) mine;
static void check_local(int n)
{
    for (int i = 0; i < 10; i++) {
        *go_local_get(mine) += n;
        go_yield();
    }
    EXPECT_EQ_INT(*go_local_get(mine), 10 * n);
}

CASE_DIFFERS(sched, state_of_a_goroutine_stays_with_it,
             "runtime/proc_test.go TestLockOSThreadAvoidsStatePropagation",
             "Go checks what its threads inherit from one another; here the goroutine's own "
             "variables are what must not mix")
{
    go_waitgroup wg = {0};
    for (int i = 0; i < 50; i++) {
        wg_go(&wg, check_local, i);
    }
    wg_wait(&wg);
}

/* ---- the go statement: test/goprint.go, test/func5.go, test/fixedbugs ---- */

static void send_sum(chan(int) c, int a, int b, int d) { chan_send(c, a + b * 10 + d * 100); }

CASE(go, arguments_are_evaluated_by_the_starter, "test/func5.go")
{
    chan(int) c = chan_make(int);
    int x = 1;
    go(send_sum, c, x, x + 1, x + 2);
    x = 9;
    EXPECT_EQ_INT(chan_recv(c), 321);
    await_count(1);
    chan_free(c);
}

CASE(go, anonymous_with_captured_values, "test/func5.go")
{
    chan(int) c = chan_make(int);
    for (int i = 0; i < 3; i++) {
        go_do(c, i) {
            chan_send(c, i);
        };
    }
    EXPECT_EQ_INT(chan_recv(c) + chan_recv(c) + chan_recv(c), 3);
    await_count(1);
    chan_free(c);
}

OUTPUT(go, with_many_arguments, "test/goprint.go")
{
    chan(int) done = chan_make(int);
    go(say, "%d %d %s %g\n", 42, 13, "text", 0.5);
    await_count(1);
    chan_free(done);
}

static void append_me(int me, int *order, int *count) { order[add(count, 1) - 1] = me; }

CASE_DIFFERS(go, newest_runs_first_on_one_processor,
             "runtime/proc_test.go TestSchedLocalQueue, TestSchedLocalQueueEmpty",
             "Go starts the newest goroutine first and then the others in order (5 0 1 2 3 4); "
             "here all of them start newest first, which keeps trees of goroutines small. Neither "
             "is a promise")
{
    enum { N = 6 };
    go_waitgroup wg = {0};
    int order[N] = {0};
    (void)go_maxprocs(1);
    /* Whose time slice ends while it starts them starts some too early. */
    for (int attempt = 0; attempt < 50 && order[0] != N - 1; attempt++) {
        int count = 0;
        for (int i = 0; i < N; i++) {
            wg_go(&wg, append_me, i, order, &count);
        }
        wg_wait(&wg);
        EXPECT_EQ_INT(count, N);
    }
    EXPECT_EQ_INT(order[0], N - 1);
}

static void end_by_exit(int *n)
{
    go_defer(count_one, n);
    go_exit();
}

CASE(go, result_of_exit_and_return_is_the_same, "runtime/crash_test.go TestGoexitDefer")
{
    go_waitgroup wg = {0};
    int n = 0;
    for (int i = 0; i < 100; i++) {
        wg_go(&wg, end_by_exit, &n);
        wg_go(&wg, count_one, &n);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(n, 200);
}

static void unique_id(chan(uint64_t) ids) { chan_send(ids, go_id()); }

CASE(go, main_is_number_one_and_numbers_are_unique, "runtime/crash_test.go TestMainGoroutineID")
{
    enum { N = 100 };
    chan(uint64_t) ids = chan_make(uint64_t);
    uint64_t seen[N];
    EXPECT_EQ_INT(go_id(), 1);
    for (int i = 0; i < N; i++) {
        go(unique_id, ids);
        seen[i] = chan_recv(ids);
        EXPECT(seen[i] > 1);
        for (int k = 0; k < i; k++) {
            EXPECT(seen[i] != seen[k]);
        }
    }
    await_count(1);
    chan_free(ids);
}

static void spawn_tree(go_waitgroup *wg, int depth, int *leaves)
{
    if (depth == 0) {
        add(leaves, 1);
    } else {
        wg_go(wg, spawn_tree, wg, depth - 1, leaves);
        wg_go(wg, spawn_tree, wg, depth - 1, leaves);
    }
}

CASE(go, tree_of_goroutines, "runtime/proc_test.go TestSchedLocalQueueSteal")
{
    go_waitgroup wg = {0};
    int leaves = 0;
    spawn_tree(&wg, 10, &leaves);
    wg_wait(&wg);
    EXPECT_EQ_INT(leaves, 1024);
}

/* ---- threads that are not the library's: what cgo callbacks are to Go ---- */

static void *send_from_thread(void *arg)
{
    chan(int) c = (chan(int))arg;
    for (int i = 0; i < 100; i++) {
        chan_send(c, i);
    }
    return NULL;
}

CASE_DIFFERS(sched, thread_of_the_program_takes_part, "runtime/crash_cgo_test.go TestCgoCallbackGC",
             "a thread needs no callback from Go: it may call anything")
{
    chan(int) c = chan_make(int);
    pthread_t t;
    go(nothing);
    REQUIRE_EQ_INT(pthread_create(&t, NULL, send_from_thread, (void *)c), 0);
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ_INT(chan_recv(c), i);
    }
    REQUIRE_EQ_INT(pthread_join(t, NULL), 0);
    chan_free(c);
}
