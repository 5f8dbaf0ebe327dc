/* SPDX-License-Identifier: MIT */
/* go_rate. The arithmetic is tested on times of the test's own, so that a slow machine changes
 * nothing: the file is compiled into the test. */
#include "unit/sync/parked.h"
#include <math.h>

#define go_rate_set rate_under_test_set
#define go_rate_allow rate_under_test_allow
#define go_rate_allow_n rate_under_test_allow_n
#define go_rate_reserve rate_under_test_reserve
#define go_rate_reserve_n rate_under_test_reserve_n
#define go_rate_tokens rate_under_test_tokens
#define go_rate_wait rate_under_test_wait
#define go_rate_wait_n rate_under_test_wait_n
#define go_rate_wait_until rate_under_test_wait_until
#define go_rate_wait_n_until rate_under_test_wait_n_until
#define go_rate_book rate_under_test_book
#define go_rate_cancel rate_under_test_cancel
void go_rate_set(go_rate *r, double per_second, int64_t burst);
bool go_rate_allow(go_rate *r);
bool go_rate_allow_n(go_rate *r, int64_t n);
go_duration go_rate_reserve(go_rate *r);
go_duration go_rate_reserve_n(go_rate *r, int64_t n);
double go_rate_tokens(go_rate *r);
int go_rate_wait(struct go_ctx *ctx, go_rate *r);
int go_rate_wait_n(struct go_ctx *ctx, go_rate *r, int64_t n);
int go_rate_wait_until(go_rate *r, go_time deadline);
int go_rate_wait_n_until(go_rate *r, int64_t n, go_time deadline);
go_reservation go_rate_book(go_rate *r, int64_t n);
void go_rate_cancel(go_rate *r, go_reservation *v);
#include "sync/rate.c"
#undef go_rate_set
#undef go_rate_allow
#undef go_rate_allow_n
#undef go_rate_reserve
#undef go_rate_reserve_n
#undef go_rate_tokens
#undef go_rate_wait
#undef go_rate_wait_n
#undef go_rate_wait_until
#undef go_rate_wait_n_until
#undef go_rate_book
#undef go_rate_cancel

/* A bucket that was full at time 1000. */
static go_rate bucket(double per_second, int64_t burst)
{
    return (go_rate){.per_second = per_second, .burst = burst, .tokens = (double)burst,
                     .last = 1000, .last_event = 1000};
}

/* Takes n at time 1000 + at; the wait, or -1. */
static int64_t take(go_rate *r, int64_t at, int64_t n, int64_t patience)
{
    go_reservation v;
    return reserve(r, 1000 + at, n, patience, &v) == 0 ? v.at - (1000 + at) : -1;
}

/* Gives n back, at time 1000 + at, that were to be used at 1000 + act. */
static void give_back(go_rate *r, int64_t at, int64_t n, int64_t act)
{
    const go_reservation v = {.at = 1000 + act, .tokens = n, .per_second = r->per_second};
    cancel(r, 1000 + at, &v);
}

TEST(rate, zero_refuses_everything)
{
    go_rate r = {0};
    EXPECT(!rate_allow(&r));
    EXPECT_EQ_INT(rate_reserve(&r), GO_FOREVER);
    EXPECT_EQ_INT(rate_wait(NULL, &r), -EINVAL);
    EXPECT_EQ_INT(go_rate_wait_until(&r, go_now() + GO_HOUR), -EINVAL);
    EXPECT(go_rate_allow_n(&r, 0));
}

TEST(rate, infinite_allows_everything)
{
    go_rate r = {0};
    rate_set(&r, INFINITY, 0);
    for (int i = 0; i < 100; i++) {
        EXPECT(rate_allow(&r));
        EXPECT_EQ_INT(go_rate_wait_n(NULL, &r, 1000), 0);
        EXPECT_EQ_INT(rate_reserve(&r), 0);
    }
}

