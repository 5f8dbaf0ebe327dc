/* SPDX-License-Identifier: MIT */
/* context.c: the benchmarks of Go's package context. What Go leaves to its collector is freed
 * inside the measured time. */
#include "gobench.h"

#include <stdlib.h>

static const go_ctx_key(const char *) name_key;

static void common_parent_body(struct gobench_pb *pb, void *arg)
{
    uint64_t x = 1;
    GOBENCH_EACH(pb) {
        go_ctx *c = go_ctx_with_cancel(arg);
        const char *const *v = go_ctx_value(c, name_key);
        if (v == NULL || **v != 'v') {
            gobench_fail("context: no value");
        }
        x = gobench_work(x, 100);
        go_ctx_cancel(c);
        x = gobench_work(x, 100);
        go_ctx_free(c);
    }
    if (x == 0) {
        gobench_fail("context: work undone");
    }
}

static void common_parent(struct gobench *b)
{
    go_ctx *root = go_ctx_with_value(go_ctx_background(), name_key, "value");
    go_ctx *shared = go_ctx_with_cancel(root);
    gobench_reset(b);
    gobench_parallel(b, common_parent_body, shared);
    gobench_stop(b);
    go_ctx_free(shared);
    go_ctx_free(root);
}

/* --- timeouts */

static void fill(go_ctx **c, long count)
{
    for (long i = 0; i < count; i++) {
        c[i] = go_ctx_with_timeout(go_ctx_background(), GO_HOUR);
    }
}

static void timeout_body(struct gobench_pb *pb, void *arg)
{
    enum { N = 10 };
    (void)arg;
    go_ctx *c[N];
    GOBENCH_EACH(pb) {
        fill(c, N);
        for (int i = 0; i < N; i++) {
            go_ctx_cancel(c[i]);
            go_ctx_free(c[i]);
        }
    }
}

/* One op: ten contexts made and cancelled while arg[0] others wait for their end. */
static void timeout(struct gobench *b)
{
    long procs = go_maxprocs(0);
    long each = b->arg[0] / procs;
    go_ctx **others = gobench_alloc((size_t)(procs * each), sizeof(go_ctx *));
    go_waitgroup wg = { 0 };
    for (long p = 0; p < procs; p++) {
        go_wg_go(&wg, fill, others + p * each, each);
    }
    go_wg_wait(&wg);
    gobench_reset(b);
    gobench_parallel(b, timeout_body, NULL);
    gobench_stop(b);
    for (long i = 0; i < procs * each; i++) {
        go_ctx_free(others[i]);
    }
    free(others);
}

/* --- trees */

enum { BACKGROUND, OPEN, CLOSED };

static void build(go_ctx *root, go_ctx **tree, long depth)
{
    for (long i = 0; i < depth; i++) {
        tree[i] = go_ctx_with_cancel(root);
        root = tree[i];
    }
}

/* A chain of arg[0] below a root of kind arg[1]. */
static void cancel_tree(struct gobench *b)
{
    long depth = b->arg[0];
    go_ctx **tree = gobench_alloc((size_t)depth, sizeof(go_ctx *));
    for (long n = 0; n < b->n; n++) {
        go_ctx *root = go_ctx_background();
        if (b->arg[1] != BACKGROUND) {
            root = go_ctx_with_cancel(root);
        }
        if (b->arg[1] == CLOSED) {
            go_ctx_cancel(root);
        }
        build(root, tree, depth);
        if (b->arg[1] == OPEN) {
            go_ctx_cancel(root);
        }
        for (long i = depth - 1; i >= 0; i--) {
            go_ctx_free(tree[i]);
        }
        go_ctx_free(root);
    }
    gobench_stop(b);
    free(tree);
}

/* --- asking */

/* arg[0]: cancelled before. */
static void err(struct gobench *b)
{
    go_ctx *c = go_ctx_with_cancel(go_ctx_background());
    const bool canceled = b->arg[0] != 0;
    if (canceled) {
        go_ctx_cancel(c);
    }
    gobench_reset(b);
    for (long i = 0; i < b->n; i++) {
        if ((go_ctx_err(c) != 0) != canceled) {
            gobench_fail("context: another error");
        }
    }
    gobench_stop(b);
    go_ctx_free(c);
}

