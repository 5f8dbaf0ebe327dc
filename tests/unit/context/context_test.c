/* SPDX-License-Identifier: MIT */
/* Contexts: what ends them, what they say, in what order things may be let go. */
#include "base/atomic.h"
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

static bool is_done(go_ctx *ctx)
{
    switch (chan_select(recv(over, ctx_done(ctx)), default)) {
    case over:
        return true;
    default:
        return false;
    }
}

static void expect_open(go_ctx *ctx)
{
    EXPECT(!is_done(ctx));
    EXPECT_EQ_INT(ctx_err(ctx), 0);
    EXPECT(ctx_cause(ctx) == NULL);
    EXPECT_EQ_INT(ctx_cause_err(ctx), 0);
}

static void expect_ended(go_ctx *ctx, int err, int cause_err, const char *cause)
{
    EXPECT(is_done(ctx));
    EXPECT_EQ_INT(ctx_err(ctx), err);
    EXPECT_EQ_INT(ctx_cause_err(ctx), cause_err);
    REQUIRE(ctx_cause(ctx) != NULL);
    EXPECT_EQ_STR(ctx_cause(ctx), cause);
}

static void expect_canceled(go_ctx *ctx)
{
    expect_ended(ctx, -ECANCELED, -ECANCELED, "context canceled");
}

TEST(context, roots_never_end_and_need_not_be_freed)
{
    go_ctx *roots[] = {ctx_background(), ctx_todo()};
    EXPECT(roots[0] != roots[1]);
    for (int i = 0; i < 2; i++) {
        EXPECT(ctx_done(roots[i]) == NULL);
        EXPECT(!ctx_deadline(roots[i], NULL));
        ctx_cancel(roots[i]);
        ctx_cancel_cause(roots[i], -EIO, "why");
        EXPECT_EQ_INT(ctx_err(roots[i]), 0);
        EXPECT(ctx_cause(roots[i]) == NULL);
        EXPECT_EQ_PTR(ctx_ref(roots[i]), roots[i]);
        ctx_free(roots[i]);
        ctx_free(roots[i]);
    }
    ctx_free(NULL);
    EXPECT(ctx_ref(NULL) == NULL);
}

TEST(context, cancel_ends_it_and_again_changes_nothing)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    expect_open(c);
    ctx_cancel(c);
    expect_canceled(c);
    ctx_cancel_cause(c, -EIO, "later");
    expect_canceled(c);
    ctx_free(c);
}

TEST(context, end_of_parent_ends_the_child_and_not_the_reverse)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *kid = ctx_with_cancel(parent);
    go_ctx *other = ctx_with_cancel(parent);
    ctx_cancel(kid);
    expect_canceled(kid);
    expect_open(parent);
    expect_open(other);
    ctx_cancel(parent);
    expect_canceled(parent);
    expect_canceled(other);
    ctx_free(kid);
    ctx_free(other);
    ctx_free(parent);
}

TEST(context, child_of_an_ended_parent_is_ended)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(parent, -EIO, "disk");
    go_ctx *a = ctx_with_cancel(parent);
    go_ctx *b = ctx_with_timeout(parent, GO_HOUR);
    go_ctx *d = ctx_with_timeout(parent, -1);
    expect_ended(a, -ECANCELED, -EIO, "disk");
    expect_ended(b, -ECANCELED, -EIO, "disk");
    expect_ended(d, -ECANCELED, -EIO, "disk");
    ctx_free(parent);
    expect_ended(a, -ECANCELED, -EIO, "disk");
    ctx_free(a);
    ctx_free(b);
    ctx_free(d);
}

TEST(context, free_cancels_when_it_was_the_last_reference)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *kid = ctx_with_cancel(parent);
    EXPECT_EQ_PTR(ctx_ref(parent), parent);
    ctx_free(parent);
    expect_open(parent);
    expect_open(kid);
    ctx_free(parent);
    expect_canceled(kid); /* and valid, although its parent has been freed */
    go_ctx *grandkid = ctx_with_cancel(kid);
    expect_canceled(grandkid);
    ctx_free(kid);
    ctx_free(grandkid);
}

TEST(context, done_may_outlive_the_context)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    go_recv_chan(char) done = chan_ref(ctx_done(c));
    ctx_free(c);
    EXPECT(!chan_recv_ok(done, NULL));
    chan_free(done);
}

TEST(context, done_is_the_same_channel_every_time)
{
    go_ctx *c = ctx_with_cancel(ctx_background());
    EXPECT_EQ_PTR(ctx_done(c), ctx_done(c));
    EXPECT_EQ_UINT(chan_len(ctx_done(c)), 0);
    EXPECT_EQ_UINT(chan_cap(ctx_done(c)), 0);
    ctx_free(c);
}

