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
