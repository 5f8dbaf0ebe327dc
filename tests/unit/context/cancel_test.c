/* SPDX-License-Identifier: MIT */
/* What a cancel promises when it returns: all below has ended, whoever ended it. */
#include "harness.h"
#include <errno.h>
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

enum { KIDS = 3000, DEPTH = 3 };

struct tree {
    go_ctx *root, *middle;
    go_ctx *kid[KIDS];          /* half of them below middle, in chains */
};

static void tree_make(struct tree *t)
{
    t->root = ctx_with_cancel(ctx_background());
    t->middle = ctx_with_cancel(t->root);
    for (int i = 0; i < KIDS; i++) {
        go_ctx *above = i % 2 == 0 ? t->root : t->middle;
        t->kid[i] = ctx_with_cancel(i >= 2 * DEPTH && i % DEPTH != 0 ? t->kid[i - 2] : above);
    }
}

static void tree_free(struct tree *t)
{
    for (int i = 0; i < KIDS; i++) {
        ctx_free(t->kid[i]);
    }
    ctx_free(t->middle);
    ctx_free(t->root);
}

static void expect_ended(const struct tree *t, int first, int step)
{
    int open = 0;
    for (int i = first; i < KIDS; i += step) {
        open += ctx_err(t->kid[i]) == 0;
    }
    EXPECT_EQ_INT(open, 0);
}

/* Waits for the end to have begun, then ends it as well. */
static void end_too(struct tree *t)
{
    while (ctx_err(t->root) == 0) {
        go_yield();
    }
    ctx_cancel(t->root);
    EXPECT(ctx_err(t->middle) != 0);
    expect_ended(t, 0, 1);
}

static void end_too_woken(struct tree *t)
{
    chan_recv(ctx_done(t->root));
    ctx_cancel(t->root);
    expect_ended(t, 0, 1);
}

static void end_middle(struct tree *t)
{
    ctx_cancel(t->middle);
    expect_ended(t, 1, 2);
}

static void end_middle_too(struct tree *t)
{
    while (ctx_err(t->middle) == 0) {
        go_yield();
    }
    ctx_cancel(t->middle);
    expect_ended(t, 1, 2);
}

static void end_root(struct tree *t)
{
    ctx_cancel(t->root);
    expect_ended(t, 0, 1);
}

static void all_at_once(void (*const *who)(struct tree *), int n)
{
    struct tree *t = malloc(sizeof *t);
    long rounds = test_iterations(15);
    for (long r = 0; r < rounds; r++) {
        go_waitgroup wg = {0};
        tree_make(t);
        for (int i = 0; i < n; i++) {
            wg_go(&wg, who[i], t);
        }
        wg_wait(&wg);
        tree_free(t);
    }
    free(t);
}

TEST(cancel, second_one_returns_when_all_below_has_ended)
{
    static void (*const who[])(struct tree *) = {end_too, end_too_woken, end_root, end_root};
    all_at_once(who, 4);
}

TEST(cancel, of_a_part_that_another_is_ending_waits_for_it)
{
    static void (*const who[])(struct tree *) = {end_middle, end_middle_too, end_middle};
    all_at_once(who, 3);
}

TEST(cancel, of_all_waits_for_the_part_that_another_is_ending)
{
    static void (*const who[])(struct tree *) = {end_middle, end_root, end_middle_too, end_too};
    all_at_once(who, 4);
}

static void end_leaf(struct tree *t) { ctx_cancel(t->kid[KIDS - 1]); }

static void free_kids_of(go_ctx *ctx)
{
    ctx_cancel(ctx);
    ctx_free(ctx);
}

TEST(cancel, and_free_from_everywhere_at_once)
{
    static void (*const who[])(struct tree *) = {end_middle, end_leaf, end_root, end_leaf,
                                                 end_too};
    all_at_once(who, 5);
    long rounds = test_iterations(300);
    for (long r = 0; r < rounds; r++) {
        go_waitgroup wg = {0};
        go_ctx *a = ctx_with_cancel(ctx_background());
        go_ctx *b = ctx_with_timeout(a, r % 30 * GO_US);
        go_ctx *c = ctx_with_cancel(b);
        go_ctx *d = ctx_with_timeout(c, r % 40 * GO_US);
        go_ctx *e = ctx_with_cancel(d);
        go_ctx *all[] = {c, a, e, b, d};
        for (int i = 0; i < 5; i++) {
            wg_go(&wg, free_kids_of, all[i]);
        }
        wg_wait(&wg);
    }
}

/* A deadline ends the tree on the way of a timer, which waits for nobody; who cancels then waits
 * for it. */
TEST(cancel, waits_for_a_deadline_that_is_ending_it)
{
    enum { N = 2000 };
    go_ctx **kid = malloc(N * sizeof *kid);
    long rounds = test_iterations(20);
    for (long r = 0; r < rounds; r++) {
        go_ctx *top = ctx_with_timeout(ctx_background(), 300 * GO_US);
        for (int i = 0; i < N; i++) {
            kid[i] = ctx_with_cancel(i % 3 == 0 ? top : kid[i - 1]);
        }
        while (ctx_err(top) == 0) {
            go_yield();
        }
        ctx_cancel(top);
        for (int i = 0; i < N; i++) {
            REQUIRE(ctx_err(kid[i]) != 0);
            ctx_free(kid[i]);
        }
        EXPECT_EQ_INT(ctx_err(top), -ETIMEDOUT);
        ctx_free(top);
    }
    free(kid);
}
