/* SPDX-License-Identifier: MIT */
/* The rate limiter. Go's tests hand in the time; here the rates are so low that the time a test
 * takes is worth no token, and one token is worth a thousand seconds. */
#include "conform.h"
#include <math.h>

#define SLOW 0.001
#define TOKEN (1000 * GO_SEC)

static go_rate bucket(double per_second, int64_t burst)
{
    go_rate r = {.burst = 0};
    rate_set(&r, per_second, burst);
    /* gort:vet ignore copylocks nobody else has used it yet */
    return r;
}
/* Within what a test may take, below. */
static void check_near(go_duration d, go_duration expected)
{
    EXPECT_INT(d, <=, expected);
    EXPECT_INT(d, >=, expected - TOKEN / 10);
}

/* ---- x/rate/rate_test.go ---- */

CASE(rate, first_setting_fills_the_bucket, "x/rate/rate_test.go TestLimit")
{
    go_rate r = bucket(SLOW, 10);
    EXPECT(r.per_second == SLOW);
    EXPECT_EQ_INT(r.burst, 10);
    EXPECT(go_rate_tokens(&r) == 10.0);
}

CASE(rate, burst_of_one, "x/rate/rate_test.go TestLimiterBurst1")
{
    go_rate r = bucket(SLOW, 1);
    EXPECT(rate_allow(&r));
    EXPECT(!rate_allow(&r));
    EXPECT(!go_rate_allow_n(&r, 2));
    EXPECT(go_rate_allow_n(&r, 0));
}

CASE(rate, burst_of_three, "x/rate/rate_test.go TestLimiterBurst3")
{
    go_rate r = bucket(SLOW, 3);
    EXPECT(!go_rate_allow_n(&r, 4));
    EXPECT(go_rate_allow_n(&r, 2));
    EXPECT(!go_rate_allow_n(&r, 2));
    EXPECT(rate_allow(&r));
    EXPECT(!rate_allow(&r));
}

CASE(rate, fraction_is_not_cut_off, "x/rate/rate_test.go TestLimiter_noTruncationErrors")
{
    go_rate r = bucket(0.7692307692307693, 1);
    EXPECT(rate_allow(&r));
}

static void ask(go_rate *r, int *granted) { add(granted, rate_allow(r) ? 1 : 0); }

CASE(rate, asked_by_many_at_once, "x/rate/rate_test.go TestSimultaneousRequests")
{
    go_rate r = bucket(SLOW, 5);
    go_waitgroup wg = {0};
    int granted = 0;
    for (int i = 0; i < 15; i++) {
        wg_go(&wg, ask, &r, &granted);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(granted, 5);
}

CASE(rate, is_kept_in_the_long_run, "x/rate/rate_test.go TestLongRunningQPS")
{
    go_rate r = bucket(2000, 100);
    go_time start = go_now();
    int granted = 0;
    while (go_since(start) < 30 * GO_MS || granted < 120) {
        granted += rate_allow(&r) ? 1 : 0;
        go_yield();
    }
    double most = (double)go_since(start) / 1e9 * 2000 + 100;
    EXPECT_INT(granted, <=, most + 1);
}

CASE(rate, reservations_queue_up, "x/rate/rate_test.go TestSimpleReserve")
{
    go_rate r = bucket(SLOW, 2);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 2), 0);
    check_near(go_rate_reserve_n(&r, 2), 2 * TOKEN);
    check_near(go_rate_reserve_n(&r, 2), 4 * TOKEN);
    check_near(rate_reserve(&r), 5 * TOKEN);
}

CASE(rate, reservation_of_more_than_the_burst_is_never, "x/rate/rate_test.go TestMix")
{
    go_rate r = bucket(SLOW, 2);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 3), GO_FOREVER);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 2), 0);
    EXPECT(!go_rate_allow_n(&r, 2));
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 3), GO_FOREVER);
    check_near(go_rate_reserve_n(&r, 2), 2 * TOKEN);
}

static void wait_and_tell(go_ctx *ctx, go_rate *r, int64_t n, chan(int) result)
{
    chan_send(result, go_rate_wait_n(ctx, r, n));
}

CASE(rate, cancelled_wait_gives_its_tokens_back,
     "x/rate/rate_test.go TestCancelLast, TestCancelMulti")
{
    go_rate r = bucket(SLOW, 2);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) result = chan_make(int);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 2), 0);
    go(wait_and_tell, ctx, &r, (int64_t)2, result);
    while (go_rate_tokens(&r) > -1.9) {
        go_yield();
    }
    ctx_cancel(ctx);
    EXPECT_EQ_INT(chan_recv(result), -ECANCELED);
    check_near(go_rate_reserve_n(&r, 2), 2 * TOKEN);
    await_count(1);
    ctx_free(ctx);
    chan_free(result);
}

