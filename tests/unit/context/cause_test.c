/* SPDX-License-Identifier: MIT */
/* Causes: who gives one, who inherits it, how long it lives (Go's TestCause). */
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

static void expect_cause(go_ctx *ctx, int err, int cause_err, const char *cause)
{
    EXPECT_EQ_INT(ctx_err(ctx), err);
    EXPECT_EQ_INT(ctx_cause_err(ctx), cause_err);
    REQUIRE(ctx_cause(ctx) != NULL);
    EXPECT_EQ_STR(ctx_cause(ctx), cause);
}

TEST(cause, is_copied_and_the_error_stays_canceled)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    char text[32] = "disk full";
    ctx_cancel_cause(c, -ENOSPC, text);
    memset(text, 'x', sizeof text - 1);
    expect_cause(c, -ECANCELED, -ENOSPC, "disk full");
    ctx_cancel_cause(c, -EIO, "second");
    ctx_cancel(c);
    expect_cause(c, -ECANCELED, -ENOSPC, "disk full");
    ctx_free(c);
}

TEST(cause, that_is_left_out_has_the_usual_words)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(c, 0, NULL);
    expect_cause(c, -ECANCELED, -ECANCELED, "context canceled");
    ctx_free(c);
    c = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(c, -EIO, NULL);
    expect_cause(c, -ECANCELED, -EIO, strerror(EIO));
    ctx_free(c);
    c = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(c, 5, "not an error");
    expect_cause(c, -ECANCELED, -ECANCELED, "not an error");
    ctx_free(c);
}

TEST(cause, of_the_parent_is_the_childs_but_not_the_reverse)
{
    go_ctx *a = ctx_with_cancel(ctx_background());
    go_ctx *b = ctx_with_cancel(a);
    go_ctx *c = ctx_with_cancel(b);
    ctx_cancel_cause(b, -EIO, "b");
    EXPECT(ctx_cause(a) == NULL);
    expect_cause(c, -ECANCELED, -EIO, "b");
    ctx_cancel_cause(a, -EPIPE, "a");
    expect_cause(a, -ECANCELED, -EPIPE, "a");
    expect_cause(b, -ECANCELED, -EIO, "b");
    expect_cause(c, -ECANCELED, -EIO, "b");
    ctx_free(a);
    ctx_free(b);
    expect_cause(c, -ECANCELED, -EIO, "b"); /* lives as long as c */
    ctx_free(c);
}

TEST(cause, passes_values_and_stops_at_without_cancel)
{
    static const go_ctx_key(int) key = 0;
    go_ctx *a = ctx_with_cancel(ctx_background());
    go_ctx *v = ctx_with_value(a, key, 1);
    go_ctx *w = ctx_without_cancel(v);
    go_ctx *b = ctx_with_cancel(w);
    ctx_cancel_cause(a, -EIO, "a");
    expect_cause(v, -ECANCELED, -EIO, "a");
    EXPECT(ctx_cause(w) == NULL);
    EXPECT(ctx_cause(b) == NULL);
    ctx_cancel_cause(b, -EPIPE, "b");
    expect_cause(b, -ECANCELED, -EPIPE, "b");
    ctx_free(a);
    ctx_free(v);
    ctx_free(w);
    ctx_free(b);
}

TEST(cause, of_a_deadline_is_the_one_given)
{
    go_ctx *a = ctx_with_timeout_cause(ctx_background(), -1, -EHOSTUNREACH, "too slow");
    expect_cause(a, -ETIMEDOUT, -EHOSTUNREACH, "too slow");
    go_ctx *kid = ctx_with_cancel(a);
    expect_cause(kid, -ETIMEDOUT, -EHOSTUNREACH, "too slow");
    go_ctx *b = ctx_with_timeout_cause(ctx_background(), GO_MS, -EIO, "too slow");
    go_ctx *below = ctx_with_timeout_cause(b, GO_HOUR, -EPIPE, "not reached");
    chan_recv(ctx_done(below));
    expect_cause(b, -ETIMEDOUT, -EIO, "too slow");
    expect_cause(below, -ETIMEDOUT, -EIO, "too slow");
    go_ctx *c = ctx_with_deadline_cause(ctx_background(), go_now() + GO_HOUR, -EIO, "not reached");
    ctx_cancel(c);
    expect_cause(c, -ECANCELED, -ECANCELED, "context canceled");
    go_ctx *d = ctx_with_timeout(ctx_background(), 0);
    expect_cause(d, -ETIMEDOUT, -ETIMEDOUT, "context deadline exceeded");
    ctx_free(a);
    ctx_free(kid);
    ctx_free(b);
    ctx_free(below);
    ctx_free(c);
    ctx_free(d);
}

/* Go's TestCauseRace and TestContextErrDoneRace: who sees the end sees all of it. */
static void cancel_with(go_ctx *ctx, int i, go_waitgroup *wg)
{
    char text[24];
    snprintf(text, sizeof text, "cause %d", i);
    ctx_cancel_cause(ctx, -i, text);
    EXPECT(ctx_cause(ctx) != NULL);
    wg_done(wg);
}

static void watch(go_ctx *ctx, int *err, const char **cause, go_waitgroup *wg)
{
    while (ctx_err(ctx) == 0) {
        go_yield();
    }
    EXPECT_EQ_INT(chan_recv_until(ctx_done(ctx), NULL, 0), -EPIPE);
    *err = ctx_cause_err(ctx);
    *cause = ctx_cause(ctx);
    wg_done(wg);
}

TEST(cause, of_a_race_is_one_of_them_for_everybody)
{
    enum { N = 8 };
    for (int round = 0; round < 50; round++) {
        go_ctx *parent = ctx_with_cancel(ctx_background());
        go_ctx *ctx = ctx_with_cancel(parent);
        int err[N];
        const char *cause[N];
        go_waitgroup wg = {0};
        for (int i = 0; i < N; i++) {
            wg_add(&wg, 2);
            go(watch, i % 2 == 0 ? ctx : parent, &err[i], &cause[i], &wg);
            go(cancel_with, parent, i + 1, &wg);
        }
        wg_wait(&wg);
        char text[24];
        snprintf(text, sizeof text, "cause %d", -err[0]);
        for (int i = 0; i < N; i++) {
            EXPECT_EQ_INT(err[i], err[0]);
            EXPECT_EQ_STR(cause[i], text);
        }
        ctx_free(parent);
        ctx_free(ctx);
    }
}
