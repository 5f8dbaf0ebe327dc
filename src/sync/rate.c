/* SPDX-License-Identifier: MIT */
/* rate.c: go_rate, x/time/rate: a bucket of tokens that fills by itself.
 *
 * The bucket is not filled by a timer: it holds the tokens there were at `last`, and who comes adds
 * what the time since then is worth. Tokens may go below zero: who reserves takes from the future
 * and waits for as long as the debt lasts, so that waiters need no queue; each one's time to act is
 * known when it comes, and they act in that order.
 *
 *   Q1  tokens <= burst after every advance.                          (asserts)
 *   Q2  `last` does not go backwards, so no time is paid for twice.   (tests/unit/sync/rate)
 *   Q3  Who gives a reservation back returns its tokens, without those that later reservations have
 *       counted on meanwhile: last_event is when the last reservation acts. How many that are is
 *       reckoned at the rate it was made at, as in Go.   (tests/unit/sync/rate, conform/rate)
 *
 * Everything is under a go_mutex. The arithmetic is Go's, in the same order, with its two
 * infinities: a rate of INFINITY asks for nothing, and what takes longer than can be said never
 * happens.
 */
/* style: layer because it waits with a context, which may be freed meanwhile. */
#include "context/keep.h"
#include "sync/internal.h"
#include <gort/chan.h>
#include <gort/context.h>
#include <gort/time.h>

_Static_assert(sizeof(go_rate) == 56, "go_rate is part of the ABI");

static bool infinite(const go_rate *r) { return r->per_second > 1.7976931348623157e308; }

static int64_t duration_of(double per_second, double tokens)
{
    if (!(per_second > 0)) {
        return GOI_FOREVER;
    }
    double ns = tokens / per_second * 1e9;
    return ns >= 9223372036854775807.0 ? GOI_FOREVER : (int64_t)ns;
}

static double tokens_of(double per_second, int64_t ns)
{
    return per_second > 0 ? (double)ns / 1e9 * per_second : 0;
}

/* What is there at `now`. Under the mutex, like all that follows. */
static double advanced(const go_rate *r, go_time now)
{
    double tokens = r->tokens + (now > r->last ? tokens_of(r->per_second, now - r->last) : 0);
    double burst = (double)r->burst;
    tokens = tokens > burst ? burst : tokens;
    goi_assert(tokens <= burst); /* Q1 */
    return tokens;
}

/* Takes n tokens if that costs no more than `patience`; *v is what was reserved. 0, -EINVAL when
 * there are never so many, or -ETIMEDOUT. */
static int reserve(go_rate *r, go_time now, int64_t n, int64_t patience, go_reservation *v)
{
    *v = (go_reservation){.at = now, .tokens = n};
    if (infinite(r)) {
        return 0; /* nothing was taken that could be given back: at no rate */
    }
    double tokens = advanced(r, now) - (double)n;
    int64_t wait = tokens < 0 ? duration_of(r->per_second, -tokens) : 0;
    /* What never comes cannot be reserved, however patient one is. */
    if (n > r->burst || wait > patience || wait == GOI_FOREVER) {
        *v = (go_reservation){.at = GO_FOREVER};
        return n > r->burst ? -EINVAL : -ETIMEDOUT;
    }
    r->last = goi_max_i64(r->last, now); /* Q2 */
    r->tokens = tokens;
    v->at = r->last_event = goi_after(now, wait);
    v->per_second = r->per_second;
    return 0;
}

/* Gives back what was reserved (Q3). */
static void cancel(go_rate *r, go_time now, const go_reservation *v)
{
    if (infinite(r) || v->tokens == 0 || v->at < now) {
        return;
    }
    double back = (double)v->tokens - tokens_of(v->per_second, r->last_event - v->at);
    if (back <= 0) {
        return;
    }
    double tokens = advanced(r, now) + back;
    double burst = (double)r->burst;
    r->tokens = tokens > burst ? burst : tokens;
    r->last = goi_max_i64(r->last, now); /* Q2 */
    if (v->at == r->last_event) {
        int64_t before = duration_of(v->per_second, (double)v->tokens);
        if (before != GOI_FOREVER && v->at - before >= now) {
            r->last_event = v->at - before;
        }
    }
}