TEST(rate, burst_then_one_token_at_a_time)
{
    go_rate r = bucket(10, 3);
    EXPECT_EQ_INT(take(&r, 0, 1, 0), 0);
    EXPECT_EQ_INT(take(&r, 0, 2, 0), 0);
    EXPECT_EQ_INT(take(&r, 0, 1, 0), -1);
    EXPECT_EQ_INT(take(&r, 99 * GO_MS, 1, 0), -1);
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 1, 0), 0);
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 1, 0), -1);
    EXPECT_EQ_INT(take(&r, 300 * GO_MS, 2, 0), 0);
    EXPECT_EQ_INT(take(&r, GO_HOUR, 4, 0), -1); /* never more than the burst */
    EXPECT_EQ_INT(take(&r, GO_HOUR, 3, 0), 0);
    EXPECT_EQ_INT(take(&r, GO_HOUR, 1, 0), -1);
}

TEST(rate, time_that_goes_back_earns_nothing)
{
    go_rate r = bucket(10, 1);
    EXPECT_EQ_INT(take(&r, 200 * GO_MS, 1, 0), 0);
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 1, 0), -1);
    EXPECT_EQ_INT(take(&r, 250 * GO_MS, 1, 0), -1);
    EXPECT_EQ_INT(take(&r, 300 * GO_MS, 1, 0), 0);
}

TEST(rate, reservations_queue_up_in_time)
{
    go_rate r = bucket(10, 2);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 200 * GO_MS);
    EXPECT_EQ_INT(take(&r, 0, 1, GOI_FOREVER), 300 * GO_MS);
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 1, GOI_FOREVER), 300 * GO_MS);
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 1, 399 * GO_MS), -1); /* not so patient */
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 3, GOI_FOREVER), -1); /* more than the burst */
    EXPECT_EQ_INT(take(&r, 100 * GO_MS, 1, 400 * GO_MS), 400 * GO_MS);
}

TEST(rate, cancelled_reservation_returns_its_tokens)
{
    go_rate r = bucket(10, 2);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 200 * GO_MS);
    give_back(&r, 0, 2, 200 * GO_MS);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 200 * GO_MS);
    give_back(&r, 300 * GO_MS, 2, 200 * GO_MS); /* too late */
    EXPECT_EQ_INT(take(&r, 300 * GO_MS, 1, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&r, 300 * GO_MS, 1, GOI_FOREVER), 100 * GO_MS);
}

TEST(rate, cancelling_leaves_what_later_ones_count_on)
{
    go_rate r = bucket(10, 2);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 200 * GO_MS);
    EXPECT_EQ_INT(take(&r, 0, 1, GOI_FOREVER), 300 * GO_MS);
    give_back(&r, 0, 2, 200 * GO_MS); /* one of the two comes back */
    EXPECT_EQ_INT(take(&r, 0, 1, GOI_FOREVER), 300 * GO_MS);
}

/* Go's arithmetic: what later ones count on is reckoned at the rate of the reservation. */
TEST(rate, cancelling_after_the_rate_was_set)
{
    go_rate r = bucket(10, 2);
    go_reservation second;
    EXPECT_EQ_INT(take(&r, 0, 2, GOI_FOREVER), 0);
    EXPECT_EQ_INT(reserve(&r, 1000, 2, GOI_FOREVER, &second), 0);
    EXPECT_EQ_INT(take(&r, 0, 1, GOI_FOREVER), 300 * GO_MS);
    r.per_second = 100; /* 100 ms are one token of the old rate, and ten of the new one */
    cancel(&r, 1000, &second);
    EXPECT(r.tokens == -2);
}

TEST(rate, what_was_booked_can_be_given_back_once)
{
    go_rate r = {0};
    rate_set(&r, 0.001, 2);
    go_reservation first = rate_book(&r, 2);
    go_reservation second = rate_book(&r, 2);
    go_reservation never = rate_book(&r, 3);
    EXPECT_INT(first.at, <=, go_now());
    EXPECT_INT(second.at, >, go_now() + 1900 * GO_SEC);
    EXPECT_EQ_INT(never.at, GO_FOREVER);
    rate_cancel(&r, &second);
    rate_cancel(&r, &second);
    rate_cancel(&r, &first); /* too late */
    rate_cancel(&r, &never);
    EXPECT(fabs(go_rate_tokens(&r)) < 0.1);
}

