/* SPDX-License-Identifier: MIT */
/* Timers, tickers, sleeping, contexts. A timer is before what it brings; that it comes later than
 * another orders nothing, nor does who happened to run it. */
#include "races.h"

/* A timer that is freed is stopped. */
static void keep(go_timer *t) { EXPECT(t != NULL); }

static void write_and_tell(struct vars *v, int x, chan(int) c)
{
    v->x = x;
    chan_send(c, 0);
}

static void write_only(struct vars *v, int x) { v->x = x; }

static void write_and_pass(struct vars *v)
{
    v->x = 1;
    pass();
}

static void again(struct vars *v, chan(int) c)
{
    v->x--;
    if (v->x >= 0) {
        keep(go_after_func(0, again, v, c));
    } else {
        chan_send(c, 1);
    }
}

SILENT(timer, function_that_sets_the_next, "sync_test.go TestNoRaceAfterFunc1")
{
    chan(int) c = chan_make(int);
    v->x = 2;
    keep(go_after_func(0, again, v, c));
    (void)chan_recv(c);
}

SILENT(timer, function_and_stop, "sync_test.go TestNoRaceAfterFunc2")
{
    go_timer *t = go_after_func(10, write_only, v, 1);
    (void)timer_stop(t);
    go_timer_free(t);
}

SILENT(timer, function_tells, "sync_test.go TestNoRaceAfterFunc3")
{
    chan(int) c = chan_make(int, 1);
    keep(go_after_func(GO_MS, write_and_tell, v, 1, c));
    (void)chan_recv(c);
}

RACE(timer, two_functions, "sync_test.go TestRaceAfterFunc3")
{
    chan(int) c = chan_make(int, 2);
    keep(go_after_func(GO_MS, write_and_tell, v, 1, c));
    keep(go_after_func(2 * GO_MS, write_and_tell, v, 2, c));
    (void)chan_recv(c);
    (void)chan_recv(c);
}

SILENT(timer, start_before_function, "time_test.go TestNoRaceAfterFunc")
{
    chan(int) c = chan_make(int);
    v->x = 2;
    keep(go_after_func(1, write_and_tell, v, 1, c));
    (void)chan_recv(c);
    v->x = 3;
}

SILENT(timer, reset_before_function, "time_test.go TestNoRaceAfterFuncReset")
{
    chan(int) c = chan_make(int);
    go_timer *t = go_after_func(GO_HOUR, write_and_tell, v, 1, c);
    (void)timer_stop(t);
    v->x = 2;
    (void)timer_reset(t, 1);
    (void)chan_recv(c);
    v->x = 3;
    go_timer_free(t);
}

SILENT(timer, start_before_receive, "time_test.go TestNoRaceTimer")
{
    chan(int) c = chan_make(int);
    v->x = 2;
    go_timer *t = go_timer_make(1);
    go_do(v, c, t) {
        (void)chan_recv(timer_c(t));
        write_and_tell(v, 1, c);
    };
    (void)chan_recv(c);
    v->x = 3;
    go_timer_free(t);
}

SILENT(timer, reset_before_receive, "time_test.go TestNoRaceTimerReset")
{
    chan(int) c = chan_make(int);
    go_timer *t = go_timer_make(GO_HOUR);
    go_do(v, c, t) {
        (void)chan_recv(timer_c(t));
        write_and_tell(v, 1, c);
    };
    (void)timer_stop(t);
    v->x = 2;
    (void)timer_reset(t, 1);
    (void)chan_recv(c);
    v->x = 3;
    go_timer_free(t);
}

SILENT(timer, reset_before_a_select_receives, OURS)
{
    chan(int) c = chan_make(int);
    chan(int) never = chan_make(int);
    go_timer *t = go_timer_make(GO_HOUR);
    go_do(v, c, t, never) {
        switch (chan_select(recv(rang, timer_c(t), NULL), recv(lost, never, NULL))) {
        case rang:
        case lost:
            break;
        }
        write_and_tell(v, 1, c);
    };
    (void)timer_stop(t);
    v->x = 2;
    (void)timer_reset(t, GO_MS);
    (void)chan_recv(c);
    go_timer_free(t);
}

SILENT(ticker, start_before_receive, "time_test.go TestNoRaceTicker")
{
    chan(int) c = chan_make(int);
    v->x = 2;
    go_ticker *t = go_ticker_make(1);
    go_do(v, c, t) {
        (void)chan_recv(ticker_c(t));
        write_and_tell(v, 1, c);
    };
    (void)chan_recv(c);
    v->x = 3;
    go_ticker_free(t);
}

