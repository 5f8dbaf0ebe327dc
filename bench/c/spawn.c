/* SPDX-License-Identifier: MIT */
/* spawn.c: what it costs to start a goroutine and to see it end. */
#include "bench.h"

static void child(go_waitgroup *wg)
{
    wg_done(wg);
}

/* One op: start a goroutine that ends at once, in batches, each batch waited for.
 * Parameter: the batch, 1000; with a batch of n all are started before the first wait. */
BENCH(spawn)
{
    long batch = bench_arg(b, 0, 1000);
    int64_t start = bench_now();
    for (long done = 0; done < b->n; done += batch) {
        go_waitgroup wg = { 0 };
        for (long i = 0; i < batch; i++) {
            wg_add(&wg, 1);
            go(child, &wg);
        }
        wg_wait(&wg);
    }
    bench_per_op(b, start, (b->n + batch - 1) / batch * batch);
}

static void nothing(void)
{
}

/* One op: as in spawn, with the waitgroup's own way to start a goroutine. Parameter: the batch. */
BENCH(spawn_wg_go)
{
    long batch = bench_arg(b, 0, 1000);
    int64_t start = bench_now();
    for (long done = 0; done < b->n; done += batch) {
        go_waitgroup wg = { 0 };
        for (long i = 0; i < batch; i++) {
            wg_go(&wg, nothing);
        }
        wg_wait(&wg);
    }
    bench_per_op(b, start, (b->n + batch - 1) / batch * batch);
}

static void spawn_many(long count)
{
    go_waitgroup wg = { 0 };
    for (long i = 0; i < count; i++) {
        wg_add(&wg, 1);
        go(child, &wg);
        if (i % 1000 == 999) {
            wg_wait(&wg);
        }
    }
    wg_wait(&wg);
}

/* One op as in spawn, in batches of 1000, but started by several goroutines at once.
 * Parameter: how many, 16. */
BENCH(spawn_producers)
{
    long producers = bench_arg(b, 0, 16);
    go_waitgroup wg = { 0 };
    int64_t start = bench_now();
    for (long i = 0; i < producers; i++) {
        wg_go(&wg, spawn_many, b->n / producers);
    }
    wg_wait(&wg);
    bench_per_op(b, start, b->n / producers * producers);
}

static void tree(int depth, go_waitgroup *parent)
{
    if (depth > 0) {
        go_waitgroup wg = { 0 };
        wg_add(&wg, 2);
        go(tree, depth - 1, &wg);
        go(tree, depth - 1, &wg);
        wg_wait(&wg);
    }
    wg_done(parent);
}

/* One op: a node of a binary tree of goroutines, each waiting for its two children.
 * Parameter: the depth, 16; n only sets how many trees. */
BENCH(spawn_tree)
{
    int depth = (int)bench_arg(b, 0, 16);
    long nodes = (2L << depth) - 2;
    long trees = (b->n + nodes - 1) / nodes;
    int64_t start = bench_now();
    for (long i = 0; i < trees; i++) {
        go_waitgroup wg = { 0 };
        wg_add(&wg, 1);
        tree(depth, &wg);
    }
    bench_per_op(b, start, trees * nodes);
}

static void chain(long left, chan(char) done)
{
    if (left == 0) {
        chan_send(done, 1);
        return;
    }
    go(chain, left - 1, done);
}

/* One op: a goroutine starts the next one and ends (Go's BenchmarkCreateGoroutines). */
BENCH(spawn_chain)
{
    chan(char) done = chan_make(char);
    int64_t start = bench_now();
    go(chain, b->n, done);
    chan_recv(done);
    bench_per_op(b, start, b->n);
    chan_free(done);
}

static void add_six(long *sum, long p, long q, long r, long s, long t, long u)
{
    *sum += p + q + r + s + t + u;
}

/* One op: start a goroutine with seven arguments, wait for it. */
BENCH(spawn_arguments)
{
    long sum = 0;
    int64_t start = bench_now();
    for (long i = 0; i < b->n; i++) {
        go_waitgroup wg = { 0 };
        wg_go(&wg, add_six, &sum, i, i, i, i, i, i);
        wg_wait(&wg);
    }
    bench_per_op(b, start, b->n);
    if (sum != b->n * (b->n - 1) / 2 * 6) {
        bench_fail("spawn_arguments: wrong sum %ld", sum);
    }
}
