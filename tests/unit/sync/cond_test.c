/* SPDX-License-Identifier: MIT */
/* go_cond: who is woken, in which order, and what a deadline leaves behind. */
#include "unit/sync/parked.h"

static go_mutex mu;
static go_cond cond;
static int awake, order[64];

static void wait_once(int i)
{
    with_lock(&mu) {
        cond_wait(&cond, &mu);
        order[awake++] = i;
    }
}

static int awake_now(void)
{
    int n = 0;
    with_lock(&mu) {
        n = awake;
    }
    return n;
}

static void await_awake(int n)
{
    while (awake_now() != n) {
        go_yield();
    }
}

static void expect_idle(void)
{
    EXPECT_EQ_PTR(cond.head, NULL);
    EXPECT_EQ_UINT(cond.count, 0);
    EXPECT_EQ_UINT(cond.lock, 0);
    EXPECT(mutex_trylock(&mu));
    mutex_unlock(&mu);
}

TEST(cond, signal_wakes_one_at_a_time)
{
    for (int i = 0; i < 2; i++) {
        go(wait_once, i);
    }
    parked_await(GOI_WAIT_COND, 2);
    EXPECT_EQ_INT(awake_now(), 0);
    cond_signal(&cond);
    await_awake(1);
    EXPECT_EQ_INT(parked_now(GOI_WAIT_COND), 1);
    with_lock(&mu) {
        cond_signal(&cond); /* the lock may be held */
    }
    await_awake(2);
    parked_alone();
    expect_idle();
}

TEST(cond, signal_wakes_in_the_order_of_the_waits)
{
    enum { N = 40 };
    for (int i = 0; i < N; i++) {
        go(wait_once, i);
        parked_await(GOI_WAIT_COND, i + 1);
    }
    for (int i = 0; i < N; i++) {
        cond_signal(&cond);
        await_awake(i + 1);
        EXPECT_EQ_INT(order[i], i);
    }
    parked_alone();
    expect_idle();
}

TEST(cond, broadcast_wakes_all_that_wait_and_no_other)
{
    enum { N = 50 };
    cond_broadcast(&cond);
    for (int i = 0; i < N; i++) {
        go(wait_once, i);
    }
    parked_await(GOI_WAIT_COND, N);
    EXPECT_EQ_INT(awake_now(), 0);
    cond_broadcast(&cond);
    parked_alone();
    EXPECT_EQ_INT(awake, N);
    expect_idle();
}

TEST(cond, signal_for_nobody_is_forgotten)
{
    cond_signal(&cond);
    mutex_lock(&mu);
    EXPECT_EQ_INT(cond_wait_until(&cond, &mu, go_now() + GO_MS), -ETIMEDOUT);
    mutex_unlock(&mu);
    expect_idle();
}

TEST(cond, late_waiter_has_the_mutex_and_leaves_nothing_behind)
{
    mutex_lock(&mu);
    EXPECT_EQ_INT(cond_wait_until(&cond, &mu, 0), -ETIMEDOUT);
    EXPECT_EQ_INT(cond_wait_until(&cond, &mu, go_now() + 2 * GO_MS), -ETIMEDOUT);
    EXPECT(!mutex_trylock(&mu));
    mutex_unlock(&mu);
    expect_idle();
}

static void signal_when_waiting(void)
{
    parked_await(GOI_WAIT_COND, 1);
    cond_signal(&cond);
}

TEST(cond, wait_until_and_wait_ctx_return_0_when_woken)
{
    mutex_lock(&mu);
    go(signal_when_waiting);
    EXPECT_EQ_INT(cond_wait_until(&cond, &mu, GO_FOREVER), 0);
    go(signal_when_waiting);
    EXPECT_EQ_INT(cond_wait_until(&cond, &mu, go_now() + GO_HOUR), 0);
    go(signal_when_waiting);
    EXPECT_EQ_INT(go_cond_wait_ctx(NULL, &cond, &mu), 0);
    go(signal_when_waiting);
    EXPECT_EQ_INT(go_cond_wait_ctx(ctx_background(), &cond, &mu), 0);
    mutex_unlock(&mu);
    expect_idle();
}