TEST(rate, waits_for_several_with_a_deadline)
{
    go_rate r = {0};
    rate_set(&r, 0.001, 3);
    EXPECT_EQ_INT(rate_wait_n_until(&r, 4, GO_FOREVER), -EINVAL);
    EXPECT_EQ_INT(rate_wait_n_until(&r, 2, 0), 0);
    EXPECT_EQ_INT(rate_wait_n_until(&r, 2, go_now() + GO_SEC), -ETIMEDOUT);
    EXPECT_EQ_INT(rate_wait_n_until(&r, 1, go_now()), 0);
    rate_set(&r, 1000, 3);
    EXPECT_EQ_INT(rate_wait_n_until(&r, 3, go_now() + GO_HOUR), 0);
}

TEST(rate, tiny_rates_do_not_overflow)
{
    go_rate r = bucket(1e-10, 1);
    EXPECT_EQ_INT(take(&r, 0, 1, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&r, 0, 1, GOI_FOREVER), -1);
    go_rate no = bucket(0, 1);
    EXPECT_EQ_INT(take(&no, 0, 1, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&no, 0, 1, GOI_FOREVER), -1);
    go_rate negative = bucket(-5, 1);
    EXPECT_EQ_INT(take(&negative, 0, 1, GOI_FOREVER), 0);
    EXPECT_EQ_INT(take(&negative, GO_HOUR, 1, GOI_FOREVER), -1);
}

TEST(rate, set_fills_the_bucket_only_at_first)
{
    go_rate r = {0};
    rate_set(&r, 0.001, 5);
    EXPECT(go_rate_tokens(&r) >= 5);
    EXPECT(go_rate_allow_n(&r, 4));
    EXPECT(!go_rate_allow_n(&r, 2));
    rate_set(&r, 0.001, 10);
    EXPECT(!go_rate_allow_n(&r, 2));
    EXPECT(rate_allow(&r));
    EXPECT(!rate_allow(&r));
    rate_set(&r, 1e9, 10);
    EXPECT_EQ_INT(rate_wait(NULL, &r), 0);
}

TEST(rate, wait_lasts_as_long_as_it_must)
{
    go_rate r = {0};
    rate_set(&r, 200, 1);
    go_time start = go_now();
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ_INT(rate_wait(NULL, &r), 0);
    }
    EXPECT_INT(go_since(start), >=, 4 * 5 * GO_MS - GO_MS / 100);
    EXPECT_EQ_INT(go_rate_wait_n(NULL, &r, 2), -EINVAL);
    EXPECT_EQ_INT(go_rate_wait_until(&r, go_now() + GO_MIN), 0);
    go_rate slow = {0};
    rate_set(&slow, 1e-3, 1);
    EXPECT_EQ_INT(go_rate_wait_until(&slow, 0), 0);
    EXPECT_EQ_INT(go_rate_wait_until(&slow, go_now() + GO_SEC), -ETIMEDOUT);
}

static goi_a32 granted;

static void allow(go_rate *r, long times, go_waitgroup *wg)
{
    for (long i = 0; i < times; i++) {
        if (rate_allow(r)) {
            add_rlx(&granted, 1);
        }
    }
    wg_done(wg);
}

TEST(rate, many_get_no_more_than_the_burst)
{
    go_rate r = {0};
    go_waitgroup wg = {0};
    rate_set(&r, 1e-6, 100);
    wg_add(&wg, 8);
    for (int i = 0; i < 8; i++) {
        go(allow, &r, test_iterations(1000), &wg);
    }
    wg_wait(&wg);
    EXPECT_EQ_UINT(ld_rlx(&granted), test_iterations(1000) < 13 ? ld_rlx(&granted) : 100);
}
