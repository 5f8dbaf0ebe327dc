/* SPDX-License-Identifier: MIT */
/* Errgroup: goroutines that belong together. */
#include "conform.h"

static int give(int result) { return result; }
static int give_after(chan(bool) go_on, int result)
{
    (void)chan_recv(go_on);
    return result;
}

/* ---- x/errgroup/errgroup_test.go ---- */

static void first_error(const int *results, int n, int expected)
{
    go_group g = {.ctx = NULL};
    for (int i = 0; i < n; i++) {
        group_go(&g, give, results[i]);
    }
    EXPECT_EQ_INT(group_wait(&g), expected);
}

CASE(errgroup, zero_value_without_errors, "x/errgroup/errgroup_test.go TestZeroGroup")
{
    static const int none[] = {0, 0, 0};
    first_error(none, 0, 0);
    first_error(none, 1, 0);
    first_error(none, 3, 0);
}

CASE(errgroup, zero_value_gives_the_error, "x/errgroup/errgroup_test.go TestZeroGroup")
{
    static const int results[] = {0, -EIO, 0, 0};
    first_error(results, 2, -EIO);
    first_error(results, 4, -EIO);
}

CASE(errgroup, first_error_in_time_wins, "x/errgroup/errgroup_test.go TestZeroGroup")
{
    go_group g = {.ctx = NULL};
    chan(bool) go_on = chan_make(bool);
    group_go(&g, give_after, go_on, -EPIPE);
    group_go(&g, give, -EIO);
    await_count(2);
    chan_send(go_on, true);
    EXPECT_EQ_INT(group_wait(&g), -EIO);
    chan_free(go_on);
}

static void with_context(const int *results, int n, int expected)
{
    go_group g = group_with(ctx_background());
    go_ctx *ctx = ctx_ref(g.ctx);
    for (int i = 0; i < n; i++) {
        group_go(&g, give, results[i]);
    }
    EXPECT_EQ_INT(group_wait(&g), expected);
    EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
    ctx_free(ctx);
}

CASE(errgroup, context_ends_with_the_wait, "x/errgroup/errgroup_test.go TestWithContext")
{
    static const int none[] = {0, 0};
    with_context(none, 0, 0);
    with_context(none, 1, 0);
    with_context(none, 2, 0);
}

CASE(errgroup, context_ends_with_the_first_error, "x/errgroup/errgroup_test.go TestWithContext")
{
    static const int results[] = {0, -EIO, 0};
    with_context(results, 3, -EIO);
    go_group g = group_with(ctx_background());
    group_go(&g, give, -EIO);
    (void)chan_recv(ctx_done(g.ctx));
    EXPECT_EQ_INT(group_wait(&g), -EIO);
}

static int until_the_end(go_ctx *ctx)
{
    (void)chan_recv(ctx_done(ctx));
    return ctx_err(ctx);
}

CASE(errgroup, error_stops_the_others, "x/errgroup/errgroup_test.go TestWithContext")
{
    go_group g = group_with(ctx_background());
    for (int i = 0; i < 10; i++) {
        group_go(&g, until_the_end, g.ctx);
    }
    await_parked(10, "chan receive");
    group_go(&g, give, -EIO);
    EXPECT_EQ_INT(group_wait(&g), -EIO);
}

CASE(errgroup, end_of_the_parent_ends_it, "x/errgroup/errgroup_test.go TestWithContext")
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_group g = group_with(parent);
    group_go(&g, until_the_end, g.ctx);
    ctx_cancel(parent);
    EXPECT_EQ_INT(group_wait(&g), -ECANCELED);
    ctx_free(parent);
}

CASE(errgroup, try_go, "x/errgroup/errgroup_test.go TestTryGo")
{
    enum { N = 42 };
    go_group g = {.ctx = NULL};
    chan(bool) go_on = chan_make(bool);
    group_set_limit(&g, N);
    for (int i = 0; i < N; i++) {
        EXPECT(group_try_go(&g, give_after, go_on, 0));
    }
    EXPECT(!group_try_go(&g, give, 0));
    for (int i = 0; i < N; i++) {
        chan_send(go_on, true);
    }
    EXPECT_EQ_INT(group_wait(&g), 0);
    EXPECT(group_try_go(&g, give, 0));
    EXPECT_EQ_INT(group_wait(&g), 0);
    chan_free(go_on);
}

