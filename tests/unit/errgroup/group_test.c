/* SPDX-License-Identifier: MIT */
/* Groups: the first error, the context, the limit (Go's TestZeroGroup, TestWithContext,
 * TestGoLimit, TestTryGo, TestCancelCause). */
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

static int give(int err) { return err; }

TEST(group, zero_group_gives_the_first_error_and_waits_for_all)
{
    static const int cases[][4] = {
        {0, 0, 0, 0}, {-EIO, 0, 0, -EIO}, {0, 0, 7, 7}, {0, -EPIPE, 0, -EPIPE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        go_group g = {0};
        for (int k = 0; k < 3; k++) {
            group_go(&g, give, cases[i][k]);
        }
        EXPECT_EQ_INT(group_wait(&g), cases[i][3]);
        EXPECT(g.ctx == NULL);
    }
    go_group empty = {0};
    EXPECT_EQ_INT(group_wait(&empty), 0);
}

static int in_turn(int err, recv_chan(char) turn, chan(char) next)
{
    chan_recv(turn);
    chan_close(next);
    return err;
}

TEST(group, first_error_is_the_first_in_time)
{
    chan(char) turn[4];
    for (int i = 0; i < 4; i++) {
        turn[i] = chan_make(char);
    }
    go_group g = group_with(ctx_background());
    go_ctx *ctx = ctx_ref(g.ctx);
    group_go(&g, in_turn, 0, turn[0], turn[1]);
    group_go(&g, in_turn, -EIO, turn[1], turn[2]);
    chan_close(turn[0]);
    chan_recv(ctx_done(ctx)); /* the error has been noted before the context ends */
    group_go(&g, in_turn, -EPIPE, turn[2], turn[3]);
    EXPECT_EQ_INT(group_wait(&g), -EIO);
    EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
    EXPECT_EQ_INT(ctx_cause_err(ctx), -EIO);
    EXPECT_EQ_STR(ctx_cause(ctx), strerror(EIO));
    ctx_free(ctx);
    for (int i = 0; i < 4; i++) {
        chan_free(turn[i]);
    }
}

static int until_canceled(go_ctx *ctx)
{
    chan_recv(ctx_done(ctx));
    return ctx_err(ctx);
}

TEST(group, error_cancels_the_others)
{
    go_group g = group_with(ctx_background());
    for (int i = 0; i < 10; i++) {
        group_go(&g, until_canceled, g.ctx);
    }
    group_go(&g, give, 3);
    EXPECT_EQ_INT(group_wait(&g), 3);
}

TEST(group, context_ends_with_the_wait_and_with_the_parent)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_group g = group_with(parent);
    go_ctx *ctx = ctx_ref(g.ctx);
    group_go(&g, give, 0);
    EXPECT_EQ_INT(ctx_err(ctx), 0);
    EXPECT_EQ_INT(group_wait(&g), 0);
    EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
    EXPECT_EQ_INT(ctx_cause_err(ctx), -ECANCELED);
    EXPECT(g.ctx == NULL);
    ctx_free(ctx);
    g = group_with(parent);
    group_go(&g, until_canceled, g.ctx);
    ctx_cancel(parent);
    EXPECT_EQ_INT(group_wait(&g), -ECANCELED);
    ctx_free(parent);
}

static struct { go_mutex mu; int now, most, total; } active;

static int count_active(int yields)
{
    with_lock(&active.mu) {
        active.now++;
        active.total++;
        active.most = active.now > active.most ? active.now : active.most;
    }
    for (int i = 0; i < yields; i++) {
        go_yield();
    }
    with_lock(&active.mu) {
        active.now--;
    }
    return 0;
}

TEST(group, limit_holds_and_everything_runs)
{
    go_group g = {0};
    for (int limit = 1; limit <= 10; limit += 3) {
        active.most = active.total = 0;
        group_set_limit(&g, limit);
        for (int i = 0; i < 200; i++) {
            group_go(&g, count_active, i % 7);
        }
        EXPECT_EQ_INT(group_wait(&g), 0);
        EXPECT_EQ_INT(active.total, 200);
        EXPECT_INT(active.most, <=, limit);
    }
    group_set_limit(&g, -1);
    for (int i = 0; i < 100; i++) {
        EXPECT(group_try_go(&g, count_active, 3));
    }
    EXPECT_EQ_INT(group_wait(&g), 0);
}

static int hold(recv_chan(char) gate)
{
    chan_recv(gate);
    return 0;
}

static int evaluated(int *n)
{
    return ++*n;
}

static int take_int(int n, recv_chan(char) gate)
{
    (void)n;
    return hold(gate);
}

TEST(group, try_go_refuses_beyond_the_limit_and_evaluates_nothing)
{
    go_group g = {0};
    chan(char) gate = chan_make(char);
    int n = 0;
    group_set_limit(&g, 3);
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ_INT(group_try_go(&g, take_int, evaluated(&n), gate), i < 3);
    }
    EXPECT_EQ_INT(n, 3);
    chan_close(gate);
    EXPECT_EQ_INT(group_wait(&g), 0);
    EXPECT(group_try_go(&g, take_int, evaluated(&n), gate));
    EXPECT_EQ_INT(group_wait(&g), 0);
    group_set_limit(&g, 0);
    EXPECT(!group_try_go(&g, give, 0));
    group_set_limit(&g, 2);
    EXPECT(group_try_go(&g, give, 0));
    EXPECT_EQ_INT(group_wait(&g), 0);
    chan_free(gate);
}

