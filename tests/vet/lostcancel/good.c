/* SPDX-License-Identifier: MIT */
/* Contexts that somebody frees. */
#include <gort/short.h>
#include <stdlib.h>

struct server {
    go_ctx *ctx;
};
void elsewhere(go_ctx *ctx);

static int fetch(go_ctx *ctx, int n)
{
    return ctx_err(ctx) != 0 ? ctx_err(ctx) : n;
}

static int deferred(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_timeout(parent, GO_SEC);
    defer(ctx_free, ctx);
    if (fetch(ctx, 1) < 0) {
        return -1;
    }
    return fetch(ctx, 2);
}

static int all_ways(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_cancel(parent);
    if (ctx == NULL) {
        return -ENOMEM;
    }
    int err = fetch(ctx, 1);
    if (err < 0) {
        go_ctx_cancel_cause(ctx, err, "it failed");
        ctx_free(ctx);
        return err;
    }
    ctx_free(ctx);
    return 0;
}

static int by_goto(go_ctx *parent, int n)
{
    int err = -1;
    go_ctx *ctx = ctx_with_cancel(parent);
    if (!ctx) {
        return -1;
    }
    if (n == 0) {
        goto out;
    }
    err = fetch(ctx, n);
out:
    ctx_free(ctx);
    return err;
}

static go_ctx *returned(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_cancel(parent);
    return ctx;
}

static void stored(struct server *s, go_ctx *parent)
{
    go_ctx *ctx = ctx_with_cancel(parent);
    s->ctx = ctx;
}

static void work(go_ctx *ctx)
{
    defer(ctx_free, ctx);
    fetch(ctx, 1);
}

static void given(go_ctx *parent)
{
    go_ctx *one = ctx_with_cancel(parent);
    go(work, one);
    go_ctx *two = ctx_with_cancel(parent);
    work(two);
    go_ctx *three = ctx_with_cancel(parent);
    go_do(three) { ctx_free(three); };
    go_ctx *four = ctx_with_cancel(parent);
    elsewhere(four);
    go(work, ctx_with_cancel(parent));
    go_ctx *five = ctx_with_cancel(parent);
    go(work, ctx_ref(five));
    ctx_cancel(five);
    ctx_free(five);
}

static void dies(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_cancel(parent);
    if (fetch(ctx, 1) < 0) {
        go_panic("no");
    }
    ctx_free(ctx);
}

static void block(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_cancel(parent);
    go_defer_block { ctx_free(ctx); };
    fetch(ctx, 3);
}

/* The process ends with main. */
int main(int argc, char **argv)
{
    go_ctx *root = ctx_background();
    go_ctx *whole = ctx_with_cancel(root);
    if (argc > 1) {
        return argv[1][0];
    }
    go_do(whole) { fetch(whole, 2); };
    ctx_free(whole);
    struct server s;
    stored(&s, root);
    given(root);
    dies(root);
    block(root);
    ctx_free(s.ctx);
    ctx_free(returned(root));
    return deferred(root) + all_ways(root) + by_goto(root, 1);
}

void elsewhere(go_ctx *ctx) { ctx_free(ctx); }