static int evaluated;
static int argument(void) { return add(&evaluated, 1) - 1; }

CASE(errgroup, try_go_refused_evaluates_nothing, "x/errgroup/errgroup_test.go TestTryGo")
{
    go_group g = {.ctx = NULL};
    group_set_limit(&g, 0);
    EXPECT(!group_try_go(&g, give, argument()));
    EXPECT_EQ_INT(evaluated, 0);
    EXPECT_EQ_INT(group_wait(&g), 0);
}

CASE(errgroup, try_go_without_a_limit, "x/errgroup/errgroup_test.go TestTryGo")
{
    go_group g = {.ctx = NULL};
    group_set_limit(&g, 1);
    group_set_limit(&g, -1);
    for (int i = 0; i < 100; i++) {
        EXPECT(group_try_go(&g, give, 0));
    }
    EXPECT_EQ_INT(group_wait(&g), 0);
}

static int count_active(int *active, int limit)
{
    EXPECT_INT(add(active, 1), <=, limit);
    go_yield();
    add(active, -1);
    return 0;
}

CASE(errgroup, limit_holds, "x/errgroup/errgroup_test.go TestGoLimit")
{
    enum { LIMIT = 10 };
    go_group g = {.ctx = NULL};
    int active = 0;
    group_set_limit(&g, LIMIT);
    for (int i = 0; i < 1000; i++) {
        group_go(&g, count_active, &active, (int)LIMIT);
    }
    EXPECT_EQ_INT(group_wait(&g), 0);
    EXPECT_EQ_INT(active, 0);
}

static void start_one(go_group *g, int *started)
{
    group_go(g, give, 0);
    add(started, 1);
}

CASE_DIFFERS(errgroup, go_waits_at_the_limit, "x/errgroup/errgroup_test.go TestGoLimit",
             "shown as [semacquire] in a dump, because the limit is a semaphore; Go's is a "
             "channel, [chan send]")
{
    go_group g = {.ctx = NULL};
    chan(bool) go_on = chan_make(bool);
    int started = 0;
    group_set_limit(&g, 1);
    group_go(&g, give_after, go_on, 0);
    go(start_one, &g, &started);
    await_parked(1, "semacquire");
    EXPECT_EQ_INT(get(&started), 0);
    chan_send(go_on, true);
    await_count(1);
    EXPECT_EQ_INT(started, 1);
    EXPECT_EQ_INT(group_wait(&g), 0);
    chan_free(go_on);
}

CASE_DIFFERS(errgroup, cause_of_the_context, "x/errgroup/errgroup_test.go TestCancelCause",
             "the cause carries the member's error as a number, since a result is an int")
{
    static const int results[] = {0, -EIO};
    for (int i = 0; i < 2; i++) {
        go_group g = group_with(ctx_background());
        go_ctx *ctx = ctx_ref(g.ctx);
        group_go(&g, give, results[i]);
        EXPECT_EQ_INT(group_wait(&g), results[i]);
        EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
        EXPECT_EQ_INT(ctx_cause_err(ctx), results[i] != 0 ? results[i] : -ECANCELED);
        ctx_free(ctx);
    }
}

static int panics(void) { go_panic("in a member"); }

DEATH_CASE_DIFFERS(errgroup, panic_of_a_member_reaches_the_waiter, 2,
                   "^panic: in a member$", "x/errgroup/errgroup_test.go TestZeroGroup",
                   "a panic in a member goes on in group_wait, with the member's trace in its "
                   "text; in Go it ends the process at once, after a version that did the same was "
                   "taken back because it hid that trace")
{
    go_group g = group_with(ctx_background());
    group_go(&g, panics);
    EXPECT_EQ_INT(group_wait(&g), 0);
}

static go_group *shared_group;
static int change_limit(void)
{
    group_set_limit(shared_group, 3);
    return 0;
}

DEATH_CASE(errgroup, limit_changed_while_active, 2,
           "errgroup: modify limit while 1 goroutines in the group are still active",
           "x/errgroup/errgroup_test.go TestGoLimit")
{
    go_group g = {.ctx = NULL};
    shared_group = &g;
    group_set_limit(&g, 2);
    group_go(&g, change_limit);
    EXPECT_EQ_INT(group_wait(&g), 0);
}