/* Books n, which has to wait for so many tokens. */
static go_reservation book(go_rate *r, int64_t n, int64_t tokens)
{
    go_reservation v = rate_book(r, n);
    check_near(v.at - go_now(), tokens * TOKEN);
    return v;
}

CASE(rate, reservation_that_failed_is_nothing_to_cancel, "x/rate/rate_test.go TestCancelInvalid")
{
    go_rate r = bucket(SLOW, 2);
    book(&r, 2, 0);
    go_reservation v = rate_book(&r, 3);
    EXPECT_EQ_INT(v.at, GO_FOREVER);
    rate_cancel(&r, &v);
    book(&r, 2, 2);
}

CASE(rate, last_reservation_is_cancelled, "x/rate/rate_test.go TestCancelLast")
{
    go_rate r = bucket(SLOW, 2);
    book(&r, 2, 0);
    go_reservation v = book(&r, 2, 2);
    rate_cancel(&r, &v);
    book(&r, 2, 2);
}

CASE(rate, reservation_is_cancelled_too_late, "x/rate/rate_test.go TestCancelTooLate")
{
    go_rate r = bucket(SLOW, 2);
    go_reservation v = book(&r, 2, 0);
    while (go_now() <= v.at) { /* its time has come */
        go_yield();
    }
    rate_cancel(&r, &v);
    book(&r, 2, 2);
}

CASE(rate, later_reservations_have_counted_on_all_of_it, "x/rate/rate_test.go TestCancel0Tokens")
{
    go_rate r = bucket(SLOW, 2);
    book(&r, 2, 0);
    go_reservation v = book(&r, 1, 1);
    book(&r, 1, 2);
    rate_cancel(&r, &v); /* gives back none */
    book(&r, 1, 3);
}

CASE(rate, later_reservations_have_counted_on_one_of_it, "x/rate/rate_test.go TestCancel1Token")
{
    go_rate r = bucket(SLOW, 2);
    book(&r, 2, 0);
    go_reservation v = book(&r, 2, 2);
    book(&r, 1, 3);
    rate_cancel(&r, &v); /* gives back one */
    book(&r, 2, 4);
}

CASE(rate, several_reservations_are_cancelled, "x/rate/rate_test.go TestCancelMulti")
{
    go_rate r = bucket(SLOW, 4);
    book(&r, 4, 0);
    go_reservation a = book(&r, 3, 3);
    book(&r, 1, 4);
    go_reservation c = book(&r, 1, 5);
    rate_cancel(&r, &c); /* gives back one */
    rate_cancel(&r, &a); /* gives back two, as if c had never been */
    book(&r, 3, 5);
}

CASE(rate, cancelled_after_the_rate_was_set, "x/rate/rate_test.go TestReserveSetLimitCancel")
{
    go_rate r = bucket(SLOW, 2);
    book(&r, 2, 0);
    go_reservation v = book(&r, 2, 2);
    rate_set(&r, SLOW / 2, 2);
    rate_cancel(&r, &v);
    book(&r, 2, 4); /* two, at half the rate */
}

CASE(rate, cancelled_at_the_rate_of_its_reservation,
     "x/rate/rate_test.go TestReserveSetLimitCancel")
{
    go_rate r = bucket(SLOW, 2);
    book(&r, 2, 0);
    go_reservation v = book(&r, 2, 2);
    book(&r, 1, 3);
    rate_set(&r, SLOW * 10, 2);
    rate_cancel(&r, &v); /* gives back one, not none: the third came one token later */
    EXPECT(fabs(go_rate_tokens(&r) + 2) < 0.1);
}

CASE(rate, lower_limit_for_what_comes_later, "x/rate/rate_test.go TestReserveSetLimit")
{
    go_rate r = bucket(SLOW, 2);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 2), 0);
    check_near(go_rate_reserve_n(&r, 2), 2 * TOKEN);
    rate_set(&r, SLOW / 2, 2);
    check_near(go_rate_reserve_n(&r, 2), 8 * TOKEN);
}

