/* SPDX-License-Identifier: MIT */
/* Contexts that somebody forgets. */
#include <gort/short.h>

static int fetch(go_ctx *ctx, int n)
{
    return ctx_err(ctx) != 0 ? ctx_err(ctx) : n;
}

static int forgets(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_timeout(parent, GO_SEC); // want "ctx is neither cancelled nor freed"
    return fetch(ctx, 1);
}

static int early_return(go_ctx *parent, int n)
{
    go_ctx *ctx = ctx_with_cancel(parent); // want "the return in line 21"
    int err = fetch(ctx, n);
    if (err < 0) {
        return err;
    }
    ctx_cancel(ctx);
    ctx_free(ctx);
    return 0;
}

static void assigned(go_ctx *parent, bool once)
{
    go_ctx *ctx;
    ctx = go_ctx_with_deadline(parent, go_now() + GO_SEC); // want "the end of the function"
    if (once) {
        ctx_free(ctx);
    }
}

static void in_a_loop(go_ctx *parent)
{
    for (int i = 0; i < 3; i++) {
        go_ctx *ctx = ctx_with_cancel(parent); // want "ctx is neither"
        if (fetch(ctx, i) == 0) {
            continue;
        }
        if (i == 2) {
            break;
        }
        ctx_free(ctx);
    }
}

static int nested(go_ctx *parent)
{
    go_group g = group_with(ctx_with_timeout(parent, GO_SEC)); // want "group_with only borrows it"
    return group_wait(&g);
}

static void lent(go_ctx *ctx) { fetch(ctx, 2); }

static void only_lent(go_ctx *parent)
{
    go_ctx *ctx = ctx_with_cancel(parent); // want "ctx is neither"
    lent(ctx);
    go_ctx *other = ctx_with_cancel(parent); // want "other is neither"
    go_do(other) { fetch(other, 1); };
}

int main(void)
{
    go_ctx *root = ctx_background();
    assigned(root, true);
    in_a_loop(root);
    only_lent(root);
    return forgets(root) + early_return(root, 1) + nested(root);
}
