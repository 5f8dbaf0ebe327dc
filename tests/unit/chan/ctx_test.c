/* SPDX-License-Identifier: MIT */
/* Sends and receives that end with a context. */
#include "chan/chan.h"
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>

static void await_count(int n)
{
    while (go_count() > n) {
        go_yield();
    }
}

/* Until somebody waits there. */
static void await_waiting(const volatile void *c)
{
    const struct go_chan *raw = (const struct go_chan *)(uintptr_t)c;
    while (ld_rlx(&raw->recvq.n) + ld_rlx(&raw->sendq.n) == 0) {
        go_yield();
    }
}

TEST(chan_ctx, pass_values_while_the_context_lasts)
{
    go_ctx *all[] = {NULL, ctx_background(), ctx_with_cancel(ctx_background())};
    for (int i = 0; i < 3; i++) {
        chan(int) c = chan_make(int, 1);
        int v = 0;
        EXPECT_EQ_INT(chan_send_ctx(all[i], c, 7), 0);
        EXPECT_EQ_INT(chan_recv_ctx(all[i], c, &v), 0);
        EXPECT_EQ_INT(v, 7);
        go_do(c) { chan_send(c, 8); };
        EXPECT_EQ_INT(chan_recv_ctx(all[i], c, &v), 0);
        EXPECT_EQ_INT(v, 8);
        chan_close(c);
        EXPECT_EQ_INT(chan_recv_ctx(all[i], c, &v), -EPIPE);
        EXPECT_EQ_INT(v, 0);
        EXPECT_EQ_INT(chan_send_ctx(all[i], c, 1), -EPIPE);
        await_count(1);
        chan_free(c);
    }
    ctx_free(all[2]);
}

TEST(chan_ctx, end_that_came_before_wins)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 0);
    chan(int) c = chan_make(int, 1);
    int v = 3;
    EXPECT_EQ_INT(chan_send_ctx(ctx, c, 7), -ETIMEDOUT);
    EXPECT_EQ_UINT(chan_len(c), 0);
    chan_send(c, 1);
    EXPECT_EQ_INT(chan_recv_ctx(ctx, c, &v), -ETIMEDOUT);
    EXPECT_EQ_INT(v, 3);
    EXPECT_EQ_UINT(chan_len(c), 1);
    chan_free(c);
    ctx_free(ctx);
}

static void closed_while_it_waits(chan(int) c, bool send, int *r)
{
    int v;
    *r = send ? chan_send_ctx(ctx_background(), c, 1) : chan_recv_ctx(ctx_background(), c, &v);
}

TEST(chan_ctx, close_wakes_a_waiting_one)
{
    for (int send = 0; send < 2; send++) {
        chan(int) c = chan_make(int);
        int r = 1;
        go(closed_while_it_waits, c, send != 0, &r);
        await_waiting(c);
        chan_close(c);
        await_count(1);
        EXPECT_EQ_INT(r, -EPIPE);
        chan_free(c);
    }
}

static void wait_on(go_ctx *ctx, chan(int) never, bool send, int *r)
{
    int v;
    *r = send ? chan_send_ctx(ctx, never, 1) : chan_recv_ctx(ctx, never, &v);
}

/* The waiting call has no reference of its own to the context, which goes meanwhile. */
TEST(chan_ctx, free_of_the_context_ends_the_wait)
{
    chan(int) never = chan_make(int);
    for (long i = test_iterations(200); i > 0; i--) {
        go_ctx *ctx = i % 2 == 0 ? ctx_with_cancel(ctx_background())
                                 : ctx_with_timeout(ctx_background(), GO_HOUR);
        static const go_ctx_key(int) key = 0;
        go_ctx *value = ctx_with_value(ctx, key, 1);
        int r = 0;
        go(wait_on, i % 3 == 0 ? value : ctx, never, i % 4 < 2, &r);
        await_waiting(never);
        ctx_free(value);
        ctx_free(ctx);
        await_count(1);
        REQUIRE_EQ_INT(r, -ECANCELED);
    }
    int v = 1;
    EXPECT(!chan_try_recv(never, &v));
    EXPECT(!chan_try_send(never, 1));
    chan_free(never);
}

TEST(chan_ctx, deadline_ends_the_wait)
{
    chan(int) never = NULL;
    int v;
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_MS);
    EXPECT_EQ_INT(chan_recv_ctx(ctx, never, &v), -ETIMEDOUT);
    ctx_free(ctx);
}