static int start_more(go_group *g, int depth)
{
    if (depth > 0) {
        group_go(g, start_more, g, depth - 1);
        group_go(g, start_more, g, depth - 1);
    }
    return depth == 0 ? -EIO : 0;
}

static void set_limit(go_group *g, int n) { group_set_limit(g, n); }

TEST(group, limit_cannot_be_changed_while_members_run)
{
    static const int limits[] = {-1, 3};
    go_panic_info info;
    for (int i = 0; i < 2; i++) {
        go_group g = {0};
        chan(char) gate = chan_make(char);
        group_set_limit(&g, limits[i]);
        group_go(&g, hold, gate);
        group_go(&g, hold, gate);
        for (int n = -1; n <= 2; n++) {
            EXPECT(!go_try(&info, set_limit, &g, n));
            EXPECT_EQ_STR(info.message, "errgroup: modify limit while 2 goroutines in the group "
                                        "are still active");
        }
        chan_close(gate);
        EXPECT_EQ_INT(group_wait(&g), 0);
        group_set_limit(&g, 1);
        group_go(&g, give, 0);
        EXPECT_EQ_INT(group_wait(&g), 0);
        chan_free(gate);
    }
}

TEST(group, go_until_gives_up_at_the_limit_and_evaluates_nothing)
{
    go_group g = {0};
    chan(char) gate = chan_make(char);
    int n = 0;
    group_set_limit(&g, 1);
    EXPECT_EQ_INT(group_go_until(&g, go_now() + GO_HOUR, take_int, evaluated(&n), gate), 0);
    EXPECT_EQ_INT(group_go_until(&g, go_now() + GO_MS, take_int, evaluated(&n), gate), -ETIMEDOUT);
    EXPECT_EQ_INT(group_go_until(&g, 0, take_int, evaluated(&n), gate), -ETIMEDOUT);
    EXPECT_EQ_INT(n, 1);
    chan_close(gate);
    EXPECT_EQ_INT(group_go_until(&g, go_now() + GO_HOUR, take_int, evaluated(&n), gate), 0);
    EXPECT_EQ_INT(n, 2);
    EXPECT_EQ_INT(group_wait(&g), 0);
    group_set_limit(&g, -1);
    EXPECT_EQ_INT(group_go_until(&g, 0, give, -EIO), 0);
    EXPECT_EQ_INT(group_wait(&g), -EIO);
    chan_free(gate);
}

TEST(group, wait_until_leaves_the_group_as_it_is_when_it_is_late)
{
    go_group g = group_with(ctx_background());
    chan(char) gate = chan_make(char);
    int result = 7;
    group_go(&g, hold, gate);
    EXPECT_EQ_INT(group_wait_until(&g, &result, go_now() + GO_MS), -ETIMEDOUT);
    EXPECT_EQ_INT(result, 7);
    EXPECT(g.ctx != NULL && ctx_err(g.ctx) == 0);
    group_go(&g, give, -ETIMEDOUT);
    chan_close(gate);
    EXPECT_EQ_INT(group_wait_until(&g, &result, go_now() + GO_HOUR), 0);
    EXPECT_EQ_INT(result, -ETIMEDOUT);
    EXPECT(g.ctx == NULL);
    EXPECT_EQ_INT(group_wait_until(&g, NULL, 0), 0);
    chan_free(gate);
}

TEST(group, members_may_start_members)
{
    go_group g = group_with(ctx_background());
    group_go(&g, start_more, &g, 6);
    EXPECT_EQ_INT(group_wait(&g), -EIO);
}

static int leave(void) { go_exit(); }

TEST(group, member_that_exits_counts_as_no_error)
{
    go_group g = {0};
    group_set_limit(&g, 1);
    group_go(&g, leave);
    group_go(&g, leave);
    group_go(&g, give, -EIO);
    EXPECT_EQ_INT(group_wait(&g), -EIO);
}

static go_group *new_group(void)
{
    go_group *g = malloc(sizeof *g);
    *g = group_with(ctx_background());
    return g;
}

TEST(group, may_be_freed_when_wait_returns)
{
    long rounds = test_iterations(300);
    for (long i = 0; i < rounds; i++) {
        go_group *g = new_group();
        group_set_limit(g, 2);
        for (int k = 0; k < 6; k++) {
            group_go(g, give, k == 3 ? (int)i : 0);
        }
        EXPECT_EQ_INT(group_wait(g), i);
        free(g);
    }
}

DEATH_TEXT(group, limit_changed_while_active_panics, 2,
           "panic: errgroup: modify limit while 2 goroutines in the group are still active\n")
{
    go_group g = {0};
    group_set_limit(&g, 3);
    chan(char) gate = chan_make(char);
    group_go(&g, hold, gate);
    group_go(&g, hold, gate);
    group_set_limit(&g, 4);
}
