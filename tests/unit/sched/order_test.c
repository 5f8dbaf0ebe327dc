/* SPDX-License-Identifier: MIT */
/* Who runs after a wake: who was woken, before a crowd that merely could run. One P, and a thousand
 * goroutines that count their turns between the wake and the first step of who was woken. */
#include "harness.h"
#include <gort.h>
#include <gort/short.h>

enum { CROWD = 1000 };

/* Atomic: where the machine is so slow that a goroutine's P is taken from it, that one goes on
 * beside the others to its next call. For that a turn or two are forgiven. */
static _Atomic bool stop;
static _Atomic long turns, at;
enum { FORGIVEN = 2 };
static go_waitgroup crowd_done;
static chan(long) result;

static void crowd(void)
{
    while (!stop) {
        turns++;
        go_yield();
    }
    wg_done(&crowd_done);
}

static void begin(void)
{
    go_maxprocs(1);
    stop = false;
    result = chan_make(long, 1);
    wg_add(&crowd_done, CROWD);
    for (int i = 0; i < CROWD; i++) {
        go(crowd);
    }
}

static void end(void)
{
    stop = true;
    wg_wait(&crowd_done);
    chan_free(result);
}

/* Until the goroutine started last waits; then the clock of turns is set. */
static void let_it_wait(void)
{
    for (int i = 0; i < 5; i++) {
        go_yield();
    }
    at = turns;
}

static void woken(void) { chan_send(result, turns - at); }

/* Who is woken inherits what is left of the waker's time slice, and that is measured by the wall:
 * a machine that runs something else for 10 ms between the two has used it up, and the crowd is
 * rightly first. It does not do so at each of a dozen wakes; who queues behind the crowd does. */
static long least(long (*turns_between)(void))
{
    long best = turns_between();
    for (int i = 0; i < 12 && best > FORGIVEN; i++) {
        long again = turns_between();
        best = again < best ? again : best;
    }
    return best;
}

static void wait_cancelled(go_ctx *ctx)
{
    chan(int) never = chan_make(int);
    switch (chan_select(recv(ended, ctx_done(ctx)), recv(value, never, NULL))) {
    case ended:
    case value:
        woken();
    }
    chan_free(never);
}

static long cancel_one(void)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go(wait_cancelled, ctx);
    let_it_wait();
    ctx_cancel(ctx);
    long late = chan_recv(result);
    ctx_free(ctx);
    return late;
}

static long cancel_the_child_of_two(void)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *child = ctx_with_cancel(parent);
    go(wait_cancelled, parent);
    go(wait_cancelled, child);
    let_it_wait();
    ctx_cancel(child);
    long late = chan_recv(result);
    ctx_cancel(parent);
    chan_recv(result);
    ctx_free(child);
    ctx_free(parent);
    return late;
}

static long cancel_the_parent(void)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *child = ctx_with_cancel(parent);
    go(wait_cancelled, child);
    let_it_wait();
    ctx_cancel(parent);
    long late = chan_recv(result);
    ctx_free(child);
    ctx_free(parent);
    return late;
}

TEST(order, a_cancelled_select_runs_next)
{
    begin();
    EXPECT_INT(least(cancel_one), <=, FORGIVEN);
    EXPECT_INT(least(cancel_the_child_of_two), <=, FORGIVEN);
    EXPECT_INT(least(cancel_the_parent), <=, FORGIVEN);
    end();
}

static void wait_closed(chan(int) c)
{
    chan_recv(c);
    woken();
}

static go_sem sem = {.size = 1};
static go_rwmutex rw;
static go_mutex mu;
static go_cond cond;
static bool condition;

static void wait_sem(void)
{
    (void)!sem_acquire(NULL, &sem, 1);
    woken();
    sem_release(&sem, 1);
}

static void wait_read(void)
{
    rwmutex_rlock(&rw);
    woken();
    rwmutex_runlock(&rw);
}

static void wait_broadcast(void)
{
    mutex_lock(&mu);
    while (!condition) {
        cond_wait(&cond, &mu);
    }
    mutex_unlock(&mu);
    woken();
}

static long close_it(void)
{
    chan(int) c = chan_make(int);
    go(wait_closed, c);
    let_it_wait();
    chan_close(c);
    long late = chan_recv(result);
    chan_free(c);
    return late;
}

static long release_it(void)
{
    (void)!sem_acquire(NULL, &sem, 1);
    go(wait_sem);
    let_it_wait();
    sem_release(&sem, 1);
    return chan_recv(result);
}

static long unlock_for_readers(void)
{
    rwmutex_lock(&rw);
    go(wait_read);
    let_it_wait();
    rwmutex_unlock(&rw);
    return chan_recv(result);
}

static long broadcast(void)
{
    condition = false;
    go(wait_broadcast);
    let_it_wait();
    mutex_lock(&mu);
    condition = true;
    cond_broadcast(&cond);
    mutex_unlock(&mu);
    return chan_recv(result);
}

TEST(order, of_what_a_broadcast_wakes_the_first_runs_next)
{
    begin();
    EXPECT_INT(least(close_it), <=, FORGIVEN);
    EXPECT_INT(least(release_it), <=, FORGIVEN);
    EXPECT_INT(least(unlock_for_readers), <=, FORGIVEN);
    EXPECT_INT(least(broadcast), <=, FORGIVEN);
    end();
}

static _Atomic long got;
static long returned;

static void wait_lock(void)
{
    mutex_lock(&mu);
    got = turns;
    mutex_unlock(&mu);
}

static long starve_one(void)
{
    go_maxprocs(1);
    got = -1;
    mutex_lock(&mu);
    go(wait_lock);
    go_yield();
    go_time begun = go_now();
    while (go_since(begun) < 3 * GO_MS) { /* ends: time passes */
    }
    mutex_unlock(&mu);
    mutex_lock(&mu); /* barged in: who waits has waited too long, and will be given it */
    go_yield();
    go_yield();
    begin();
    let_it_wait();
    mutex_unlock(&mu);
    returned = turns - at;
    while (got < 0) { /* ends: it runs at the latest when everybody has had a turn */
        go_yield();
    }
    long late = got - at;
    end();
    return late;
}

/* By how many turns it was later than after one of each of the others. */
static long come_back(void)
{
    (void)starve_one();
    return returned - CROWD;
}

/* Go: runtime_Semrelease(handoff = true) yields to the new owner, which inherits the time slice. */
TEST(order, a_starving_waiter_owns_the_mutex_and_runs_at_once)
{
    EXPECT_INT(least(starve_one), <=, FORGIVEN);
    EXPECT_INT(least(come_back), <=, FORGIVEN);
}
