/* SPDX-License-Identifier: MIT */
/* Deadlines: when they end a context, and that no timer stays behind. */
#include "harness.h"
#include "sched/upcalls.h"
#include "unit/time/pending.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

static void expect_timeout(go_ctx *ctx)
{
    EXPECT_EQ_INT(ctx_err(ctx), -ETIMEDOUT);
    EXPECT_EQ_INT(ctx_cause_err(ctx), -ETIMEDOUT);
    EXPECT_EQ_STR(ctx_cause(ctx), "context deadline exceeded");
}

TEST(deadline, ends_the_context_and_its_children_in_time)
{
    go_time before = go_now();
    go_ctx *c = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    go_ctx *kid = ctx_with_cancel(c);
    EXPECT(ctx_err(kid) == 0 || go_since(before) >= 5 * GO_MS);
    chan_recv(ctx_done(kid));
    EXPECT_INT(go_since(before), >=, 5 * GO_MS);
    expect_timeout(c);
    expect_timeout(kid);
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
    ctx_cancel(c);
    expect_timeout(c);
    ctx_free(c);
    ctx_free(kid);
}

TEST(deadline, that_has_passed_ends_it_at_once)
{
    go_ctx *c[] = {ctx_with_timeout(ctx_background(), 0),
                   ctx_with_timeout(ctx_background(), INT64_MIN),
                   ctx_with_deadline(ctx_background(), go_now() - GO_SEC),
                   ctx_with_deadline(ctx_background(), 0)};
    for (int i = 0; i < 4; i++) {
        expect_timeout(c[i]);
        EXPECT(!chan_recv_ok(ctx_done(c[i]), NULL));
        ctx_free(c[i]);
    }
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *kid = ctx_with_timeout(parent, -GO_HOUR);
    expect_timeout(kid);
    EXPECT_EQ_INT(ctx_err(parent), 0);
    ctx_free(parent);
    expect_timeout(kid);
    ctx_free(kid);
}

TEST(deadline, that_can_be_asked_for_is_the_earliest)
{
    static const go_ctx_key(int) key = 0;
    go_time now = go_now();
    go_time t = 0;
    go_ctx *a = ctx_with_deadline(ctx_background(), now + 2 * GO_HOUR);
    EXPECT(ctx_deadline(a, &t) && t == now + 2 * GO_HOUR);
    go_ctx *b = ctx_with_deadline(a, now + GO_HOUR);
    EXPECT(ctx_deadline(b, &t) && t == now + GO_HOUR);
    go_ctx *c = ctx_with_deadline(b, now + 3 * GO_HOUR);
    EXPECT(ctx_deadline(c, &t) && t == now + GO_HOUR);
    EXPECT_EQ_UINT(goi_timers_pending(), 2); /* the third would change nothing */
    go_ctx *v = ctx_with_value(c, key, 1);
    EXPECT(ctx_deadline(v, &t) && t == now + GO_HOUR);
    EXPECT(ctx_deadline(v, NULL));
    t = 1;
    go_ctx *none = ctx_with_cancel(ctx_background());
    EXPECT(!ctx_deadline(none, &t));
    EXPECT_EQ_INT(t, 1);
    ctx_free(none);
    go_ctx *ever = ctx_with_deadline(ctx_background(), GO_FOREVER);
    EXPECT(!ctx_deadline(ever, &t));
    ctx_free(ever);
    ctx_free(v);
    ctx_free(c);
    ctx_free(b);
    ctx_free(a);
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
}

TEST(deadline, of_the_longest_timeout_is_the_end_of_time)
{
    go_time t = 0;
    go_ctx *c = ctx_with_timeout(ctx_background(), INT64_MAX);
    EXPECT(ctx_deadline(c, &t));
    EXPECT_INT(t, ==, GO_FOREVER - 1);
    go_ctx *kid = ctx_with_timeout_cause(c, INT64_MAX - 1, -EIO, "late");
    EXPECT(ctx_deadline(kid, &t));
    EXPECT_EQ_INT(ctx_err(kid), 0);
    ctx_free(c);
    ctx_free(kid);
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
}