SILENT(ticker, reset_before_receive, "time_test.go TestNoRaceTickerReset")
{
    chan(int) c = chan_make(int);
    go_ticker *t = go_ticker_make(GO_HOUR);
    go_do(v, c, t) {
        (void)chan_recv(ticker_c(t));
        write_and_tell(v, 1, c);
    };
    ticker_stop(t);
    v->x = 2;
    ticker_reset(t, 1);
    (void)chan_recv(c);
    v->x = 3;
    go_ticker_free(t);
}

RACE(timer, sleepers_are_not_ordered, "synctest_test.go TestRaceSynctestGoroutinesSleep")
{
    go_do(v) {
        go_sleep(GO_MS);
        v->x = 1;
        go_sleep(2 * GO_MS);
    };
    go_do(v) {
        go_sleep(2 * GO_MS);
        v->x = 1;
        go_sleep(GO_MS);
    };
    go_sleep(4 * GO_MS);
}

RACE(timer, functions_that_nobody_waits_for, "synctest_test.go TestRaceSynctestTimers")
{
    keep(go_after_func(GO_MS, write_and_pass, v));
    keep(go_after_func(2 * GO_MS, write_and_pass, v));
    await(2);
}

/* --- who runs a timer is not ordered before what it brings */

static void write_and_reach(struct vars *v)
{
    v->x = 2;
    reach(2);
}

RACE(timer, who_runs_it_is_not_before_its_function, OURS)
{
    keep(go_after_func(GO_MS, write_and_reach, v));
    go_do(v) {
        v->x = 1;
        await(2); /* by yielding, which runs timers */
    };
    await(2);
}

RACE(timer, who_runs_it_is_not_before_the_receiver, OURS)
{
    go_timer *t = go_timer_make(GO_MS);
    go_do(v, t) {
        (void)chan_recv(timer_c(t));
        v->x = 2;
        reach(2);
    };
    go_do(v) {
        v->x = 1;
        await(2);
    };
    await(2);
    go_timer_free(t);
}

RACE(timer, receivers_of_a_ticker_are_not_ordered, OURS)
{
    go_ticker *t = go_ticker_make(GO_MS);
    go_do(v, t) {
        v->x = 1;
        (void)chan_recv(ticker_c(t));
        reach(1);
    };
    await(1);
    (void)chan_recv(ticker_c(t));
    v->x = 2;
    go_ticker_free(t);
}

/* --- contexts */

SILENT(context, cancel_before_done, OURS)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_do(v, ctx) {
        v->x = 1;
        go_ctx_cancel(ctx);
    };
    (void)chan_recv_ok(go_ctx_done(ctx), NULL);
    v->x = 2;
    go_ctx_free(ctx);
}

SILENT(context, cancel_before_err, OURS)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_do(v, ctx) {
        v->x = 1;
        go_ctx_cancel(ctx);
    };
    while (go_ctx_err(ctx) == 0) {
        go_yield();
    }
    v->x = 2;
    go_ctx_free(ctx);
}

SILENT(context, cancel_before_done_of_a_child, OURS)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_ctx *child = ctx_with_cancel(ctx);
    go_do(v, ctx) {
        v->x = 1;
        go_ctx_cancel(ctx);
    };
    (void)chan_recv_ok(go_ctx_done(child), NULL);
    v->x = 2;
    go_ctx_free(child);
    go_ctx_free(ctx);
}

SILENT(context, cancel_and_registration_before_function, OURS)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    v->y = 1;
    go_ctx_after *a = go_ctx_after_func(ctx, write_and_reach, v);
    go_do(v, ctx) {
        v->x = 1;
        go_ctx_cancel(ctx);
    };
    await(2);
    (void)go_ctx_after_stop(a);
    go_ctx_free(ctx);
}

RACE(context, open_context_orders_nothing, OURS)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_do(v, ctx) {
        v->x = 1;
        EXPECT_EQ_INT(go_ctx_err(ctx), 0);
        reach(1);
    };
    await(1);
    EXPECT_EQ_INT(go_ctx_err(ctx), 0);
    v->x = 2;
    go_ctx_free(ctx);
}

/* Waiters are not ordered before the cancel, nor with each other. */
RACE(context, waiter_is_not_before_the_cancel, OURS)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_do(v, ctx) {
        v->x = 1;
        reach(1);
        (void)chan_recv_ok(go_ctx_done(ctx), NULL);
    };
    await(1);
    while (go_count() == 2 && go_ctx_err(ctx) == 0) {
        go_yield();
        go_ctx_cancel(ctx);
    }
    v->x = 2;
    await_count(1);
    go_ctx_free(ctx);
}

RACE(context, deadline_is_in_nobodys_name, OURS)
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_MS);
    go_do(v, ctx) {
        v->x = 1;
        while (go_ctx_err(ctx) == 0) {
            go_yield(); /* runs the timer, perhaps */
        }
        reach(1);
    };
    (void)chan_recv_ok(go_ctx_done(ctx), NULL);
    await(1);
    v->x = 2;
    go_ctx_free(ctx);
}