void go_rate_set(go_rate *r, double per_second, int64_t burst)
{
    go_time now = goi_now();
    go_mutex_lock(&r->mu);
    if (r->last == 0) {
        r->tokens = (double)burst;
    } else {
        r->tokens = advanced(r, now);
    }
    r->last = goi_max_i64(r->last, now); /* Q2 */
    r->per_second = per_second;
    r->burst = burst;
    go_mutex_unlock(&r->mu);
}

static int reserve_now(go_rate *r, int64_t n, int64_t patience, go_time *now, go_reservation *v)
{
    go_mutex_lock(&r->mu);
    *now = goi_now();
    int err = reserve(r, *now, n, patience, v);
    go_mutex_unlock(&r->mu);
    return err;
}

bool go_rate_allow_n(go_rate *r, int64_t n)
{
    go_time now;
    go_reservation v;
    return reserve_now(r, n, 0, &now, &v) == 0;
}

bool go_rate_allow(go_rate *r) { return go_rate_allow_n(r, 1); }

go_duration go_rate_reserve_n(go_rate *r, int64_t n)
{
    go_time now;
    go_reservation v;
    return reserve_now(r, n, GOI_FOREVER, &now, &v) == 0 ? v.at - now : GO_FOREVER;
}

go_duration go_rate_reserve(go_rate *r) { return go_rate_reserve_n(r, 1); }

go_reservation go_rate_book(go_rate *r, int64_t n)
{
    go_time now;
    go_reservation v;
    (void)reserve_now(r, n, GOI_FOREVER, &now, &v);
    return v;
}

void go_rate_cancel(go_rate *r, go_reservation *v)
{
    go_mutex_lock(&r->mu);
    cancel(r, goi_now(), v);
    go_mutex_unlock(&r->mu);
    v->tokens = 0; /* once */
}

double go_rate_tokens(go_rate *r)
{
    go_mutex_lock(&r->mu);
    double tokens = advanced(r, goi_now());
    go_mutex_unlock(&r->mu);
    return tokens;
}

static int wait_n(struct go_ctx *ctx, go_rate *r, int64_t n)
{
    int err = ctx != NULL ? go_ctx_err(ctx) : 0;
    if (err != 0) {
        return err;
    }
    go_time now;
    go_reservation v;
    go_time deadline;
    int64_t patience = GOI_FOREVER;
    if (ctx != NULL && go_ctx_deadline(ctx, &deadline)) {
        patience = deadline - goi_now();
    }
    err = reserve_now(r, n, patience, &now, &v);
    if (err != 0 || v.at <= now) {
        return err;
    }
    if (ctx == NULL) {
        go_sleep_until(v.at);
        return 0;
    }
    char none;
    if (go_chan_recv_until(go_ctx_done(ctx), &none, v.at) == -ETIMEDOUT) {
        return 0;
    }
    go_rate_cancel(r, &v);
    return go_ctx_err(ctx);
}

int go_rate_wait_n(struct go_ctx *ctx, go_rate *r, int64_t n)
{
    goi_ctx_keep(ctx); /* it may be freed, and thereby ended, meanwhile */
    int err = wait_n(ctx, r, n);
    goi_ctx_unkeep(ctx);
    return err;
}

int go_rate_wait(struct go_ctx *ctx, go_rate *r) { return go_rate_wait_n(ctx, r, 1); }

int go_rate_wait_n_until(go_rate *r, int64_t n, go_time deadline)
{
    go_time now;
    go_reservation v;
    go_time soon = goi_now();
    int64_t patience = deadline == GO_FOREVER ? GOI_FOREVER : goi_max_i64(deadline - soon, 0);
    int err = reserve_now(r, n, patience, &now, &v);
    if (err == 0 && v.at > now) {
        go_sleep_until(v.at);
    }
    return err;
}

int go_rate_wait_until(go_rate *r, go_time deadline)
{
    return go_rate_wait_n_until(r, 1, deadline);
}
