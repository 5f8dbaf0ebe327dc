/* SPDX-License-Identifier: MIT */
/* Timers started, stopped and reset from everywhere at once; and very many of them. */
#include "chan/timer_chan.h"
#include "harness.h"
#include "unit/time/pending.h"
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdlib.h>

static void check_heaps(void)
{
    struct m *m = goi_enter();
    for (int i = 0; i < goi_procs_made(); i++) {
        goi_timers_check(goi_sched.procs[i]->timers);
    }
    goi_leave(m);
}

/* Each start either runs the function or was taken back, which stop or reset then said. */
struct account {
    goi_a64 runs;
    uint64_t starts, cancelled;
    go_timer *t;
};

static void count_run(struct account *a) { add_rlx(&a->runs, 1); }

static void drive(struct account *a, long rounds, uint64_t seed)
{
    struct goi_rand r = {seed};
    a->t = go_after_func(0, count_run, a);
    a->starts = 1;
    for (long i = 0; i < rounds; i++) {
        switch (goi_rand_below(&r, 4)) {
        case 0:
            a->cancelled += timer_stop(a->t);
            break;
        case 1:
            go_sleep(goi_rand_below(&r, 50) * GO_US);
            break;
        default:
            a->starts++;
            a->cancelled += timer_reset(a->t, goi_rand_below(&r, 100) * GO_US);
            break;
        }
    }
    a->cancelled += timer_stop(a->t);
}

static void settle(struct account *a)
{
    while (ld_rlx(&a->runs) < a->starts - a->cancelled) { /* started ones come to their end */
        go_sleep(100 * GO_US);
    }
    EXPECT_EQ_UINT(ld_rlx(&a->runs), a->starts - a->cancelled);
    timer_free(a->t);
}

static void drive_then_send(struct account *a, long rounds, uint64_t seed, chan(int) done)
{
    drive(a, rounds, seed);
    chan_send(done, 1);
}

static void *drive_thread(void *arg)
{
    struct account *a = arg;
    drive(a, test_iterations(1000), test_seed() + (uintptr_t)a);
    return NULL;
}

TEST(timer, every_start_runs_or_was_taken_back)
{
    enum { GOROUTINES = 8, THREADS = 2 };
    static struct account a[GOROUTINES + THREADS];
    pthread_t threads[THREADS];
    chan(int) done = chan_make(int, GOROUTINES);
    go_yield();
    for (int i = 0; i < THREADS; i++) {
        REQUIRE_EQ_INT(pthread_create(&threads[i], NULL, drive_thread, &a[GOROUTINES + i]), 0);
    }
    for (int i = 0; i < GOROUTINES; i++) {
        go(drive_then_send, &a[i], test_iterations(2000), test_seed() + (uint64_t)i, done);
    }
    for (int i = 0; i < GOROUTINES; i++) {
        (void)chan_recv(done);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < GOROUTINES + THREADS; i++) {
        settle(&a[i]);
    }
    check_heaps();
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
    chan_free(done);
}

/* Several goroutines stop and reset one timer, others receive from it. */
static void meddle(go_timer *t, long rounds, uint64_t seed, chan(int) done)
{
    struct goi_rand r = {seed};
    for (long i = 0; i < rounds; i++) {
        (void)timer_reset(t, goi_rand_below(&r, 30) * GO_US);
        if (goi_rand_below(&r, 3) == 0) {
            (void)timer_stop(t);
        }
        go_yield();
    }
    chan_send(done, 1);
}

static void receive_many(go_timer *t, goi_abool *over, chan(int) done)
{
    go_time last = 0;
    while (!ld_rlx(over)) {
        go_time v = 0;
        if (chan_recv_until(timer_c(t), &v, go_now() + 50 * GO_US) == 0) {
            EXPECT(v <= go_now());
            EXPECT(v > 0);
            last = v;
        }
    }
    (void)last;
    chan_send(done, 1);
}