TEST(context, without_cancel_cuts_the_end_and_keeps_the_values)
{
    static const go_ctx_key(int) key = 0;
    go_ctx *top = ctx_with_timeout(ctx_background(), GO_HOUR);
    go_ctx *v = ctx_with_value(top, key, 7);
    go_ctx *cut = ctx_without_cancel(v);
    go_ctx *below = ctx_with_cancel(cut);
    EXPECT(ctx_done(cut) == NULL);
    EXPECT(!ctx_deadline(cut, NULL));
    ctx_cancel(cut);
    ctx_cancel_cause(cut, -EIO, "no effect");
    ctx_cancel(top);
    EXPECT_EQ_INT(ctx_err(v), -ECANCELED);
    EXPECT_EQ_INT(ctx_err(cut), 0);
    expect_open(below);
    ctx_free(top);
    ctx_free(v);
    EXPECT_EQ_INT(*ctx_value(below, key), 7);
    ctx_free(cut);
    EXPECT_EQ_INT(*ctx_value(below, key), 7);
    ctx_cancel(below);
    expect_canceled(below);
    ctx_free(below);
}

/* Go's TestLayersCancel: a random pile of contexts, ended at a random one. */
TEST(context, layers_end_below_and_only_below)
{
    enum { LAYERS = 60, ROUNDS = 40 };
    static const go_ctx_key(int) keys[LAYERS];
    unsigned seed = (unsigned)test_seed();
    for (int round = 0; round < ROUNDS; round++) {
        go_ctx *c[LAYERS + 1];
        bool end[LAYERS + 1];
        c[0] = ctx_background();
        end[0] = false;
        for (int i = 1; i <= LAYERS; i++) {
            int what = rand_r(&seed) % 3;
            c[i] = what == 0   ? ctx_with_value(c[i - 1], keys[i - 1], i)
                   : what == 1 ? ctx_with_cancel(c[i - 1])
                               : ctx_with_timeout(c[i - 1], GO_HOUR);
            end[i] = what != 0;
        }
        int at = 1 + rand_r(&seed) % LAYERS;
        while (at < LAYERS && !end[at]) {
            at++;
        }
        ctx_cancel(c[at]);
        for (int i = 1; i <= LAYERS; i++) {
            EXPECT_EQ_INT(ctx_err(c[i]), i >= at && end[at] ? -ECANCELED : 0);
            const int *v = ctx_value(c[LAYERS], keys[i - 1]);
            EXPECT_EQ_INT(v != NULL ? *v : i, i);
            EXPECT_EQ_INT(v != NULL, !end[i]);
        }
        for (int i = LAYERS; i > 0; i--) { /* from either side */
            ctx_free(round % 2 == 0 ? c[i] : c[LAYERS + 1 - i]);
        }
    }
}

DEATH_TEXT(context, nil_parent_panics, 2, "panic: cannot create context from nil parent\n")
{
    (void)!ctx_with_cancel(NULL);
}

DEATH_TEXT(context, nil_parent_of_deadline_panics, 2,
           "panic: cannot create context from nil parent\n")
{
    (void)!ctx_with_timeout(NULL, GO_SEC);
}

DEATH_TEXT(context, nil_key_panics, 2, "panic: nil key\n")
{
    int v = 1;
    (void)goi_ctx_with_value(ctx_background(), NULL, &v, sizeof v);
}

/* --- values */

struct point { double x, y; };
typedef struct { char c[96]; } GO_ALIGNED(32) wide;

TEST(context, values_are_copies_found_by_key)
{
    static const go_ctx_key(int) id = 0;
    static const go_ctx_key(int) other = 0;
    static const go_ctx_key(struct point) where = 0;
    static const go_ctx_key(const char *) name = 0;
    static const go_ctx_key(wide) big = 0;
    int n = 1;
    go_ctx *a = ctx_with_value(ctx_background(), id, n);
    n = 2;
    go_ctx *b = ctx_with_value(a, where, {1.5, -2});
    go_ctx *c = ctx_with_value(b, name, "fred");
    go_ctx *d = ctx_with_cancel(c);
    go_ctx *e = ctx_with_value(d, id, n);
    wide w = {.c = "wide"};
    go_ctx *f = ctx_with_value(e, big, w);
    EXPECT_EQ_INT(*ctx_value(a, id), 1);
    EXPECT_EQ_INT(*ctx_value(d, id), 1);
    EXPECT_EQ_INT(*ctx_value(e, id), 2);
    EXPECT(ctx_value(f, other) == NULL);
    EXPECT(ctx_value(a, where) == NULL);
    EXPECT(ctx_value(f, where)->x == 1.5);
    EXPECT_EQ_STR(*ctx_value(f, name), "fred");
    EXPECT_EQ_STR(ctx_value(f, big)->c, "wide");
    EXPECT_EQ_UINT((uintptr_t)ctx_value(f, big) % 32, 0);
    EXPECT(ctx_value(ctx_background(), id) == NULL);
    ctx_cancel(e); /* has no end of its own */
    expect_open(e);
    ctx_cancel(d);
    expect_canceled(f);
    ctx_free(a);
    ctx_free(b);
    ctx_free(c);
    ctx_free(d);
    ctx_free(e);
    EXPECT_EQ_INT(*ctx_value(f, id), 2);
    EXPECT_EQ_STR(*ctx_value(f, name), "fred");
    ctx_free(f);
}

