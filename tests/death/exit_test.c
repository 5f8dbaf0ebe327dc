/* SPDX-License-Identifier: MIT */
/* When main returns, or anybody calls exit, the process ends at once: nobody waits for the other
 * goroutines, none of them runs on, and the program's own exit handlers run. */
#include "death.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>

/* What the goroutines see of the world after the exit: one byte each, through a pipe that outlives
 * the process. */
static int pipes[2];

static void write_for_ever(void)
{
    for (;;) {
        if (write(pipes[1], "x", 1) < 0) {
            return;
        }
        go_yield();
    }
}
static void block_for_ever(chan(int) c) { (void)chan_recv(c); }
static void compute_for_ever(void)
{
    for (volatile unsigned long i = 0;; i++) {
    }
}

static void crowd(void)
{
    static chan(int) c; /* static: the goroutines that hold it are never left */
    c = chan_make(int);
    for (int i = 0; i < 100; i++) {
        go(block_for_ever, c);
        go(go_sleep, GO_HOUR);
    }
    go(write_for_ever);
    go(write_for_ever);
    go(compute_for_ever);
    go_sleep(GO_MS);
}

static void handler(void) { fprintf(stderr, "handler\n"); }
static void body_returns(void *arg)
{
    (void)arg;
    atexit(handler);
    if (pipe(pipes) != 0) {
        return;
    }
    crowd();
    printf("printed");
}

TEST(exit, main_returns_beside_goroutines_that_run_block_and_sleep)
{
    for (long i = test_iterations(20); i > 0; i--) {
        struct test_run run;
        test_run_function(&run, 20, body_returns, NULL);
        (void)death_judge(&run, 0, "handler\n", __FILE__, __LINE__);
        EXPECT_EQ_STR(run.out, "printed");
        test_run_free(&run);
    }
}

/* An exit handler sees a process in which the others still run, since it may need them; after the
 * last handler none enters the runtime again. The order of handlers is the C library's. */
static void early(void) { fprintf(stderr, "registered before the runtime started\n"); }
static void late(void)
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 7);
    fprintf(stderr, "registered later, uses channels: %d\n", chan_recv(c));
    chan_free(c);
}
static void body_order(void *arg)
{
    (void)arg;
    atexit(early);
    go_yield();
    atexit(late);
}
TEST(exit, handlers_run_in_their_order)
{
    EXPECT_DEATH(body_order, NULL, 0,
                 "registered later, uses channels: 7\n"
                 "registered before the runtime started\n");
}

enum { COUNTERS = 4 };
static long counted; /* by goroutines, until the runtime stops them */
static void count(void)
{
    for (;;) {
        __atomic_fetch_add(&counted, 1, __ATOMIC_RELAXED);
        go_yield();
    }
}
static void nobody_runs(void)
{
    /* Each may finish its step, however late its thread gets to it. */
    usleep(5000);
    long before = __atomic_load_n(&counted, __ATOMIC_RELAXED);
    usleep(50000);
    long after = __atomic_load_n(&counted, __ATOMIC_RELAXED);
    bool stopped = before > 0 && after <= before + COUNTERS;
    if (stopped) {
        fprintf(stderr, "stopped\n");
    } else {
        fprintf(stderr, "%ld, then %ld\n", before, after);
    }
}
static void body_stopped(void *arg)
{
    (void)arg;
    atexit(nobody_runs); /* before the runtime's own, so it runs after it */
    for (int i = 0; i < COUNTERS; i++) {
        go(count);
    }
    while (__atomic_load_n(&counted, __ATOMIC_RELAXED) == 0) {
        go_sleep(20 * GO_MS);
    }
}
TEST(exit, no_other_goroutine_runs_on)
{
    EXPECT_DEATH(body_stopped, NULL, 0, "stopped\n");
}

static void exits(int status) { exit(status); }
static void *thread_exits(void *arg)
{
    exit(*(int *)arg);
}
static void body_goroutine_exits(void *arg)
{
    atexit(handler);
    go(exits, *(int *)arg);
    go_sleep(20 * GO_SEC);
}
static void body_thread_exits(void *arg)
{
    pthread_t t;
    atexit(handler);
    go_yield();
    pthread_create(&t, NULL, thread_exits, arg);
    pthread_join(t, NULL);
    go_sleep(20 * GO_SEC);
}
static void body_quick(void *arg)
{
    atexit(handler);
    crowd();
    _exit(*(int *)arg);
}
TEST(exit, the_status_is_passed_on_from_anywhere)
{
    for (int status = 0; status <= 7; status += 7) {
        EXPECT_DEATH(body_goroutine_exits, &status, status, "handler\n");
        EXPECT_DEATH(body_thread_exits, &status, status, "handler\n");
        EXPECT_DEATH(body_quick, &status, status, "");
    }
}

/* Main has moved to another thread, as any goroutine does; it may still return from there. */
static void hog(void)
{
    for (;;) {
        go_yield();
    }
}
static void body_moved(void *arg)
{
    (void)arg;
    atexit(handler);
    for (int i = 0; i < 8; i++) {
        go(hog);
    }
    for (int i = 0; i < 1000; i++) {
        go_yield();
    }
    go_sleep(GO_MS);
}
TEST(exit, after_main_has_changed_its_thread)
{
    for (long i = test_iterations(10); i > 0; i--) {
        EXPECT_DEATH(body_moved, NULL, 0, "handler\n");
    }
}