static void check_done(struct gobench *b)
{
    go_ctx *c = go_ctx_with_cancel(go_ctx_background());
    go_ctx_cancel(c);
    gobench_reset(b);
    for (long i = 0; i < b->n; i++) {
        char v;
        if (go_chan_try_recv(go_ctx_done(c), &v)) {
            gobench_fail("context: a value from done");
        }
    }
    gobench_stop(b);
    go_ctx_free(c);
}

static void done_body(struct gobench_pb *pb, void *arg)
{
    GOBENCH_EACH(pb) {
        switch (go_chan_select(recv(ended, go_ctx_done(arg)), default)) {
        case ended:
            gobench_fail("context: done");
        default:
            break;
        }
    }
}

static void cancel_done(struct gobench *b)
{
    go_ctx *c = go_ctx_with_cancel(go_ctx_background());
    gobench_reset(b);
    gobench_parallel(b, done_body, c);
    gobench_stop(b);
    go_ctx_free(c);
}

/* --- values */

enum { DEEPEST = 100 };
static const go_ctx_key(int) keys[DEEPEST];
static const go_ctx_key(int) absent;

static void look(go_ctx *c, go_waitgroup *wg)
{
    if (go_ctx_value(c, absent) != NULL) {
        gobench_fail("context: a value out of nowhere");
    }
    go_wg_done(wg);
}

/* A key that is not there, asked for below arg[0] others; arg[1]: each time in a new goroutine. */
static void deep_value(struct gobench *b)
{
    go_ctx *c[DEEPEST + 1];
    c[0] = go_ctx_background();
    for (int i = 0; i < b->arg[0]; i++) {
        c[i + 1] = go_ctx_with_value(c[i], keys[i], i);
    }
    go_ctx *leaf = c[b->arg[0]];
    gobench_reset(b);
    for (long n = 0; n < b->n; n++) {
        if (b->arg[1]) {
            go_waitgroup wg = { 0 };
            go_wg_add(&wg, 1);
            go_spawn(look, leaf, &wg);
            go_wg_wait(&wg);
        } else if (go_ctx_value(leaf, absent) != NULL) {
            gobench_fail("context: a value out of nowhere");
        }
    }
    gobench_stop(b);
    for (long i = b->arg[0]; i > 0; i--) {
        go_ctx_free(c[i]);
    }
}

const struct gobench_row gobench_context[] = {
    { "CommonParentCancel", common_parent, { 0 } },
    { "WithTimeout/concurrency=40", timeout, { 40 } },
    { "WithTimeout/concurrency=4000", timeout, { 4000 } },
    { "WithTimeout/concurrency=400000", timeout, { 400000 } },
    { "CancelTree/depth=1/Root=Background", cancel_tree, { 1, BACKGROUND } },
    { "CancelTree/depth=1/Root=OpenCanceler", cancel_tree, { 1, OPEN } },
    { "CancelTree/depth=1/Root=ClosedCanceler", cancel_tree, { 1, CLOSED } },
    { "CancelTree/depth=10/Root=Background", cancel_tree, { 10, BACKGROUND } },
    { "CancelTree/depth=10/Root=OpenCanceler", cancel_tree, { 10, OPEN } },
    { "CancelTree/depth=10/Root=ClosedCanceler", cancel_tree, { 10, CLOSED } },
    { "CancelTree/depth=100/Root=Background", cancel_tree, { 100, BACKGROUND } },
    { "CancelTree/depth=100/Root=OpenCanceler", cancel_tree, { 100, OPEN } },
    { "CancelTree/depth=100/Root=ClosedCanceler", cancel_tree, { 100, CLOSED } },
    { "CancelTree/depth=1000/Root=Background", cancel_tree, { 1000, BACKGROUND } },
    { "CancelTree/depth=1000/Root=OpenCanceler", cancel_tree, { 1000, OPEN } },
    { "CancelTree/depth=1000/Root=ClosedCanceler", cancel_tree, { 1000, CLOSED } },
    { "CheckCanceled/Err", err, { 1 } },
    { "CheckCanceled/Done", check_done, { 0 } },
    { "ContextCancelDone", cancel_done, { 0 } },
    { "DeepValueNewGoRoutine/depth=10", deep_value, { 10, 1 } },
    { "DeepValueNewGoRoutine/depth=100", deep_value, { 100, 1 } },
    { "DeepValueSameGoRoutine/depth=10", deep_value, { 10, 0 } },
    { "DeepValueSameGoRoutine/depth=100", deep_value, { 100, 0 } },
    { "ErrOK", err, { 0 } },
    { "ErrCanceled", err, { 1 } },
    { NULL, NULL, { 0 } },
};