/* What one waits for is taken by others meanwhile, in turns: 0 asks, 1 answers, 2 acknowledges. */
static int turn;

static void take_turns(int me, int rounds, go_waitgroup *wg)
{
    for (int i = 0; i < rounds; i++) {
        mutex_lock(&mu);
        while (turn != me) {
            cond_wait(&cond, &mu);
        }
        turn = (me + 1) % 3;
        cond_broadcast(&cond);
        mutex_unlock(&mu);
    }
    wg_done(wg);
}

TEST(cond, turns_are_taken_without_loss)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 3);
    for (int i = 0; i < 3; i++) {
        go(take_turns, i, (int)test_iterations(2000), &wg);
    }
    wg_wait(&wg);
    expect_idle();
}

/* A signal goes to who waited when it was given, not to who comes after: once, a later
 * waiter could steal it. */
static bool released;

static void first_waiter(go_waitgroup *wg)
{
    mutex_lock(&mu);
    cond_wait(&cond, &mu);
    released = true;
    mutex_unlock(&mu);
    wg_done(wg);
}

static void second_waiter(go_waitgroup *wg)
{
    mutex_lock(&mu);
    while (!released) {
        cond_wait(&cond, &mu);
    }
    mutex_unlock(&mu);
    wg_done(wg);
}

TEST(cond, signal_is_not_stolen_by_a_later_waiter)
{
    for (long i = test_iterations(500); i > 0; i--) {
        go_waitgroup wg = {0};
        released = false;
        wg_add(&wg, 2);
        go(first_waiter, &wg);
        parked_await(GOI_WAIT_COND, 1);
        mutex_lock(&mu);
        cond_signal(&cond);
        mutex_unlock(&mu);
        go(second_waiter, &wg);
        while (true) {
            mutex_lock(&mu);
            cond_broadcast(&cond);
            bool over = released;
            mutex_unlock(&mu);
            if (over) {
                break;
            }
            go_yield();
        }
        cond_broadcast(&cond);
        wg_wait(&wg);
    }
    expect_idle();
}

/* Deadlines and signals meet: each item is taken exactly once, a late waiter passes its signal. */
static int items, taken;
static bool closed;

static void consume(go_waitgroup *wg)
{
    mutex_lock(&mu);
    while (!closed || items > 0) {
        if (items > 0) {
            items--;
            taken++;
            continue;
        }
        (void)cond_wait_until(&cond, &mu, go_now() + (go_id() % 3) * 20 * GO_US);
    }
    mutex_unlock(&mu);
    wg_done(wg);
}

TEST(cond, deadlines_and_signals_race)
{
    const int n = (int)test_iterations(5000);
    go_waitgroup wg = {0};
    wg_add(&wg, 6);
    for (int i = 0; i < 6; i++) {
        go(consume, &wg);
    }
    for (int i = 0; i < n; i++) {
        mutex_lock(&mu);
        items++;
        mutex_unlock(&mu);
        cond_signal(&cond);
    }
    mutex_lock(&mu);
    closed = true;
    mutex_unlock(&mu);
    cond_broadcast(&cond);
    wg_wait(&wg);
    EXPECT_EQ_INT(taken, n);
    expect_idle();
}

DEATH_TEXT(cond, copy_of_a_used_one_panics, 2, "panic: sync.Cond is copied\n")
{
    cond_signal(&cond);
    go_cond copy = cond; // gort:vet ignore copylocks that it is noticed is the test
    cond_signal(&copy);
}

DEATH_TEXT(cond, wait_without_the_mutex_is_fatal, 2,
           "fatal error: sync: unlock of unlocked mutex\n")
{
    cond_wait(&cond, &mu);
}