TEST(deadline, timer_is_stopped_by_cancel_by_the_parent_and_by_free)
{
    enum { N = 100 };
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *c[N];
    for (int i = 0; i < N; i++) {
        c[i] = ctx_with_timeout(i % 2 == 0 ? parent : ctx_background(), GO_HOUR);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), N);
    ctx_cancel(c[1]);
    EXPECT_EQ_UINT(goi_timers_pending(), N - 1);
    ctx_cancel(parent);
    EXPECT_EQ_UINT(goi_timers_pending(), N / 2 - 1);
    for (int i = 0; i < N; i++) {
        EXPECT_EQ_INT(ctx_err(c[i]), i % 2 == 0 || i == 1 ? -ECANCELED : 0);
        ctx_free(c[i]);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
    ctx_free(parent);
}

TEST(deadline, context_whose_timer_fires_may_be_freed_meanwhile)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    long rounds = test_iterations(1000);
    for (long i = 0; i < rounds; i++) {
        go_ctx *c = ctx_with_timeout(i % 3 == 0 ? parent : ctx_background(), i % 97 * GO_US);
        go_ctx *kid = ctx_with_timeout(c, i % 89 * GO_US);
        if (i % 2 == 0) {
            chan_recv(ctx_done(i % 4 == 0 ? kid : c));
        } else {
            go_yield();
        }
        ctx_free(c);
        ctx_free(kid);
    }
    pending_none();
    ctx_free(parent);
}

static void cancel_soon(go_ctx *ctx, go_waitgroup *wg)
{
    ctx_cancel(ctx);
    ctx_free(ctx);
    wg_done(wg);
}

TEST(deadline, cancel_and_parent_may_come_together)
{
    long rounds = test_iterations(300);
    for (long i = 0; i < rounds; i++) {
        go_time t = go_now() + i % 50 * GO_US;
        go_ctx *parent = ctx_with_deadline(ctx_background(), t);
        go_waitgroup wg = {0};
        for (int k = 0; k < 4; k++) {
            go_ctx *kid = ctx_with_deadline(parent, t - k);
            wg_add(&wg, 1);
            go(cancel_soon, kid, &wg);
        }
        wg_add(&wg, 1);
        go(cancel_soon, ctx_ref(parent), &wg);
        ctx_free(parent);
        wg_wait(&wg);
    }
    pending_none();
}

TEST(deadline, ends_a_tree_of_a_thousand)
{
    enum { N = 1000 };
    go_ctx *c[N];
    c[0] = ctx_with_timeout(ctx_background(), GO_MS);
    for (int i = 1; i < N; i++) {
        c[i] = ctx_with_timeout(c[(i - 1) / 3], GO_HOUR);
    }
    chan_recv(ctx_done(c[N - 1]));
    for (int i = 0; i < N; i++) {
        chan_recv(ctx_done(c[i]));
        expect_timeout(c[i]);
        ctx_free(c[i]);
    }
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
}

/* The waits of sync that take a context. */
TEST(deadline, limits_a_wait_for_a_mutex)
{
    go_mutex mu = {0};
    mutex_lock(&mu);
    go_ctx *c = ctx_with_timeout(ctx_background(), 2 * GO_MS);
    EXPECT_EQ_INT(mutex_lock_ctx(c, &mu), -ETIMEDOUT);
    mutex_unlock(&mu);
    EXPECT_EQ_INT(mutex_lock_ctx(c, &mu), -ETIMEDOUT); /* the end came before */
    ctx_free(c);
    c = ctx_with_cancel(ctx_background());
    EXPECT_EQ_INT(mutex_lock_ctx(c, &mu), 0);
    ctx_free(c);
}
