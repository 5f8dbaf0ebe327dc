/* SPDX-License-Identifier: MIT */
/* Contexts under load: an end reaches all below and nobody else, also those that are made while it
 * comes; what waits with a context ends; what was to run after it runs once or was stopped. */
#include "stress.h"
#include <errno.h>
#include <stdio.h>

enum { NODES = 60 };

struct node {
    go_ctx *ctx;
    int parent;      /* index; -1: the background */
    bool cancelled;  /* by the test, itself or above */
};

static void waits_for_end(go_ctx *ctx, long *ended, go_waitgroup *wg)
{
    (void)chan_recv(ctx_done(ctx));
    EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
    stress_add(ended, 1);
    wg_done(wg);
}

static bool is_below(const struct node *node, int i, int top)
{
    while (i >= 0 && i != top) {
        i = node[i].parent;
    }
    return i == top;
}

/* Cancelling in a tree of contexts, subtree after subtree; then everything. */
TEST_SEEDS(context, an_end_reaches_all_below_and_nobody_else, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    for (long round = test_iterations(60); round > 0; round--) {
        struct node node[NODES];
        go_waitgroup wg = {0};
        long ended = 0;
        wg_add(&wg, NODES);
        for (int i = 0; i < NODES; i++) {
            node[i].parent = (int)stress_below(&r, i + 1) - 1;
            node[i].cancelled = false;
            go_ctx *up = node[i].parent < 0 ? ctx_background() : node[node[i].parent].ctx;
            node[i].ctx = stress_below(&r, 4) == 0 ? ctx_with_timeout(up, 100 * GO_SEC)
                                                   : ctx_with_cancel(up);
            REQUIRE(node[i].ctx != NULL);
            go(waits_for_end, node[i].ctx, &ended, &wg);
        }
        for (int k = 0; k < 4; k++) {
            int top = (int)stress_below(&r, NODES);
            ctx_cancel(node[top].ctx);
            for (int i = 0; i < NODES; i++) {
                node[i].cancelled = node[i].cancelled || is_below(node, i, top);
                REQUIRE_EQ_INT(ctx_err(node[i].ctx), node[i].cancelled ? -ECANCELED : 0);
            }
            stress_pause(&r);
        }
        for (int i = 0; i < NODES; i++) {
            ctx_cancel(node[i].ctx);
        }
        wg_wait(&wg);
        REQUIRE_EQ_INT(ended, NODES);
        for (int i = 0; i < NODES; i++) { /* in any order */
            int j = (int)((i * 7 + round) % NODES);
            ctx_free(node[j].ctx);
        }
    }
    stress_alone();
}

static void makes_children(go_ctx *parent, int id, long *made, go_waitgroup *wg)
{
    struct stress_rand r = stress_rand(id);
    bool ended = false;
    while (!ended) { /* ends: the parent does */
        go_ctx *child = ctx_with_cancel(parent);
        REQUIRE(child != NULL);
        ended = ctx_err(parent) != 0;
        if (ended) {
            (void)chan_recv(ctx_done(child)); /* made before or after: it has ended, or will */
            EXPECT_EQ_INT(ctx_err(child), -ECANCELED);
        }
        stress_add(made, 1);
        stress_pause(&r);
        ctx_free(child);
    }
    ctx_free(parent);
    wg_done(wg);
}

/* Children come and go while the parent is cancelled, and let go of by others. */
TEST_SEEDS(context, a_child_made_during_the_end_has_ended, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    for (long round = test_iterations(150); round > 0; round--) {
        go_ctx *parent = ctx_with_cancel(ctx_background());
        go_waitgroup wg = {0};
        long made = 0;
        long enough = stress_between(&r, 1, 60);
        wg_add(&wg, 5);
        for (int i = 0; i < 5; i++) {
            go(makes_children, go_ctx_ref(parent), (int)round * 10 + i, &made, &wg);
        }
        while (stress_get(&made) < enough) {
            go_yield();
        }
        ctx_cancel(parent);
        ctx_free(parent);
        wg_wait(&wg);
    }
    stress_alone();
}

static void notes(long *ran) { stress_add(ran, 1); }

static void cancels(go_ctx *ctx, long id)
{
    struct stress_rand r = stress_rand(id);
    stress_pause(&r);
    ctx_cancel(ctx);
    ctx_free(ctx);
}

/* The end and the stop race: exactly one of them has its way. */
TEST_SEEDS(context, what_follows_runs_once_or_was_stopped, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    for (long round = test_iterations(400); round > 0; round--) {
        enum { N = 6 };
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go_ctx_after *after[N];
        long ran = 0;
        long stopped = 0;
        for (int i = 0; i < N; i++) {
            after[i] = go_ctx_after_func(ctx, notes, &ran);
            REQUIRE(after[i] != NULL);
        }
        go(cancels, go_ctx_ref(ctx), round);
        stress_pause(&r);
        for (int i = 0; i < N; i++) {
            if (stress_below(&r, 2) == 0) {
                stopped += go_ctx_after_stop(after[i]) ? 1 : 0;
            }
            stress_pause(&r);
        }
        (void)chan_recv(ctx_done(ctx));
        stress_alone();
        REQUIRE_EQ_INT(ran + stopped, N);
        ctx_free(ctx);
    }
}

struct limited {
    go_mutex mu;
    chan(long) c;
    long inside, entered, given_up, sent, received;
    go_waitgroup wg;
};

/* Waits for the mutex, then on a channel, each no longer than a context that others end. */
static void limited_by(struct limited *l, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        go_ctx *ctx = ctx_with_timeout(ctx_background(), stress_below(&r, 80) * GO_US);
        if (stress_below(&r, 2) == 0) {
            go(cancels, go_ctx_ref(ctx), id * 100000L + i);
        }
        int err = mutex_lock_ctx(ctx, &l->mu);
        if (err == 0) {
            REQUIRE_EQ_INT(l->inside++, 0);
            stress_pause(&r);
            REQUIRE_EQ_INT(--l->inside, 0);
            mutex_unlock(&l->mu);
            stress_add(&l->entered, 1);
        } else {
            REQUIRE(err == -ECANCELED || err == -ETIMEDOUT);
            REQUIRE_EQ_INT(ctx_err(ctx), err);
            stress_add(&l->given_up, 1);
        }
        long v = 0;
        switch (chan_select(send(sent, l->c, 1), recv(got, l->c, &v), recv(end, ctx_done(ctx)))) {
        case sent: stress_add(&l->sent, 1); break;
        case got: stress_add(&l->received, v); break;
        case end: REQUIRE(ctx_err(ctx) != 0); break;
        }
        ctx_free(ctx);
    }
    wg_done(&l->wg);
}

TEST_SEEDS(context, waits_end_with_their_context, STRESS_SEEDS)
{
    enum { N = 6 };
    struct limited l = {.c = chan_make(long)};
    long rounds = test_iterations(500);
    wg_add(&l.wg, N);
    for (int i = 0; i < N; i++) {
        go(limited_by, &l, i, rounds);
    }
    wg_wait(&l.wg);
    stress_alone();
    EXPECT_EQ_INT(l.entered + l.given_up, N * rounds);
    EXPECT_EQ_INT(l.sent, l.received);
    EXPECT(mutex_trylock(&l.mu));
    mutex_unlock(&l.mu);
    chan_free(l.c);
}
