/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <errno.h>
#include <stdio.h>

static int fetch(go_ctx *ctx, int i)
{
    if (i == 2) {
        return -ENOENT; /* the first error: the others are told to stop */
    }
    chan_recv_ok(ctx_done(ctx), NULL);
    return ctx_err(ctx);
}

int main(void)
{
    go_group g = group_with(ctx_background());
    for (int i = 0; i < 4; i++) {
        group_go(&g, fetch, g.ctx, i);
    }
    printf("%d\n", group_wait(&g) == -ENOENT);
}
/* Output:
1
*/