/* --- size */

static void wait_done(go_ctx *ctx, go_waitgroup *wg)
{
    chan_recv(ctx_done(ctx));
    wg_done(wg);
}

TEST(context, chain_of_ten_thousand_ends_and_is_freed_from_either_side)
{
    enum { N = 10000 };
    go_ctx **c = malloc((N + 1) * sizeof(*c));
    for (int way = 0; way < 2; way++) {
        c[0] = ctx_background();
        for (int i = 1; i <= N; i++) {
            c[i] = ctx_with_cancel(c[i - 1]);
        }
        go_waitgroup wg = {0};
        wg_add(&wg, 1);
        go(wait_done, c[N], &wg);
        ctx_cancel(c[1]);
        for (int i = 1; i <= N; i++) {
            EXPECT_EQ_INT(ctx_err(c[i]), -ECANCELED);
        }
        wg_wait(&wg);
        for (int i = 1; i <= N; i++) {
            ctx_free(way == 0 ? c[i] : c[N + 1 - i]);
        }
    }
    free(c);
}

TEST(context, tree_of_ten_thousand_wakes_everybody)
{
    enum { FAN = 21, N = FAN * FAN * FAN + FAN * FAN + FAN };
    go_ctx **c = malloc((N + 1) * sizeof(*c));
    go_waitgroup wg = {0};
    c[0] = ctx_with_cancel(ctx_background());
    for (int i = 1; i <= N; i++) {
        c[i] = ctx_with_cancel(c[(i - 1) / FAN]);
        if (i % 10 == 0) {
            wg_add(&wg, 1);
            go(wait_done, c[i], &wg);
        }
    }
    go_yield();
    ctx_cancel_cause(c[0], -EPIPE, "all of it");
    wg_wait(&wg);
    for (int i = 0; i <= N; i++) {
        EXPECT_EQ_STR(ctx_cause(c[i]), "all of it");
        ctx_free(c[i]);
    }
    free(c);
}

/* --- how fast */

static void select_done(go_ctx *ctx, chan(int) never, goi_a32 *started, goi_a32 *ended)
{
    add_acqrel(started, 1);
    switch (chan_select(recv(over, ctx_done(ctx)), recv(value, never))) {
    case over:
        EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
        break;
    case value:
        break;
    }
    add_acqrel(ended, 1);
}

/* Yields that it took until all had seen the end of their context's parent's parent. */
static int steps_to_end(uint32_t waiters)
{
    chan(int) never = chan_make(int);
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *kid = ctx_with_cancel(parent);
    go_ctx *c = ctx_with_cancel(kid);
    goi_a32 started = {0};
    goi_a32 ended = {0};
    int steps = 0;
    for (uint32_t i = 0; i < waiters; i++) {
        go(select_done, c, never, &started, &ended);
    }
    while (ld_acq(&started) < waiters) {
        go_yield();
    }
    go_yield();
    EXPECT_EQ_UINT(ld_acq(&ended), 0);
    ctx_cancel(parent);
    while (ld_acq(&ended) < waiters) {
        go_yield();
        steps++;
    }
    while (go_count() > 1) {
        go_yield();
    }
    ctx_free(c);
    ctx_free(kid);
    ctx_free(parent);
    chan_free(never);
    return steps;
}

/* The best of some rounds: on a busy machine a goroutine may lose its processor in between. */
TEST(context, end_of_the_parent_reaches_a_select_within_one_step)
{
    go_maxprocs(1);
    for (uint32_t waiters = 1; waiters <= 50; waiters += 49) {
        int best = steps_to_end(waiters);
        for (int round = 0; round < 20; round++) {
            int steps = steps_to_end(waiters);
            best = steps < best ? steps : best;
        }
        EXPECT_INT(best, <=, 1); /* none, if it lost it while it cancelled */
    }
}
