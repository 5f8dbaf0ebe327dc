/* SPDX-License-Identifier: MIT */
/* Short names without parentheses: what Go programs defer and start. Compiled as C and as C++. */
#include "harness.h"
#include <gort/short.h>

static void produce(chan(int) out, go_waitgroup *wg, go_mutex *mu)
{
    defer(wg_done, wg);
    defer(chan_close, out);
    mutex_lock(mu);
    defer(mutex_unlock, mu);
    for (int i = 0; i < 3; i++) {
        chan_send(out, i);
    }
}

TEST(names, are_functions_where_they_are_not_called)
{
    go_waitgroup wg = GOI_ZERO, waiter = GOI_ZERO;
    go_mutex mu = GOI_ZERO;
    chan(int) c = chan_make(int);
    defer(chan_free, c);
    int sum = 0;
    wg_add(&wg, 1);
    go(produce, c, &wg, &mu);
    chan_for(v, c) {
        sum += v;
    }
    EXPECT_EQ_INT(sum, 3);
    wg_go(&waiter, wg_wait, &wg);
    wg_wait(&waiter);
    EXPECT(mutex_trylock(&mu));
}

TEST(names, unlock_what_is_locked)
{
    static go_rwmutex rw;
    static go_sem sem;
    sem.size = 1;
    EXPECT_EQ_INT(sem_acquire(ctx_background(), &sem, 1), 0);
    {
        defer(sem_release, &sem, 1);
        rwmutex_rlock(&rw);
        defer(rwmutex_runlock, &rw);
        EXPECT(!rwmutex_trylock(&rw));
        EXPECT(!sem_try_acquire(&sem, 1));
    }
    {
        rwmutex_lock(&rw);
        defer(rwmutex_unlock, &rw);
    }
    EXPECT(rwmutex_trylock(&rw));
    EXPECT(sem_try_acquire(&sem, 1));
}

TEST(names, end_contexts_and_timers)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    defer(ctx_free, ctx);
    {
        defer(ctx_cancel, ctx);
        EXPECT_EQ_INT(ctx_err(ctx), 0);
    }
    EXPECT(ctx_err(ctx) != 0);
    go_ticker *t = go_ticker_make(GO_HOUR);
    defer(ticker_free, t);
    defer(ticker_stop, t);
}

/* They are no keywords: fields and variables may have the same names. */
TEST(names, are_free_for_fields_and_variables)
{
    struct {
        int wg_done, chan_close;
    } s = { 1, 2 };
    int mutex_unlock = s.wg_done + s.chan_close;
    EXPECT_EQ_INT(mutex_unlock, 3);
}
