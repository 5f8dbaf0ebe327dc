/* SPDX-License-Identifier: MIT */
/* Waits that end with a context: the error it gives, an end that came before, and no trace left in
 * the object or in the context. */
#include "unit/sync/parked.h"
#include "chan/chan.h"

static go_mutex mu;
static go_rwmutex rw;
static go_cond cond;
static go_waitgroup wg;
static go_sem sem = {.size = 1};
static go_rate rate;
static go_single single;

static int fly(void *arg, void **result)
{
    (void)result;
    (void)chan_recv(*(chan(int) *)arg);
    return 5;
}

static int lock_mutex(go_ctx *ctx) { return mutex_lock_ctx(ctx, &mu); }
static int lock_rw(go_ctx *ctx) { return go_rwmutex_lock_ctx(ctx, &rw); }
static int rlock_rw(go_ctx *ctx) { return go_rwmutex_rlock_ctx(ctx, &rw); }
static int wait_cond(go_ctx *ctx)
{
    static go_mutex own;
    mutex_lock(&own);
    int r = go_cond_wait_ctx(ctx, &cond, &own);
    mutex_unlock(&own);
    return r;
}
static int wait_wg(go_ctx *ctx) { return wg_wait_ctx(ctx, &wg); }
static int acquire_sem(go_ctx *ctx) { return sem_acquire(ctx, &sem, 1); }
static int acquire_too_much(go_ctx *ctx) { return sem_acquire(ctx, &sem, 2); }
static int wait_rate(go_ctx *ctx) { return rate_wait(ctx, &rate); }
static int share_flight(go_ctx *ctx)
{
    return go_single_do_ctx(ctx, &single, "key", fly, NULL, NULL, NULL);
}

/* Everything is taken, so that everybody waits. */
static chan(int) land;

static void fly_first(void)
{
    EXPECT_EQ_INT(single_do(&single, "key", fly, &land, NULL, NULL), 5);
}

static void take_all(void)
{
    mutex_lock(&mu);
    rwmutex_lock(&rw);
    wg_add(&wg, 1);
    EXPECT(sem_try_acquire(&sem, 1));
    rate_set(&rate, 1e-3, 1);
    EXPECT(rate_allow(&rate));
    land = chan_make(int);
    go(fly_first);
    parked_await(GOI_WAIT_CHAN_RECV, 1);
}

static void expect_all_idle(void)
{
    mutex_unlock(&mu);
    rwmutex_unlock(&rw);
    wg_done(&wg);
    sem_release(&sem, 1);
    chan_send(land, 1);
    parked_alone();
    chan_free(land);
    EXPECT_EQ_UINT(mu.state & ~MUTEX_SHARED, 0);
    EXPECT_EQ_UINT(rw.state, 0);
    EXPECT_EQ_UINT(rw.w.state & ~MUTEX_SHARED, 0);
    EXPECT_EQ_PTR(cond.head, NULL);
    EXPECT_EQ_UINT(wg.state, 0);
    EXPECT_EQ_INT(sem.taken, 0);
    EXPECT_EQ_PTR(single.impl, NULL);
}

static int (*const waits[])(go_ctx *ctx) = {lock_mutex, lock_rw, rlock_rw, wait_cond, wait_wg,
                                            acquire_sem, acquire_too_much, wait_rate,
                                            share_flight};
enum { WAITS = sizeof waits / sizeof *waits };

/* The receivers that wait for the end of ctx. */
static size_t watchers(go_ctx *ctx)
{
    struct go_chan *c = (struct go_chan *)(uintptr_t)go_ctx_done(ctx);
    return ld_rlx(&c->recvq.n);
}

TEST(limit, a_context_that_has_ended_wins)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    ctx_cancel(ctx);
    EXPECT_EQ_INT(lock_mutex(ctx), -ECANCELED);
    EXPECT_EQ_INT(lock_rw(ctx), -ECANCELED);
    EXPECT_EQ_INT(rlock_rw(ctx), -ECANCELED);
    EXPECT_EQ_INT(wait_cond(ctx), -ECANCELED);
    EXPECT_EQ_INT(wait_wg(ctx), 0); /* there is nothing to wait for */
    EXPECT_EQ_INT(acquire_sem(ctx), -ECANCELED);
    EXPECT_EQ_INT(wait_rate(ctx), -ECANCELED);
    EXPECT_EQ_UINT(mu.state & ~MUTEX_SHARED, 0);
    EXPECT_EQ_INT(sem.taken, 0);
    ctx_free(ctx);
}

static void wait_one(int i, go_ctx *ctx, int want, go_waitgroup *over)
{
    int got = waits[i](ctx);
    if (got != want) {
        FAIL("wait %d gave %d, not %d", i, got, want);
    }
    wg_done(over);
}

TEST(limit, cancelling_ends_every_wait)
{
    take_all();
    for (int round = 0; round < 3; round++) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go_waitgroup over = {0};
        wg_add(&over, WAITS);
        for (int i = 0; i < WAITS; i++) {
            go(wait_one, i, ctx, -ECANCELED, &over);
        }
        while (watchers(ctx) != WAITS) { /* ends: all come to wait */
            go_sleep(20 * GO_US);
        }
        ctx_cancel(ctx);
        wg_wait(&over);
        EXPECT_EQ_UINT(watchers(ctx), 0);
        ctx_free(ctx);
    }
    expect_all_idle();
}

TEST(limit, a_deadline_ends_every_wait)
{
    take_all();
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    go_waitgroup over = {0};
    wg_add(&over, WAITS);
    for (int i = 0; i < WAITS; i++) {
        go(wait_one, i, ctx, -ETIMEDOUT, &over);
    }
    wg_wait(&over);
    EXPECT_EQ_UINT(watchers(ctx), 0);
    ctx_free(ctx);
    expect_all_idle();
}

/* Ends and wakes race; whoever gets it gives it back. */
static void contend(long times, go_waitgroup *over)
{
    for (long i = 0; i < times; i++) {
        go_ctx *ctx = ctx_with_timeout(ctx_background(), (i % 4) * 5 * GO_US);
        if (mutex_lock_ctx(ctx, &mu) == 0) {
            go_yield();
            mutex_unlock(&mu);
        }
        if (sem_acquire(ctx, &sem, 1) == 0) {
            go_yield();
            sem_release(&sem, 1);
        }
        if (go_rwmutex_rlock_ctx(ctx, &rw) == 0) {
            rwmutex_runlock(&rw);
        }
        if (go_rwmutex_lock_ctx(ctx, &rw) == 0) {
            go_yield();
            rwmutex_unlock(&rw);
        }
        ctx_free(ctx);
    }
    wg_done(over);
}

TEST(limit, ends_and_wakes_race)
{
    go_waitgroup over = {0};
    wg_add(&over, 8);
    for (int i = 0; i < 8; i++) {
        go(contend, test_iterations(400), &over);
    }
    wg_wait(&over);
    EXPECT_EQ_UINT(mu.state & ~MUTEX_SHARED, 0);
    EXPECT_EQ_UINT(rw.state, 0);
    EXPECT_EQ_INT(sem.taken, 0);
    EXPECT_EQ_PTR(sem.head, NULL);
}
