/* SPDX-License-Identifier: MIT */
/* context.c: trees of cancellation. */
#include "bench.h"

static void make_and_cancel(go_ctx *root, long times)
{
    for (long i = 0; i < times; i++) {
        go_ctx *c = ctx_with_cancel(root);
        ctx_cancel(c);
        ctx_free(c);
    }
}

/* One op: a context below one shared parent is made, cancelled and dropped, GOMAXPROCS
 * goroutines (Go's BenchmarkCommonParentCancel). */
BENCH(ctx_cancel)
{
    long workers = go_maxprocs(0);
    go_ctx *root = ctx_with_cancel(ctx_background());
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < workers; i++) {
        wg_go(&wg, make_and_cancel, root, b->n / workers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / workers * workers);
    ctx_free(root);
}

/* One op: a context of a chain is made, and cancelled by cancelling the first. Parameter: the
 * length, 1000 (Go's BenchmarkCancelTree). */
BENCH(ctx_chain)
{
    long depth = bench_arg(b, 0, 1000);
    long rounds = (b->n + depth - 1) / depth;
    go_ctx **chain = bench_alloc((size_t)depth, sizeof(*chain));
    int64_t start = bench_now();
    for (long r = 0; r < rounds; r++) {
        go_ctx *parent = ctx_background();
        for (long i = 0; i < depth; i++) {
            chain[i] = ctx_with_cancel(parent);
            parent = chain[i];
        }
        ctx_cancel(chain[0]);
        if (ctx_err(chain[depth - 1]) == 0) {
            bench_fail("ctx_chain: the end was not cancelled");
        }
        for (long i = 0; i < depth; i++) {
            ctx_free(chain[i]);
        }
    }
    bench_per_op(b, start, rounds * depth);
}

/* One op: a child of one parent is made, and cancelled by cancelling the parent. Parameter: the
 * children, 1000. */
BENCH(ctx_fan)
{
    long children = bench_arg(b, 0, 1000);
    long rounds = (b->n + children - 1) / children;
    go_ctx **fan = bench_alloc((size_t)children, sizeof(*fan));
    int64_t start = bench_now();
    for (long r = 0; r < rounds; r++) {
        go_ctx *parent = ctx_with_cancel(ctx_background());
        for (long i = 0; i < children; i++) {
            fan[i] = ctx_with_cancel(parent);
        }
        ctx_cancel(parent);
        for (long i = 0; i < children; i++) {
            if (ctx_err(fan[i]) == 0) {
                bench_fail("ctx_fan: a child was not cancelled");
            }
            ctx_free(fan[i]);
        }
        ctx_free(parent);
    }
    bench_per_op(b, start, rounds * children);
}

/* One op: a context of a binary tree is made, and cancelled by cancelling its root. Parameter: the
 * contexts of a tree, 1023. */
BENCH(ctx_tree)
{
    long size = bench_arg(b, 0, 1023);
    long rounds = (b->n + size - 1) / size;
    go_ctx **tree = bench_alloc((size_t)size, sizeof(*tree));
    int64_t start = bench_now();
    for (long r = 0; r < rounds; r++) {
        tree[0] = ctx_with_cancel(ctx_background());
        for (long i = 1; i < size; i++) {
            tree[i] = ctx_with_cancel(tree[(i - 1) / 2]);
        }
        ctx_cancel(tree[0]);
        if (ctx_err(tree[size - 1]) == 0) {
            bench_fail("ctx_tree: a leaf was not cancelled");
        }
        for (long i = 0; i < size; i++) {
            ctx_free(tree[i]);
        }
    }
    bench_per_op(b, start, rounds * size);
}

/* One op: a context with a timeout of an hour is made and cancelled. */
BENCH(ctx_timeout)
{
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        go_ctx *c = ctx_with_timeout(ctx_background(), GO_HOUR);
        ctx_cancel(c);
        ctx_free(c);
    }
    bench_per_op(b, start, b->n);
}

/* One op: asking a live context, ten levels below its root, whether it is cancelled. */
BENCH(ctx_check)
{
    go_ctx *chain[10], *c = ctx_background();
    for (int i = 0; i < 10; i++) {
        chain[i] = ctx_with_cancel(c);
        c = chain[i];
    }
    long ended = 0;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        ended += ctx_err(c) != 0;
    }
    bench_per_op(b, start, b->n);
    if (ended) {
        bench_fail("ctx_check: cancelled by nobody");
    }
    for (int i = 0; i < 10; i++) {
        ctx_free(chain[i]);
    }
}
