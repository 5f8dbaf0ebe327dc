/* SPDX-License-Identifier: MIT */
/* The last reference goes while goroutines wait: they learn of the end, and touch nothing that is
 * gone (AddressSanitizer looks). */
#include "chan/chan.h"
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

static void await_count(int n)
{
    while (go_count() > n) {
        go_yield();
    }
}

/* Until n receives wait there. */
static void await_waiting(const volatile void *c, uint32_t n)
{
    const struct go_chan *raw = (const struct go_chan *)(uintptr_t)c;
    while (ld_rlx(&raw->recvq.n) != n) {
        go_yield();
    }
}

static int ended;

static void one_more(void) { __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST); }

static void in_a_select(go_ctx *ctx, chan(int) never)
{
    switch (chan_select(recv(end, ctx_done(ctx)), recv(got, never))) {
    case end:
        one_more();
        break;
    case got:
        break;
    }
}

static void in_a_receive(go_ctx *ctx)
{
    chan_recv(ctx_done(ctx));
    one_more();
}

static void until_later(go_ctx *ctx)
{
    char none;
    EXPECT_EQ_INT(chan_recv_until(ctx_done(ctx), &none, go_now() + GO_HOUR), -EPIPE);
    one_more();
}

/* Where another case is taken at the same time, the context may go before the select is over. */
TEST(ctx_free, in_a_select_that_takes_another_case)
{
    long rounds = test_iterations(500);
    chan(int) other = chan_make(int);
    for (long i = 0; i < rounds; i++) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go(in_a_select, ctx, other);
        await_waiting(ctx_done(ctx), 1);
        (void)chan_try_send(other, 1);
        ctx_free(ctx);
        await_count(1);
    }
    chan_free(other);
}

TEST(ctx_free, tells_those_who_wait)
{
    chan(int) never = chan_make(int);
    long rounds = test_iterations(100);
    for (long i = 0; i < rounds; i++) {
        go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_HOUR);
        ended = 0;
        go(in_a_select, ctx, never);
        go(in_a_receive, ctx);
        go(until_later, ctx);
        go(in_a_select, ctx, never);
        await_waiting(ctx_done(ctx), 4);
        ctx_free(ctx);
        await_count(1);
        REQUIRE_EQ_INT(ended, 4);
    }
    chan_free(never);
}

static void until_soon(go_ctx *ctx, go_time deadline)
{
    char none;
    (void)chan_recv_until(ctx_done(ctx), &none, deadline);
}

TEST(ctx_free, of_a_context_meets_a_wait_that_ends_by_itself)
{
    long rounds = test_iterations(300);
    for (long i = 0; i < rounds; i++) {
        go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_HOUR);
        go_ctx *own = ctx_ref(ctx); /* for the look below, at a context that may be left by then */
        const struct go_chan *raw = (const struct go_chan *)(uintptr_t)ctx_done(ctx);
        go(until_soon, ctx, go_now() + i % 20 * GO_US);
        while (ld_rlx(&raw->recvq.n) == 0 && go_count() > 1) {
            go_yield();
        }
        ctx_free(own);
        ctx_free(ctx);
        await_count(1);
    }
}

static void with_its_own(go_ctx *ctx, chan(int) out)
{
    defer(ctx_free, ctx);
    chan_recv(ctx_done(ctx));
    chan_send(out, ctx_err(ctx));
}

TEST(ctx_free, leaves_a_goroutine_its_own_reference)
{
    chan(int) out = chan_make(int);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go(with_its_own, ctx_ref(ctx), out);
    ctx_cancel(ctx);
    ctx_free(ctx);
    EXPECT_EQ_INT(chan_recv(out), -ECANCELED);
    chan_free(out);
}

/* Calls that take a context and have no reference to it. */
static go_mutex mu;
static go_rwmutex rw;
static go_cond cond;
static go_sem sem = {.size = 1};
static go_waitgroup group;
static go_rate rate;
static go_single single;
static chan(int) gate;

static int wait_at_gate(void *arg, void **result)
{
    (void)result;
    return chan_recv((chan(int))arg);
}

static int mutex_call(go_ctx *ctx) { return mutex_lock_ctx(ctx, &mu); }
static int rlock_call(go_ctx *ctx) { return rwmutex_rlock_ctx(ctx, &rw); }
static int lock_call(go_ctx *ctx) { return rwmutex_lock_ctx(ctx, &rw); }
static int sem_call(go_ctx *ctx) { return sem_acquire(ctx, &sem, 1); }
static int large_call(go_ctx *ctx) { return sem_acquire(ctx, &sem, 5); }
static int wg_call(go_ctx *ctx) { return wg_wait_ctx(ctx, &group); }
static int rate_call(go_ctx *ctx) { return rate_wait(ctx, &rate); }
static int single_call(go_ctx *ctx)
{
    return single_do_ctx(ctx, &single, "key", wait_at_gate, (void *)(uintptr_t)gate, NULL, NULL);
}
static int cond_call(go_ctx *ctx)
{
    static go_mutex own;
    guard(&own);
    return cond_wait_ctx(ctx, &cond, &own);
}

