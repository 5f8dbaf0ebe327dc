/* SPDX-License-Identifier: MIT */
/* Functions that are started when a context ends (Go's TestAfterFunc*). */
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>

static void tell(chan(int) c, int v) { chan_send(c, v); }

TEST(after_func, runs_after_cancel_in_its_own_goroutine)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    chan(int) got = chan_make(int);
    int v = 7;
    go_ctx_after *a = ctx_after_func(c, tell, got, v);
    v = 8;
    for (int i = 0; i < 10; i++) {
        go_yield();
        EXPECT(!chan_try_recv(got, NULL));
    }
    ctx_cancel(c); /* does not wait: nobody receives yet */
    EXPECT_EQ_INT(chan_recv(got), 7);
    EXPECT(!ctx_after_stop(a));
    ctx_free(c);
    chan_free(got);
}

TEST(after_func, runs_after_the_deadline_and_after_the_parents_end)
{
    go_ctx *parent = ctx_with_timeout(ctx_background(), GO_MS);
    go_ctx *kid = ctx_with_cancel(parent);
    chan(int) got = chan_make(int);
    (void)ctx_after_func(parent, tell, got, 1);
    (void)ctx_after_func(kid, tell, got, 2);
    EXPECT_EQ_INT(chan_recv(got) + chan_recv(got), 3);
    ctx_free(kid);
    ctx_free(parent);
    chan_free(got);
}

TEST(after_func, runs_at_once_when_it_has_ended)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    chan(int) got = chan_make(int);
    ctx_cancel(c);
    go_ctx_after *a = ctx_after_func(c, tell, got, 1);
    (void)ctx_after_func(c, tell, got, 2); /* its handle goes with the context */
    EXPECT_EQ_INT(chan_recv(got) + chan_recv(got), 3);
    EXPECT(!ctx_after_stop(a));
    ctx_free(c);
    chan_free(got);
}

TEST(after_func, does_not_run_after_stop)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    chan(int) got = chan_make(int, 4);
    go_ctx_after *a = ctx_after_func(c, tell, got, 1);
    go_ctx_after *b = ctx_after_func(c, tell, got, 2);
    EXPECT(ctx_after_stop(a));
    ctx_cancel(c);
    EXPECT_EQ_INT(chan_recv(got), 2);
    for (int i = 0; i < 10; i++) {
        go_yield();
    }
    EXPECT_EQ_UINT(chan_len(got), 0);
    EXPECT(!ctx_after_stop(b));
    EXPECT(!ctx_after_stop(NULL));
    ctx_free(c);
    chan_free(got);
}

TEST(after_func, of_a_value_context_runs_when_what_is_above_ends)
{
    static const go_ctx_key(int) key = 0;
    go_ctx *c = ctx_with_cancel(ctx_background());
    go_ctx *v = ctx_with_value(c, key, 1);
    chan(int) got = chan_make(int);
    (void)ctx_after_func(v, tell, got, 1);
    ctx_free(v);
    go_yield();
    EXPECT(!chan_try_recv(got, NULL));
    ctx_free(c);
    EXPECT_EQ_INT(chan_recv(got), 1);
    chan_free(got);
}

TEST(after_func, of_what_never_ends_can_be_stopped)
{
    chan(int) got = chan_make(int);
    go_ctx_after *a = ctx_after_func(ctx_background(), tell, got, 1);
    go_ctx *w = ctx_without_cancel(ctx_background());
    go_ctx_after *b = ctx_after_func(w, tell, got, 2);
    EXPECT(ctx_after_stop(a));
    EXPECT(ctx_after_stop(b));
    ctx_free(w);
    chan_free(got);
}

TEST(after_func, a_hundred_run_each_once)
{
    enum { N = 100 };
    go_ctx *c = ctx_with_cancel(ctx_background());
    go_ctx_after *a[N];
    chan(int) got = chan_make(int);
    int stopped = 0;
    for (int i = 0; i < N; i++) {
        a[i] = ctx_after_func(c, tell, got, i);
    }
    for (int i = 0; i < N; i += 3) {
        EXPECT(ctx_after_stop(a[i]));
        stopped++;
    }
    ctx_free(c);
    bool seen[N] = {false};
    for (int i = stopped; i < N; i++) {
        int v = chan_recv(got);
        EXPECT(!seen[v] && v % 3 != 0);
        seen[v] = true;
    }
    chan_free(got);
}

static void bump(go_waitgroup *ran) { wg_done(ran); }

static void stop_it(go_ctx_after *a, int *prevented, go_waitgroup *wg)
{
    *prevented = ctx_after_stop(a);
    wg_done(wg);
}

TEST(after_func, stop_races_with_the_end_and_exactly_one_wins)
{
    enum { N = 24 };
    long rounds = test_iterations(100);
    for (long r = 0; r < rounds; r++) {
        go_ctx *c = ctx_with_cancel(ctx_background());
        go_waitgroup wg = {0}, ran = {0};
        int prevented[N];
        wg_add(&ran, N);
        for (int i = 0; i < N; i++) {
            wg_add(&wg, 1);
            go(stop_it, ctx_after_func(c, bump, &ran), &prevented[i], &wg);
        }
        if (r % 2 == 0) {
            go_yield();
        }
        ctx_cancel(c);
        wg_wait(&wg);
        for (int i = 0; i < N; i++) {
            wg_add(&ran, prevented[i] ? -1 : 0);
        }
        wg_wait(&ran); /* hangs if a function was lost, panics if one ran too often */
        ctx_free(c);
    }
}