TEST(timer, shared_by_many_gives_nothing_after_the_last_stop)
{
    enum { MEDDLERS = 3, RECEIVERS = 3 };
    static goi_abool over;
    go_timer *t = go_timer_make(0);
    chan(int) done = chan_make(int);
    for (int i = 0; i < MEDDLERS; i++) {
        go(meddle, t, test_iterations(3000), test_seed() + (uint64_t)i, done);
    }
    for (int i = 0; i < RECEIVERS; i++) {
        go(receive_many, t, &over, done);
    }
    for (int i = 0; i < MEDDLERS; i++) {
        (void)chan_recv(done);
    }
    (void)timer_stop(t);
    st_rlx(&over, true);
    for (int i = 0; i < RECEIVERS; i++) {
        (void)chan_recv(done);
    }
    EXPECT(!chan_try_recv(timer_c(t), (go_time *)NULL));
    pending_none();
    while (ld_rlx(&t->chan.refs) != 1) { /* ends: who was about to run it finds it stopped */
        go_yield();
    }
    check_heaps();
    timer_free(t);
    chan_free(done);
}

/* The promise of Go 1.23, where it is hardest: a receiver waits all the time, the timer is about to
 * fire, and after stop nothing comes. */
static void count_values(recv_chan(go_time) c, goi_a64 *received, chan(int) quit)
{
    for (;;) {
        switch (chan_select(recv(value, c), recv(end, quit))) {
        case value:
            add_acqrel(received, 1);
            break;
        case end:
            return;
        }
    }
}

TEST(timer, stop_that_says_true_means_nobody_gets_the_value)
{
    static goi_a64 received;
    go_timer *t = go_timer_make(GO_HOUR);
    chan(int) quit = chan_make(int);
    uint64_t expected = 0;
    struct goi_rand r = {test_seed()};
    go(count_values, timer_c(t), &received, quit);
    long rounds = test_iterations(5000);
    for (long i = 0; i < rounds; i++) {
        (void)timer_reset(t, goi_rand_below(&r, 20) * GO_US);
        go_time until = go_now() + goi_rand_below(&r, 20) * GO_US;
        while (go_now() < until) {
            go_yield();
        }
        expected += !timer_stop(t);
    }
    chan_send(quit, 1);
    while (go_count() > 1) { /* out of its select, which still knows the timer's channel */
        go_yield();
    }
    EXPECT_EQ_UINT(ld_acq(&received), expected);
    pending_none();
    timer_free(t);
    chan_free(quit);
}

TEST_LONG(timer, a_million_pending_can_be_stopped_in_any_order, 60)
{
    long n = test_iterations(1000000);
    go_timer **t = calloc((size_t)n, sizeof *t);
    static struct account a;
    REQUIRE(t != NULL);
    for (long i = 0; i < n; i++) {
        t[i] = go_after_func(GO_HOUR + (i * 7919) % 1000003 * GO_US, count_run, &a);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), (size_t)n);
    for (long i = 0; i < n; i++) {
        long k = (long)((unsigned long)i * 7919 % (unsigned long)n);
        if (t[k] != NULL) {
            EXPECT(timer_stop(t[k]));
            timer_free(t[k]);
            t[k] = NULL;
        }
    }
    for (long i = 0; i < n; i++) {
        timer_free(t[i]);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
    EXPECT_EQ_UINT(ld_rlx(&a.runs), 0);
    check_heaps();
    free(t);
}

TEST(timer, survives_changes_of_maxprocs)
{
    static struct account a[64];
    for (int i = 0; i < 64; i++) {
        a[i].t = go_after_func((1 + i % 5) * GO_MS, count_run, &a[i]);
        a[i].starts = 1;
        (void)go_maxprocs(1 + i % 4);
        go_yield();
    }
    for (int i = 0; i < 64; i++) {
        settle(&a[i]);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
}