CASE(rate, larger_burst_for_what_comes_later, "x/rate/rate_test.go TestReserveSetBurst")
{
    go_rate r = bucket(SLOW, 2);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 2), 0);
    check_near(go_rate_reserve_n(&r, 2), 2 * TOKEN);
    EXPECT_EQ_INT(go_rate_reserve_n(&r, 4), GO_FOREVER);
    rate_set(&r, SLOW, 4);
    check_near(go_rate_reserve_n(&r, 4), 6 * TOKEN);
}

CASE(rate, wait, "x/rate/rate_test.go TestWaitSimple")
{
    go_rate r = bucket(SLOW, 3);
    go_ctx *ended = ctx_with_cancel(ctx_background());
    ctx_cancel(ended);
    EXPECT_EQ_INT(rate_wait(ended, &r), -ECANCELED);
    EXPECT_EQ_INT(go_rate_wait_n(NULL, &r, 4), -EINVAL);
    EXPECT_EQ_INT(go_rate_wait_n(NULL, &r, 2), 0);
    EXPECT_EQ_INT(rate_wait(ctx_background(), &r), 0);
    ctx_free(ended);
}

CASE(rate, wait_until_it_is_cancelled, "x/rate/rate_test.go TestWaitCancel")
{
    go_rate r = bucket(SLOW, 3);
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) result = chan_make(int);
    EXPECT_EQ_INT(go_rate_wait_n(ctx, &r, 2), 0);
    go(wait_and_tell, ctx, &r, (int64_t)2, result);
    while (go_rate_tokens(&r) > -0.9) {
        go_yield();
    }
    ctx_cancel(ctx);
    EXPECT_EQ_INT(chan_recv(result), -ECANCELED);
    EXPECT(fabs(go_rate_tokens(&r) - 1) < 0.1);
    EXPECT_EQ_INT(rate_wait(ctx, &r), -ECANCELED);
    await_count(1);
    ctx_free(ctx);
    chan_free(result);
}

CASE(rate, deadline_that_comes_first_fails_at_once, "x/rate/rate_test.go TestWaitTimeout")
{
    go_rate r = bucket(SLOW, 3);
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_HOUR / 60);
    EXPECT_EQ_INT(go_rate_wait_n(ctx, &r, 2), 0);
    go_time start = go_now();
    EXPECT_EQ_INT(go_rate_wait_n(ctx, &r, 2), -ETIMEDOUT);
    EXPECT_INT(go_since(start), <, GO_SEC * 30);
    EXPECT_EQ_INT(rate_wait(ctx, &r), 0);
    ctx_free(ctx);
}

CASE(rate, infinite_rate_allows_everything, "x/rate/rate_test.go TestWaitInf")
{
    go_rate r = bucket((double)INFINITY, 0);
    EXPECT_EQ_INT(go_rate_wait_n(NULL, &r, 10), 0);
    EXPECT(go_rate_allow_n(&r, 1000));
    EXPECT_EQ_INT(rate_reserve(&r), 0);
}

CASE(rate, no_rate_gives_the_burst_only, "x/rate/rate_test.go TestZeroLimit")
{
    go_rate r = bucket(0, 1);
    EXPECT(rate_allow(&r));
    EXPECT(!rate_allow(&r));
    EXPECT_EQ_INT(rate_reserve(&r), GO_FOREVER);
    EXPECT_EQ_INT(rate_wait(NULL, &r), -ETIMEDOUT);
}

CASE(rate, rate_after_none, "x/rate/rate_test.go TestSetAfterZeroLimit")
{
    go_rate r = bucket(0, 1);
    EXPECT(rate_allow(&r));
    EXPECT(!rate_allow(&r));
    rate_set(&r, 1000, 1);
    EXPECT_EQ_INT(rate_wait(NULL, &r), 0);
}

CASE(rate, tiny_rate, "x/rate/rate_test.go TestTinyLimit")
{
    go_rate r = bucket(1e-10, 1);
    EXPECT(rate_allow(&r));
    EXPECT(!rate_allow(&r));
}

CASE(rate, waits_in_the_order_of_coming, "x/rate/rate_test.go TestWaitSimple")
{
    go_rate r = bucket(2000, 1);
    go_time start = go_now();
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ_INT(rate_wait(NULL, &r), 0);
    }
    EXPECT_INT(go_since(start), >=, 19 * 500 * GO_US - GO_US);
}

CASE(rate, zeros_refuse_everything, "x/rate/rate_test.go TestZeroLimit")
{
    static go_rate r;
    EXPECT(!rate_allow(&r));
    EXPECT_EQ_INT(rate_reserve(&r), GO_FOREVER);
    EXPECT_EQ_INT(rate_wait(NULL, &r), -EINVAL);
}