static void call(int (*fn)(go_ctx *), go_ctx *ctx, int *result) { *result = fn(ctx); }

static void lead(void)
{
    (void)single_do(&single, "key", wait_at_gate, (void *)(uintptr_t)gate, NULL, NULL);
}

TEST(ctx_free, ends_every_wait_that_it_limits)
{
    static int (*const calls[])(go_ctx *) = {mutex_call, rlock_call, lock_call,
                                             sem_call,   large_call, wg_call,
                                             rate_call,  cond_call,  single_call};
    static const go_ctx_key(int) key = 0;
    enum { N = sizeof calls / sizeof *calls };
    gate = chan_make(int);
    go(lead);
    await_waiting(gate, 1);
    mutex_lock(&mu);   // gort:vet ignore unlock nobody else may get it
    rwmutex_lock(&rw); // gort:vet ignore unlock nobody else may get it
    wg_add(&group, 1);
    rate_set(&rate, 0.001, 1);
    EXPECT(rate_allow(&rate));
    EXPECT_EQ_INT(sem_acquire(NULL, &sem, 1), 0);
    for (long r = test_iterations(20); r > 0; r--) {
        int results[2 * N] = {0};
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go_ctx *value = ctx_with_value(ctx, key, 1);
        for (int i = 0; i < 2 * N; i++) {
            go(call, calls[i / 2], i % 2 == 0 ? ctx : value, &results[i]);
        }
        await_waiting(ctx_done(ctx), 2 * N);
        ctx_free(value);
        ctx_free(ctx);
        await_count(2);
        for (int i = 0; i < 2 * N; i++) {
            EXPECT_EQ_INT(results[i], -ECANCELED);
        }
    }
    chan_send(gate, 0);
    await_count(1);
    chan_free(gate);
}

/* With a limit that nothing ends and nobody else keeps. */
TEST(ctx_free, leaves_nothing_behind_where_a_call_need_not_wait)
{
    go_ctx *ctx = ctx_without_cancel(ctx_background());
    go_ctx *other = ctx_with_cancel(ctx_background());
    gate = chan_make(int, 2);
    for (int i = 0; i < 2; i++) {
        go_ctx *c = i == 0 ? ctx : other;
        EXPECT_EQ_INT(mutex_lock_ctx(c, &mu), 0);
        EXPECT_EQ_INT(rwmutex_rlock_ctx(c, &rw), 0);
        EXPECT_EQ_INT(wg_wait_ctx(c, &group), 0);
        sem.size = 5;
        EXPECT_EQ_INT(sem_acquire(c, &sem, 1), 0);
        chan_send(gate, 3);
        EXPECT_EQ_INT(single_do_ctx(c, &single, "key", wait_at_gate, (void *)(uintptr_t)gate, NULL,
                                    NULL), 3);
        rate_set(&rate, 1000, 5);
        EXPECT_EQ_INT(rate_wait(c, &rate), 0);
        mutex_unlock(&mu);
        rwmutex_runlock(&rw);
    }
    ctx_free(ctx); /* the leak checker looks whether they have gone */
    ctx_free(other);
    chan_free(gate);
}

/* A channel likewise: who has been woken by the close is on the way. */
static void wait_for_quit(chan(int) quit, chan(int) never)
{
    int v = 1;
    bool ok = true;
    switch (chan_select(recv(end, quit, &v, &ok), recv(got, never))) {
    case end:
        EXPECT(!ok);
        EXPECT_EQ_INT(v, 0);
        one_more();
        break;
    case got:
        break;
    }
}

TEST(chan_free, may_follow_the_close_that_woke_a_select)
{
    chan(int) never = chan_make(int);
    for (long i = test_iterations(200); i > 0; i--) {
        chan(int) quit = chan_make(int);
        ended = 0;
        go(wait_for_quit, quit, never);
        go(wait_for_quit, quit, never);
        await_waiting(quit, 2);
        chan_close(quit);
        chan_free(quit);
        await_count(1);
        REQUIRE_EQ_INT(ended, 2);
    }
    chan_free(never);
}

static void cancels(go_ctx *ctx, bool with_cause)
{
    if (with_cause) {
        go_ctx_cancel_cause(ctx, -EIO, "a cause");
    } else {
        ctx_cancel(ctx);
    }
    one_more();
}

/* The canceller has no reference of its own, and is on its way back. */
TEST(ctx_free, by_who_was_woken_while_the_canceller_returns)
{
    long rounds = test_iterations(1000);
    __atomic_store_n(&ended, 0, __ATOMIC_SEQ_CST);
    for (long i = 0; i < rounds; i++) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go(cancels, ctx, i % 2 == 1);
        while (i % 4 < 2 && ctx_err(ctx) == 0) { /* another processor is at it; or it comes first */
            go_yield();
        }
        chan_recv(ctx_done(ctx));
        ctx_free(ctx);
    }
    await_count(1);
    EXPECT_EQ_INT(__atomic_load_n(&ended, __ATOMIC_SEQ_CST), rounds);
}
